/* SPDX-License-Identifier: Apache-2.0 */
/* Nicira's packet-ins, which tell more than those of 1.0 and 1.3: a fixed form with an NXM match, and a list
 * of properties. Called by async.c. */
#include <endian.h>

#include "control/openflow/messages.h"
#include "control/openflow/nx_packet_in.h"
#include "control/openflow/oxm.h"

void nx_put_packet_in(struct ofp_writer *w, const struct ofp_packet_in *in)
{
	size_t start = ofp_begin_nicira(w, NXT_PACKET_IN, 0), match, len;
	struct match m;

	ofp_put_u32(w, OFP_NO_BUFFER);
	ofp_put_u16(w, (uint16_t)(in->total_len < UINT16_MAX ? in->total_len : UINT16_MAX));
	ofp_put_u8(w, (uint8_t)in->reason);
	ofp_put_u8(w, in->table_id);
	ofp_put_u64(w, in->cookie);
	ofp_put_zero(w, 8);
	match = w->len;
	ofp_packet_in_match(in->key, &m);
	nxm_put_fields(w, &m);
	len = w->len - match;
	ofp_set_u16(w, match - 8, (uint16_t)len);
	ofp_put_zero(w, -len & 7);
	ofp_put_zero(w, 2);
	ofp_put_bytes(w, in->data, in->len);
	ofp_end(w, start);
}

size_t nx_begin_property(struct ofp_writer *w, uint16_t type)
{
	size_t start = w->len;

	ofp_put_u16(w, type);
	ofp_put_u16(w, 0);
	return start;
}

void nx_end_property(struct ofp_writer *w, size_t start)
{
	ofp_set_u16(w, start + 2, (uint16_t)(w->len - start));
	ofp_put_align(w, start);
}

enum ofp_error nx_get_property(struct ofp_reader *r, uint16_t *type, struct ofp_reader *body)
{
	uint16_t len;

	*type = ofp_get_u16(r);
	len = ofp_get_u16(r);
	if (len < 4)
		return OFPBRC_BAD_LEN;
	*body = ofp_get_part(r, len - 4u);
	ofp_skip(r, -len & 7u);
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK;
}

static void put(struct ofp_writer *w, uint16_t type, const void *bytes, size_t n)
{
	size_t start = nx_begin_property(w, type);

	ofp_put_bytes(w, bytes, n);
	nx_end_property(w, start);
}

static void put_metadata(struct ofp_writer *w, const struct flow_key *key)
{
	size_t start = nx_begin_property(w, NX_PROP_METADATA);
	struct match m;

	ofp_packet_in_match(key, &m);
	nxm_put_fields(w, &m);
	nx_end_property(w, start);
}

static void put_continuation(struct ofp_writer *w, const struct ofp_packet_in *in)
{
	struct nx_bridge bridge = nx_bridge_of(in->datapath_id);
	size_t start = nx_begin_property(w, NX_PROP_CONTINUATION);

	ofp_put_zero(w, 4);
	nx_put_continuation(w, in->continuation, &bridge);
	nx_end_property(w, start);
}

void nx_put_packet_in2(struct ofp_writer *w, const struct ofp_packet_in *in)
{
	size_t start = ofp_begin_nicira(w, NXT_PACKET_IN2, 0), n = in->len, at;
	uint32_t full = htobe32((uint32_t)in->total_len);

	put(w, NX_PROP_PACKET, in->data, n < OFP_MESSAGE_MAX / 2 ? n : OFP_MESSAGE_MAX / 2);
	if (in->total_len > n)
		put(w, NX_PROP_FULL_LEN, &full, sizeof(full));
	put(w, NX_PROP_TABLE_ID, (uint8_t[]){in->table_id, 0, 0, 0}, 4);
	if (in->cookie != UINT64_MAX) {
		at = nx_begin_property(w, NX_PROP_COOKIE);
		ofp_put_zero(w, 4);
		ofp_put_u64(w, in->cookie);
		nx_end_property(w, at);
	}
	put(w, NX_PROP_REASON, (uint8_t[]){(uint8_t)in->reason, 0, 0, 0}, 4);
	put_metadata(w, in->key);
	if (in->userdata_len)
		put(w, NX_PROP_USERDATA, in->userdata, in->userdata_len);
	if (in->continuation)
		put_continuation(w, in);
	ofp_end(w, start);
}
