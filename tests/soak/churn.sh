#!/bin/bash
# Churn under traffic for SOAK_SECONDS (default 600): interfaces come and go, guests restart (one in QEMU, others played by
# weft-pktgen), flows change. Afterwards descriptors, memory maps, RSS and mbufs of weftd must be where they were after the
# warm-up.
#
#    g1, g2: QEMU, g2 is started anew for ever and pinged from g1
#    a, b:   played; they come, exchange packets and go, in every round
#    e:      an ethdev on a veth, so that mbufs are in the game
#    x1-x4:  added and removed in every round
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/guest.sh"

seconds=${SOAK_SECONDS:-600}

need_root
guests_need
host_new hv
wire hv e0 hv e1
switch_start s "$NS-hv"
for p in a b; do weft s if add $p type=vhost-user socket="$WORK/$p.sock" role=server >/dev/null; done
for p in g1 g2; do weft s if add $p type=vhost-user socket="$WORK/$p.sock" >/dev/null; done
weft s if add e type=ethdev devargs=net_af_packet0,iface=e0 >/dev/null

cat >"$WORK/traffic.scenario" <<EOF
timeout 60
port a vhost-connect:$WORK/a.sock
port b vhost-connect:$WORK/b.sock
EOF
for i in $(seq 1 40); do
    packet="eth(dst=02:00:00:00:00:0b,src=02:00:00:00:00:0a)/ipv4(src=10.9.0.1,dst=10.9.0.2,id=$i)/udp(src=$i,dst=2)/data(len=$((i * 30)))"
    printf 'send a %s\nexpect b %s\n' "$packet" "$packet" >>"$WORK/traffic.scenario"
done
printf 'in_port=%s,actions=%s\n' a output:b,output:e b output:a g1 output:g2 g2 output:g1 e drop >"$WORK/start.flows"

round() {
    local i=$1 role k traffic
    "$BUILD/weft-pktgen" run "$WORK/traffic.scenario" >"$WORK/traffic.log" 2>&1 &
    traffic=$!
    for k in 1 2 3 4; do
        role=client
        [ $((k % 2)) = 1 ] || role=server
        weft s if add "x$k" type=vhost-user socket="$WORK/x$k.sock" role=$role >/dev/null || fail "round $i: cannot add x$k"
    done
    for k in $(seq 1 200); do
        echo "table=$((k % 3 + 1)),priority=$((k % 50 + 1)),tcp,nw_dst=10.1.$((i % 250)).$((k % 250)),tp_dst=$k,actions=drop"
    done >"$WORK/flows"
    ofctl s add-flows br0 "$WORK/flows" || fail "round $i: cannot add flows"
    ofctl s dump-flows br0 >/dev/null || fail "round $i: cannot dump flows"
    for k in 1 2 3; do ofctl s del-flows br0 "table=$k" || fail "round $i: cannot delete flows"; done
    for k in 1 2 3 4; do weft s if del "x$k" >/dev/null || fail "round $i: cannot delete x$k"; done
    wait "$traffic" || fail "round $i: traffic was lost: $(cat "$WORK/traffic.log")"
}

guest_up() { # guest_up NAME NUMBER
    guest_start "$1" --mac 52:54:00:00:00:0"$2" --ip 10.0.0."$2"/24
    guest_ready "$1"
}

# Starts g2 again and again until $WORK/enough exists; $WORK/restarts says how often it was reached afterwards.
restart_g2() {
    local n=0
    until [ -e "$WORK/enough" ]; do
        guest_stop g2
        guest_up g2 2
        wait_until 60 reaches g1 10.0.0.2 || fail "g2 is not reached after its restart"
        echo $((n += 1)) >"$WORK/restarts"
    done
}

stop_restarts() {
    touch "$WORK/enough"
    wait "$guests"
}

mbufs() { weft s -o json if show e | grep -o '"mbufs": *[0-9]*' | grep -o '[0-9]*$'; }
rss() { awk -v what="Rss$1:" '$1 == what {print $2}' "/proc/${SWITCH_PID[s]}/status"; } # KiB
# Descriptors, maps, KiB of weftd's own memory, mbufs held. Guests' memory is not its own: it counts pages of it as it comes
# by them. What it has reserved long ago and touches for the first time now comes in pages of 2 MiB.
measure() {
    local pid=${SWITCH_PID[s]}
    echo "$(find "/proc/$pid/fd" -type l | wc -l) $(wc -l <"/proc/$pid/maps") $(rss Anon) $(mbufs)"
}

ofctl s replace-flows br0 "$WORK/start.flows"
guest_up g1 1
guest_up g2 2
wait_until 60 reaches g1 10.0.0.2 || fail "g2 is not reached"
rounds=0
for _ in 1 2 3; do round $((rounds += 1)); done
before=$(measure)
say "warm: descriptors, maps, own KiB, mbufs: $before; $(rss Shmem) KiB of guests"

(trap - EXIT; restart_g2) &
guests=$!
at_exit stop_restarts
end=$((SECONDS + seconds))
while [ $SECONDS -lt $end ]; do
    round $((rounds += 1))
    kill -0 $guests 2>/dev/null || fail "the guest's restarts ended"
done
stop_restarts || fail "the guest's restarts"

settled() {
    read -r fds maps rss held < <(echo "$before")
    read -r fds2 maps2 rss2 held2 < <(measure)
    [ "$fds2" -le "$fds" ] && [ "$maps2" -le $((maps + 4)) ] && [ "$rss2" -le $((rss + 8192)) ] &&
        [ "$held2" -le "$held" ]
}
wait_until 20 settled || fail "something grew: $before -> $(measure)"
say "$rounds rounds, $(cat "$WORK/restarts") restarts of g2: $before -> $(measure); $(rss Shmem) KiB of guests"
[ "$(if_stat s e tx_packets)" -ge $((rounds * 40)) ] || fail "the ethdev did not take part"
