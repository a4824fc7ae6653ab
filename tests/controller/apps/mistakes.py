# SPDX-License-Identifier: Apache-2.0
"""Mistakes of a client of OpenFlow 1.3, and the error that each must get (OpenFlow 1.3.5, 7.4.4): mistakes.py SOCKET.
The messages are made here, byte by byte; ports 1 and 2 exist."""
import socket
import struct
import sys

ANY = 0xFFFFFFFF
ERROR, BARRIER = 1, 20
(EXPERIMENTER, FEATURES, SET_CONFIG, PACKET_OUT, FLOW_MOD, GROUP_MOD, PORT_MOD, TABLE_MOD, MULTIPART, QUEUES, ROLE, SET_ASYNC,
 METER_MOD) = (4, 5, 9, 13, 14, 15, 16, 17, 18, 22, 24, 28, 29)
ADD, MODIFY, DELETE, DELETE_STRICT = 0, 1, 3, 4


class Channel:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.xid = 1
        self.send(0)
        self.receive()

    def send(self, kind, body=b"", version=4):
        self.xid += 1
        self.socket.sendall(struct.pack("!BBHI", version, kind, 8 + len(body), self.xid) + body)
        return self.xid

    def read(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            assert piece, "the switch hung up"
            data += piece
        return data

    def receive(self):
        head = self.read(8)
        return head + self.read(struct.unpack("!H", head[2:4])[0] - 8)

    def error(self, kind, body=b"", version=4):
        """Sends, and returns (type, code) of the error; None when there is none."""
        xid, barrier, error = self.send(kind, body, version), self.send(BARRIER), None
        while True:
            message = self.receive()
            answers = struct.unpack("!I", message[4:8])[0]
            if answers == xid and message[1] == ERROR:
                quoted = message[12:]
                assert len(quoted) >= min(64, 8 + len(body)), "an error quotes 64 bytes of what it is about"
                error = struct.unpack("!HH", message[8:12])
            if answers == barrier:
                return error


# ---- parts of messages

def match(*fields):
    body = b"".join(fields)
    return struct.pack("!HH", 1, 4 + len(body)) + body + bytes(-(4 + len(body)) % 8)


def oxm(field, value, size, mask=None, oxm_class=0x8000):
    body = value.to_bytes(size, "big") + (b"" if mask is None else mask.to_bytes(size, "big"))
    return struct.pack("!HBB", oxm_class, field << 1 | (mask is not None), len(body)) + body


def flow(*instructions, fields=(), command=ADD, table=0, priority=100, buffer=ANY, flags=0):
    return struct.pack("!QQBBHHHIIIHxx", 0, 0, table, command, 0, 0, priority, buffer, ANY, ANY, flags) + \
        match(*fields) + b"".join(instructions)


def instruction(kind, body):
    return struct.pack("!HH", kind, 4 + len(body)) + body


def apply(*actions):
    return instruction(4, bytes(4) + b"".join(actions))


def write(*actions):
    return instruction(3, bytes(4) + b"".join(actions))


def goto(table):
    return instruction(1, bytes([table, 0, 0, 0]))


def action(kind, number=0):
    return struct.pack("!HHI", kind, 8, number)


def output(port):
    return struct.pack("!HHIH6x", 0, 16, port, 0xFFFF)


def set_field(field):
    body = field + bytes(-(4 + len(field)) % 8)
    return struct.pack("!HH", 25, 4 + len(body)) + body


def group(command, kind, number, *buckets):
    return struct.pack("!HBxI", command, kind, number) + b"".join(buckets)


def bucket(*actions, watch_port=ANY):
    body = b"".join(actions)
    return struct.pack("!HHII4x", 16 + len(body), 0, watch_port, ANY) + body


def meter(command, flags, number, *bands):
    return struct.pack("!HHI", command, flags, number) + b"".join(bands)


def band(kind=1):
    return struct.pack("!HHIII", kind, 16, 1000, 0, 0)


def multipart(kind, body=b""):
    return struct.pack("!HHI", kind, 0, 0) + body


def packet_out(actions, in_port=1, buffer=ANY):
    return struct.pack("!IIH6x", buffer, in_port, len(actions)) + actions + bytes(60)


IP, IPV6, MPLS = oxm(5, 0x0800, 2), oxm(5, 0x86DD, 2), oxm(5, 0x8847, 2)
TAGGED, PUSH_VLAN = oxm(6, 0x1005, 2), action(17, 0x8100 << 16)
PORT_1_ELSEWHERE = struct.pack("!I4x6s2xIII4x", 1, b"\1" * 6, 0, 0, 0)
NO_PORT = struct.pack("!I4x6s2xIII4x", 77, bytes(6), 0, 0, 0)

# (message, body, error): in order, what an earlier line made is there for later ones. None: no mistake.
MISTAKES = [
    # requests (OFPET_BAD_REQUEST)
    (99, b"", (1, 1)), (6, bytes(24), (1, 1)), (10, bytes(24), (1, 1)),
    (FEATURES, b"\0", (1, 6)), (SET_CONFIG, bytes(2), (1, 6)), (SET_CONFIG, bytes(12), (1, 6)),
    (EXPERIMENTER, struct.pack("!II", 0x1234, 1), (1, 3)), (EXPERIMENTER, struct.pack("!II", 0x2320, 9999), (1, 4)),
    (MULTIPART, multipart(77), (1, 2)), (MULTIPART, multipart(0xFFFF, struct.pack("!II", 0x1234, 1)), (1, 3)),
    (MULTIPART, b"\0\0", (1, 6)), (MULTIPART, multipart(0, bytes(4)), (1, 6)), (MULTIPART, multipart(1, bytes(4)), (1, 6)),
    (MULTIPART, multipart(4, bytes(4)), (1, 6)), (MULTIPART, multipart(7, bytes(8)), (1, 6)),
    (PORT_MOD, bytes(8), (1, 6)), (ROLE, bytes(24), (1, 6)), (SET_ASYNC, bytes(8), (1, 6)), (TABLE_MOD, bytes(16), (1, 6)),
    (PACKET_OUT, packet_out(output(1), buffer=5), (1, 8)), (PACKET_OUT, packet_out(output(1), in_port=0xFFFFFFF9), (1, 11)),
    (PACKET_OUT, struct.pack("!IIH6x", ANY, 1, 200), (1, 6)), (PACKET_OUT, packet_out(action(22, 99)), (2, 9)),
    # ct with a helper that there is not, and with alg=ftp
    (PACKET_OUT, packet_out(struct.pack("!HHIHHIHB3xH", 0xFFFF, 24, 0x2320, 35, 0, 0, 0, 255, 22)), (2, 5)),
    (PACKET_OUT, packet_out(struct.pack("!HHIHHIHB3xH", 0xFFFF, 24, 0x2320, 35, 0, 0, 0, 255, 21)), None),
    # actions
    (FLOW_MOD, flow(apply(action(99))), (2, 0)), (FLOW_MOD, flow(apply(struct.pack("!HHI", 18, 64, 0))), (2, 1)),
    (FLOW_MOD, flow(apply(action(0, 1))), (2, 1)), (FLOW_MOD, flow(apply(action(0xFFFF, 0x1234))), (2, 2)),
    (FLOW_MOD, flow(apply(output(ANY))), (2, 4)), (FLOW_MOD, flow(apply(output(0xFFFFFF01))), (2, 4)),
    (FLOW_MOD, flow(apply(output(77))), None), (FLOW_MOD, flow(apply(action(22, 500))), (2, 9)),
    (FLOW_MOD, flow(write(action(22, 500))), (2, 9)), (FLOW_MOD, flow(apply(action(22, ANY))), (2, 9)),
    (FLOW_MOD, flow(apply(action(17, 0x1234 << 16))), (2, 5)), (FLOW_MOD, flow(apply(action(19, 0x0800 << 16))), (2, 5)),
    (FLOW_MOD, flow(apply(action(26, 0x8100 << 16))), (2, 5)), (FLOW_MOD, flow(apply(action(20, 0x0800 << 16))), (2, 10)),
    (FLOW_MOD, flow(apply(action(16))), (2, 10)), (FLOW_MOD, flow(apply(action(24))), (2, 10)),
    (FLOW_MOD, flow(apply(action(27))), (2, 10)), (FLOW_MOD, flow(apply(action(19, 0x8847 << 16), action(16))), None),
    (FLOW_MOD, flow(apply(set_field(oxm(11, 1, 4)))), (2, 10)), (FLOW_MOD, flow(apply(set_field(oxm(7, 1, 1)))), (2, 10)),
    (FLOW_MOD, flow(apply(set_field(oxm(11, 1, 4))), fields=[IP]), None),
    (FLOW_MOD, flow(apply(set_field(oxm(13, 1, 2))), fields=[IP]), (2, 10)),
    (FLOW_MOD, flow(apply(set_field(oxm(0, 1, 4)))), (2, 13)), (FLOW_MOD, flow(apply(set_field(oxm(1, 1, 4)))), (2, 13)),
    (FLOW_MOD, flow(apply(set_field(oxm(99, 1, 1)))), (2, 13)),
    (FLOW_MOD, flow(apply(set_field(oxm(39, 1, 2))), fields=[IPV6]), (2, 13)),
    (FLOW_MOD, flow(apply(set_field(oxm(3, 1, 4)))), (2, 14)),
    (FLOW_MOD, flow(apply(set_field(oxm(8, 64, 1))), fields=[IP]), (2, 15)),
    (FLOW_MOD, flow(apply(PUSH_VLAN, set_field(oxm(6, 0x3000, 2)))), (2, 15)),
    (FLOW_MOD, flow(apply(PUSH_VLAN, set_field(oxm(7, 8, 1)))), (2, 15)),
    # instructions
    (FLOW_MOD, flow(instruction(77, bytes(4))), (3, 0)), (FLOW_MOD, flow(goto(3), goto(4)), (3, 1)),
    (FLOW_MOD, flow(goto(0)), (3, 2)), (FLOW_MOD, flow(goto(3), table=5), (3, 2)), (FLOW_MOD, flow(goto(254)), (3, 2)),
    (FLOW_MOD, flow(goto(255)), (3, 2)), (FLOW_MOD, flow(goto(253)), None),
    (FLOW_MOD, flow(instruction(0xFFFF, bytes(4))), (3, 5)), (FLOW_MOD, flow(struct.pack("!HHI", 4, 64, 0)), (3, 7)),
    (FLOW_MOD, flow(struct.pack("!HHI", 4, 0, 0)), (3, 7)),
    # TLV maps and connections: a request with a body, a zone that is cut off, properties that are
    (EXPERIMENTER, struct.pack("!IIQ", 0x2320, 25, 0), (1, 6)), (EXPERIMENTER, struct.pack("!III", 0x2320, 29, 0), (1, 6)),
    (EXPERIMENTER, struct.pack("!III", 0x2320, 32, 0), (1, 6)),
    *[(MULTIPART, struct.pack("!HHIII", 0xFFFF, 0, 0, 0x2320, kind), (1, 4)) for kind in (3, 4)],
    # matches
    (FLOW_MOD, flow()[:40] + struct.pack("!HH", 0, 88) + bytes(84), (4, 0)),
    (FLOW_MOD, flow()[:40] + struct.pack("!HHI", 1, 90, 0), (4, 1)), (FLOW_MOD, flow(fields=[oxm(5, 0, 4)]), (4, 1)),
    (FLOW_MOD, flow(fields=[IP, oxm(11, 0x01020304, 4, 0xFFFF0000)]), (4, 5)),
    (FLOW_MOD, flow(fields=[oxm(0, 1, 4, oxm_class=0x7777)]), (4, 6)), (FLOW_MOD, flow(fields=[oxm(99, 1, 1)]), (4, 6)),
    (FLOW_MOD, flow(fields=[oxm(6, 0x2000, 2)]), (4, 7)), (FLOW_MOD, flow(fields=[IP, oxm(8, 64, 1)]), (4, 7)),
    (FLOW_MOD, flow(fields=[TAGGED, oxm(7, 8, 1)]), (4, 7)), (FLOW_MOD, flow(fields=[MPLS, oxm(34, 1 << 20, 4)]), (4, 7)),
    (FLOW_MOD, flow(fields=[IPV6, oxm(28, 1 << 20, 4)]), (4, 7)), (FLOW_MOD, flow(fields=[IPV6, oxm(39, 512, 2)]), (4, 7)),
    (FLOW_MOD, flow(fields=[oxm(1, 1, 4)]), (4, 9)), (FLOW_MOD, flow(fields=[oxm(0, 1, 4), oxm(1, 1, 4)]), None),
    (FLOW_MOD, flow(fields=[oxm(0, 1, 4), oxm(1, 1, 4, 255)]), (4, 8)),
    (FLOW_MOD, flow(fields=[oxm(0, 1, 4, 255)]), (4, 8)), (FLOW_MOD, flow(fields=[IP, oxm(10, 4, 1, 4)]), (4, 8)),
    (FLOW_MOD, flow(fields=[oxm(11, 1, 4), IP]), (4, 9)), (FLOW_MOD, flow(fields=[IP, oxm(13, 1, 2)]), (4, 9)),
    (FLOW_MOD, flow(fields=[oxm(7, 1, 1)]), (4, 9)), (FLOW_MOD, flow(fields=[oxm(6, 0, 2), oxm(7, 1, 1)]), (4, 9)),
    (FLOW_MOD, flow(fields=[IPV6, oxm(10, 58, 1), oxm(29, 1, 1), oxm(31, 0, 16)]), (4, 9)),
    (FLOW_MOD, flow(fields=[IP, IP]), (4, 10)),
    # flows
    (FLOW_MOD, flow(command=9), (5, 6)), (FLOW_MOD, flow(table=254), (5, 2)), (FLOW_MOD, flow(table=255), (5, 2)),
    (FLOW_MOD, flow(command=MODIFY, table=255), (5, 2)), (FLOW_MOD, flow(command=DELETE, table=254), (5, 2)),
    (FLOW_MOD, flow(command=DELETE_STRICT, table=255, priority=1), None), (FLOW_MOD, flow(flags=0x100), (5, 7)),
    (FLOW_MOD, flow(buffer=1), (1, 8)), (FLOW_MOD, flow(priority=7), None),
    (FLOW_MOD, flow(priority=7, fields=[IP], flags=2), (5, 3)), (FLOW_MOD, flow(priority=8, fields=[IP], flags=2), None),
    # groups
    (GROUP_MOD, group(0, 0, 1, bucket(output(1))), None), (GROUP_MOD, group(0, 0, 1), (6, 0)),
    (GROUP_MOD, group(0, 0, 0xFFFFFF01), (6, 1)), (GROUP_MOD, group(0, 2, 8, bucket(), bucket()), (6, 1)),
    (GROUP_MOD, group(1, 0, 77), (6, 8)), (GROUP_MOD, group(0, 9, 7), (6, 10)), (GROUP_MOD, group(9, 0, 7), (6, 11)),
    (GROUP_MOD, group(0, 3, 8, bucket(output(1))), (6, 13)), (GROUP_MOD, group(0, 0, 8, bucket(action(22, 123))), (2, 9)),
    (GROUP_MOD, group(0, 0, 8, bucket(action(99))), (2, 0)), (GROUP_MOD, group(0, 0, 2, bucket(action(22, 1))), None),
    (GROUP_MOD, group(1, 0, 1, bucket(action(22, 2))), (6, 7)), (GROUP_MOD, group(2, 0, 1), (6, 9)),
    (GROUP_MOD, group(2, 0, 777), None),
    # ports, tables, queues, configuration, roles
    (PORT_MOD, NO_PORT, (7, 0)), (PORT_MOD, PORT_1_ELSEWHERE, (7, 1)),
    (TABLE_MOD, struct.pack("!B3xI", 254, 0), (8, 0)), (TABLE_MOD, struct.pack("!B3xI", 0, 0x80), (8, 1)),
    (QUEUES, struct.pack("!I4x", 77), (9, 0)), (MULTIPART, multipart(5, struct.pack("!II", 77, ANY)), (9, 0)),
    (MULTIPART, multipart(5, struct.pack("!II", 1, 5)), (9, 1)), (SET_CONFIG, struct.pack("!HH", 16, 0), (10, 0)),
    (ROLE, struct.pack("!I4xQ", 9, 0), (11, 2)),
    # meters
    (METER_MOD, meter(0, 1, 1, band()), None), (METER_MOD, meter(0, 1, 1, band()), (12, 1)),
    (METER_MOD, meter(0, 1, 0, band()), (12, 2)), (FLOW_MOD, flow(instruction(6, bytes([0, 0, 0, 9]))), (12, 2)),
    (METER_MOD, meter(1, 1, 9, band()), (12, 3)), (MULTIPART, multipart(9, struct.pack("!I4x", 9)), (12, 3)),
    (METER_MOD, meter(9, 1, 2), (12, 4)), (METER_MOD, meter(0, 3, 2, band()), (12, 5)),
    (METER_MOD, meter(0, 1, 2, band(7)), (12, 8)), (METER_MOD, meter(2, 1, 9), None),
]


def main():
    channel = Channel(sys.argv[1])
    wrong = 0
    for number, (kind, body, error) in enumerate(MISTAKES):
        got = channel.error(kind, body)
        if got != error:
            wrong += 1
            print("mistake %d, message type %d, %s: %s, expected %s" % (number, kind, body.hex(), got, error))
    assert channel.error(BARRIER, version=5) == (1, 0)
    assert channel.error(ROLE, struct.pack("!I4xQ", 3, 5)) is None # a slave from here on
    for kind, body in ((FLOW_MOD, flow()), (GROUP_MOD, group(2, 0, 2)), (METER_MOD, meter(2, 1, 1)), (PORT_MOD, NO_PORT),
                       (TABLE_MOD, bytes(8)), (PACKET_OUT, packet_out(output(1))), (MULTIPART, multipart(12, bytes(64)))):
        assert channel.error(kind, body) == (1, 10), "a slave may do message %d" % kind
    assert channel.error(ROLE, struct.pack("!I4xQ", 2, 4)) == (11, 0) # an older generation
    print("%d mistakes, %d answered otherwise" % (len(MISTAKES), wrong))
    return wrong != 0


sys.exit(main())
