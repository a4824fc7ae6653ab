#!/bin/bash
# An AF_XDP uplink shares its netdev with the kernel and leaves nothing behind. Topology: tests/lib/vxlan_peer.sh.
# - what is not VXLAN for our VTEP stays the kernel's: ping and TCP between the hosts' own addresses
# - a VTEP that is not allowed is refused and counted; `weft if set` allows and refuses it at run time
# - SIGKILL leaves no XDP program on the netdev; the next weftd has the interfaces again and traffic returns
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/vxlan_peer.sh"

need_root
need ip ethtool ping iperf3 python3
vxlan_peer_setup 4 afxdp
wait_until 30 ping_once guest 10.9.0.2 || fail "no ping through the tunnel"

ip -n "$NS-hv" link show a0 | grep -q xdp || fail "no XDP program on the uplink"
ping_ok hv 172.31.0.2 1472 || fail "the kernel lost its netdev: no ping between the hosts"
on peer iperf3 -s -D -I "$WORK/iperf.pid"
at_exit stop_iperf
wait_until 10 test -s "$WORK/iperf.pid" || fail "iperf3"
on hv timeout 30 iperf3 -c 172.31.0.2 -n 5M >/dev/null || fail "the kernel lost its netdev: no TCP between the hosts"
say "beside the tunnel the kernel goes on using a0: ping and TCP between the hosts"

weft hv if set vx0 allow=172.31.0.9 >/dev/null
before=$(drops_of hv tunnel_source)
refused() { ! ping_once guest 10.9.0.2 >/dev/null && [ "$(drops_of hv tunnel_source)" -gt "$before" ]; }
wait_until 20 refused || fail "a VTEP that is not allowed was not refused, or not counted"
weft hv if set vx0 allow=172.31.0.9,172.31.0.2 >/dev/null
wait_until 20 ping_once guest 10.9.0.2 || fail "a VTEP that is allowed again is still refused"
say "allowed sources: refused and counted, then allowed again"

switch_stop hv KILL
if ip -n "$NS-hv" link show a0 | grep -q xdp; then fail "the XDP program outlived weftd"; fi
ping_ok hv 172.31.0.2 56 || fail "the netdev does not work after a crash"
switch_start hv "$NS-hv"
if_exists() { weft hv if show "$1" | grep -qi "$1"; }
for i in up0 t1 vx0; do wait_until 20 if_exists $i || fail "$i is not back after a crash"; done
ip -n "$NS-hv" link set t1 netns "$NS-guest"
ip -n "$NS-guest" link set t1 up
address guest t1 10.9.0.1/24
vxlan_peer_flows
wait_until 20 ping_once guest 10.9.0.2 || fail "no traffic after a crash"
say "after SIGKILL: nothing left on the netdev; interfaces came back, traffic too"

took=$(ms_now)
switch_stop hv
took=$(($(ms_now) - took))
[ $took -lt 10000 ] || fail "a clean stop took $took ms"
if ip -n "$NS-hv" link show a0 | grep -q xdp; then fail "the XDP program outlived a clean stop"; fi
if ls "$WORK"/hv/*.sock "$WORK"/hv/*.mgmt 2>/dev/null; then fail "a clean stop left sockets"; fi
say "passed: clean stop in $took ms"
