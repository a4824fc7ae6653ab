#!/bin/bash
# 100,000 flows into Weft and into Open vSwitch by Debian's ovs-ofctl: one by one, by bundle, dumped, modified, deleted,
# over OpenFlow 1.3; added also as ovs-ofctl does it when no protocol is named ("plain": 1.0 with NXM, bundles over 1.4).
# Rounds alternate; what is compared is the CPU time that the switch itself takes (ovs-ofctl takes most of the wall time,
# and that depends on who else is on the machine) and shown is both. Fails when Weft takes more than Open vSwitch to add
# them. --quick: a few flows, once, no verdict on time.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/ofctl/pair.bash"
need_root
need ovs-ofctl ovs-vswitchd ovsdb-server ovs-vsctl awk
need_built weftd weft weft-ofctl

FLOWS=100000 ROUNDS=3
[ "${1:-}" != --quick ] || FLOWS=2000 ROUNDS=1

make_flows() {
    awk -v n="$FLOWS" 'BEGIN {
        for (i = 0; i < n; i++)
            printf "priority=100,tcp,in_port=%d,nw_src=10.%d.%d.%d,nw_dst=192.168.%d.%d,tp_dst=%d,actions=output:%d\n",
                1 + i % 3, i / 65536, i / 256 % 256, i % 256, i / 256 % 256, i % 256, i % 60000 + 1, 1 + i % 3
    }'
}

pid_of() {
    case $1 in
    ovs) cat "$WORK/ovs/ovs-vswitchd.pid" ;;
    weft) echo "${SWITCH_PID[weft]}" ;;
    esac
}
# cpu SWITCH: ms of all its threads so far. The worker naps: it has no packets.
cpu() { awk '{print ($14 + $15) * 10}' "/proc/$(pid_of "$1")/stat"; }

# measure SWITCH WHAT ARGUMENT...: runs ovs-ofctl (with `over`, when it is set, instead of OpenFlow 1.3); a line "WHAT SWITCH cpu wall" in $WORK/figures.
measure() {
    local side=$1 what=$2 cpu wall
    shift 2
    cpu=$(cpu "$side")
    wall=$(ms_now)
    # shellcheck disable=SC2086
    OVS_RUNDIR=$WORK/$side ovs-ofctl -t 300 ${over--O OpenFlow13} "$@" >"$WORK/out" 2>"$WORK/err" ||
        fail "$side: ovs-ofctl $*: $(tail -n 1 "$WORK/err")"
    echo "$what $side $(($(cpu "$side") - cpu)) $(($(ms_now) - wall))" >>"$WORK/figures"
}

# expect SWITCH N: so many flows there are, the dump says.
expect() {
    local n
    n=$(grep -c 'tcp,' "$WORK/out" || true)
    [ "$n" -eq "$2" ] || fail "$1: the dump has $n flows, expected $2"
}

round() {
    local side=$1
    measure "$side" del del-flows br0
    measure "$side" add add-flows br0 "$WORK/flows"
    measure "$side" dump dump-flows br0
    expect "$side" "$FLOWS"
    measure "$side" add-again add-flows br0 "$WORK/flows"
    measure "$side" modify mod-flows br0 tcp,actions=drop
    measure "$side" del del-flows br0
    measure "$side" bundle --bundle add-flows br0 "$WORK/flows"
    measure "$side" dump dump-flows br0
    expect "$side" "$FLOWS"
    measure "$side" del del-flows br0
    over='' measure "$side" plain-add add-flows br0 "$WORK/flows"
    over='' measure "$side" plain-dump dump-flows br0
    expect "$side" "$FLOWS"
    measure "$side" del del-flows br0
    over='' measure "$side" plain-bundle --bundle add-flows br0 "$WORK/flows"
    measure "$side" dump dump-flows br0
    expect "$side" "$FLOWS"
}

median() { # median WHAT SWITCH COLUMN
    awk -v w="$1" -v s="$2" -v c="$3" '$1 == w && $2 == s {print $c}' "$WORK/figures" | sort -n |
        awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}

make_flows >"$WORK/flows"
pair_start_ovs
pair_start_weft
for ((i = 0; i < ROUNDS; i++)); do
    for side in weft ovs; do round $side; done
    say "round $((i + 1)) of $ROUNDS"
done

printf '%-12s %10s %10s %8s %10s %10s\n' "$FLOWS" 'weft cpu' 'ovs cpu' ratio 'weft wall' 'ovs wall'
for what in add add-again bundle plain-add plain-bundle modify dump plain-dump del; do
    a=$(median $what weft 3) b=$(median $what ovs 3)
    printf '%-12s %7d ms %7d ms %8s %7d ms %7d ms\n' "$what" "$a" "$b" \
        "$(awk -v a="$a" -v b="$b" 'BEGIN {print b ? sprintf("%.2f", a / b) : "-"}')" \
        "$(median $what weft 4)" "$(median $what ovs 4)"
done
[ $ROUNDS -gt 1 ] || exit 0
for what in add bundle plain-add plain-bundle; do
    [ "$(median $what weft 3)" -le "$(median $what ovs 3)" ] || fail "$what: slower than Open vSwitch"
done
