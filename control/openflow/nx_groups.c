/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of groups in the layout of OpenFlow 1.5, as 1.0 has them by Nicira's extension. Called by
 * of10_handlers.c and multipart.c. */
#include "control/openflow/nx_groups.h"

#include <stdlib.h>

#include "control/openflow/actions.h"
#include "control/openflow/of10.h"
#include "control/openflow/oxm.h"

enum { BUCKET_FIXED = 8, BUCKET_ID_MAX = 0xffffff00u };
#define BUCKET_FIRST 0xfffffffdu
#define BUCKET_LAST 0xfffffffeu
#define BUCKET_ALL 0xffffffffu

enum { BUCKET_WEIGHT, BUCKET_WATCH_PORT, BUCKET_WATCH_GROUP }; /* properties of a bucket */
enum { GROUP_EXPERIMENTER = 0xffff, SELECTION_METHOD = 1 };
#define NTR_EXPERIMENTER 0x0000154du

/* ---- reading ---- */

/* A property's body; its padding is passed over. */
static struct ofp_reader get_property(struct ofp_reader *r, uint16_t *type)
{
	struct ofp_reader body;
	uint16_t len;

	*type = ofp_get_u16(r);
	len = ofp_get_u16(r);
	if (len < 4)
		r->failed = true;
	body = ofp_get_part(r, len - 4u);
	ofp_skip(r, -len & 7u);
	return body;
}

static enum ofp_error read_bucket_properties(struct ofp_reader *r, struct bucket *b)
{
	while (ofp_left(r)) {
		uint16_t type;
		struct ofp_reader body = get_property(r, &type);

		if (type == BUCKET_WEIGHT)
			b->weight = ofp_get_u16(&body);
		else if (type == BUCKET_WATCH_PORT)
			b->watch_port = ofp_get_u32(&body);
		else if (type == BUCKET_WATCH_GROUP)
			b->watch_group = ofp_get_u32(&body);
		else
			return OFPGMFC_BAD_BUCKET;
		if (body.failed)
			return OFPGMFC_BAD_BUCKET;
	}
	return r->failed ? OFPGMFC_BAD_BUCKET : OFP_OK;
}

static enum ofp_error read_bucket(struct ofp_reader *r, struct group_mod *gm)
{
	uint16_t len = ofp_get_u16(r), actions_len = ofp_get_u16(r);
	struct ofp_reader body, actions;
	struct match anything;
	enum ofp_error error;
	struct bucket *b;

	if (len < BUCKET_FIXED)
		return OFPGMFC_BAD_BUCKET;
	body = ofp_get_part(r, len - 4u);
	if (gm->n_buckets >= GROUP_BUCKETS_MAX)
		return OFPGMFC_OUT_OF_BUCKETS;
	b = body.failed ? NULL : group_mod_append(gm);
	if (!b)
		return body.failed ? OFPGMFC_BAD_BUCKET : OFPGMFC_OUT_OF_BUCKETS;
	b->bucket_id = ofp_get_u32(&body);
	b->weight = gm->type == GROUP_TYPE_SELECT;
	actions = ofp_get_part(&body, actions_len);
	if (actions.failed || b->bucket_id > BUCKET_ID_MAX)
		return OFPGMFC_BAD_BUCKET;
	for (unsigned i = 0; i + 1 < gm->n_buckets; i++) {
		if (gm->buckets[i].bucket_id == b->bucket_id)
			return OFPGMFC_BAD_BUCKET;
	}
	error = ofp_read_actions(&actions, &b->actions);
	match_init(&anything);
	if (!error)
		error = of10_resolve_actions(&b->actions, &anything);
	return error ? error : read_bucket_properties(&body, b);
}

/* Fields that a hash may go by: those that tables keep apart for select groups. */
static bool may_hash(enum field_id id)
{
	static const uint8_t allowed[] = {FIELD_ETH_SRC,  FIELD_ETH_DST,  FIELD_ETH_TYPE, FIELD_VLAN_VID,
	                                  FIELD_VLAN_TCI, FIELD_IPV4_SRC, FIELD_IPV4_DST, FIELD_IPV6_SRC,
	                                  FIELD_IPV6_DST, FIELD_NW_PROTO, FIELD_TCP_SRC,  FIELD_TCP_DST,
	                                  FIELD_UDP_SRC,  FIELD_UDP_DST,  FIELD_SCTP_SRC, FIELD_SCTP_DST};

	for (unsigned i = 0; i < sizeof(allowed); i++) {
		if (allowed[i] == id)
			return true;
	}
	return false;
}

static enum ofp_error read_selection(struct ofp_reader *r, struct group_selection *s)
{
	const uint8_t *method;

