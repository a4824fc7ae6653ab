/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of OpenFlow 1.3 in bytes, both ways, and of 1.4 where it differs.
 *
 * Writers append to a struct ofp_writer; a whole message lies between ofp_begin() and ofp_end(). Readers get
 * what lies after the 8-byte header, fill a struct of flows/ and return the OpenFlow error that a switch
 * answers with; on an error nothing is left to be freed. Writer and reader say which version it is; what
 * 1.0 has of its own is in of10.h.
 */
#ifndef CONTROL_OPENFLOW_MESSAGES_H
#define CONTROL_OPENFLOW_MESSAGES_H

#include "control/openflow/buffer.h"
#include "control/openflow/ofp_switch.h"
#include "flows/ct.h"
#include "flows/flow_mod.h"
#include "flows/group.h"
#include "flows/meter.h"

enum { OFP_HEADER_LEN = 8, OFP_MULTIPART_LEN = 16, OFP_MESSAGE_MAX = 65535 };

/* What the server speaks: a bit per version. */
enum { OFP_VERSIONS = 1u << OFP_VERSION_10 | 1u << OFP_VERSION_13 | 1u << OFP_VERSION_14 };

/* Numbers of 1.3 and 1.4. 1.0 numbers those after FLOW_MOD otherwise, see ofp_type_of_wire(). */
enum ofp_type {
	OFPT_HELLO,
	OFPT_ERROR,
	OFPT_ECHO_REQUEST,
	OFPT_ECHO_REPLY,
	OFPT_EXPERIMENTER,
	OFPT_FEATURES_REQUEST,
	OFPT_FEATURES_REPLY,
	OFPT_GET_CONFIG_REQUEST,
	OFPT_GET_CONFIG_REPLY,
	OFPT_SET_CONFIG,
	OFPT_PACKET_IN,
	OFPT_FLOW_REMOVED,
	OFPT_PORT_STATUS,
	OFPT_PACKET_OUT,
	OFPT_FLOW_MOD,
	OFPT_GROUP_MOD,
	OFPT_PORT_MOD,
	OFPT_TABLE_MOD,
	OFPT_MULTIPART_REQUEST,
	OFPT_MULTIPART_REPLY,
	OFPT_BARRIER_REQUEST,
	OFPT_BARRIER_REPLY,
	OFPT_QUEUE_GET_CONFIG_REQUEST,
	OFPT_QUEUE_GET_CONFIG_REPLY,
	OFPT_ROLE_REQUEST,
	OFPT_ROLE_REPLY,
	OFPT_GET_ASYNC_REQUEST,
	OFPT_GET_ASYNC_REPLY,
	OFPT_SET_ASYNC,
	OFPT_METER_MOD,
	OFPT_BUNDLE_CONTROL = 33, /* 1.4 */
	OFPT_BUNDLE_ADD_MESSAGE,
	OFPT_NONE = 0x100, /* 1.0 has no such message */
};

enum ofp_multipart {
	OFPMP_DESC,
	OFPMP_FLOW,
	OFPMP_AGGREGATE,
	OFPMP_TABLE,
	OFPMP_PORT_STATS,
	OFPMP_QUEUE,
	OFPMP_GROUP,
	OFPMP_GROUP_DESC,
	OFPMP_GROUP_FEATURES,
	OFPMP_METER,
	OFPMP_METER_CONFIG,
	OFPMP_METER_FEATURES,
	OFPMP_TABLE_FEATURES,
	OFPMP_PORT_DESC,
	OFPMP_TABLE_DESC, /* 1.4, and the rest */
	OFPMP_QUEUE_DESC,
	OFPMP_FLOW_MONITOR,
	OFPMP_EXPERIMENTER = 0xffff,
};
enum { OFPMPF_MORE = 1 };

/* Nicira's messages (NXT_*) and multiparts of 1.0 (NXST_*). */
enum nx_type {
	NXT_ROLE_REQUEST = 10,
	NXT_ROLE_REPLY,
	NXT_SET_FLOW_FORMAT,
	NXT_FLOW_MOD,
	NXT_FLOW_REMOVED,
	NXT_FLOW_MOD_TABLE_ID,
	NXT_SET_PACKET_IN_FORMAT,
	NXT_PACKET_IN,
	NXT_SET_ASYNC_CONFIG = 19,
	NXT_SET_CONTROLLER_ID,
	NXT_FLOW_MONITOR_CANCEL,
	NXT_FLOW_MONITOR_PAUSED,
	NXT_FLOW_MONITOR_RESUMED,
	NXT_TLV_TABLE_MOD = 24,
	NXT_TLV_TABLE_REQUEST,
	NXT_TLV_TABLE_REPLY,
	NXT_SET_ASYNC_CONFIG2,
	NXT_RESUME,
	NXT_CT_FLUSH_ZONE,
	NXT_PACKET_IN2,
	NXT_GROUP_MOD,
	NXT_CT_FLUSH,
};
enum nx_multipart {
	NXST_FLOW,
	NXST_AGGREGATE,
	NXST_FLOW_MONITOR,
	NXST_GROUP = 7,
	NXST_GROUP_DESC,
	NXST_GROUP_FEATURES,
};

