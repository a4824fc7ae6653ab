/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of actions: growing, copying, comparing, freeing; their names. Called wherever flows are made or
 * kept. */
#include "flows/action.h"

#include <errno.h>
#include <stdlib.h>

static const char *const names[ACTION_TYPES] = {
        [ACTION_OUTPUT] = "output",
        [ACTION_OUTPUT_TRUNC] = "output",
        [ACTION_OUTPUT_REG] = "output",
        [ACTION_CONTROLLER] = "controller",
        [ACTION_ENQUEUE] = "enqueue",
        [ACTION_SET_QUEUE] = "set_queue",
        [ACTION_POP_QUEUE] = "pop_queue",
        [ACTION_GROUP] = "group",
        [ACTION_SET_FIELD] = "set_field",
        [ACTION_MOVE] = "move",
        [ACTION_PUSH_VLAN] = "push_vlan",
        [ACTION_POP_VLAN] = "pop_vlan",
        [ACTION_PUSH_MPLS] = "push_mpls",
        [ACTION_POP_MPLS] = "pop_mpls",
        [ACTION_PUSH_PBB] = "push_pbb",
        [ACTION_POP_PBB] = "pop_pbb",
        [ACTION_DEC_TTL] = "dec_ttl",
        [ACTION_SET_TTL] = "mod_nw_ttl",
        [ACTION_DEC_MPLS_TTL] = "dec_mpls_ttl",
        [ACTION_SET_MPLS_TTL] = "set_mpls_ttl",
        [ACTION_COPY_TTL_IN] = "copy_ttl_in",
        [ACTION_COPY_TTL_OUT] = "copy_ttl_out",
        [ACTION_PUSH] = "push",
        [ACTION_POP] = "pop",
        [ACTION_RESUBMIT] = "resubmit",
        [ACTION_LEARN] = "learn",
        [ACTION_CONJUNCTION] = "conjunction",
        [ACTION_NOTE] = "note",
        [ACTION_FIN_TIMEOUT] = "fin_timeout",
        [ACTION_MULTIPATH] = "multipath",
        [ACTION_BUNDLE] = "bundle",
        [ACTION_BUNDLE_LOAD] = "bundle_load",
        [ACTION_CHECK_PKT_LARGER] = "check_pkt_larger",
        [ACTION_CT] = "ct",
        [ACTION_NAT] = "nat",
        [ACTION_CT_CLEAR] = "ct_clear",
        [ACTION_EXIT] = "exit",
        [ACTION_CLONE] = "clone",
        [ACTION_METER] = "meter",
        [ACTION_CLEAR_ACTIONS] = "clear_actions",
        [ACTION_WRITE_ACTIONS] = "write_actions",
        [ACTION_WRITE_METADATA] = "write_metadata",
        [ACTION_GOTO_TABLE] = "goto_table",
};

const char *action_name(enum action_type type)
{
	return (unsigned)type < ACTION_TYPES && names[type] ? names[type] : "?";
}

void action_list_init(struct action_list *l)
{
	memset(l, 0, sizeof(*l));
}

static void action_clear(struct action *a)
{
	switch (a->type) {
	case ACTION_CONTROLLER:
		free(a->controller.userdata.data);
		break;
	case ACTION_NOTE:
		free(a->bytes.data);
		break;
	case ACTION_DEC_TTL:
		free(a->dec_ttl.ids);
		break;
	case ACTION_LEARN:
		if (a->learn)
			free(a->learn->specs);
		free(a->learn);
		break;
	case ACTION_BUNDLE:
	case ACTION_BUNDLE_LOAD:
		free(a->bundle.members);
		break;
	case ACTION_CT:
		action_list_free(&a->ct.exec);
		break;
	case ACTION_CLONE:
	case ACTION_WRITE_ACTIONS:
		action_list_free(&a->nested);
		break;
	default:
		break;
	}
}

void action_list_free(struct action_list *l)
{
	for (unsigned i = 0; i < l->n; i++)
		action_clear(&l->items[i]);
	free(l->items);
	action_list_init(l);
}

