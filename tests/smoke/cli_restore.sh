#!/bin/bash
# An interface whose netdev is missing when weftd starts is kept, shown with its error, and made when the netdev comes.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-$PWD/build/release}
if [ "$(id -u)" -ne 0 ]; then
    echo "needs root"
    exit 77
fi
work=$(mktemp -d)
dev=cr$$
pid=

stop() {
    [ -z "$pid" ] || kill "-$1" "$pid" 2>/dev/null || true
    [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
    pid=
}
finish() {
    local rc=$?
    stop KILL
    ip link del "$dev" 2>/dev/null || true
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
    "$build/weftd" --rundir "$work/run" >>"$work/log" 2>&1 &
    pid=$!
    for _ in $(seq 300); do
        weft version >/dev/null 2>&1 && return
        kill -0 "$pid" 2>/dev/null || fail "weftd ended"
        sleep 0.1
    done
    fail "weftd does not answer"
}
make_netdev() {
    ip link add "$dev" numrxqueues 1 numtxqueues 1 type veth peer name "${dev}p" numrxqueues 1 numtxqueues 1
    ip link set "$dev" up
    ip link set "${dev}p" up
}

start
rc=0
weft if add up0 type=afxdp "dev=$dev" 2>"$work/err" || rc=$?
if [ "$rc" -eq 0 ] || ! grep -qF "$dev" "$work/err"; then
    fail "if add with a missing netdev: status $rc, $(cat "$work/err")"
fi
[ "$(weft -o json if list)" = "[]" ] || fail "a refused interface was kept: $(weft if list)"
make_netdev
weft if add up0 type=afxdp "dev=$dev" steer=all ofport=3
weft if add v0 type=vxlan local=192.0.2.1 allow=192.0.2.2
weft if set v0 allow=192.0.2.2,192.0.2.3
weft if show v0 | grep -qF "allow: 192.0.2.2,192.0.2.3" || fail "if set: $(weft if show v0)"
stop KILL
ip link del "$dev"

start
weft if show up0 | grep -q "^error: ." || fail "missing netdev, but no error: $(weft if show up0)"
weft if show v0 | grep -qF "allow: 192.0.2.2,192.0.2.3" || fail "v0 lost what was set: $(weft if show v0)"
make_netdev
for _ in $(seq 200); do
    weft if show up0 | grep -q "^error:" || break
    sleep 0.1
done
weft if show up0 | grep -q "^error:" && fail "the netdev came, the interface did not: $(weft if show up0)"
weft if show up0 | grep -qF "ofport: 3" || fail "another number: $(weft if show up0)"
terminate
! ip -d link show "$dev" | grep -q prog/xdp || fail "an XDP program was left behind"
