#!/bin/bash
# Clients that flood, never read, send half messages or nonsense, hundreds at a time, while two hosts ping each
# other: no packet is lost, other clients are served, and weftd does not grow.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/controller.sh"

need_root
need ping ovs-ofctl
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"
rss() { awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/${SWITCH_PID[s]}/status"; } # MB

port=$(free_port)
switch_start s '' --listen "ptcp:$port:127.0.0.1"
for h in a b; do
    host_new $h
    weft s if add t$h type=tap "dev=$h$$"
    ip link set "$h$$" netns "$NS-$h"
    ip -n "$NS-$h" link set "$h$$" name t$h
done
address a ta 192.0.2.1/24
address b tb 192.0.2.2/24
ip -n "$NS-a" link set ta up
ip -n "$NS-b" link set tb up
wait_until 30 on a ping -q -c 1 -W 1 192.0.2.2 || fail "no ping"
ofctl s add-flows br0 - < <(for i in {1..2000}; do echo "table=1,priority=$i,ip,nw_src=10.0.0.$((i % 256)),actions=drop"; done)
before=$(rss)

on a ping -q -i 0.01 -c 400 -W 5 192.0.2.2 >"$WORK/ping" &
pinger=$!
python3 "$ROOT/tests/controller/apps/hostile.py" "$WORK/s/br0.mgmt" "$port" 4 >"$WORK/hostile" 2>&1 &
hostile=$!
served=0
while kill -0 $hostile 2>/dev/null; do
    start=$(ms_now)
    # The crowd leaves no room for more; the socket of `weft` is another one.
    weft s stats >"$WORK/stats" || fail "weft is not served"
    served=$((served + 1))
    [ $(($(ms_now) - start)) -lt 5000 ] || fail "an answer took $(($(ms_now) - start)) ms"
done
wait $hostile || fail "$(cat "$WORK/hostile")"
peak=$(rss)
wait $pinger || fail "packets were lost: $(cat "$WORK/ping")"
grep -q ' 0% packet loss' "$WORK/ping" || fail "packets were lost: $(cat "$WORK/ping")"
cat "$WORK/hostile"
say "$served answers meanwhile; $(tail -n 1 "$WORK/ping"); weftd $before -> $peak MB"
[ $((peak - before)) -lt 200 ] || fail "weftd grew by $((peak - before)) MB"
aggregate() { OVS_RUNDIR=$WORK/s ovs-ofctl -O OpenFlow13 dump-aggregate br0 | grep -q flow_count; }
wait_until 30 aggregate || fail "ovs-ofctl is not served afterwards"
say "passed"
