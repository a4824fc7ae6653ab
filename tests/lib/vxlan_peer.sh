# shellcheck shell=bash
# Weft against the kernel's VXLAN device; comes after base.sh, switch.sh and hosts.sh. One body for all the smoke tests:
#
#    guest namespace          hv namespace: weftd                    peer namespace: the kernel
#    t1 10.9.0.1  ---- tap -- [ t1 | table | vx0 | up0 ] a0 ------- b0 -- vxlan42 10.9.0.2
#       fd09::1                    VTEP 172.31.0.1 or fd31::1          VTEP 172.31.0.2 or fd31::2, fd09::2
#
# vxlan_peer_run FAMILY UPLINK: FAMILY 4 or 6 is the underlay's; UPLINK is afxdp or packet (DPDK's net_af_packet).

vxlan_peer_setup() {
    local family=$1 uplink=$2
    if [ "$family" = 4 ]; then
        vtep=172.31.0.1 remote=172.31.0.2 len=24 tun=tun_dst overhead=50
    else
        vtep=fd31::1 remote=fd31::2 len=64 tun=tun_ipv6_dst overhead=70
    fi
    host_new hv
    host_new peer
    host_new guest
    wire hv a0 peer b0 1600
    address peer b0 $remote/$len
    ip -n "$NS-peer" link add vxlan42 type vxlan id 42 dstport 4789 local $remote remote $vtep dev b0 udpcsum
    on peer ethtool -K vxlan42 tx off >/dev/null
    ip -n "$NS-peer" link set vxlan42 mtu 1500 up
    address peer vxlan42 10.9.0.2/24
    address peer vxlan42 fd09::2/64

    switch_start hv "$NS-hv"
    if [ "$uplink" = afxdp ]; then
        weft hv if add up0 type=afxdp dev=a0 ofport=1 >/dev/null
        address hv a0 $vtep/$len
    else
        # All that is not VXLAN goes to the tap up0k, where the kernel owns the VTEP's address; a0 itself is mute.
        on hv sysctl -qw net.ipv6.conf.a0.disable_ipv6=1 net.ipv4.conf.a0.arp_ignore=8
        weft hv if add up0 type=ethdev devargs=net_af_packet0,iface=a0 exception=up0k ofport=1 >/dev/null
        ip -n "$NS-hv" link set up0k address "$(on hv cat /sys/class/net/a0/address)"
        ip -n "$NS-hv" link set up0k up
        address hv up0k $vtep/$len
    fi
    weft hv if add t1 type=tap dev=t1 ofport=2 >/dev/null
    weft hv if add vx0 type=vxlan local=$vtep allow=$remote ofport=3 >/dev/null
    weft hv if add g1 type=vhost-user socket="$WORK/g1.sock" role=server ofport=4 >/dev/null
    ip -n "$NS-hv" link set t1 netns "$NS-guest"
    ip -n "$NS-guest" link set t1 up
    address guest t1 10.9.0.1/24
    address guest t1 fd09::1/64
    vxlan_peer_flows
    at_failure on peer ip -s link show vxlan42
    say "underlay IPv$family over $uplink: switch, tap and the kernel's vxlan42 are there"
}

vxlan_peer_flows() {
    printf '%s\n' "table=0,priority=10,in_port=2 actions=set_field:42->tun_id,set_field:$remote->$tun,output:3" \
        "table=0,priority=10,in_port=4 actions=set_field:42->tun_id,set_field:$remote->$tun,output:3" \
        'table=0,priority=10,in_port=3,tun_id=42 actions=output:2' 'table=0,priority=0 actions=drop' |
        ofctl hv replace-flows br0 -
}

# ping_ok HOST ADDRESS SIZE: three pings of that size, not to be fragmented
ping_ok() { on "$1" ping -q -c 3 -i 0.2 -W 5 -M "do" -s "$3" "$2" >"$WORK/ping.out" 2>&1; }
ping_once() { on "$1" ping -q -c 1 -W 1 "$2"; }

iperf_mbit() { # iperf_mbit ADDRESS [OPTION...]
    on guest timeout 60 iperf3 -c "$1" -J "${@:2}" >"$WORK/iperf.json" || {
        grep -a error "$WORK/iperf.json" >&2
        return 1
    }
    python3 -c '
import json, sys
print("%.0f" % (json.load(open(sys.argv[1]))["end"]["sum_received"]["bits_per_second"] / 1e6))' "$WORK/iperf.json"
}

