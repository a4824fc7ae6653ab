#!/bin/bash
# NORMAL between three played guests: unknown destinations are flooded, known ones are not; VLAN tags and flows' rewrites
# arrive as they should.   a, b, c - [weftd]
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"

switch_start s
for p in a b c; do weft s if add $p type=vhost-user role=server socket="$WORK/$p.sock" >/dev/null; done

A=02:00:00:00:00:0a B=02:00:00:00:00:0b
to_b="eth(dst=$B,src=$A)/ipv4(src=10.0.0.1,dst=10.0.0.2)/udp(src=1000,dst=2000)/data(len=100,fill=7)"
to_a="eth(dst=$A,src=$B)/ipv4(src=10.0.0.2,dst=10.0.0.1)/udp(src=2000,dst=1000)/data(text=answer)"
tagged="eth(dst=$B,src=$A)/vlan(vid=5,pcp=3)/ipv6(src=fd00::1,dst=fd00::2)/tcp(src=1,dst=2,flags=2)/data(len=1400,fill=9)"
ofctl="$BUILD/weft-ofctl --rundir $WORK/s"
weft="$BUILD/weft --rundir $WORK/s"

cat >"$WORK/normal.scenario" <<E2
timeout 20
port a vhost-connect:$WORK/a.sock
port b vhost-connect:$WORK/b.sock
port c vhost-connect:$WORK/c.sock
# nobody knows b: everybody gets it
send a $to_b
expect b $to_b
expect c $to_b
# the control thread learns soon: only then is an answer for a alone
run timeout 20 sh -c 'until $weft fdb show | grep -q $A; do sleep 0.02; done'
send b $to_a
expect a $to_a
expect c none
# a tag is another network
send a $tagged
expect b $tagged
expect c $tagged
# flows: rewritten, and more than one output of one packet in different forms
run $ofctl add-flow br0 'priority=10,in_port=1,udp,tp_dst=2000,actions=output:3,mod_dl_dst:02:00:00:00:00:0c,dec_ttl,mod_nw_dst:10.9.9.9,output:2'
send a $to_b
expect c $to_b
expect b eth(dst=02:00:00:00:00:0c,src=$A)/ipv4(src=10.0.0.1,dst=10.9.9.9,ttl=63)/udp(src=1000,dst=2000)/data(len=100,fill=7)
run $ofctl add-flow br0 'priority=20,in_port=1,udp,actions=push_vlan:0x8100,set_field:4105->vlan_vid,output:2'
send a $to_b
expect b eth(dst=$B,src=$A)/vlan(vid=9)/ipv4(src=10.0.0.1,dst=10.0.0.2)/udp(src=1000,dst=2000)/data(len=100,fill=7)
run $ofctl add-flow br0 'priority=30,actions=drop'
send a $to_b
send b $to_a
expect a none
expect b none
E2
"$BUILD/weft-pktgen" -v run "$WORK/normal.scenario" || fail "the scenario failed"
[ "$($ofctl -o json dump-aggregate br0 | grep -c packet)" -ge 1 ] || fail "no aggregate"
[ "$(weft s drops | grep -c ' action_drop  *1 ')" -eq 2 ] || fail "the two dropped packets are not counted as action_drop"
say passed
