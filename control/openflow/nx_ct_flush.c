/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of NXT_CT_FLUSH_ZONE and NXT_CT_FLUSH: which connections are to be forgotten. Called by the server's
 * handlers and by clients. */
#include "control/openflow/messages.h"
#include "control/openflow/nx_packet_in.h"

enum { /* NXT_CT_*; in the tuples NXT_CT_TUPLE_* */
       PROP_ORIG,
       PROP_REPLY,
       PROP_ZONE,
       TUPLE_SRC = 0,
       TUPLE_DST,
       TUPLE_SRC_PORT,
       TUPLE_DST_PORT,
       TUPLE_ICMP_ID,
       TUPLE_ICMP_TYPE,
       TUPLE_ICMP_CODE,
};

static bool is_icmp(uint8_t proto)
{
	return proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMPV6;
}

static bool is_zero(struct ofp_reader *r, unsigned n)
{
	bool zero = true;

	while (n--)
		zero &= !ofp_get_u8(r);
	return zero;
}

enum ofp_error nx_read_ct_flush_zone(struct ofp_reader *r, struct ct_flush *out)
{
	bool zero = is_zero(r, 6);

	*out = (struct ct_flush){.by_zone = true, .zone = ofp_get_u16(r)};
	if (r->failed)
		return OFPBRC_BAD_LEN;
	return zero ? OFP_OK : NXBRC_MUST_BE_ZERO;
}

void nx_put_ct_flush_zone(struct ofp_writer *w, uint32_t xid, uint16_t zone)
{
	size_t start = ofp_begin_nicira(w, NXT_CT_FLUSH_ZONE, xid);

	ofp_put_zero(w, 6);
	ofp_put_u16(w, zone);
	ofp_end(w, start);
}

/* ---- reading ---- */

/* All addresses of a message are of one family. */
static enum ofp_error read_address(struct ofp_reader *r, struct ip_addr *out, const struct ip_addr **any)
{
	const uint8_t *p = ofp_get(r, sizeof(out->b));

	if (!p)
		return OFPTFFC_BAD_LEN;
	memcpy(out->b, p, sizeof(out->b));
	if (ip_is_none(out))
		return OFP_OK;
	if (*any && ip_is_v4(*any) != ip_is_v4(out))
		return OFPTFFC_BAD_ARGUMENT;
	*any = out;
	return OFP_OK;
}

static void read_number(struct ofp_reader *r, uint16_t type, struct ct_tuple *out)
{
	uint16_t dst = be16toh(out->tp_dst);

	switch (type) {
	case TUPLE_SRC_PORT:
	case TUPLE_ICMP_ID:
		out->tp_src = htobe16(ofp_get_u16(r));
		break;
	case TUPLE_DST_PORT:
		out->tp_dst = htobe16(ofp_get_u16(r));
		break;
	case TUPLE_ICMP_TYPE:
		out->tp_dst = htobe16((uint16_t)(ofp_get_u8(r) << 8 | (dst & 0xff)));
		break;
	case TUPLE_ICMP_CODE:
		out->tp_dst = htobe16((uint16_t)((dst & 0xff00) | ofp_get_u8(r)));
		break;
	default: /* what later versions say is not asked for */
		break;
	}
}

/* A property; an experimenter's has two more numbers, and is nothing that is known here. */
static enum ofp_error get_property(struct ofp_reader *r, uint16_t *type, struct ofp_reader *body)
{
	if (nx_get_property(r, type, body))
		return OFPTFFC_BAD_LEN;
	if (*type != 0xffff)
		return OFP_OK;
	if (ofp_left(body) < 8)
		return OFPTFFC_BAD_LEN;
	return ofp_get_u32(body) ? OFP_OK : OFPBPC_BAD_EXPERIMENTER;
}

static enum ofp_error read_tuple(struct ofp_reader *r, struct ct_tuple *out, const struct ip_addr **any)
{
	enum ofp_error error = OFP_OK;

