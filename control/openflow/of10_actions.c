/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of OpenFlow 1.0 (section 5.2.4), and Nicira's that stand in there for instructions and for
 * actions of later versions. Called by actions.c where the version is 1.0. */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "control/openflow/nx_actions.h"
#include "control/openflow/of10.h"

enum { /* OFPAT_* */
       AT_OUTPUT,
       AT_SET_VLAN_VID,
       AT_SET_VLAN_PCP,
       AT_STRIP_VLAN,
       AT_SET_DL_SRC,
       AT_SET_DL_DST,
       AT_SET_NW_SRC,
       AT_SET_NW_DST,
       AT_SET_NW_TOS,
       AT_SET_TP_SRC,
       AT_SET_TP_DST,
       AT_ENQUEUE,
};

/* Actions that write a field: `bytes` of it follow, then padding. The first row of a field is how it is sent.
 */
static const struct setter {
	uint16_t wire;
	uint8_t field;
	uint8_t bytes, length; /* of the number; of the body after type and length */
	uint8_t shift;         /* of the field inside the number */
} setters[] = {
        {AT_SET_VLAN_VID, FIELD_DL_VLAN, 2, 4, 0},  {AT_SET_VLAN_PCP, FIELD_DL_VLAN_PCP, 1, 4, 0},
        {AT_SET_VLAN_VID, FIELD_VLAN_VID, 2, 4, 0}, {AT_SET_VLAN_PCP, FIELD_VLAN_PCP, 1, 4, 0},
        {AT_SET_DL_SRC, FIELD_ETH_SRC, 6, 12, 0},   {AT_SET_DL_DST, FIELD_ETH_DST, 6, 12, 0},
        {AT_SET_NW_SRC, FIELD_IPV4_SRC, 4, 4, 0},   {AT_SET_NW_DST, FIELD_IPV4_DST, 4, 4, 0},
        {AT_SET_NW_TOS, FIELD_IP_DSCP, 1, 4, 2},    {AT_SET_TP_SRC, FIELD_TCP_SRC, 2, 4, 0},
        {AT_SET_TP_DST, FIELD_TCP_DST, 2, 4, 0},    {AT_SET_TP_SRC, FIELD_UDP_SRC, 2, 4, 0},
        {AT_SET_TP_DST, FIELD_UDP_DST, 2, 4, 0},
};
enum { N_SETTERS = sizeof(setters) / sizeof(setters[0]) };

/* ---- reading ---- */

static enum ofp_error read_setter(const struct setter *s, struct ofp_reader *r, struct action_list *out)
{
	struct field_value full = value_ones(0, fields[s->field].bits), v;
	struct action *a;

	if (ofp_left(r) != s->length)
		return OFPBAC_BAD_LEN;
	v = value_from_bytes(ofp_get(r, s->bytes), s->bytes);
	if (s->shift) {
		if (value_to_u64(&v) & ((1u << s->shift) - 1))
			return OFPBAC_BAD_ARGUMENT;
		v = value_from_u64(value_to_u64(&v) >> s->shift);
	}
	if (!value_fits(&v, fields[s->field].bits))
		return OFPBAC_BAD_ARGUMENT;
	a = action_list_append(out, ACTION_SET_FIELD);
	if (!a)
		return OFPFMFC_UNKNOWN;
	a->set_field.field = (enum field_id)s->field;
	a->set_field.value = v;
	a->set_field.mask = full;
	return OFP_OK;
}

static enum ofp_error read_output(struct ofp_reader *r, struct action_list *out)
{
	struct action *a;

	if (ofp_left(r) != 4)
		return OFPBAC_BAD_LEN;
	a = action_list_append(out, ACTION_OUTPUT);
	if (!a)
		return OFPFMFC_UNKNOWN;
	a->output.port = nx_port_from_16(ofp_get_u16(r));
	a->output.max_len = ofp_get_u16(r);
	return OFP_OK;
}

static enum ofp_error read_enqueue(struct ofp_reader *r, struct action_list *out)
{
	struct action *a;

