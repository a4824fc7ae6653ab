/* SPDX-License-Identifier: Apache-2.0 */
/* What the model does with a packet: tables, branches, the action set; slow and plain on purpose. */
#include <stdlib.h>
#include <string.h>

#include "tests/differential/model_run.h"

static void run_set(struct run *r);
static void do_one(struct run *r, const struct action *a);

struct flow_key run_key(const struct run *r)
{
	struct model_layout at;
	struct flow_key key = r->state;

	model_parse(&r->frame, &key, &at);
	return key;
}

/* ---- branches ---- */

static void do_all(struct run *r, const struct action_list *l)
{
	for (unsigned i = 0; i < l->n && !r->over; i++)
		do_one(r, &l->items[i]);
}

/* Actions on a copy of the packet, which has the action set as well; `as_set`: they are one themselves. */
static void do_copy(struct run *r, const struct action_list *l, bool as_set)
{
	struct run *copy = malloc(sizeof(*copy));

	memcpy(copy, r, sizeof(*copy));
	copy->depth++;
	if (copy->depth > r->out->depth)
		r->out->depth = copy->depth;
	if (as_set) {
		copy->nset = 0;
		for (unsigned i = 0; i < l->n; i++)
			copy->set[copy->nset++] = &l->items[i];
	} else {
		do_all(copy, l);
	}
	run_set(copy);
	r->out->cost += 2;
	free(copy);
}

static void count_other(struct run *r, struct model_count *c)
{
	if (r->out->nothers < MODEL_HITS_MAX)
		r->out->others[r->out->nothers++] = c;
}

static void headers_of(const struct flow_key *k, uint8_t *to)
{
	memcpy(to, &k->eth_dst, 14); /* and source, type */
	memcpy(to + 14, &k->vlan[0].tci, 2);
	memcpy(to + 16, &k->nw_src, 8);
	memcpy(to + 24, k->ipv6_src, 32);
	memcpy(to + 56, &k->tp_src, 4);
	to[60] = k->nw_proto;
}

/* Is there something behind what the key tells: labels, an I-TAG, a third VLAN tag? */
static bool hides_headers(const struct flow_key *k)
{
	return field_present(k, FIELD_MPLS_LABEL) || field_present(k, FIELD_PBB_ISID) ||
	       k->eth_type == htobe16(ETH_TYPE_VLAN) || k->eth_type == htobe16(ETH_TYPE_QINQ);
}

/* What lies there belongs to the flow as well. */
static uint64_t hidden_headers(const struct flow_key *k, const struct model_frame *f)
{
	uint64_t hash = 0xcbf29ce484222325;

	if (!hides_headers(k))
		return 0;
	for (uint32_t i = 0; i < f->len; i++)
		hash = (hash ^ f->data[i]) * 0x100000001b3;
	return hash;
}

/* What makes a flow to a select group: the headers that it came in with and those that it has now. */
static void flow_of(const struct run *r, uint32_t id, struct model_choice *c)
{
	struct flow_key now = run_key(r);
	uint64_t hidden[2];

	memset(c, 0, sizeof(*c));
	c->group_id = id;
	headers_of(&now, c->flow);
	headers_of(&r->first, c->flow + 64);
	hidden[0] = hidden_headers(&r->first, r->in);
	hidden[1] = hidden_headers(&now, &r->frame);
	memcpy(c->flow + 128, hidden, sizeof(hidden));
}

static const struct model_choice *find_choice(const struct model_choice *all, unsigned n,
                                              const struct model_choice *c)
{
	for (unsigned i = 0; i < n; i++)
		if (!memcmp(all[i].flow, c->flow, sizeof(c->flow)) && all[i].group_id == c->group_id)
			return &all[i];
	return NULL;
}

unsigned run_choose(struct run *r, struct model_choice *c, const unsigned *live, unsigned n)
{
	struct model_result *out = r->out;
	bool guessed = r->guess && out->nchoices < r->guess->n;
	const struct model_choice *before = find_choice(r->m->choices, r->m->nchoices, c);

	before = before ? before : find_choice(out->choices, out->nchoices, c);
	if (before)
		return before->bucket;
	if (out->nchoices == MODEL_CHOICES_MAX) {
		out->strange = true;
		return live[0];
	}
	c->bucket = live[guessed ? r->guess->take[out->nchoices] : 0];
	c->live = n;
	out->choices[out->nchoices++] = *c;
	return c->bucket;
}

bool model_guess_next(struct model_guess *guess, const struct model_result *r)
{
	for (unsigned i = r->nchoices; i--;) {
		unsigned took = i < guess->n ? guess->take[i] : 0;

		if (took + 1 == r->choices[i].live)
			continue;
		while (guess->n < i)
			guess->take[guess->n++] = 0;
		guess->take[i] = took + 1;
		guess->n = i + 1;
		return true;
	}
	return false;
}

