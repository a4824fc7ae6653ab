/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of group messages: GROUP_MOD, GROUP, GROUP_DESC, GROUP_FEATURES. Called by server and client. */
#include <stdlib.h>

#include "base/clock.h"
#include "control/openflow/actions.h"
#include "control/openflow/messages.h"

enum { BUCKET_FIXED = 16, GROUP_STATS_FIXED = 40 };

static enum ofp_error read_bucket(struct ofp_reader *r, struct group_mod *gm)
{
	uint16_t len = ofp_get_u16(r);
	struct ofp_reader body;
	struct bucket *bucket;

	if (r->failed || len < BUCKET_FIXED || len % 8)
		return OFPBRC_BAD_LEN;
	body = ofp_get_part(r, len - 2u);
	if (body.failed)
		return OFPBRC_BAD_LEN;
	if (gm->n_buckets >= GROUP_BUCKETS_MAX)
		return OFPGMFC_OUT_OF_BUCKETS;
	bucket = group_mod_append(gm);
	if (!bucket)
		return OFPGMFC_OUT_OF_BUCKETS;
	bucket->bucket_id = gm->n_buckets - 1;
	bucket->weight = ofp_get_u16(&body);
	bucket->watch_port = ofp_get_u32(&body);
	bucket->watch_group = ofp_get_u32(&body);
	ofp_skip(&body, 4);
	return ofp_read_actions(&body, &bucket->actions);
}

static enum ofp_error read_buckets(struct ofp_reader *r, struct group_mod *gm)
{
	enum ofp_error error = OFP_OK;

	while (!error && ofp_left(r))
		error = read_bucket(r, gm);
	return error;
}

enum ofp_error ofp_check_group(const struct group_mod *gm, uint8_t type)
{
	enum ofp_error error = OFP_OK;

	if (gm->command > GROUP_DELETE && gm->command != GROUP_ADD_OR_MODIFY)
		return OFPGMFC_BAD_COMMAND;
	if (gm->command == GROUP_DELETE)
		return OFP_OK;
	if (type > GROUP_TYPE_FAST_FAILOVER)
		return OFPGMFC_BAD_TYPE;
	if (gm->group_id > OFPG_MAX)
		return OFPGMFC_INVALID_GROUP;
	for (unsigned i = 0; i < gm->n_buckets && !error; i++) {
		const struct bucket *b = &gm->buckets[i];

		error = ofp_check_actions(&b->actions, NULL, 0xff);
		if (!error && type == GROUP_TYPE_FAST_FAILOVER && b->watch_port == OFPP_ANY &&
		    b->watch_group == OFPG_ANY)
			error = OFPGMFC_BAD_WATCH;
	}
	if (!error && group_mod_check(gm, NULL))
		error = OFPGMFC_INVALID_GROUP;
	return error;
}

enum ofp_error ofp_read_group_mod(struct ofp_reader *r, struct group_mod *gm)
{
	enum ofp_error error;
	uint8_t type;

	group_mod_init(gm);
	gm->command = (enum group_command)ofp_get_u16(r);
	type = ofp_get_u8(r);
	gm->type = (enum group_type)type;
	ofp_skip(r, 1);
	gm->group_id = ofp_get_u32(r);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	error = read_buckets(r, gm);
	if (!error)
		error = ofp_check_group(gm, type);
	if (error)
		group_mod_free(gm);
	return error;
}

static void put_buckets(struct ofp_writer *w, const struct group_mod *gm)
{
	for (unsigned i = 0; i < gm->n_buckets; i++) {
		const struct bucket *b = &gm->buckets[i];
		size_t start = w->len;

		ofp_put_u16(w, 0);
		ofp_put_u16(w, b->weight);
		ofp_put_u32(w, b->watch_port);
		ofp_put_u32(w, b->watch_group);
		ofp_put_zero(w, 4);
		ofp_put_actions(w, &b->actions);
		ofp_set_u16(w, start, (uint16_t)(w->len - start));
	}
}

void ofp_put_group_mod(struct ofp_writer *w, uint32_t xid, const struct group_mod *gm)
{
	size_t start = ofp_begin(w, OFPT_GROUP_MOD, xid);

	ofp_put_u16(w, (uint16_t)gm->command);
	ofp_put_u8(w, (uint8_t)gm->type);
	ofp_put_zero(w, 1);
	ofp_put_u32(w, gm->group_id);
	put_buckets(w, gm);
	ofp_end(w, start);
}

