/* SPDX-License-Identifier: Apache-2.0 */
/* Every field with good, masked and bad values, with and without its prerequisite, in matches and in every
 * action that takes a field: made from the field table, judged by Debian's ovs-ofctl
 * (tests/lib/ofctl_judge.h). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flows/field.h"
#include "flows/text.h"
#include "tests/lib/ofctl_judge.h"

static struct ofctl_judge *judge;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
	char flow[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(flow, sizeof(flow), format, ap);
	va_end(ap);
	ofctl_judge_add(judge, flow);
}

/* Fields that ovs-ofctl 3.1 does not know. */
static bool is_ours_alone(enum field_id id)
{
	return id == FIELD_PBB_ISID || id == FIELD_IPV6_EXTHDR || id == FIELD_IN_PHY_PORT;
}

/* What must be matched for a field to mean something; every way there is. */
static const char *const *prerequisites(enum field_id id)
{
	static const char *const texts[][4] = {
	        [FIELD_NEEDS_NONE] = {""},
	        [FIELD_NEEDS_IN_PORT] = {"in_port=1,"},
	        [FIELD_NEEDS_CT] = {"ct_state=+est,ip,", "ct_state=+trk-inv,ip,", "ct_state=+rel,ipv6,"},
	        [FIELD_NEEDS_VLAN] = {"dl_vlan=7,"},
	        [FIELD_NEEDS_MPLS] = {"mpls,", "dl_type=0x8848,"},
	        [FIELD_NEEDS_PBB] = {"dl_type=0x88e7,"},
	        [FIELD_NEEDS_IPV4] = {"ip,", "tcp,"},
	        [FIELD_NEEDS_IPV6] = {"ipv6,", "udp6,"},
	        [FIELD_NEEDS_IP] = {"ip,", "ipv6,", "sctp,"},
	        [FIELD_NEEDS_ARP] = {"arp,", "rarp,"},
	        [FIELD_NEEDS_TCP] = {"tcp,", "tcp6,", "ip,nw_proto=6,"},
	        [FIELD_NEEDS_UDP] = {"udp,", "udp6,", "dl_type=0x86dd,nw_proto=17,"},
	        [FIELD_NEEDS_SCTP] = {"sctp,", "sctp6,"},
	        [FIELD_NEEDS_ICMP] = {"icmp,"},
	        [FIELD_NEEDS_ICMPV6] = {"icmp6,"},
	        [FIELD_NEEDS_ND] = {"icmp6,icmp_type=135,icmp_code=0,",
	                            "icmp6,icmpv6_type=136,icmpv6_code=0,"},
	        [FIELD_NEEDS_ND_SOLICIT] = {"icmp6,icmp_type=135,icmp_code=0,"},
	        [FIELD_NEEDS_ND_ADVERT] = {"icmp6,icmp_type=136,icmp_code=0,"},
	};

	return texts[fields[id].prereq];
}

static const char *const good_mac[] = {"00:11:22:33:44:55", "ff:ff:ff:ff:ff:ff", "0:0:0:0:0:1", NULL};
static const char *const mac_masks[] = {"ff:ff:ff:ff:ff:ff", "01:00:00:00:00:00", "00:00:00:00:00:00",
                                        "ff:ff:ff:00:00:01", NULL};
static const char *const good_ip[] = {"10.1.2.3", "255.255.255.255", "0.0.0.0", NULL};
static const char *const ip_masks[] = {"8", "32", "0", "255.255.0.0", "255.0.255.0", "0.0.0.0", NULL};
static const char *const good_ip6[] = {"2001:db8::5", "::", "fe80::1:2", "::ffff:1.2.3.4", NULL};
static const char *const ip6_masks[] = {"64", "128", "0", "ffff::", "::ff", NULL};
static const char *const good_numbers[] = {"0", "1", "0x1", "2", NULL};
static const char *const number_masks[] = {"0x1", "0x0", "1", NULL};
static const char *const good_ports[] = {"0",     "1",     "65279", "LOCAL",  "IN_PORT", "local",
                                         "65534", "65280", "65535", "NORMAL", "p7",      NULL};
