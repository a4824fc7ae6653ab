/* SPDX-License-Identifier: Apache-2.0 */
/* The walk through the tables; see translate.h. Called by the cache on a miss and for packet-out. */
#include "flows/dp/translate.h"

#include <string.h>

#include "flows/dp/learn.h"
#include "flows/dp/walk.h"

enum { NO_TABLE = -1 };

/* How a table is entered. */
enum way { BY_GOTO, BY_RESUBMIT, BY_ORIGINAL };

static int do_list(struct walk *w, const struct action_list *l);

/* ---- tables ---- */

static void table_deps(struct walk *w, uint8_t table_id)
{
	const struct table *table = &w->t->tables[table_id];
	uint16_t base = (uint16_t)(table_id * DEP_PER_TABLE);
	uint8_t used = rcu_read(table->dep_fields);

	emit_dep(w, base);
	if (used & 1 << DEP_METADATA)
		emit_dep(w, base + dep_of_field(DEP_METADATA, w->key.metadata));
	if (used & 1 << DEP_IN_PORT)
		emit_dep(w, base + dep_of_field(DEP_IN_PORT, w->key.in_port));
	if (used & 1 << DEP_TUN_ID)
		emit_dep(w, base + dep_of_field(DEP_TUN_ID, w->key.tun_id));
	if (used & 1 << DEP_ETH_DST)
		emit_dep(w, base + dep_of_field(DEP_ETH_DST, dep_mac(&w->key.eth_dst)));
}

static const struct rule *lookup(struct walk *w, uint8_t table_id, uint32_t in_port, enum way way)
{
	const struct table *table = &w->t->tables[table_id];
	uint32_t own = w->key.in_port;
	const struct rule *r;
	bool over = false;

	if (++w->lookups > TRANSLATE_LOOKUPS_MAX) {
		w->error = DROP_RESUBMIT_LIMIT;
		return NULL;
	}
	w->key.in_port = in_port;
	if (way == BY_ORIGINAL)
		flow_key_swap_connection(&w->key);
	table_deps(w, table_id);
	r = classifier_lookup(&table->classifier, &w->key, w->version, &over);
	if (way == BY_ORIGINAL)
		flow_key_swap_connection(&w->key);
	w->key.in_port = own;
	if (over) {
		w->error = DROP_CONJUNCTION_LIMIT;
		return NULL;
	}
	emit_ref(w, r ? r->slot : table->miss);
	return r;
}

static void miss(struct walk *w, uint8_t table_id)
{
	set_clear(w);
	if (!__atomic_load_n(&w->t->misses_told, __ATOMIC_RELAXED))
		return;
	w->rule = NULL;
	w->cookie = UINT64_MAX;
	w->table_id = table_id;
	emit_controller(w, UINT16_MAX, 0, 0 /* OFPR_NO_MATCH */, NULL, 0);
}

/* From `table_id` along goto_table. In a table that is reached by goto, a miss drops what was only written
 * (OpenFlow 1.3 section 5.4); a resubmit that misses does nothing. */
static void walk_tables(struct walk *w, int table_id, uint32_t in_port, enum way way)
{
	const struct rule *caller = w->rule;
	uint64_t caller_cookie = w->cookie;
	uint8_t caller_table = w->table_id;

	while (table_id != NO_TABLE && !walk_over(w)) {
		const struct rule *r = lookup(w, (uint8_t)table_id, in_port, way);

		if (w->error)
			break;
		if (!r) {
			if (way == BY_GOTO)
				miss(w, (uint8_t)table_id);
			break;
		}
		w->matched = true;
		w->first = w->first ? w->first : r;
		w->rule = r;
		w->cookie = r->cookie;
		w->table_id = (uint8_t)table_id;
		table_id = do_list(w, &r->actions);
		in_port = w->key.in_port;
		way = BY_GOTO;
	}
	w->rule = caller;
	w->cookie = caller_cookie;
	w->table_id = caller_table;
}