struct action *action_list_append(struct action_list *l, enum action_type type)
{
	if (l->n == l->capacity) {
		unsigned capacity = l->capacity ? l->capacity * 2 : 4;
		struct action *items = realloc(l->items, capacity * sizeof(*items));

		if (!items)
			return NULL;
		l->items = items;
		l->capacity = capacity;
	}
	memset(&l->items[l->n], 0, sizeof(l->items[0]));
	l->items[l->n].type = type;
	return &l->items[l->n++];
}

/* A copy of `n` bytes in *to; nothing when there are none. */
static int copy_bytes(void *to, const void *from, size_t n)
{
	void *copy = NULL;

	if (n && from) {
		copy = malloc(n);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, from, n);
	}
	memcpy(to, &copy, sizeof(copy));
	return 0;
}

static int copy_learn(struct action_learn **to, const struct action_learn *from)
{
	struct action_learn *learn = malloc(sizeof(*learn));

	*to = learn;
	if (!learn)
		return -ENOMEM;
	*learn = *from;
	learn->specs = NULL;
	return copy_bytes(&learn->specs, from->specs, from->n_specs * sizeof(*from->specs));
}

/* `to` is a flat copy of `from` on entry; what it owns is made its own. On failure it owns nothing it must
 * not. */
static int own(struct action *to, const struct action *from)
{
	switch (from->type) {
	case ACTION_CONTROLLER:
		to->controller.userdata.data = NULL;
		return copy_bytes(&to->controller.userdata.data, from->controller.userdata.data,
		                  from->controller.userdata.len);
	case ACTION_NOTE:
		to->bytes.data = NULL;
		return copy_bytes(&to->bytes.data, from->bytes.data, from->bytes.len);
	case ACTION_DEC_TTL:
		to->dec_ttl.ids = NULL;
		return copy_bytes(&to->dec_ttl.ids, from->dec_ttl.ids, from->dec_ttl.n * sizeof(uint16_t));
	case ACTION_LEARN:
		return copy_learn(&to->learn, from->learn);
	case ACTION_BUNDLE:
	case ACTION_BUNDLE_LOAD:
		to->bundle.members = NULL;
		return copy_bytes(&to->bundle.members, from->bundle.members,
		                  from->bundle.n_members * sizeof(*from->bundle.members));
	case ACTION_CT:
		return action_list_copy(&to->ct.exec, &from->ct.exec);
	case ACTION_CLONE:
	case ACTION_WRITE_ACTIONS:
		return action_list_copy(&to->nested, &from->nested);
	default:
		return 0;
	}
}

int action_list_copy(struct action_list *to, const struct action_list *from)
{
	struct action_list copy = {.n = 0};

	action_list_init(to);
	if (!from->n)
		return 0;
	copy.items = calloc(from->n, sizeof(*copy.items));
	if (!copy.items)
		return -ENOMEM;
	copy.capacity = from->n;
	while (copy.n < from->n) {
		const struct action *source = &from->items[copy.n];
		struct action *a = &copy.items[copy.n++];

		*a = *source;
		if (own(a, source)) {
			action_list_free(&copy);
			return -ENOMEM;
		}
	}
	*to = copy;
	return 0;
}

static bool subfield_equal(const struct subfield *a, const struct subfield *b)
{
	return a->field == b->field && a->offset == b->offset && a->bits == b->bits;
}

