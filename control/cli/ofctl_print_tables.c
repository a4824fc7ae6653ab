/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as text: counters and features. Tables that say the same as the one before are told in one line.
 * Called by ofctl_print_stats.c. */
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl_print.h"
#include "control/openflow/oxm.h"

/* Tables [first, last] are as the one before them; first < 0: none is. */
struct ditto {
	int first, last;
};

static void flush_ditto(const struct printer *p, struct ditto *d)
{
	if (d->first >= 0 && d->first == d->last)
		text_add(p->out, "\n  table %d: ditto\n", d->first);
	else if (d->first >= 0)
		text_add(p->out, "\n  tables %d...%d: ditto\n", d->first, d->last);
	d->first = -1;
}

static void add_ditto(struct ditto *d, int table)
{
	if (d->first < 0)
		d->first = table;
	d->last = table;
}

bool print_table_stats(const struct printer *p, struct ofp_reader *r)
{
	struct ofp_table_stats s, before = {0};
	struct ditto ditto = {-1, 0};
	bool any = false;

	while (ofp_left(r)) {
		uint8_t id = ofp_get_u8(r);

		ofp_skip(r, 3);
		s.active_count = ofp_get_u32(r);
		s.lookup_count = ofp_get_u64(r);
		s.matched_count = ofp_get_u64(r);
		if (r->failed)
			return false;
		if (any && s.active_count == before.active_count && s.lookup_count == before.lookup_count &&
		    s.matched_count == before.matched_count) {
			add_ditto(&ditto, id);
			continue;
		}
		flush_ditto(p, &ditto);
		text_add(p->out, "\n  table %u:\n    active=%u, lookup=%llu, matched=%llu\n", id,
		         s.active_count, (unsigned long long)s.lookup_count,
		         (unsigned long long)s.matched_count);
		before = s;
		any = true;
	}
	flush_ditto(p, &ditto);
	return true;
}

/* ---- features ---- */

enum { /* OFPTFPT_* */
       PROP_INSTRUCTIONS = 0,
       PROP_NEXT_TABLES = 2,
       PROP_WRITE_ACTIONS = 4,
       PROP_APPLY_ACTIONS = 6,
       PROP_MATCH = 8,
       PROP_WILDCARDS = 10,
       PROP_WRITE_SET_FIELD = 12,
       PROP_APPLY_SET_FIELD = 14,
};

struct ability { /* of write-actions or of apply-actions */
	uint32_t actions;
	bool set[FIELD_COUNT];
};

struct features {
	uint8_t id, name_len;
	char name[OFP_TABLE_NAME_MAX];
	uint64_t metadata_match, metadata_write;
	uint32_t max_entries, instructions;
	bool next[256], any_next;
	struct ability write, apply;
	bool match[FIELD_COUNT], masked[FIELD_COUNT], wildcards[FIELD_COUNT];
};

static void read_types(struct ofp_reader *r, uint32_t *bits)
{
	while (ofp_left(r) >= 4) {
		uint16_t type = ofp_get_u16(r);

		ofp_skip(r, 2);
		if (type < 32)
			*bits |= 1u << type;
	}
}

static void read_fields(struct ofp_reader *r, bool *has, bool *masked)
{
	while (ofp_left(r) >= 4) {
		struct ofp_reader look = *r;
		uint32_t header = ofp_get_u32(&look);
		enum field_id id = field_by_wire(header >> 16, header >> 9 & 0x7f);

		if (header >> 16 == FIELD_ONF)
			ofp_skip(&look, 4);
		*r = look;
		if (id == FIELD_NONE)
			continue; /* of another switch */
		has[id] = true;
		if (masked)
			masked[id] = header & 0x100;
	}
}