static void resubmit_to(struct walk *w, uint8_t table_id, uint32_t in_port, enum way way)
{
	if (table_id == TABLE_ALL)
		table_id = w->table_id;
	if (table_id >= TABLES_COUNT)
		return;
	if (++w->depth > TRANSLATE_DEPTH_MAX)
		w->error = DROP_RESUBMIT_LIMIT;
	else
		walk_tables(w, table_id, in_port == PORT_IN_PORT ? w->key.in_port : in_port, way);
	w->depth--;
}

/* With `original`, of what has no connection no table is asked, as in Open vSwitch. */
static void resubmit(struct walk *w, const struct action *a)
{
	enum way way = a->resubmit.original ? BY_ORIGINAL : BY_RESUBMIT;

	if (way == BY_RESUBMIT || (w->key.ct_nw_proto && flow_key_is_ip(&w->key)))
		resubmit_to(w, a->resubmit.table_id, a->resubmit.in_port, way);
}

/* ---- output ---- */

static bool is_miss_rule(const struct rule *r)
{
	return r && !r->priority && !subtable_words(r->subtable);
}

static void output(struct walk *w, uint32_t port, uint32_t truncate, uint16_t max_len)
{
	uint16_t bytes = truncate > UINT16_MAX ? 0 : (uint16_t)truncate;

	switch (port) {
	case PORT_IN_PORT:
		emit(w, OP_OUTPUT, bytes, w->key.in_port);
		break;
	case PORT_TABLE:
		resubmit_to(w, 0, PORT_IN_PORT, BY_RESUBMIT);
		break;
	case PORT_NORMAL:
		emit(w, OP_NORMAL, 0, w->key.in_port);
		break;
	case PORT_FLOOD:
		emit(w, OP_FLOOD, 0, w->key.in_port);
		break;
	case PORT_ALL:
		emit(w, OP_ALL, 0, w->key.in_port);
		break;
	case PORT_CONTROLLER:
		emit_controller(w, max_len, 0, is_miss_rule(w->rule) ? 0 : 1, NULL, 0);
		break;
	default:
		if (port == w->key.in_port)
			w->same_port = true;
		else if (port < PORT_MAX || port == PORT_LOCAL)
			emit(w, OP_OUTPUT, bytes, port);
	}
}

static void output_reg(struct walk *w, const struct action *a)
{
	struct field_value value = walk_read(w, &a->output_reg.src);
	uint32_t port = (uint32_t)value_to_u64(&value);

	output(w, port > UINT16_MAX ? port : mkey_ofport((uint16_t)port), 0, a->output_reg.max_len);
}

static void bundle(struct walk *w, const struct action_bundle *b)
{
	uint32_t port = link_bundle(w, b);

	if (port == PORT_ANY)
		w->group_empty = true;
	else
		output(w, port, 0, UINT16_MAX);
}

/* ---- branches: clone and groups ---- */

struct branch { /* what comes back when it ends */
	struct flow_key key;
	struct action_set set;
	struct hidden hidden;
	unsigned begin;
};

static void branch_begin(struct walk *w, struct branch *b)
{
	b->key = w->key;
	b->set = w->set;
	b->hidden = w->hidden;
	b->begin = emit_branch_begin(w);
	w->set.n = 0;
}

static void branch_end(struct walk *w, const struct branch *b)
{
	pause_finish(w, &w->set);
	emit_branch_end(w, b->begin);
	w->key = b->key;
	w->set = b->set;
	w->hidden = b->hidden;
	w->ended = false;
}

static void clone(struct walk *w, const struct action_list *l)
{
	struct branch b;

	if (++w->depth > TRANSLATE_DEPTH_MAX) {
		w->error = DROP_RESUBMIT_LIMIT;
	} else {
		branch_begin(w, &b);
		w->set = b.set; /* the clone has the action set as well, as in Open vSwitch */
		do_list(w, l);
		if (!walk_over(w))
			set_execute(w, &w->set);
		branch_end(w, &b);
	}
	w->depth--;
}