static bool bytes_equal(const struct action_bytes *a, const struct action_bytes *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

static bool value_equal(const struct field_value *a, const struct field_value *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool learn_spec_equal(const struct learn_spec *a, const struct learn_spec *b)
{
	if (a->kind != b->kind || a->immediate != b->immediate || a->bits != b->bits)
		return false;
	if (a->immediate ? !value_equal(&a->value, &b->value) : !subfield_equal(&a->src, &b->src))
		return false;
	return a->kind == LEARN_OUTPUT || subfield_equal(&a->dst, &b->dst);
}

static bool learn_equal(const struct action_learn *a, const struct action_learn *b)
{
	if (a->idle_timeout != b->idle_timeout || a->hard_timeout != b->hard_timeout ||
	    a->priority != b->priority || a->fin_idle_timeout != b->fin_idle_timeout ||
	    a->fin_hard_timeout != b->fin_hard_timeout || a->cookie != b->cookie || a->flags != b->flags ||
	    a->table_id != b->table_id || a->limit != b->limit || a->n_specs != b->n_specs)
		return false;
	if ((a->flags & LEARN_WRITE_RESULT) && !subfield_equal(&a->result, &b->result))
		return false;
	for (unsigned i = 0; i < a->n_specs; i++) {
		if (!learn_spec_equal(&a->specs[i], &b->specs[i]))
			return false;
	}
	return true;
}

static bool controller_equal(const struct action_controller *a, const struct action_controller *b)
{
	return a->max_len == b->max_len && a->controller_id == b->controller_id && a->reason == b->reason &&
	       a->pause == b->pause && a->meter_id == b->meter_id && bytes_equal(&a->userdata, &b->userdata);
}

static bool multipath_equal(const struct action_multipath *a, const struct action_multipath *b)
{
	return a->fields == b->fields && a->algorithm == b->algorithm && a->basis == b->basis &&
	       a->max_link == b->max_link && a->arg == b->arg && subfield_equal(&a->dst, &b->dst);
}

/* The destination of a bundle is zero. */
static bool bundle_equal(const struct action_bundle *a, const struct action_bundle *b)
{
	return a->fields == b->fields && a->algorithm == b->algorithm && a->basis == b->basis &&
	       subfield_equal(&a->dst, &b->dst) && a->n_members == b->n_members &&
	       (!a->n_members || !memcmp(a->members, b->members, a->n_members * sizeof(*a->members)));
}

/* How to choose from a range is a word to those that have one. */
static bool nat_equal(const struct nat_range *a, const struct nat_range *b)
{
	uint16_t flags = ip_is_none(&a->addr_min) ? NAT_SRC | NAT_DST : NAT_FLAGS;

	return !((a->flags ^ b->flags) & flags) && ip_equal(&a->addr_min, &b->addr_min) &&
	       ip_equal(&a->addr_max, &b->addr_max) && a->port_min == b->port_min &&
	       a->port_max == b->port_max;
}

/* The zone is zero when it is read from a field. */
static bool ct_equal(const struct action_ct *a, const struct action_ct *b)
{
	return a->flags == b->flags && a->zone == b->zone && subfield_equal(&a->zone_src, &b->zone_src) &&
	       a->table_id == b->table_id && a->alg == b->alg && action_list_equal(&a->exec, &b->exec);
}

static bool action_equal(const struct action *a, const struct action *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case ACTION_OUTPUT: /* max_len is a word to the controller only (OpenFlow 1.3.5, 7.2.4) */
		return a->output.port == b->output.port &&
		       (a->output.port != PORT_CONTROLLER || a->output.max_len == b->output.max_len);
	case ACTION_OUTPUT_TRUNC:
		return a->output.port == b->output.port && a->output.max_len == b->output.max_len;
	case ACTION_OUTPUT_REG:
		return subfield_equal(&a->output_reg.src, &b->output_reg.src) &&
		       a->output_reg.max_len == b->output_reg.max_len;
	case ACTION_CONTROLLER:
		return controller_equal(&a->controller, &b->controller);
	case ACTION_ENQUEUE:
		return a->enqueue.port == b->enqueue.port && a->enqueue.queue == b->enqueue.queue;
	case ACTION_SET_QUEUE:
	case ACTION_GROUP:
	case ACTION_SET_TTL:
	case ACTION_SET_MPLS_TTL:
	case ACTION_METER:
	case ACTION_GOTO_TABLE:
		return a->number == b->number;
	case ACTION_SET_FIELD:
		return a->set_field.field == b->set_field.field && a->set_field.load == b->set_field.load &&
		       value_equal(&a->set_field.value, &b->set_field.value) &&
		       value_equal(&a->set_field.mask, &b->set_field.mask);
	case ACTION_MOVE:
		return subfield_equal(&a->move.src, &b->move.src) &&
		       subfield_equal(&a->move.dst, &b->move.dst);
	case ACTION_PUSH_VLAN:
	case ACTION_PUSH_MPLS:
	case ACTION_POP_MPLS:
	case ACTION_PUSH_PBB:
		return a->ethertype == b->ethertype;
	case ACTION_DEC_TTL:
		return a->dec_ttl.n == b->dec_ttl.n &&
		       (!a->dec_ttl.n ||
		        !memcmp(a->dec_ttl.ids, b->dec_ttl.ids, a->dec_ttl.n * sizeof(uint16_t)));
	case ACTION_PUSH:
	case ACTION_POP:
		return subfield_equal(&a->subfield, &b->subfield);
	case ACTION_RESUBMIT:
		return a->resubmit.in_port == b->resubmit.in_port &&
		       a->resubmit.table_id == b->resubmit.table_id &&
		       a->resubmit.original == b->resubmit.original;
	case ACTION_LEARN:
		return learn_equal(a->learn, b->learn);
	case ACTION_CONJUNCTION:
		return a->conjunction.id == b->conjunction.id &&
		       a->conjunction.clause == b->conjunction.clause &&
		       a->conjunction.n_clauses == b->conjunction.n_clauses;
	case ACTION_NOTE:
		return bytes_equal(&a->bytes, &b->bytes);
	case ACTION_FIN_TIMEOUT:
		return a->fin_timeout.idle == b->fin_timeout.idle &&
		       a->fin_timeout.hard == b->fin_timeout.hard;
	case ACTION_MULTIPATH:
		return multipath_equal(&a->multipath, &b->multipath);
	case ACTION_BUNDLE:
	case ACTION_BUNDLE_LOAD:
		return bundle_equal(&a->bundle, &b->bundle);
	case ACTION_CHECK_PKT_LARGER:
		return a->check_pkt_larger.len == b->check_pkt_larger.len &&
		       subfield_equal(&a->check_pkt_larger.dst, &b->check_pkt_larger.dst);
	case ACTION_CT:
		return ct_equal(&a->ct, &b->ct);
	case ACTION_NAT:
		return nat_equal(&a->nat, &b->nat);
	case ACTION_CLONE:
	case ACTION_WRITE_ACTIONS:
		return action_list_equal(&a->nested, &b->nested);
	case ACTION_ORIGIN:
		return a->origin.cookie == b->origin.cookie && a->origin.table_id == b->origin.table_id;
	case ACTION_WRITE_METADATA:
		return a->metadata.value == b->metadata.value && a->metadata.mask == b->metadata.mask;
	default: /* nothing but the type */
		return true;
	}
}

bool action_list_equal(const struct action_list *a, const struct action_list *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		if (!action_equal(&a->items[i], &b->items[i]))
			return false;
	}
	return true;
}

bool action_list_outputs_to(const struct action_list *l, uint32_t port)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct action *a = &l->items[i];

		if ((a->type == ACTION_OUTPUT || a->type == ACTION_OUTPUT_TRUNC) && a->output.port == port)
			return true;
		if (a->type == ACTION_ENQUEUE && a->enqueue.port == port)
			return true;
		if (a->type == ACTION_CONTROLLER && port == PORT_CONTROLLER)
			return true;
		if ((a->type == ACTION_CLONE || a->type == ACTION_WRITE_ACTIONS) &&
		    action_list_outputs_to(&a->nested, port))
			return true;
	}
	return false;
}

bool action_list_uses_group(const struct action_list *l, uint32_t group_id)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct action *a = &l->items[i];

		if (a->type == ACTION_GROUP && a->number == group_id)
			return true;
		if ((a->type == ACTION_CLONE || a->type == ACTION_WRITE_ACTIONS) &&
		    action_list_uses_group(&a->nested, group_id))
			return true;
	}
	return false;
}