static void read_property(struct features *f, uint16_t type, struct ofp_reader *r)
{
	switch (type) {
	case PROP_INSTRUCTIONS:
		read_types(r, &f->instructions);
		break;
	case PROP_NEXT_TABLES:
		while (ofp_left(r)) {
			f->next[ofp_get_u8(r)] = true;
			f->any_next = true;
		}
		break;
	case PROP_WRITE_ACTIONS:
		read_types(r, &f->write.actions);
		break;
	case PROP_APPLY_ACTIONS:
		read_types(r, &f->apply.actions);
		break;
	case PROP_MATCH:
		read_fields(r, f->match, f->masked);
		break;
	case PROP_WILDCARDS:
		read_fields(r, f->wildcards, NULL);
		break;
	case PROP_WRITE_SET_FIELD:
		read_fields(r, f->write.set, NULL);
		break;
	case PROP_APPLY_SET_FIELD:
		read_fields(r, f->apply.set, NULL);
		break;
	}
}

static bool read_features(struct features *f, struct ofp_reader *r)
{
	uint16_t len = ofp_get_u16(r);
	struct ofp_reader body;
	const uint8_t *name;

	memset(f, 0, sizeof(*f));
	if (len < 64)
		return false;
	body = ofp_get_part(r, len - 2u);
	f->id = ofp_get_u8(&body);
	ofp_skip(&body, 5);
	name = ofp_get(&body, sizeof(f->name));
	if (name)
		memcpy(f->name, name, sizeof(f->name) - 1);
	f->metadata_match = ofp_get_u64(&body);
	f->metadata_write = ofp_get_u64(&body);
	ofp_skip(&body, 4);
	f->max_entries = ofp_get_u32(&body);
	while (ofp_left(&body) >= 4) {
		uint16_t type = ofp_get_u16(&body), size = ofp_get_u16(&body);
		struct ofp_reader property;

		if (size < 4)
			return false;
		property = ofp_get_part(&body, size - 4u);
		ofp_skip(&body, -size & 7u);
		read_property(f, type, &property);
	}
	return !body.failed;
}

/* Both lead to the tables after themselves, or to the same ones. */
static bool same_next(const struct features *a, const struct features *b)
{
	unsigned after = a->id > b->id ? a->id : b->id;

	return a->any_next == b->any_next && !memcmp(a->next + after + 1, b->next + after + 1, 255 - after);
}

static bool same_ability(const struct ability *a, const struct ability *b)
{
	return a->actions == b->actions && !memcmp(a->set, b->set, sizeof(a->set));
}

static bool same_features(const struct features *a, const struct features *b)
{
	return a->metadata_match == b->metadata_match && a->metadata_write == b->metadata_write &&
	       a->max_entries == b->max_entries && a->instructions == b->instructions && same_next(a, b) &&
	       same_ability(&a->write, &b->write) && same_ability(&a->apply, &b->apply) &&
	       !memcmp(a->match, b->match, sizeof(a->match)) &&
	       !memcmp(a->masked, b->masked, sizeof(a->masked));
}

/* ---- features, printed ---- */

static const struct bit_name instruction_names[] = {{1u << 6, "meter"},
                                                    {1u << 4, "apply_actions"},
                                                    {1u << 5, "clear_actions"},
                                                    {1u << 3, "write_actions"},
                                                    {1u << 2, "write_metadata"},
                                                    {1u << 1, "goto_table"},
                                                    {0, NULL}};
static const struct bit_name action_names[] = {{1u << 0, "output"},
                                               {1u << 22, "group"},
                                               {1u << 25, "set_field"},
                                               {1u << 18, "strip_vlan"},
                                               {1u << 17, "push_vlan"},
                                               {1u << 23, "mod_nw_ttl"},
                                               {1u << 24, "dec_ttl"},
                                               {1u << 15, "set_mpls_ttl"},
                                               {1u << 16, "dec_mpls_ttl"},
                                               {1u << 19, "push_mpls"},
                                               {1u << 20, "pop_mpls"},
                                               {1u << 21, "set_queue"},
                                               {0, NULL}};
enum { ACTIONS_NAMED = 0x3ff8001 };

static void print_fields(const struct printer *p, const char *label, const bool *has)
{
	size_t before = p->out->len, list;

	text_add(p->out, "%s", label);
	list = p->out->len;
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		if (has[i])
			text_add(p->out, " %s", fields[i].name);
	}
	if (p->out->len == list)
		p->out->len = before;
	else
		text_add(p->out, "\n");
}

