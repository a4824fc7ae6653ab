#!/bin/bash
# Every match field and every action of OpenFlow 1.3, through a real weftd between played guests: what is matched and
# what is not, and what comes out, byte by byte. The cases are in the *.scn files.   a, b, c, controller - [weftd]
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"

switch_start s
for p in a b c; do weft s if add $p type=vhost-user role=server socket="$WORK/$p.sock" >/dev/null; done
for scn in "$ROOT"/tests/pktgen/*.scn; do
    {
        printf 'timeout 20\nswitch %s\n' "$WORK/s/br0.mgmt"
        for p in a b c; do echo "port $p vhost-connect:$WORK/$p.sock"; done
        cat "$scn"
    } >"$WORK/scenario"
    "$BUILD/weft-pktgen" run "$WORK/scenario" || fail "${scn##*/} failed (line number less 5)"
    say "${scn##*/}: $(grep -cE '^(match|act|pass) ' "$scn") cases"
done
say passed
