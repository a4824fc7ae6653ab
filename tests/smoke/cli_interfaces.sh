#!/bin/bash
# weft against a weftd: interfaces are added, shown, changed, refused with a reason, and come back by themselves
# after SIGTERM and after kill -9.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-$PWD/build/release}
work=$(mktemp -d)
pid=

stop() {
    [ -z "$pid" ] || kill "-$1" "$pid" 2>/dev/null || true
    [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
    pid=
}
finish() {
    local rc=$?
    stop KILL
    [ "$rc" -eq 0 ] || cat "$work/log"
    rm -rf "$work"
}
trap finish EXIT
fail() {
    echo "$*"
    exit 1
}

# SIGTERM ends weftd with status 0 (a sanitizer's complaint would change it).
terminate() {
    local rc=0
    kill -TERM "$pid"
    wait "$pid" || rc=$?
    pid=
    [ "$rc" -eq 0 ] || fail "SIGTERM: weftd ended with status $rc"
}

weft() { "$build/weft" --rundir "$work/run" "$@"; }

start() {
    "$build/weftd" --rundir "$work/run" --state "$work/state.json" >>"$work/log" 2>&1 &
    pid=$!
    for _ in $(seq 300); do
        weft version >/dev/null 2>&1 && return
        kill -0 "$pid" 2>/dev/null || fail "weftd ended"
        sleep 0.1
    done
    fail "weftd does not answer"
}

# expect STATUS TEXT ARGUMENT...
expect() {
    local want=$1 text=$2 rc=0
    shift 2
    weft "$@" >"$work/out" 2>&1 || rc=$?
    if [ "$rc" -ne "$want" ] || { [ -n "$text" ] && ! grep -qF -- "$text" "$work/out"; }; then
        fail "weft $*: status $rc, expected $want and '$text': $(cat "$work/out")"
    fi
}

names() { weft -o json if list | python3 -c 'import json, sys; print(*[i["name"] for i in json.load(sys.stdin)])'; }

start
[ "$(stat -c %a "$work/run/weftd.sock")" = 660 ] || fail "weftd.sock: mode is not 0660"
expect 0 "br0" version
expect 0 "name" if list
expect 0 "" if add vm1 type=vhost-user "socket=$work/vm1.sock" role=server
expect 0 "" if add vm2 type=vhost-user "socket=$work/vm2.sock" role=server ofport=9
expect 4 "vm1" if add vm1 type=vhost-user "socket=$work/x.sock" role=server
expect 4 "ofport" if add vm3 type=vhost-user "socket=$work/x.sock" role=server ofport=9
expect 2 "type" if add vm3 type=nonsense
expect 2 "colour" if add vm3 type=vhost-user "socket=$work/x.sock" colour=red
expect 2 "socket" if add vm3 type=vhost-user
expect 3 "nobody" if show nobody
expect 3 "nobody" if del nobody
expect 3 "nobody" if set nobody mtu=1400
expect 0 "ofport: 9" if show vm2
expect 0 "" if set vm2 storm-broadcast=1000
expect 0 "storm-broadcast: 1000" if show vm2
expect 2 "storm-broadcast" if set vm2 storm-broadcast=lots
expect 2 "storm-typo: unknown option" if set vm2 storm-typo=1
for words in stats drops workers "fdb show" "fdb flush"; do
    # shellcheck disable=SC2086
    weft -o json $words | python3 -m json.tool >/dev/null || fail "weft -o json $words: not JSON"
done
expect 0 "vm1" stats

rc=0
timeout 20 "$build/weftd" --rundir "$work/run" --state "$work/state2.json" >"$work/second" 2>&1 || rc=$?
{ [ "$rc" -ne 0 ] && [ "$rc" -ne 124 ]; } || fail "a second weftd on the same rundir: status $rc"

terminate
! grep -q "did not close" "$work/log" || fail "SIGTERM: something did not close"
[ ! -e "$work/run/weftd.sock" ] || fail "SIGTERM left weftd.sock behind"
[ ! -e "$work/run/br0.mgmt" ] || fail "SIGTERM left br0.mgmt behind"
start
[ "$(names)" = "vm1 vm2" ] || fail "after SIGTERM: $(names)"
expect 0 "ofport: 9" if show vm2
stop KILL
start
[ "$(names)" = "vm1 vm2" ] || fail "after kill -9: $(names)"
expect 0 "" if del vm1
[ "$(names)" = vm2 ] || fail "after if del: $(names)"
[ ! -e "$work/vm1.sock" ] || fail "if del left vm1.sock behind"
terminate
