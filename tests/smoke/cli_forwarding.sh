#!/bin/bash
# What weft shows of traffic, between two namespaces joined by taps of a weftd; and ovs-ofctl on its socket.
#
#     [ns a] tap ---- weftd br0 ---- tap [ns b]
#     192.0.2.1                      192.0.2.2
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"

need_root
need ovs-ofctl ping
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"
ovs() { OVS_RUNDIR=$WORK/s ovs-ofctl -O OpenFlow13 "$@"; }
# sum KEY: of all interfaces.
sum() { weft s -o json stats | python3 -c "import json, sys; print(sum(i['$1'] for i in json.load(sys.stdin)))"; }

switch_start s
n=0
for h in a b; do
    n=$((n + 1))
    host_new $h
    weft s if add t$h type=tap "dev=$h$$" ofport=$n
    ip link set "$h$$" netns "$NS-$h"
    ip -n "$NS-$h" link set "$h$$" name t$h
    address $h t$h 192.0.2.$n/24
    ip -n "$NS-$h" link set t$h up
done

on a ping -q -c 3 -i 0.2 -W 10 192.0.2.2 || fail "no ping"
for h in a b; do
    mac=$(on $h cat /sys/class/net/t$h/address)
    weft s fdb show | grep -qF "$mac" || fail "fdb show: no $mac: $(weft s fdb show)"
done
[ "$(sum rx_packets)" -ge 6 ] || fail "stats: $(weft s stats)"
[ "$(sum tx_packets)" -ge 6 ] || fail "stats: $(weft s stats)"
ip -n "$NS-a" link set ta down # so that nothing is learned again
weft s fdb flush ta >/dev/null
weft s fdb show | grep -qw "ta" && fail "fdb flush: $(weft s fdb show)"
ip -n "$NS-a" link set ta up

ovs show br0 >"$WORK/show"
for port in '1(ta)' '2(tb)' 'LOCAL(br0)'; do
    grep -qF "$port" "$WORK/show" || fail "ovs-ofctl show: no $port: $(cat "$WORK/show")"
done
ovs dump-flows br0 | grep -qF 'priority=0 actions=NORMAL' || fail "dump-flows: $(ovs dump-flows br0)"

# A flow that drops: the ping ends, and the drop has a name.
ovs add-flow br0 priority=9,icmp,actions=drop
on a ping -q -c 1 -W 1 192.0.2.2 && fail "ping in spite of a drop flow"
weft s drops | tail -n +2 | grep -q . || fail "drops: nothing: $(weft s drops)"
ovs --strict del-flows br0 priority=9,icmp
on a ping -q -c 1 -W 10 192.0.2.2 || fail "no ping after the flow was removed"

# Deleted interfaces take their devices with them.
weft s if del ta
[ "$(weft s -o json if list | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" = 1 ] || fail "if del"
no_tap() { ! ip -n "$NS-a" link show ta; }
wait_until 10 no_tap || fail "if del left its tap behind"
