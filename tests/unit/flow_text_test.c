/* SPDX-License-Identifier: Apache-2.0 */
/* Flows and groups as text: what is printed is what was meant, and mistakes are named with their column. That
 * the grammar is the one of ovs-ofctl is the matter of flow_oracle_test.c. */
#include <criterion/criterion.h>
#include <errno.h>

#include "flows/text.h"

static void expect_flow(const char *text, const char *printed)
{
	struct flow_mod fm, again;
	struct text out = {0};
	struct error err;

	cr_assert_eq(flow_mod_parse(text, FLOW_ADD, NULL, &fm, NULL, &err), 0, "%s: %s", text, err.text);
	match_format(&out, &fm.match, fm.priority, NULL);
	text_add(&out, out.len ? " actions=" : "actions=");
	actions_format(&out, &fm.actions, NULL);
	cr_expect_str_eq(text_get(&out), printed);
	/* What was printed is parsed to the same flow. */
	cr_assert_eq(flow_mod_parse(text_get(&out), FLOW_ADD, NULL, &again, NULL, &err), 0, "%s", err.text);
	cr_expect(match_equal(&fm.match, &again.match));
	cr_expect(action_list_equal(&fm.actions, &again.actions));
	text_free(&out);
	flow_mod_free(&fm);
	flow_mod_free(&again);
}

Test(flow_text, prints_what_was_meant)
{
	expect_flow("actions=NORMAL", "actions=NORMAL");
	expect_flow("priority=0,actions=drop", "priority=0 actions=drop");
	expect_flow("tcp,nw_src=10.1.2.3/8,tp_dst=80 actions=2,mod_tp_dst:81,LOCAL",
	            "tcp,nw_src=10.0.0.0/8,tp_dst=80 actions=output:2,set_field:81->tcp_dst,LOCAL");
	expect_flow("tun_id=0x64,in_port=3,actions=load:0x5->NXM_NX_REG0[0..15],resubmit(,2)",
	            "tun_id=0x64,in_port=3 actions=load:0x5->NXM_NX_REG0[0..15],resubmit(,2)");
	expect_flow("actions=mod_vlan_vid:5,output:1",
	            "actions=push_vlan:0x8100,set_field:4101->vlan_vid,output:1");
	expect_flow("metadata=0x100/0xff00,actions=group:7,goto_table:9",
	            "metadata=0x100/0xff00 actions=group:7,goto_table:9");
	expect_flow("dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=copy_ttl_out,copy_ttl_in",
	            "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=copy_ttl_out,copy_ttl_in");
	expect_flow("actions=enqueue(1,2),3", "actions=set_queue:2,output:1,pop_queue,output:3");
	expect_flow("actions=controller(userdata)", "actions=CONTROLLER:65535");
	expect_flow("actions=controller(userdata=,max_len=7)", "actions=CONTROLLER:7");
}

static void expect_error(const char *text, const char *message)
{
	struct flow_mod fm;
	struct error err;

	cr_expect_eq(flow_mod_parse(text, FLOW_ADD, NULL, &fm, NULL, &err), -EINVAL, "%s", text);
	cr_expect(strstr(err.text, message), "%s: \"%s\" does not say \"%s\"", text, err.text, message);
}

Test(flow_text, errors_name_field_column_and_expectation)
{
	expect_error("ip,nw_src=10.0.0.300,actions=1", "column 11: ip_src: expected an IPv4 address");
	expect_error("ip,nw_src=10.0.0.3/33,actions=1",
	             "column 20: ip_src: expected a prefix length from 0 to 32");
	expect_error("ip,colour=red,actions=1", "column 4: expected the name of a field, got \"colour\"");
	expect_error("ip", "expected actions=ACTIONS");
	expect_error("actions=output:1,jump", "column 18: expected an action or a port, got \"jump\"");
	expect_error("actions=set_field:1.2.3.4->ip_src", "ip_src expects a match on ip");
	expect_error("table=3,actions=goto_table:3", "expected a table after 3");
	expect_error("actions=clone(output:1,load:5->reg0[40])",
	             "column 32: reg0: expected bits from 0 to 31");
	expect_error("priority=65536,actions=1", "column 10: priority: expected a number from 0 to 65535");
	expect_error("actions=learn(", "expected a closing bracket");
	expect_error("arp,actions=ct(commit)", "ct: expected a match on ip or ipv6");
	expect_error("ip,actions=ct(commit,alg=http)", "column 26: ct: alg: expected ftp or tftp");
	expect_error("ip,actions=ct(nat(src=10.0.0.1))", "ct: expected commit");
	expect_error("ip,actions=ct(zone=actset_output[0..15])", "actset_output cannot be said in an action");
	expect_error("ip,actions=ct(commit,nat(src=10.0.0.1:70000))", "column 30: nat: expected ADDRESS");
	expect_error("ip,actions=set_field:1->ct_mark", "ct_mark is written inside of ct(exec()) alone");
	expect_error("ip,ct_nw_src=10.0.0.1,actions=1", "ct_nw_src: expected a match on a valid connection");
	expect_error("tcp,tp_dst=80/0x1ffff,actions=1", "tcp_dst: value too large");
}

