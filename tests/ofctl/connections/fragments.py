# SPDX-License-Identifier: Apache-2.0
"""Packets in fragments. Open vSwitch puts them together, tracks the packet, and cuts it again; Weft tracks them as they come.

Weft gets made ones from a controller: the kernel would put together what it reads by AF_PACKET. What kernels cut comes by the
switch's own port, which is a tap in both switches."""
import socket

from frames import echo, ether, fragments, halves, icmp, ip, plain, put_together, tcp, udp
from rig import LOCAL, TELL, expect, heard, wait_for

DATA = bytes(range(200)) * 15
TRACK = f"""
table=0,priority=10,ip,actions=ct(commit,table=1)
table=0,priority=10,ipv6,actions=ct(commit,table=1)
table=1,priority=10,ip,actions={TELL},output:3
table=1,priority=10,ipv6,actions={TELL},output:3
"""


def sent(side, port, *frames):
    """What comes out of port 3 when those frames come into `port`."""
    for frame in frames:
        side.packet_out(port, "resubmit(,0)", frame)
    return side.settle(2)[3]


def states(side, port, *frames):
    return [packet.state() for packet in sent(side, port, *frames)]


def kinds(side):
    """Each fragment is told what its packet would be told."""
    side.flows(TRACK)
    whole = udp("10.1.1.1:1000", "10.1.1.2:53", DATA)
    packets = sent(side, 1, *fragments(whole, 1200))
    expect("states", [packet.state() for packet in packets], ["new|trk"] * 3)
    texts = ["0+1200+", "1200+1200+", "2400+608"]
    expect("fragments", [packet.text for packet in packets], ["10.1.1.1 > 10.1.1.2 fragment " + text for text in texts])
    expect("what is in them", b"".join(packet.frame[34:] for packet in packets), whole[34:])
    for a, b in (("10.1.1.1", "10.1.1.2"), ("fd01::1", "fd01::2")):
        there, back = ("%s:%%d" % (("[%s]" if ":" in x else "%s") % x) for x in (a, b))
        answer = udp(back % 54, there % 1000, DATA)
        expect("UDP", states(side, 1, *fragments(udp(there % 1000, back % 54, DATA), 1240)), ["new|trk"] * 3)
        expect("its answer", states(side, 2, *fragments(answer, 1240)), ["est|rpl|trk"] * 3)
        expect("ping", states(side, 1, *fragments(echo(a, b, 5, data=DATA), 1240)), ["new|trk"] * 3)
        expect("its answer", states(side, 2, *fragments(echo(b, a, 5, reply=True, data=DATA), 1240)), ["est|rpl|trk"] * 3)
        expect("of nothing", states(side, 2, *fragments(echo(b, a, 6, reply=True, data=DATA), 1240)), ["inv|trk"] * 3)
        expect("GRE", states(side, 1, *fragments(plain(47, a, b, DATA), 1240)), ["new|trk"] * 3)


def segments(side):
    """TCP, whose windows tell what fits."""
    side.flows(TRACK)
    a, b = "10.1.1.1:1000", "10.1.1.2:80"
    states(side, 1, tcp(a, b, "S", 100))
    states(side, 2, tcp(b, a, "SA", 500, 101))
    expect("in pieces", states(side, 1, *fragments(tcp(a, b, "A", 101, 501, DATA), 1200)), ["est|trk"] * 3)
    expect("all of it acknowledged", states(side, 2, tcp(b, a, "A", 501, 101 + len(DATA))), ["est|rpl|trk"])
    expect("the next one", states(side, 1, tcp(a, b, "A", 101 + len(DATA), 501, b"x")), ["est|trk"])
    far = tcp(a, b, "A", 101 + 900000, 501, DATA)
    expect("far away", states(side, 1, *fragments(far, 1200)), ["inv|trk"] * 3)


def translated(side):
    """Addresses in all of them, ports and checksums where they are: put together again, nothing is wrong."""
    for family, a, b, c in (("ip", "10.1.1.1", "10.1.1.2", "10.1.1.240"), ("ipv6", "[fd01::1]", "[fd01::2]", "[fd01::240]")):
        for how, asked, arrives in (
            ("src=%s:5000" % c, (a + ":1000", b + ":53"), (c + ":5000", b + ":53")),
            ("dst=%s:5000" % c, (a + ":1000", b + ":53"), (a + ":1000", c + ":5000")),
        ):
            side.flows(f"""
table=0,priority=10,{family},in_port=1,actions=ct(commit,nat({how}),table=1)
table=0,priority=10,{family},in_port=2,actions=ct(nat,table=1)
table=1,priority=10,ct_state=-inv,actions=output:3
""")
            question = put_together(sent(side, 1, *fragments(udp(*asked, DATA), 1240)))
            expect("question, " + how, question, "udp %s > %s %s" % (*arrives, DATA))
            answer = put_together(sent(side, 2, *fragments(udp(*reversed(arrives), DATA), 1240)))
            expect("answer, " + how, answer, "udp %s > %s %s" % (*reversed(asked), DATA))


