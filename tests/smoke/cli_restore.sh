#!/bin/bash
# An interface whose netdev is missing when weftd starts is kept, shown with its error, and made when the netdev comes.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"

need_root
dev=cr$$
at_exit remove_netdev

remove_netdev() { ip link del "$dev" 2>/dev/null || true; }
make_netdev() {
    ip link add "$dev" numrxqueues 1 numtxqueues 1 type veth peer name "${dev}p" numrxqueues 1 numtxqueues 1
    ip link set "$dev" up
    ip link set "${dev}p" up
}

if_made() { ! weft s if show "$1" | grep "^error:"; }

switch_start s
rc=0
weft s if add up0 type=afxdp "dev=$dev" 2>"$WORK/err" || rc=$?
if [ "$rc" -eq 0 ] || ! grep -qF "$dev" "$WORK/err"; then
    fail "if add with a missing netdev: status $rc, $(cat "$WORK/err")"
fi
[ "$(weft s -o json if list)" = "[]" ] || fail "a refused interface was kept: $(weft s if list)"
make_netdev
weft s if add up0 type=afxdp "dev=$dev" steer=all ofport=3
weft s if add v0 type=vxlan local=192.0.2.1 allow=192.0.2.2
weft s if set v0 allow=192.0.2.2,192.0.2.3
weft s if show v0 | grep -qF "allow: 192.0.2.2,192.0.2.3" || fail "if set: $(weft s if show v0)"
switch_stop s KILL
remove_netdev

switch_start s
weft s if show up0 | grep -q "^error: ." || fail "missing netdev, but no error: $(weft s if show up0)"
weft s if show v0 | grep -qF "allow: 192.0.2.2,192.0.2.3" || fail "v0 lost what was set: $(weft s if show v0)"
make_netdev
wait_until 20 if_made up0 || fail "the netdev came, the interface did not"
weft s if show up0 | grep -qF "ofport: 3" || fail "another number: $(weft s if show up0)"
switch_stop s
! ip -d link show "$dev" | grep -q prog/xdp || fail "an XDP program was left behind"
