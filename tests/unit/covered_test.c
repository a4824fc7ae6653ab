/* SPDX-License-Identifier: Apache-2.0 */
/* Packets behind MPLS labels and I-TAGs: what later tables see once a label or a tag is put on or taken off,
 * and what comes out. Frames are written as in weft-pktgen. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "flows/text.h"
#include "tests/lib/switch.h"
#include "tests/pktgen/packet_text.h"

#define ETH "eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01)/"
#define OUTER "eth(dst=02:00:00:00:00:bb,src=02:00:00:00:00:aa)/"
#define IP4(TTL) "ipv4(src=10.0.0.1,dst=10.0.0.2,ttl=" #TTL ")/"
#define IP6(HOPS) "ipv6(src=fd00::1,dst=fd00::2,hops=" #HOPS ")/"
#define UDP "udp(src=1000,dst=2000)/data(len=40,fill=7)"
#define TCP "tcp(src=1000,dst=2000)/data(len=40,fill=7)"
#define ARP "arp(op=1,sha=02:00:00:00:00:01,spa=10.0.0.1,tpa=10.0.0.2)/data(len=18)"

static struct test_switch s;
static uint8_t in[PACKET_TEXT_MAX], want[PACKET_TEXT_MAX];

static void setup(void)
{
	test_switch_init(&s, NULL, NULL);
	for (uint32_t i = 1; i <= 3; i++)
		test_switch_port(&s, i, "{}");
}

static void teardown(void)
{
	test_switch_free(&s);
}

TestSuite(covered, .init = setup, .fini = teardown, .timeout = 60);

/* `out` NULL: nothing comes out of port 2. Twice, so that the cached program is seen as well. */
static void check(const char *from, const char *out)
{
	uint32_t len = packet_text_make(from, in), n = out ? packet_text_make(out, want) : 0;

	for (unsigned round = 0; round < 2; round++) {
		test_switch_send(&s, 1, in, len);
		if (out)
			test_switch_expect(&s, 2, want, n, from);
		else
			cr_assert_eq(test_switch_count(&s, 2), 0, "%s: something came out", from);
	}
}

/* A flow whose first action, mod_nw_tos or the like in the text, sets a field that only OpenFlow's set_field
 * may write. */
static void flow_setting(const char *text, enum field_id id, uint64_t value)
{
	struct error e = {""};
	struct flow_mod fm;
	struct action *a;

	cr_assert_eq(flow_mod_parse(text, FLOW_ADD, NULL, &fm, NULL, &e), 0, "%s", e.text);
	a = &fm.actions.items[0];
	cr_assert_eq(a->type, ACTION_SET_FIELD);
	a->set_field.field = id;
	a->set_field.value = value_from_u64(value);
	field_full_mask(id, &a->set_field.mask);
	cr_assert_eq(tables_apply(s.tables, &(struct tables_change){.flow = &fm}, 1, clock_now(), NULL),
	             TABLES_OK);
	flow_mod_free(&fm);
}

Test(covered, the_type_of_what_comes_behind_can_be_set)
{
	flow_setting("udp,actions=mod_nw_tos:0,output:2", FIELD_ETH_TYPE, 0x1234);
	check(ETH IP4(64) UDP, "eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01,type=0x1234)/" IP4(64) UDP);
	check(ETH "vlan(vid=3)/" IP4(64) UDP, ETH "vlan(vid=3,type=0x1234)/" IP4(64) UDP);
}

Test(covered, the_protocol_can_be_set)
{
	flow_setting("tcp,actions=mod_nw_tos:0,goto_table:1", FIELD_NW_PROTO, 17);
	flow_setting("tcp6,actions=mod_nw_tos:0,goto_table:1", FIELD_NW_PROTO, 89);
	test_switch_flow(&s, "table=1,priority=2,tcp,actions=drop");
	test_switch_flow(&s, "table=1,priority=2,tcp6,actions=drop");
	test_switch_flow(&s, "table=1,priority=1,ip,nw_proto=17,actions=output:2");
	test_switch_flow(&s, "table=1,priority=1,ipv6,nw_proto=89,actions=output:2");
	/* the checksum stays where it was, right for the new pseudo header */
	check(ETH IP4(64) TCP, ETH "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17)/"
	                           "tcp(src=1000,dst=2000,pseudo=17)/data(len=40,fill=7)");
	check(ETH IP6(64) TCP, ETH
	      "ipv6(src=fd00::1,dst=fd00::2,next=89)/tcp(src=1000,dst=2000,pseudo=89)/data(len=40,fill=7)");
	check(ETH IP6(64) "hopopts()/dstopts()/" TCP,
	      ETH IP6(64) "hopopts()/dstopts(next=89)/tcp(src=1000,dst=2000,pseudo=89)/data(len=40,fill=7)");
}

