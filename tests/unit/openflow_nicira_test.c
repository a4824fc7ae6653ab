/* SPDX-License-Identifier: Apache-2.0 */
/* Nicira's messages about connections and about options of tunnels: the same commands of weft-ofctl and of
 * Debian's ovs-ofctl, in each version, against one switch; and the error that each mistake in bytes gets. */
#include <criterion/criterion.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/openflow/messages.h"
#include "flows/ct.h"
#include "tests/lib/fake_switch.h"
#include "tests/lib/hex.h"
#include "tests/lib/ofctl_client.h"

static char program[512];

static void set_up(void)
{
	char self[400];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	cr_assert_gt(n, 0);
	self[n] = '\0'; /* BUILD/tests/unit/openflow_nicira_test */
	snprintf(program, sizeof(program), "%s/weft-ofctl", dirname(dirname(dirname(self))));
	cr_assert_eq(access(program, X_OK), 0, "%s is not built", program);
	ofctl_set_up();
}

TestSuite(nicira, .init = set_up, .fini = ofctl_tear_down, .timeout = 120);

static char answer[1 << 16];

static int weft(const char *verb, const char *rest)
{
	char command[2048];
	size_t n;
	FILE *f;
	int rc;

	snprintf(command, sizeof(command), "%s %s unix:%s %s 2>&1", program, verb, ofctl_path(), rest);
	f = popen(command, "r");
	cr_assert(f);
	n = fread(answer, 1, sizeof(answer) - 1, f);
	answer[n] = '\0';
	rc = pclose(f);
	cr_assert(WIFEXITED(rc), "%s", command);
	return WEXITSTATUS(rc);
}

static const char *const protocols[] = {"", "-O OpenFlow13", "-O OpenFlow14"};

static void expect_flush(const char *verb, const char *rest, const struct ct_flush *wanted)
{
	struct ct_flush last;
	unsigned before = fake_switch_flushed(ofctl_switch(), &last);

	cr_expect_eq(weft(verb, rest), 0, "%s %s: %s", verb, rest, answer);
	cr_expect_eq(fake_switch_flushed(ofctl_switch(), &last), ++before);
	cr_expect_arr_eq(&last, wanted, sizeof(last), "weft-ofctl %s %s", verb, rest);
	for (unsigned i = 0; i < 3; i++) {
		ofctl_protocol(protocols[i]);
		ofctl_ok(verb, rest);
		cr_expect_eq(fake_switch_flushed(ofctl_switch(), &last), ++before);
		cr_expect_arr_eq(&last, wanted, sizeof(last), "ovs-ofctl %s %s %s", protocols[i], verb, rest);
	}
}

static struct ip_addr address(const char *text)
{
	struct ip_addr a = {{0}};

	cr_assert_eq(ip_parse(text, &a), 0);
	return a;
}

Test(nicira, connections_are_chosen)
{
	struct ct_flush f = {.by_zone = true};

	expect_flush("ct-flush-zone", "0", &f);
	f.zone = 65535;
	expect_flush("ct-flush-zone", "0xffff", &f);
	expect_flush("ct-flush", "zone=65535", &f);
	f = (struct ct_flush){.by_zone = false};
	expect_flush("ct-flush", "", &f);
	expect_flush("ct-flush", "'' ''", &f);
	f.orig.proto = f.reply.proto = IP_PROTO_UDP;
	f.reply.tp_src = htobe16(53);
	expect_flush("ct-flush", "'ct_nw_proto=17' 'ct_tp_src=53'", &f);
	f.orig.src = address("10.0.0.1");
	f.reply.dst = address("192.0.2.1");
	expect_flush("ct-flush", "'ct_nw_src=10.0.0.1,ct_nw_proto=17' 'ct_nw_dst=192.0.2.1,ct_tp_src=53'",
	             &f);
	f = (struct ct_flush){.orig = {.src = address("fe80::1"),
	                               .dst = address("fe80::2"),
	                               .proto = IP_PROTO_TCP,
	                               .tp_src = htobe16(1),
	                               .tp_dst = htobe16(2)},
	                      .reply = {.proto = IP_PROTO_TCP}};
	f.by_zone = true; /* one connection, named wholly, is in zone 0 */
	expect_flush("ct-flush",
	             "'ct_ipv6_src=fe80::1,ct_ipv6_dst=fe80::2,ct_nw_proto=6,ct_tp_src=1,ct_tp_dst=2'", &f);
	f.zone = 9;
	expect_flush("ct-flush",
	             "zone=9 'ct_nw_proto=6 ct_ipv6_src=fe80::1 ct_ipv6_dst=fe80::2 ct_tp_src=1 ct_tp_dst=2'",
	             &f);
	f = (struct ct_flush){.orig = {.src = address("10.0.0.1"),
	                               .proto = IP_PROTO_ICMP,
	                               .tp_src = htobe16(7),
	                               .tp_dst = htobe16(0x0803)},
	                      .reply = {.proto = IP_PROTO_ICMP}};
	expect_flush("ct-flush", "'ct_nw_src=10.0.0.1,ct_nw_proto=1,icmp_type=8,icmp_code=3,icmp_id=7'", &f);
}