/* A bucket is an action set of its own. */
static void do_bucket(struct walk *w, const struct group *g, unsigned i)
{
	const struct action_list *l = &g->mod.buckets[i].actions;
	struct action_set set = {.n = 0};
	struct branch b;

	emit_ref(w, g->buckets[i]);
	branch_begin(w, &b);
	for (unsigned n = 0; n < l->n && set.n < ACTION_SET_MAX; n++)
		set.items[set.n++] = &l->items[n];
	set_execute(w, &set);
	branch_end(w, &b);
}

static void do_group(struct walk *w, uint32_t id)
{
	const struct group *g = group_find(w->t, id, w->version);
	int chosen;

	emit_dep(w, dep_of_group(id));
	if (!g || ++w->depth > TRANSLATE_DEPTH_MAX) {
		w->error = DROP_RESUBMIT_LIMIT;
		return;
	}
	emit_ref(w, g->slot);
	if (g->mod.type == GROUP_TYPE_ALL || g->mod.type == GROUP_TYPE_INDIRECT) {
		for (unsigned i = 0; i < g->mod.n_buckets && !w->error; i++)
			do_bucket(w, g, i);
	} else {
		emit_dep(w, (uint16_t)DEP_PORTS);
		chosen = bucket_choose(w, g);
		if (chosen >= 0)
			do_bucket(w, g, (unsigned)chosen);
		else
			w->group_empty = true;
	}
	w->depth--;
}

/* ---- actions ---- */

static void do_meter(struct walk *w, uint32_t id)
{
	const struct meter *m = meter_find(w->t, id, w->version);

	emit_dep(w, dep_of_meter(id));
	if (m)
		emit(w, OP_METER, 0, m->number);
}

/* What the meter refuses is not reported; the packet goes on. */
void *walk_tell(struct walk *w, const struct action_controller *c, size_t resume_len)
{
	unsigned begin = 0;
	void *resume;

	if (c->meter_id) {
		begin = emit_branch_begin(w);
		do_meter(w, c->meter_id);
	}
	resume = emit_controller(w, c->max_len, c->controller_id, c->reason, &c->userdata, resume_len);
	if (c->meter_id)
		emit_branch_end(w, begin);
	return resume;
}

static void controller(struct walk *w, const struct action_controller *c)
{
	if (c->pause)
		pause_begin(w, c);
	else
		walk_tell(w, c, 0);
}

void walk_action(struct walk *w, const struct action *a)
{
	switch (a->type) {
	case ACTION_OUTPUT:
		output(w, a->output.port, 0, (uint16_t)a->output.max_len);
		break;
	case ACTION_OUTPUT_TRUNC:
		output(w, a->output.port, a->output.max_len, UINT16_MAX);
		break;
	case ACTION_OUTPUT_REG:
		output_reg(w, a);
		break;
	case ACTION_ENQUEUE:
		output(w, a->enqueue.port, 0, UINT16_MAX);
		break;
	case ACTION_CONTROLLER:
		controller(w, &a->controller);
		break;
	case ACTION_GROUP:
		do_group(w, a->number);
		break;
	case ACTION_METER:
		do_meter(w, a->number);
		break;
	case ACTION_LEARN:
		learn_emit(w, a->learn);
		break;
	case ACTION_FIN_TIMEOUT:
		fin_timeout_emit(w, a->fin_timeout.idle, a->fin_timeout.hard);
		break;
	case ACTION_MULTIPATH:
		link_multipath(w, &a->multipath);
		break;
	case ACTION_CHECK_PKT_LARGER:
		length_check(w, a);
		break;
	case ACTION_CT:
		ct_track(w, &a->ct);
		break;
	case ACTION_CT_CLEAR:
		flow_key_forget_connection(&w->key);
		w->hidden.cleared = true;
		break;
	case ACTION_BUNDLE:
		bundle(w, &a->bundle);
		break;
	case ACTION_BUNDLE_LOAD:
		link_bundle_load(w, &a->bundle);
		break;
	case ACTION_RESUBMIT:
		resubmit(w, a);
		break;
	case ACTION_CLONE:
		clone(w, &a->nested);
		break;
	case ACTION_EXIT:
		w->ended = true;
		break;
	case ACTION_ORIGIN:
		w->cookie = a->origin.cookie;
		w->table_id = a->origin.table_id;
		break;
	case ACTION_CLEAR_ACTIONS:
		set_clear(w);
		break;
	case ACTION_WRITE_ACTIONS:
		set_write(w, &a->nested);
		break;
	case ACTION_WRITE_METADATA:
		w->key.metadata = htobe64((be64toh(w->key.metadata) & ~a->metadata.mask) |
		                          (a->metadata.value & a->metadata.mask));
		break;
	default:
		rewrite(w, a);
	}
}

