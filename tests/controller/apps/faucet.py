# SPDX-License-Identifier: Apache-2.0
"""What the controller Faucet asks of a switch, each demand by its name: a controller that speaks with os-ken's
codec and asks for one thing after the other, and plays the hosts t1 and t2 itself.

Usage: faucet.py RUNDIR WEFT PORT. The switch connects to 127.0.0.1:PORT, and listens on PORT + 1."""
import json
import socket
import struct
import subprocess
import sys
import time

from os_ken.ofproto import ofproto_parser, ofproto_protocol, ofproto_v1_3, ofproto_v1_3_parser  # noqa: F401

DP = ofproto_protocol.ProtocolDesc(version=ofproto_v1_3.OFP_VERSION)
OFP, PARSER = DP.ofproto, DP.ofproto_parser
ETH_P_ALL, PACKET_OUTGOING = 3, 4
SOL_PACKET, PACKET_AUXDATA, VLAN_VALID = 263, 8, 1 << 4
HOST1, HOST2 = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
RUNDIR, WEFT, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])


def weft(*args):
    return subprocess.run([WEFT, "--rundir", RUNDIR, "-o", "json", *args], check=True, stdout=subprocess.PIPE).stdout


# ---- the controller's end of a connection

class Channel:
    def __init__(self, sock):
        self.sock, self.xid, self.aside = sock, 100, []
        sock.settimeout(10)
        self.send(PARSER.OFPHello(DP))
        assert self.next().msg_type == OFP.OFPT_HELLO

    def send(self, msg):
        self.xid += 1
        msg.xid = self.xid
        msg.serialize()
        self.sock.sendall(bytes(msg.buf))
        return msg.xid

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise ConnectionError("the switch hung up")
            data += more
        return data

    def next(self):
        while True:
            head = self.read(8)
            version, kind, length, xid = struct.unpack("!BBHI", head)
            msg = ofproto_parser.msg(DP, version, kind, length, xid, head + self.read(length - 8))
            if kind != OFP.OFPT_ECHO_REQUEST:
                return msg
            self.send(PARSER.OFPEchoReply(DP, xid=xid))

    def wait(self, kind, accept=lambda msg: True):
        """The next message of that type; others are kept for later."""
        for msg in self.aside:
            if msg.msg_type == kind and accept(msg):
                self.aside.remove(msg)
                return msg
        while True:
            msg = self.next()
            if msg.msg_type == kind and accept(msg):
                return msg
            assert msg.msg_type != OFP.OFPT_ERROR, "error type %d code %d" % (msg.type, msg.code)
            self.aside.append(msg)

    def ask(self, msg, kind):
        xid = self.send(msg)
        return self.wait(kind, lambda reply: reply.xid == xid)

    def barrier(self):
        self.ask(PARSER.OFPBarrierRequest(DP), OFP.OFPT_BARRIER_REPLY)

    def clear(self):
        self.send(PARSER.OFPFlowMod(DP, table_id=OFP.OFPTT_ALL, command=OFP.OFPFC_DELETE, out_port=OFP.OFPP_ANY,
                                    out_group=OFP.OFPG_ANY))
        self.barrier()
        self.aside.clear()

    def flow(self, actions, table_id=0, goto=None, priority=100, match=None, **rest):
        todo = [PARSER.OFPInstructionActions(OFP.OFPIT_APPLY_ACTIONS, actions)] if actions else []
        if goto is not None:
            todo.append(PARSER.OFPInstructionGotoTable(goto))
        self.send(PARSER.OFPFlowMod(DP, table_id=table_id, priority=priority, instructions=todo,
                                    match=PARSER.OFPMatch(**(match or {})), **rest))


# ---- hosts

class Host:
    def __init__(self, device):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.bind((device, 0))
        self.sock.settimeout(10)

    def send(self, frame):
        self.sock.send(frame)

    def receive(self):
        """The next frame from the switch, with the tag that the kernel has taken off."""
        while True:
            data, aux, _, address = self.sock.recvmsg(65536, 256)
            if address[2] == PACKET_OUTGOING:
                continue
            for level, kind, value in aux:
                status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", value[:20])
                if (level, kind) == (SOL_PACKET, PACKET_AUXDATA) and status & VLAN_VALID:
                    data = data[:12] + struct.pack("!HH", tpid or 0x8100, tci) + data[12:]
            return data


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def eth(kind, payload, src=HOST1, dst=HOST2, vlan=None):
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    return dst + src + tag + struct.pack("!H", kind) + payload


