#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""changes.py SOCKET RATE: adds and removes flows of a port that nobody sends from, RATE changes a second in all, over
OpenFlow 1.3, until it is terminated. The last line tells how many the switch has confirmed by a barrier."""
import signal
import socket
import struct
import sys
import time

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, FLOW_MOD, BARRIER_REQUEST, BARRIER_REPLY = 0, 1, 2, 3, 14, 20, 21
ADD, DELETE_STRICT = 0, 4
PORT, FLOWS, STEP = 9, 500, 0.01


def message(kind, body=b"", xid=0):
    return struct.pack("!BBHI", 4, kind, 8 + len(body), xid) + body


def oxm(field, value):
    return struct.pack("!HBB", 0x8000, field << 1, len(value)) + value


def flow_mod(command, flow):
    """UDP from one of FLOWS addresses; no instructions: dropped."""
    fields = (oxm(0, struct.pack("!I", PORT)) + oxm(5, b"\x08\x00") + oxm(10, b"\x11") +
              oxm(11, struct.pack("!I", 0x0b000000 + flow)) + oxm(15, struct.pack("!H", 1024 + flow)))
    match = struct.pack("!HH", 1, 4 + len(fields)) + fields
    match += bytes(-len(match) % 8)
    return message(FLOW_MOD, struct.pack("!QQBBHHHIIIHH", 0, 0, 0, command, 0, 0, 100, 0xffffffff, 0xffffffff,
                                         0xffffffff, 0, 0) + match)


class Switch:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.sendall(message(HELLO))

    def read_exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                sys.exit("changes: the switch has hung up")
            data += more
        return data

    def barrier(self):
        self.socket.sendall(message(BARRIER_REQUEST))
        while True:
            _, kind, length, xid = struct.unpack("!BBHI", self.read_exactly(8))
            body = self.read_exactly(length - 8)
            if kind == ERROR:
                sys.exit("changes: error type %d code %d" % struct.unpack("!HH", body[:4]))
            if kind == ECHO_REQUEST:
                self.socket.sendall(message(ECHO_REPLY, body, xid))
            if kind == BARRIER_REPLY:
                return


def main():
    switch, rate = Switch(sys.argv[1]), int(sys.argv[2])
    cycle = [flow_mod(command, f) for command in (ADD, DELETE_STRICT) for f in range(FLOWS)]
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    start, done = time.monotonic(), 0
    while not stopped:
        due = int((time.monotonic() - start) * rate)
        switch.socket.sendall(b"".join(cycle[i % len(cycle)] for i in range(done, due)))
        switch.barrier()
        done = max(done, due)
        time.sleep(STEP)
    print("%d changes in %.2f s" % (done, time.monotonic() - start))


main()
