/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint against ovs-ofctl as people type it: without -O it speaks OpenFlow 1.0 with Nicira's
 * extensions, for
 * --bundle 1.4. On a fake switch. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/fake_switch.h"
#include "tests/lib/ofctl_client.h"

TestSuite(of10, .init = ofctl_set_up, .fini = ofctl_tear_down, .timeout = 120);

Test(of10, flows_come_back_as_they_went)
{
	/* NULL: prints as it was written. */
	static const char *const flows[][2] = {
	        {"priority=5,ip,nw_src=10.0.0.0/8 actions=output:2", NULL},
	        {"in_port=1,dl_vlan=5,dl_vlan_pcp=3 actions=strip_vlan,NORMAL", NULL},
	        {"vlan_tci=0x1000/0x1000 actions=mod_vlan_pcp:3,output:2", NULL},
	        {"dl_vlan=0xffff actions=mod_vlan_vid:9,mod_vlan_pcp:1,FLOOD",
	         "vlan_tci=0x0000 actions=mod_vlan_vid:9,mod_vlan_pcp:1,FLOOD"},
	        {"dl_src=02:00:00:00:00:00/ff:00:00:00:00:00 actions=mod_dl_src:02:00:00:00:00:01,IN_PORT",
	         NULL},
	        {"arp,arp_tpa=10.0.0.1,arp_op=1 actions=mod_dl_dst:02:00:00:00:00:01,LOCAL", NULL},
	        {"ip "
	         "actions=mod_nw_src:1.2.3.4,mod_nw_dst:5.6.7.8,mod_nw_tos:8,mod_nw_ecn:2,mod_nw_ttl:9,ALL",
	         "ip "
	         "actions=mod_nw_src:1.2.3.4,mod_nw_dst:5.6.7.8,mod_nw_tos:8,load:0x2->NXM_NX_IP_ECN[],load:"
	         "0x9->"
	         "NXM_NX_IP_TTL[],ALL"},
	        {"tcp,tp_dst=80 actions=mod_tp_src:99,mod_tp_dst:98,enqueue:1:2", NULL},
	        {"udp,tp_src=0x50/0xfff0 actions=mod_tp_dst:98", NULL},
	        {"tcp,tcp_flags=+syn-ack actions=fin_timeout(idle_timeout=5),output:2", NULL},
	        {"icmp,icmp_type=8,icmp_code=0 actions=CONTROLLER:128", NULL},
	        {"icmp6,icmp_type=135,nd_target=fe80::1 actions=drop", NULL},
	        {"ip,nw_tos=32,nw_ecn=1,nw_ttl=5,nw_frag=later actions=dec_ttl,output:1", NULL},
	        {"reg3=0x7,tun_id=0x64,metadata=0x1/0xff "
	         "actions=load:0x5->NXM_NX_REG0[0..15],move:NXM_NX_REG0[]->NXM_NX_REG1[],resubmit(,3)",
	         NULL},
	        {"tun_id=0x5 actions=set_tunnel:0x7,set_tunnel64:0x123456789,set_queue:4,pop_queue,group:4",
	         NULL},
	        {"mpls,mpls_label=7 "
	         "actions=set_mpls_label(7),set_mpls_tc(3),set_mpls_ttl(5),dec_mpls_ttl,push_mpls:0x8847",
	         NULL},
	        {"mpls actions=pop_mpls:0x0800,output(port=1,max_len=64)", NULL},
	        {"ipv6,ipv6_src=2001:db8::/32 actions=set_field:2001:db8::1->ipv6_dst",
	         "ipv6,ipv6_src=2001:db8::/32 "
	         "actions=load:0x1->NXM_NX_IPV6_DST[0..63],load:0x20010db800000000->NXM_NX_IPV6_DST[64.."
	         "127]"},
	        {"sctp,tp_dst=5 actions=set_field:8->sctp_src",
	         "sctp,tp_dst=5 actions=load:0x8->OXM_OF_SCTP_SRC[]"},
	        {"actions=learn(table=9,idle_timeout=10,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_"
	         "SRC[],output:"
	         "NXM_OF_IN_PORT[])",
	         NULL},
	        {"actions=multipath(symmetric_l4,1024,hash_threshold,8,3,NXM_NX_REG3[0..2]),output:"
	         "NXM_NX_REG3[0..15]",
	         NULL},
	        {"actions=bundle(eth_src,0,active_backup,ofport,members:4,8,LOCAL),bundle_load(symmetric_l4,"
	         "60,"
	         "hrw,ofport,NXM_NX_REG0[],members:1,2,3)",
	         NULL},
	        {"actions=check_pkt_larger(1500)->NXM_NX_REG0[3],resubmit(,1)", NULL},
	        {"actions=conjunction(5,1/2)", NULL},
	        {"conj_id=7,pkt_mark=0x5 actions=note:01.02.03.04.05.06,exit",
	         "pkt_mark=0x5,conj_id=7 actions=note:"},
	        {"ip actions=push:NXM_NX_REG0[],pop:NXM_NX_REG1[],output:NXM_NX_REG1[0..15],clone(output:1)",
	         NULL},
	        {"actions=controller(userdata=01.02.03,pause),controller(reason=no_match,max_len=90,id=3)",
	         NULL},
	        {"ip actions=dec_ttl(1,2),resubmit:3,resubmit(3,4)", NULL},
	        {"udp actions=output:1,goto_table:4", "udp actions=output:1,resubmit(,4)"},
	        {"udp actions=write_metadata:0x5/0xf", NULL},
	        {"ct_state=+est+trk actions=drop", NULL},
	        {"ct_state=+est+trk,ct_nw_src=10.0.0.0/8,ct_nw_proto=6,ct_tp_src=7,ip "
	         "actions=ct(commit,table=4,zone=7,nat(src=10.0.0.1-10.0.0.9:80-90,random)),ct_clear",
	         NULL},
	        {"tcp6 "
	         "actions=ct(commit,zone=NXM_NX_REG0[0..15],nat(dst=[fe80::1]:7),exec(load:0x5->NXM_NX_CT_"
	         "MARK[],load:0x7->NXM_NX_CT_LABEL[3..5]),alg=ftp)",
	         NULL},
	};

	for (unsigned i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
		char quoted[512];

		snprintf(quoted, sizeof(quoted), "'%s'", flows[i][0]);
		ofctl_ok("del-flows", "");
		ofctl_ok("add-flow", quoted);
		ofctl_ok("dump-flows", "");
		ofctl_prints(flows[i][1] ? flows[i][1] : flows[i][0]);
	}
}

