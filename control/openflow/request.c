/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of a client: one message each. Called by weft-ofctl. */
#include "control/openflow/request.h"

#include "control/openflow/actions.h"
#include "control/openflow/oxm.h"

enum {
	OFP_VERSION_1_3 = 4,
	OFPT_FEATURES_REQUEST = 5,
	OFPT_GET_CONFIG_REQUEST = 7,
	OFPT_SET_CONFIG = 9,
	OFPT_PACKET_OUT = 13,
	OFPT_FLOW_MOD = 14,
	OFPT_GROUP_MOD = 15,
	OFPT_MULTIPART_REQUEST = 18,
};

/* The header; returns where it starts, for end(). */
static size_t begin(struct ofp_writer *w, uint8_t type)
{
	size_t start = w->len;

	ofp_put_u8(w, OFP_VERSION_1_3);
	ofp_put_u8(w, type);
	ofp_put_u16(w, 0);
	ofp_put_u32(w, 0);
	return start;
}

/* Fills in the length. A message that does not fit 16 bits is no message. */
static void end(struct ofp_writer *w, size_t start)
{
	if (w->failed)
		return;
	if (w->len - start > UINT16_MAX)
		w->failed = true;
	else
		ofp_set_u16(w, start + 2, (uint16_t)(w->len - start));
}

/* On the wire one cookie is the new one and, under its mask, what is looked for. */
void request_flow_mod(struct ofp_writer *w, const struct flow_mod *fm)
{
	bool adds = fm->command == FLOW_ADD;
	size_t start = begin(w, OFPT_FLOW_MOD);

	ofp_put_u64(w, fm->cookie_mask ? fm->match_cookie : fm->cookie);
	ofp_put_u64(w, fm->cookie_mask);
	ofp_put_u8(w, adds && fm->table_id == TABLE_ALL ? 0 : fm->table_id);
	ofp_put_u8(w, (uint8_t)fm->command);
	ofp_put_u16(w, fm->idle_timeout);
	ofp_put_u16(w, fm->hard_timeout);
	ofp_put_u16(w, fm->priority);
	ofp_put_u32(w, fm->buffer_id);
	ofp_put_u32(w, fm->out_port);
	ofp_put_u32(w, fm->out_group);
	ofp_put_u16(w, fm->flags);
	ofp_put_u16(w, fm->importance);
	oxm_put_match(w, &fm->match);
	ofp_put_instructions(w, &fm->actions);
	end(w, start);
}

void request_group_mod(struct ofp_writer *w, const struct group_mod *gm)
{
	size_t start = begin(w, OFPT_GROUP_MOD);

	ofp_put_u16(w, (uint16_t)gm->command);
	ofp_put_u8(w, (uint8_t)gm->type);
	ofp_put_u8(w, 0);
	ofp_put_u32(w, gm->group_id);
	for (unsigned i = 0; i < gm->n_buckets; i++) {
		const struct bucket *b = &gm->buckets[i];
		size_t at = w->len;

		ofp_put_u16(w, 0);
		ofp_put_u16(w, b->weight);
		ofp_put_u32(w, b->watch_port);
		ofp_put_u32(w, b->watch_group);
		ofp_put_zero(w, 4);
		ofp_put_actions(w, &b->actions);
		if (w->len - at > UINT16_MAX)
			w->failed = true;
		if (!w->failed)
			ofp_set_u16(w, at, (uint16_t)(w->len - at));
	}
	end(w, start);
}

void request_packet_out(struct ofp_writer *w, const struct ofp_packet_out *out)
{
	size_t start = begin(w, OFPT_PACKET_OUT), actions;

	ofp_put_u32(w, 0xffffffff); /* no buffer */
	ofp_put_u32(w, out->in_port);
	ofp_put_u16(w, 0);
	ofp_put_zero(w, 6);
	actions = w->len;
	ofp_put_actions(w, out->actions);
	if (!w->failed)
		ofp_set_u16(w, start + 16, (uint16_t)(w->len - actions));
	ofp_put_bytes(w, out->data, out->len);
	end(w, start);
}

void request_features(struct ofp_writer *w)
{
	end(w, begin(w, OFPT_FEATURES_REQUEST));
}

void request_get_config(struct ofp_writer *w)
{
	end(w, begin(w, OFPT_GET_CONFIG_REQUEST));
}

void request_set_config(struct ofp_writer *w, uint16_t flags, uint16_t miss_send_len)
{
	size_t start = begin(w, OFPT_SET_CONFIG);

	ofp_put_u16(w, flags);
	ofp_put_u16(w, miss_send_len);
	end(w, start);
}

static size_t begin_multipart(struct ofp_writer *w, enum ofp_multipart type)
{
	size_t start = begin(w, OFPT_MULTIPART_REQUEST);

	ofp_put_u16(w, (uint16_t)type);
	ofp_put_zero(w, 6);
	return start;
}

void request_multipart(struct ofp_writer *w, enum ofp_multipart type)
{
	end(w, begin_multipart(w, type));
}

void request_flows(struct ofp_writer *w, enum ofp_multipart type, const struct flow_filter *filter)
{
	size_t start = begin_multipart(w, type);

	ofp_put_u8(w, filter->table_id);
	ofp_put_zero(w, 3);
	ofp_put_u32(w, filter->out_port);
	ofp_put_u32(w, filter->out_group);
	ofp_put_zero(w, 4);
	ofp_put_u64(w, filter->cookie);
	ofp_put_u64(w, filter->cookie_mask);
	oxm_put_match(w, &filter->match);
	end(w, start);
}

void request_port_stats(struct ofp_writer *w, uint32_t port)
{
	size_t start = begin_multipart(w, OFPMP_PORT_STATS);

	ofp_put_u32(w, port);
	ofp_put_zero(w, 4);
	end(w, start);
}

void request_group_stats(struct ofp_writer *w, uint32_t group)
{
	size_t start = begin_multipart(w, OFPMP_GROUP);

	ofp_put_u32(w, group);
	ofp_put_zero(w, 4);
	end(w, start);
}
