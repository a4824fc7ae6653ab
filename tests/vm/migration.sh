#!/bin/bash
# Live migration between two QEMU processes while the guest receives a stream that proves itself:
#   g1 - vm1 [weftd] vma - g2 (before)      the guest moves from vma to vmb and, with COUNT > 1, back, and again
#                    vmb - g2 (after)
# Numbered, checksummed blocks over TCP and UDP: not one may come out changed, TCP may lose none.
# COUNT=10 for the long form.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/guest.sh"

guests_need
count=${COUNT:-1}
mac=52:54:00:00:00:02

switch_start s
weft s if add vm1 type=vhost-user socket="$WORK/g1.sock" >/dev/null
weft s if add vm2 type=vhost-user socket="$WORK/g2-0.sock" >/dev/null
guest_start g1 --mac 52:54:00:00:00:01 --ip 10.0.0.1/24
guest_start g2-0 --mac $mac --ip 10.0.0.2/24
guest_ready g1
guest_ready g2-0
out=$(pings g1 10.0.0.2 3) || fail "no ping: $out"
say "two guests are up: $out"

# field NAME TCP|UDP-REPORT GUEST
field() { guest "$3" "cat /tmp/$2" | grep -o "$1=[0-9]*" | cut -d= -f2; }
more_than() { [ "$(field blocks "$1" "$2")" -gt "$3" ]; }

guest g2-0 'stream recv tcp 7000 /tmp/tcp >/tmp/tcp.log 2>&1 & stream recv udp 7000 /tmp/udp >/tmp/udp.log 2>&1 &'
guest g1 'stream send tcp 10.0.0.2 7000 300 >/tmp/tcp.log 2>&1 & stream send udp 10.0.0.2 7000 300 >/tmp/udp.log 2>&1 &'
wait_until 20 more_than tcp g2-0 200 || fail "the stream does not run"
say "the stream runs"

for ((i = 1; i <= count; i++)); do
    from=g2-$((i - 1)) to=g2-$i port=vmx$i
    weft s if add $port type=vhost-user socket="$WORK/$to.sock" >/dev/null
    guest_start $to --mac $mac --incoming "unix:$WORK/mig$i"
    wait_until 30 test -S "$WORK/mig$i" || fail "the destination does not listen"
    before_tcp=$(field blocks tcp $from) before_udp=$(field blocks udp $from)
    took=$("$VM" migrate $from $to) || fail "migration $i"
    guest_stop $from
    if [ $i -eq 1 ]; then weft s if del vm2 >/dev/null; else weft s if del vmx$((i - 1)) >/dev/null; fi
    wait_until 30 more_than tcp $to $((before_tcp + 300)) || fail "migration $i: the TCP stream does not go on"
    wait_until 30 more_than udp $to $((before_udp + 300)) || fail "migration $i: the UDP stream does not go on"
    tcp_report=$(guest $to 'cat /tmp/tcp') udp_report=$(guest $to 'cat /tmp/udp')
    say "migration $i: $took"
    say "    TCP $tcp_report"
    say "    UDP $udp_report"
    [[ $tcp_report == *" bad=0 lost=0 "* ]] || fail "the TCP stream was changed"
    [[ $udp_report == *" bad=0 "* ]] || fail "a UDP block was changed"
done
guest g1 'cat /tmp/tcp.log /tmp/udp.log' | grep . && fail "the sender stumbled"
say "passed: $count migrations, every block as it was sent"
