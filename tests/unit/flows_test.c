/* SPDX-License-Identifier: Apache-2.0 */
/* The field table, field values, matches and action lists. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/error.h"
#include "flows/action.h"
#include "flows/flow_mod.h"
#include "flows/match.h"

static struct field_value random_value(unsigned bits)
{
	struct field_value v = {{0}}, wild;

	for (unsigned i = 0; i < 16; i++)
		wild.b[i] = (uint8_t)rand();
	value_copy_bits(&v, 0, &wild, 0, bits);
	return v;
}

/* What is stored in a field comes back, and nothing outside the field changes. */
Test(fields, get_gives_what_set_stored)
{
	srand(1);
	for (unsigned id = 0; id < FIELD_COUNT; id++) {
		unsigned bits = fields[id].bits;

		if (id == FIELD_ARP_OP) /* one byte in the key */
			bits = 8;
		if (id == FIELD_IN_PORT)
			bits = 15;
		for (unsigned round = 0; round < 50; round++) {
			struct flow_key key, other, zero;
			struct field_value v = random_value(bits), back, none = {{0}};

			for (size_t i = 0; i < sizeof(key); i++)
				((uint8_t *)&key)[i] = id == FIELD_IN_PORT ? 0 : (uint8_t)rand();
			other = key;
			field_set(&key, id, &v);
			field_get(&key, id, &back);
			cr_assert_arr_eq(v.b, back.b, 16, "%s", fields[id].name);
			zero = key;
			field_set(&zero, id, &none);
			field_set(&other, id, &none);
			cr_assert_arr_eq(&zero, &other, sizeof(key), "%s spills", fields[id].name);
		}
	}
}

Test(fields, names_and_wire_numbers_are_unambiguous)
{
	for (unsigned id = 0; id < FIELD_COUNT; id++) {
		const struct field *f = &fields[id];

		cr_expect_eq(field_by_name(f->name, strlen(f->name)), id, "%s", f->name);
		if (f->nxm_class != FIELD_CLASS_NONE)
			cr_expect_eq(field_by_wire(f->nxm_class, f->nxm_number), id, "%s", f->name);
		if (f->oxm_class != FIELD_CLASS_NONE)
			cr_expect_eq(field_by_wire(f->oxm_class, f->oxm_number), id, "%s", f->name);
		cr_expect_leq(f->bits, f->bytes * 8, "%s", f->name);
	}
	cr_expect_eq(field_by_name("nw_src", 6), FIELD_IPV4_SRC);
	cr_expect_eq(field_by_name("NXM_NX_REG3", 11), FIELD_REG3);
	cr_expect_eq(field_by_name("reg1", 4), FIELD_REG1);
	cr_expect_eq(field_by_name("reg", 3), FIELD_NONE);
}

Test(fields, wide_registers_are_made_of_narrow_ones)
{
	struct flow_key key = {.regs = {0x11223344, 0x55667788}};
	struct field_value v;

	field_get(&key, FIELD_XREG0, &v);
	cr_expect_eq(value_to_u64(&v), 0x1122334455667788ull);
	v = value_from_u64(0xa1a2a3a4b1b2b3b4ull);
	field_set(&key, FIELD_XREG1, &v);
	cr_expect_eq(key.regs[2], 0xa1a2a3a4);
	cr_expect_eq(key.regs[3], 0xb1b2b3b4);
}

Test(fields, reserved_ports_have_two_widths)
{
	struct flow_key key = {.in_port = PORT_LOCAL};
	struct field_value v;

	field_get(&key, FIELD_IN_PORT, &v);
	cr_expect_eq(value_to_u64(&v), 0xfffe);
	key.in_port = 0;
	field_set(&key, FIELD_IN_PORT, &v);
	cr_expect_eq(key.in_port, PORT_LOCAL);
}

static void set(struct match *m, enum field_id id, uint64_t n)
{
	struct field_value v = value_from_u64(n);

	cr_assert_eq(match_set(m, id, &v, NULL), 0);
}

Test(match, vlan_forms)
{
	struct match m;

	match_init(&m);
	set(&m, FIELD_DL_VLAN, 5);
	cr_expect_eq(be16toh(m.key.vlan[0].tci), 0x1005);
	cr_expect_eq(be16toh(m.mask.vlan[0].tci), 0x1fff);
	set(&m, FIELD_DL_VLAN_PCP, 3);
	cr_expect_eq(be16toh(m.key.vlan[0].tci), 0x7005);
	cr_expect_eq(be16toh(m.mask.vlan[0].tci), 0xffff);
	match_init(&m);
	set(&m, FIELD_VLAN_VID, 0); /* untagged */
	cr_expect_eq(be16toh(m.key.vlan[0].tci), 0);
	cr_expect_eq(be16toh(m.mask.vlan[0].tci), 0x1fff);
}