def in_any_order(side):
    """Open vSwitch waits for the first one; Weft does not."""
    side.flows(TRACK)
    first, middle, last = fragments(udp("10.1.1.5:1000", "10.1.1.2:53", DATA), 1200)  # of which nothing was seen yet
    want = side.differs(ovs=["new|trk"] * 3, weft=["inv|trk", "new|trk", "new|trk"])
    expect("the first one in the middle", states(side, 1, last, first, middle), want)


def overlapping(side):
    """What lies over the first fragment is invalid, and the others are not: RFC 1858."""
    side.flows(TRACK)
    first, middle, last = fragments(tcp("10.1.1.1:1000", "10.1.1.2:80", "S", 1, data=DATA), 1200)
    a, b, protocol, piece = halves(middle[14:])
    for offset in (8, 16, 1192):
        over = ether(ip(a, b, protocol, piece, ident=77, frag=offset // 8 | 0x2000))
        got = sorted(states(side, 1, first, over, middle, last))
        expect("one from %d on" % offset, got, ["inv|trk"] + ["new|trk"] * 3)


def errors(side):
    """An error that is sent in pieces, which nobody does."""
    side.flows(TRACK)
    about = udp("10.1.1.1:1000", "10.1.1.2:53", DATA)
    states(side, 1, about)
    pieces = fragments(icmp("10.1.1.2", "10.1.1.1", 3, 3, bytes(4) + about[14:]), 1200)
    state = side.differs(ovs="rel|rpl|trk", weft="inv|trk")
    expect("an error", states(side, 2, *pieces), [state] * 3)


def of_kernels(side):
    """The switch's own host asks a service that it serves itself: translated twice, there and back, in what its kernel cuts."""
    hairpin(side, ("ip", "nw_dst"), "10.1.1.9", "10.1.1.100", "10.1.1.101")
    hairpin(side, ("ipv6", "ipv6_dst"), "fd01::9", "fd01::100", "fd01::101")


def hairpin(side, match, us, service, other):
    """Who asks `service` gets to `us`, and seems to be `other`."""
    (name, target), v6 = match, ":" in us
    side.flows(f"""
table=0,priority=10,{name},{target}={service},actions=ct(commit,zone=1,nat(dst={us}),table=1)
table=0,priority=10,{name},{target}={other},actions=ct(zone=2,nat,table=2)
table=1,priority=10,{name},actions=ct(commit,zone=2,nat(src={other}),table=3)
table=2,priority=10,{name},actions=ct(zone=1,nat,table=3)
table=3,priority=10,{name},ct_state=-inv,actions=mod_dl_dst:02:00:00:00:00:ff,in_port
""")
    family = socket.AF_INET6 if v6 else socket.AF_INET
    client, server = (side.open(LOCAL, port=port, family=family) for port in (1000, 53))
    pinger = side.open(LOCAL, socket.SOCK_RAW, 0, family, socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
    header, request_type = (0, 128) if v6 else (20, 8)  # what a raw socket gets begins so; requests as well

    def arrived(s):
        return wait_for("what was sent", lambda: [got for got in heard(s) if s is not pinger or got[0][header] != request_type])

    for size in (1000, 1473, 4000, 40000):  # Open vSwitch brings no more than 32 fragments at once
        data = (DATA * 14)[:size]
        client.sendto(data, (service, 53))
        expect("question of %d bytes" % size, arrived(server), [(data, (other, 1000))])
        server.sendto(data, (other, 1000))
        expect("answer of %d bytes" % size, arrived(client), [(data, (service, 53))])
        request = echo(us, service, 70, data=data)[54 if v6 else 34 :]
        pinger.sendto(request, (service, 0))
        (reply, peer), = arrived(pinger)
        expect("reply of %d bytes" % size, (peer[0], reply[header + 4 :]), (service, request[4:]))


SCENES = [kinds, segments, translated, in_any_order, overlapping, errors, of_kernels]