	if (ofp_left(r) != 12)
		return OFPBAC_BAD_LEN;
	a = action_list_append(out, ACTION_ENQUEUE);
	if (!a)
		return OFPFMFC_UNKNOWN;
	a->enqueue.port = nx_port_from_16(ofp_get_u16(r));
	ofp_skip(r, 6);
	a->enqueue.queue = ofp_get_u32(r);
	return OFP_OK;
}

enum ofp_error of10_read_action(uint16_t type, struct ofp_reader *r, struct action_list *out)
{
	if (type == AT_OUTPUT)
		return read_output(r, out);
	if (type == AT_ENQUEUE)
		return read_enqueue(r, out);
	if (type == AT_STRIP_VLAN) {
		if (ofp_left(r) != 4)
			return OFPBAC_BAD_LEN;
		return action_list_append(out, ACTION_POP_VLAN) ? OFP_OK : OFPFMFC_UNKNOWN;
	}
	for (const struct setter *s = setters; s < setters + N_SETTERS; s++) {
		if (s->wire == type)
			return read_setter(s, r, out);
	}
	return OFPBAC_BAD_TYPE;
}

/* ---- what they mean ---- */

static void resolve_vlan(struct action *a)
{
	if (a->set_field.field == FIELD_DL_VLAN) {
		a->set_field.field = FIELD_VLAN_VID;
		a->set_field.value = value_from_u64(value_to_u64(&a->set_field.value) | VLAN_CFI);
		a->set_field.mask = value_ones(0, 13);
	} else if (a->set_field.field == FIELD_DL_VLAN_PCP) {
		a->set_field.field = FIELD_VLAN_PCP;
	}
}

/* Which protocol's port? When the match does not say, TCP's and UDP's: the one that is not there stays. */
static bool resolve_port(struct action *a, const struct match *match)
{
	static const enum field_id choices[][2] = {{FIELD_UDP_SRC, FIELD_UDP_DST},
	                                           {FIELD_SCTP_SRC, FIELD_SCTP_DST}};
	bool dst = a->set_field.field == FIELD_TCP_DST;

	for (unsigned i = 0; i < 2; i++) {
		if (match_meets(match, choices[i][dst]))
			a->set_field.field = choices[i][dst];
	}
	return match_meets(match, a->set_field.field);
}

/* The other half of such a pair, behind number `i`. */
static bool insert_udp_port(struct action_list *list, unsigned i)
{
	struct action *udp = action_list_append(list, ACTION_SET_FIELD);

	if (!udp)
		return false;
	memmove(&list->items[i + 2], &list->items[i + 1], (list->n - i - 2) * sizeof(*udp));
	list->items[i + 1] = list->items[i];
	udp = &list->items[i + 1];
	udp->set_field.field = udp->set_field.field == FIELD_TCP_SRC ? FIELD_UDP_SRC : FIELD_UDP_DST;
	return true;
}

bool of10_is_second_port(const struct action_list *list, unsigned i)
{
	const struct action *udp = &list->items[i], *tcp = i ? udp - 1 : NULL;

	if (!tcp || udp->type != ACTION_SET_FIELD || tcp->type != ACTION_SET_FIELD || udp->set_field.load ||
	    tcp->set_field.load ||
	    memcmp(&udp->set_field.value, &tcp->set_field.value, sizeof(struct field_value)))
		return false;
	return (udp->set_field.field == FIELD_UDP_SRC && tcp->set_field.field == FIELD_TCP_SRC) ||
	       (udp->set_field.field == FIELD_UDP_DST && tcp->set_field.field == FIELD_TCP_DST);
}

enum ofp_error of10_resolve_actions(struct action_list *list, const struct match *match)
{
	bool tagged = match_meets(match, FIELD_VLAN_PCP);

