# SPDX-License-Identifier: Apache-2.0
"""A router on os-ken between 10.1.0.0/24 on port 1 and 10.2.0.0/24 on port 2; it is .254 in both. It answers ARP
and pings for itself, finds neighbours by ARP, routes by a flow per destination, and tells who sent a TTL too low."""
import ipaddress

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import arp, ethernet, icmp, ipv4, packet
from os_ken.ofproto import ofproto_v1_3

WAITING_MAX = 16  # packets that wait for one neighbour
QUOTED = 28       # of a packet whose TTL ran out: its IPv4 header and eight bytes


class Interface:
    def __init__(self, port, address):
        net = ipaddress.ip_interface(address)
        self.port, self.ip, self.net = port, str(net.ip), net.network
        self.mac = "02:00:00:00:fe:%02x" % port


class Router(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.interfaces = {i.port: i for i in (Interface(1, "10.1.0.254/24"), Interface(2, "10.2.0.254/24"))}
        self.waiting = {}  # address of a neighbour -> [(port it came from, packet)]

    # ---- the switch

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def on_switch(self, ev):
        dp = ev.msg.datapath
        ofp, parser = dp.ofproto, dp.ofproto_parser
        all_reasons = 1 << ofp.OFPR_NO_MATCH | 1 << ofp.OFPR_ACTION | 1 << ofp.OFPR_INVALID_TTL
        dp.send_msg(parser.OFPSetConfig(dp, ofp.OFPC_FRAG_NORMAL, ofp.OFPCML_NO_BUFFER))
        dp.send_msg(parser.OFPSetAsync(dp, [all_reasons, 0], [7, 7], [15, 0]))
        self.add_flow(dp, 0, parser.OFPMatch(), [parser.OFPActionOutput(ofp.OFPP_CONTROLLER, ofp.OFPCML_NO_BUFFER)])

    @staticmethod
    def add_flow(dp, priority, match, actions):
        parser = dp.ofproto_parser
        apply = parser.OFPInstructionActions(dp.ofproto.OFPIT_APPLY_ACTIONS, actions)
        dp.send_msg(parser.OFPFlowMod(dp, priority=priority, match=match, instructions=[apply]))

    @staticmethod
    def send(dp, port, *headers):
        pkt = packet.Packet()
        for header in headers:
            pkt.add_protocol(header)
        pkt.serialize()
        Router.output(dp, pkt.data, [dp.ofproto_parser.OFPActionOutput(port)])

    @staticmethod
    def output(dp, data, actions):
        parser, ofp = dp.ofproto_parser, dp.ofproto
        dp.send_msg(parser.OFPPacketOut(dp, ofp.OFP_NO_BUFFER, ofp.OFPP_CONTROLLER, actions, data))

    # ---- packets

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def on_packet(self, ev):
        msg = ev.msg
        here = self.interfaces.get(msg.match["in_port"])
        pkt = packet.Packet(msg.data)
        ip = pkt.get_protocol(ipv4.ipv4)
        if here and pkt.get_protocol(arp.arp):
            self.on_arp(msg.datapath, here, pkt.get_protocol(arp.arp))
        elif here and ip and msg.reason == msg.datapath.ofproto.OFPR_INVALID_TTL:
            self.say_too_low(msg.datapath, here, pkt, ip, msg.data)
        elif here and ip and any(ip.dst == i.ip for i in self.interfaces.values()):
            self.on_ping(msg.datapath, here, pkt, ip)
        elif here and ip:
            self.route(msg.datapath, here, ip, msg.data)

    def on_arp(self, dp, here, request):
        if request.opcode == arp.ARP_REQUEST and request.dst_ip == here.ip:
            self.send(dp, here.port, ethernet.ethernet(request.src_mac, here.mac, 0x0806),
                      arp.arp(opcode=arp.ARP_REPLY, src_mac=here.mac, src_ip=here.ip, dst_mac=request.src_mac,
                              dst_ip=request.src_ip))
        if ipaddress.ip_address(request.src_ip) in here.net:
            self.add_neighbour(dp, here, request.src_ip, request.src_mac)

    def on_ping(self, dp, here, pkt, ip):
        eth, echo = pkt.get_protocol(ethernet.ethernet), pkt.get_protocol(icmp.icmp)
        if echo and echo.type == icmp.ICMP_ECHO_REQUEST:
            self.send(dp, here.port, ethernet.ethernet(eth.src, here.mac, 0x0800),
                      ipv4.ipv4(src=ip.dst, dst=ip.src, proto=1, ttl=64),
                      icmp.icmp(icmp.ICMP_ECHO_REPLY, 0, 0, echo.data))

    def say_too_low(self, dp, here, pkt, ip, data):
        eth = pkt.get_protocol(ethernet.ethernet)
        self.send(dp, here.port, ethernet.ethernet(eth.src, here.mac, 0x0800),
                  ipv4.ipv4(src=here.ip, dst=ip.src, proto=1, ttl=64),
                  icmp.icmp(icmp.ICMP_TIME_EXCEEDED, 0, 0, icmp.TimeExceeded(data=bytes(data[14:14 + QUOTED]))))

    def route(self, dp, here, ip, data):
        for there in self.interfaces.values():
            if ipaddress.ip_address(ip.dst) not in there.net or there is here:
                continue
            queue = self.waiting.setdefault(ip.dst, [])
            if len(queue) < WAITING_MAX:
                queue.append((here.port, data))
            self.send(dp, there.port, ethernet.ethernet("ff:ff:ff:ff:ff:ff", there.mac, 0x0806),
                      arp.arp(opcode=arp.ARP_REQUEST, src_mac=there.mac, src_ip=there.ip, dst_ip=ip.dst))

    def add_neighbour(self, dp, there, address, mac):
        parser = dp.ofproto_parser
        actions = [parser.OFPActionDecNwTtl(), parser.OFPActionSetField(eth_src=there.mac),
                   parser.OFPActionSetField(eth_dst=mac), parser.OFPActionOutput(there.port)]
        self.add_flow(dp, 10, parser.OFPMatch(eth_type=0x0800, ipv4_dst=address), actions)
        for _, data in self.waiting.pop(address, []):
            self.output(dp, data, actions)
