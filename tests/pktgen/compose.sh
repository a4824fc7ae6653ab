#!/bin/bash
# Packets composed from text are judged by tshark: every layer is what it says, nothing is malformed, every checksum is
# right. What all scenarios expect rests on that.   text -> weft-pktgen compose -> text2pcap -> tshark
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
need tshark text2pcap
need_built weft-pktgen

eth='eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01)'
ip4="$eth/ipv4(src=10.1.2.3,dst=10.4.5.6)"
ip6="$eth/ipv6(src=fd00::1,dst=fd00::2)"

# what tshark calls the layers | packet
cases() {
    cat <<E2
eth:ethertype:ip:udp:data | $ip4/udp(src=49152,dst=49153)/data(len=21,fill=3)
eth:ethertype:ip:tcp:data | $eth/ipv4(src=1.2.3.4,dst=5.6.7.8,tos=9,ttl=3,id=7,df=1,options=12)/tcp(src=49152,dst=49153,seq=1,ack=2)/data(len=20,fill=3)
eth:ethertype:ip:icmp:data | $ip4/icmp(id=1,seq=2)/data(len=31)
eth:ethertype:ip:sctp | $ip4/sctp(src=49152,dst=49153,tag=7)/hex(0b000004)
eth:ethertype:ip:data | $eth/ipv4(src=1.2.3.4,proto=17,offset=64)/data(len=40)
eth:ethertype:ipv6:udp:data | $eth/ipv6(src=fd00::1,dst=fd00::2,tc=5,label=0x12345,hops=3)/udp(src=49152,dst=49153)/data(len=20)
eth:ethertype:ipv6:tcp | $ip6/tcp(src=49152,dst=49153,flags=2)
eth:ethertype:ipv6:icmpv6:data | $ip6/icmpv6(id=1,seq=2)/data(len=31)
eth:ethertype:ipv6:icmpv6 | $ip6/icmpv6(type=135)/nd(target=fd00::9,sll=02:00:00:00:00:01)
eth:ethertype:ipv6:icmpv6 | $ip6/icmpv6(type=136)/nd(target=fd00::9,tll=02:00:00:00:00:01)
eth:ethertype:ipv6:ipv6.hopopts:ipv6.dstopts:ah:udp:data | $ip6/hopopts()/dstopts()/auth()/udp(src=49152,dst=49153)/data(len=20)
eth:ethertype:ipv6:ipv6.fraghdr:data | $ip6/fragment(offset=64,mf=0,id=9)/data(len=24)
eth:ethertype:ipv6:esp | $ip6/esp()/data(len=24)
eth:ethertype:arp | $eth/arp(op=1,sha=02:00:00:00:00:01,spa=10.1.2.3,tpa=10.4.5.6)
eth:ethertype:vlan:ethertype:ip:udp:data | $eth/vlan(vid=5,pcp=3)/ipv4(src=1.2.3.4)/udp(src=49152,dst=49153)/data(len=20)
eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ip:udp:data | $eth/vlan(vid=5,tpid=0x88a8)/vlan(vid=6)/ipv4(src=1.2.3.4)/udp(src=49152,dst=49153)/data(len=20)
eth:ethertype:mpls:ip:udp:data | $eth/mpls(label=1000,tc=3,ttl=9)/ipv4(src=1.2.3.4)/udp(src=49152,dst=49153)/data(len=20)
eth:ethertype:mpls:ipv6:udp:data | $eth/mpls(label=1000)/mpls(label=1001)/ipv6(src=fd00::1)/udp(src=49152,dst=49153)/data(len=20)
eth:ethertype:ieee8021ah:ethertype:ip:udp:data | $eth/pbb(isid=0x10203,pcp=5)/$ip4/udp(src=49152,dst=49153)/data(len=20)
eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:udp:data | $ip4/udp(src=49152,dst=4789)/vxlan(vni=77)/$ip4/udp(src=49152,dst=49153)/data(len=20)
E2
}

while IFS='|' read -r _ packet; do
    "$BUILD/weft-pktgen" compose "${packet# }" | sed 's/../& /g; s/^/0000 /'
done < <(cases) >"$WORK/frames.txt"
text2pcap -q "$WORK/frames.txt" "$WORK/frames.pcap" 2>/dev/null
cases | sed 's/ *|.*//' >"$WORK/want"
decode=(tshark -r "$WORK/frames.pcap" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE
    -o sctp.checksum:TRUE -o ip.defragment:FALSE -o ipv6.defragment:FALSE)
"${decode[@]}" -T fields -e frame.protocols >"$WORK/got" 2>/dev/null
sed 's/:mpls:mpls/:mpls/; s/:icmpv6:icmpv6/:icmpv6/' "$WORK/got" | diff "$WORK/want" - >&2 || fail "the layers are not these"
"${decode[@]}" -Y '_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || sctp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0' \
    >"$WORK/bad" 2>/dev/null
[ ! -s "$WORK/bad" ] || fail "$(cat "$WORK/bad")"
say "passed: $(wc -l <"$WORK/want") packets"
