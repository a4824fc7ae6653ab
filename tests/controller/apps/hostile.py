# SPDX-License-Identifier: Apache-2.0
"""Clients that mean no good, all at once: hostile.py SOCKET TCP_PORT SECONDS. Ends with 0 when none of them got
the better of the switch: it hung up on them or stopped to read."""
import os
import random
import select
import socket
import struct
import sys
import time

PATH, PORT, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
HELLO = struct.pack("!BBHI", 4, 0, 8, 1)
ECHO = struct.pack("!BBHI", 4, 2, 8, 2)
TABLE_FEATURES = struct.pack("!BBHIHHI", 4, 18, 16, 3, 12, 0, 0)
FLOW_STATS = struct.pack("!BBHIHHI", 4, 18, 56, 3, 1, 0, 0) + struct.pack("!B3xII4xQQHH4x", 255, 0xffffffff,
                                                                         0xffffffff, 0, 0, 1, 4)
HALF = struct.pack("!BBHI", 4, 14, 60000, 4) + bytes(30000)
PIECES = struct.pack("!BBHIHHI", 4, 18, 60000, 5, 12, 1, 0) + bytes(59984)
PACKET_OUT = struct.pack("!BBHIIIH6xHHIH6x", 4, 13, 40 + 1000, 6, 0xffffffff, 0xfffffffd, 16, 0, 16, 1, 0) + bytes(1000)
FLOW_MOD = struct.pack("!BBHIQQBBHHHIIIH2xHH4x", 4, 14, 56, 7, 0, 0, 200, 0, 0, 0, 1, 0xffffffff, 0xffffffff,
                       0xffffffff, 0, 1, 4)
SEED = int.from_bytes(os.urandom(4), "big")
random.seed(SEED)
NONSENSE = bytes(random.randrange(256) for _ in range(65536))


def connect(tcp):
    if tcp:
        sock = socket.create_connection(("127.0.0.1", PORT))
    else:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(PATH)
    sock.setblocking(False)
    return sock


def main():
    print("seed", SEED)
    clients = []  # (socket, what it says again and again, whether it reads the answers)
    for i in range(60):
        say, reads = ((TABLE_FEATURES, False), (FLOW_STATS, False), (ECHO * 1000, False), (ECHO * 1000, True),
                      (PACKET_OUT * 50, False), (FLOW_MOD * 500, False), (PIECES, False), (NONSENSE, True),
                      (HALF[:-8], None), (b"\4\0\0", None))[i % 10]
        sock = connect(i % 2 == 0)
        sock.send(HELLO if say[:3] != b"\4\0\0" else say)
        clients.append([sock, say, reads, 0])
    crowd = [connect(i % 2 == 0) for i in range(400)]  # more than the switch takes
    sent, end = 0, time.monotonic() + SECONDS
    for client in clients:
        if client[2] is None:
            client[0].send(client[1])
    while time.monotonic() < end:
        active = [c for c in clients if c[2] is not None]
        readable, writable, _ = select.select([c[0] for c in active if c[2]], [c[0] for c in active], [], 0.1)
        for client in active:
            try:
                if client[0] in readable and not client[0].recv(1 << 20):
                    raise ConnectionError
                if client[0] in writable:
                    data = client[1][client[3]:]
                    n = client[0].send(data)
                    client[3] = 0 if n == len(data) else client[3] + n
                    sent += n
            except BlockingIOError:
                pass
            except ConnectionError:
                clients.remove(client)
    print("%d MB were taken; of %d clients %d are still connected" % (sent >> 20, 60, len(clients)))
    refused = 0
    for sock in crowd:
        try:
            while sock.recv(4096):
                pass
            refused += 1
        except BlockingIOError:
            pass
        except ConnectionError:
            refused += 1
    print("%d of %d in the crowd were sent away" % (refused, len(crowd)))
    return 0 if refused >= 400 + 60 - 256 else 1


sys.exit(main())
