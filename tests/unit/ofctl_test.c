/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl as a program against a real OpenFlow endpoint, and beside it the unmodified ovs-ofctl: both must
 * see the same switch. Runs the programs of its own build folder. */
#include <criterion/criterion.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/plain_switch.h"

static char dir[] = "/tmp/weft-ofctl-XXXXXX";
static char program[512];
static struct plain_switch *sw;

static void set_up(void)
{
	char self[400], path[64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	cr_assert_gt(n, 0);
	self[n] = '\0'; /* BUILD/tests/unit/ofctl_test */
	snprintf(program, sizeof(program), "%s/weft-ofctl", dirname(dirname(dirname(self))));
	cr_assert_eq(access(program, X_OK), 0, "%s is not built", program);
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/br0.mgmt", dir);
	sw = plain_switch_start(path);
}

static void tear_down(void)
{
	plain_switch_stop(sw);
	cr_expect_eq(rmdir(dir), 0, "something is left in %s", dir);
}

TestSuite(ofctl, .init = set_up, .fini = tear_down, .timeout = 120);

/* Standard output and standard error of a shell command, and its exit status. */
static int shell(char *out, size_t size, const char *command)
{
	FILE *f = popen(command, "r");
	size_t n;
	int status;

	cr_assert_not_null(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	status = pclose(f);
	cr_assert(WIFEXITED(status), "%s", command);
	return WEXITSTATUS(status);
}

static char answer[1 << 16];

static int weft(const char *arguments)
{
	char command[2048];

	snprintf(command, sizeof(command), "%s --rundir %s %s 2>&1", program, dir, arguments);
	return shell(answer, sizeof(answer), command);
}

static char ovs_answer[1 << 16];

static int ovs(const char *arguments)
{
	char command[2048];

	snprintf(command, sizeof(command), "OVS_RUNDIR=%s ovs-ofctl -O OpenFlow13 %s 2>&1", dir, arguments);
	return shell(ovs_answer, sizeof(ovs_answer), command);
}

static void must(const char *arguments)
{
	cr_assert_eq(weft(arguments), 0, "weft-ofctl %s: %s", arguments, answer);
}

/* The first line of what ovs-ofctl prints names a transaction. */
static const char *after_first_line(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? end + 1 : text;
}

Test(ofctl, adds_changes_dumps_and_deletes_flows)
{
	must("add-flow br0 'table=1,priority=7,tcp,tp_dst=80,actions=output:2'");
	must("add-flow br0 'cookie=0x5,arp,in_port=vm1,actions=NORMAL'");
	must("dump-flows br0");
	cr_expect_str_eq(
	        after_first_line(answer),
	        " cookie=0x0, duration=1.500s, table=1, n_packets=3, n_bytes=180, priority=7,tcp,tp_dst=80 "
	        "actions=output:2\n"
	        " cookie=0x5, duration=1.500s, table=0, n_packets=3, n_bytes=180, arp,in_port=1 "
	        "actions=NORMAL\n");
	must("--names dump-flows br0 cookie=5/-1");
	cr_expect(strstr(answer, "arp,in_port=vm1 actions=NORMAL"), "%s", answer);
	cr_expect_not(strstr(answer, "tcp"), "%s", answer);
	must("mod-flows br0 'table=1,tcp,actions=set_field:3->reg0,vm2'");
	must("--no-stats dump-flows br0 table=1");
	cr_expect_str_eq(answer, " table=1, priority=7,tcp,tp_dst=80 actions=set_field:0x3->reg0,output:2\n");
	must("--strict del-flows br0 tcp"); /* another priority: nothing */
	must("dump-aggregate br0");
	cr_expect(strstr(answer, "packet_count=6 byte_count=360 flow_count=2\n"), "%s", answer);
	must("del-flows br0 out_port=vm2");
	must("del-flows br0");
	must("dump-flows br0");
	cr_expect_str_eq(after_first_line(answer), "");
}

Test(ofctl, ovs_ofctl_sees_the_same_flows)
{
	must("add-flow br0 "
	     "'priority=5,dl_vlan=3,ip,nw_src=10.0.0.0/8,actions=strip_vlan,mod_nw_dst:1.2.3.4,group:7'");
	must("add-flow br0 "
	     "'tun_id=5,reg3=0x7/"
	     "0xff,actions=load:0x5->NXM_NX_REG1[4..7],resubmit(,9),learn(table=2,eth_dst=eth_src,"
	     "output:in_port)'");
	must("add-flow br0 'icmp6,icmp_type=135,nd_target=fe80::1,actions=CONTROLLER:128'");
	must("add-flow br0 "
	     "'udp6,ipv6_dst=ff02::/16,tp_src=0x40/"
	     "0xffc0,idle_timeout=60,send_flow_rem,actions=write_actions(output:1),"
	     "goto_table:5'");
	must("dump-flows br0");
	cr_assert_eq(ovs("dump-flows br0"), 0, "%s", ovs_answer);
	cr_expect_str_eq(after_first_line(answer), after_first_line(ovs_answer));
	/* and what it adds is what we print */
	must("del-flows br0");
	cr_assert_eq(ovs("add-flow br0 "
	                 "'tcp,tcp_flags=+syn-ack,actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],IN_PORT'"),
	             0, "%s", ovs_answer);
	must("dump-flows br0");
	cr_assert_eq(ovs("dump-flows br0"), 0);
	cr_expect_str_eq(after_first_line(answer), after_first_line(ovs_answer));
	cr_expect(strstr(answer,
	                 "tcp,tcp_flags=+syn-ack actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],IN_PORT"),
	          "%s", answer);
}

Test(ofctl, ports_and_the_switch_print_as_ovs_ofctl_does)
{
	static const char *const commands[] = {"dump-ports br0", "dump-ports-desc br0", "dump-tables br0",
	                                       "dump-ports br0 2"};

	must("add-flow br0 'table=3,actions=drop'");
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		must(commands[i]);
		cr_assert_eq(ovs(commands[i]), 0, "%s", ovs_answer);
		cr_expect_str_eq(after_first_line(answer), after_first_line(ovs_answer), "%s:\n%s\n%s",
		                 commands[i], answer, ovs_answer);
	}
	must("show br0");
	cr_expect(strstr(answer, "dpid:0000000000001234"), "%s", answer);
	cr_expect(strstr(answer, " 1(vm1): addr:00:00:00:00:00:01"), "%s", answer);
}

Test(ofctl, groups)
{
	must("add-group br0 'group_id=7,type=select,bucket=weight:5,actions=output:1,bucket=vm2'");
	must("add-group br0 'group_id=3,type=all,bucket=output:1'");
	cr_expect_eq(weft("add-group br0 'group_id=3,type=all,bucket=output:1'"), 1);
	cr_expect(strstr(answer, "OFPGMFC_GROUP_EXISTS"), "%s", answer);
	must("mod-group br0 'group_id=3,type=indirect,bucket=output:2'");
	must("dump-groups br0");
	cr_assert_eq(ovs("dump-groups br0"), 0, "%s", ovs_answer);
	cr_expect_str_eq(after_first_line(answer), after_first_line(ovs_answer));
	cr_expect(strstr(answer,
	                 " group_id=7,type=select,bucket=weight:5,actions=output:1,bucket=actions=output:2"),
	          "%s", answer);
	must("dump-group-stats br0 7");
	cr_expect(strstr(answer, " group_id=7,duration=2s,ref_count=1,packet_count=5,byte_count=300,bucket0:"
	                         "packet_count=0"),
	          "%s", answer);
	must("del-groups br0 group_id=7");
	must("del-groups br0");
	must("dump-groups br0");
	cr_expect_str_eq(after_first_line(answer), "");
}

Test(ofctl, files_replace_and_diff)
{
	char command[2048];

	snprintf(command, sizeof(command),
	         "printf '%%s\\n' '# a comment' 'ip,actions=1' '' 'arp,actions=2 # two' "
	         "'priority=1,actions=drop' | "
	         "%s --rundir %s add-flows br0 - 2>&1",
	         program, dir);
	cr_assert_eq(shell(answer, sizeof(answer), command), 0, "%s", answer);
	must("dump-aggregate br0");
	cr_expect(strstr(answer, "flow_count=3"), "%s", answer);
	snprintf(command, sizeof(command),
	         "printf '%%s\\n' 'ip,actions=1' 'arp,actions=3' 'tcp,actions=4' | %s --rundir %s diff-flows "
	         "br0 - 2>&1",
	         program, dir);
	cr_expect_eq(shell(answer, sizeof(answer), command), 2);
	cr_expect(strstr(answer, "-arp actions=output:2\n+arp actions=output:3\n"), "%s", answer);
	cr_expect(strstr(answer, "-priority=1 actions=drop\n"), "%s", answer);
	snprintf(command, sizeof(command),
	         "printf '%%s\\n' 'ip,actions=1' 'arp,actions=3' 'tcp,actions=4' | %s --rundir %s "
	         "replace-flows br0 - 2>&1",
	         program, dir);
	cr_assert_eq(shell(answer, sizeof(answer), command), 0, "%s", answer);
	snprintf(command, sizeof(command),
	         "printf '%%s\\n' 'ip,actions=1' 'arp,actions=3' 'tcp,actions=4' | %s --rundir %s diff-flows "
	         "br0 - 2>&1",
	         program, dir);
	cr_expect_eq(shell(answer, sizeof(answer), command), 0, "%s", answer);
}

Test(ofctl, mistakes_are_told)
{
	cr_expect_eq(weft("add-flow br0 'ip,nw_src=10.0.0.300,actions=1'"), 1);
	cr_expect(strstr(answer, "weft-ofctl: flow: column 11: ip_src: expected an IPv4 address"), "%s",
	          answer);
	cr_expect_eq(weft("add-flow br0 'table=99,actions=drop'"), 1);
	cr_expect(strstr(answer, "OFPFMFC_EPERM"), "%s", answer);
	cr_expect_eq(weft("dump-flows br7"), 1);
	cr_expect(strstr(answer, "br7 is not a bridge or a socket"), "%s", answer);
	cr_expect_eq(weft("add-flow br0"), 1);
	cr_expect(strstr(answer, "requires at least 2 arguments"), "%s", answer);
	cr_expect_eq(weft("jump br0"), 1);
	cr_expect_eq(weft("add-flows br0 /nonexistent"), 1);
	must("add-flow br0 'nw_src=1.2.3.4,actions=1'");
	cr_expect(strstr(answer, "normalization changed the match: ip_src"), "%s", answer);
}

Test(ofctl, json)
{
	must("add-flow br0 'cookie=0x5,arp,actions=vm1'");
	must("-o json dump-flows br0");
	cr_expect(strstr(answer, "\"match\": \"arp\"") && strstr(answer, "\"cookie\": \"0x5\""), "%s",
	          answer);
	must("-o json dump-ports-desc br0 vm2");
	cr_expect(strstr(answer, "\"name\": \"vm2\"") && !strstr(answer, "vm1"), "%s", answer);
	must("-o json dump-ports br0");
	must("-o json dump-aggregate br0");
	cr_expect(strstr(answer, "\"n_flows\": 1"), "%s", answer);
}

Test(ofctl, packet_out)
{
	must("packet-out br0 'in_port=vm1 packet=ffffffffffff0011223344550800 "
	     "actions=output:2,mod_dl_src:00:00:00:00:00:01'");
	cr_expect_eq(plain_switch_last_packet(sw), 14);
	cr_expect_eq(weft("packet-out br0 'packet=ff actions=1'"), 1);
}

/* More than sockets hold, with an error for each: neither side may wait for the other. */
Test(ofctl, a_stream_of_refusals_does_not_block)
{
	char command[2048];

	snprintf(command, sizeof(command),
	         "seq 1 20000 | sed 's/.*/table=99,priority=&,actions=drop/' | %s --rundir %s add-flows br0 "
	         "- 2>&1",
	         program, dir);
	cr_expect_eq(shell(answer, sizeof(answer), command), 1);
	cr_expect(strstr(answer, "OFPFMFC_EPERM"), "%s", answer);
	snprintf(command, sizeof(command),
	         "seq 1 20000 | sed 's/.*/priority=&,actions=drop/' | %s --rundir %s add-flows br0 - 2>&1",
	         program, dir);
	cr_expect_eq(shell(answer, sizeof(answer), command), 0, "%s", answer);
	must("dump-aggregate br0");
	cr_expect(strstr(answer, "flow_count=20000"), "%s", answer);
}