Test(nicira, mistakes_of_commands_are_told)
{
	static const char *const mistakes[][2] = {
	        {"ct-flush-zone", "65536"},
	        {"ct-flush-zone", "foo"},
	        {"ct-flush-zone", "-1"},
	        {"ct-flush-zone", ""},
	        {"ct-flush", "zone=foo"},
	        {"ct-flush", "zone="},
	        {"ct-flush", "ct_nw_src"},
	        {"ct-flush", "ct_nw_src="},
	        {"ct-flush", "ct_nw_src=10.0.0"},
	        {"ct-flush", "ct_nw_src=fe80::1"},
	        {"ct-flush", "ct_ipv6_src=10.0.0.1"},
	        {"ct-flush", "ct_nw_src=10.0.0.1,ct_ipv6_dst=fe80::1"},
	        {"ct-flush", "'ct_nw_src=10.0.0.1' 'ct_ipv6_dst=fe80::1'"},
	        {"ct-flush", "ct_nw_src=10.0.0.1,ct_nw_src=10.0.0.2"},
	        {"ct-flush", "ct_nw_proto=256"},
	        {"ct-flush", "ct_nw_proto=tcp"},
	        {"ct-flush", "ct_tp_src=5"},
	        {"ct-flush", "ct_nw_proto=6,ct_tp_src=65536"},
	        {"ct-flush", "icmp_type=8"},
	        {"ct-flush", "ct_nw_proto=6,icmp_type=8"},
	        {"ct-flush", "icmp_type=8,ct_nw_proto=1"},
	        {"ct-flush", "ct_nw_proto=1,icmp_id=65536"},
	        {"ct-flush", "ct_nw_proto=1,icmp_type=256"},
	        {"ct-flush", "ct_mark=5"},
	        {"ct-flush", "zone=1 zone=2"},
	        {"add-tlv-map", ""},
	        {"add-tlv-map", "foo"},
	        {"add-tlv-map", "'{class=1,type=1}->tun_metadata0'"},
	        {"add-tlv-map", "'{class=1,type=1,len=4}->reg0'"},
	        {"add-tlv-map", "'{class=1,type=1,len=4}->tun_metadata0,'"},
	        {"add-tlv-map", "'{class=1,type=1,len=3}->tun_metadata0'"},
	        {"add-tlv-map", "'{class=1,type=1,len=4}->tun_metadata64'"},
	        {"del-tlv-map", "foo"},
	        {"dump-tlv-map", "foo"},
	};
	struct ct_flush last;

	ofctl_protocol("-O OpenFlow13");
	for (unsigned i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		cr_expect_eq(weft(mistakes[i][0], mistakes[i][1]), 1, "weft-ofctl %s %s: %s", mistakes[i][0],
		             mistakes[i][1], answer);
		ofctl_refused(mistakes[i][0], mistakes[i][1]);
	}
	cr_expect_eq(fake_switch_flushed(ofctl_switch(), &last), 0);
}

static const char *after_first_line(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? end + 1 : text;
}

