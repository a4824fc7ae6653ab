#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""udp_segments.py ADDRESS PORT READY: judges what became of one UDP packet that was to be cut into datagrams.

Receives datagrams at ADDRESS:PORT until one is shorter than the others: datagram i (from 1) must consist of bytes
of value i, all but the last of 1200. Creates the file READY when it listens; prints a line and exits 0, else 1."""

import socket
import sys

SEGMENT, PATIENCE = 1200, 30

address, port, ready = sys.argv[1:]
sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((address, int(port)))
sock.settimeout(PATIENCE)
open(ready, "w").close()
for i in range(1, 256):
    data = sock.recv(65536)
    if data != bytes([i]) * len(data):
        sys.exit(f"datagram {i}: wrong bytes, it begins with {data[:8].hex()}")
    if len(data) < SEGMENT:
        print(f"{i} datagrams, the last of {len(data)} bytes")
        sys.exit(0)
    if len(data) > SEGMENT:
        sys.exit(f"datagram {i}: {len(data)} bytes")
