# SPDX-License-Identifier: Apache-2.0
"""Packets by chance, the same ones for both switches (CHANCE=SEED for others): what the tracker tells of each is returned,
and must be the same."""
import os
import random

from frames import echo, icmp_error, tcp, udp
from rig import TELL

SEED = int(os.environ.get("CHANCE", "1"))
FAR = (1 << 31) - 123456  # not the other end of the numbers: neither before nor behind
PACKETS = int(os.environ.get("CHANCES", "400"))


class End:
    """One end of a TCP connection: what it would send next."""

    def __init__(self, dice, name):
        self.dice, self.name, self.next = dice, name, dice.choice((dice.getrandbits(32), 0xFFFFFFF0, 0))

    def segment(self, other, flags):
        """Mostly what fits, sometimes what does not. Without `flags`: some, but no SYN alone; while there is no answer,
        Weft takes the numbers of another one."""
        dice = self.dice
        flags = flags or dice.choice("SA A A PA PA PA FA FA R RA F SF SR - FPU U SAF".split()).strip("-")
        near, far = (0, 0, 0, 0, 0, 0, 1, -1, dice.randrange(-3000, 3000)), (65535, -70000, 1 << 24, -(1 << 24), FAR)
        off, ack_off = 0 if flags == "S" else dice.choice(near + far), dice.choice(near + far)
        data = bytes(dice.choice((0, 0, 1, 100, 1400))) if "S" not in flags else b""
        options = b""
        if "S" in flags:
            options = dice.choice((b"", b"\3\3%c\0" % dice.randrange(0, 16), b"\2\4\5\xb4\1\3\3\7", b"\3\3\1\0\0\0\0\0"))
            options += bytes(-len(options) % 4)
        seq = self.next + off
        ack = other.next + ack_off if "A" in flags else dice.choice((0, other.next))
        # 65535 with an offer to scale that is declined becomes 0 in Open vSwitch
        window = dice.choice((30000 if "S" in flags else 65535, 1000, 10, 0))
        frame = tcp(self.name, other.name, flags, seq, ack, data, window=window, options=options)
        if not off:
            self.next += len(data) + ("S" in flags) + ("F" in flags)
        return "%s %s%+d %+d len %d" % (self.name, flags, off, ack_off, len(data)), frame


def tcp_by_chance(side):
    """Ports 1 and 3 commit. Now and then another connection begins, or one of before goes on."""
    side.flows(f"""
table=0,priority=10,in_port=1,tcp,actions=ct(commit,table=1)
table=0,priority=10,in_port=2,tcp,actions=ct(table=1)
table=0,priority=10,in_port=3,tcp,actions=ct(commit,table=1)
table=1,priority=10,tcp,in_port=3,actions={TELL},output:1
table=1,priority=9,tcp,actions={TELL},output:3
""")
    dice, told = random.Random(SEED), []
    pairs = []
    for number in range(PACKETS):
        if number % 16 == 0:
            pairs.append((End(dice, "10.1.1.1:%d" % (1000 + len(pairs))), End(dice, "10.1.1.2:80")))
        pair = pairs[-1] if number % 16 == 0 or dice.random() < 0.9 else dice.choice(pairs)
        way = dice.random() < 0.5
        what, frame = pair[way].segment(pair[not way], "S" if number % 16 == 0 and dice.random() < 0.7 else "")
        port = dice.choice((1, 1, 2, 2, 2, 3))
        told.append("%d: port %d %s: %s" % (number, port, what, side.states(port, frame)))
    return told