def ipv4(dst="10.0.0.2", proto=17, ttl=64, sport=1000, dport=53, size=32):
    udp = struct.pack("!HHHH", sport, dport, 8 + size, 0) + bytes(size)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, ttl, proto, 0, socket.inet_aton("10.0.0.1"),
                       socket.inet_aton(dst))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp


def arp(target="10.0.0.2"):
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, HOST1, socket.inet_aton("10.0.0.1"), bytes(6),
                       socket.inet_aton(target)) + bytes(18)


UDP = eth(0x0800, ipv4())
MARK = eth(0x88b5, b"mark" + bytes(46))  # gets through whatever the flow under test does


class Test:
    def __init__(self, channel, t1, t2, port1, port2):
        self.c, self.t1, self.t2, self.port1, self.port2 = channel, t1, t2, port1, port2
        self.to2 = [PARSER.OFPActionOutput(port2)]

    def pass_mark(self):
        self.c.flow(self.to2, priority=1000, match={"eth_type": 0x88b5})

    def expect(self, frame, *wanted):
        """What leaves at t2 when `frame` comes in at t1."""
        self.c.barrier()
        self.t1.send(frame)
        self.t1.send(MARK)
        for want in (*wanted, MARK):
            got = self.t2.receive()
            assert got == want, "expected %s, got %s" % (want.hex(), got.hex())

    # ---- messages

    def hello_and_features(self):
        reply = self.c.ask(PARSER.OFPFeaturesRequest(DP), OFP.OFPT_FEATURES_REPLY)
        assert reply.datapath_id and reply.n_tables >= 7 and reply.auxiliary_id == 0

    def set_config(self):
        self.c.send(PARSER.OFPSetConfig(DP, OFP.OFPC_FRAG_NORMAL, 194))
        reply = self.c.ask(PARSER.OFPGetConfigRequest(DP), OFP.OFPT_GET_CONFIG_REPLY)
        assert reply.flags == OFP.OFPC_FRAG_NORMAL and reply.miss_send_len == 194

    def set_async(self):
        self.c.send(PARSER.OFPSetAsync(DP, [7, 1], [5, 2], [15, 8]))
        reply = self.c.ask(PARSER.OFPGetAsyncRequest(DP), OFP.OFPT_GET_ASYNC_REPLY)
        assert (reply.packet_in_mask, reply.port_status_mask, reply.flow_removed_mask) == ([7, 1], [5, 2], [15, 8])
        self.c.send(PARSER.OFPSetAsync(DP, [7, 7], [7, 7], [15, 15]))

    def desc(self):
        d = self.c.ask(PARSER.OFPDescStatsRequest(DP), OFP.OFPT_MULTIPART_REPLY).body
        assert all((d.mfr_desc, d.hw_desc, d.sw_desc, d.dp_desc)) and d.mfr_desc == b"Weft"

    def port_desc(self):
        ports = {p.name: p for p in self.c.ask(PARSER.OFPPortDescStatsRequest(DP), OFP.OFPT_MULTIPART_REPLY).body}
        assert ports[b"t1"].port_no == self.port1 and ports[b"t2"].port_no == self.port2
        assert not ports[b"t1"].state & OFP.OFPPS_LINK_DOWN and not ports[b"t1"].config

    def port_status(self):
        def heard(reason):
            msg = self.c.wait(OFP.OFPT_PORT_STATUS, lambda m: m.desc.name == b"t9")
            assert msg.reason == reason, msg
            return msg.desc
        weft("if", "add", "t9", "type=tap", "dev=t9")
        port = heard(OFP.OFPPR_ADD)
        self.c.send(PARSER.OFPPortMod(DP, port.port_no, port.hw_addr, OFP.OFPPC_PORT_DOWN, OFP.OFPPC_PORT_DOWN, 0))
        assert heard(OFP.OFPPR_MODIFY).config == OFP.OFPPC_PORT_DOWN
        weft("if", "del", "t9")
        heard(OFP.OFPPR_DELETE)

    def packet_in_with_max_len(self):
        self.c.flow([PARSER.OFPActionOutput(OFP.OFPP_CONTROLLER, 96)], cookie=0x5adc15c0, match={"eth_type": 0x0800})
        self.c.barrier()
        frame = eth(0x0800, ipv4(size=200))
        self.t1.send(frame)
        got = self.c.wait(OFP.OFPT_PACKET_IN)
        # nothing is buffered in the switch, so that the whole packet comes (OpenFlow 1.3.5, 7.4.1)
        assert got.data == frame and got.total_len == len(frame), got
        assert got.cookie == 0x5adc15c0 and got.table_id == 0 and got.match["in_port"] == self.port1
        assert got.reason == OFP.OFPR_ACTION and got.buffer_id == OFP.OFP_NO_BUFFER

    def packet_in_of_a_table_miss(self):
        self.c.flow([PARSER.OFPActionOutput(OFP.OFPP_CONTROLLER, 40)], priority=0)
        self.c.barrier()
        self.t1.send(UDP)
        got = self.c.wait(OFP.OFPT_PACKET_IN)
        assert got.data == UDP and got.reason == OFP.OFPR_NO_MATCH, got

    def packet_out(self):
        for in_port, out in ((OFP.OFPP_CONTROLLER, self.port2), (self.port1, OFP.OFPP_FLOOD),
                             (self.port1, OFP.OFPP_ALL), (self.port2, OFP.OFPP_IN_PORT)):
            self.c.send(PARSER.OFPPacketOut(DP, OFP.OFP_NO_BUFFER, in_port, [PARSER.OFPActionOutput(out)], UDP))
            assert self.t2.receive() == UDP
        tagged = [PARSER.OFPActionPushVlan(0x8100), PARSER.OFPActionSetField(vlan_vid=0x1007), *self.to2]
        self.c.send(PARSER.OFPPacketOut(DP, OFP.OFP_NO_BUFFER, OFP.OFPP_CONTROLLER, tagged, UDP))
        assert self.t2.receive() == eth(0x0800, ipv4(), vlan=7)

    # ---- tables and matches

    def seven_tables(self):
        for table in range(6):
            self.c.flow(None, table_id=table, goto=table + 1)
        self.c.flow(self.to2, table_id=6)
        self.expect(UDP, UDP)

    def matches(self):
        vid5, vid6 = eth(0x0800, ipv4(), vlan=5), eth(0x0800, ipv4(), vlan=6)
        for match, frame, other in (
                ({"in_port": self.port1}, UDP, None),
                ({"in_port": self.port2}, None, UDP),
                ({"eth_src": "02:00:00:00:00:01"}, UDP, eth(0x0800, ipv4(), src=b"\2\0\0\0\0\3")),
                ({"eth_dst": "02:00:00:00:00:02"}, UDP, eth(0x0800, ipv4(), dst=b"\2\0\0\0\0\3")),
                ({"eth_dst": ("01:00:00:00:00:00", "01:00:00:00:00:00")}, eth(0x0800, ipv4(), dst=b"\xff" * 6), UDP),
                ({"eth_src": ("02:00:00:00:00:00", "ff:ff:ff:ff:ff:f0")}, UDP,
                 eth(0x0800, ipv4(), src=b"\2\0\0\0\0\x13")),
                ({"eth_type": 0x0806}, eth(0x0806, arp()), UDP),
                ({"vlan_vid": 0x1005}, vid5, vid6),
                ({"vlan_vid": 0}, UDP, vid5),
                ({"vlan_vid": (0x1000, 0x1000)}, vid6, UDP),
                ({"eth_type": 0x0800, "ip_proto": 17}, UDP, eth(0x0800, ipv4(proto=99))),
                ({"eth_type": 0x0800, "ipv4_dst": ("10.0.0.0", "255.255.255.0")}, UDP,
                 eth(0x0800, ipv4(dst="10.0.1.2"))),
                ({"eth_type": 0x0806, "arp_tpa": "10.0.0.2"}, eth(0x0806, arp()), eth(0x0806, arp("10.0.0.3"))),
                ({"eth_type": 0x0800, "ip_proto": 17, "udp_dst": 53}, UDP, eth(0x0800, ipv4(dport=54)))):
            self.c.clear()
            self.pass_mark()
            self.c.flow(self.to2, match=match)
            if other:
                self.expect(other)
            if frame:
                self.expect(frame, frame)

    # ---- actions

    def actions(self):
        tagged = eth(0x0800, ipv4(), vlan=5)
        src, dst = b"\2\0\0\0\0\x11", b"\2\0\0\0\0\x12"
        push, pop, ttl = PARSER.OFPActionPushVlan(0x8100), PARSER.OFPActionPopVlan(), PARSER.OFPActionDecNwTtl()
        for frame, actions, want in (
                (UDP, [push, PARSER.OFPActionSetField(vlan_vid=0x1000 | 9)], eth(0x0800, ipv4(), vlan=9)),
                (tagged, [pop], UDP),
                (tagged, [PARSER.OFPActionSetField(vlan_vid=0x1000 | 77)], eth(0x0800, ipv4(), vlan=77)),
                (UDP, [PARSER.OFPActionSetField(eth_src="02:00:00:00:00:11")], eth(0x0800, ipv4(), src=src)),
                (UDP, [PARSER.OFPActionSetField(eth_dst="02:00:00:00:00:12")], eth(0x0800, ipv4(), dst=dst)),
                (UDP, [ttl], eth(0x0800, ipv4(ttl=63))),
                (tagged, [pop, PARSER.OFPActionSetField(eth_src="02:00:00:00:00:11"), ttl],
                 eth(0x0800, ipv4(ttl=63), src=src))):
            self.c.clear()
            self.pass_mark()
            vlan = {"vlan_vid": 0x1005 if frame == tagged else 0}
            self.c.flow(actions + self.to2, match={"eth_type": 0x0800, **vlan})
            self.expect(frame, want)

    def timeouts(self):
        for timeout, reason in (("idle_timeout", OFP.OFPRR_IDLE_TIMEOUT), ("hard_timeout", OFP.OFPRR_HARD_TIMEOUT)):
            self.c.clear()
            self.c.flow(self.to2, flags=OFP.OFPFF_SEND_FLOW_REM, cookie=9, **{timeout: 1})
            got = self.c.wait(OFP.OFPT_FLOW_REMOVED)
            assert got.reason == reason and got.cookie == 9 and got.priority == 100 and got.duration_sec >= 1, got

    def deletion_by_cookie(self):
        for cookie in (1, 2):
            self.c.flow(self.to2, priority=cookie, cookie=cookie)
        self.c.send(PARSER.OFPFlowMod(DP, cookie=1, cookie_mask=2**64 - 1, table_id=OFP.OFPTT_ALL,
                                      command=OFP.OFPFC_DELETE, out_port=OFP.OFPP_ANY, out_group=OFP.OFPG_ANY))
        flows = self.c.ask(PARSER.OFPFlowStatsRequest(DP), OFP.OFPT_MULTIPART_REPLY).body
        assert [f.cookie for f in flows] == [2], flows

    # ---- connections

    def reconnects_fast(self, server):
        start = time.monotonic()
        self.c.sock.close()
        self.c = Channel(server.accept()[0])
        took = time.monotonic() - start
        assert took < 2, "%.1f s" % took

    def switch_listens(self):
        passive = Channel(socket.create_connection(("127.0.0.1", PORT + 1)))
        assert passive.ask(PARSER.OFPFeaturesRequest(DP), OFP.OFPT_FEATURES_REPLY).n_tables >= 7
        passive.sock.close()


def main():
    server = socket.create_server(("127.0.0.1", PORT))
    server.settimeout(20)
    weft("controller", "set", "--fail-mode", "secure", "--max-backoff", "1", "tcp:127.0.0.1:%d" % PORT)
    ports = {i["name"]: i["ofport"] for i in json.loads(weft("if", "list"))}
    test = Test(Channel(server.accept()[0]), Host("t1"), Host("t2"), ports["t1"], ports["t2"])
    for demand in (test.hello_and_features, test.set_config, test.set_async, test.desc, test.port_desc,
                   test.port_status, test.packet_in_with_max_len, test.packet_in_of_a_table_miss, test.packet_out,
                   test.seven_tables, test.matches, test.actions, test.timeouts, test.deletion_by_cookie,
                   test.switch_listens):
        test.c.clear()
        if demand == test.seven_tables:
            test.pass_mark()
        demand()
        print("ok", demand.__name__, flush=True)
    test.reconnects_fast(server)
    print("ok reconnects_fast")


main()