static void do_group(struct run *r, uint32_t id)
{
	struct model_group *g = model_group(r->m, id);
	unsigned live[MODEL_BUCKETS_MAX], n = 0, first = 0;
	struct model_choice c;

	count_other(r, &g->count);
	for (unsigned i = 0; i < g->mod.n_buckets; i++) {
		const struct bucket *b = &g->mod.buckets[i];

		if (g->mod.type == GROUP_TYPE_ALL || g->mod.type == GROUP_TYPE_INDIRECT ||
		    ((b->watch_port == PORT_ANY || model_port_live(r->m, b->watch_port)) &&
		     (g->mod.type != GROUP_TYPE_SELECT || b->weight)))
			live[n++] = i;
	}
	if (!n)
		return;
	if (g->mod.type == GROUP_TYPE_SELECT) {
		flow_of(r, g->mod.group_id, &c);
		live[0] = run_choose(r, &c, live, n);
		n = 1;
	} else if (g->mod.type == GROUP_TYPE_FAST_FAILOVER) {
		n = 1;
	}
	for (; first < n; first++) {
		count_other(r, &g->buckets[live[first]]);
		do_copy(r, &g->mod.buckets[live[first]].actions, true);
	}
}

/* ---- actions ---- */

static void write_metadata(struct run *r, const struct action *a)
{
	uint64_t number = be64toh(r->state.metadata);

	r->state.metadata = htobe64((number & ~a->metadata.mask) | (a->metadata.value & a->metadata.mask));
}

/* A port only when there is no group. */
static uint32_t set_output(const struct run *r)
{
	uint32_t port = PORT_UNSET;

	for (unsigned i = 0; i < r->nset; i++)
		if (r->set[i]->type == ACTION_GROUP)
			return PORT_UNSET;
		else if (r->set[i]->type == ACTION_OUTPUT)
			port = r->set[i]->output.port;
	return port;
}

static void clear_set(struct run *r)
{
	r->nset = 0;
	r->state.actset_output = PORT_UNSET;
}

static void do_one(struct run *r, const struct action *a)
{
	switch (a->type) {
	case ACTION_OUTPUT:
	case ACTION_OUTPUT_TRUNC:
	case ACTION_OUTPUT_REG:
	case ACTION_ENQUEUE:
	case ACTION_CONTROLLER:
	case ACTION_BUNDLE:
		run_output(r, a);
		break;
	case ACTION_GROUP:
		do_group(r, a->number);
		break;
	case ACTION_CLONE:
		do_copy(r, &a->nested, false);
		break;
	case ACTION_RESUBMIT:
		run_table(r, a->resubmit.table_id == TABLE_ALL ? r->table_id : a->resubmit.table_id,
		          a->resubmit.in_port == PORT_IN_PORT ? r->state.in_port : a->resubmit.in_port,
		          false);
		break;
	case ACTION_GOTO_TABLE:
		run_table(r, a->number, r->state.in_port, true);
		break;
	case ACTION_EXIT:
		r->over = true;
		break;
	case ACTION_CLEAR_ACTIONS:
		clear_set(r);
		break;
	case ACTION_WRITE_ACTIONS:
		for (unsigned i = 0; i < a->nested.n; i++)
			r->set[r->nset++] = &a->nested.items[i];
		r->state.actset_output = set_output(r);
		break;
	case ACTION_WRITE_METADATA:
		write_metadata(r, a);
		break;
	case ACTION_LEARN:
		run_learn(r, a->learn);
		break;
	case ACTION_METER:
		run_meter(r, a->number);
		break;
	case ACTION_MULTIPATH:
		run_multipath(r, &a->multipath);
		break;
	case ACTION_CHECK_PKT_LARGER:
		run_check_pkt_larger(r, a);
		break;
	case ACTION_BUNDLE_LOAD:
		run_load(r, &a->bundle.dst, run_bundle(r, &a->bundle) & 0xffff);
		break;
	case ACTION_NOTE:
		break;
	default:
		run_rewrite(r, a);
	}
}

/* ---- the action set ---- */

/* The last that was written of this kind. */
static bool do_last(struct run *r, const struct action **set, unsigned n, enum action_type type)
{
	while (n--)
		if (set[n]->type == type) {
			if (!r->over)
				do_one(r, set[n]);
			return true;
		}
	return false;
}

static bool is_set(enum action_type type)
{
	return type == ACTION_SET_FIELD || type == ACTION_MOVE || type == ACTION_SET_TTL ||
	       type == ACTION_SET_MPLS_TTL;
}

