/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow endpoint against a client nobody here wrote: Debian's ovs-ofctl, on a fake switch. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/fake_switch.h"

static char dir[64], path[96];
static struct fake_switch *sw;
static char output[4 << 20];

static void set_up(void)
{
	if (system("command -v ovs-ofctl >/dev/null"))
		cr_skip("ovs-ofctl is not installed");
	strcpy(dir, "/tmp/weft-ofctl-XXXXXX");
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/br0.mgmt", dir);
	sw = fake_switch_start(path);
}

static void tear_down(void)
{
	if (!sw)
		return;
	fake_switch_stop(sw);
	cr_expect_eq(access(path, F_OK), -1, "the socket file is gone");
	rmdir(dir);
}

/* Runs "ovs-ofctl -O OpenFlow13 VERB unix:PATH REST"; its exit status. What it prints is in `output`. */
static int ofctl(const char *verb, const char *rest)
{
	char command[1024];
	FILE *f;
	size_t n;
	int rc;

	snprintf(command, sizeof(command), "ovs-ofctl -t 60 -O OpenFlow13 %s unix:%s %s 2>&1", verb, path,
	         rest);
	f = popen(command, "r");
	cr_assert(f);
	n = fread(output, 1, sizeof(output) - 1, f);
	output[n] = 0;
	rc = pclose(f);
	return rc == -1 ? -1 : WEXITSTATUS(rc);
}

static void expect_ok(const char *verb, const char *rest)
{
	int rc = ofctl(verb, rest);

	cr_assert_eq(rc, 0, "%s %s: %d: %s", verb, rest, rc, output);
	cr_assert(!strstr(output, "OFPT_ERROR"), "%s %s: %s", verb, rest, output);
}

static void expect_text(const char *wanted)
{
	cr_expect(strstr(output, wanted), "expected \"%s\" in: %s", wanted, output);
}

TestSuite(ofctl, .init = set_up, .fini = tear_down, .timeout = 120);

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
		expect_ok("del-flows", "");
		expect_ok("add-flow", quoted);
		expect_ok("dump-flows", "");
		expect_text(flows[i][1]);
	}
}

Test(ofctl, flows_are_selected_and_removed)
{
	expect_ok("add-flow", "cookie=1,table=1,priority=5,ip,actions=output:1");
	expect_ok("add-flow", "cookie=2,table=1,priority=6,ip,nw_dst=10.0.0.1,actions=output:2");
	expect_ok("add-flow", "cookie=3,table=2,arp,actions=group:5");
	expect_ok("dump-flows", "table=1,ip,nw_dst=10.0.0.1");
	expect_text("nw_dst=10.0.0.1");
	cr_expect(!strstr(output, "output:1"), "%s", output);
	expect_ok("dump-aggregate", "table=1");
	expect_text("packet_count=14 byte_count=840 flow_count=2");
	expect_ok("mod-flows", "table=1,ip,actions=drop");
	expect_ok("dump-flows", "cookie=1/-1");
	expect_text(
	        "cookie=0x1, duration=1.234s, table=1, n_packets=7, n_bytes=420, priority=5,ip actions=drop");
	expect_ok("del-flows", "cookie=1/-1");
	expect_ok("--strict del-flows", "table=1,priority=6,ip,nw_dst=10.0.0.1");
	expect_ok("del-flows", "out_group=5");
	expect_ok("dump-aggregate", "");
	expect_text("flow_count=0");
}

Test(ofctl, show_and_statistics)
{
	expect_ok("show", "");
	expect_text("dpid:1122334455667788");
	expect_text("1(vm1): addr:02:00:00:00:00:00");
	expect_text("LOCAL(br0)");
	expect_ok("dump-desc", "");
	expect_text("Manufacturer: Weft");
	expect_ok("dump-ports", "");
	expect_text("3 ports");
	expect_ok("dump-ports", "2");
	expect_text("rx pkts=101");
	expect_ok("dump-ports-desc", "");
	expect_ok("dump-tables", "");
	expect_text("active=0, lookup=0, matched=0");
	expect_ok("dump-table-features", "");
	expect_text("ip_{src,dst}");
	expect_ok("queue-stats", "");
	expect_ok("queue-get-config", "1");
	expect_ok("get-frags", "");
	expect_text("normal");
	expect_ok("set-frags", "drop");
	expect_ok("get-frags", "");
	expect_text("drop");
	expect_ok("probe", "");
	expect_ok("ping", "1000");
	expect_ok("mod-port", "1 no-forward");
	expect_ok("show", "");
	expect_text("NO_FWD");
}