enum ofp_error ofp_read_group_desc(struct ofp_reader *r, struct group_mod *gm)
{
	uint16_t len = ofp_get_u16(r);
	struct ofp_reader body;
	enum ofp_error error;

	group_mod_init(gm);
	if (len < 8)
		return OFPBRC_BAD_LEN;
	body = ofp_get_part(r, len - 2u);
	gm->type = (enum group_type)ofp_get_u8(&body);
	ofp_skip(&body, 1);
	gm->group_id = ofp_get_u32(&body);
	error = body.failed ? OFPBRC_BAD_LEN : read_buckets(&body, gm);
	if (error)
		group_mod_free(gm);
	return error;
}

void ofp_put_group_desc(struct ofp_writer *w, const struct group_mod *gm)
{
	size_t start = w->len;

	ofp_put_u16(w, 0);
	ofp_put_u8(w, (uint8_t)gm->type);
	ofp_put_zero(w, 1);
	ofp_put_u32(w, gm->group_id);
	put_buckets(w, gm);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}

enum ofp_error ofp_read_group_stats(struct ofp_reader *r, struct group_stats *gs)
{
	uint16_t len = ofp_get_u16(r);
	struct ofp_reader body;

	memset(gs, 0, sizeof(*gs));
	if (len < GROUP_STATS_FIXED)
		return OFPBRC_BAD_LEN;
	body = ofp_get_part(r, len - 2u);
	ofp_skip(&body, 2);
	gs->group_id = ofp_get_u32(&body);
	gs->ref_count = ofp_get_u32(&body);
	ofp_skip(&body, 4);
	gs->n_packets = ofp_get_u64(&body);
	gs->n_bytes = ofp_get_u64(&body);
	gs->duration_ns = ofp_get_u32(&body) * CLOCK_SECOND;
	gs->duration_ns += ofp_get_u32(&body);
	if (body.failed)
		return OFPBRC_BAD_LEN;
	gs->n_buckets = (unsigned)(ofp_left(&body) / 16);
	gs->buckets = calloc(gs->n_buckets ? gs->n_buckets : 1, sizeof(*gs->buckets));
	if (!gs->buckets)
		return OFPBRC_BAD_LEN;
	for (unsigned i = 0; i < gs->n_buckets; i++) {
		gs->buckets[i].n_packets = ofp_get_u64(&body);
		gs->buckets[i].n_bytes = ofp_get_u64(&body);
	}
	return OFP_OK;
}

void ofp_put_group_stats(struct ofp_writer *w, const struct group_stats *gs)
{
	ofp_put_u16(w, (uint16_t)(GROUP_STATS_FIXED + gs->n_buckets * 16));
	ofp_put_zero(w, 2);
	ofp_put_u32(w, gs->group_id);
	ofp_put_u32(w, gs->ref_count);
	ofp_put_zero(w, 4);
	ofp_put_u64(w, gs->n_packets);
	ofp_put_u64(w, gs->n_bytes);
	ofp_put_u32(w, (uint32_t)(gs->duration_ns / CLOCK_SECOND));
	ofp_put_u32(w, (uint32_t)(gs->duration_ns % CLOCK_SECOND));
	for (unsigned i = 0; i < gs->n_buckets; i++) {
		ofp_put_u64(w, gs->buckets[i].n_packets);
		ofp_put_u64(w, gs->buckets[i].n_bytes);
	}
}

/* What a bucket may do: every standard action (bit per OFPAT_*). */
#define BUCKET_ACTIONS 0x0fff9801u
#define BUCKET_ACTIONS_10 0x0fffu

void ofp_put_group_features(struct ofp_writer *w, const struct ofp_group_features *features)
{
	uint32_t actions = w->version == OFP_VERSION_10 ? BUCKET_ACTIONS_10 : BUCKET_ACTIONS;

	ofp_put_u32(w, features->types);
	ofp_put_u32(w, features->capabilities);
	for (unsigned i = 0; i < 4; i++)
		ofp_put_u32(w, features->max_groups[i]);
	for (unsigned i = 0; i < 4; i++)
		ofp_put_u32(w, features->types & 1u << i ? actions : 0);
}
