#!/bin/bash
# QEMU guests' traffic through os-ken's learning switch, then through its router (same guests, other addresses).
#     g1 (10.0.0.1, 10.1.0.1) - vm1 [weftd] vm2 - g2 (10.0.0.2, 10.2.0.1)
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/guest.sh"
. "$ROOT/tests/lib/controller.sh"

guests_need
controllers_need
switching=$(free_port)
switch_start s
weft s controller set --fail-mode secure --max-backoff 0.5 "tcp:127.0.0.1:$switching"
for i in 1 2; do
    weft s if add vm$i type=vhost-user ofport=$i socket="$WORK/g$i.sock"
    guest_start g$i --mac 52:54:00:00:00:0$i --ip 10.0.0.$i/24
done
controller_start learning_switch "$switching"
guest_ready g1
guest_ready g2
wait_until 15 connected s || fail "not connected: $(weft s controller show)"
say "guests are up, the learning switch is connected"

wait_until 15 reaches g1 10.0.0.2 || fail "no ping through the learning switch"
out=$(pings g1 10.0.0.2) || fail "pings are lost: $out"
guest g2 'iperf3 -s -D'
rate=$(tcp g1 10.0.0.2 -t 1) || fail "no TCP through the learning switch"
say "learning switch: $out; TCP $rate"
controller_stop

routing=$(free_port)
controller_start router "$routing"
ofctl s del-flows br0 # of the learning switch, which is gone
weft s controller set "tcp:127.0.0.1:$routing"
for i in 1 2; do
    guest g$i "ip addr flush dev eth0; ip addr add 10.$i.0.1/24 dev eth0; ip route add default via 10.$i.0.254"
done
wait_until 15 connected s || fail "the router is not connected: $(weft s controller show)"
wait_until 15 reaches g1 10.2.0.1 || fail "no ping through the router"
out=$(pings g1 10.2.0.1) || fail "pings are lost: $out"
rate=$(tcp g1 10.2.0.1 -t 1) || fail "no TCP through the router"
say "router: $out; TCP $rate"
ofctl s dump-flows br0 | grep -q 'n_packets=[1-9].*dec_ttl' || fail "no packet was routed by a flow: $(ofctl s dump-flows br0)"
[ "$(drops_of s rx_bad_desc)" -eq 0 ] || fail "the switch refused a real guest's descriptors"
say "passed"
