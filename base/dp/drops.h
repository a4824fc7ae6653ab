/* SPDX-License-Identifier: Apache-2.0 */
/* Every reason why Weft drops a packet, once: name (as `weft drops` shows it) and what it means. */
#ifndef BASE_DP_DROPS_H
#define BASE_DP_DROPS_H

/* clang-format off */
#define DROP_REASONS(X) \
	/* ports */ \
	X(RING_FULL,          "ring_full",          "receiver's ring had no room") \
	X(NO_CARRIER,         "no_carrier",         "output port is down or no guest is connected") \
	X(TOO_BIG,            "too_big",            "longer than the output port's MTU") \
	X(FRAG_OPTIONS,       "frag_options",       "too long, and IPv4 options are not fragmented") \
	X(TX_ERROR,           "tx_error",           "the device refused the packet") \
	X(RX_RUNT,            "rx_runt",            "shorter than an Ethernet header") \
	X(RX_BAD_DESC,        "rx_bad_desc",        "descriptor chain refused") \
	X(RX_BAD_OFFLOAD,     "rx_bad_offload",     "checksum or GSO metadata does not fit the packet") \
	X(RX_DISABLED,        "rx_disabled",        "sent through a queue that is switched off") \
	X(RX_TOO_MANY_SEGS,   "rx_too_many_segs",   "more pieces than a packet may have") \
	X(SEGMENT_FAILED,     "segment_failed",     "headers unfit for segmentation") \
	X(PORT_BLOCKED,       "port_blocked",       "OFPPC_PORT_DOWN, NO_RECV, NO_FWD or NO_PACKET_IN is set") \
	X(FRAGMENT,           "fragment",           "fragments are dropped (set-frags)") \
	/* tables and actions */ \
	X(TABLE_MISS,         "table_miss",         "no flow matched and the table has no miss flow") \
	X(ACTION_DROP,        "action_drop",        "a flow dropped it on purpose (explicit or empty actions)") \
	X(BAD_PORT,           "bad_port",           "output to a port that does not exist") \
	X(SAME_PORT,          "same_port",          "output to the port it came from without in_port") \
	X(TTL_EXPIRED,        "ttl_expired",        "dec_ttl on a TTL of 0 or 1") \
	X(RESUBMIT_LIMIT,     "resubmit_limit",     "too many tables, resubmits or recirculations") \
	X(CONJUNCTION_LIMIT,  "conjunction_limit",  "more conjunctions than one lookup follows") \
	X(PROGRAM_LIMIT,      "program_limit",      "actions too long for one packet") \
	X(OUTPUT_LIMIT,       "output_limit",       "more outputs than one packet may cause") \
	X(NO_HEADROOM,        "no_headroom",        "no room in front of the packet for a tag or an outer header") \
	X(NO_CONTROLLER,      "no_controller",      "packet-in queue full") \
	X(GROUP_EMPTY,        "group_empty",        "no live bucket of a group or member of a bundle") \
	X(METER,              "meter",              "over the rate of a meter") \
	X(LINK_LOCAL,         "link_local",         "NORMAL does not forward 01:80:c2:00:00:0x") \
	X(PRIVATE,            "private",            "NORMAL does not forward from a private interface") \
	X(STORM,              "storm",              "over the port's broadcast, multicast or unknown-unicast limit") \
	/* tunnels */ \
	X(TUNNEL_NOT_OURS,    "tunnel_not_ours",    "outer destination is not a local VTEP") \
	X(TUNNEL_SOURCE,      "tunnel_source",      "outer source is not allowed") \
	X(TUNNEL_NO_FLAG_I,   "tunnel_no_flag_i",   "VXLAN header without the I flag") \
	X(TUNNEL_BAD_LENGTH,  "tunnel_bad_length",  "outer lengths contradict each other or the packet") \
	X(TUNNEL_BAD_CSUM,    "tunnel_bad_csum",    "outer UDP or IPv4 checksum wrong") \
	X(TUNNEL_FRAGMENT,    "tunnel_fragment",    "fragmented outer packet") \
	X(TUNNEL_VNI,         "tunnel_vni",         "no vxlan interface takes this VNI") \
	X(TUNNEL_ECN,         "tunnel_ecn",         "congestion marked outside, not ECN-capable inside (RFC 6040)") \
	X(TUNNEL_NO_DST,      "tunnel_no_dst",      "no tun_dst for a remote=flow port") \
	X(TUNNEL_NO_ROUTE,    "tunnel_no_route",    "no route, or no uplink on the route's device") \
	X(TUNNEL_NO_NEIGH,    "tunnel_no_neigh",    "the next hop's MAC is not resolved") \
	X(TUNNEL_TOO_BIG,     "tunnel_too_big",     "too big for the underlay; answered with ICMP where allowed") \
	X(UNDERLAY_OTHER,     "underlay_other",     "not VXLAN, and the port has no exception path")
/* clang-format on */

enum drop_reason {
#define X(id, name, help) DROP_##id,
	DROP_REASONS(X)
#undef X
	        DROP_REASON_COUNT
};

/* "ring_full" ...; the help line of a reason. NULL when out of range. */
const char *drop_reason_name(enum drop_reason reason);
const char *drop_reason_help(enum drop_reason reason);

#endif
