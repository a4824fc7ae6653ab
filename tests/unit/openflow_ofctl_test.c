/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow endpoint against a client nobody here wrote: Debian's ovs-ofctl, on a fake switch. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/lib/ofctl_client.h"

static void set_up(void)
{
	ofctl_set_up();
	ofctl_protocol("-O OpenFlow13");
}

TestSuite(ofctl, .init = set_up, .fini = ofctl_tear_down, .timeout = 120);

Test(ofctl, flows_come_back_as_they_went)
{
	static const char *const flows[][2] = {
	        {"table=1,priority=5,ip,nw_src=10.0.0.0/8,actions=output:2",
	         "priority=5,ip,nw_src=10.0.0.0/8 actions=output:2"},
	        {"cookie=0x12,in_port=1,dl_vlan=5,dl_vlan_pcp=3,actions=pop_vlan,NORMAL",
	         "in_port=1,dl_vlan=5,dl_vlan_pcp=3 actions=pop_vlan,NORMAL"},
	        {"tcp,tp_dst=80,tcp_flags=+syn,actions=drop", "tcp,tp_dst=80,tcp_flags=+syn actions=drop"},
	        {"vlan_tci=0x1000/0x1000,actions=drop", "actions=drop"},
	        {"icmp6,icmp_type=135,nd_target=fe80::1,actions=CONTROLLER:128",
	         "nd_target=fe80::1 actions=CONTROLLER:128"},
	        {"tun_id=0x64,reg3=7,metadata=0x1/"
	         "0xff,actions=load:5->NXM_NX_REG0[0..15],move:NXM_NX_REG0[]->NXM_NX_REG1[],resubmit(,3)",
	         "actions=load:0x5->NXM_NX_REG0[0..15],move:NXM_NX_REG0[]->NXM_NX_REG1[],resubmit(,3)"},
	        {"priority=9,arp,arp_op=1,arp_tpa=10.0.0.1,actions=set_field:02:00:00:00:00:01->eth_src,IN_"
	         "PORT",
	         "arp,arp_tpa=10.0.0.1,arp_op=1 actions=set_field:02:00:00:00:00:01->eth_src,IN_PORT"},
	        {"priority=10,ipv6,ipv6_src=2001:db8::/"
	         "32,actions=push_vlan:0x8100,set_field:4101->vlan_vid,output:1",
	         "ipv6,ipv6_src=2001:db8::/32 actions=push_vlan:0x8100,set_field:4101->vlan_vid,output:1"},
	        {"priority=11,udp,actions=write_metadata:0x5/0xf,goto_table:4",
	         "priority=11,udp actions=write_metadata:0x5/0xf,goto_table:4"},
	        {"priority=12,ip,actions=clear_actions,write_actions(output:1),goto_table:5",
	         "actions=clear_actions,write_actions(output:1),goto_table:5"},
	        {"priority=13,actions=note:01.02.03.04.05.06,exit", "actions=note:01.02.03.04.05.06,exit"},
	        {"priority=14,actions=learn(table=9,idle_timeout=10,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]="
	         "NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
	         "actions=learn(table=9,idle_timeout=10,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_"
	         "SRC[],output:NXM_OF_IN_PORT[])"},
	        {"priority=15,actions=conjunction(5,1/2)", "actions=conjunction(5,1/2)"},
	        {"priority=16,ip,actions=dec_ttl,output:NXM_NX_REG1[0..15],clone(output:1)",
	         "actions=dec_ttl,output:NXM_NX_REG1[0..15],clone(output:1)"},
	        {"priority=17,ip,actions=push:NXM_NX_REG0[],pop:NXM_NX_REG1[],controller(reason=no_match,id="
	         "3,max_len=90)",
	         "actions=push:NXM_NX_REG0[],pop:NXM_NX_REG1[],controller(reason=no_match,max_len=90,id=3)"},
	        {"priority=18,actions=controller(userdata=01.02.03,pause)",
	         "actions=controller(userdata=01.02.03,pause)"},
	        {"priority=19,mpls,mpls_label=7,actions=pop_mpls:0x0800,output(port=1,max_len=64)",
	         "actions=pop_mpls:0x0800,output(port=1,max_len=64)"},
	};

	for (unsigned i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
		char quoted[512];

		snprintf(quoted, sizeof(quoted), "'%s'", flows[i][0]);
		ofctl_ok("del-flows", "");
		ofctl_ok("add-flow", quoted);
		ofctl_ok("dump-flows", "");
		ofctl_prints(flows[i][1]);
	}
}

Test(ofctl, flows_are_selected_and_removed)
{
	ofctl_ok("add-flow", "cookie=1,table=1,priority=5,ip,actions=output:1");
	ofctl_ok("add-flow", "cookie=2,table=1,priority=6,ip,nw_dst=10.0.0.1,actions=output:2");
	ofctl_ok("add-flow", "cookie=3,table=2,arp,actions=group:5");
	ofctl_ok("dump-flows", "table=1,ip,nw_dst=10.0.0.1");
	ofctl_prints("nw_dst=10.0.0.1");
	ofctl_prints_not("output:1");
	ofctl_ok("dump-aggregate", "table=1");
	ofctl_prints("packet_count=14 byte_count=840 flow_count=2");
	ofctl_ok("mod-flows", "table=1,ip,actions=drop");
	ofctl_ok("dump-flows", "cookie=1/-1");
	ofctl_prints(
	        "cookie=0x1, duration=1.234s, table=1, n_packets=7, n_bytes=420, priority=5,ip actions=drop");
	ofctl_ok("del-flows", "cookie=1/-1");
	ofctl_ok("--strict del-flows", "table=1,priority=6,ip,nw_dst=10.0.0.1");
	ofctl_ok("del-flows", "out_group=5");
	ofctl_ok("dump-aggregate", "");
	ofctl_prints("flow_count=0");
}

