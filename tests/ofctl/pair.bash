# shellcheck shell=bash
# Two switches with the same ports, for tests/ofctl/*.sh; comes after base.sh, switch.sh and hosts.sh.
#
#   namespace ovs                              namespace weft
#   q1 -- p1 \                                 q1 -- p1 \
#   q2 -- p2 -- br0 (ovs-vswitchd, userspace)  q2 -- p2 -- br0 (weftd, AF_PACKET)
#   q3 -- p3 /                                 q3 -- p3 /
#
# Ports have the same names, numbers and MAC addresses. Open vSwitch has its own database and directory ($WORK/ovs);
# the system's is not touched.

PAIR_PORTS=(1 2 3)

pair_wires() { # pair_wires HOST
    local i
    host_new "$1"
    on "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    for i in "${PAIR_PORTS[@]}"; do
        wire "$1" "p$i" "$1" "q$i" 1500
        ip -n "$NS-$1" link set "p$i" address "02:00:00:00:00:0$i"
        ip -n "$NS-$1" link set "q$i" address "02:00:00:00:01:0$i"
    done
}

ovs_stop() {
    local name pid
    for name in ovs-vswitchd ovsdb-server; do
        pid=$(cat "$WORK/ovs/$name.pid" 2>/dev/null) || continue
        kill "$pid" 2>/dev/null || true
        wait_until 10 eval "! kill -0 $pid" || kill -KILL "$pid"
    done
}

vsctl() { ovs-vsctl --db="unix:$WORK/ovs/db.sock" "$@"; }

pair_start_ovs() {
    local dir=$WORK/ovs log i
    mkdir "$dir"
    pair_wires ovs
    export OVS_LOGDIR=$dir OVS_DBDIR=$dir
    log="--log-file=$WORK/ovs.log --verbose=console:off --verbose=syslog:off"
    ovsdb-tool create "$dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema
    at_exit ovs_stop
    # shellcheck disable=SC2086
    OVS_RUNDIR=$dir on ovs ovsdb-server "$dir/conf.db" "--remote=punix:$dir/db.sock" \
        "--pidfile=$dir/ovsdb-server.pid" --detach $log
    vsctl --no-wait init
    # shellcheck disable=SC2086
    OVS_RUNDIR=$dir on ovs ovs-vswitchd "unix:$dir/db.sock" "--pidfile=$dir/ovs-vswitchd.pid" --disable-system \
        --detach $log
    vsctl add-br br0 -- set bridge br0 datapath_type=netdev fail_mode=secure other-config:hwaddr=02:00:00:00:00:ff
    for i in "${PAIR_PORTS[@]}"; do vsctl add-port br0 "p$i" -- set interface "p$i" "ofport_request=$i"; done
    ip -n "$NS-ovs" link set br0 up
}

pair_start_weft() {
    local i
    pair_wires weft
    switch_start weft "$NS-weft"
    for i in "${PAIR_PORTS[@]}"; do
        weft weft if add "p$i" type=ethdev "ofport=$i" "devargs=net_af_packet$i,iface=p$i" >/dev/null
    done
    weft weft if add br0 type=tap ofport=local dev=br0 >/dev/null
}

# The fields that only one of them has (Open vSwitch Geneve, ERSPAN, GTP, NSH; Weft PBB, IPv6 extension headers and the
# physical port), and in Set-Field those that only one of them can set.
field_list() { # field_list ALSO: the names on standard input, sorted, without those and ALSO
    tr ' ' '\n' | sort | grep -vxE "dp_hash|recirc_id|packet_type|tun_(gbp|erspan|gtpu|metadata).*|\
nsh_.*|nd_(reserved|options_type)|pbb_isid|ipv6_exthdr|in_phy_port|$1" | tr '\n' ' '
}

# shared_fields COMMAND...: its output, each list of fields without braces, cut to what both switches have.
shared_fields() {
    local line list
    "$@" | while IFS= read -r line; do
        case $line in
        *'Set-Field: '* | *'mask: '* | *'wildcard: '*)
            list=$(eval "echo $(sed -E 's/([a-z]+)0\.\.\.[a-z]+([0-9]+)/\1{0..\2}/g' <<<"${line#*: }")")
            case $line in
            *Set-Field*) list=$(field_list 'eth_type|mpls_bos|nw_proto' <<<"$list") ;;
            *) list=$(field_list - <<<"$list") ;;
            esac
            echo "${line%%: *}: $list"
            ;;
        *) echo "$line" ;;
        esac
    done
    return "${PIPESTATUS[0]}"
}

# What may differ between two switches, and nothing else: transaction ids, durations and ages, times of the log and of
# ping, datapath ids (the address of LOCAL comes from it, and who paused a packet), numbers of ports
# inside of the switch, descriptions, the name of the program, and the order in which hash tables give flows and ports.
normalise() {
    sed -E \
        -e 's/xid=0x[0-9a-f]+/xid=X/g' \
        -e 's/(duration[=:]?(\x1b\[m\x1b\[K)?)[0-9.]+s/\1Ds/g' \
        -e 's/(idle_age=(\x1b\[m\x1b\[K)?)[0-9]+/\1A/g; s/hard_age=[0-9]+, //g' \
        -e 's/^(00000000  ([0-9a-f]{2} ){4})([0-9a-f]{2} ){3}[0-9a-f]{2}-/\1xid-/' \
        -e 's/^[0-9-]+T[0-9:]+Z\|[0-9]+\|/TIME|/' \
        -e 's/time=[0-9.]+ ms/time=T ms/' \
        -e 's/(continuation\.bridge=)[0-9a-f-]+/\1ID/; s/(continuation\.odp_port=)[0-9]+/\1N/' \
        -e 's/dpid:[0-9a-f]+/dpid:ID/; s/(LOCAL\(br0\): addr:)[0-9a-f:]+/\1ID/' \
        -e 's/^(Manufacturer|Hardware|Software|Serial Num|DP Description): .*/\1: .../' \
        -e 's/^weft-ofctl: /ovs-ofctl: /' \
        -e "s#$WORK/(ovs|weft)/#RUNDIR/#g"
}