/* Over 1.3 the same flow is told in 1.3's words, and the other way round. */
Test(of10, versions_share_the_flows)
{
	ofctl_ok("add-flow", "table=3,priority=5,actions=mod_vlan_vid:9,output:1");
	ofctl_ok("add-flow", "table=4,dl_vlan=7,actions=mod_vlan_vid:9,output:1");
	ofctl_protocol("-O OpenFlow13");
	ofctl_ok("dump-flows", "");
	ofctl_prints("priority=5 actions=push_vlan:0x8100,set_field:4105->vlan_vid,output:1");
	ofctl_prints("dl_vlan=7 actions=set_field:4105->vlan_vid,output:1");
	ofctl_ok("add-flow",
	         "'table=5,ip,actions=set_field:1.2.3.4->ip_src,write_actions(output:1),goto_table:6'");
	ofctl_protocol("");
	ofctl_ok("dump-flows", "table=5");
	ofctl_prints("ip actions=mod_nw_src:1.2.3.4,resubmit(,6)");
	ofctl_protocol("-O OpenFlow14");
	ofctl_ok("dump-flows", "table=5");
	ofctl_prints("ip actions=set_field:1.2.3.4->ip_src,write_actions(output:1),goto_table:6");
}

/* 1.0 does not say of which protocol a port is: it is set on whichever is there, and told as one action
 * again. */
Test(of10, ports_without_a_protocol)
{
	ofctl_ok("add-flow", "priority=5,actions=mod_tp_src:80,mod_tp_dst:81,output:1");
	ofctl_ok("dump-flows", "");
	ofctl_prints("priority=5 actions=mod_tp_src:80,mod_tp_dst:81,output:1");
	ofctl_protocol("-O OpenFlow13");
	ofctl_ok("dump-flows", "");
	ofctl_prints("set_field:80->tcp_src,set_field:80->udp_src,set_field:81->tcp_dst,set_field:81->udp_"
	             "dst,output:1");
}

/* A match without any wildcard goes before all others, whatever priority it names (OpenFlow 1.0 section 3.4).
 */
Test(of10, an_exact_match_has_the_highest_priority)
{
	ofctl_protocol("-F openflow10");
	ofctl_ok("add-flow", "priority=9,in_port=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,dl_vlan="
	                     "5,dl_vlan_pcp=0,"
	                     "tcp,nw_src=1.2.3.4,nw_dst=1.2.3.5,nw_tos=0,tp_src=1,tp_dst=2,actions=drop");
	ofctl_ok("add-flow", "priority=9,in_port=1,actions=drop");
	ofctl_ok("dump-flows", "");
	ofctl_prints("priority=65535,tcp,in_port=1");
	ofctl_prints("priority=9,in_port=1 actions=drop");
}

