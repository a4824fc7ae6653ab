#!/bin/bash
# A learning switch on os-ken drives weftd; three namespaces on taps are its hosts. The controller goes away and
# comes back; both fail modes; the definition survives a restart of weftd.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/controller.sh"

need_root
need ping
controllers_need
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"
ovs() { OVS_RUNDIR=$WORK/s ovs-ofctl -O OpenFlow13 "$@"; }
reach() { on "$1" ping -q -c 1 -W 1 "$2"; }

# A tap each, again after weftd has made new ones.
plug() {
    local h
    for h in a b c; do
        ip link set "$h$$" netns "$NS-$h"
        ip -n "$NS-$h" link set "$h$$" name t$h
        address $h t$h "${ADDRESS[$h]}/24"
        ip -n "$NS-$h" link set t$h up
    done
}

port=$(free_port)
declare -A ADDRESS=([a]=192.0.2.1 [b]=192.0.2.2 [c]=192.0.2.3)
switch_start s
for h in a b c; do
    host_new $h
    weft s if add t$h type=tap "dev=$h$$"
done
plug
reach a 192.0.2.2 || fail "NORMAL does not work before there is a controller"

refused() { # refused STATUS WORD...
    local rc=0
    weft s controller "${@:2}" >"$WORK/refused" 2>&1 || rc=$?
    [ $rc -eq "$1" ] || fail "controller ${*:2}: status $rc, not $1: $(cat "$WORK/refused")"
}
refused 2 set
refused 2 set tcp:192.0.2.1:x
refused 2 set --fail-mode sometimes tcp:192.0.2.1
refused 2 set --probe -1 tcp:192.0.2.1
refused 4 set tcp:192.0.2.1 tcp:192.0.2.1
refused 3 del tcp:192.0.2.1
weft s controller show | grep -q tcp: && fail "a refused controller was kept"

weft s controller set --probe 1 --max-backoff 0.5 --fail-mode secure "tcp:127.0.0.1:$port"
ovs dump-flows br0 | grep -q actions && fail "the first controller finds flows of another owner"
reach a 192.0.2.2 && fail "a ping without flows"
say "secure without a controller: no flow, no packet"
controller_start learning_switch "$port"
wait_until 15 connected s || fail "not connected: $(weft s controller show)"
for to in 192.0.2.2 192.0.2.3; do
    wait_until 30 reach a $to || fail "no ping to $to through the controller"
done
on a ping -q -c 5 -i 0.1 -W 10 192.0.2.2 || fail "pings are lost"
learned() { ovs dump-flows br0 | grep -q 'idle_timeout=30, priority=1,in_port'; }
wait_until 30 learned ||
    fail "no flow was learned: $(ovs dump-flows br0)"
say "pings through the learning switch: $(ovs dump-flows br0 | grep -c 'priority=1,in_port') flows"

# Without its controller a secure switch keeps its flows, and they work; what they do not know is lost.
controller_stop
wait_until 30 disconnected s || fail "the loss of the controller was not noticed"
on a ping -q -c 2 -i 0.2 -W 10 192.0.2.2 || fail "flows do not survive the controller"
ovs del-flows br0
reach a 192.0.2.2 && fail "a secure switch forwards without flows"
standalone s && fail "a secure switch is standalone"
say "secure: the flows go on, and nothing else does"

# A standalone one forwards by itself after three probe intervals.
weft s controller set --fail-mode standalone
wait_until 15 standalone s || fail "not standalone: $(weft s controller show)"
wait_until 30 reach a 192.0.2.3 || fail "a standalone switch does not forward"
ovs dump-flows br0 | grep -q actions && fail "standalone shows a flow: $(ovs dump-flows br0)"
start=$(ms_now)
controller_start learning_switch "$port"
wait_until 15 connected s || fail "not connected again"
not_standalone s || fail "standalone in spite of a controller"
wait_until 30 reach a 192.0.2.3 || fail "no ping after the controller came back"
say "standalone until the controller was back, $(($(ms_now) - start)) ms with its own start"

# The controller is known after a restart.
switch_stop s
switch_start s
plug
wait_until 15 connected s || fail "not connected after a restart of weftd"
wait_until 30 reach b 192.0.2.3 || fail "no ping after a restart of weftd"
weft s controller del
ovs dump-flows br0 | grep -q 'priority=0 actions=NORMAL' || fail "no NORMAL after the last controller was removed"
wait_until 30 reach b 192.0.2.3 || fail "no ping by NORMAL at the end"
say "passed"
