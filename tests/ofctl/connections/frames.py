# SPDX-License-Identifier: Apache-2.0
"""Ethernet frames with IP inside: made from endpoints ("10.0.0.1:80", "[fd00::1]:80", "10.0.0.1"), and told as text.

Text of a frame that was received: "udp 10.0.0.1:1000 > 10.0.0.2:53 b'hello'". Wrong checksums and wrong lengths stand in
it, so whoever compares text compares those as well."""
import functools
import ipaddress
import re
import struct

MARKER = 0x88B5  # EtherType of the frames that tell us that all before them has arrived
OURS = bytes.fromhex("02cc00")  # destinations that no kernel takes for its own begin like this
ICMP, TCP, UDP, ICMPV6, FRAGMENT = 1, 6, 17, 58, 44
NUMBER = 0xFFFFFFFF
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}
STATES = ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"]  # bits of ct_state


def endpoint(text):
    """(packed address, port) of "address:port" or an address alone (port 0)."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return ipaddress.ip_address(address).packed, int(port[1:] or 0)
    address, _, port = text.partition(":") if text.count(":") < 2 else (text, "", "")
    return ipaddress.ip_address(address).packed, int(port or 0)


def told(address, port=None):
    text = str(ipaddress.ip_address(address))
    if port is None:
        return text
    return "[%s]:%d" % (text, port) if ":" in text else "%s:%d" % (text, port)


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data[: len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(source, target, protocol, length):
    return source + target + struct.pack("!IHBB", length, 0, 0, protocol)


# ---- making -----------------------------------------------------------------------------------------


def ip(source, target, protocol, payload, ttl=64, ident=0, frag=0):
    """An IP packet; `frag`: IPv4's flags and offset."""
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, ttl) + source + target + payload
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident, frag, ttl, protocol, 0) + source + target
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def summed(source, target, protocol, payload, at, wrong=0):
    """`payload` with its checksum at this offset; `wrong` is added to it."""
    covered = payload if protocol == ICMP else pseudo(source, target, protocol, len(payload)) + payload
    value = ((checksum(covered) or (0xFFFF if protocol == UDP else 0)) + wrong) & 0xFFFF
    return payload[:at] + struct.pack("!H", value) + payload[at + 2 :]


def ether(packet):
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return OURS + bytes(3) + b"\2" + bytes(5) + struct.pack("!H", kind) + packet


def udp(source, target, data=b"", **of_ip):
    (a, sport), (b, dport) = endpoint(source), endpoint(target)
    datagram = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    return ether(ip(a, b, UDP, summed(a, b, UDP, datagram, 6), **of_ip))