	for (unsigned i = 0; i < list->n; i++) {
		struct action *a = &list->items[i];

		if (a->type == ACTION_POP_VLAN)
			tagged = false;
		if (a->type != ACTION_SET_FIELD || a->set_field.load)
			continue;
		if ((a->set_field.field == FIELD_TCP_SRC || a->set_field.field == FIELD_TCP_DST) &&
		    !resolve_port(a, match)) {
			if (!insert_udp_port(list, i++))
				return OFPFMFC_UNKNOWN;
			continue;
		}
		if (a->set_field.field != FIELD_DL_VLAN && a->set_field.field != FIELD_DL_VLAN_PCP)
			continue;
		if (tagged)
			resolve_vlan(a);
		tagged = true;
	}
	return OFP_OK;
}

/* Does 1.0 let it stand where there may be nothing to change? */
static bool is_lenient(const struct action *a)
{
	switch (a->type) {
	case ACTION_SET_FIELD:
		return !a->set_field.load && a->set_field.field != FIELD_DL_VLAN &&
		       a->set_field.field != FIELD_DL_VLAN_PCP;
	case ACTION_DEC_TTL:
	case ACTION_SET_TTL:
	case ACTION_DEC_MPLS_TTL:
	case ACTION_SET_MPLS_TTL:
	case ACTION_POP_MPLS:
	case ACTION_FIN_TIMEOUT:
		return true;
	default:
		return false;
	}
}

enum ofp_error of10_check_actions(const struct action_list *list, const struct match *match, uint8_t table_id)
{
	enum ofp_error error = ofp_check_actions(list, match, table_id);
	struct action_list strict = {.n = 0};

	if (error != OFPBAC_MATCH_INCONSISTENT || ofp_check_actions(list, NULL, table_id))
		return error;
	strict.items = calloc(list->n, sizeof(*strict.items));
	if (!strict.items)
		return OFPFMFC_UNKNOWN;
	for (unsigned i = 0; i < list->n; i++) {
		if (!is_lenient(&list->items[i]))
			strict.items[strict.n++] = list->items[i]; /* borrowed */
	}
	error = ofp_check_actions(&strict, match, table_id);
	free(strict.items);
	return error;
}

/* ---- writing ---- */

static void begin(struct ofp_writer *w, uint16_t type, uint16_t length)
{
	ofp_put_u16(w, type);
	ofp_put_u16(w, length);
}

static bool put_setter(struct ofp_writer *w, const struct action *a)
{
	const struct setter *s = setters;
	uint64_t n = value_to_u64(&a->set_field.value);
	struct field_value v;

	if (a->set_field.load || action_set_is_masked(a))
		return false;
	while (s->field != a->set_field.field) {
		if (++s == setters + N_SETTERS)
			return false;
	}
	v = value_from_u64(s->field == FIELD_VLAN_VID ? n & 0xfff : n << s->shift);
	begin(w, s->wire, s->length + 4);
	ofp_put_bytes(w, v.b + 16 - s->bytes, s->bytes);
	ofp_put_zero(w, s->length - s->bytes);
	return true;
}

static void put_goto(struct ofp_writer *w, uint32_t table_id)
{
	struct action resubmit = {.type = ACTION_RESUBMIT,
	                          .resubmit = {.in_port = PORT_IN_PORT, .table_id = (uint8_t)table_id}};

	nx_put_action(w, &resubmit);
}

bool of10_put_action(struct ofp_writer *w, const struct action *a)
{
	switch (a->type) {
	case ACTION_OUTPUT:
		begin(w, AT_OUTPUT, 8);
		ofp_put_u16(w, nx_port_to_16(a->output.port));
		ofp_put_u16(w, (uint16_t)a->output.max_len);
		return true;
	case ACTION_ENQUEUE:
		begin(w, AT_ENQUEUE, 16);
		ofp_put_u16(w, nx_port_to_16(a->enqueue.port));
		ofp_put_zero(w, 6);
		ofp_put_u32(w, a->enqueue.queue);
		return true;
	case ACTION_POP_VLAN:
		begin(w, AT_STRIP_VLAN, 8);
		ofp_put_zero(w, 4);
		return true;
	case ACTION_SET_FIELD:
		return put_setter(w, a);
	case ACTION_GOTO_TABLE:
		put_goto(w, a->number);
		return true;
	case ACTION_PUSH_VLAN: /* comes of the mod_vlan_* that follows */
		return true;
	default:
		return false;
	}
}
