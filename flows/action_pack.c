/* SPDX-License-Identifier: Apache-2.0 */
/* Each action as it is in memory, with its pointers cut, and then what they led to. Called by the walk when a
 * packet is paused, and by the control thread that tells of it. */
#include "flows/action_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t aligned(size_t n)
{
	return (n + ACTION_PACK_ALIGN - 1) & ~(size_t)(ACTION_PACK_ALIGN - 1);
}

static bool put(struct action_pack *p, const void *bytes, size_t n)
{
	if (aligned(n) > p->room - p->len)
		return false;
	if (n)
		memcpy(p->out + p->len, bytes, n);
	memset(p->out + p->len + n, 0, aligned(n) - n);
	p->len += aligned(n);
	return true;
}

static bool put_list(struct action_pack *p, const struct action *flat, const struct action_list *nested)
{
	if (!put(p, flat, sizeof(*flat)))
		return false;
	for (unsigned i = 0; i < nested->n; i++) {
		if (!action_pack(p, &nested->items[i]))
			return false;
	}
	return true;
}

bool action_pack(struct action_pack *p, const struct action *a)
{
	struct action flat = *a;

	switch (a->type) {
	case ACTION_CONTROLLER:
		flat.controller.userdata.data = NULL;
		return put(p, &flat, sizeof(flat)) &&
		       put(p, a->controller.userdata.data, a->controller.userdata.len);
	case ACTION_NOTE:
		flat.bytes.data = NULL;
		return put(p, &flat, sizeof(flat)) && put(p, a->bytes.data, a->bytes.len);
	case ACTION_DEC_TTL:
		flat.dec_ttl.ids = NULL;
		return put(p, &flat, sizeof(flat)) && put(p, a->dec_ttl.ids, a->dec_ttl.n * sizeof(uint16_t));
	case ACTION_LEARN:
		flat.learn = NULL;
		return put(p, &flat, sizeof(flat)) && put(p, a->learn, sizeof(*a->learn)) &&
		       put(p, a->learn->specs, a->learn->n_specs * sizeof(struct learn_spec));
	case ACTION_BUNDLE:
	case ACTION_BUNDLE_LOAD:
		flat.bundle.members = NULL;
		return put(p, &flat, sizeof(flat)) &&
		       put(p, a->bundle.members, a->bundle.n_members * sizeof(*a->bundle.members));
	case ACTION_CT:
		flat.ct.exec.items = NULL;
		flat.ct.exec.capacity = 0;
		return put_list(p, &flat, &a->ct.exec);
	case ACTION_CLONE:
	case ACTION_WRITE_ACTIONS:
		flat.nested.items = NULL;
		flat.nested.capacity = 0;
		return put_list(p, &flat, &a->nested);
	default:
		return put(p, &flat, sizeof(flat));
	}
}

/* ---- and back ---- */

struct unpacking {
	const uint8_t *at, *end;
};

/* A copy of the next `n` bytes in *to, which is a pointer; nothing when there are none. */
static int take_copy(struct unpacking *u, void *to, size_t n)
{
	void *copy = n ? malloc(n) : NULL;

	if (n && !copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, u->at, n);
	memcpy(to, &copy, sizeof(copy));
	u->at += aligned(n);
	return 0;
}

static int take_learn(struct unpacking *u, struct action *a)
{
	int rc = take_copy(u, &a->learn, sizeof(*a->learn));

	if (rc)
		return rc;
	a->learn->specs = NULL;
	return take_copy(u, &a->learn->specs, a->learn->n_specs * sizeof(struct learn_spec));
}

static int take_action(struct unpacking *u, struct action_list *out);

static int take_nested(struct unpacking *u, struct action_list *nested)
{
	unsigned n = nested->n;
	int rc = 0;

	action_list_init(nested);
	while (!rc && n--)
		rc = take_action(u, nested);
	return rc;
}

static int take_action(struct unpacking *u, struct action_list *out)
{
	struct action *a = action_list_append(out, ACTION_TYPES);

	if (!a)
		return -ENOMEM;
	memcpy(a, u->at, sizeof(*a));
	u->at += aligned(sizeof(*a));
	switch (a->type) {
	case ACTION_CONTROLLER:
		return take_copy(u, &a->controller.userdata.data, a->controller.userdata.len);
	case ACTION_NOTE:
		return take_copy(u, &a->bytes.data, a->bytes.len);
	case ACTION_DEC_TTL:
		return take_copy(u, &a->dec_ttl.ids, a->dec_ttl.n * sizeof(uint16_t));
	case ACTION_LEARN:
		return take_learn(u, a);
	case ACTION_BUNDLE:
	case ACTION_BUNDLE_LOAD:
		return take_copy(u, &a->bundle.members, a->bundle.n_members * sizeof(*a->bundle.members));
	case ACTION_CT:
		return take_nested(u, &a->ct.exec);
	case ACTION_CLONE:
	case ACTION_WRITE_ACTIONS:
		return take_nested(u, &a->nested);
	default:
		return 0;
	}
}

int action_unpack(const uint8_t *packed, size_t len, struct action_list *out)
{
	struct unpacking u = {packed, packed + len};
	int rc = 0;

	while (!rc && u.at < u.end)
		rc = take_action(&u, out);
	return rc;
}
