/* SPDX-License-Identifier: Apache-2.0 */
/* ct, nat and ct_clear: every parameter with good and bad values, in every order, with and without what it
 * needs. Debian's ovs-ofctl is the judge (tests/lib/ofctl_judge.h). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/ofctl_judge.h"

/* What the packets are; nothing that is no IP has connections. */
static const char *const matches[] = {
        "ip,",
        "ipv6,",
        "tcp,",
        "udp,",
        "tcp6,",
        "udp6,",
        "icmp,",
        "sctp6,",
        "",
        "arp,",
        "mpls,",
        "dl_type=0x0806,",
        "ct_state=+trk+new,ip,",
        "ct_state=+trk+inv,tcp,",
        "ct_state=-inv+trk,udp,",
        "ct_state=+trk-new+est,ct_zone=5,ct_mark=3,ct_label=0x1/0xf,ipv6,",
};

/* Arguments of ct. */
static const char *const arguments[] = {
        "",
        "commit",
        "force",
        "commit,force",
        "force,commit",
        "table=0",
        "table=254",
        "table=3,commit",
        "zone=0",
        "zone=1",
        "zone=65535",
        "zone=0x10,commit",
        "zone=NXM_NX_REG0[0..15]",
        "zone=reg0[16..31],table=1",
        "zone=NXM_NX_REG0[3..18],alg=ftp",
        "zone=ct_zone,table=4",
        "zone=NXM_NX_CT_ZONE[]",
        "zone=OXM_OF_METADATA[4..19],commit",
        "zone=5,zone=reg1[0..15]",
        "zone=reg1[0..15],zone=5",
        "alg=ftp",
        "alg=tftp",
        "alg=ftp,commit,table=7",
        "commit,alg=tftp,zone=4",
        "nat",
        "nat()",
        "table=1,nat",
        "commit,nat",
        "commit,nat(src)",
        "commit,nat(dst)",
        "commit,nat(src,random)",
        "commit,nat(src=10.0.0.1)",
        "commit,nat(dst=10.0.0.1)",
        "commit,nat(src=10.0.0.1-10.0.0.255)",
        "commit,nat(src=10.0.0.1:80)",
        "commit,nat(src=10.0.0.1:80-90)",
        "commit,nat(dst=10.0.0.1-10.0.0.5:1-65535)",
        "commit,nat(src=10.0.0.1-10.0.0.5:1024-65535,hash)",
        "commit,nat(src=10.0.0.1-10.0.0.5,persistent,random)",
        "commit,nat(random,persistent,dst=255.255.255.255)",
        "commit,nat(hash,src=10.0.0.1)",
        "commit,nat(src=fe80::1)",
        "commit,nat(src=[fe80::1])",
        "commit,nat(dst=fe80::1-fe80::ffff)",
        "commit,nat(dst=[fe80::1]-[fe80::ffff])",
        "commit,nat(dst=[fe80::1]:80)",
        "commit,nat(src=[fe80::1]-[fe80::2]:80-90,random,persistent)",
        "commit,nat(src=2001:DB8:0:0::1:80)",
        "commit,nat(src=::1:2.3.4.5)",
        "commit,table=5,zone=9,nat(src=10.0.0.1),exec(set_field:1->ct_mark),alg=ftp",
        "exec(set_field:1->ct_mark),nat(src=10.0.0.1),commit",
        "commit,nat,exec(set_field:1->ct_mark)",
        "commit,exec()",
        "commit,exec(drop)",
        "exec()",
        "commit,exec(set_field:0->ct_mark)",
        "commit,exec(set_field:0x12345678->ct_mark)",
        "commit,exec(set_field:0x5/0xf->ct_mark)",
        "commit,exec(set_field:0x5/0xf0f->ct_mark)",
        "commit,exec(load:5->ct_mark)",
        "commit,exec(load:5->NXM_NX_CT_MARK[])",
        "commit,exec(load:5->NXM_NX_CT_MARK[4..7])",
        "commit,exec(move:reg0->ct_mark)",
        "commit,exec(move:NXM_NX_REG0[0..7]->NXM_NX_CT_MARK[8..15])",
        "commit,exec(move:NXM_NX_CT_MARK[0..7]->NXM_NX_CT_LABEL[120..127])",
        "commit,exec(move:NXM_OF_IP_SRC[]->NXM_NX_CT_LABEL[0..31])",
        "commit,exec(move:NXM_OF_TCP_DST[]->NXM_NX_CT_LABEL[0..15])",
        "commit,exec(set_field:1->ct_label)",
        "commit,exec(set_field:0x0123456789abcdeffedcba9876543210->ct_label)",
        "commit,exec(set_field:0x8000000000000000/0x8000000000000000->ct_label)",
        "commit,exec(set_field:0x10000000000000000/0x1ffffffffffffffff->ct_label)",
        "commit,exec(load:1->ct_label[127])",
        "commit,exec(load:0xffffffffffffffff->ct_label[64..127])",
        "commit,exec(set_field:1->ct_mark,set_field:2->ct_label,load:3->ct_mark[0..3])",
        "commit,exec(set_field:1->ct_mark),exec(set_field:2->ct_label)",
        "commit,exec(nat(src=10.0.0.1))",
        "commit , force,  table=3",
        "commit,commit",
        "table=1,table=2",
};