Test(flow_text, commands_of_lines)
{
	struct flow_mod fm;
	struct error err;

	cr_assert_eq(flow_line_parse("  delete_strict priority=5,ip", NULL, &fm, NULL, &err), 0, "%s",
	             err.text);
	cr_expect_eq(fm.command, FLOW_DELETE_STRICT);
	cr_expect_eq(fm.priority, 5);
	flow_mod_free(&fm);
	cr_assert_eq(flow_line_parse("modify cookie=5/7,ip,actions=2", NULL, &fm, NULL, &err), 0, "%s",
	             err.text);
	cr_expect_eq(fm.command, FLOW_MODIFY);
	cr_expect_eq(fm.cookie_mask, 7);
	cr_expect_eq(fm.match_cookie, 5);
	flow_mod_free(&fm);
	cr_expect_eq(flow_line_parse("delete ip,actions=2", NULL, &fm, NULL, &err), -EINVAL);
}

Test(flow_text, a_line_of_a_dump)
{
	struct flow_stats fs = {.table_id = 3,
	                        .priority = 7,
	                        .cookie = 5,
	                        .duration_ns = 1500000000,
	                        .hard_timeout = 6,
	                        .flags = FLOW_SEND_REM,
	                        .idle_age = -1,
	                        .hard_age = -1,
	                        .n_packets = 7,
	                        .n_bytes = 99};
	struct flow_mod fm;
	struct text out = {0};
	struct error err;

	flow_stats_format(&out, &fs, true, NULL);
	cr_expect_str_eq(text_get(&out), " cookie=0x5, duration=1.500s, table=3, n_packets=7, n_bytes=99, "
	                                 "hard_timeout=6, send_flow_rem priority=7 actions=drop");
	cr_assert_eq(flow_mod_parse(text_get(&out), FLOW_ADD, NULL, &fm, NULL, &err), 0, "%s", err.text);
	cr_expect_eq(fm.table_id, 3);
	cr_expect_eq(fm.flags, FLOW_SEND_REM);
	flow_mod_free(&fm);
	text_free(&out);
}

Test(flow_text, normalisation_is_told)
{
	struct flow_notes notes;
	struct flow_mod fm;
	struct error err;

	cr_assert_eq(flow_mod_parse("nw_dst=1.2.3.4,actions=1", FLOW_ADD, NULL, &fm, &notes, &err), 0);
	cr_expect_eq(notes.normalized, FIELD_IPV4_DST);
	cr_expect_eq(fm.match.mask.nw_dst, 0);
	flow_mod_free(&fm);
}

static const char *name_of(void *arg, uint32_t port)
{
	return port == 4 ? "vm1" : port == 5 ? "my port" : NULL;
}

static int number_of(void *arg, const char *name, uint32_t *port)
{
	*port = !strcmp(name, "vm1") ? 4 : 5;
	return !strcmp(name, "vm1") || !strcmp(name, "my-port") ? 0 : -ENOENT;
}

Test(flow_text, port_names)
{
	struct port_names names = {.name = name_of, .number = number_of};
	struct flow_mod fm;
	struct text out = {0};
	struct error err;

	cr_assert_eq(flow_mod_parse("in_port=vm1,actions=output:\"my-port\",vm1,7", FLOW_ADD, &names, &fm,
	                            NULL, &err),
	             0, "%s", err.text);
	match_format(&out, &fm.match, fm.priority, &names);
	text_add(&out, " ");
	actions_format(&out, &fm.actions, &names);
	cr_expect_str_eq(text_get(&out), "in_port=vm1 output:\"my port\",output:vm1,output:7");
	flow_mod_free(&fm);
	cr_expect_eq(flow_mod_parse("in_port=vm9,actions=1", FLOW_ADD, &names, &fm, NULL, &err), -EINVAL);
	text_free(&out);
}

