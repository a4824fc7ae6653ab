/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of the messages: requests are written, replies are read. Used by weft-ofctl with
 * client.h.
 *
 * Writers append one whole message with xid 0 to a writer; the client fills the xid in. Readers take one
 * reply's body and never trust a length in it: 0 or -EPROTO with the text.
 */
#ifndef CONTROL_OPENFLOW_REQUEST_H
#define CONTROL_OPENFLOW_REQUEST_H

#include "control/openflow/buffer.h"
#include "control/openflow/ofp_switch.h"
#include "flows/flow_mod.h"
#include "flows/group.h"

struct error;

/* Multipart types (OpenFlow 1.3 section 7.3.5). */
enum ofp_multipart {
	OFPMP_DESC = 0,
	OFPMP_FLOW = 1,
	OFPMP_AGGREGATE = 2,
	OFPMP_TABLE = 3,
	OFPMP_PORT_STATS = 4,
	OFPMP_GROUP = 6,
	OFPMP_GROUP_DESC = 7,
	OFPMP_GROUP_FEATURES = 8,
	OFPMP_PORT_DESC = 13,
};

void request_flow_mod(struct ofp_writer *w, const struct flow_mod *fm);
void request_group_mod(struct ofp_writer *w, const struct group_mod *gm);
void request_packet_out(struct ofp_writer *w, const struct ofp_packet_out *out);
void request_features(struct ofp_writer *w);
void request_get_config(struct ofp_writer *w);
void request_set_config(struct ofp_writer *w, uint16_t flags, uint16_t miss_send_len);
/* OFPMP_DESC, TABLE, GROUP_DESC, GROUP_FEATURES, PORT_DESC: no body. */
void request_multipart(struct ofp_writer *w, enum ofp_multipart type);
/* OFPMP_FLOW or OFPMP_AGGREGATE. */
void request_flows(struct ofp_writer *w, enum ofp_multipart type, const struct flow_filter *filter);
/* OFPMP_PORT_STATS: a port or OFPP_ANY. */
void request_port_stats(struct ofp_writer *w, uint32_t port);
/* OFPMP_GROUP: a group or OFPG_ALL. */
void request_group_stats(struct ofp_writer *w, uint32_t group);

/* One entry after the other out of the body of a multipart reply: 1 filled `out` (the caller frees it), 0 at
 * the end, -EPROTO. */
int reply_flow(struct ofp_reader *r, struct flow_stats *out, struct error *e);
int reply_group(struct ofp_reader *r, struct group_mod *out, struct error *e);
int reply_group_stats(struct ofp_reader *r, struct group_stats *out, struct error *e);
int reply_port(struct ofp_reader *r, struct ofp_port *out, struct error *e);
int reply_port_stats(struct ofp_reader *r, uint32_t *port, struct ofp_port_stats *out, struct error *e);
int reply_table_stats(struct ofp_reader *r, uint8_t *table, struct ofp_table_stats *out, struct error *e);
int reply_aggregate(struct ofp_reader *r, struct ofp_aggregate *out, struct error *e);

#endif
