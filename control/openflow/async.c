/* SPDX-License-Identifier: Apache-2.0 */
/* What the switch tells its controllers without being asked: who wants it, in which format, and how much one
 * can take. Called by switchd through ofp_switch.h; the requests that set it come from dispatch.c. */
#include "control/openflow/connection.h"
#include "control/openflow/of10.h"

enum { FORMAT_STANDARD, FORMAT_NXT_PACKET_IN, FORMAT_NXT_PACKET_IN2 };

/* ---- what a controller asks for ---- */

enum ofp_error async_set_packet_in_format(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	uint32_t format = ofp_get_u32(r);

	if (format > FORMAT_NXT_PACKET_IN2)
		return OFPBRC_EPERM;
	c->packet_in_format = (uint8_t)format;
	return OFP_OK;
}

enum ofp_error async_set_controller_id(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	const uint8_t *zero = ofp_get(r, 6);
	uint16_t id = ofp_get_u16(r);

	for (unsigned i = 0; i < 6; i++)
		if (zero[i])
			return NXBRC_MUST_BE_ZERO;
	c->controller_id = id;
	async_changed(c);
	return OFP_OK;
}

/* ---- who gets what ---- */

static bool wants(const struct connection *c, const uint32_t mask[2], unsigned reason)
{
	return c->greeted && !c->closing && !c->last_words && c->kind != CONNECTION_SNOOP &&
	       (c->kind != CONNECTION_SERVICE || c->miss_send_len) &&
	       mask[c->role == OFPCR_SLAVE] & 1u << reason;
}

/* Is there room? A controller that does not read loses messages rather than grow, and they are counted. */
static bool has_room(struct connection *c)
{
	if (connection_queued(c) < OFP_OUTPUT_HIGH)
		return true;
	c->lost_full++;
	return false;
}

/* A bucket of a quarter second's packets, filled by time. */
static bool within_rate(struct connection *c)
{
	uint64_t now = uv_now(c->server->loop), rate = c->server->config.packet_in_rate;
	uint64_t full = rate * 250; /* thousandths of a packet */

	if (!rate)
		return true;
	c->tokens += (now - c->tokens_at) * rate;
	c->tokens_at = now;
	if (c->tokens > full)
		c->tokens = full;
	if (c->tokens < 1000) {
		c->lost_rate++;
		return false;
	}
	c->tokens -= 1000;
	return true;
}

/* Not in the middle of a connection's own turn: then its turn ends with the flush. */
static void said(struct connection *c)
{
	if (!c->running)
		connection_flush(c);
}

/* A packet that no flow matched, not even one for those. */
static bool is_miss(const struct ofp_packet_in *in)
{
	return in->reason == OFPR_NO_MATCH && in->cookie == UINT64_MAX;
}

/* 1.0 expects what no flow matched and calls the work of a flow for it an action; later versions are told of
 * such a flow only, and that no other matched. */
static bool tells(const struct connection *c, struct ofp_packet_in *in)
{
	if (c->out.version != OFP_VERSION_10)
		return !is_miss(in);
	if (in->reason == OFPR_NO_MATCH && !is_miss(in))
		in->reason = OFPR_ACTION;
	return true;
}

void async_changed(struct connection *c)
{
	struct ofp_server *s = c->server;
	const struct connection *other;
	bool any = false;

	if (c->out.version != OFP_VERSION_10)
		return;
	LIST_FOREACH(other, &s->connections, link)
	any |= other->out.version == OFP_VERSION_10 && !other->controller_id &&
	       wants(other, other->async.packet_in, OFPR_NO_MATCH);
	if (any == s->misses_told)
		return;
	s->misses_told = any;
	s->ops->tell_misses(s->ctx, any);
}

static void (*const formats[])(struct ofp_writer *w, const struct ofp_packet_in *in) = {
        [FORMAT_STANDARD] = ofp_put_packet_in,
        [FORMAT_NXT_PACKET_IN] = nx_put_packet_in,
        [FORMAT_NXT_PACKET_IN2] = nx_put_packet_in2,
};

void ofp_server_packet_in(struct ofp_server *server, const struct ofp_packet_in *in)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&server->connections); c; c = next) {
		struct ofp_packet_in told = *in;

		next = LIST_NEXT(c, link);
		if (!tells(c, &told) || !wants(c, c->async.packet_in, told.reason) ||
		    c->controller_id != told.controller_id || !has_room(c) || !within_rate(c))
			continue;
		formats[c->packet_in_format](&c->out, &told);
		said(c);
	}
}

void ofp_server_flow_removed(struct ofp_server *server, const struct flow_stats *flow,
                             enum ofp_flow_removed_reason reason)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&server->connections); c; c = next) {
		next = LIST_NEXT(c, link);
		if (!wants(c, c->async.flow_removed, reason) || !has_room(c))
			continue;
		if (c->nxm)
			nx_put_flow_removed(&c->out, flow, reason);
		else
			ofp_put_flow_removed(&c->out, flow, reason);
		said(c);
	}
}

void ofp_server_port_status(struct ofp_server *server, const struct ofp_port *port,
                            enum ofp_port_reason reason)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&server->connections); c; c = next) {
		next = LIST_NEXT(c, link);
		if (!wants(c, c->async.port_status, reason) || !has_room(c))
			continue;
		ofp_put_port_status(&c->out, port, reason);
		said(c);
	}
}
