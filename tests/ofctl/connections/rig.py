# SPDX-License-Identifier: Apache-2.0
"""A switch with three hosts for the scenes: flows, frames from and to its ports, and sockets of its hosts' kernels.

    namespace SIDE                      namespaces SIDE-1, SIDE-2, SIDE-3
    switch with p1, p2, p3              q1: 10.1.1.1, fd01::1 ...
    br0, its own port: 10.1.1.9         each sends all it has to say to the switch

Nothing is timed. A frame that was not forwarded is known by a later one that was (settle())."""
import contextlib
import ctypes
import errno
import os
import re
import select
import socket
import struct
import subprocess
import time

from frames import MARKER, OURS, Packet, echo

PORTS = (1, 2, 3)
LOCAL = 9  # the host whose port is the switch's own
PATIENCE = 20  # seconds, for what must happen
MARKERS = "priority=65535,dl_type=0x%04x,actions=in_port,1,2,3" % MARKER
# Writes what the tracker found where Packet.state() reads it.
TELL = (
    "move:NXM_NX_CT_STATE[0..7]->NXM_OF_ETH_SRC[0..7],move:NXM_NX_CT_ZONE[]->NXM_OF_ETH_SRC[8..23],"
    "move:NXM_NX_CT_MARK[0..15]->NXM_OF_ETH_SRC[24..39]"
)
CLONE_NEWNET = 0x40000000
SO_ATTACH_FILTER = 26
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
LIBC = ctypes.CDLL(None, use_errno=True)


def address(host):
    return "10.1.1.%d" % host


def address6(host):
    return "fd01::%d" % host


def to(host):
    """Actions that send to a host whose kernel is to take it."""
    if host == LOCAL:
        return "mod_dl_dst:02:00:00:00:00:ff,local"
    return "mod_dl_dst:02:00:00:00:01:0%d,output:%d" % (host, host)


def wait_for(what, ask):
    """The first true answer."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError("%s: not within %d s" % (what, PATIENCE))
        select.select([], [], [], 0.002)


def expect(what, got, want):
    """`want`: a value, or a pattern if both are text."""
    if got == want or (isinstance(want, re.Pattern) and isinstance(got, str) and want.fullmatch(got)):
        return
    raise AssertionError("%s:\n    got      %s\n    expected %s" % (what, got, want))


def recorder(device):
    """A socket that sends frames, and receives those that are ours."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    # BPF: ldh, jeq, ret, ret
    code = [(0x28, 0, 0, 0), (0x15, 0, 1, int.from_bytes(OURS[:2], "big")), (6, 0, 0, 0xFFFF), (6, 0, 0, 0)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
    s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(code), ctypes.addressof(program)))
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.bind((device, 3))
    return s


