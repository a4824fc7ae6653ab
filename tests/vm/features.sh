#!/bin/bash
# What a guest may have or lack:   g1 - vm1 [weftd] vm2 - g2, where g2's card differs from run to run.
# Each way: ping, TCP in both directions (one of the two guests has every offload, so one side has to help out).
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/guest.sh"

guests_need
no_offload=,csum=off,guest_csum=off,gso=off,host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off
no_offload+=,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off

switch_start s
weft s if add vm1 type=vhost-user socket="$WORK/g1.sock" >/dev/null
guest_start g1 --mac 52:54:00:00:00:01 --ip 10.0.0.1/24 --ip6 fd00::1/64

variant() { # variant WHAT QUEUES PROPS
    local out back out6
    weft s if add vm2 type=vhost-user socket="$WORK/g2.sock" queues="$2" >/dev/null
    guest_start g2 --mac 52:54:00:00:00:02 --ip 10.0.0.2/24 --ip6 fd00::2/64 --queues "$2" --props "$3"
    guest_ready g2
    pings g1 10.0.0.2 3 1400 >/dev/null || fail "$1: no ping"
    guest g2 'iperf3 -s -D'
    out=$(tcp g1 10.0.0.2 -t 1 -P 2) || fail "$1: TCP to it"
    back=$(tcp g1 10.0.0.2 -t 1 -P 2 -R) || fail "$1: TCP from it"
    out6=$(tcp g1 fd00::2 -t 1) || fail "$1: TCP to it over IPv6"
    say "$1: ping, TCP to it $out, from it $back, over IPv6 $out6"
    if [ "$2" -gt 1 ]; then
        guest g2 "ethtool -l eth0" | tail -n 5 | grep -q "Combined:.*$2" || fail "$1: the guest has not $2 queues"
    fi
    [ "$(guest g2 "awk '/^(Tcp|Udp|Icmp):/ {print}' /proc/net/snmp" | csum_errors)" -eq 0 ] || fail "$1: wrong checksums"
    guest_stop g2
    weft s if del vm2 >/dev/null
}

csum_errors() {
    awk '/: [A-Z]/ {split($0, names); next} {for (i = 2; i <= NF; i++) if (names[i] ~ /CsumErrors/) n += $i} END {print n + 0}'
}

guest_ready g1
variant "mergeable buffers off" 1 ,mrg_rxbuf=off
variant "indirect descriptors off" 1 ,indirect_desc=off
variant "event index off" 1 ,event_idx=off
variant "all offloads off" 1 "$no_offload"
variant "all offloads and mergeable buffers off" 1 "$no_offload,mrg_rxbuf=off"
variant "two queue pairs" 2 ''
say "passed"