static void expect_group(const char *text, const char *printed)
{
	struct group_mod gm;
	struct text out = {0};
	struct error err;

	cr_assert_eq(group_mod_parse(text, GROUP_ADD, NULL, &gm, &err), 0, "%s: %s", text, err.text);
	group_format(&out, &gm, NULL);
	cr_expect_str_eq(text_get(&out), printed);
	text_free(&out);
	group_mod_free(&gm);
}

Test(group_text, prints_what_was_meant)
{
	expect_group("group_id=1,type=select,bucket=weight:5,actions=output:1,bucket=output:2",
	             "group_id=1,type=select,bucket=weight:5,actions=output:1,bucket=actions=output:2");
	expect_group("group_id=2 type=all bucket=1,2 bucket=drop",
	             "group_id=2,type=all,bucket=actions=output:1,output:2,bucket=actions=drop");
	expect_group("group_id=3,type=ff,bucket=watch_port:4,actions=1,bucket=watch_group:6,NORMAL",
	             "group_id=3,type=ff,bucket=watch_port:4,actions=output:1,bucket=watch_group:6,actions="
	             "NORMAL");
}

Test(group_text, refuses_nonsense)
{
	static const char *const wrong[] = {
	        "type=all,bucket=1",
	        "group_id=1,bucket=1",
	        "group_id=1,type=some,bucket=1",
	        "group_id=1,type=indirect,bucket=1,bucket=2",
	        "group_id=1,type=all,bucket=weight:3,1",
	        "group_id=1,type=ff,bucket=1",
	        "group_id=1,type=all,bucket=goto_table:3",
	        "group_id=4294967295,type=all",
	};
	struct group_mod gm;
	struct error err;

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_eq(group_mod_parse(wrong[i], GROUP_ADD, NULL, &gm, &err), -EINVAL, "%s", wrong[i]);
	cr_assert_eq(group_mod_parse("", GROUP_DELETE, NULL, &gm, &err), 0);
	cr_expect_eq(gm.group_id, GROUP_ALL);
	group_mod_free(&gm);
}

Test(flow_text, meters)
{
	static const struct {
		const char *text, *wanted; /* NULL: refused */
	} cases[] = {
	        {"meter=1,kbps,band=type=drop,rate=1000", "meter=1 kbps bands=\ntype=drop rate=1000\n"},
	        {"meter=2,pktps,burst,stats,bands=type=drop,rate=100,burst_size=50",
	         "meter=2 pktps burst stats bands=\ntype=drop rate=100 burst_size=50\n"},
	        {"meter=3,kbps,band=type=drop,rate=9,band=type=dscp_remark,rate=5,prec_level=2",
	         "meter=3 kbps bands=\ntype=drop rate=9\ntype=dscp_remark rate=5 prec_level=2\n"},
	        {"kbps,band=type=drop,rate=1", NULL},
	        {"meter=0,kbps,band=type=drop,rate=1", NULL},
	        {"meter=all,kbps,band=type=drop,rate=1", NULL},
	        {"meter=1,kbps,pktps,band=type=drop,rate=1", NULL},
	        {"meter=1,band=type=drop,rate=1", NULL},
	        {"meter=1,kbps", NULL},
	        {"meter=1,kbps,band=type=other,rate=1", NULL},
	        {"meter=1,kbps,rate=1", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct meter_mod mm;
		struct text out = {0};
		struct error err;
		int rc = meter_mod_parse(cases[i].text, METER_ADD, &mm, &err);

		cr_expect_eq(rc, cases[i].wanted ? 0 : -EINVAL, "%s", cases[i].text);
		if (!rc)
			meter_format(&out, &mm);
		if (cases[i].wanted)
			cr_expect_str_eq(text_get(&out), cases[i].wanted);
		text_free(&out);
	}
}

Test(flow_text, meters_to_delete)
{
	struct meter_mod mm;
	struct error err;

	cr_assert_eq(meter_mod_parse("", METER_DELETE, &mm, &err), 0);
	cr_expect_eq(mm.meter_id, METER_ALL);
	cr_assert_eq(meter_mod_parse("meter=all", METER_DELETE, &mm, &err), 0);
	cr_expect_eq(mm.meter_id, METER_ALL);
	cr_assert_eq(meter_mod_parse("meter=7", METER_DELETE, &mm, &err), 0);
	cr_expect_eq(mm.meter_id, 7);
}
