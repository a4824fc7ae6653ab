# SPDX-License-Identifier: Apache-2.0
"""The lives of TCP connections, packet by packet: how they begin, how they end, and begin again with the same ports."""
import contextlib
import select

from frames import tcp
from rig import TELL, connected, expect, received, reset, to, wait_for

A, B = "10.1.1.1:1000", "10.1.1.2:80"
# What 1 sends is committed.
TRACK = f"""
table=0,priority=10,in_port=1,tcp,actions=ct(commit,table=1)
table=0,priority=10,in_port=2,tcp,actions=ct(table=1)
table=1,priority=10,tcp,actions={TELL},output:3
"""


def there(side, flags, seq=0, ack=0, data=b"", **more):
    return side.states(1, tcp(A, B, flags, seq, ack, data, **more))


def back(side, flags, seq=0, ack=0, data=b"", **more):
    return side.states(2, tcp(B, A, flags, seq, ack, data, **more))


def open_both(side, seq=1000, ack=5000):
    """Their next numbers are seq + 1 and ack + 1."""
    expect("SYN", there(side, "S", seq), "new|trk")
    expect("SYN and ACK", back(side, "SA", ack, seq + 1), "est|rpl|trk")
    expect("ACK", there(side, "A", seq + 1, ack + 1), "est|trk")


def by_fin(side):
    side.flows(TRACK)
    open_both(side)
    expect("data", there(side, "PA", 1001, 5001, b"hello"), "est|trk")
    expect("data", back(side, "PA", 5001, 1006, b"world"), "est|rpl|trk")
    expect("FIN", there(side, "FA", 1006, 5006), "est|trk")
    expect("ACK", back(side, "A", 5006, 1007), "est|rpl|trk")
    expect("data of who has not ended", back(side, "PA", 5006, 1007, b"more"), "est|rpl|trk")
    expect("FIN", back(side, "FA", 5010, 1007), "est|rpl|trk")
    expect("ACK", there(side, "A", 1007, 5011), "est|trk")
    open_both(side, 70000, 90000)
    expect("data", there(side, "PA", 70001, 90001, b"hello"), "est|trk")


def by_rst(side):
    side.flows(TRACK)
    open_both(side)
    expect("RST outside of the window", back(side, "R", 900000000), "inv|trk")
    expect("still there", there(side, "PA", 1001, 5001, b"x"), "est|trk")
    expect("RST", back(side, "RA", 5001, 1002), "est|rpl|trk")
    open_both(side, 70000, 90000)


def refused(side):
    side.flows(TRACK)
    expect("SYN", there(side, "S", 1000), "new|trk")
    expect("RST", back(side, "RA", 0, 1001), "est|rpl|trk")
    open_both(side, 70000, 90000)


def half_open(side):
    """SYN and no answer."""
    side.flows(TRACK)
    for _ in range(3):
        expect("SYN", there(side, "S", 1000), "new|trk")
    expect("data before the answer", there(side, "PA", 1001, 0, b"x"), "est|trk")
    expect("SYN and ACK", back(side, "SA", 5000, 1001), "est|rpl|trk")
    expect("once more", back(side, "SA", 5000, 1001), "est|rpl|trk")
    expect("ACK", there(side, "A", 1001, 5001), "est|trk")


def both_begin(side):
    """Simultaneous open: each side's SYN is on its way when the other one's comes."""
    side.flows(TRACK)
    expect("SYN", there(side, "S", 1000), "new|trk")
    expect("SYN", back(side, "S", 5000), "new|trk")
    expect("SYN and ACK", there(side, "SA", 1000, 5001), "est|trk")
    expect("SYN and ACK", back(side, "SA", 5000, 1001), "est|rpl|trk")
    expect("data", there(side, "PA", 1001, 5001, b"x"), "est|trk")


def windows(side):
    """What is far outside of the window is invalid, and changes nothing; scaled windows count as they are."""
    side.flows(TRACK)
    open_both(side)
    expect("too far", there(side, "PA", 1001 + (1 << 24), 5001, b"x"), "inv|trk")
    expect("too old", there(side, "PA", 1001 - (1 << 24), 5001, b"x"), "inv|trk")
    expect("acknowledges what was never sent", there(side, "A", 1001, 5001 + (1 << 24)), "inv|trk")
    expect("goes on", there(side, "PA", 1001, 5001, b"x"), "est|trk")
    expect("again", there(side, "PA", 1001, 5001, b"x"), "est|trk")

    scale = b"\3\3\7\0"
    side.flows(TRACK)
    expect("SYN", there(side, "S", 1000, options=scale), "new|trk")
    expect("SYN and ACK", back(side, "SA", 5000, 1001, options=scale), "est|rpl|trk")
    expect("ACK", there(side, "A", 1001, 5001, window=1000), "est|trk")
    expect("ACK", back(side, "A", 5001, 1001, window=1000), "est|rpl|trk")
    expect("1000 << 7 bytes are allowed", there(side, "PA", 1001 + 120000, 5001, b"x", window=1000), "est|trk")


def wrapped(side):
    """Numbers that go over the end."""
    side.flows(TRACK)
    open_both(side, 0xFFFFFFF0, 0xFFFFFFFF)
    expect("over the end", there(side, "PA", 0xFFFFFFF1, 0, bytes(100)), "est|trk")
    expect("acknowledged", back(side, "A", 0, 0x55), "est|rpl|trk")
    expect("behind it", there(side, "PA", 0x55, 0, b"x"), "est|trk")


def kernels(side):
    """Close by FIN and by RST, and the same ports again at once."""
    side.flows(f"""
table=0,priority=10,tcp,actions=ct(table=1)
table=1,priority=10,in_port=1,tcp,ct_state=+new,actions=ct(commit,nat(src=10.1.1.240:4000-4020)),{to(2)}
table=0,priority=11,in_port=2,tcp,actions=ct(nat,table=1)
table=0,priority=11,in_port=1,tcp,actions=ct(nat,table=1)
table=1,priority=10,in_port=1,tcp,ct_state=+est,actions={to(2)}
table=1,priority=10,in_port=2,tcp,ct_state=+est,actions={to(1)}
""")
    server = side.listener(2, 80)
    for how in ("FIN", "RST", "FIN of the server", "RST"):
        client = side.connect(1, ("10.1.1.2", 80), 1000)
        expect("connect before " + how, connected(client), 0)
        accepted, peer = side.accept(server)
        expect("translated", peer[0], "10.1.1.240")
        client.send(b"x")
        expect("at the server", received(accepted, 1), b"x")
        first, last = (accepted, client) if how == "FIN of the server" else (client, accepted)
        if how == "RST":
            reset(first)
        else:
            first.shutdown(1)
        wait_ended(last)
        reset(last)
        reset(first)
        side.settle()


def wait_ended(s):
    wait_for("the end", lambda: select.select([s], [], [], 0)[0])
    with contextlib.suppress(ConnectionResetError):
        expect("the end", s.recv(10), b"")


kernels.uncounted = True
SCENES = [by_fin, by_rst, refused, half_open, both_begin, windows, wrapped, kernels]