class Talk:
    """A client that talks through a translation: packets of its own, answers to what came out, errors about either."""

    def __init__(self, dice, number):
        self.dice, self.kind = dice, dice.choice(("udp", "tcp", "echo", "udp6"))
        self.port = dice.choice((1, 3))
        self.number, self.there, self.back = 1000 + number, None, None  # what came out last, either way
        host = "fd01::%d" if self.kind == "udp6" else "10.1.1.%d"
        self.client, self.server = host % self.port, host % (2 if self.port == 1 else 100)

    def question(self):
        if self.kind == "echo":
            return echo(self.client, self.server, self.number)
        if self.kind == "tcp":
            return tcp("%s:%d" % (self.client, self.number), self.server + ":80", "S", 1)
        form = "[%s]:%d" if self.kind == "udp6" else "%s:%d"
        return udp(form % (self.client, self.number), form % (self.server, 53), b"question")

    def answer(self):
        there = self.there
        if self.kind == "echo":
            return echo(there.target, there.source, int.from_bytes(there.frame[38:40], "big"), reply=True)
        if self.kind == "tcp":
            return tcp(there.target, there.source, "SA", 5, 2)
        return udp(there.target, there.source, b"answer")

    def error(self, about):
        """Of the other end or of somebody on the way, about what it has got."""
        v6 = self.kind == "udp6"
        source, target = (bare(end) for end in (about.target, about.source))
        if self.dice.random() < 0.5:
            source = "fd01::77" if v6 else "10.1.1.77"
        return icmp_error(source, target, 1 if v6 else 3, 4 if v6 else 1, about.frame)

    def step(self):
        """(port, what, frame) of what happens next."""
        what = self.dice.choice(("question", "question", "answer", "answer", "answer", "error", "error back"))
        if what == "answer" and self.there:
            return 2, what, self.answer()
        if what == "error" and self.there:
            return 2, what, self.error(self.there)
        if what == "error back" and self.back:
            return self.port, what, self.error(self.back)
        return self.port, "question", self.question()


def bare(end):
    """The address of an endpoint."""
    return end[1 : end.index("]")] if end.startswith("[") else end.split(":")[0] if end.count(":") < 2 else end


def translation_by_chance(side):
    """Sources are translated in zone 1, destinations in zone 2. Now and then a zone is forgotten."""
    side.flows(f"""
table=0,priority=10,ip,in_port=1,actions=ct(commit,zone=1,nat(src=10.1.1.240),table=1)
table=0,priority=10,ipv6,in_port=1,actions=ct(commit,zone=1,nat(src=fd01::240),table=1)
table=0,priority=10,ip,in_port=3,actions=ct(commit,zone=2,nat(dst=10.1.1.2:8080),table=1)
table=0,priority=10,ipv6,in_port=3,actions=ct(commit,zone=2,nat(dst=[fd01::2]:8080),table=1)
table=0,priority=20,ip,in_port=2,nw_dst=10.1.1.240,actions=ct(zone=1,nat,table=2)
table=0,priority=20,ipv6,in_port=2,ipv6_dst=fd01::240,actions=ct(zone=1,nat,table=2)
table=0,priority=10,ip,in_port=2,actions=ct(zone=2,nat,table=2)
table=0,priority=10,ipv6,in_port=2,actions=ct(zone=2,nat,table=2)
table=1,priority=10,ct_state=+trk,actions={TELL},output:2
table=2,priority=10,ct_zone=1,ct_state=+trk,actions={TELL},output:1
table=2,priority=10,ct_zone=2,ct_state=+trk,actions={TELL},output:3
""")
    dice, told, talks = random.Random(SEED), [], []
    for number in range(PACKETS):
        if number % 8 == 0:
            talks.append(Talk(dice, number))
        if number % 100 == 99:
            side.ofctl("ct-flush-zone", "br0", dice.choice("12"))
        talk = dice.choice(talks[-4:])
        port, what, frame = talk.step()
        out = side.send(port, frame)
        for where, packet in out:
            told.append("%d: %s of port %d: %d: %s %s" % (number, what, port, where, packet.state(), packet.text))
            if what == "question":
                talk.there = packet
            elif what == "answer":
                talk.back = packet
    return told


SCENES = [tcp_by_chance, translation_by_chance]