Test(covered, the_bottom_of_the_stack_can_be_set)
{
	flow_setting("mpls,mpls_bos=1,actions=set_field:0->mpls_tc,goto_table:1", FIELD_MPLS_BOS, 0);
	flow_setting("mpls,mpls_bos=0,actions=set_field:0->mpls_tc,goto_table:1", FIELD_MPLS_BOS, 1);
	test_switch_flow(&s, "table=1,mpls,mpls_bos=0,actions=output:2");
	test_switch_flow(&s, "table=1,mpls,mpls_bos=1,actions=pop_mpls:0x0800,goto_table:2");
	test_switch_flow(&s, "table=2,priority=2,ip,nw_src=10.0.0.1,actions=drop");
	test_switch_flow(&s, "table=2,priority=1,ip,actions=output:2");
	check(ETH "mpls()/" IP4(64) UDP, ETH "mpls(bos=0)/" IP4(64) UDP);
	/* what comes behind the label is a label still, whatever it is called */
	check(ETH "mpls()/mpls(label=7)/" IP4(64) UDP,
	      "eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01,type=0x0800)/mpls(label=7)/" IP4(64) UDP);
}

Test(covered, what_lies_behind_a_label_is_matched_once_it_is_popped)
{
	test_switch_flow(&s, "mpls,mpls_label=5,actions=pop_mpls:0x0800,goto_table:1");
	test_switch_flow(&s, "mpls,mpls_label=6,actions=pop_mpls:0x86dd,goto_table:1");
	test_switch_flow(&s, "mpls,mpls_label=7,actions=pop_mpls:0x0806,goto_table:1");
	test_switch_flow(&s, "mpls,mpls_label=9,mpls_bos=0,actions=pop_mpls:0x8847,resubmit(,0)");
	test_switch_flow(&s, "table=1,priority=5,udp,nw_src=10.0.0.1,tp_dst=2000,actions=dec_ttl,output:2");
	test_switch_flow(
	        &s, "table=1,priority=5,tcp6,ipv6_dst=fd00::2,tp_src=1000,actions=mod_nw_tos:32,output:2");
	test_switch_flow(&s, "table=1,priority=5,arp,arp_tpa=10.0.0.2,actions=output:2");
	check(ETH "mpls(label=5)/" IP4(64) UDP, ETH IP4(63) UDP);
	check(ETH "mpls(label=5)/" IP4(64) TCP, NULL);
	check(ETH "mpls(label=5)/ipv4(src=10.0.0.9,dst=10.0.0.2)/" UDP, NULL);
	check(ETH "mpls(label=6)/" IP6(64) TCP, ETH "ipv6(src=fd00::1,dst=fd00::2,tc=32)/" TCP);
	check(ETH "mpls(label=6)/" IP6(64) UDP, NULL);
	check(ETH "mpls(label=7)/" ARP, ETH ARP);
	check(ETH "mpls(label=9)/mpls(label=5)/" IP4(64) UDP, ETH IP4(63) UDP);
	/* called something that it is not */
	check(ETH "mpls(label=5)/" IP6(64) UDP, NULL);
	check(ETH "mpls(label=5)/mpls(label=5)/" IP4(64) UDP, NULL);
}

Test(covered, what_lies_behind_an_i_tag_is_matched_once_it_is_popped)
{
	test_switch_flow(&s, "dl_type=0x88e7,pbb_isid=0x123,actions=pop_pbb,goto_table:1");
	test_switch_flow(&s, "table=1,priority=9,dl_vlan=5,icmp6,dl_dst=02:00:00:00:00:02,actions=output:2");
	test_switch_flow(&s, "table=1,priority=8,udp,dl_src=02:00:00:00:00:01,vlan_tci=0,nw_dst=10.0.0.2,"
	                     "actions=dec_ttl,output:2");
	test_switch_flow(&s, "table=1,priority=7,mpls,mpls_label=3,actions=pop_mpls:0x0800,resubmit(,1)");
	check(OUTER "pbb(isid=0x123)/" ETH IP4(9) UDP, ETH IP4(8) UDP);
	check(OUTER "pbb(isid=0x124)/" ETH IP4(9) UDP, NULL);
	check(OUTER "vlan(vid=77)/pbb(isid=0x123)/" ETH IP4(9) UDP, ETH IP4(8) UDP);
	check(OUTER "pbb(isid=0x123)/" ETH "vlan(vid=4)/" IP4(9) UDP, NULL);
	check(OUTER "pbb(isid=0x123)/" ETH "vlan(vid=5)/" IP6(9) "icmpv6()/data(len=30)",
	      ETH "vlan(vid=5)/" IP6(9) "icmpv6()/data(len=30)");
	check(OUTER "pbb(isid=0x123)/" ETH "mpls(label=3)/" IP4(9) UDP, ETH IP4(8) UDP);
}

