/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that weft-ofctl sends and the entries of the replies it gets, over the codec of control/openflow.
 */
#ifndef CONTROL_CLI_OFCTL_WIRE_H
#define CONTROL_CLI_OFCTL_WIRE_H

#include "control/openflow/messages.h"

struct error;

/* Each writes one whole message with xid 0; the client fills the xid in. */
void request_empty(struct ofp_writer *w, enum ofp_type type);
void request_multipart(struct ofp_writer *w, enum ofp_multipart type);
/* OFPMP_FLOW or OFPMP_AGGREGATE. */
void request_flows(struct ofp_writer *w, enum ofp_multipart type, const struct flow_filter *filter);
/* OFPMP_PORT_STATS or OFPMP_GROUP: of one port or group, or of all. */
void request_stats(struct ofp_writer *w, enum ofp_multipart type, uint32_t id);

/* One entry after the other out of the body of a multipart reply: 1 filled `out` (the caller frees it), 0 at
 * the end, -EPROTO with the text. */
int reply_flow(struct ofp_reader *r, struct flow_stats *out, struct error *e);
int reply_group(struct ofp_reader *r, struct group_mod *out, struct error *e);
int reply_group_stats(struct ofp_reader *r, struct group_stats *out, struct error *e);
int reply_port(struct ofp_reader *r, struct ofp_port *out, struct error *e);
int reply_port_stats(struct ofp_reader *r, uint32_t *port, struct ofp_port_stats *out, struct error *e);
int reply_table_stats(struct ofp_reader *r, uint8_t *table, struct ofp_table_stats *out, struct error *e);
int reply_aggregate(struct ofp_reader *r, struct ofp_aggregate *out, struct error *e);

#endif