#define OFP_NO_BUFFER 0xffffffffu

struct ofp_header { /* host order */
	uint8_t version, type;
	uint16_t length;
	uint32_t xid;
};

/* `p` has OFP_HEADER_LEN bytes. */
struct ofp_header ofp_read_header(const uint8_t *p);

/* The message that the peer means by `wire`, OFPT_NONE when its version has none of that number. */
enum ofp_type ofp_type_of_wire(uint8_t version, uint8_t wire);

/* Starts a message of the writer's version and returns where; ofp_end() puts its length in. A message of more
 * than OFP_MESSAGE_MAX bytes sets w->failed. */
size_t ofp_begin(struct ofp_writer *w, enum ofp_type type, uint32_t xid);
size_t ofp_begin_multipart(struct ofp_writer *w, bool request, enum ofp_multipart type, uint32_t xid);
/* One of Nicira's (enum nx_type), any version. */
size_t ofp_begin_nicira(struct ofp_writer *w, uint32_t subtype, uint32_t xid);
void ofp_end(struct ofp_writer *w, size_t start);

/* A message with a body of `n` bytes, or none. */
void ofp_put_message(struct ofp_writer *w, enum ofp_type type, uint32_t xid, const void *body, size_t n);
/* HELLO with a bitmap of `versions`; the header has the highest. */
void ofp_put_hello(struct ofp_writer *w, uint32_t xid, uint32_t versions);
/* What to speak with a peer whose HELLO has this header and body, when `versions` are ours (section 6.3.1): a
 * version, or 0 when there is none in common. */
uint8_t ofp_agree(uint8_t version, struct ofp_reader *body, uint32_t versions);
/* `data`: the message that is wrong (its first bytes are sent), or a text for HELLO_FAILED. */
void ofp_put_error(struct ofp_writer *w, uint32_t xid, enum ofp_error error, const void *data, size_t n);

/* flows */
enum ofp_error ofp_read_flow_mod(struct ofp_reader *r, struct flow_mod *fm);
void ofp_put_flow_mod(struct ofp_writer *w, uint32_t xid, const struct flow_mod *fm);
/* The body of a FLOW or AGGREGATE multipart request. */
enum ofp_error ofp_read_flow_filter(struct ofp_reader *r, struct flow_filter *filter);
void ofp_put_flow_filter(struct ofp_writer *w, const struct flow_filter *filter);
/* One entry of a FLOW reply. The reader's result is freed by flow_stats_free(). */
enum ofp_error ofp_read_flow_stats(struct ofp_reader *r, struct flow_stats *fs);
void ofp_put_flow_stats(struct ofp_writer *w, const struct flow_stats *fs);
void ofp_put_flow_removed(struct ofp_writer *w, const struct flow_stats *fs,
                          enum ofp_flow_removed_reason reason);

/* groups: a GROUP_MOD, an entry of GROUP_DESC (always read as GROUP_ADD), an entry of GROUP */
enum ofp_error ofp_read_group_mod(struct ofp_reader *r, struct group_mod *gm);
void ofp_put_group_mod(struct ofp_writer *w, uint32_t xid, const struct group_mod *gm);
enum ofp_error ofp_read_group_desc(struct ofp_reader *r, struct group_mod *gm);
void ofp_put_group_desc(struct ofp_writer *w, const struct group_mod *gm);
enum ofp_error ofp_read_group_stats(struct ofp_reader *r, struct group_stats *gs);
void ofp_put_group_stats(struct ofp_writer *w, const struct group_stats *gs);
void ofp_put_group_features(struct ofp_writer *w, const struct ofp_group_features *features);

/* Is the group one that a switch may have? `type` is what the wire said. */
enum ofp_error ofp_check_group(const struct group_mod *gm, uint8_t type);

