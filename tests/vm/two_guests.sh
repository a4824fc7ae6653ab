#!/bin/bash
# Two guests on one weftd, flow table as it is fresh (NORMAL):   g1 - vm1 [weftd] vm2 - g2
# ping, IPv4 and IPv6; TCP and UDP by iperf3; TCP travels in segments of up to 64 KB, seen in the counters.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/guest.sh"

guests_need
switch_start s
for i in 1 2; do
    weft s if add vm$i type=vhost-user socket="$WORK/g$i.sock" >/dev/null
    guest_start g$i --mac 52:54:00:00:00:0$i --ip 10.0.0.$i/24 --ip6 fd00::$i/64
done
say "a switch, two guests on their way"
guest_ready g1
guest_ready g2
say "guests are up"

out=$(pings g1 10.0.0.2) || fail "no ping: $out"
say "ping IPv4: $out"
out=$(pings g1 fd00::2) || fail "no ping over IPv6: $out"
say "ping IPv6: $out"
out=$(pings g2 10.0.0.1 3 1472) || fail "no full-size ping: $out"
say "ping 1472: $out"

guest g2 'iperf3 -s -D'
packets=$(if_stat s vm1 rx_packets) bytes=$(if_stat s vm1 rx_bytes)
rate=$(tcp g1 10.0.0.2 -t 3 -l 256K) || fail "TCP"
packets=$(($(if_stat s vm1 rx_packets) - packets)) bytes=$(($(if_stat s vm1 rx_bytes) - bytes))
gso_in=$(if_stat s vm1 rx_gso) gso_out=$(if_stat s vm2 tx_gso)
say "TCP g1 -> g2: $rate; $packets packets of $((bytes / packets)) bytes on average, $gso_in segments in whole, $gso_out out"
if [ "$gso_in" -eq 0 ] || [ "$gso_out" -eq 0 ]; then fail "no segment passed whole"; fi
[ $((bytes / packets)) -gt 8000 ] || fail "segments are small: TSO does not work"
rate=$(tcp g1 10.0.0.2 -t 2 -R) || fail "TCP back"
say "TCP g2 -> g1: $rate"
rate=$(tcp g1 fd00::2 -t 2) || fail "TCP over IPv6"
say "TCP over IPv6: $rate"
sent=$(udp g1 10.0.0.2 -t 2 -b 4M -l 1200) || fail "UDP"
say "UDP: $sent"

ofctl s dump-flows br0
ofctl s dump-flows br0 | grep -q 'n_packets=[1-9]' || fail "the flow counted nothing"
weft s drops
[ "$(drops_of s rx_bad_desc)" -eq 0 ] || fail "the switch refused a real guest's descriptors"
[ "$(drops_of s rx_bad_offload)" -eq 0 ] || fail "the switch refused a real guest's offload request"
say "passed"
