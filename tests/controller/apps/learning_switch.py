# SPDX-License-Identifier: Apache-2.0
"""A learning switch on os-ken: what is unknown is flooded by the controller, what is known gets a flow."""
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_v1_3

IDLE_SECONDS = 30


class LearningSwitch(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ports = {}  # MAC address -> port

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def on_switch(self, ev):
        dp = ev.msg.datapath
        to_us = [dp.ofproto_parser.OFPActionOutput(dp.ofproto.OFPP_CONTROLLER, dp.ofproto.OFPCML_NO_BUFFER)]
        self.ports.clear()
        self.add_flow(dp, 0, dp.ofproto_parser.OFPMatch(), to_us)
        self.logger.info("switch %016x", dp.id)

    @staticmethod
    def add_flow(dp, priority, match, actions, **timeouts):
        parser = dp.ofproto_parser
        apply = parser.OFPInstructionActions(dp.ofproto.OFPIT_APPLY_ACTIONS, actions)
        dp.send_msg(parser.OFPFlowMod(dp, priority=priority, match=match, instructions=[apply], **timeouts))

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def on_packet(self, ev):
        msg, dp = ev.msg, ev.msg.datapath
        parser, port = dp.ofproto_parser, msg.match["in_port"]
        eth = packet.Packet(msg.data).get_protocol(ethernet.ethernet)
        self.ports[eth.src] = port
        out = self.ports.get(eth.dst, dp.ofproto.OFPP_FLOOD)
        actions = [parser.OFPActionOutput(out)]
        if out != dp.ofproto.OFPP_FLOOD:
            match = parser.OFPMatch(in_port=port, eth_src=eth.src, eth_dst=eth.dst)
            self.add_flow(dp, 1, match, actions, idle_timeout=IDLE_SECONDS)
        dp.send_msg(parser.OFPPacketOut(dp, buffer_id=dp.ofproto.OFP_NO_BUFFER, in_port=port, actions=actions,
                                        data=msg.data))
