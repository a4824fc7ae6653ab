# SPDX-License-Identifier: Apache-2.0
"""Packets that are neither TCP nor UDP, and such that are not what they say: what the tracker tells of them."""
import struct

from frames import echo, icmp, icmp_error, plain, tcp, udp
from rig import TELL, expect

A, B = "10.1.1.1", "10.1.1.2"
TRACK = f"""
table=0,priority=10,ip,in_port=1,actions=ct(commit,table=1)
table=0,priority=10,ip,in_port=2,actions=ct(table=1)
table=0,priority=10,ipv6,in_port=1,actions=ct(commit,table=1)
table=0,priority=10,ipv6,in_port=2,actions=ct(table=1)
table=1,priority=10,actions={TELL},output:3
"""


def without_ports(side):
    """A connection is two addresses and a protocol."""
    side.flows(TRACK)
    expect("begins", side.states(1, plain(47, A, B)), "new|trk")
    expect("is answered", side.states(2, plain(47, B, A)), "est|rpl|trk")
    expect("of others", side.states(2, plain(47, B, "10.1.1.3")), "new|trk")
    expect("another protocol", side.states(2, plain(50, B, A)), "new|trk")
    expect("IPv6", side.states(1, plain(47, "fd01::1", "fd01::2")), "new|trk")
    expect("is answered", side.states(2, plain(47, "fd01::2", "fd01::1")), "est|rpl|trk")


def icmp_queries(side):
    """A reply without a request is nothing; requests with different ids are different connections."""
    side.flows(TRACK)
    expect("a reply first", side.states(2, echo(B, A, 5, reply=True)), "inv|trk")
    expect("request", side.states(1, echo(A, B, 5)), "new|trk")
    expect("request again", side.states(1, echo(A, B, 5, 2)), "new|trk")
    expect("reply", side.states(2, echo(B, A, 5, reply=True)), "est|rpl|trk")
    expect("request after it", side.states(1, echo(A, B, 5, 3)), "est|trk")
    expect("request of the other", side.states(2, echo(B, A, 5)), "new|trk")
    expect("reply with another id", side.states(2, echo(B, A, 6, reply=True)), "inv|trk")
    expect("timestamp", side.states(1, icmp(A, B, 13, 0, struct.pack("!HH12x", 5, 1))), "new|trk")
    expect("its reply", side.states(2, icmp(B, A, 14, 0, struct.pack("!HH12x", 5, 1))), "est|rpl|trk")
    expect("router advertisement", side.states(1, icmp(A, B, 9)), "inv|trk")
    expect("an unknown type", side.states(1, icmp(A, B, 200)), "inv|trk")


def icmpv6_queries(side):
    side.flows(TRACK)
    a, b = "fd01::1", "fd01::2"
    expect("a reply first", side.states(2, echo(b, a, 5, reply=True)), "inv|trk")
    expect("request", side.states(1, echo(a, b, 5)), "new|trk")
    expect("reply", side.states(2, echo(b, a, 5, reply=True)), "est|rpl|trk")
    expect("neighbor solicitation", side.states(1, icmp(a, b, 135, 0, bytes(20))), "inv|trk")
    expect("neighbor advertisement", side.states(2, icmp(b, a, 136, 0, bytes(20))), "inv|trk")
    expect("router advertisement", side.states(2, icmp(b, a, 134, 0, bytes(12))), "inv|trk")


