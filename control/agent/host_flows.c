/* SPDX-License-Identifier: Apache-2.0 */
/* Which flows of a host change with its scene; see host_flows.h. Called by agent.c. */
#include "control/agent/host_flows.h"

#include <errno.h>
#include <stdlib.h>

struct flow_part {
	uint64_t place; /* ascending: of pipeline_part */
	uint64_t inputs;
	struct flow_set flows;
};

struct update {
	const struct scene *s;
	struct host_flows *old;
	struct flow_part *parts; /* those that are made anew own their flows, the others are as in `old` */
	unsigned n, next_old;
	struct flow_set gone, fresh;
};

/* ---- differences ---- */

static int note(struct flow *had, struct flow *wanted, void *arg)
{
	struct update *u = arg;

	if (had)
		flow_set_share(&u->gone, had);
	if (wanted)
		flow_set_share(&u->fresh, wanted);
	return u->gone.failed || u->fresh.failed ? -ENOMEM : 0;
}

/* ---- parts ---- */

static struct flow_part *old_part(const struct update *u)
{
	return u->next_old < u->old->n ? &u->old->parts[u->next_old] : NULL;
}

static int drop_before(struct update *u, uint64_t place)
{
	static const struct flow_set none;
	int rc = 0;

	while (!rc && old_part(u) && old_part(u)->place < place) {
		rc = flow_set_compare(&old_part(u)->flows, &none, note, u);
		u->next_old++;
	}
	return rc;
}

/* `net` NULL: of the host. */
static int add_part(struct update *u, const struct scene_network *net, enum pipeline_part part)
{
	static const struct flow_set none;
	struct flow_part *p = &u->parts[u->n], *old;
	uint64_t place = net ? (uint64_t)net->vni * PIPELINE_PARTS + part : 0;
	int rc = drop_before(u, place);

	old = old_part(u) && old_part(u)->place == place ? old_part(u) : NULL;
	*p = (struct flow_part){.place = place, .inputs = pipeline_inputs(u->s, net, part)};
	u->n++;
	u->next_old += old != NULL;
	if (old && old->inputs == p->inputs) {
		p->flows = old->flows;
		return rc;
	}
	if (!rc)
		rc = pipeline_part(u->s, net, part, &p->flows);
	return rc ? rc : flow_set_compare(old ? &old->flows : &none, &p->flows, note, u);
}

/* Frees the parts of one list that the other has not got too. */
static void free_parts(struct flow_part *parts, unsigned n, const struct flow_part *kept, unsigned n_kept)
{
	for (unsigned i = 0, k = 0; i < n; i++) {
		while (k < n_kept && kept[k].place < parts[i].place)
			k++;
		if (k == n_kept || kept[k].place != parts[i].place || kept[k].inputs != parts[i].inputs)
			flow_set_free(&parts[i].flows);
	}
	free(parts);
}

int host_flows_update(struct host_flows *h, const struct scene *s,
                      int (*differ)(struct flow *had, struct flow *wanted, void *arg), void *arg)
{
	struct update u = {
	        .s = s, .old = h, .parts = calloc(PIPELINE_PARTS * s->n_networks + 1u, sizeof(*u.parts))};
	int rc = u.parts ? add_part(&u, NULL, PIPELINE_REST) : -ENOMEM;

	for (unsigned i = 0; i < s->n_networks && !rc; i++)
		for (unsigned k = 0; k < PIPELINE_PARTS && !rc; k++)
			rc = add_part(&u, &s->networks[i], (enum pipeline_part)k);
	if (!rc)
		rc = drop_before(&u, UINT64_MAX);
	if (rc) {
		free_parts(u.parts, u.n, h->parts, h->n);
	} else {
		flow_set_settle(&u.gone);
		flow_set_settle(&u.fresh);
		free_parts(h->parts, h->n, u.parts, u.n);
		*h = (struct host_flows){u.parts, u.n};
		rc = flow_set_compare(&u.gone, &u.fresh, differ, arg);
	}
	flow_set_free(&u.gone);
	flow_set_free(&u.fresh);
	return rc;
}

int host_flows_all(const struct host_flows *h, struct flow_set *out)
{
	for (unsigned i = 0; i < h->n; i++)
		for (size_t k = 0; k < h->parts[i].flows.n; k++)
			flow_set_share(out, h->parts[i].flows.flows[k]);
	flow_set_settle(out);
	return out->failed ? -ENOMEM : 0;
}

void host_flows_free(struct host_flows *h)
{
	free_parts(h->parts, h->n, NULL, 0);
	*h = (struct host_flows){0};
}
