#!/bin/bash
# weft against a weftd: interfaces are added, shown, changed, refused with a reason, and come back by themselves
# after SIGTERM and after kill -9.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"

# expect STATUS TEXT ARGUMENT...
expect() {
    local want=$1 text=$2 rc=0
    shift 2
    weft s "$@" >"$WORK/out" 2>&1 || rc=$?
    if [ "$rc" -ne "$want" ] || { [ -n "$text" ] && ! grep -qF -- "$text" "$WORK/out"; }; then
        fail "weft $*: status $rc, expected $want and '$text': $(cat "$WORK/out")"
    fi
}

names() { weft s -o json if list | python3 -c 'import json, sys; print(*[i["name"] for i in json.load(sys.stdin)])'; }

switch_start s
[ "$(stat -c %a "$WORK/s/weftd.sock")" = 660 ] || fail "weftd.sock: mode is not 0660"
expect 0 "br0" version
expect 0 "name" if list
expect 0 "" if add vm1 type=vhost-user "socket=$WORK/vm1.sock" role=server
expect 0 "" if add vm2 type=vhost-user "socket=$WORK/vm2.sock" role=server ofport=9
expect 4 "vm1" if add vm1 type=vhost-user "socket=$WORK/x.sock" role=server
expect 4 "ofport" if add vm3 type=vhost-user "socket=$WORK/x.sock" role=server ofport=9
expect 2 "type" if add vm3 type=nonsense
expect 2 "colour: unknown option; expected socket, role, queues, mtu" if add vm3 type=vhost-user "socket=$WORK/x.sock" colour=red
expect 2 "socket: missing" if add vm3 type=vhost-user
expect 3 "nobody" if show nobody
expect 3 "nobody" if del nobody
expect 3 "nobody" if set nobody mtu=1400
expect 0 "ofport: 9" if show vm2
expect 0 "" if set vm2 storm-broadcast=1000
expect 0 "storm-broadcast: 1000" if show vm2
expect 2 "storm-broadcast" if set vm2 storm-broadcast=lots
expect 2 "storm-typo: unknown option; expected storm-broadcast, storm-multicast, storm-unknown" if set vm2 storm-typo=1
expect 0 "" if add vx0 type=vxlan local=192.0.2.1 allow=192.0.2.2
expect 2 "colour: unknown option; expected local, remote" if add vx1 type=vxlan local=192.0.2.1 colour=red
expect 2 "at column 11" if set vx0 allow=192.0.2.9,192.0.2.300
expect 0 "" if del vx0
for words in stats drops workers "fdb show" "fdb flush" "ct list" "ct list zone=5 limit=2" "ct flush zone=5" "ct stats"; do
    # shellcheck disable=SC2086
    weft s -o json $words | python3 -m json.tool >/dev/null || fail "weft s -o json $words: not JSON"
done
expect 0 "vm1" stats

rc=0
timeout 20 "$BUILD/weftd" --rundir "$WORK/s" --state "$WORK/state2.json" >"$WORK/second" 2>&1 || rc=$?
{ [ "$rc" -ne 0 ] && [ "$rc" -ne 124 ]; } || fail "a second weftd on the same rundir: status $rc"

switch_stop s
! grep -q "did not close" "$WORK/s.log" || fail "SIGTERM: something did not close"
[ ! -e "$WORK/s/weftd.sock" ] || fail "SIGTERM left weftd.sock behind"
[ ! -e "$WORK/s/br0.mgmt" ] || fail "SIGTERM left br0.mgmt behind"
switch_start s
[ "$(names)" = "vm1 vm2" ] || fail "after SIGTERM: $(names)"
expect 0 "ofport: 9" if show vm2
switch_stop s KILL
switch_start s
[ "$(names)" = "vm1 vm2" ] || fail "after kill -9: $(names)"
expect 0 "" if del vm1
[ "$(names)" = vm2 ] || fail "after if del: $(names)"
[ ! -e "$WORK/vm1.sock" ] || fail "if del left vm1.sock behind"
switch_stop s