	ofp_skip(r, 4);
	if (r->failed)
		return OFPTFFC_BAD_LEN;
	while (!error && ofp_left(r)) {
		struct ofp_reader body;
		uint16_t type;

		error = get_property(r, &type, &body);
		if (error)
			return error;
		if (type == TUPLE_SRC || type == TUPLE_DST)
			error = read_address(&body, type == TUPLE_SRC ? &out->src : &out->dst, any);
		else
			read_number(&body, type, out);
		if (!error && body.failed)
			error = OFPTFFC_BAD_LEN;
	}
	return error;
}

static enum ofp_error read_property(struct ofp_reader *r, uint16_t type, struct ct_flush *out,
                                    const struct ip_addr **any)
{
	switch (type) {
	case PROP_ORIG:
		return read_tuple(r, &out->orig, any);
	case PROP_REPLY:
		return read_tuple(r, &out->reply, any);
	case PROP_ZONE:
		out->by_zone = true;
		out->zone = ofp_get_u16(r);
		return r->failed ? OFPTFFC_BAD_LEN : OFP_OK;
	default:
		return OFP_OK;
	}
}

enum ofp_error nx_read_ct_flush(struct ofp_reader *r, struct ct_flush *out)
{
	const struct ip_addr *any = NULL;
	enum ofp_error error = OFP_OK;

	*out = (struct ct_flush){.by_zone = false};
	if (ofp_left(r) < 8 || ofp_left(r) % 8)
		return OFPBRC_BAD_LEN;
	out->orig.proto = out->reply.proto = ofp_get_u8(r);
	if (!is_zero(r, 7))
		return NXBRC_MUST_BE_ZERO;
	while (!error && ofp_left(r)) {
		struct ofp_reader body;
		uint16_t type;

		error = get_property(r, &type, &body);
		if (!error)
			error = read_property(&body, type, out, &any);
	}
	return error;
}

/* ---- writing ---- */

static void put_property(struct ofp_writer *w, uint16_t type, const void *bytes, size_t n)
{
	size_t start = nx_begin_property(w, type);

	ofp_put_bytes(w, bytes, n);
	nx_end_property(w, start);
}

/* Numbers of 8 and 16 bits fill four bytes. */
static void put_number(struct ofp_writer *w, uint16_t type, be16 value, bool wide)
{
	uint8_t bytes[4] = {0};

	memcpy(bytes, &value, wide ? 2 : 1);
	put_property(w, type, bytes, wide ? 4 : 1);
}

static void put_members(struct ofp_writer *w, const struct ct_tuple *t)
{
	if (!ip_is_none(&t->src))
		put_property(w, TUPLE_SRC, t->src.b, sizeof(t->src.b));
	if (!ip_is_none(&t->dst))
		put_property(w, TUPLE_DST, t->dst.b, sizeof(t->dst.b));
	if (is_icmp(t->proto)) {
		put_number(w, TUPLE_ICMP_ID, t->tp_src, true);
		put_number(w, TUPLE_ICMP_TYPE, t->tp_dst, false);
		put_number(w, TUPLE_ICMP_CODE, htobe16((uint16_t)(be16toh(t->tp_dst) << 8)), false);
		return;
	}
	if (t->tp_src)
		put_number(w, TUPLE_SRC_PORT, t->tp_src, true);
	if (t->tp_dst)
		put_number(w, TUPLE_DST_PORT, t->tp_dst, true);
}

/* Nothing when it says nothing. */
static void put_tuple(struct ofp_writer *w, uint16_t type, const struct ct_tuple *t)
{
	size_t start = nx_begin_property(w, type), empty;

	ofp_put_zero(w, 4);
	empty = w->len;
	put_members(w, t);
	if (w->len == empty)
		ofp_writer_cut(w, start);
	else
		nx_end_property(w, start);
}

void nx_put_ct_flush(struct ofp_writer *w, uint32_t xid, const struct ct_flush *flush)
{
	size_t start = ofp_begin_nicira(w, NXT_CT_FLUSH, xid);

	ofp_put_u8(w, flush->orig.proto);
	ofp_put_zero(w, 7);
	put_tuple(w, PROP_ORIG, &flush->orig);
	put_tuple(w, PROP_REPLY, &flush->reply);
	if (flush->by_zone)
		put_number(w, PROP_ZONE, htobe16(flush->zone), true);
	ofp_end(w, start);
}
