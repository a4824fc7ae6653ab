/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of multipart replies. What: one row for each kind and version; `begin` reads what is asked,
 * `next` puts entry after entry. Design: multipart.c has the tables and the one way all of them go, a message
 * per turn of the event loop; where a reply is, is in c->multipart. The functions are in multipart_switch.c
 * and multipart_objects.c.
 */
#ifndef CONTROL_OPENFLOW_MULTIPART_H
#define CONTROL_OPENFLOW_MULTIPART_H

#include "control/openflow/connection.h"

struct multipart_kind {
	uint16_t type;
	uint32_t experimenter, subtype; /* of type OFPMP_EXPERIMENTER */
	bool fold;                      /* workers' counters are asked for first */
	/* Reads the request's body; what it leaves is too much. NULL: there is none. */
	enum ofp_error (*begin)(struct connection *c, struct ofp_reader *r);
	/* Puts the next entry, or none; false at the end. */
	bool (*next)(struct connection *c, struct ofp_writer *w);
};

static inline void *multipart_ctx(const struct connection *c)
{
	return c->server->ctx;
}

static inline const struct ofp_switch_ops *multipart_ops(const struct connection *c)
{
	return c->server->ops;
}

/* True the first time it is asked in a reply. */
static inline bool multipart_first(struct multipart *m)
{
	bool is_first = !m->started;

	m->started = true;
	return is_first;
}

/* multipart_switch.c */
bool multipart_next_desc(struct connection *c, struct ofp_writer *w);
bool multipart_next_table(struct connection *c, struct ofp_writer *w);
bool multipart_next_table_10(struct connection *c, struct ofp_writer *w);
bool multipart_next_table_desc(struct connection *c, struct ofp_writer *w);
enum ofp_error multipart_begin_table_features(struct connection *c, struct ofp_reader *r);
bool multipart_next_table_features(struct connection *c, struct ofp_writer *w);
bool multipart_next_port(struct connection *c, struct ofp_writer *w);
enum ofp_error multipart_begin_port_stats(struct connection *c, struct ofp_reader *r);
bool multipart_next_port_stats(struct connection *c, struct ofp_writer *w);
enum ofp_error multipart_begin_queues(struct connection *c, struct ofp_reader *r);
bool multipart_next_queue(struct connection *c, struct ofp_writer *w);

/* multipart_objects.c */
enum ofp_error multipart_begin_flows(struct connection *c, struct ofp_reader *r);
enum ofp_error multipart_begin_flows_10(struct connection *c, struct ofp_reader *r);
enum ofp_error multipart_begin_flows_nx(struct connection *c, struct ofp_reader *r);
bool multipart_next_flow(struct connection *c, struct ofp_writer *w);
bool multipart_next_flow_10(struct connection *c, struct ofp_writer *w);
bool multipart_next_flow_nx(struct connection *c, struct ofp_writer *w);
bool multipart_next_aggregate(struct connection *c, struct ofp_writer *w);
enum ofp_error multipart_begin_groups(struct connection *c, struct ofp_reader *r);
enum ofp_error multipart_begin_all_groups(struct connection *c, struct ofp_reader *r);
bool multipart_next_group_stats(struct connection *c, struct ofp_writer *w);
bool multipart_next_group_desc(struct connection *c, struct ofp_writer *w);
bool multipart_next_group_desc_nx(struct connection *c, struct ofp_writer *w);
bool multipart_next_group_features(struct connection *c, struct ofp_writer *w);
enum ofp_error multipart_begin_meters(struct connection *c, struct ofp_reader *r);
bool multipart_next_meter_stats(struct connection *c, struct ofp_writer *w);
bool multipart_next_meter_config(struct connection *c, struct ofp_writer *w);
bool multipart_next_meter_features(struct connection *c, struct ofp_writer *w);

#endif