Test(covered, a_pushed_tag_hides_what_lies_behind)
{
	test_switch_flow(&s, "in_port=1,udp,actions=push_mpls:0x8847,set_field:5->mpls_label,goto_table:1");
	test_switch_flow(&s, "in_port=1,tcp,actions=push_pbb:0x88e7,set_field:7->pbb_isid,goto_table:1");
	test_switch_flow(&s, "table=1,priority=9,ip,actions=drop");
	test_switch_flow(
	        &s, "table=1,priority=8,mpls,mpls_label=5,mpls_ttl=33,actions=dec_mpls_ttl,push_mpls:0x8847,"
	            "set_field:6->mpls_label,goto_table:2");
	test_switch_flow(&s, "table=1,priority=8,dl_type=0x88e7,pbb_isid=7,vlan_tci=0,actions=set_field:02:"
	                     "00:00:00:00:bb->eth_dst,"
	                     "set_field:02:00:00:00:00:aa->eth_src,output:2");
	test_switch_flow(&s, "table=2,mpls,mpls_bos=0,actions=output:2");
	check(ETH IP4(33) UDP, ETH "mpls(label=6,ttl=32)/mpls(label=5,ttl=32)/" IP4(33) UDP);
	check(ETH "vlan(vid=3,pcp=5)/" IP4(33) TCP,
	      OUTER "pbb(isid=7,pcp=5)/" ETH "vlan(vid=3,pcp=5)/" IP4(33) TCP);
}

/* What a third VLAN tag covers is not read either. */
Test(covered, what_is_hidden_reads_as_zero)
{
	test_switch_flow(&s, "udp,actions=push_vlan:0x88a8,push:NXM_OF_UDP_DST[],pop:NXM_OF_ETH_DST[0..15],"
	                     "output:2");
	test_switch_flow(&s, "tcp,actions=push_vlan:0x88a8,output:NXM_OF_TCP_DST[]");
	check(ETH "vlan(vid=3)/" IP4(33) UDP, "eth(dst=02:00:00:00:07:d0,src=02:00:00:00:00:01)/"
	                                      "vlan(tpid=0x88a8,vid=3)/vlan(vid=3)/" IP4(33) UDP);
	check(ETH "vlan(vid=3)/vlan(vid=4)/" IP4(33) UDP,
	      "eth(dst=02:00:00:00:00:00,src=02:00:00:00:00:01)/"
	      "vlan(tpid=0x88a8,vid=3)/vlan(vid=3)/vlan(vid=4)/" IP4(33) UDP);
	check(ETH "vlan(vid=3)/" IP4(33) "tcp(dst=2)/data(len=40)",
	      ETH "vlan(tpid=0x88a8,vid=3)/vlan(vid=3)/" IP4(33) "tcp(dst=2)/data(len=40)");
	check(ETH "vlan(vid=3)/vlan(vid=4)/" IP4(33) "tcp(dst=2)/data(len=40)", NULL);
}

Test(covered, on_and_off_again_is_what_it_was)
{
	test_switch_flow(&s, "in_port=1,udp,actions=push_mpls:0x8847,push_mpls:0x8847,pop_mpls:0x8847,pop_"
	                     "mpls:0x0800,goto_table:1");
	test_switch_flow(&s, "in_port=1,tcp6,actions=push_pbb:0x88e7,pop_pbb,goto_table:1");
	test_switch_flow(&s, "table=1,udp,nw_src=10.0.0.1,tp_src=1000,actions=output:2");
	test_switch_flow(&s, "table=1,tcp6,dl_vlan=3,ipv6_src=fd00::1,tp_src=1000,actions=output:2");
	check(ETH IP4(33) UDP, ETH IP4(33) UDP);
	check(ETH "vlan(vid=3)/" IP6(33) TCP, ETH "vlan(vid=3)/" IP6(33) TCP);
}