/* The table to go to, or NO_TABLE. */
static int do_list(struct walk *w, const struct action_list *l)
{
	unsigned i;

	for (i = 0; i < l->n && !walk_over(w); i++) {
		if (l->items[i].type == ACTION_GOTO_TABLE)
			return l->items[i].number < TABLES_COUNT ? (int)l->items[i].number : NO_TABLE;
		walk_action(w, &l->items[i]);
	}
	if (w->pause.at)
		pause_rest(w, l->items + i, l->n - i);
	return NO_TABLE;
}

/* Without a controller (tables_bypass): NORMAL, until table 0 counts as changed. */
static void walk_past_tables(struct walk *w)
{
	emit_dep(w, 0);
	w->matched = true;
	output(w, PORT_NORMAL, 0, 0);
}

/* ---- entry ---- */

static void walk_init(struct walk *w, const struct tables *t, uint64_t version, const struct flow_key *key,
                      struct translation *out)
{
	/* Not the whole of it: the stack and the action set are large, and their counts say what is valid. */
	w->t = t;
	w->version = version;
	w->key = *key;
	w->came = key;
	w->key.actset_output = PORT_UNSET;
	w->out = out;
	w->rule = w->first = NULL;
	w->cookie = UINT64_MAX;
	w->table_id = 0;
	w->lookups = w->depth = w->saves = 0;
	w->ended = w->matched = w->same_port = w->group_empty = false;
	w->error = 0;
	w->pause.at = NULL;
	w->set.n = w->hidden.nstack = w->hidden.ntags = 0;
	w->hidden.cleared = false;
	out->nops = out->ndata = out->nrefs = out->ndeps = 0;
	out->drop_reason = 0;
	out->flags = 0;
}

static void walk_end(struct walk *w)
{
	if (!walk_over(w) && w->set.n)
		set_execute(w, &w->set);
	pause_finish(w, &w->set);
	emit_finish(w);
}

static void walk_from(struct walk *w, uint8_t table_id)
{
	if (__atomic_load_n(&w->t->bypassed, __ATOMIC_RELAXED))
		walk_past_tables(w);
	else
		walk_tables(w, table_id, w->key.in_port, BY_GOTO);
	w->rule = w->first;
	if (w->first)
		w->cookie = w->first->cookie;
	walk_end(w);
}

void translate_packet(const struct tables *t, uint64_t version, const struct flow_key *key,
                      struct translation *out)
{
	struct walk w;

	walk_init(&w, t, version, key, out);
	walk_from(&w, 0);
}

void translate_resumed(const struct tables *t, uint64_t version, const struct flow_key *key, uint8_t table_id,
                       const struct continuation *more, struct translation *out)
{
	struct walk w;

	walk_init(&w, t, version, key, out);
	if (more) {
		walk_restore_stack(&w, more);
		set_write(&w, &more->set);
	}
	walk_from(&w, table_id);
}

void translate_actions(const struct tables *t, uint64_t version, const struct flow_key *key,
                       const struct action_list *actions, struct translation *out)
{
	struct walk w;

	walk_init(&w, t, version, key, out);
	w.matched = true;
	do_list(&w, actions);
	walk_end(&w);
}

void translate_continuation(const struct tables *t, uint64_t version, const struct flow_key *key,
                            const struct flow_key *told, const struct continuation *c,
                            struct translation *out)
{
	struct walk w;

	walk_init(&w, t, version, key, out);
	w.matched = true;
	pause_restore(&w, told, c);
	set_write(&w, &c->set);
	do_list(&w, &c->actions);
	walk_end(&w);
}