def icmp_errors(side):
    """About a connection, in both directions and from anybody; about none; and cut off."""
    side.flows(TRACK)
    there, back = udp(A + ":1000", B + ":53"), udp(B + ":53", A + ":1000")
    expect("about nothing", side.states(2, icmp_error(B, A, 3, 3, there)), "inv|trk")
    side.states(1, there)
    expect("about the question", side.states(2, icmp_error(B, A, 3, 3, there)), "rel|rpl|trk")
    expect("from a router", side.states(2, icmp_error("10.1.1.77", A, 11, 0, there)), "rel|rpl|trk")
    expect("about the answer", side.states(1, icmp_error(A, B, 3, 3, back)), "rel|trk")
    expect("source quench", side.states(2, icmp_error(B, A, 4, 0, there)), "rel|rpl|trk")
    expect("redirect", side.states(2, icmp_error(B, A, 5, 0, there)), "rel|rpl|trk")
    expect("it is no answer", side.states(1, there), "new|trk")
    expect("cut in its header", side.states(2, icmp(B, A, 3, 3, bytes(4) + there[14:30])), "inv|trk")
    expect("cut in its ports", side.states(2, icmp(B, A, 3, 3, bytes(4) + there[14:36])), "inv|trk")
    expect("about an error", side.states(2, icmp_error(B, A, 3, 3, icmp_error(A, B, 3, 3, back))), "inv|trk")
    ping = echo(A, B, 5)
    side.states(1, ping)
    expect("about a ping", side.states(2, icmp_error("10.1.1.77", A, 11, 0, ping)), "rel|rpl|trk")
    segment = tcp(A + ":1000", B + ":80", "S", 1)
    side.states(1, segment)
    expect("about a SYN", side.states(2, icmp_error(B, A, 3, 1, segment)), "rel|rpl|trk")
    expect("about another SYN", side.states(2, icmp_error(B, A, 3, 1, tcp(A + ":1001", B + ":80", "S", 1))), "inv|trk")


def icmpv6_errors(side):
    """As those of IPv4; Open vSwitch wants the whole TCP header in them."""
    side.flows(TRACK)
    a, b = "[fd01::1]:1000", "[fd01::2]:53"
    datagram, segment = udp(a, b), tcp(a, b, "S", 1)
    expect("about nothing", side.states(2, icmp_error("fd01::2", "fd01::1", 1, 4, datagram)), "inv|trk")
    side.states(1, datagram)
    side.states(1, segment)
    for name, kind in (("unreachable", 1), ("too big", 2), ("time exceeded", 3), ("parameter problem", 4)):
        expect(name, side.states(2, icmp_error("fd01::77", "fd01::1", kind, 0, datagram)), "rel|rpl|trk")
    some = side.differs(ovs="inv|trk", weft="rel|rpl|trk")
    for size, state in ((20, "rel|rpl|trk"), (8, some), (7, "inv|trk")):
        about = segment[: 14 + 40 + size]
        expect("its first %d bytes" % size, side.states(2, icmp_error("fd01::2", "fd01::1", 1, 4, about)), state)


def malformed(side):
    """Nothing of what is too short, or longer than the packet, is looked at."""
    side.flows(TRACK)
    segment = bytearray(tcp(A + ":1000", B + ":80", "S", 1, data=b"data"))
    for name, offset in (("header of 60 bytes", 15), ("header of 16 bytes", 4), ("no header", 0)):
        segment[46] = offset << 4
        expect("TCP, " + name, side.states(1, bytes(segment)), "inv|trk")
    expect("TCP, cut", side.states(1, plain(6, A, B, bytes(19))), "inv|trk")
    datagram = bytearray(udp(A + ":1000", B + ":53", b"data"))
    datagram[40:42] = bytes(2)  # no checksum: it would be wrong
    for length in (13, 7, 0, 65535):
        datagram[38:40] = struct.pack("!H", length)
        expect("UDP, length %d" % length, side.states(1, bytes(datagram)), "inv|trk")
    expect("UDP, cut", side.states(1, plain(17, A, B, bytes(7))), "inv|trk")
    expect("ICMP, cut", side.states(1, plain(1, A, B, b"\x08\0\xf7\xff\0\0\0")), "inv|trk")
    # what is behind the packet, as in the padding of short frames, is none of it
    expect("padding", side.states(1, tcp(A + ":1000", B + ":80", "S", 1) + bytes(6)), "new|trk")


SCENES = [without_ports, icmp_queries, icmpv6_queries, icmp_errors, icmpv6_errors, malformed]