Test(of10, flows_are_selected_and_removed)
{
	ofctl_ok("add-flow", "cookie=1,table=1,priority=5,ip,actions=output:1");
	ofctl_ok("add-flow",
	         "cookie=2,table=1,priority=6,ip,nw_dst=10.0.0.1,idle_timeout=60,actions=output:2");
	ofctl_ok("add-flow", "cookie=3,table=2,arp,actions=group:5");
	ofctl_ok("dump-flows", "table=1,ip,nw_dst=10.0.0.1");
	ofctl_prints("idle_timeout=60, idle_age=");
	ofctl_prints_not("output:1");
	ofctl_ok("-F openflow10 dump-flows", "");
	ofctl_prints("OFPST_FLOW reply");
	ofctl_prints("ip,nw_dst=10.0.0.1 actions=output:2");
	ofctl_ok("-F openflow10 dump-aggregate", "ip,nw_dst=10.0.0.1");
	ofctl_prints("flow_count=1");
	ofctl_ok("dump-aggregate", "table=1");
	ofctl_prints("NXST_AGGREGATE reply");
	ofctl_prints("packet_count=14 byte_count=840 flow_count=2");
	ofctl_ok("dump-flows", "out_port=2");
	ofctl_prints_not("output:1");
	ofctl_ok("mod-flows", "table=1,ip,actions=drop");
	ofctl_ok("dump-flows", "cookie=1/-1");
	ofctl_prints("priority=5,ip actions=drop");
	ofctl_ok("del-flows", "cookie=1/-1");
	ofctl_ok("--strict del-flows", "table=1,priority=6,ip,nw_dst=10.0.0.1");
	ofctl_ok("dump-aggregate", "");
	ofctl_prints("flow_count=1");
	ofctl_ok("replace-flows", ofctl_write("priority=1,ip,actions=1\npriority=2,arp,actions=drop\n"));
	ofctl_ok("diff-flows", ofctl_write("priority=1,ip,actions=1\npriority=2,arp,actions=drop\n"));
	ofctl_refused("diff-flows", ofctl_write("priority=1,ip,actions=2\npriority=2,arp,actions=drop\n"));
	ofctl_prints("-priority=1,ip actions=output:1");
}

Test(of10, show_and_statistics)
{
	ofctl_ok("show", "");
	ofctl_prints("OFPT_FEATURES_REPLY (xid=");
	ofctl_prints("dpid:1122334455667788");
	ofctl_prints("n_tables:254, n_buffers:0");
	ofctl_prints("1(vm1): addr:02:00:00:00:00:00");
	ofctl_prints("LOCAL(br0)");
	ofctl_ok("dump-desc", "");
	ofctl_prints("Manufacturer: Weft");
	ofctl_ok("dump-ports", "");
	ofctl_prints("3 ports");
	ofctl_ok("dump-ports", "2");
	ofctl_prints("rx pkts=101");
	ofctl_ok("dump-ports-desc", "");
	ofctl_prints("2(vm2)");
	ofctl_ok("dump-tables", "");
	ofctl_prints("max_entries=20000");
	ofctl_ok("queue-stats", "");
	ofctl_ok("queue-get-config", "1");
	ofctl_ok("set-frags", "drop");
	ofctl_ok("get-frags", "");
	ofctl_prints("drop");
	ofctl_ok("probe", "");
	ofctl_ok("ping", "1000");
	ofctl_ok("mod-port", "vm1 no-forward");
	ofctl_ok("show", "");
	ofctl_prints("NO_FWD");
	ofctl_ok("packet-out",
	         "in_port=1,packet=0200000000010200000000020800450000140000000040110000,actions=output:2");
	ofctl_ok("packet-out", "none output:2 0200000000010200000000020800450000140000000040110000");
	ofctl_ok("dump-ports", "1");
	ofctl_prints("tx pkts=2");
}