/* meters: a METER_MOD, an entry of METER_CONFIG (read as METER_ADD), an entry of METER */
enum ofp_error ofp_read_meter_mod(struct ofp_reader *r, struct meter_mod *mm);
void ofp_put_meter_mod(struct ofp_writer *w, uint32_t xid, const struct meter_mod *mm);
enum ofp_error ofp_read_meter_config(struct ofp_reader *r, struct meter_mod *mm);
void ofp_put_meter_config(struct ofp_writer *w, const struct meter_mod *mm);
enum ofp_error ofp_read_meter_stats(struct ofp_reader *r, struct meter_stats *ms);
void ofp_put_meter_stats(struct ofp_writer *w, const struct meter_stats *ms);
void ofp_put_meter_features(struct ofp_writer *w, const struct ofp_meter_features *features);

/* ports: a struct ofp_port (64 bytes; PORT_DESC, PORT_STATUS), an entry of PORT_STATS, PORT_MOD */
enum ofp_error ofp_read_port(struct ofp_reader *r, struct ofp_port *port);
void ofp_put_port(struct ofp_writer *w, const struct ofp_port *port);
enum ofp_error ofp_read_port_stats(struct ofp_reader *r, uint32_t *port_no, struct ofp_port_stats *stats);
void ofp_put_port_stats(struct ofp_writer *w, uint32_t port_no, const struct ofp_port_stats *stats);
enum ofp_error ofp_read_port_mod(struct ofp_reader *r, struct ofp_port_mod *mod);
void ofp_put_port_mod(struct ofp_writer *w, uint32_t xid, const struct ofp_port_mod *mod);
void ofp_put_port_status(struct ofp_writer *w, const struct ofp_port *port, enum ofp_port_reason reason);

/* The fields of a packet's key that the frame does not say itself. messages.c */
void ofp_packet_in_match(const struct flow_key *key, struct match *m);
/* Can a packet that is sent out have come in there? */
bool ofp_may_send(uint32_t in_port);
/* packets. Reading a packet-out fills `actions`, which the caller frees and packet->actions points to. */
enum ofp_error ofp_read_packet_out(struct ofp_reader *r, struct ofp_packet_out *packet,
                                   struct action_list *actions);
void ofp_put_packet_out(struct ofp_writer *w, uint32_t xid, const struct ofp_packet_out *packet);
/* With the whole frame: nothing is buffered here that could be asked for later (section 7.4.1). */
void ofp_put_packet_in(struct ofp_writer *w, const struct ofp_packet_in *in);

/* The same as NXT_PACKET_IN, and as NXT_PACKET_IN2, which tells the user's data, too. nx_packet_in.c */
void nx_put_packet_in(struct ofp_writer *w, const struct ofp_packet_in *in);
void nx_put_packet_in2(struct ofp_writer *w, const struct ofp_packet_in *in);

/* NXT_CT_FLUSH_ZONE and NXT_CT_FLUSH. nx_ct_flush.c */
enum ofp_error nx_read_ct_flush_zone(struct ofp_reader *r, struct ct_flush *out);
void nx_put_ct_flush_zone(struct ofp_writer *w, uint32_t xid, uint16_t zone);
enum ofp_error nx_read_ct_flush(struct ofp_reader *r, struct ct_flush *out);
void nx_put_ct_flush(struct ofp_writer *w, uint32_t xid, const struct ct_flush *flush);

/* Options of tunnels, as NXT_TLV_TABLE_MOD and _REPLY list them: one is the field tun_metadata`index`.
 * nx_options.c */
enum nx_options_command { NX_OPTIONS_ADD, NX_OPTIONS_DELETE, NX_OPTIONS_CLEAR };
enum { NX_OPTION_FIELDS = 64 }; /* tun_metadata0 and so on */
struct nx_option {
	uint16_t option_class; /* of Geneve */
	uint8_t type, len;     /* bytes, a multiple of 4 */
	uint16_t index;
};
/* `max_fields`: how many there may be. */
enum ofp_error nx_read_option(struct ofp_reader *r, unsigned max_fields, struct nx_option *out);
void nx_put_option(struct ofp_writer *w, const struct nx_option *option);
/* What stands in front of the options of a MOD; those stay to be read, and are valid. */
enum ofp_error nx_read_options_mod(struct ofp_reader *r, enum nx_options_command *command);

/* One entry of TABLE_FEATURES: what a table can match and do, from the field and action tables. */
void ofp_put_table_features(struct ofp_writer *w, uint8_t table_id, const char *name, unsigned table_count,
                            uint32_t max_entries);

#endif