def tcp(source, target, flags, seq=0, ack=0, data=b"", window=65535, options=b"", wrong=0):
    (a, sport), (b, dport) = endpoint(source), endpoint(target)
    bits = sum(FLAGS[f] for f in flags)
    numbers = struct.pack("!HHII", sport, dport, seq & NUMBER, ack & NUMBER)
    header = numbers + struct.pack("!BBHHH", 5 + len(options) // 4 << 4, bits, window, 0, 0) + options
    return ether(ip(a, b, TCP, summed(a, b, TCP, header + data, 16, wrong)))


def echo(source, target, ident, sequence=1, reply=False, data=b"echo"):
    kind = (129 if reply else 128) if ":" in source else 0 if reply else 8
    return icmp(source, target, kind, 0, struct.pack("!HH", ident, sequence) + data)


def plain(protocol, source, target, payload=bytes(16)):
    """A packet of a protocol that has no ports, or whose bytes are given."""
    return ether(ip(endpoint(source)[0], endpoint(target)[0], protocol, payload))


def icmp(source, target, kind, code=0, rest=bytes(8)):
    (a, _), (b, _) = endpoint(source), endpoint(target)
    protocol = ICMP if len(a) == 4 else ICMPV6
    return ether(ip(a, b, protocol, summed(a, b, protocol, struct.pack("!BBH", kind, code, 0) + rest, 2)))


def icmp_error(source, target, kind, code, about):
    """What a router at `source` says of the frame `about`: its IP header and, at IPv4, eight bytes more."""
    return icmp(source, target, kind, code, bytes(4) + (about[14:] if ":" in source else about[14:42]))


def fragments(frame, size):
    """The IP packet of the frame in fragments with so many bytes of payload (a multiple of 8)."""
    a, b, protocol, payload = halves(frame[14:])
    pieces = []
    for at in range(0, len(payload), size):
        piece, more = payload[at : at + size], at + size < len(payload)
        if len(a) == 16:
            pieces.append(ip(a, b, FRAGMENT, struct.pack("!BBHI", protocol, 0, at | more, 77) + piece))
        else:
            pieces.append(ip(a, b, protocol, piece, ident=77, frag=at // 8 | more << 13))
    return [ether(piece) for piece in pieces]


def halves(packet):
    """(source, target, protocol, payload) of an IP packet without options."""
    if packet[0] >> 4 == 6:
        length, protocol = struct.unpack("!HB", packet[4:7])
        return packet[8:24], packet[24:40], protocol, packet[40 : 40 + length]
    length, = struct.unpack("!H", packet[2:4])
    return packet[12:16], packet[16:20], packet[9], packet[20:length]


def cut(packet):
    """(offset, whether more follow, protocol, bytes) of an IP packet that may be a fragment."""
    _, _, protocol, payload = halves(packet)
    if protocol == FRAGMENT:
        protocol, _, frag = struct.unpack("!BBH", payload[:4])
        return frag & 0xFFF8, bool(frag & 1), protocol, payload[8:]
    frag, = struct.unpack("!H", packet[6:8]) if packet[0] >> 4 == 4 else (0,)
    return (frag & 0x1FFF) * 8, bool(frag & 0x2000), protocol, payload


def put_together(packets):
    """The packet whose fragments these are, in this order: text of it, or of what is wrong."""
    whole = b""
    for packet in packets:
        offset, more, protocol, piece = cut(packet.frame[14:])
        if offset != len(whole) or more != (packet is not packets[-1]) or "WRONG" in packet.text:
            return "no packet: " + "; ".join(p.text for p in packets)
        whole += piece
    ends = {halves(packet.frame[14:])[:2] for packet in packets}
    return "; ".join(Packet(ether(ip(a, b, protocol, whole))).text for a, b in ends)


# ---- telling ----------------------------------------------------------------------------------------


class Packet:
    """A frame that was received; what is wrong with it matters to who asks for the text."""

    def __init__(self, frame):
        self.frame, self.complaints = frame, []

    @functools.cached_property
    def text(self):
        text = self.tell_ip(self.frame[14:], True)
        return text + (" WRONG: " + ", ".join(self.complaints) if self.complaints else "")

    @property
    def source(self):
        return re.search(r"(\S+) > ", self.text)[1]

    @property
    def target(self):
        return re.search(r" > (\S+)", self.text)[1]

    def tell_ip(self, data, whole):
        """`whole`: not the beginning of a packet in an ICMP error."""
        a, b, protocol, payload = halves(data)
        if data[0] >> 4 == 4 and checksum(data[:20]):
            self.complaints.append("IP checksum" if whole else "inner IP checksum")
        offset, more, _, piece = cut(data)
        if offset or more:
            return "%s > %s fragment %d+%d%s" % (told(a), told(b), offset, len(piece), "+" if more else "")
        if whole and protocol in (ICMP, TCP, UDP, ICMPV6):
            self.check(a, b, protocol, payload)
        tell = {UDP: self.tell_udp, TCP: self.tell_tcp, ICMP: self.tell_icmp, ICMPV6: self.tell_icmp}.get(protocol)
        return tell(a, b, payload, whole) if tell else "proto %d %s > %s" % (protocol, told(a), told(b))

    def check(self, a, b, protocol, payload):
        if checksum(payload if protocol == ICMP else pseudo(a, b, protocol, len(payload)) + payload):
            self.complaints.append("checksum")

    def ends(self, a, b, payload):
        sport, dport = struct.unpack("!HH", payload[:4])
        return "%s > %s" % (told(a, sport), told(b, dport))

    def tell_udp(self, a, b, payload, whole):
        return "udp " + self.ends(a, b, payload) + (" %s" % payload[8:] if whole and payload[8:] else "")

    def tell_tcp(self, a, b, payload, whole):
        text = "tcp " + self.ends(a, b, payload)
        if not whole:
            return text
        data = payload[(payload[12] >> 4) * 4 :]
        return text + " " + "".join(f for f, bit in FLAGS.items() if payload[13] & bit) + (" %s" % data if data else "")

    def tell_icmp(self, a, b, payload, whole):
        kind, code, _, ident = struct.unpack("!BBHH", payload[:6])
        text = "icmp %s > %s " % (told(a), told(b))
        if kind in (8, 0, 128, 129):
            return text + "echo %s id=%d" % ("request" if kind in (8, 128) else "reply", ident)
        return text + "type=%d code=%d [%s]" % (kind, code, self.tell_ip(payload[8:], False)) if whole else text

    def state(self):
        """What the flow rig.TELL has written into the source address: the bits of ct_state; zone and mark when not 0."""
        mark, zone, bits = struct.unpack("!HHB", self.frame[7:12])
        text = "|".join(name for i, name in enumerate(STATES) if bits >> i & 1) or "untracked"
        return text + (" zone=%d" % zone if zone else "") + (" mark=%d" % mark if mark else "")