Test(of10, groups_have_bucket_ids)
{
	ofctl_ok("add-group", "group_id=5,type=select,bucket=weight:2,output:1,bucket=weight:3,output:2");
	ofctl_ok("add-group",
	         "group_id=6,type=ff,bucket=watch_port:1,output:1,bucket=watch_group:5,output:2");
	ofctl_ok("add-group",
	         "'group_id=7,type=select,selection_method=hash,fields(ip_src,eth_dst=ff:ff:00:00:00:00),"
	         "bucket=output:1'");
	ofctl_ok("dump-groups", "");
	ofctl_prints("group_id=5,type=select,bucket=bucket_id:0,weight:2,actions=output:1,bucket=bucket_id:1,"
	             "weight:3,"
	             "actions=output:2");
	ofctl_prints("group_id=6,type=ff,bucket=bucket_id:0,watch_port:1,actions=output:1,bucket=bucket_id:1,"
	             "watch_group:"
	             "5,actions=output:2");
	ofctl_prints("selection_method=hash,fields(eth_dst=ff:ff:00:00:00:00,ip_src),bucket=");
	ofctl_ok("dump-groups", "6");
	ofctl_prints_not("group_id=5,");
	ofctl_ok("insert-buckets", "group_id=5,command_bucket_id=0,bucket=bucket_id:9,weight:1,drop");
	ofctl_ok("insert-buckets", "group_id=5,command_bucket_id=first,bucket=bucket_id:7,weight:1,drop");
	ofctl_ok("insert-buckets", "group_id=5,command_bucket_id=last,bucket=bucket_id:8,weight:1,drop");
	ofctl_ok("remove-buckets", "group_id=5,command_bucket_id=1");
	ofctl_ok("dump-groups", "5");
	ofctl_prints("type=select,bucket=bucket_id:7,actions=drop,bucket=bucket_id:0,weight:2,"
	             "actions=output:1,"
	             "bucket=bucket_id:9,actions=drop,bucket=bucket_id:8,actions=drop\n");
	ofctl_refused("insert-buckets", "group_id=5,command_bucket_id=last,bucket=bucket_id:8,weight:1,drop");
	ofctl_prints("OFPGMFC_BUCKET_EXISTS");
	ofctl_refused("remove-buckets", "group_id=5,command_bucket_id=1");
	ofctl_prints("OFPGMFC_UNKNOWN_BUCKET");
	ofctl_refused("insert-buckets", "group_id=99,command_bucket_id=last,bucket=bucket_id:8,drop");
	ofctl_prints("OFPGMFC_UNKNOWN_GROUP");
	ofctl_ok("dump-group-stats", "group_id=5");
	ofctl_prints("group_id=5,duration=0s,ref_count=1,packet_count=5");
	ofctl_ok("dump-group-features", "");
	ofctl_prints("mod_tp_dst");
	ofctl_refused("mod-group", "group_id=77,type=all,bucket=output:1");
	ofctl_ok("--may-create mod-group", "group_id=77,type=all,bucket=output:1");
	ofctl_ok("remove-buckets", "group_id=5,command_bucket_id=all");
	ofctl_ok("del-groups", "group_id=6");
	ofctl_ok("dump-groups", "");
	ofctl_prints("group_id=5,type=select\n");
	ofctl_prints_not("group_id=6");
}

Test(of10, refusals_have_their_names)
{
	ofctl_refused("add-flow", "priority=666,actions=drop");
	ofctl_prints("OFPFMFC_EPERM");
	ofctl_ok("add-group", "group_id=5,type=all,bucket=output:1");
	ofctl_refused("add-group", "group_id=5,type=all,bucket=output:1");
	ofctl_prints("OFPGMFC_GROUP_EXISTS");
	ofctl_refused("add-flow", "table=1,reg0=1,actions=output:65290");
	cr_expect_neq(ofctl("queue-get-config", "9"), -1); /* its status does not tell */
	ofctl_prints("OFPQOFC_BAD_PORT");
	ofctl_refused("mod-port", "br0 up");
	ofctl_prints("OFPPMFC_BAD_PORT");
}

Test(of10, bundles_speak_1_4)
{
	ofctl_refused("--bundle add-flows",
	              ofctl_write("priority=1,actions=drop\npriority=666,actions=drop\n"));
	ofctl_prints("Error OFPFMFC_EPERM for: OFPT_FLOW_MOD (OF1.4)");
	ofctl_prints("Error OFPBFC_MSG_FAILED for: OFPT_BUNDLE_CONTROL (OF1.4)");
	ofctl_ok("dump-aggregate", "");
	ofctl_prints("flow_count=0");
	ofctl_ok("--bundle add-flows", ofctl_write("priority=1,ip,actions=1\npriority=2,arp,actions=drop\n"));
	ofctl_ok("--bundle mod-flows", "ip,actions=2");
	ofctl_ok("--bundle --strict del-flows", "priority=2,arp");
	ofctl_ok("--bundle replace-flows",
	         ofctl_write("priority=1,ip,actions=2\npriority=3,tcp,actions=drop\n"));
	ofctl_ok("--no-stats dump-flows", "");
	ofctl_prints("priority=1,ip actions=output:2");
	ofctl_prints("priority=3,tcp actions=drop");
	ofctl_ok("bundle", ofctl_write("group add group_id=5,type=all,bucket=output:1\n"
	                               "flow add priority=50,ip,actions=group:5\nflow delete tcp\n"));
	ofctl_ok("--no-stats dump-flows", "");
	ofctl_prints("priority=50,ip actions=group:5");
	ofctl_prints_not("tcp");
	ofctl_ok("bundle", ofctl_write("flow add priority=51,ip,actions=2\n"
	                               "packet-out in_port=none,packet=020000000001020000000002080045000014,"
	                               "actions=output:2\n"));
}

