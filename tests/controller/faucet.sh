#!/bin/bash
# Each thing that the controller Faucet asks of a switch, asked of a weftd with two taps; see apps/faucet.py.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/controller.sh"

need_root
controllers_need
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"
host_new sw # alone with its taps, so that nothing else is heard on them
on sw sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
port=6653
switch_start s "$NS-sw" --listen ptcp:$((port + 1)):127.0.0.1
for t in t1 t2; do
    weft s if add $t type=tap dev=$t
    ip -n "$NS-sw" link set $t up
done
PYTHONDONTWRITEBYTECODE=1 on sw /usr/bin/python3 "$ROOT/tests/controller/apps/faucet.py" "$WORK/s" "$BUILD/weft" $port ||
    fail "a demand is not met"
say "passed"