/* What is refused of a ct; a line for each thing that can be wrong. */
static const char *const mistakes[] = {
        "COMMIT",
        "commit;force",
        "foo",
        "foo=1",
        "zone",
        "zone=",
        "zone=65536",
        "zone=-1",
        "zone=foo",
        "zone=reg0",
        "zone=reg0[0..7]",
        "zone=reg0[0..16]",
        "zone=reg0[20..40]",
        "zone=reg0[",
        "zone=ct_mark",
        "zone=NXM_OF_TCP_SRC[]",
        "zone=NXM_OF_UDP_SRC[]",
        "table",
        "table=",
        "table=255",
        "table=256",
        "table=-1",
        "table=foo",
        "alg",
        "alg=",
        "alg=http",
        "alg=21",
        "alg=FTP",
        "nat(src=10.0.0.1)",
        "nat(src)",
        "nat(dst=fe80::1)",
        "commit,nat(foo)",
        "commit,nat(SRC=10.0.0.1)",
        "commit,nat(src=foo)",
        "commit,nat(src=10.0.0.1,dst=10.0.0.1)",
        "commit,nat(src,dst)",
        "commit,nat(random)",
        "commit,nat(hash)",
        "commit,nat(persistent)",
        "commit,nat(src=10.0.0.1,hash,random)",
        "commit,nat(src=10.0.0.5-10.0.0.1)",
        "commit,nat(src=10.0.0.5-)",
        "commit,nat(src=10.0.0.5-fe80::1)",
        "commit,nat(src=fe80::1-10.0.0.5)",
        "commit,nat(src=fe80::2-fe80::1)",
        "commit,nat(src=10.0.0.1:)",
        "commit,nat(src=10.0.0.1:90-80)",
        "commit,nat(src=10.0.0.1:80-)",
        "commit,nat(src=10.0.0.1:http)",
        "commit,nat(src=10.0.0.1/24)",
        "commit,nat(src=10.0.0.1 10.0.0.2)",
        "commit,nat(src=[fe80::1)",
        "commit,nat(src=[fe80::1]80)",
        "commit,exec(output:1)",
        "commit,exec(1)",
        "commit,exec(ct(commit))",
        "commit,exec(ct_clear)",
        "commit,exec(clone(set_field:1->ct_mark))",
        "commit,exec(set_field:1->reg0)",
        "commit,exec(set_field:1->ct_zone)",
        "commit,exec(set_field:1->ct_state)",
        "commit,exec(set_field:1->ct_nw_proto)",
        "commit,exec(move:ct_mark[]->reg0[])",
        "commit,exec(move:reg0[0..7]->ct_mark[0..8])",
        "commit,exec(load:1->NXM_OF_IP_TTL[])",
        "commit,exec(load:0x1ffffffff->ct_mark)",
        "commit,exec(load:4->ct_mark[0..1])",
        "commit,exec(set_field:0x1ffffffff->ct_mark)",
        "commit,exec(set_field:0x100000000000000000000000000000000->ct_label)",
        "commit,exec(mod_nw_tos:4)",
        "commit,exec(resubmit(,1))",
        "commit,exec(goto_table:1)",
        "commit,exec(write_metadata:1)",
        "commit,exec(note:00)",
        "commit,exec(dec_ttl)",
        "commit,exec(foo)",
        "exec(set_field:1->ct_mark)",
        "table=1,exec(load:1->ct_label[0])",
};