	ofp_skip(r, 4);
	method = ofp_get(r, GROUP_METHOD_MAX);
	s->param = ofp_get_u64(r);
	if (r->failed || method[GROUP_METHOD_MAX - 1])
		return OFPTFFC_BAD_LEN;
	memcpy(s->method, method, GROUP_METHOD_MAX);
	if (strcmp(s->method, "hash") && strcmp(s->method, "dp_hash") && *s->method)
		return OFPTFFC_BAD_ARGUMENT;
	while (ofp_left(r)) {
		struct field_value value;
		enum field_id id = oxm_read_header(r);

		if (id == FIELD_NONE || s->n_fields == GROUP_HASH_FIELDS_MAX || strcmp(s->method, "hash") ||
		    !may_hash(id) || ofp_left(r) < fields[id].bytes)
			return OFPTFFC_BAD_ARGUMENT;
		value = value_from_bytes(ofp_get(r, fields[id].bytes), fields[id].bytes);
		s->fields[s->n_fields].field = (uint8_t)id;
		s->fields[s->n_fields++].mask = value;
	}
	return OFP_OK;
}

static enum ofp_error read_group_properties(struct ofp_reader *r, struct group_mod *gm)
{
	while (ofp_left(r)) {
		enum ofp_error error;
		uint16_t type;
		struct ofp_reader body = get_property(r, &type);

		if (body.failed)
			return OFPTFFC_BAD_LEN;
		if (type != GROUP_EXPERIMENTER || ofp_get_u32(&body) != NTR_EXPERIMENTER ||
		    ofp_get_u32(&body) != SELECTION_METHOD || gm->type != GROUP_TYPE_SELECT)
			return OFPTFFC_BAD_TYPE;
		error = read_selection(&body, &gm->selection);
		if (error)
			return error;
	}
	return r->failed ? OFPTFFC_BAD_LEN : OFP_OK;
}

static enum ofp_error set_command(struct nx_group_mod *mod)
{
	struct group_mod *gm = &mod->group;

	gm->command = (enum group_command)mod->command;
	if (mod->command == GROUP_INSERT_BUCKET || mod->command == GROUP_REMOVE_BUCKET)
		gm->command = GROUP_MODIFY;
	if (mod->command == GROUP_INSERT_BUCKET && mod->bucket_id == BUCKET_ALL)
		return OFPGMFC_BAD_BUCKET;
	if (mod->command == GROUP_REMOVE_BUCKET && gm->n_buckets)
		return OFPGMFC_BAD_BUCKET;
	return mod->command == 4 ? OFPGMFC_BAD_COMMAND : OFP_OK;
}

enum ofp_error nx_read_group_mod(struct ofp_reader *r, struct nx_group_mod *mod)
{
	struct group_mod *gm = &mod->group;
	struct ofp_reader buckets;
	enum ofp_error error = OFP_OK;
	uint16_t buckets_len;
	uint8_t type;

	group_mod_init(gm);
	mod->command = ofp_get_u16(r);
	type = ofp_get_u8(r);
	gm->type = (enum group_type)type;
	ofp_skip(r, 1);
	gm->group_id = ofp_get_u32(r);
	buckets_len = ofp_get_u16(r);
	ofp_skip(r, 2);
	mod->bucket_id = ofp_get_u32(r);
	buckets = ofp_get_part(r, buckets_len);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	while (!error && ofp_left(&buckets))
		error = read_bucket(&buckets, gm);
	if (!error && buckets.failed)
		error = OFPGMFC_BAD_BUCKET;
	if (!error)
		error = read_group_properties(r, gm);
	if (!error)
		error = set_command(mod);
	if (!error && mod->command != GROUP_INSERT_BUCKET && mod->command != GROUP_REMOVE_BUCKET)
		error = ofp_check_group(gm, type);
	if (error)
		group_mod_free(gm);
	return error;
}

/* ---- a few buckets ---- */

static unsigned find_bucket(const struct group_mod *gm, uint32_t id)
{
	unsigned i = 0;

	if (id == BUCKET_LAST)
		return gm->n_buckets ? gm->n_buckets - 1 : 0;
	while (id != BUCKET_FIRST && i < gm->n_buckets && gm->buckets[i].bucket_id != id)
		i++;
	return i;
}

static enum ofp_error append_copy(struct group_mod *to, const struct bucket *from)
{
	struct bucket *b = to->n_buckets < GROUP_BUCKETS_MAX ? group_mod_append(to) : NULL;

	if (!b)
		return OFPGMFC_OUT_OF_BUCKETS;
	*b = *from;
	action_list_init(&b->actions);
	return action_list_copy(&b->actions, &from->actions) ? OFPGMFC_OUT_OF_BUCKETS : OFP_OK;
}

static enum ofp_error append_all(struct group_mod *to, const struct group_mod *from, unsigned first,
                                 unsigned n)
{
	enum ofp_error error = OFP_OK;

	for (unsigned i = first; !error && i < first + n; i++)
		error = append_copy(to, &from->buckets[i]);
	return error;
}

