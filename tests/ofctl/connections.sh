#!/bin/bash
# Connections tracked by Open vSwitch and by Weft: the same flows, set by ovs-ofctl, and the same traffic, that of kernels
# (TCP, UDP, ping) and frames made for it. Both must do what the scenes in connections/ state, and count the same.
# SCENES=REGEX picks scenes, SIDES="ovs weft" switches.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/ofctl/pair.bash"
need_root
need ovs-ofctl ovs-vswitchd ovsdb-server ovs-vsctl ovs-appctl ip ethtool python3
need_built weftd weft

# hosts SIDE: each outer end of the switch's cables goes into a namespace of its own, in which everything is sent to the
# switch and nothing but what the scenes do is sent.
hosts() {
    local i host
    for i in "${PAIR_PORTS[@]}"; do
        host=$1-$i
        host_new "$host"
        on "$host" sysctl -qw net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.default.router_solicitations=0 \
            net.ipv6.conf.default.addr_gen_mode=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
        ip -n "$NS-$1" link set "q$i" netns "$NS-$host"
        on "$host" sysctl -qw "net.ipv6.conf.q$i.disable_ipv6=0" "net.ipv6.conf.q$i.addr_gen_mode=1" \
            "net.ipv6.conf.q$i.router_solicitations=0"
        ip -n "$NS-$host" link set "q$i" up
        address "$host" "q$i" "10.1.1.$i/32"
        address "$host" "q$i" "fd01::$i/128"
        gateway "$host" "q$i"
    done
    # the host that is the switch's own port
    on "$1" sysctl -qw net.ipv6.conf.br0.disable_ipv6=0 net.ipv6.conf.br0.addr_gen_mode=1 \
        net.ipv6.conf.br0.router_solicitations=0
    ip -n "$NS-$1" link set br0 address 02:00:00:00:00:ff up
    address "$1" br0 10.1.1.9/32
    address "$1" br0 fd01::9/128
    gateway "$1" br0
}
# gateway HOST DEV: has no need of ARP
gateway() {
    ip -n "$NS-$1" neigh add 10.1.1.254 lladdr 02:00:00:00:02:fe dev "$2"
    ip -n "$NS-$1" route add default via 10.1.1.254 dev "$2" onlink
    ip -n "$NS-$1" neigh add fd01::254 lladdr 02:00:00:00:02:fe dev "$2"
    ip -n "$NS-$1" route add default via fd01::254 dev "$2" onlink
}

sides=()
for side in ${SIDES:-ovs weft}; do
    "pair_start_$side"
    hosts "$side"
    # the scenes wait for new flows to be in force, again and again: Open vSwitch is to look for them more often
    [ "$side" != ovs ] || vsctl set open_vswitch . other_config:max-revalidator=100
    sides+=("$side=$NS-$side=$WORK/$side")
done
say "switches and hosts are there"
python3 -B "$ROOT/tests/ofctl/connections" "${sides[@]}"|| fail "what stands above"
say "passed"
