/* SPDX-License-Identifier: Apache-2.0 */
/* Group mods: making, copying, freeing, checking. Called by the text parser, the codec and the switch. */
#include "flows/group.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"

void group_mod_init(struct group_mod *gm)
{
	memset(gm, 0, sizeof(*gm));
}

void group_mod_free(struct group_mod *gm)
{
	for (unsigned i = 0; i < gm->n_buckets; i++)
		action_list_free(&gm->buckets[i].actions);
	free(gm->buckets);
	gm->buckets = NULL;
	gm->n_buckets = 0;
}

struct bucket *group_mod_append(struct group_mod *gm)
{
	struct bucket *b = realloc(gm->buckets, (gm->n_buckets + 1) * sizeof(*b));

	if (!b)
		return NULL;
	gm->buckets = b;
	b += gm->n_buckets;
	memset(b, 0, sizeof(*b));
	b->bucket_id = gm->n_buckets++;
	b->watch_port = PORT_ANY;
	b->watch_group = GROUP_NONE;
	return b;
}

int group_mod_copy(struct group_mod *to, const struct group_mod *from)
{
	*to = *from;
	to->buckets = NULL;
	to->n_buckets = 0;
	for (unsigned i = 0; i < from->n_buckets; i++) {
		struct bucket *b = group_mod_append(to);

		if (!b)
			goto err;
		*b = from->buckets[i];
		if (action_list_copy(&b->actions, &from->buckets[i].actions))
			goto err;
	}
	return 0;
err:
	group_mod_free(to);
	return -ENOMEM;
}

void group_stats_free(struct group_stats *gs)
{
	free(gs->buckets);
	gs->buckets = NULL;
	gs->n_buckets = 0;
}

static int check_bucket(const struct group_mod *gm, const struct bucket *b, unsigned i, struct error *err)
{
	bool watched = b->watch_port != PORT_ANY || b->watch_group != GROUP_NONE;
	int rc;

	if (gm->type != GROUP_TYPE_SELECT && b->weight)
		return error_set(err, EINVAL, "bucket %u: only a group of type select has weights", i);
	if (gm->type == GROUP_TYPE_FAST_FAILOVER && !watched)
		return error_set(err, EINVAL, "bucket %u: fast failover expects watch_port or watch_group",
		                 i);
	for (unsigned k = 0; k < b->actions.n; k++) {
		if (action_is_instruction(b->actions.items[k].type))
			return error_set(err, EINVAL, "bucket %u: instructions are not allowed in buckets",
			                 i);
	}
	rc = action_list_check(&b->actions, NULL, 0xff, NULL, err);
	if (rc)
		error_prefix(err, "bucket %u", i);
	return rc;
}

int group_mod_check(const struct group_mod *gm, struct error *err)
{
	uint64_t weights = 0;

	if (gm->group_id > GROUP_MAX && !(gm->command == GROUP_DELETE && gm->group_id == GROUP_ALL))
		return error_set(err, EINVAL, "group_id: %u is reserved, expected 0 to %u", gm->group_id,
		                 GROUP_MAX);
	if (gm->type > GROUP_TYPE_FAST_FAILOVER)
		return error_set(err, EINVAL, "type: unknown group type %u", gm->type);
	if (gm->command == GROUP_DELETE)
		return gm->n_buckets ? error_set(err, EINVAL, "bucket: not allowed when groups are deleted")
		                     : 0;
	if (gm->type == GROUP_TYPE_INDIRECT && gm->n_buckets != 1)
		return error_set(err, EINVAL, "bucket: a group of type indirect expects exactly one bucket");
	if (gm->n_buckets > GROUP_BUCKETS_MAX)
		return error_set(err, EINVAL, "bucket: at most %u buckets", GROUP_BUCKETS_MAX);
	for (unsigned i = 0; i < gm->n_buckets; i++) {
		int rc = check_bucket(gm, &gm->buckets[i], i, err);

		if (rc)
			return rc;
		weights += gm->buckets[i].weight;
	}
	if (gm->type == GROUP_TYPE_SELECT && gm->n_buckets && !weights)
		return error_set(err, EINVAL, "bucket: no bucket of a group of type select has a weight");
	return 0;
}