Test(ofctl, groups)
{
	expect_ok("add-group", "group_id=5,type=select,bucket=weight:2,output:1,bucket=weight:3,set_field:02:"
	                       "00:00:00:00:07-\\>eth_dst,output:2");
	expect_ok("add-group", "group_id=6,type=ff,bucket=watch_port:1,output:1");
	expect_ok("dump-groups", "");
	expect_text("group_id=5,type=select,bucket=weight:2,actions=output:1,bucket="
	            "weight:3,"
	            "actions=set_field:02:00:00:00:00:07->eth_dst,output:2");
	expect_text("group_id=6,type=ff,bucket=watch_port:1,actions=output:1");
	expect_ok("dump-group-stats", "group_id=5");
	expect_text("group_id=5,duration=0s,ref_count=1,packet_count=5");
	expect_ok("dump-group-features", "");
	expect_ok("mod-group", "group_id=5,type=all,bucket=output:1");
	expect_ok("del-groups", "group_id=6");
	expect_ok("dump-groups", "");
	expect_text("type=all");
	cr_expect(!strstr(output, "group_id=6"), "%s", output);
	cr_expect_neq(ofctl("add-group", "group_id=5,type=all,bucket=output:1"), 0);
	expect_text("OFPGMFC_GROUP_EXISTS");
	expect_ok("del-groups", "");
}

Test(ofctl, refusals_are_told)
{
	cr_expect_neq(ofctl("add-flow", "priority=666,actions=drop"), 0);
	expect_text("OFPFMFC_EPERM");
	cr_expect_neq(ofctl("add-meter", "meter=1,kbps,band=type=drop,rate=100"), 0);
	expect_text("OFPMMFC_OUT_OF_METERS");
	expect_ok("meter-features", "");
	expect_ok("dump-meters", "");
	cr_expect_neq(ofctl("mod-port", "9 up"), 0);
}

Test(ofctl, packets_out)
{
	expect_ok("packet-out",
	          "in_port=1,packet=0200000000010200000000020800450000140000000040110000,actions=output:2");
	expect_ok("dump-ports", "1");
	expect_text("tx pkts=1");
}

Test(ofctl, bundles_are_all_or_nothing)
{
	char file[128], rest[160];
	FILE *f;

	snprintf(file, sizeof(file), "%s/flows", dir);
	snprintf(rest, sizeof(rest), "%s", file);
	f = fopen(file, "w");
	cr_assert(f);
	fputs("priority=1,actions=drop\npriority=2,actions=drop\npriority=666,actions=drop\n", f);
	fclose(f);
	cr_expect_neq(ofctl("--bundle add-flows", rest), 0);
	expect_text("OFPFMFC_EPERM");
	expect_ok("dump-aggregate", "");
	expect_text("flow_count=0");
	f = fopen(file, "w");
	cr_assert(f);
	fputs("priority=1,actions=drop\npriority=2,actions=drop\n", f);
	fclose(f);
	expect_ok("--bundle add-flows", rest);
	expect_ok("--bundle replace-flows", rest);
	expect_ok("dump-aggregate", "");
	expect_text("flow_count=2");
	unlink(file);
}

Test(ofctl, a_large_dump_comes_in_many_messages)
{
	char file[128];
	unsigned lines = 0;
	FILE *f;

	snprintf(file, sizeof(file), "%s/flows", dir);
	f = fopen(file, "w");
	cr_assert(f);
	for (unsigned i = 0; i < 1500; i++)
		fprintf(f, "ip,nw_dst=10.1.%u.%u,actions=output:1\n", i / 256, i % 256);
	fclose(f);
	expect_ok("add-flows", file);
	expect_ok("dump-flows", "");
	for (const char *p = output; (p = strstr(p, "nw_dst=10.1.")); p++)
		lines++;
	cr_expect_eq(lines, 1500, "%u lines", lines);
	unlink(file);
}

Test(ofctl, other_versions_are_refused)
{
	char command[256];

	snprintf(command, sizeof(command), "ovs-ofctl -t 5 -O OpenFlow12 show unix:%s >/dev/null 2>&1", path);
	cr_expect_neq(system(command), 0);
	expect_ok("probe", "");
}

Test(ofctl, the_socket_is_for_owner_and_group)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0660);
}