class Side:
    def __init__(self, name, namespace, rundir):
        self.name, self.namespace = name, namespace
        self.environment = dict(os.environ, OVS_RUNDIR=rundir)
        self.frames, self.sockets, self.serial = {}, [], 0
        for port in PORTS:
            with self.host(port):
                self.frames[port] = recorder("q%d" % port)

    def differs(self, ovs, weft):
        """What is expected where Weft does otherwise on purpose; ../README.md tells why."""
        return weft if self.name == "weft" else ovs

    def namespace_of(self, host):
        return self.namespace if host == LOCAL else "%s-%d" % (self.namespace, host)

    @contextlib.contextmanager
    def host(self, number):
        """Within: we are in the namespace of the host; a socket stays there."""
        ours = os.open("/proc/self/ns/net", os.O_RDONLY)
        theirs = os.open("/run/netns/" + self.namespace_of(number), os.O_RDONLY)
        try:
            if LIBC.setns(theirs, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            LIBC.setns(ours, CLONE_NEWNET)
            os.close(ours)
            os.close(theirs)

    # ---- flows ----

    def ofctl(self, *arguments, text=None):
        """What ovs-ofctl prints."""
        command = ["ovs-ofctl", "-t", "20", "-O", "OpenFlow13", *arguments]
        r = subprocess.run(command, env=self.environment, input=text, capture_output=True, text=True)
        if r.returncode:
            raise AssertionError("%s: ovs-ofctl %s: %s" % (self.name, " ".join(arguments), r.stderr.strip()))
        return r.stdout

    def flows(self, text, groups=""):
        """Those flows and no others, and groups that were not there. No connection is known."""
        self.revalidate()  # else packets of before are counted by a new flow that matches them
        if groups:
            self.ofctl("add-groups", "br0", "-", text=groups)
        self.ofctl("add-flows", "br0", "-", text="delete\nadd %s\n%s" % (MARKERS, text))
        self.ofctl("ct-flush", "br0")
        self.revalidate()

    def revalidate(self):
        """Open vSwitch forwards by the old flows, and keeps the counters to itself, for a while."""
        if self.name == "ovs":
            for command in ("revalidator/wait", "revalidator/purge"):
                subprocess.run(["ovs-appctl", "-T", "20", command], env=self.environment, check=True, capture_output=True)

    def counters(self):
        """Each flow that has a priority, with n_packets."""
        self.revalidate()
        lines = []
        for line in self.ofctl("dump-flows", "br0").splitlines():
            m = re.fullmatch(r" *cookie=\w+, duration=\S+, table=(\d+), n_packets=(\d+), n_bytes=\d+, (.*)", line)
            if m and "0x%04x" % MARKER not in line and not m[3].startswith("priority=0"):
                lines.append("%6s packets: table=%s,%s" % (m[2], m[1], m[3]))
        return sorted(lines, key=lambda line: line[16:])

    def packet_out(self, port, actions, frame):
        """A controller says that the frame has come from this port."""
        self.ofctl("packet-out", "br0", "in_port=%d,packet=%s,actions=%s" % (port, frame.hex(), actions))

    # ---- frames ----

    def settle(self, rounds=4):
        """Returns when all that was on its way has arrived, answers of kernels too; that is, what frames came out.

        A marker overtakes what the tracker has in its hands, but not twice: two rounds are one way through the switch."""
        heard = {port: [] for port in PORTS}
        for _ in range(rounds):
            self.serial += 1
            marker = OURS + bytes(3) + OURS + bytes(3) + MARKER.to_bytes(2, "big") + self.serial.to_bytes(4, "big")
            for port in PORTS:
                self.frames[port].send(marker + port.to_bytes(42, "big"))
            for port in PORTS:
                self.hear(port, self.serial, heard[port])
        return heard

    def hear(self, port, serial, heard):
        """Until the markers of all ports with that number have come."""
        missing = set(PORTS)
        end = time.monotonic() + PATIENCE
        while missing:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.frames[port]], [], [], left)[0]:
                raise AssertionError("%s: port %d is deaf: no markers from %s" % (self.name, port, missing))
            frame = self.frames[port].recv(65536)
            if frame[12:14] == MARKER.to_bytes(2, "big"):
                if int.from_bytes(frame[14:18], "big") == serial:
                    missing.discard(int.from_bytes(frame[18:60], "big"))
            else:
                heard.append(Packet(frame))

    def send(self, port, *frames):
        """Sends frames into a port; what came out: [(port, Packet)], by port."""
        for frame in frames:
            self.frames[port].send(frame)
        heard = self.settle(2)
        return [(p, packet) for p in PORTS for packet in heard[p]]

    def out(self, port, *frames):
        """As text: "2: udp ...; 3: ..."; "" when nothing came out. Copies of one frame come in any order."""
        return "; ".join(sorted("%d: %s" % (p, packet.text) for p, packet in self.send(port, *frames)))

    def states(self, port, *frames):
        """What was written by TELL, of all that came out; "" when nothing did."""
        return "; ".join(sorted(packet.state() for _, packet in self.send(port, *frames)))

    def targets(self, port, *frames):
        """The last byte of the Ethernet destination of all that came out: "2: 77; 3: 00"."""
        return "; ".join(sorted("%d: %02x" % (p, packet.frame[5]) for p, packet in self.send(port, *frames)))

    # ---- kernels ----

    def open(self, host, kind=socket.SOCK_DGRAM, port=0, family=socket.AF_INET, protocol=0):
        with self.host(host):
            s = socket.socket(family, kind, protocol)
        self.sockets.append(s)
        s.setblocking(False)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address(host) if family == socket.AF_INET else address6(host), port))
        return s

    def listener(self, host, port, family=socket.AF_INET):
        s = self.open(host, socket.SOCK_STREAM, port, family)
        s.listen()
        return s

    def connect(self, host, where, port=0, family=socket.AF_INET):
        """A TCP socket that is being connected."""
        s = self.open(host, socket.SOCK_STREAM, port, family)
        error = s.connect_ex(where)
        expect("connect", error, errno.EINPROGRESS)
        return s

    def accept(self, listener):
        """(socket, address of the peer)"""
        wait_for("accept", lambda: select.select([listener], [], [], 0)[0])
        s, peer = listener.accept()
        self.sockets.append(s)
        s.setblocking(False)
        return s, peer[:2]

    def ping(self, host, where, ident):
        """The ids of the echo replies that one echo request brings."""
        v6 = ":" in where
        family = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if v6 else (socket.AF_INET, socket.IPPROTO_ICMP)
        s = self.open(host, socket.SOCK_RAW, 0, *family)
        request = echo(where, where, ident)[54 if v6 else 34 :]  # over IPv6 the kernel makes the checksum
        s.sendto(request, (where, 0))
        self.settle()
        replies = [data[0 if v6 else 20 :] for data, peer in heard(s) if peer[0] == where]
        return [int.from_bytes(r[4:6], "big") for r in replies if r[0] == (129 if v6 else 0)]

    def close(self):
        """All sockets of a scene, at once and without a farewell."""
        for s in self.sockets:
            if s.type == socket.SOCK_STREAM:
                reset(s)
            s.close()
        self.sockets = []
        self.settle()


def reset(s):
    """Closes a TCP socket, by RST if it is connected."""
    with contextlib.suppress(OSError):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def connected(s):
    """0, or why it is not."""
    wait_for("connect", lambda: select.select([], [s], [], 0)[1])
    return s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def heard(s):
    """[(bytes, (address, port))] of a UDP socket, as long as there are some, and the name of the error that ended it."""
    got = []
    while True:
        try:
            data, peer = s.recvfrom(65536)
        except BlockingIOError:
            return got
        except OSError as e:
            return got + [errno.errorcode[e.errno]]
        got.append((data, peer[:2]))


def received(s, size):
    """So many bytes of a TCP socket."""
    data = b""
    while len(data) < size:
        wait_for("TCP data", lambda: select.select([s], [], [], 0)[0])
        more = s.recv(size - len(data))
        if not more:
            break
        data += more
    return data