/* OpenFlow 1.3 section 5.10. */
static void run_set(struct run *r)
{
	static const enum action_type first[] = {
	        ACTION_COPY_TTL_IN, ACTION_POP_VLAN,     ACTION_POP_MPLS,  ACTION_POP_PBB,
	        ACTION_PUSH_MPLS,   ACTION_PUSH_PBB,     ACTION_PUSH_VLAN, ACTION_COPY_TTL_OUT,
	        ACTION_DEC_TTL,     ACTION_DEC_MPLS_TTL,
	};
	static const enum action_type last[] = {ACTION_GROUP, ACTION_OUTPUT, ACTION_OUTPUT_TRUNC,
	                                        ACTION_OUTPUT_REG, ACTION_CONTROLLER};
	const struct action *set[RUN_SET_MAX];
	unsigned n = r->nset;

	memcpy(set, r->set, sizeof(set));
	r->nset = 0;
	for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		do_last(r, set, n, first[i]);
	for (unsigned i = 0; i < n && !r->over; i++)
		if (is_set(set[i]->type))
			do_one(r, set[i]);
	for (unsigned i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		if (do_last(r, set, n, last[i]))
			return;
}

/* ---- tables ---- */

void run_table(struct run *r, unsigned table_id, uint32_t in_port, bool by_goto)
{
	const struct model_rule *caller = r->rule;
	uint8_t caller_table = r->table_id;
	struct flow_key k = run_key(r);
	struct model_rule *rule;

	r->out->strange |= r->remarked;
	k.in_port = in_port;
	rule = model_lookup(r->m, table_id, &k);
	r->out->lookups[table_id]++;
	if (!rule) {
		if (by_goto)
			clear_set(r);
		return;
	}
	if (r->out->nrules < MODEL_HITS_MAX)
		r->out->rules[r->out->nrules++] = rule;
	r->rule = rule;
	r->table_id = (uint8_t)table_id;
	do_all(r, &rule->actions);
	r->rule = caller;
	r->table_id = caller_table;
}

/* ---- entry ---- */

void model_run(struct model *m, uint32_t in_port, const struct model_frame *f,
               const struct model_guess *guess, struct model_result *out)
{
	static struct run first;
	struct run *r = &first;

	out->nevents = out->nrules = out->nothers = out->nnews = out->nchoices = 0;
	out->cost = out->depth = 0;
	out->strange = false;
	memset(out->lookups, 0, sizeof(out->lookups));
	memset(&r->state, 0, sizeof(r->state));
	r->m = m;
	r->out = out;
	r->in = f;
	model_frame_copy(&r->frame, f);
	r->state.in_port = r->state.in_phy_port = r->came_in = in_port;
	r->state.actset_output = PORT_UNSET;
	r->state.tun_id = htobe64(f->tun_id);
	r->state.tun_src = f->tun_src;
	r->state.tun_dst = f->tun_dst;
	r->guess = guess;
	r->depth = r->nset = r->nstack = 0;
	r->rule = NULL;
	r->table_id = 0;
	r->over = r->muted = r->remarked = false;
	model_forget_learned(out);
	memcpy(out->meters, m->meters, sizeof(out->meters));
	if (model_port(m, in_port)->config & (1 << 0 /* PORT_DOWN */ | 1 << 2 /* NO_RECV */))
		return;
	r->first = run_key(r);
	run_table(r, 0, in_port, true);
	r->rule = out->nrules ? out->rules[0] : NULL;
	run_set(r);
}

static void count(struct model_count *c, uint32_t len)
{
	c->packets++;
	c->bytes += len;
}

void model_commit(struct model *m, uint32_t in_port, uint32_t len, const struct model_result *r)
{
	count(&model_port(m, in_port)->rx, len);
	for (unsigned i = 0; i < r->nrules; i++) {
		count(&r->rules[i]->count, len);
		m->matched[r->rules[i]->table_id]++;
	}
	for (unsigned i = 0; i < r->nothers; i++)
		count(r->others[i], len);
	for (unsigned i = 0; i < MODEL_TABLES; i++)
		m->lookups[i] += r->lookups[i];
	for (unsigned i = 0; i < r->nevents; i++)
		if (!r->events[i].to_controller)
			count(&model_port(m, r->events[i].port)->tx, r->events[i].frame.len);
	memcpy(m->meters, r->meters, sizeof(m->meters));
	for (unsigned i = 0; i < r->nlearned && m->nlearned < MODEL_PENDING_MAX; i++)
		flow_mod_copy(&m->learned[m->nlearned++], &r->learned[i]);
	for (unsigned i = 0; i < r->nnews && m->nnews < MODEL_MACS_MAX; i++)
		m->news[m->nnews++] = r->news[i];
	for (unsigned i = 0; i < r->nchoices; i++) {
		if (m->nchoices == m->choices_capacity) {
			m->choices_capacity = m->choices_capacity * 2 + 64;
			m->choices = realloc(m->choices, m->choices_capacity * sizeof(*m->choices));
		}
		m->choices[m->nchoices++] = r->choices[i];
	}
}