Test(match, normalize_drops_what_has_no_prerequisite)
{
	struct match m;

	match_init(&m);
	set(&m, FIELD_IPV4_SRC, 0x0a000001);
	set(&m, FIELD_ETH_SRC, 1);
	cr_expect_eq(match_normalize(&m), FIELD_IPV4_SRC);
	cr_expect_eq(m.mask.nw_src, 0);
	cr_expect_eq(m.mask.eth_src.b[5], 0xff);
	set(&m, FIELD_ETH_TYPE, 0x800);
	set(&m, FIELD_NW_PROTO, 6);
	set(&m, FIELD_TCP_DST, 80);
	cr_expect_eq(match_normalize(&m), FIELD_NONE);
	cr_expect_eq(m.mask.tp_dst, 0xffff);
}

Test(match, covers_and_overlaps)
{
	struct match wide, narrow, other;

	match_init(&wide);
	set(&wide, FIELD_ETH_TYPE, 0x800);
	narrow = wide;
	set(&narrow, FIELD_NW_PROTO, 6);
	other = wide;
	set(&other, FIELD_NW_PROTO, 17);
	cr_expect(match_covers(&wide, &narrow));
	cr_expect_not(match_covers(&narrow, &wide));
	cr_expect(match_overlaps(&wide, &narrow));
	cr_expect_not(match_overlaps(&other, &narrow));
	cr_expect(match_packet(&wide, &narrow.key));
	cr_expect_not(match_packet(&other, &narrow.key));
}

Test(actions, copies_are_deep_and_equal)
{
	struct action_list a, b;
	struct action *clone, *note, *ct;

	action_list_init(&a);
	note = action_list_append(&a, ACTION_NOTE);
	note->bytes.data = malloc(3);
	note->bytes.len = 3;
	memcpy(note->bytes.data, "abc", 3);
	clone = action_list_append(&a, ACTION_CLONE);
	action_list_append(&clone->nested, ACTION_OUTPUT)->output.port = 7;
	ct = action_list_append(&a, ACTION_CT);
	ct->ct.zone = 7;
	action_list_append(&ct->ct.exec, ACTION_NAT)->nat.flags = NAT_SRC;
	cr_assert_eq(action_list_copy(&b, &a), 0);
	cr_expect(action_list_equal(&a, &b));
	b.items[2].ct.exec.items[0].nat.flags = NAT_DST;
	cr_expect_not(action_list_equal(&a, &b));
	b.items[2].ct.exec.items[0].nat.flags = NAT_SRC;
	cr_expect(action_list_equal(&a, &b));
	b.items[2].ct.zone = 8;
	cr_expect_not(action_list_equal(&a, &b));
	b.items[2].ct.zone = 7;
	cr_expect(action_list_outputs_to(&b, 7));
	cr_expect_not(action_list_outputs_to(&b, 8));
	b.items[0].bytes.data[0] = 'x';
	cr_expect_not(action_list_equal(&a, &b));
	action_list_free(&a);
	action_list_free(&b);
}

static enum action_fault check(struct action_list *l, const struct match *m)
{
	enum action_fault fault = ACTION_FAULT_NONE;
	struct error err;
	int rc = action_list_check(l, m, 0, &fault, &err);

	cr_expect_eq(rc == 0, fault == ACTION_FAULT_NONE);
	return fault;
}

Test(actions, check_follows_the_packet)
{
	struct action_list l;
	struct match m;
	struct action *a;

	match_init(&m);
	action_list_init(&l);
	a = action_list_append(&l, ACTION_SET_FIELD);
	a->set_field.field = FIELD_IPV4_DST;
	a->set_field.mask = value_ones(0, 32);
	cr_expect_eq(check(&l, &m), ACTION_FAULT_PREREQ);
	set(&m, FIELD_ETH_TYPE, 0x800);
	cr_expect_eq(check(&l, &m), ACTION_FAULT_NONE);
	a = action_list_append(&l, ACTION_SET_FIELD);
	a->set_field.field = FIELD_VLAN_VID;
	a->set_field.value = value_from_u64(0x1005);
	a->set_field.mask = value_ones(0, 13);
	cr_expect_eq(check(&l, &m), ACTION_FAULT_PREREQ);
	l.items[1] = l.items[0];
	l.items[0] = (struct action){.type = ACTION_PUSH_VLAN, .ethertype = 0x8100};
	cr_expect_eq(check(&l, &m), ACTION_FAULT_NONE);
	action_list_append(&l, ACTION_GOTO_TABLE)->number = 0;
	cr_expect_eq(check(&l, &m), ACTION_FAULT_TABLE);
	l.items[2].number = 3;
	cr_expect_eq(check(&l, &m), ACTION_FAULT_NONE);
	action_list_append(&l, ACTION_OUTPUT)->output.port = 3;
	cr_expect_eq(check(&l, &m), ACTION_FAULT_ORDER);
	action_list_free(&l);
}