static enum ofp_error insert(struct group_mod *out, const struct group_mod *now,
                             const struct nx_group_mod *mod)
{
	unsigned at = find_bucket(now, mod->bucket_id);
	enum ofp_error error;

	if (mod->bucket_id == BUCKET_LAST || mod->bucket_id <= BUCKET_ID_MAX) { /* behind that one */
		if (mod->bucket_id <= BUCKET_ID_MAX && at == now->n_buckets)
			return OFPGMFC_UNKNOWN_BUCKET;
		at = now->n_buckets ? at + 1 : 0;
	}
	for (unsigned i = 0; i < mod->group.n_buckets; i++) {
		if (find_bucket(now, mod->group.buckets[i].bucket_id) < now->n_buckets)
			return OFPGMFC_BUCKET_EXISTS;
	}
	error = append_all(out, now, 0, at);
	if (!error)
		error = append_all(out, &mod->group, 0, mod->group.n_buckets);
	return error ? error : append_all(out, now, at, now->n_buckets - at);
}

static enum ofp_error remove_bucket(struct group_mod *out, const struct group_mod *now, uint32_t id)
{
	unsigned at = find_bucket(now, id);
	enum ofp_error error;

	if (id == BUCKET_ALL)
		return OFP_OK;
	if (at >= now->n_buckets)
		return id <= BUCKET_ID_MAX ? OFPGMFC_UNKNOWN_BUCKET : OFP_OK;
	error = append_all(out, now, 0, at);
	return error ? error : append_all(out, now, at + 1, now->n_buckets - at - 1);
}

enum ofp_error nx_group_mod_resolve(struct nx_group_mod *mod, const struct group_mod *now)
{
	struct group_mod changed = *now;
	enum ofp_error error;

	changed.command = GROUP_MODIFY;
	changed.buckets = NULL;
	changed.n_buckets = 0;
	if (mod->command == GROUP_INSERT_BUCKET)
		error = insert(&changed, now, mod);
	else
		error = remove_bucket(&changed, now, mod->bucket_id);
	if (!error)
		error = ofp_check_group(&changed, (uint8_t)changed.type);
	if (error) {
		group_mod_free(&changed);
		return error;
	}
	group_mod_free(&mod->group);
	mod->group = changed;
	return OFP_OK;
}

/* ---- writing ---- */

static void put_property(struct ofp_writer *w, uint16_t type, uint32_t number, unsigned bytes)
{
	size_t start = w->len;

	ofp_put_u16(w, type);
	ofp_put_u16(w, (uint16_t)(4 + bytes));
	if (bytes == 2)
		ofp_put_u16(w, (uint16_t)number);
	else
		ofp_put_u32(w, number);
	ofp_put_align(w, start);
}

static void put_bucket(struct ofp_writer *w, const struct group_mod *gm, const struct bucket *b)
{
	size_t start = w->len, actions;

	ofp_put_zero(w, 4);
	ofp_put_u32(w, b->bucket_id);
	actions = w->len;
	ofp_put_actions(w, &b->actions);
	ofp_set_u16(w, start + 2, (uint16_t)(w->len - actions));
	if (gm->type == GROUP_TYPE_SELECT)
		put_property(w, BUCKET_WEIGHT, b->weight, 2);
	if (b->watch_port != OFPP_ANY)
		put_property(w, BUCKET_WATCH_PORT, b->watch_port, 4);
	if (b->watch_group != OFPG_ANY)
		put_property(w, BUCKET_WATCH_GROUP, b->watch_group, 4);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}

static void put_selection(struct ofp_writer *w, const struct group_selection *s)
{
	size_t start = w->len;

	if (!*s->method)
		return;
	ofp_put_u16(w, GROUP_EXPERIMENTER);
	ofp_put_u16(w, 0);
	ofp_put_u32(w, NTR_EXPERIMENTER);
	ofp_put_u32(w, SELECTION_METHOD);
	ofp_put_zero(w, 4);
	ofp_put_text(w, s->method, GROUP_METHOD_MAX);
	ofp_put_u64(w, s->param);
	for (unsigned i = 0; i < s->n_fields; i++)
		oxm_put(w, (enum field_id)s->fields[i].field, &s->fields[i].mask, NULL);
	ofp_set_u16(w, start + 2, (uint16_t)(w->len - start));
	ofp_put_align(w, start);
}

void nx_put_group_desc(struct ofp_writer *w, const struct group_mod *gm)
{
	size_t start = w->len, buckets;

	ofp_put_u16(w, 0);
	ofp_put_u8(w, (uint8_t)gm->type);
	ofp_put_zero(w, 1);
	ofp_put_u32(w, gm->group_id);
	ofp_put_zero(w, 8);
	buckets = w->len;
	for (unsigned i = 0; i < gm->n_buckets; i++)
		put_bucket(w, gm, &gm->buckets[i]);
	ofp_set_u16(w, start + 8, (uint16_t)(w->len - buckets));
	put_selection(w, &gm->selection);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}
