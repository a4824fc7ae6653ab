/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of OpenFlow 1.3 in bytes, both ways.
 *
 * Writers append to a struct ofp_writer; a whole message lies between ofp_begin() and ofp_end(). Readers get
 * what lies after the 8-byte header, fill a struct of flows/ and return the OpenFlow error that a switch
 * answers with; on an error nothing is left to be freed. The functions are for version 4 (1.3); another
 * version gets functions of its own and shares match, actions and the server.
 */
#ifndef CONTROL_OPENFLOW_MESSAGES_H
#define CONTROL_OPENFLOW_MESSAGES_H

#include "control/openflow/buffer.h"
#include "control/openflow/ofp_switch.h"
#include "flows/flow_mod.h"
#include "flows/group.h"
#include "flows/meter.h"

enum { OFP_VERSION_13 = 4, OFP_HEADER_LEN = 8, OFP_MULTIPART_LEN = 16, OFP_MESSAGE_MAX = 65535 };

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
};
enum { OFPMPF_MORE = 1 };

#define OFP_NO_BUFFER 0xffffffffu

struct ofp_header { /* host order */
	uint8_t version, type;
	uint16_t length;
	uint32_t xid;
};

/* `p` has OFP_HEADER_LEN bytes. */
struct ofp_header ofp_read_header(const uint8_t *p);

/* Starts a message and returns where; ofp_end() puts its length in. A message of more than OFP_MESSAGE_MAX
 * bytes sets w->failed. */
size_t ofp_begin(struct ofp_writer *w, enum ofp_type type, uint32_t xid);
size_t ofp_begin_multipart(struct ofp_writer *w, bool request, enum ofp_multipart type, uint32_t xid);
void ofp_end(struct ofp_writer *w, size_t start);

/* A message with a body of `n` bytes, or none. */
void ofp_put_message(struct ofp_writer *w, enum ofp_type type, uint32_t xid, const void *body, size_t n);
/* HELLO with a version bitmap of 1.3 only. */
void ofp_put_hello(struct ofp_writer *w, uint32_t xid);
/* Does a peer whose HELLO has this header and body speak 1.3 (section 6.3.1)? */
bool ofp_hello_has_13(uint8_t version, struct ofp_reader *body);
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

/* packets. Reading a packet-out fills `actions`, which the caller frees and packet->actions points to. */
enum ofp_error ofp_read_packet_out(struct ofp_reader *r, struct ofp_packet_out *packet,
                                   struct action_list *actions);
void ofp_put_packet_out(struct ofp_writer *w, uint32_t xid, const struct ofp_packet_out *packet);
/* At most `limit` bytes of the frame. */
void ofp_put_packet_in(struct ofp_writer *w, const struct ofp_packet_in *in, size_t limit);

/* One entry of TABLE_FEATURES: what a table can match and do, from the field and action tables. */
void ofp_put_table_features(struct ofp_writer *w, uint8_t table_id, const char *name, unsigned table_count,
                            uint32_t max_entries);

#endif