Test(covered, ttls_are_copied_between_neighbours)
{
	test_switch_flow(&s, "mpls,mpls_label=1,actions=copy_ttl_in,output:2");
	test_switch_flow(&s, "mpls,mpls_label=2,actions=copy_ttl_out,output:2");
	test_switch_flow(&s, "mpls,mpls_label=3,actions=copy_ttl_in,pop_mpls:0x0800,goto_table:1");
	test_switch_flow(&s, "table=1,ip,nw_ttl=9,actions=dec_ttl,output:2");
	check(ETH "mpls(label=1,ttl=9)/" IP4(33) UDP, ETH "mpls(label=1,ttl=9)/" IP4(9) UDP);
	check(ETH "mpls(label=1,ttl=9)/mpls(label=4,ttl=5)/" IP4(33) UDP,
	      ETH "mpls(label=1,ttl=9)/mpls(label=4,ttl=9)/" IP4(33) UDP);
	check(ETH "mpls(label=2,ttl=9)/" IP6(33) UDP, ETH "mpls(label=2,ttl=33)/" IP6(33) UDP);
	check(ETH "mpls(label=2,ttl=9)/mpls(label=4,ttl=5)/" IP4(33) UDP,
	      ETH "mpls(label=2,ttl=5)/mpls(label=4,ttl=5)/" IP4(33) UDP);
	check(ETH "mpls(label=2,ttl=9)/" ARP, ETH "mpls(label=2,ttl=9)/" ARP);
	check(ETH "mpls(label=3,ttl=9)/" IP4(33) UDP, ETH IP4(8) UDP);
}

Test(covered, a_new_label_has_no_ttl_in_front_of_something_without)
{
	test_switch_flow(&s, "in_port=1,actions=push_mpls:0x8848,output:2");
	check(ETH ARP, "eth(dst=02:00:00:00:00:02,src=02:00:00:00:00:01,type=0x8848)/mpls(ttl=0)/" ARP);
	check(ETH "vlan(vid=7)/" IP4(12) UDP, ETH "vlan(vid=7,type=0x8848)/mpls(ttl=12)/" IP4(12) UDP);
}

/* A neighbour advertisement that ends before its target does: what follows is not part of it. */
Test(covered, a_field_behind_the_end_of_the_packet_is_not_set)
{
	test_switch_flow(&s, "icmp6,icmp_type=136,icmp_code=0,actions=set_field:fd00::9->nd_target,output:2");
	check(ETH IP6(255) "icmpv6(type=136)/data(len=10,fill=1)/pad(len=20)",
	      ETH IP6(255) "icmpv6(type=136)/data(len=10,fill=1)/pad(len=20)");
	check(ETH IP6(255) "icmpv6(type=136)/data(len=16)",
	      ETH IP6(255) "icmpv6(type=136)/hex(x=fd000000000000000000000000000009)");
}

/* So many labels that what remains lies at the end of the packet's private bytes. */
Test(covered, a_long_stack_leaves_no_runt_either)
{
	enum { LABELS = 86, REST = 44 };
	uint8_t frame[14 + 4 * LABELS + REST] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0x47};
	char flow[64 + 18 * LABELS] = "mpls,actions=";
	struct memory_frame *f;

	for (unsigned i = 0; i < LABELS; i++) {
		frame[14 + 4 * i + 2] = i + 1 == LABELS;
		strcat(flow, i + 1 == LABELS ? "pop_mpls:0x9999,output:2" : "pop_mpls:0x8847,");
	}
	memset(frame + 14 + 4 * LABELS, 7, REST);
	test_switch_flow(&s, flow);
	test_switch_send(&s, 1, frame, sizeof(frame));
	f = test_switch_take(&s, 2);
	cr_assert_not_null(f);
	cr_assert_eq(f->len, 60);
	cr_assert_eq(memcmp(f->data + 14, frame + 14 + 4 * LABELS, REST), 0);
	cr_assert_eq(f->data[58] | f->data[59], 0);
	free(f);
}

Test(covered, a_popped_tag_leaves_no_runt)
{
	test_switch_flow(&s, "mpls,actions=pop_mpls:0x0800,output:2");
	test_switch_flow(&s, "ip,dl_vlan=5,actions=strip_vlan,output:2");
	check(ETH "mpls()/" IP4(64) "udp()/data(len=14,fill=1)",
	      ETH IP4(64) "udp()/data(len=14,fill=1)/pad(len=4)");
	/* what was one before stays one */
	check(ETH "mpls()/" IP4(64) "udp()/data(len=13,fill=1)", ETH IP4(64) "udp()/data(len=13,fill=1)");
	check(ETH "vlan(vid=5)/" IP4(64) "udp()/data(len=14)", ETH IP4(64) "udp()/data(len=14)/pad(len=4)");
}