# Our outer headers as tshark sees them. Run while traffic flows.
check_outer_headers() {
    local family=$1 bad ports
    on peer tcpdump -q -i b0 -Q in -s 0 -c 400 -w "$WORK/outer.pcap" udp port 4789 >"$WORK/tcpdump.log" 2>&1 &
    local dump=$!
    wait_until 20 grep -q 'listening on' "$WORK/tcpdump.log" || fail "tcpdump does not start"
    # From ports of our choice: by a port's number tshark takes a stream's bytes for many a protocol.
    on guest timeout 60 iperf3 -c 10.9.0.2 -n 20M -P 8 --cport 50000 >"$WORK/iperf.out" 2>&1 ||
        fail "eight TCP streams: $(tail -n 3 "$WORK/iperf.out")"
    kill -INT $dump 2>/dev/null || true
    wait $dump || true
    bad=$(tshark -r "$WORK/outer.pcap" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE \
        -Y '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0 || !vxlan' \
        2>/dev/null | tee "$WORK/bad.txt" | wc -l)
    head -n 5 "$WORK/bad.txt"
    [ "$bad" -eq 0 ] || fail "tshark finds fault with $bad of our packets"
    tshark -r "$WORK/outer.pcap" -T fields -E occurrence=f -e udp.srcport -e udp.dstport -e vxlan.vni 2>/dev/null >"$WORK/outer.txt"
    [ "$(cut -f 2,3 "$WORK/outer.txt" | sort -u)" = "$(printf '4789\t42')" ] || fail "wrong port or VNI"
    ports=$(cut -f 1 "$WORK/outer.txt" | sort -un)
    [ "$(head -n 1 <<<"$ports")" -ge 49152 ] || fail "a source port below 49152"
    [ "$(wc -l <<<"$ports")" -ge 4 ] || fail "the source ports do not spread: $ports"
    say "tshark: $(wc -l <"$WORK/outer.txt") packets without fault, $(wc -l <<<"$ports") source ports over 9 flows"
}

# A guest with UDP segmentation (played: the guests' kernels here lack it) sends one packet, the peer gets datagrams.
check_uso() { # check_uso LAYER SOURCE ADDRESS
    local data='' i mac receiver
    for i in $(seq 1 11); do data+="/data(len=1200,fill=$i)"; done
    mac=$(on peer cat /sys/class/net/vxlan42/address)
    cat >"$WORK/uso.scenario" <<EOF
port g vhost-connect:$WORK/g1.sock
run for i in \$(seq 200); do $BUILD/weft --rundir $WORK/hv -o json if show g1 | grep -q '"up": *true' && exit 0; sleep 0.05; done; exit 1
send g gso=1200 eth(dst=$mac,src=02:00:00:00:00:0a)/$1(src=$2,dst=$3)/udp(src=7000,dst=7000)$data/data(len=500,fill=12)
run for i in \$(seq 600); do test -e $WORK/uso.done && exit 0; sleep 0.05; done; exit 1
EOF
    rm -f "$WORK/uso.ready" "$WORK/uso.done"
    { on peer python3 "$ROOT/tests/lib/udp_segments.py" "$3" 7000 "$WORK/uso.ready" >"$WORK/uso.log" 2>&1; echo $? >"$WORK/uso.done"; } &
    receiver=$!
    wait_until 20 test -e "$WORK/uso.ready" || fail "the receiver does not start"
    "$BUILD/weft-pktgen" run "$WORK/uso.scenario" >"$WORK/uso.pktgen" || fail "UDP GSO over $1: $(cat "$WORK/uso.log")"
    wait $receiver
    [ "$(cat "$WORK/uso.done")" = 0 ] || fail "UDP GSO over $1: $(cat "$WORK/uso.log")"
    say "UDP GSO over $1: $(cat "$WORK/uso.log")"
}