/* Around a ct. */
static const char *const picked[] = {
        "ip,actions=write_actions(ct(commit,zone=3,exec(load:1->NXM_NX_CT_MARK[]),table=2))",
        "ip,actions=write_actions(ct_clear,output:1)",
        "actions=write_actions(ct(commit))",
        "ip,actions=write_actions(resubmit(,1))",
        "ip,actions=write_actions(resubmit(2,))",
        "ip,actions=ct_clear",
        "actions=ct_clear,output:1",
        "arp,actions=ct_clear",
        "ip,actions=CT(commit),NAT",
        "ip,actions=CT(commit)",
        "ip,actions=Ct_Clear",
        "ip,actions=ct",
        "ip,actions=ct:commit",
        "ip,actions=ct=commit",
        "ip,actions=ct:",
        "ip,actions=ct(commit),ct(commit,zone=5),output:3",
        "ip,actions=ct(table=1),ct_clear,ct(table=2)",
        "ip,actions=clone(ct(commit,table=1),output:2)",
        "ip,actions=clone(ct_clear,ct(nat,table=2))",
        "ip,actions=nat",
        "ip,actions=nat(src=10.0.0.1)",
        "ip,actions=clone(nat)",
        "ip,actions=set_field:1->ct_mark",
        "ip,actions=set_field:1->ct_label",
        "ip,actions=load:1->ct_mark[]",
        "ip,actions=move:reg0[]->ct_mark[]",
        "ip,actions=clone(set_field:1->ct_mark)",
        "ip,actions=ct(commit),set_field:1->ct_mark",
        "ip,actions=move:ct_mark[]->reg0[],move:ct_label[0..31]->reg1[],output:ct_mark[0..15]",
        "ip,actions=ct(commit),drop",
        "ip,actions=drop,ct(commit)",
        "ip,actions=ct(commit),goto_table:5",
        "ip,actions=goto_table:5,ct(commit)",
        "ip,actions=ct(commit),resubmit(,1)",
        "ip,actions=conjunction(1,1/2),ct(commit)",
        "ct_state=+trk+est,ip,actions=resubmit(,2,ct)",
        "ct_state=+trk+new,arp,actions=resubmit(3,2,ct)",
        "ct_state=+rel,actions=resubmit(3,2, ct)",
        "ct_state=+trk-inv,ipv6,actions=resubmit(LOCAL,2,ct),clone(resubmit(,3,ct))",
        "ct_state=+trk,ip,actions=resubmit(,2,ct)",
        "ct_state=+inv+trk,ip,actions=resubmit(,2,ct)",
        "ct_state=-new,ip,actions=resubmit(,2,ct)",
        "ip,actions=resubmit(,2,ct)",
        "actions=resubmit(,2,ct)",
        "ip,actions=ct(commit,table=1),resubmit(,2,ct)",
        "ct_state=+trk+est,ip,actions=resubmit(,2,foo)",
        "ct_state=+trk+est,ip,actions=resubmit(,2,)",
        "ct_state=+trk+est,ip,actions=resubmit(,,ct)",
        "ct_state=+trk+est,ip,actions=write_actions(resubmit(,2,ct))",
        "ip,actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:NXM_NX_CT_MARK[0..15]->NXM_NX_REG0["
        "0..15])",
        "ip,actions=learn(table=1,ct_mark=ct_mark,ct_zone=ct_zone)",
        "ip,actions=push_mpls:0x8847,ct(commit)",
        "mpls,actions=pop_mpls:0x0800,ct(commit)",
        "mpls,actions=pop_mpls:0x0806,ct(commit)",
        "mpls,actions=pop_mpls:0x86dd,ct(commit,nat(src=fe80::1))",
        "mpls,actions=pop_mpls:0x86dd,ct(commit,nat(src=10.0.0.1))",
        "ip,actions=push_vlan:0x8100,set_field:0x1005->vlan_vid,ct(table=1)",
        "ip,nw_proto=6,actions=ct(alg=ftp)",
        "ip,nw_proto=17,actions=ct(alg=ftp)",
        "ipv6,nw_proto=17,actions=ct(commit,alg=tftp)",
        "table=3,priority=7,cookie=5,ct_state=-trk,ip,actions=ct(table=4,zone=2)",
        "table=1,ip,actions=ct(table=1)",
        "table=7,ip,actions=ct(table=1)",
        "ct_state=+trk+est,ct_mark=1/1,ip,actions=ct(nat,table=2),3",
};

static struct ofctl_judge *judge;

static void add(const char *match, const char *argument)
{
	char flow[512];

	cr_assert_lt(snprintf(flow, sizeof(flow), "%sactions=ct(%s)", match, argument), (int)sizeof(flow));
	ofctl_judge_add(judge, flow);
}

#define N(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

Test(flow_oracle_ct, arguments, .timeout = 300)
{
	judge = ofctl_judge_new();
	for (unsigned i = 0; i < N(arguments); i++) {
		for (unsigned m = 0; m < N(matches); m++) {
			/* Each of several IP matches accepts; all the others are asked once each. */
			if (m < 3 || m == 4 || i % N(matches) == m)
				add(matches[m], arguments[i]);
		}
	}
	for (unsigned m = 0; m < N(matches); m++) {
		add(matches[m], "commit,nat(src=10.0.0.1)");
		add(matches[m], "table=1");
		add(matches[m], "commit,alg=tftp");
		add(matches[m], "alg=ftp");
	}
	ofctl_judge_finish(judge);
}

Test(flow_oracle_ct, mistakes, .timeout = 300)
{
	judge = ofctl_judge_new();
	for (unsigned i = 0; i < N(mistakes); i++)
		add("ip,", mistakes[i]);
	for (unsigned i = 0; i < N(picked); i++)
		ofctl_judge_add(judge, picked[i]);
	ofctl_judge_finish(judge);
}
