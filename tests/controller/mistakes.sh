#!/bin/bash
# Every mistake that a client can make gets its error of OpenFlow 1.3.5 from a weftd with two taps, and nothing else
# happens; see apps/mistakes.py.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"

need_root
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"
switch_start s
for i in 1 2; do weft s if add "p$i" type=tap "ofport=$i" "dev=p$i-$$" >/dev/null; done
python3 "$ROOT/tests/controller/apps/mistakes.py" "$WORK/s/br0.mgmt" || fail "not the right errors"
say passed
