/* SPDX-License-Identifier: Apache-2.0 */
/* Groups as text, both ways. Called by weft-ofctl and by tests. */
#include <ctype.h>
#include <errno.h>

#include "flows/lex.h"

static const struct {
	const char *name;
	enum group_type type;
} types[] = {
        {"all", GROUP_TYPE_ALL},
        {"select", GROUP_TYPE_SELECT},
        {"indirect", GROUP_TYPE_INDIRECT},
        {"ff", GROUP_TYPE_FAST_FAILOVER},
        {"fast_failover", GROUP_TYPE_FAST_FAILOVER},
};

/* The next "bucket=" that starts a word, or the end. */
static size_t find_bucket(struct slice s)
{
	for (size_t i = 0; i + 7 <= s.len; i++) {
		if (!memcmp(s.p + i, "bucket=", 7) &&
		    (!i || s.p[i - 1] == ',' || isspace((unsigned char)s.p[i - 1])))
			return i;
	}
	return s.len;
}

static bool is_actions(struct slice key)
{
	return slice_is(key, "actions") || slice_is(key, "action");
}

/* 1: a property of the bucket, 0: something else. */
static int parse_property(struct lex *lex, struct bucket *b, const struct item *it, bool *weighted)
{
	char text[64];
	uint64_t n;
	int rc;

	if (slice_is(it->key, "weight")) {
		rc = lex_number(lex, it->value, "weight", 0xffff, &n);
		b->weight = rc ? 0 : (uint16_t)n;
		*weighted = true;
	} else if (slice_is(it->key, "bucket_id")) {
		rc = lex_number(lex, it->value, "bucket_id", 0xffffff00, &n);
		b->bucket_id = rc ? 0 : (uint32_t)n;
	} else if (slice_is(it->key, "watch_group")) {
		rc = lex_number(lex, it->value, "watch_group", GROUP_MAX, &n);
		b->watch_group = rc ? 0 : (uint32_t)n;
	} else if (slice_is(it->key, "watch_port")) {
		rc = slice_copy(it->value, text, sizeof(text)) &&
		                     !port_parse(text, lex->names, &b->watch_port)
		             ? 0
		             : lex_error(lex, it->value, "watch_port: expected a port number or name");
	} else {
		return 0;
	}
	return rc ? rc : 1;
}

static int parse_bucket(struct lex *lex, struct slice s, struct group_mod *gm)
{
	struct bucket *b = group_mod_append(gm);
	bool weighted = false;
	struct slice rest = s;
	struct item it;
	int rc;

	if (!b)
		return error_set(lex->err, ENOMEM, "out of memory");
	while ((rc = lex_next(lex, &rest, &it)) > 0) {
		struct slice actions = {it.key.p, (size_t)(s.p + s.len - it.key.p)};

		rc = parse_property(lex, b, &it, &weighted);
		if (rc < 0)
			return rc;
		if (rc)
			continue;
		if (is_actions(it.key) && it.delimiter)
			actions = (struct slice){it.value.p, (size_t)(s.p + s.len - it.value.p)};
		rc = action_list_parse(lex, actions, NULL, &b->actions);
		if (rc)
			return rc;
		break;
	}
	if (!weighted && gm->type == GROUP_TYPE_SELECT)
		b->weight = 1;
	return rc < 0 ? rc : 0;
}

/* "ip_src,tcp_dst=0xff": fields to hash, each perhaps with the bits of it. */
static int parse_hash_fields(struct lex *lex, struct group_selection *selection, struct slice rest)
{
	struct item it;
	int rc;

	while ((rc = lex_next(lex, &rest, &it)) > 0) {
		struct field_value mask, unused;
		enum field_id id = field_by_name(it.key.p, it.key.len);

		if (id == FIELD_NONE)
			return lex_error(lex, it.key, "fields: expected the name of a field");
		if (selection->n_fields == GROUP_HASH_FIELDS_MAX)
			return lex_error(lex, it.key, "fields: expected at most %u", GROUP_HASH_FIELDS_MAX);
		field_full_mask(id, &mask);
		rc = it.value.len ? field_parse(lex, id, it.value, &mask, &unused) : 0;
		if (rc)
			return rc;
		selection->fields[selection->n_fields].field = (uint8_t)id;
		selection->fields[selection->n_fields++].mask = mask;
	}
	return rc;
}

/* How a select group chooses; OpenFlow 1.3 cannot say it, so that it is only checked. 1: it was that, 0: not.
 */
