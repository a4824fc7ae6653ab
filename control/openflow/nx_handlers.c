/* SPDX-License-Identifier: Apache-2.0 */
/* Nicira's messages about connections and about options of tunnels. Rows of the tables in dispatch.c. */
#include "control/openflow/connection.h"

static bool is_complete(const struct ct_tuple *t)
{
	bool icmp = t->proto == IP_PROTO_ICMP || t->proto == IP_PROTO_ICMPV6;

	return !ip_is_none(&t->src) && !ip_is_none(&t->dst) && (icmp || (t->tp_src && t->tp_dst));
}

static bool is_empty(const struct ct_tuple *t)
{
	bool icmp = t->proto == IP_PROTO_ICMP || t->proto == IP_PROTO_ICMPV6;

	return ip_is_none(&t->src) && ip_is_none(&t->dst) && (icmp || (!t->tp_src && !t->tp_dst));
}

enum ofp_error nx_flush_zone(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct ct_flush flush;
	enum ofp_error error = nx_read_ct_flush_zone(r, &flush);

	return error ? error : c->server->ops->ct_flush(c->server->ctx, &flush);
}

/* One connection, named wholly, is in zone 0 when no zone is said. */
enum ofp_error nx_flush(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct ct_flush flush;
	enum ofp_error error = nx_read_ct_flush(r, &flush);

	if (error)
		return error;
	if (is_complete(&flush.orig) && is_empty(&flush.reply))
		flush.by_zone = true;
	return c->server->ops->ct_flush(c->server->ctx, &flush);
}

/* No tunnel here has options: there is no room for any. */
enum ofp_error nx_options_mod(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	enum nx_options_command command = NX_OPTIONS_CLEAR;
	enum ofp_error error = nx_read_options_mod(r, &command);

	if (error)
		return error;
	return command == NX_OPTIONS_ADD && ofp_left(r) ? NXTTMFC_TABLE_FULL : OFP_OK;
}

enum ofp_error nx_options_request(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	size_t start = ofp_begin_nicira(&c->out, NXT_TLV_TABLE_REPLY, xid);

	ofp_put_u32(&c->out, 0); /* space */
	ofp_put_u16(&c->out, 0); /* fields */
	ofp_put_zero(&c->out, 10);
	ofp_end(&c->out, start);
	return OFP_OK;
}
