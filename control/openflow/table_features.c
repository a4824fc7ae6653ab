/* SPDX-License-Identifier: Apache-2.0 */
/* One table's TABLE_FEATURES (OpenFlow 1.3 section 7.3.5.5): every property that clients insist on, filled
 * from the field table. Called by the server's multipart replies. */
#include "control/openflow/messages.h"
#include "control/openflow/oxm.h"

enum { /* OFPTFPT_*; the odd ones are for the table miss and the same where they are left out */
       PROP_INSTRUCTIONS = 0,
       PROP_NEXT_TABLES = 2,
       PROP_WRITE_ACTIONS = 4,
       PROP_APPLY_ACTIONS = 6,
       PROP_MATCH = 8,
       PROP_WILDCARDS = 10,
       PROP_WRITE_SET_FIELD = 12,
       PROP_APPLY_SET_FIELD = 14,
};

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

/* Types of actions or instructions, each with the length of its bare header. */
static void put_types(struct ofp_writer *w, uint16_t property, const uint8_t *types, size_t n)
{
	size_t start = begin(w, property);

	for (size_t i = 0; i < n; i++) {
		ofp_put_u16(w, types[i]);
		ofp_put_u16(w, 4);
	}
	end(w, start);
}

static void put_next_tables(struct ofp_writer *w, uint8_t table_id, unsigned table_count)
{
	size_t start = begin(w, PROP_NEXT_TABLES);

	for (unsigned next = table_id + 1u; next < table_count; next++)
		ofp_put_u8(w, (uint8_t)next);
	end(w, start);
}

/* Nicira's fields too: ovs-ofctl knows them, and who does not passes over them. */
static void put_fields(struct ofp_writer *w, uint16_t property)
{
	size_t start = begin(w, property);

	for (unsigned id = 0; id < FIELD_COUNT; id++) {
		uint32_t header =
		        oxm_header((enum field_id)id, fields[id].maskable && property == PROP_MATCH, false);

		if (!field_is_sent((enum field_id)id) ||
		    (!fields[id].settable && !fields[id].in_ct && property >= PROP_WRITE_SET_FIELD))
			continue;
		ofp_put_u32(w, header);
		if (header >> 16 == FIELD_ONF)
			ofp_put_u32(w, ONF_EXPERIMENTER);
	}
	end(w, start);
}

void ofp_put_table_features(struct ofp_writer *w, uint8_t table_id, const char *name, unsigned table_count,
                            uint32_t max_entries)
{
	static const uint8_t instructions[] = {1, 2, 3, 4, 5, 6}; /* goto_table first */
	static const uint8_t actions[] = {0, 11, 12, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27};
	bool last = table_id + 1u >= table_count;
	size_t start = w->len;

	ofp_put_u16(w, 0);
	ofp_put_u8(w, table_id);
	ofp_put_zero(w, 5);
	ofp_put_text(w, name, OFP_TABLE_NAME_MAX);
	ofp_put_u64(w, UINT64_MAX); /* metadata that can be matched */
	ofp_put_u64(w, UINT64_MAX); /* metadata that can be written */
	ofp_put_u32(w, 0);
	ofp_put_u32(w, max_entries);
	/* No goto from the last table. */
	put_types(w, PROP_INSTRUCTIONS, instructions + last, sizeof(instructions) - last);
	put_next_tables(w, table_id, table_count);
	put_types(w, PROP_WRITE_ACTIONS, actions, sizeof(actions));
	put_types(w, PROP_APPLY_ACTIONS, actions, sizeof(actions));
	put_fields(w, PROP_MATCH);
	put_fields(w, PROP_WILDCARDS);
	put_fields(w, PROP_WRITE_SET_FIELD);
	put_fields(w, PROP_APPLY_SET_FIELD);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}