static void print_ability(const struct printer *p, const struct ability *a)
{
	text_add(p->out, "        actions: ");
	print_bits(p->out, a->actions & ACTIONS_NAMED, action_names, ' ');
	text_add(p->out, "\n");
	print_fields(p, "        supported on Set-Field:", a->set);
}

static void print_next(const struct printer *p, const struct features *f)
{
	if (!f->any_next)
		return;
	text_add(p->out, "      next tables: ");
	for (unsigned from = 0; from < 255; from++) {
		unsigned to = from;

		if (!f->next[from])
			continue;
		while (f->next[to + 1] && to < 254)
			to++;
		text_add(p->out, to == from ? "%u," : "%u-%u,", from, to);
		from = to;
	}
	text_chomp(p->out, ',');
	text_add(p->out, "\n");
}

static void print_instructions(const struct printer *p, const struct features *f,
                               const struct features *before)
{
	text_add(p->out, "    instructions (table miss and others):\n");
	print_next(p, f);
	if (before && before->instructions == f->instructions) {
		text_add(p->out, "      (same instructions)\n");
	} else if (f->instructions) {
		text_add(p->out, "      instructions: ");
		print_bits(p->out, f->instructions, instruction_names, ' ');
		text_add(p->out, "\n");
	}
	if (before && same_ability(&f->write, &before->write) && same_ability(&f->apply, &before->apply)) {
		text_add(p->out, "      (same actions)\n");
	} else if (!same_ability(&f->write, &f->apply)) {
		text_add(p->out, "      Write-Actions features:\n");
		print_ability(p, &f->write);
		text_add(p->out, "      Apply-Actions features:\n");
		print_ability(p, &f->apply);
	} else {
		text_add(p->out, "      Write-Actions and Apply-Actions features:\n");
		print_ability(p, &f->write);
	}
}

static void print_matching(const struct printer *p, const struct features *f, const struct features *before)
{
	bool list[3][FIELD_COUNT] = {{false}};

	if (before && !memcmp(f->match, before->match, sizeof(f->match))) {
		text_add(p->out, "    (same matching)\n");
		return;
	}
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		if (f->match[i])
			list[f->masked[i] ? 0 : f->wildcards[i] ? 1 : 2][i] = true;
	}
	text_add(p->out, "    matching:\n");
	print_fields(p, "      arbitrary mask:", list[0]);
	print_fields(p, "      exact match or wildcard:", list[1]);
	print_fields(p, "      must exact match:", list[2]);
}

static void print_one(const struct printer *p, const struct features *f, const struct features *before)
{
	text_add(p->out, "\n  table %u", f->id);
	if (f->name[0])
		text_add(p->out, " (\"%s\")", f->name);
	if (before && same_features(f, before)) {
		text_add(p->out, ": ditto");
		return;
	}
	text_add(p->out, ":\n");
	if (f->metadata_match || f->metadata_write)
		text_add(p->out, "    metadata: match=0x%llx write=0x%llx\n",
		         (unsigned long long)f->metadata_match, (unsigned long long)f->metadata_write);
	if (f->max_entries)
		text_add(p->out, "    max_entries=%u\n", f->max_entries);
	if (before && f->instructions == before->instructions && same_next(f, before) &&
	    same_ability(&f->write, &before->write) && same_ability(&f->apply, &before->apply))
		text_add(p->out, "    (same instructions)\n");
	else
		print_instructions(p, f, before);
	print_matching(p, f, before);
}

bool print_table_features(const struct printer *p, struct ofp_reader *r)
{
	struct features *both = calloc(2, sizeof(*both)), *before = NULL, *now = both;
	struct ditto ditto = {-1, 0};
	bool ok = both;

	while (ok && ofp_left(r)) {
		ok = read_features(now, r);
		if (!ok)
			break;
		if (before && same_features(now, before) && !now->name[0]) {
			add_ditto(&ditto, now->id);
		} else {
			flush_ditto(p, &ditto);
			print_one(p, now, before);
		}
		before = now;
		now = now == both ? both + 1 : both;
	}
	flush_ditto(p, &ditto);
	text_add(p->out, "\n");
	free(both);
	return ok;
}