Test(of10, version_1_4_has_lists_of_properties)
{
	ofctl_protocol("-O OpenFlow14");
	ofctl_ok("show", "");
	ofctl_prints("1(vm1): addr:02:00:00:00:00:00");
	ofctl_ok("dump-ports", "");
	ofctl_prints("3 ports");
	ofctl_prints("duration=1.500s");
	ofctl_ok("dump-ports-desc", "");
	ofctl_prints("LOCAL(br0)");
	ofctl_ok("mod-port", "1 no-forward");
	ofctl_ok("dump-ports-desc", "");
	ofctl_prints("NO_FWD");
	ofctl_ok("dump-table-desc", "");
	ofctl_prints("eviction=off");
	ofctl_ok("dump-table-features", "");
	ofctl_ok("dump-tables", "");
	ofctl_ok("queue-stats", "");
	ofctl_ok("queue-get-config", "1");
	ofctl_ok("dump-group-features", "");
	ofctl_ok("add-flow", "priority=9,importance=5,ip,actions=output:1");
	ofctl_ok("dump-flows", "");
	ofctl_prints("importance=5, priority=9,ip actions=output:1");
	ofctl_ok("meter-features", "");
}

static const char *const protocols[] = {"", "-O OpenFlow13", "-O OpenFlow14"};

Test(of10, monitor_shows_packets_in_every_version_and_format)
{
	static const char *const formats[] = {"-P openflow10", "-P nxt_packet_in", "-P nxt_packet_in2"};

	for (unsigned i = 0; i < 3; i++) {
		ofctl_protocol(protocols[i]);
		ofctl_monitor_start("65535");
		fake_switch_packet_in(ofctl_switch());
		ofctl_monitor_prints("total_len=100");
		ofctl_monitor_prints("(via action) data_len=100");
		ofctl_monitor_stop();
		ofctl_protocol("");
		ofctl_monitor_start(formats[i]);
		ofctl_ok("add-flow", "priority=7,send_flow_rem,actions=drop");
		ofctl_ok("--strict del-flows", "priority=7");
		ofctl_monitor_stop();
	}
}

Test(of10, monitor_tells_of_flows)
{
	for (unsigned i = 0; i < 3; i++) {
		ofctl_protocol(protocols[i]);
		ofctl_ok("del-flows", "");
		ofctl_ok("add-flow", "table=2,tcp,actions=2");
		ofctl_monitor_start("watch:");
		ofctl_monitor_prints("table=2 cookie=0 tcp actions=output:2");
		ofctl_protocol("");
		ofctl_ok("add-flow", "table=3,ip,idle_timeout=5,cookie=0x9,actions=1");
		ofctl_monitor_prints("event=ADDED table=3 idle_timeout=5 cookie=0x9 ip actions=output:1");
		ofctl_ok("mod-flows", "table=3,ip,actions=2");
		ofctl_monitor_prints("event=MODIFIED table=3 idle_timeout=5 cookie=0x9 ip actions=output:2");
		ofctl_ok("del-flows", "table=3");
		ofctl_monitor_prints(
		        "event=DELETED reason=delete table=3 idle_timeout=5 cookie=0x9 ip actions=output:2");
		ofctl_monitor_stop();
	}
	ofctl_monitor_start("watch:table=7,!initial,!delete,!actions,out_port=2");
	ofctl_ok("add-flow", "table=7,ip,actions=1");
	ofctl_ok("add-flow", "table=8,udp,actions=2");
	ofctl_ok("add-flow", "table=7,icmp,actions=2");
	ofctl_ok("del-flows", "table=7");
	ofctl_ok("add-flow", "table=7,arp,actions=2");
	ofctl_monitor_prints("event=ADDED table=7 cookie=0 arp\n");
	ofctl_monitor_prints("event=ADDED table=7 cookie=0 icmp\n");
	ofctl_prints_not("ip\n");
	ofctl_prints_not("udp");
	ofctl_prints_not("DELETED");
}
