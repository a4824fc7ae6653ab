#!/bin/bash
# Churn under traffic for SOAK_SECONDS (default 600): interfaces come and go, guests (played by weft-pktgen) restart, flows
# change. Afterwards descriptors, memory maps and RSS of weftd must be where they were after the warm-up.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
bin=${BUILD:-$PWD/build/release}
seconds=${SOAK_SECONDS:-600}
dir=$(mktemp -d /tmp/weft-soak.XXXXXX)
weftd=

cleanup() {
    [ -z "$weftd" ] || { kill "$weftd" && wait "$weftd"; } 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT

fail() {
    echo "soak: $*"
    tail -n 20 "$dir/weftd.log"
    exit 1
}

weft() { "$bin/weft" --rundir "$dir" "$@"; }
ofctl() { "$bin/weft-ofctl" --rundir "$dir" "$@"; }

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        kill -0 "$weftd" || return 1
        sleep 0.05
    done
}

"$bin/weftd" --rundir "$dir" >"$dir/weftd.log" 2>&1 &
weftd=$!
wait_for 30 weft version || fail "weftd did not start"
for p in a b; do
    weft if add $p type=vhost-user socket="$dir/$p.sock" role=server >/dev/null || fail "cannot add $p"
done

# A pair of guests comes, exchanges packets through the switch, and goes.
cat >"$dir/traffic.scenario" <<EOF
timeout 20
port a vhost-connect:$dir/a.sock
port b vhost-connect:$dir/b.sock
EOF
for i in $(seq 1 40); do
    packet="eth(dst=02:00:00:00:00:0b,src=02:00:00:00:00:0a)/ipv4(src=10.0.0.1,dst=10.0.0.2,id=$i)/udp(src=$i,dst=2)/data(len=$((i * 30)))"
    printf 'send a %s\nexpect b %s\n' "$packet" "$packet" >>"$dir/traffic.scenario"
done

round() {
    local i=$1 role
    "$bin/weft-pktgen" run "$dir/traffic.scenario" >"$dir/traffic.log" 2>&1 &
    local traffic=$!
    for k in 1 2 3 4; do
        role=client
        [ $((k % 2)) = 1 ] || role=server
        weft if add "x$k" type=vhost-user socket="$dir/x$k.sock" role=$role >/dev/null || fail "round $i: cannot add x$k"
    done
    for k in $(seq 1 200); do
        echo "table=$((k % 3 + 1)),priority=$((k % 50 + 1)),tcp,nw_dst=10.1.$((i % 250)).$((k % 250)),tp_dst=$k,actions=drop"
    done >"$dir/flows"
    ofctl add-flows br0 "$dir/flows" || fail "round $i: cannot add flows"
    ofctl dump-flows br0 >/dev/null || fail "round $i: cannot dump flows"
    for k in 1 2 3; do ofctl del-flows br0 "table=$k" || fail "round $i: cannot delete flows"; done
    for k in 1 2 3 4; do weft if del "x$k" >/dev/null || fail "round $i: cannot delete x$k"; done
    wait "$traffic" || fail "round $i: traffic was lost: $(cat "$dir/traffic.log")"
}

measure() { # descriptors, maps, RSS in KiB
    echo "$(find "/proc/$weftd/fd" -type l | wc -l) $(wc -l <"/proc/$weftd/maps") $(awk '/VmRSS/{print $2}' "/proc/$weftd/status")"
}

rounds=0
for _ in 1 2 3; do round $((rounds += 1)); done
read -r fds maps rss < <(measure)
end=$((SECONDS + seconds))
while [ $SECONDS -lt $end ]; do round $((rounds += 1)); done
settled() {
    read -r fds2 maps2 rss2 < <(measure)
    [ "$fds2" -le "$fds" ] && [ "$maps2" -le $((maps + 4)) ] && [ "$rss2" -le $((rss + rss / 10 + 4096)) ]
}
wait_for 20 settled
measure_now=$(measure)
echo "soak: $rounds rounds; descriptors, maps, RSS KiB: $fds $maps $rss -> $measure_now"
settled || fail "something grew"