# The underlay takes less than the guest believes: the sender must be told, whatever its protocol.
check_too_big() { # check_too_big NETDEV MTU FULL: the underlay's device and new MTU; FULL: the largest IPv4 ping of the guest
    local mtu=$2 before inner
    before=$(on hv cat "/sys/class/net/$1/mtu")
    ip -n "$NS-hv" link set "$1" mtu "$mtu"
    inner=$((mtu - overhead))
    wait_until 20 told_to_shrink 10.9.0.2 "$3" || fail "IPv4: too big, and nobody says so"
    grep -qE "mtu ?= ?$inner" "$WORK/ping.out" || fail "IPv4: told another size than $inner: $(grep -iE 'mtu' "$WORK/ping.out")"
    wait_until 20 told_to_shrink fd09::2 $(($3 - 20)) || fail "IPv6: too big, and nobody says so"
    grep -qE "mtu ?= ?$inner" "$WORK/ping.out" || fail "IPv6: told another size than $inner: $(grep -iE 'mtu' "$WORK/ping.out")"
    iperf_mbit 10.9.0.2 -n 2M >/dev/null || fail "TCP does not adapt to the smaller path"
    say "too big for the path of $inner bytes: ICMP and ICMPv6 say so, TCP adapts"
    ip -n "$NS-hv" link set "$1" mtu "$before"
    on guest ip route flush cache
    on guest ip -6 route flush cache
}
told_to_shrink() { # the answer may be in the error of the second ping (then it comes from our own kernel's memory)
    on guest ping -c 2 -i 0.2 -W 1 -M "do" -s "$2" "$1" >"$WORK/ping.out" 2>&1 || true
    grep -qiE 'mtu ?= ?[0-9]+' "$WORK/ping.out"
}

vxlan_peer_run() {
    local family=$1 uplink=$2 rate full=1472 netdev=a0 small=1480
    need_root
    need ip ethtool ping iperf3 tcpdump tshark python3
    vxlan_peer_setup "$family" "$uplink"
    if [ "$uplink" = packet ]; then
        netdev=up0k small=1400
        # net_af_packet caps frames at 1518 bytes, so the inner packets must be smaller.
        full=$((1500 - overhead - 28))
        ip -n "$NS-guest" link set t1 mtu $((1500 - overhead))
        ip -n "$NS-peer" link set vxlan42 mtu $((1500 - overhead))
    fi
    wait_until 30 ping_once guest 10.9.0.2 || fail "no ping"
    ping_ok guest 10.9.0.2 $full || fail "no full-size ping"
    ping_ok guest fd09::2 $((full - 20)) || fail "no full-size ping over IPv6"
    ping_ok peer 10.9.0.1 $full || fail "no full-size ping from the peer"
    say "ping: small and full size, IPv4 and IPv6, both ways"
    weft hv if show vx0 | grep -q "remote=$remote,.*inner_mtu=$(($(on hv cat /sys/class/net/$netdev/mtu) - overhead))" ||
        fail "if show does not tell the way to $remote: $(weft hv if show vx0)"
    on peer iperf3 -s -D -I "$WORK/iperf.pid"
    at_exit stop_iperf
    wait_until 10 test -s "$WORK/iperf.pid" || fail "iperf3"
    rate=$(iperf_mbit 10.9.0.2 -n 20M) || fail "TCP to the peer"
    say "TCP to the peer: $rate Mbit/s, $(if_stat hv t1 rx_gso) segments came whole from the tap"
    rate=$(iperf_mbit 10.9.0.2 -n 20M -R) || fail "TCP from the peer"
    say "TCP from the peer: $rate Mbit/s"
    rate=$(iperf_mbit fd09::2 -n 20M) || fail "TCP over IPv6"
    say "TCP over IPv6: $rate Mbit/s"
    [ "$(if_stat hv t1 rx_gso)" -gt 0 ] || fail "the tap sent no segment whole: nothing was cut"
    check_outer_headers "$family"
    check_uso ipv4 10.9.0.3 10.9.0.2
    check_uso ipv6 fd09::3 fd09::2
    [ "$(if_stat hv g1 rx_gso)" = 2 ] || fail "the guest's UDP packets did not come whole"
    check_too_big $netdev $small $full
    [ "$(bad_checksums peer)" -eq 0 ] || fail "the peer's kernel counts wrong checksums"
    [ "$(bad_checksums guest)" -eq 0 ] || fail "the guest's kernel counts wrong checksums"
    weft hv drops
    say "passed"
}
stop_iperf() { kill "$(tr -d '\0' <"$WORK/iperf.pid")" 2>/dev/null; }
