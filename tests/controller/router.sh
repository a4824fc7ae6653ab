#!/bin/bash
# A router on os-ken drives weftd: two namespaces on taps, a subnet each, 10.1.0.0/24 and 10.2.0.0/24.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/controller.sh"

need_root
need ping iperf3
controllers_need
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"
ovs() { OVS_RUNDIR=$WORK/s ovs-ofctl -O OpenFlow13 "$@"; }

port=$(free_port)
controller_start router "$port"
switch_start s
weft s controller set --max-backoff 0.5 "tcp:127.0.0.1:$port"
n=0
for h in a b; do
    n=$((n + 1))
    host_new $h
    weft s if add t$h type=tap "dev=$h$$" ofport=$n
    ip link set "$h$$" netns "$NS-$h"
    ip -n "$NS-$h" link set "$h$$" name t$h
    address $h t$h 10.$n.0.1/24
    ip -n "$NS-$h" link set t$h up
    ip -n "$NS-$h" route add default via 10.$n.0.254
done
wait_until 15 connected s || fail "not connected: $(weft s controller show)"

on a ping -q -c 2 -i 0.2 -W 10 10.1.0.254 || fail "the router does not answer for itself"
on a ping -q -c 1 -W 10 10.2.0.254 || fail "the router does not answer for its other address"
wait_until 30 on a ping -q -c 1 -W 1 10.2.0.1 || fail "no ping to the other subnet"
on a ping -c 3 -i 0.2 -W 10 10.2.0.1 >"$WORK/ping" || fail "pings are lost: $(cat "$WORK/ping")"
grep -q 'ttl=63' "$WORK/ping" || fail "the router does not lower the TTL: $(cat "$WORK/ping")"
[ "$(on b ip neigh show 10.2.0.254 | awk '{print $5}')" = 02:00:00:00:fe:02 ] || fail "not the router's MAC: $(on b ip neigh)"
on a ping -q -c 1 -s 1400 -W 10 10.2.0.1 || fail "no ping of full size"
on a ping -c 1 -W 2 -t 1 10.2.0.1 >"$WORK/ping" 2>&1 && fail "a packet with TTL 1 got through"
grep -qi 'from 10.1.0.254.*exceeded' "$WORK/ping" || fail "no time exceeded: $(cat "$WORK/ping")"
on a ping -q -c 1 -W 1 10.9.0.1 && fail "a ping to nowhere was answered"

# Once the neighbours are known, flows route; the controller sees nothing of it.
on b iperf3 -s -1 -D --pidfile "$WORK/iperf.pid"
wait_until 30 on b sh -c "ss -Hltn sport = :5201 | grep -q ."
before=$(controller_state s packet_ins_lost)
on a iperf3 -c 10.2.0.1 -t 1 -J >"$WORK/iperf.json" || fail "TCP: $(cat "$WORK/iperf.json")"
[ "$(controller_state s packet_ins_lost)" = "$before" ] || fail "packets went to the controller"
python3 -c '
import json, sys
mbit = json.load(open(sys.argv[1]))["end"]["sum_received"]["bits_per_second"] / 1e6
print("TCP between the subnets: %.0f Mbit/s" % mbit)
sys.exit(mbit < 1)' "$WORK/iperf.json" || fail "no TCP"
[ "$(bad_checksums a)" = 0 ] || fail "wrong checksums at a"
[ "$(bad_checksums b)" = 0 ] || fail "wrong checksums at b"
say "passed: $(ovs dump-flows br0 | grep -c dec_ttl) routes"
