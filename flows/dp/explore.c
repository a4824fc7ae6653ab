/* SPDX-License-Identifier: Apache-2.0 */
/* The walk of relevance: an abstract packet whose fields are unknown and whose pipeline state is known as far
 * as it is constant meets every shape that it may match. See relevance.h. */
#include "flows/dp/explore.h"

#include <stdlib.h>
#include <string.h>

#include "flows/action.h"

enum { VISITS_MAX = 192 };

struct state {
	struct pstate value, known; /* value is zero where it is not known */
};

struct visit {
	uint32_t table, in_port;
	bool done;
	struct state entry, exit;
	struct state lookup; /* entry, with the in_port that the lookup uses */
};

static struct explorer { /* control thread only */
	const struct relevance *r;
	struct need_sum *sum;
	bool failed;
	unsigned n;
	struct visit visits[VISITS_MAX];
} explorer;

/* ---- sums ---- */

static void or_key(struct flow_key *to, const struct flow_key *add)
{
	uint64_t *t = (uint64_t *)to;
	const uint64_t *a = (const uint64_t *)add;

	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
		t[i] |= a[i];
}

void need_add(struct need_sum *sum, const struct shape *s)
{
	for (unsigned c = 0; c < MKEY_CLASSES; c++)
		if (s->classes & 1u << c)
			or_key(&sum->classes[c], &s->needs);
	sum->mixes |= s->mixes;
	sum->resizes |= s->resizes;
	lengths_join(&sum->lengths, &s->lengths);
}

struct lengths need_lengths(const struct need_sum *sum)
{
	struct lengths l = sum->lengths;

	if (sum->resizes && lengths_matter(&l))
		lengths_make_exact(&l);
	return l;
}

void need_masks(const struct need_sum *sum, struct mkey mask[MKEY_CLASSES])
{
	memset(mask, 0, MKEY_CLASSES * sizeof(*mask));
	for (unsigned c = 0; c < MKEY_CLASSES; c++) {
		/* What always counts: where a packet comes from and what kind it is. */
		mask[c].in_port = 0xffff;
		mask[c].tun_id = 0xffffffff;
		mask[c].eth_type = 0xffff;
		for (unsigned from = 0; from < MKEY_CLASSES; from++)
			if (from == c || sum->mixes)
				mkey_mask_add(&mask[c], &sum->classes[from], c);
	}
}

/* ---- states ---- */

static void forget(struct state *st, const struct pstate *mask)
{
	uint64_t *v = (uint64_t *)&st->value, *k = (uint64_t *)&st->known;
	const uint64_t *m = (const uint64_t *)mask;

	for (unsigned i = 0; i < PSTATE_WORDS; i++) {
		k[i] &= ~m[i];
		v[i] &= k[i];
	}
}

static void learn(struct state *st, const struct pstate *mask, const struct pstate *value)
{
	uint64_t *v = (uint64_t *)&st->value, *k = (uint64_t *)&st->known;
	const uint64_t *m = (const uint64_t *)mask, *n = (const uint64_t *)value;

	for (unsigned i = 0; i < PSTATE_WORDS; i++) {
		k[i] |= m[i];
		v[i] = (v[i] & ~m[i]) | (n[i] & m[i]);
	}
}

/* What is the same in both stays known. */
static void join(struct state *to, const struct state *other)
{
	uint64_t *v = (uint64_t *)&to->value, *k = (uint64_t *)&to->known;
	const uint64_t *ov = (const uint64_t *)&other->value, *ok = (const uint64_t *)&other->known;

	for (unsigned i = 0; i < PSTATE_WORDS; i++) {
		k[i] &= ok[i] & ~(v[i] ^ ov[i]);
		v[i] &= k[i];
	}
}

/* ---- the walk ---- */

static void walk_table(struct explorer *x, uint32_t table, uint32_t in_port, struct state *st);