Test(ofctl, show_and_statistics)
{
	ofctl_ok("show", "");
	ofctl_prints("dpid:1122334455667788");
	ofctl_prints("1(vm1): addr:02:00:00:00:00:00");
	ofctl_prints("LOCAL(br0)");
	ofctl_ok("dump-desc", "");
	ofctl_prints("Manufacturer: Weft");
	ofctl_ok("dump-ports", "");
	ofctl_prints("3 ports");
	ofctl_ok("dump-ports", "2");
	ofctl_prints("rx pkts=101");
	ofctl_ok("dump-ports-desc", "");
	ofctl_ok("dump-tables", "");
	ofctl_prints("active=0, lookup=0, matched=0");
	ofctl_ok("dump-table-features", "");
	ofctl_prints("ip_{src,dst}");
	ofctl_ok("queue-stats", "");
	ofctl_ok("queue-get-config", "1");
	ofctl_ok("get-frags", "");
	ofctl_prints("normal");
	ofctl_ok("set-frags", "drop");
	ofctl_ok("get-frags", "");
	ofctl_prints("drop");
	ofctl_ok("probe", "");
	ofctl_ok("ping", "1000");
	ofctl_ok("mod-port", "1 no-forward");
	ofctl_ok("show", "");
	ofctl_prints("NO_FWD");
}

Test(ofctl, groups)
{
	ofctl_ok("add-group", "group_id=5,type=select,bucket=weight:2,output:1,bucket=weight:3,set_field:02:"
	                      "00:00:00:00:07-\\>eth_dst,output:2");
	ofctl_ok("add-group", "group_id=6,type=ff,bucket=watch_port:1,output:1");
	ofctl_ok("dump-groups", "");
	ofctl_prints("group_id=5,type=select,bucket=weight:2,actions=output:1,bucket="
	             "weight:3,"
	             "actions=set_field:02:00:00:00:00:07->eth_dst,output:2");
	ofctl_prints("group_id=6,type=ff,bucket=watch_port:1,actions=output:1");
	ofctl_ok("dump-group-stats", "group_id=5");
	ofctl_prints("group_id=5,duration=0s,ref_count=1,packet_count=5");
	ofctl_ok("dump-group-features", "");
	ofctl_ok("mod-group", "group_id=5,type=all,bucket=output:1");
	ofctl_ok("del-groups", "group_id=6");
	ofctl_ok("dump-groups", "");
	ofctl_prints("type=all");
	ofctl_prints_not("group_id=6");
	ofctl_refused("add-group", "group_id=5,type=all,bucket=output:1");
	ofctl_prints("OFPGMFC_GROUP_EXISTS");
	ofctl_ok("del-groups", "");
}

Test(ofctl, refusals_are_told)
{
	ofctl_refused("add-flow", "priority=666,actions=drop");
	ofctl_prints("OFPFMFC_EPERM");
	ofctl_refused("add-meter", "meter=1,kbps,band=type=drop,rate=100");
	ofctl_prints("OFPMMFC_OUT_OF_METERS");
	ofctl_ok("meter-features", "");
	ofctl_ok("dump-meters", "");
	ofctl_refused("mod-port", "9 up");
}

Test(ofctl, packets_out)
{
	ofctl_ok("packet-out",
	         "in_port=1,packet=0200000000010200000000020800450000140000000040110000,actions=output:2");
	ofctl_ok("dump-ports", "1");
	ofctl_prints("tx pkts=1");
}

Test(ofctl, bundles_are_all_or_nothing)
{
	ofctl_refused("--bundle add-flows", ofctl_write("priority=1,actions=drop\npriority=2,actions=drop\n"
	                                                "priority=666,actions=drop\n"));
	ofctl_prints("OFPFMFC_EPERM");
	ofctl_ok("dump-aggregate", "");
	ofctl_prints("flow_count=0");
	ofctl_ok("--bundle add-flows", ofctl_write("priority=1,actions=drop\npriority=2,actions=drop\n"));
	ofctl_ok("--bundle replace-flows", ofctl_write("priority=1,actions=drop\npriority=2,actions=drop\n"));
	ofctl_ok("dump-aggregate", "");
	ofctl_prints("flow_count=2");
}

Test(ofctl, a_large_dump_comes_in_many_messages)
{
	static char flows[1500 * 48];
	unsigned lines = 0;
	size_t n = 0;

	for (unsigned i = 0; i < 1500; i++)
		n += (size_t)sprintf(flows + n, "ip,nw_dst=10.1.%u.%u,actions=output:1\n", i / 256, i % 256);
	ofctl_ok("add-flows", ofctl_write(flows));
	ofctl_ok("dump-flows", "");
	for (const char *at = ofctl_output(); (at = strstr(at, "nw_dst=10.1.")); at++)
		lines++;
	cr_expect_eq(lines, 1500, "%u lines", lines);
}

Test(ofctl, other_versions_are_refused)
{
	ofctl_protocol("-t 5 -O OpenFlow12");
	ofctl_refused("show", "");
	ofctl_protocol("-t 5 -O OpenFlow11,OpenFlow15");
	ofctl_refused("show", "");
	ofctl_protocol("-O OpenFlow10,OpenFlow13");
	ofctl_ok("show", "");
	ofctl_prints("(OF1.3)");
}

Test(ofctl, the_socket_is_for_owner_and_group)
{
	struct stat st;

	cr_assert_eq(stat(ofctl_path(), &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0660);
}
