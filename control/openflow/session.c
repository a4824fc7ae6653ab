/* SPDX-License-Identifier: Apache-2.0 */
/* A controller's role and which asynchronous messages it asked for, in each version's bytes. Rows of the
 * tables in dispatch.c. */
#include "control/openflow/connection.h"

static void demote_others(struct connection *c)
{
	struct connection *other;

	LIST_FOREACH(other, &c->server->connections, link)
	{
		if (other != c && other->role == OFPCR_MASTER)
			other->role = OFPCR_SLAVE;
	}
}

enum ofp_error session_role(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct ofp_server *s = c->server;
	uint32_t role = ofp_get_u32(r);
	uint64_t generation;
	size_t start;

	ofp_skip(r, 4);
	generation = ofp_get_u64(r);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (role > OFPCR_SLAVE)
		return OFPRRFC_BAD_ROLE;
	if (role == OFPCR_MASTER || role == OFPCR_SLAVE) {
		if (s->has_generation && (int64_t)(generation - s->generation) < 0)
			return OFPRRFC_STALE;
		s->has_generation = true;
		s->generation = generation;
		if (role == OFPCR_MASTER)
			demote_others(c);
	}
	if (role != OFPCR_NOCHANGE)
		c->role = (enum ofp_role)role;
	start = ofp_begin(&c->out, OFPT_ROLE_REPLY, xid);
	ofp_put_u32(&c->out, c->role);
	ofp_put_zero(&c->out, 4);
	ofp_put_u64(&c->out, s->has_generation ? s->generation : UINT64_MAX);
	ofp_end(&c->out, start);
	return OFP_OK;
}

enum ofp_error session_get_async(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	const struct async_config *a = &c->async;
	const uint32_t *const masks[] = {a->packet_in, a->port_status, a->flow_removed};
	size_t start = ofp_begin(&c->out, OFPT_GET_ASYNC_REPLY, xid);

	for (unsigned i = 0; i < 3; i++) {
		ofp_put_u32(&c->out, masks[i][0]);
		ofp_put_u32(&c->out, masks[i][1]);
	}
	ofp_end(&c->out, start);
	return OFP_OK;
}

enum ofp_error session_set_async(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct async_config a;
	uint32_t *const masks[] = {a.packet_in, a.port_status, a.flow_removed};

	for (unsigned i = 0; i < 3; i++) {
		masks[i][0] = ofp_get_u32(r);
		masks[i][1] = ofp_get_u32(r);
	}
	if (r->failed)
		return OFPBRC_BAD_LEN;
	c->async = a;
	async_changed(c);
	return OFP_OK;
}

/* ---- Nicira's, which know no generations ---- */

enum ofp_error session_nx_role(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	static const enum ofp_role roles[] = {OFPCR_EQUAL, OFPCR_MASTER, OFPCR_SLAVE};
	uint32_t role = ofp_get_u32(r);
	size_t start;

	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (role >= sizeof(roles) / sizeof(roles[0]))
		return OFPRRFC_BAD_ROLE;
	if (roles[role] == OFPCR_MASTER)
		demote_others(c);
	c->role = roles[role];
	async_changed(c);
	start = ofp_begin_nicira(&c->out, NXT_ROLE_REPLY, xid);
	ofp_put_u32(&c->out, role);
	ofp_end(&c->out, start);
	return OFP_OK;
}

enum ofp_error session_nx_set_async(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	enum ofp_error error = session_set_async(c, xid, r);

	if (!error && c->kind == CONNECTION_SERVICE && !c->miss_send_len)
		c->miss_send_len = 128;
	async_changed(c);
	return error;
}

/* ---- 1.4: a list of properties, one for each kind of message and each role ---- */

enum { ASYNC_PROPERTIES = 12, ASYNC_KNOWN = 6, PROPERTY_LEN = 8 };

static uint32_t *async_mask(struct async_config *a, uint16_t property)
{
	uint32_t *const masks[] = {a->packet_in, a->port_status, a->flow_removed};

	return &masks[property / 2][property % 2 == 0]; /* the slave's come first */
}

enum ofp_error session_get_async_14(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	size_t start = ofp_begin(&c->out, OFPT_GET_ASYNC_REPLY, xid);

	for (unsigned property = 0; property < ASYNC_PROPERTIES; property++) {
		ofp_put_u16(&c->out, (uint16_t)property);
		ofp_put_u16(&c->out, PROPERTY_LEN);
		ofp_put_u32(&c->out, property < ASYNC_KNOWN ? *async_mask(&c->async, property) : 0);
	}
	ofp_end(&c->out, start);
	return OFP_OK;
}

enum ofp_error session_set_async_14(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct async_config a = c->async;

	while (ofp_left(r)) {
		uint16_t property = ofp_get_u16(r), len = ofp_get_u16(r);
		uint32_t mask = ofp_get_u32(r);

		if (r->failed || len != PROPERTY_LEN)
			return OFPBRC_BAD_LEN;
		if (property < ASYNC_KNOWN)
			*async_mask(&a, property) = mask;
		else if (property >= ASYNC_PROPERTIES)
			return OFPBRC_BAD_TYPE;
	}
	c->async = a;
	async_changed(c);
	return OFP_OK;
}
