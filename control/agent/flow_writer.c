/* SPDX-License-Identifier: Apache-2.0 */
/* Writing flows; see flow_writer.h. Called by the pipeline. */
#include "control/agent/flow_writer.h"

#include "base/log.h"

void flow_begin(struct flow_writer *w, uint8_t table, unsigned priority)
{
	struct action_list room = w->flow.actions;

	room.n = 0; /* none of its actions own anything */
	flow_mod_init(&w->flow);
	w->flow.table_id = table;
	w->flow.priority = (uint16_t)priority;
	w->flow.cookie = COOKIE_MARK;
	w->flow.actions = room;
}

void flow_end(struct flow_writer *w)
{
	if (w->flow.actions.n <= ACTIONS_MAX) {
		flow_set_add(w->set, &w->flow);
		return;
	}
	log_error("a flow of table %u would have %u actions, more than %d", w->flow.table_id,
	          w->flow.actions.n, ACTIONS_MAX);
	w->set->failed = true;
}

void flow_writer_free(struct flow_writer *w)
{
	action_list_free(&w->flow.actions);
}

/* ---- fields ---- */

static struct field_value value_of_mac(struct mac mac)
{
	return value_from_bytes(mac.b, sizeof(mac.b));
}

static struct field_value value_of_ip(const struct ip_addr *ip)
{
	return ip_is_v4(ip) ? value_from_bytes(ip->b + 12, 4) : value_from_bytes(ip->b, 16);
}

/* The field that an address of this family goes into. */
static enum field_id field_for(enum field_id field, const struct ip_addr *ip)
{
	if (ip_is_v4(ip))
		return field;
	switch (field) {
	case FIELD_IPV4_SRC:
		return FIELD_IPV6_SRC;
	case FIELD_IPV4_DST:
		return FIELD_IPV6_DST;
	case FIELD_TUN_SRC:
		return FIELD_TUN_IPV6_SRC;
	case FIELD_TUN_DST:
		return FIELD_TUN_IPV6_DST;
	case FIELD_CT_NW_SRC:
		return FIELD_CT_IPV6_SRC;
	case FIELD_CT_NW_DST:
		return FIELD_CT_IPV6_DST;
	default:
		return field;
	}
}

/* ---- what it matches ---- */

static void match(struct flow_writer *w, enum field_id field, struct field_value v,
                  const struct field_value *mask)
{
	if (!match_set(&w->flow.match, field, &v, mask))
		return;
	log_error("table %u: no match of %s", w->flow.table_id, fields[field].name);
	w->set->failed = true;
}

void flow_match(struct flow_writer *w, enum field_id field, uint64_t n)
{
	match(w, field, value_from_u64(n), NULL);
}

void flow_match_masked(struct flow_writer *w, enum field_id field, uint64_t n, uint64_t mask)
{
	struct field_value m = value_from_u64(mask);

	match(w, field, value_from_u64(n), &m);
}

void flow_match_mac(struct flow_writer *w, enum field_id field, struct mac mac)
{
	match(w, field, value_of_mac(mac), NULL);
}

void flow_match_ip(struct flow_writer *w, enum field_id field, const struct ip_addr *ip)
{
	match(w, field_for(field, ip), value_of_ip(ip), NULL);
}

void flow_match_prefix(struct flow_writer *w, enum field_id field, const struct prefix *prefix)
{
	unsigned bits = prefix_is_v4(prefix) ? 32 : 128, length = prefix_length(prefix);
	struct field_value mask = value_ones(bits - length, length);

	match(w, field_for(field, &prefix->addr), value_of_ip(&prefix->addr), &mask);
}

void flow_match_family(struct flow_writer *w, bool v4)
{
	flow_match(w, FIELD_ETH_TYPE, v4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);
}

void flow_match_proto(struct flow_writer *w, bool v4, uint8_t proto)
{
	flow_match_family(w, v4);
	flow_match(w, FIELD_NW_PROTO, proto);
}

void flow_match_connection(struct flow_writer *w, unsigned set, unsigned clear)
{
	flow_match_masked(w, FIELD_CT_STATE, set, set | clear);
}

void flow_match_multicast(struct flow_writer *w, bool multicast)
{
	static const uint64_t group_bit = 1ull << 40; /* of a MAC address */

	flow_match_masked(w, FIELD_ETH_DST, multicast ? group_bit : 0, group_bit);
}

/* ---- what it does ---- */

static struct action *append(struct flow_writer *w, enum action_type type)
{
	struct action *a = action_list_append(&w->flow.actions, type);

	w->set->failed |= !a;
	return a ? a : &w->nowhere;
}

static void set(struct flow_writer *w, enum field_id field, struct field_value v)
{
	struct action *a = append(w, ACTION_SET_FIELD);

	a->set_field.field = field;
	a->set_field.value = v;
	field_full_mask(field, &a->set_field.mask);
}

void flow_do_set(struct flow_writer *w, enum field_id field, uint64_t n)
{
	set(w, field, value_from_u64(n));
}

void flow_do_set_mac(struct flow_writer *w, enum field_id field, struct mac mac)
{
	set(w, field, value_of_mac(mac));
}

void flow_do_set_ip(struct flow_writer *w, enum field_id field, const struct ip_addr *ip)
{
	set(w, field_for(field, ip), value_of_ip(ip));
}

void flow_do_move(struct flow_writer *w, enum field_id from, enum field_id to)
{
	struct action *a = append(w, ACTION_MOVE);

	a->move.src = (struct subfield){.field = from, .bits = fields[from].bits};
	a->move.dst = (struct subfield){.field = to, .bits = fields[to].bits};
}

void flow_do_dec_ttl(struct flow_writer *w)
{
	append(w, ACTION_DEC_TTL);
}

void flow_do_output(struct flow_writer *w, uint32_t port)
{
	append(w, ACTION_OUTPUT)->output.port = port;
}

void flow_do_resubmit(struct flow_writer *w, uint8_t table)
{
	struct action *a = append(w, ACTION_RESUBMIT);

	a->resubmit.in_port = PORT_IN_PORT;
	a->resubmit.table_id = table;
}

static void track(struct flow_writer *w, uint16_t flags, uint8_t table)
{
	struct action *a = append(w, ACTION_CT);

	a->ct.flags = flags;
	a->ct.zone_src = (struct subfield){.field = FIELD_REG4, .bits = 16};
	a->ct.table_id = table;
}

void flow_do_track(struct flow_writer *w, uint8_t table)
{
	track(w, 0, table);
}

void flow_do_commit(struct flow_writer *w)
{
	track(w, CT_COMMIT, 0xff);
}

void flow_do_punt(struct flow_writer *w, enum punt about)
{
	struct action *a = append(w, ACTION_CONTROLLER);

	w->flow.cookie |= about;
	a->controller.controller_id = AGENT_CONTROLLER_ID;
	a->controller.max_len = 0xffff;
	a->controller.reason = 1; /* OFPR_ACTION */
}

void flow_do_goto(struct flow_writer *w, uint8_t table)
{
	append(w, ACTION_GOTO_TABLE)->number = table;
}