Test(nicira, tunnels_have_no_options)
{
	static const char map[] = "'{class=0xffff,type=0x80,len=8}->tun_metadata7'";

	for (unsigned i = 0; i < 3; i++) {
		ofctl_protocol(protocols[i]);
		ofctl_refused("add-tlv-map", map);
		ofctl_prints("NXTTMFC_TABLE_FULL");
		ofctl_ok("add-tlv-map", "''");
		ofctl_ok("del-tlv-map", map);
		ofctl_ok("del-tlv-map", "");
		ofctl_ok("dump-tlv-map", "");
		ofctl_prints(" max option space=0 max fields=0\n allocated option space=0\n");
	}
	cr_expect_eq(weft("add-tlv-map", map), 1);
	cr_expect(strstr(answer, "NXTTMFC_TABLE_FULL"), "%s", answer);
	cr_expect_eq(weft("add-tlv-map", "''"), 0, "%s", answer);
	cr_expect_eq(weft("del-tlv-map", map), 0, "%s", answer);
	cr_expect_eq(weft("del-tlv-map", ""), 0, "%s", answer);
	cr_expect_eq(weft("dump-tlv-map", ""), 0, "%s", answer);
	cr_expect_str_eq(after_first_line(answer), after_first_line(ofctl_output()));
	cr_expect(strstr(answer, "NXT_TLV_TABLE_REPLY (OF1.3) (xid="), "%s", answer);
}

/* ---- bytes ---- */

static void expect_error(const char *hex, enum ofp_error wanted, enum ofp_error got)
{
	cr_expect_eq(got, wanted, "%s: expected %s, got %s", hex, ofp_error_name(wanted),
	             ofp_error_name(got));
}

#define ADDRESS "00000000000000000000ffff0a000001"
#define ADDRESS6 "fe800000000000000000000000000001"

Test(nicira_codec, mistakes_in_a_flush_get_the_right_error)
{
	static const struct {
		const char *hex;
		enum ofp_error error;
	} cases[] = {
	        {"0600000000000000", OFP_OK},
	        {"06000000000000", OFPBRC_BAD_LEN},
	        {"0600000000000000 00020008", OFPBRC_BAD_LEN},
	        {"0600000000000001", NXBRC_MUST_BE_ZERO},
	        {"0600000000000000 0002 0008 0005 0000", OFP_OK},
	        {"0600000000000000 0002 0006 0005 0000", OFP_OK},
	        {"0600000000000000 0002 0005 05 000000", OFPTFFC_BAD_LEN},
	        {"0600000000000000 0002 0003 0005 0000", OFPTFFC_BAD_LEN},
	        {"0600000000000000 0002 0009 0005 0000", OFPTFFC_BAD_LEN},
	        {"0600000000000000 0002 0010 0005 0000", OFPTFFC_BAD_LEN},
	        {"0600000000000000 1234 0008 0005 0000", OFP_OK},
	        {"0600000000000000 ffff 0008 0005 0000", OFPTFFC_BAD_LEN},
	        {"0600000000000000 ffff 000c 00000000 00000001 00000000", OFPBPC_BAD_EXPERIMENTER},
	        {"0600000000000000 ffff 000c 00002320 00000001 00000000", OFP_OK},
	        {"0600000000000000 0000 0008 00000000", OFP_OK},
	        {"0600000000000000 0000 0006 00000000", OFPTFFC_BAD_LEN},
	        {"0600000000000000 0000 0020 00000000 0000 0014 " ADDRESS " 00000000", OFP_OK},
	        {"0600000000000000 0000 0020 00000000 0000 0013 " ADDRESS " 00000000", OFPTFFC_BAD_LEN},
	        {"0600000000000000 0000 001c 00000000 0000 0014 " ADDRESS " 00000000", OFPTFFC_BAD_LEN},
	        {"0600000000000000 0000 0010 00000000 0002 0008 0050 0000", OFP_OK},
	        {"0600000000000000 0000 0010 00000000 0002 0005 00 000000", OFPTFFC_BAD_LEN},
	        {"0600000000000000 0000 0010 00000000 0005 0004 00000000", OFPTFFC_BAD_LEN},
	        {"0600000000000000 0000 0010 00000000 0007 0004 00000000", OFP_OK},
	        {"0600000000000000 0000 0038 00000000 0000 0014 " ADDRESS " 00000000 0001 0014 " ADDRESS6
	         " 00000000",
	         OFPTFFC_BAD_ARGUMENT},
	        {"0600000000000000 0000 0020 00000000 0000 0014 " ADDRESS
	         " 00000000 0001 0020 00000000 0000 0014 " ADDRESS6 " 00000000",
	         OFPTFFC_BAD_ARGUMENT},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[256];
		struct ofp_reader r = ofp_reader_of(bytes, from_hex(cases[i].hex, bytes));
		struct ct_flush f;

		expect_error(cases[i].hex, cases[i].error, nx_read_ct_flush(&r, &f));
	}
}

