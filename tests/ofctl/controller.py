#!/usr/bin/env python3
"""A controller on 127.0.0.1:6653 for one switch: says HELLO, answers echo requests, and sends each line of standard
input, a message in hex. Prints "listening", and "connected" when the switch has said HELLO. Ends with its input."""

import os
import selectors
import socket
import struct
import sys

HELLO, ECHO_REQUEST, ECHO_REPLY = 0, 2, 3


def message(kind, xid, body=b""):
    return struct.pack("!BBHI", 4, kind, 8 + len(body), xid) + body


def answer(peer, data):
    """Of the bytes heard, what is no whole message yet."""
    while len(data) >= 8 and len(data) >= struct.unpack("!H", data[2:4])[0]:
        kind, length, xid = struct.unpack("!xBHI", data[:8])
        if kind == ECHO_REQUEST:
            peer.sendall(message(ECHO_REPLY, xid, data[8:length]))
        elif kind == HELLO:
            print("connected", flush=True)
        data = data[length:]
    return data


listener = socket.create_server(("127.0.0.1", 6653))
print("listening", flush=True)
peer, _ = listener.accept()
peer.sendall(message(HELLO, 1))
both = selectors.DefaultSelector()
both.register(peer, selectors.EVENT_READ)
both.register(sys.stdin.fileno(), selectors.EVENT_READ)
heard = b""
said = b""
while True:
    for key, _ in both.select():
        new = os.read(key.fd, 65536)
        if not new:
            sys.exit(0)
        if key.fileobj is peer:
            heard = answer(peer, heard + new)
        else:
            *lines, said = (said + new).split(b"\n")
            for line in lines:
                peer.sendall(bytes.fromhex(line.decode()))