static const char *const no_masks[] = {"0xffff", "0", NULL};
static const char *const good_frags[] = {"no", "yes", "first", "later", "not_later", "1", NULL};
static const char *const good_tcp_flags[] = {"+syn",  "-syn+ack", "syn|ack", "0x12", "2",
                                             "0xfff", "0",        "ns|cwr",  NULL};
static const char *const good_tun_flags[] = {"oam", "+oam", "-oam", "1", "0", NULL};
static const char *const good_ct_states[] = {"+trk", "+trk-new",     "-trk", "new|trk",
                                             "0x21", "+est+trk-inv", NULL};
static const char *const flag_masks[] = {"0x1", "0", NULL};
static const char *const bad_values[] = {"foo", "", "1.2.3", "1/", "/1", "*", "1:2", "\"1\"", "1 ", NULL};

static const char *const *good_values(enum field_text text, const char *const **masks)
{
	switch (text) {
	case FIELD_TEXT_MAC:
		*masks = mac_masks;
		return good_mac;
	case FIELD_TEXT_IPV4:
		*masks = ip_masks;
		return good_ip;
	case FIELD_TEXT_IPV6:
		*masks = ip6_masks;
		return good_ip6;
	case FIELD_TEXT_PORT:
		*masks = no_masks;
		return good_ports;
	case FIELD_TEXT_FRAG:
		*masks = flag_masks;
		return good_frags;
	case FIELD_TEXT_TCP_FLAGS:
		*masks = flag_masks;
		return good_tcp_flags;
	case FIELD_TEXT_TUN_FLAGS:
		*masks = flag_masks;
		return good_tun_flags;
	case FIELD_TEXT_CT_STATE:
		*masks = flag_masks;
		return good_ct_states;
	default:
		*masks = number_masks;
		return good_numbers;
	}
}

static bool is_number(enum field_id id)
{
	return fields[id].text == FIELD_TEXT_DECIMAL || fields[id].text == FIELD_TEXT_HEX;
}

/* The largest value, and with `over` the next one. */
static void edge(enum field_id id, bool over, char *text, size_t size)
{
	struct field_value v = over ? value_ones(fields[id].bits, 1) : value_ones(0, fields[id].bits);
	size_t len = (size_t)snprintf(text, size, "0x"), i = 0;

	while (i < 15 && !v.b[i])
		i++;
	for (; i < 16; i++)
		len += (size_t)snprintf(text + len, size - len, "%02x", v.b[i]);
}

/* Where we refuse on purpose what ovs-ofctl cuts to size: the wire has more bits than the field. */
static bool is_cut(enum field_id id)
{
	return fields[id].bits % 8 || id == FIELD_ARP_OP;
}

static void add_edges(enum field_id id, const char *need, const char *name)
{
	char text[48];

	edge(id, false, text, sizeof(text));
	add("%s%s=%s,actions=drop", need, name, text);
	add("%s%s=%s/%s,actions=drop", need, name, text, text);
	if (!is_cut(id) && fields[id].bits < 128) {
		edge(id, true, text, sizeof(text));
		add("%s%s=%s,actions=drop", need, name, text);
		add("%s%s=1/%s,actions=drop", need, name, text);
	}
}

static void matches_of(enum field_id id, const char *name)
{
	const char *const *need = prerequisites(id), *const * masks;
	const char *const *values = good_values(fields[id].text, &masks);

	for (unsigned n = 0; n < 4 && need[n]; n++) {
		for (const char *const *v = values; *v; v++) {
			if (id != FIELD_MPLS_BOS || strcmp(*v, "2")) /* cut, too */
				add("%s%s=%s,actions=drop", need[n], name, *v);
		}
		for (const char *const *m = masks; *m; m++)
			add("%s%s=%s/%s,actions=drop", need[n], name, values[0], *m);
		for (const char *const *m = masks; *m && !n; m++)
			add("%s%s=%s/%s,actions=drop", need[n], name, values[1], *m);
		if (is_number(id) && id != FIELD_ARP_OP)
			add_edges(id, need[n], name);
	}
}