Test(nicira_codec, mistakes_in_a_zone_get_the_right_error)
{
	static const struct {
		const char *hex;
		enum ofp_error error;
	} cases[] = {
	        {"000000000000 0007", OFP_OK},
	        {"000000000100 0007", NXBRC_MUST_BE_ZERO},
	        {"000000000000 00", OFPBRC_BAD_LEN},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[16];
		struct ofp_reader r = ofp_reader_of(bytes, from_hex(cases[i].hex, bytes));
		struct ct_flush f;

		expect_error(cases[i].hex, cases[i].error, nx_read_ct_flush_zone(&r, &f));
	}
}

Test(nicira_codec, mistakes_in_options_get_the_right_error)
{
	static const struct {
		const char *hex;
		enum ofp_error error;
	} cases[] = {
	        {"0000 000000000000", OFP_OK},
	        {"0000 0000000000", OFPBRC_BAD_LEN},
	        {"0000 000000000000 ffff 01 04", OFPBRC_BAD_LEN},
	        {"0000 000000000000 ffff 01 04 003f 0000", OFP_OK},
	        {"0001 000000000000 ffff 01 7c 0000 0000", OFP_OK},
	        {"0002 000000000000", OFP_OK},
	        {"0003 000000000000", NXTTMFC_BAD_COMMAND},
	        {"0000 000000000000 ffff 01 06 0000 0000", NXTTMFC_BAD_OPT_LEN},
	        {"0000 000000000000 ffff 01 80 0000 0000", NXTTMFC_BAD_OPT_LEN},
	        {"0000 000000000000 ffff 01 04 0040 0000", NXTTMFC_BAD_FIELD_IDX},
	        {"0002 000000000000 ffff 01 06 0040 0000", NXTTMFC_BAD_OPT_LEN},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[64];
		struct ofp_reader r = ofp_reader_of(bytes, from_hex(cases[i].hex, bytes));
		enum nx_options_command command;

		expect_error(cases[i].hex, cases[i].error, nx_read_options_mod(&r, &command));
	}
}

/* As Open vSwitch numbers them (ovs-ofctl encode-error-reply). */
Test(nicira_codec, errors_have_numbers_in_each_version)
{
	static const struct {
		enum ofp_error error;
		uint16_t type_10, code_10, code_13, type_14, code_14;
	} rows[] = {
	        {OFPTFFC_BAD_TYPE, 13, 2, 2, 14, 0},
	        {OFPTFFC_BAD_LEN, 13, 3, 3, 14, 1},
	        {OFPTFFC_BAD_ARGUMENT, 13, 4, 4, 14, 2},
	        {OFPBPC_BAD_EXPERIMENTER, 14, 5, 4445, 14, 5},
	        {NXTTMFC_BAD_COMMAND, 1, 527, 16, OFP_ERROR_NX, 16},
	        {NXTTMFC_BAD_OPT_LEN, 1, 528, 17, OFP_ERROR_NX, 17},
	        {NXTTMFC_BAD_FIELD_IDX, 1, 529, 18, OFP_ERROR_NX, 18},
	        {NXTTMFC_TABLE_FULL, 1, 530, 19, OFP_ERROR_NX, 19},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ofp_error_numbers n = ofp_error_numbers(rows[i].error, OFP_VERSION_10);

		cr_expect_eq(n.type, rows[i].type_10, "%s", ofp_error_name(rows[i].error));
		cr_expect_eq(n.code, rows[i].code_10, "%s", ofp_error_name(rows[i].error));
		n = ofp_error_numbers(rows[i].error, OFP_VERSION_13);
		cr_expect_eq(n.code, rows[i].code_13, "%s", ofp_error_name(rows[i].error));
		n = ofp_error_numbers(rows[i].error, OFP_VERSION_14);
		cr_expect_eq(n.type, rows[i].type_14, "%s", ofp_error_name(rows[i].error));
		cr_expect_eq(n.code, rows[i].code_14, "%s", ofp_error_name(rows[i].error));
	}
}
