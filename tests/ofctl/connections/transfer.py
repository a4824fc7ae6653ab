# SPDX-License-Identifier: Apache-2.0
"""Megabytes over TCP through translated connections, both ways at once."""
import hashlib
import os
import select
import time

from rig import LOCAL, connected, expect, to

MEGABYTES = 4
PATIENCE = 40


def exchange(a, b, size):
    """Each of the sockets sends `size` bytes of its own, and must get those of the other."""
    data = {a: os.urandom(1 << 16) * (size >> 16), b: os.urandom(1 << 16) * (size >> 16)}
    sent, got = {a: 0, b: 0}, {a: hashlib.sha256(), b: hashlib.sha256()}
    missing = {a: size, b: size}
    end = time.monotonic() + PATIENCE
    while any(missing.values()):
        waiting, sending = [s for s in missing if missing[s]], [s for s in sent if sent[s] < size]
        readable, writable, _ = select.select(waiting, sending, [], 1)
        for s in readable:
            piece = s.recv(1 << 20)
            expect("bytes that are missing at the end, %d:" % missing[s], bool(piece), True)
            got[s].update(piece)
            missing[s] -= len(piece)
        for s in writable:
            sent[s] += s.send(data[s][sent[s] : sent[s] + (1 << 18)])
        expect("%s bytes missing after %d s" % (list(missing.values()), PATIENCE), time.monotonic() < end, True)
    expect("from a to b", got[b].hexdigest(), hashlib.sha256(data[a]).hexdigest())
    expect("from b to a", got[a].hexdigest(), hashlib.sha256(data[b]).hexdigest())


def between(side, client_host, server_host, where, port):
    server = side.listener(server_host, port)
    client = side.connect(client_host, where)
    expect("connect", connected(client), 0)
    accepted, _ = side.accept(server)
    exchange(client, accepted, MEGABYTES << 20)


def source(side):
    side.flows(f"""
table=0,priority=10,in_port=1,tcp,actions=ct(commit,nat(src=10.1.1.240),table=1)
table=0,priority=10,in_port=2,tcp,actions=ct(nat,table=2)
table=1,priority=10,ct_state=-inv,actions={to(2)}
table=2,priority=10,ct_state=+est,actions={to(1)}
""")
    between(side, 1, 2, ("10.1.1.2", 80), 80)


def destination_in_two_zones(side):
    side.flows(f"""
table=0,priority=10,in_port=1,tcp,actions=ct(commit,zone=1,nat(dst=10.1.1.2:8080),table=1)
table=0,priority=10,in_port=2,tcp,actions=ct(zone=2,nat,table=2)
table=1,priority=10,tcp,ct_state=-inv,actions=ct(commit,zone=2,nat(src=10.1.1.241:3000-3010),table=3)
table=2,priority=10,tcp,ct_state=+est,actions=ct(zone=1,nat,table=4)
table=3,priority=10,ct_state=-inv,actions={to(2)}
table=4,priority=10,ct_state=+est,actions={to(1)}
""")
    between(side, 1, 2, ("10.1.1.100", 80), 8080)


def of_the_switch(side):
    """From the switch's own port, whose kernel leaves cutting and checksums to a switch that takes it over."""
    side.flows(f"""
table=0,priority=10,in_port=local,tcp,actions=ct(commit,nat(src=10.1.1.240),table=1)
table=0,priority=10,in_port=2,tcp,actions=ct(nat,table=2)
table=1,priority=10,ct_state=-inv,actions={to(2)}
table=2,priority=10,ct_state=+est,actions={to(LOCAL)}
""")
    between(side, LOCAL, 2, ("10.1.1.2", 80), 80)


source.uncounted = destination_in_two_zones.uncounted = of_the_switch.uncounted = True


SCENES = [source, destination_in_two_zones, of_the_switch]