/* What is refused costs a run of ovs-ofctl each: once per field, not per name. */
static void mistakes_with(enum field_id id, const char *name)
{
	const char *const *need = prerequisites(id), *const * masks;
	const char *const *values = good_values(fields[id].text, &masks);

	for (const char *const *v = bad_values; *v; v++)
		add("%s%s=%s,actions=drop", need[0], name, *v);
	add("%s,actions=drop", name);
	add("%s=%s,actions=drop", name, values[0]); /* without its prerequisite */
	add("arp,%s=%s,actions=drop", name, values[0]);
	add("ip,%s=%s,actions=drop", name, values[0]);
}

Test(flow_oracle_fields, in_matches, .timeout = 300)
{
	judge = ofctl_judge_new();
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		if (is_ours_alone((enum field_id)i) || i == FIELD_TUN_TTL || i == FIELD_TUN_TOS)
			continue;
		matches_of((enum field_id)i, fields[i].name);
		mistakes_with((enum field_id)i, fields[i].name);
		if (fields[i].alias[0])
			matches_of((enum field_id)i, fields[i].alias);
	}
	printf("%u flows\n", ofctl_judge_count(judge));
	cr_expect_gt(ofctl_judge_count(judge), 1000);
	ofctl_judge_finish(judge);
}

static void actions_of(enum field_id id, const char *need)
{
	const struct field *f = &fields[id];
	const char *const *masks, *const *values = good_values(f->text, &masks), *wire = field_wire_name(id);
	unsigned high = f->bits - 1;

	for (const char *const *v = values; *v; v++)
		add("%sactions=set_field:%s->%s", need, *v, f->name);
	for (const char *const *m = masks; *m; m++)
		add("%sactions=set_field:%s/%s->%s", need, values[0], *m, f->name);
	add("%sactions=load:0->%s[]", need, wire);
	add("%sactions=load:1->%s[0]", need, f->name);
	add("%sactions=load:1->%s[0..%u]", need, wire, high);
	add("%sactions=load:3->%s[0]", need, f->name);
	add("%sactions=load:1->%s[0..%u]", need, f->name, high + 1);
	if (f->bits >= 8) {
		add("%sactions=load:0x5a->%s[%u..%u]", need, wire, high - 7, high);
		add("%sactions=move:%s[0..7]->reg3[8..15]", need, f->name);
		add("%sactions=move:NXM_NX_REG3[0..7]->%s[%u..%u]", need, wire, high - 7, high);
	}
	add("%sactions=move:%s[0]->reg15[31]", need, wire);
	add("%sactions=move:reg15[31]->%s[0]", need, f->name);
	add("%sactions=move:%s[]->xxreg1[0..%u]", need, f->name, high);
	add("%sactions=move:%s->%s", need, f->name, f->name);
	add("%sactions=push:%s[]", need, wire);
	if (f->bits <= 64)
		add("%sactions=output:%s[]", need, f->name);
	add("%sactions=learn(table=9,%s[]=%s[])", need, wire, f->name);
	add("%sactions=learn(table=9,%s[0])", need, f->name);
	add("%sactions=learn(table=9,load:%s[0]->reg2[3])", need, f->name);
	if (id != FIELD_CT_MARK && id != FIELD_CT_LABEL) { /* without ct() nothing writes them here */
		add("%sactions=pop:%s[0]", need, f->name);
		add("%sactions=learn(table=9,load:1->%s[0])", need, f->name);
	}
	add("%sactions=learn(table=9,%s=%s)", need, f->name, values[0]);
}

Test(flow_oracle_fields, in_actions, .timeout = 300)
{
	judge = ofctl_judge_new();
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const char *const *need = prerequisites((enum field_id)i);

		if (is_ours_alone((enum field_id)i) || !field_is_sent((enum field_id)i))
			continue;
		actions_of((enum field_id)i, need[0]);
		if (fields[i].prereq != FIELD_NEEDS_NONE) {
			add("actions=set_field:0->%s", fields[i].name);
			add("actions=load:0->%s[0]", fields[i].name);
			add("actions=move:%s[0]->reg0[0]", fields[i].name);
			add("arp,actions=set_field:1->%s", fields[i].name);
		}
	}
	printf("%u flows\n", ofctl_judge_count(judge));
	cr_expect_gt(ofctl_judge_count(judge), 1000);
	ofctl_judge_finish(judge);
}