static int parse_selection(struct lex *lex, struct group_selection *selection, const struct item *it)
{
	int rc;

	if (slice_is(it->key, "selection_method"))
		rc = slice_copy(it->value, selection->method, sizeof(selection->method))
		             ? 0
		             : lex_error(lex, it->value, "selection_method: expected at most %u characters",
		                         GROUP_METHOD_MAX - 1);
	else if (slice_is(it->key, "selection_method_param"))
		rc = lex_number(lex, it->value, "selection_method_param", UINT64_MAX, &selection->param);
	else if (slice_is(it->key, "fields"))
		rc = parse_hash_fields(lex, selection, it->value);
	else
		return 0;
	return rc ? rc : 1;
}

static int parse_item(struct lex *lex, struct group_mod *gm, const struct item *it, bool *has_id,
                      bool *has_type)
{
	uint64_t n;
	int rc;

	if (slice_is(it->key, "group_id")) {
		*has_id = true;
		if (gm->command == GROUP_DELETE && slice_is(it->value, "all")) {
			gm->group_id = GROUP_ALL;
			return 0;
		}
		rc = lex_number(lex, it->value, "group_id", GROUP_MAX, &n);
		gm->group_id = rc ? 0 : (uint32_t)n;
		return rc;
	}
	rc = parse_selection(lex, &gm->selection, it);
	if (rc)
		return rc < 0 ? rc : 0;
	if (!slice_is(it->key, "type"))
		return lex_error(lex, it->key, "expected group_id, type, selection_method or bucket");
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (slice_is(it->value, types[i].name)) {
			gm->type = types[i].type;
			*has_type = true;
			return 0;
		}
	}
	return lex_error(lex, it->value, "type: expected all, select, indirect or ff");
}

static int parse_group(struct lex *lex, struct slice s, struct group_mod *gm)
{
	bool has_id = false, has_type = false;
	size_t end = find_bucket(s);
	struct slice head = {s.p, end};
	struct item it;
	int rc;

	while ((rc = lex_next(lex, &head, &it)) > 0) {
		rc = parse_item(lex, gm, &it, &has_id, &has_type);
		if (rc)
			return rc;
	}
	if (rc)
		return rc;
	if (!has_id && gm->command == GROUP_DELETE)
		gm->group_id = GROUP_ALL;
	else if (!has_id)
		return lex_error(lex, s, "expected group_id=N");
	if (!has_type && gm->command != GROUP_DELETE)
		return lex_error(lex, s, "expected type=all, select, indirect or ff");
	s = (struct slice){s.p + end, s.len - end};
	while (s.len) {
		struct slice body = {s.p + 7, s.len - 7};

		end = find_bucket(body);
		rc = parse_bucket(lex, (struct slice){body.p, end}, gm);
		if (rc)
			return rc;
		s = (struct slice){body.p + end, body.len - end};
	}
	return 0;
}

int group_mod_parse(const char *text, enum group_command command, const struct port_names *names,
                    struct group_mod *gm, struct error *err)
{
	struct lex lex = {.start = text, .names = names, .err = err};
	int rc;

	group_mod_init(gm);
	gm->command = command;
	rc = parse_group(&lex, slice_of(text), gm);
	if (!rc)
		rc = group_mod_check(gm, err);
	if (rc)
		group_mod_free(gm);
	return rc;
}

void group_format(struct text *out, const struct group_mod *gm, const struct port_names *names)
{
	static const char *const type_names[] = {"all", "select", "indirect", "ff"};

	text_add(out, "group_id=%u,type=", gm->group_id);
	if (gm->type <= GROUP_TYPE_FAST_FAILOVER)
		text_add(out, "%s", type_names[gm->type]);
	else /* what a peer sent that knows more than we do */
		text_add(out, "%u", gm->type);
	for (unsigned i = 0; i < gm->n_buckets; i++) {
		const struct bucket *b = &gm->buckets[i];

		text_add(out, ",bucket=");
		if (gm->type == GROUP_TYPE_SELECT && b->weight != 1)
			text_add(out, "weight:%u,", b->weight);
		if (b->watch_port != PORT_ANY) {
			text_add(out, "watch_port:");
			port_format(out, b->watch_port, names);
			text_add(out, ",");
		}
		if (b->watch_group != GROUP_NONE)
			text_add(out, "watch_group:%u,", b->watch_group);
		text_add(out, "actions=");
		actions_format(out, &b->actions, names);
	}
}

void group_stats_format(struct text *out, const struct group_stats *gs)
{
	text_add(out, "group_id=%u,duration=", gs->group_id);
	duration_format(out, gs->duration_ns);
	text_add(out, ",ref_count=%u,packet_count=%llu,byte_count=%llu", gs->ref_count,
	         (unsigned long long)gs->n_packets, (unsigned long long)gs->n_bytes);
	for (unsigned i = 0; i < gs->n_buckets; i++)
		text_add(out, ",bucket%u:packet_count=%llu,byte_count=%llu", i,
		         (unsigned long long)gs->buckets[i].n_packets,
		         (unsigned long long)gs->buckets[i].n_bytes);
}