static void walk_steps(struct explorer *x, const struct shape_step *steps, uint32_t n, struct state *st)
{
	for (uint32_t i = 0; i < n && !x->failed; i++) {
		const struct shape_step *s = &steps[i];
		struct state copy;

		switch (s->kind) {
		case STEP_SET:
			learn(st, &s->mask, &s->value);
			break;
		case STEP_FORGET:
			forget(st, &s->mask);
			break;
		case STEP_CALL:
			walk_table(x, s->table, s->in_port, st);
			break;
		case STEP_BRANCH:
			copy = *st;
			walk_steps(x, s + 1, s->length, &copy);
			i += s->length;
			break;
		}
	}
}

static struct visit *visit_find(struct explorer *x, uint32_t table, uint32_t in_port, const struct state *st)
{
	for (unsigned i = 0; i < x->n; i++) {
		struct visit *v = &x->visits[i];

		if (v->table == table && v->in_port == in_port && !memcmp(&v->entry, st, sizeof(*st)))
			return v;
	}
	return NULL;
}

static struct visit *visit_start(struct explorer *x, uint32_t table, uint32_t in_port, const struct state *st)
{
	struct visit *v = &x->visits[x->n];

	if (x->n == VISITS_MAX) {
		x->failed = true;
		return NULL;
	}
	x->n++;
	*v = (struct visit){.table = table, .in_port = in_port, .entry = *st, .exit = *st, .lookup = *st};
	if (in_port == PORT_IN_PORT)
		return v;
	v->lookup.value.in_port = in_port;
	v->lookup.known.in_port = UINT32_MAX;
	return v;
}

/* On return `st` is what is known behind the lookup and all that it led to. */
static void walk_table(struct explorer *x, uint32_t table, uint32_t in_port, struct state *st)
{
	struct visit *v;

	if (table >= RELEVANCE_TABLES - 1)
		return;
	v = visit_find(x, table, in_port, st);
	if (v && !v->done) { /* a loop: nothing is known of where it ends */
		memset(st, 0, sizeof(*st));
		return;
	}
	if (!v) {
		v = visit_start(x, table, in_port, st);
		if (!v)
			return;
		for (const struct shape *s = x->r->tables[table]; s && !x->failed; s = s->next_in_table) {
			struct state copy = v->entry;

			if (!pstate_meets(&v->lookup.value, &v->lookup.known, s))
				continue;
			need_add(x->sum, s);
			x->failed |= s->opaque;
			/* With another in_port the match says nothing about the packet's own. */
			if (in_port == PORT_IN_PORT)
				learn(&copy, &s->mask, &s->value);
			walk_steps(x, s->steps, s->nsteps, &copy);
			join(&v->exit, &copy);
		}
		v->done = true;
	}
	*st = v->exit;
}

static bool note_visits(struct explorer *x, struct ingress *in)
{
	struct visited *list = malloc((x->n + 1) * sizeof(*list));

	if (!list)
		return false;
	for (unsigned i = 0; i < x->n; i++)
		list[i] = (struct visited){x->visits[i].table, x->visits[i].lookup.value,
		                           x->visits[i].lookup.known};
	free(in->visited);
	in->visited = list;
	in->nvisited = x->n;
	return true;
}

bool explore(const struct relevance *r, struct ingress *in, struct need_sum *sum)
{
	struct explorer *x = &explorer;
	struct state st;

	memset(&st, 0, sizeof(st));
	memset(&st.known, 0xff, sizeof(st.known));
	st.value.in_port = mkey_ofport((uint16_t)(in->key >> 32));
	st.value.tun_id = htobe64(in->key & UINT32_MAX);
	x->r = r;
	x->sum = sum;
	x->failed = false;
	x->n = 0;
	walk_table(x, 0, PORT_IN_PORT, &st);
	for (const struct shape *s = r->tables[SHAPE_ANY_TABLE]; s; s = s->next_in_table) {
		need_add(sum, s);
		x->failed |= s->opaque;
	}
	return !x->failed && note_visits(x, in);
}
