/* SPDX-License-Identifier: Apache-2.0 */
/* Nicira's packet-ins, which tell more than those of 1.0 and 1.3: a fixed form with an NXM match, and a list
 * of properties. Called by async.c. */
#include <endian.h>

#include "control/openflow/messages.h"
#include "control/openflow/oxm.h"

enum {
	PROP_PACKET,
	PROP_FULL_LEN,
	PROP_BUFFER_ID,
	PROP_TABLE_ID,
	PROP_COOKIE,
	PROP_REASON,
	PROP_METADATA,
	PROP_USERDATA,
};

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

static size_t begin(struct ofp_writer *w, uint16_t type)
{
	size_t start = w->len;

	ofp_put_u16(w, type);
	ofp_put_u16(w, 0);
	return start;
}

static void end(struct ofp_writer *w, size_t start)
{
	ofp_set_u16(w, start + 2, (uint16_t)(w->len - start));
	ofp_put_align(w, start);
}

static void put(struct ofp_writer *w, uint16_t type, const void *bytes, size_t n)
{
	size_t start = begin(w, type);

	ofp_put_bytes(w, bytes, n);
	end(w, start);
}

static void put_metadata(struct ofp_writer *w, const struct flow_key *key)
{
	size_t start = begin(w, PROP_METADATA);
	struct match m;

	ofp_packet_in_match(key, &m);
	nxm_put_fields(w, &m);
	end(w, start);
}

void nx_put_packet_in2(struct ofp_writer *w, const struct ofp_packet_in *in)
{
	size_t start = ofp_begin_nicira(w, NXT_PACKET_IN2, 0), n = in->len, at;
	uint32_t full = htobe32((uint32_t)in->total_len);

	put(w, PROP_PACKET, in->data, n < OFP_MESSAGE_MAX / 2 ? n : OFP_MESSAGE_MAX / 2);
	if (in->total_len > n)
		put(w, PROP_FULL_LEN, &full, sizeof(full));
	put(w, PROP_TABLE_ID, (uint8_t[]){in->table_id, 0, 0, 0}, 4);
	if (in->cookie != UINT64_MAX) {
		at = begin(w, PROP_COOKIE);
		ofp_put_zero(w, 4);
		ofp_put_u64(w, in->cookie);
		end(w, at);
	}
	put(w, PROP_REASON, (uint8_t[]){(uint8_t)in->reason, 0, 0, 0}, 4);
	put_metadata(w, in->key);
	if (in->userdata_len)
		put(w, PROP_USERDATA, in->userdata, in->userdata_len);
	ofp_end(w, start);
}
