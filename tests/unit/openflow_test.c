/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow codec and server, byte by byte: the error each mistake gets, what goes out and comes back,
 * pieces of messages, and who is told what without having asked. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/error.h"
#include "control/openflow/actions.h"
#include "control/openflow/messages.h"
#include "control/openflow/oxm.h"
#include "control/openflow/server.h"
#include "flows/text.h"
#include "tests/lib/fake_switch.h"
#include "tests/lib/hex.h"

/* ---- codec ---- */

static enum ofp_error read_match_hex(const char *hex, struct match *m)
{
	uint8_t bytes[512] = {0, 1};
	size_t n = 4 + from_hex(hex, bytes + 4);
	struct ofp_reader r;

	bytes[2] = (uint8_t)(n >> 8);
	bytes[3] = (uint8_t)n;
	r = ofp_reader_of(bytes, (n + 7) / 8 * 8);
	return oxm_read_match(&r, m);
}

Test(openflow_match, mistakes_get_the_right_error)
{
	static const struct {
		const char *hex;
		enum ofp_error error;
	} cases[] = {
	        {"", OFP_OK},
	        {"80000004 00000001", OFP_OK},
	        {"80000004 00000001 80000204 00000001", OFP_OK},
	        {"80000204 00000001", OFPBMC_BAD_PREREQ}, /* IN_PHY_PORT */
	        {"80000004 00000001 80000308 00000001 0000ffff", OFPBMC_BAD_MASK},
	        {"80000a02 0800 80001604 0a000001", OFP_OK},
	        {"80000a02 0800 80001708 0a000000 ff000000", OFP_OK},
	        {"80001604 0a000001", OFPBMC_BAD_PREREQ},
	        {"80001604 0a000001 80000a02 0800", OFPBMC_BAD_PREREQ},
	        {"80000a02 86dd 80001604 0a000001", OFPBMC_BAD_PREREQ},
	        {"80000004 00000001 80000004 00000002", OFPBMC_DUP_FIELD},
	        {"80000108 00000001 ffffffff", OFP_OK},
	        {"80000108 00000000 0000ffff", OFPBMC_BAD_MASK},
	        {"80000a02 0800 80001708 0a000001 ff000000", OFPBMC_BAD_WILDCARDS},
	        {"80000002 0001", OFPBMC_BAD_LEN},
	        {"80000004 0000", OFPBMC_BAD_LEN},
	        {"8000fe04 00000001", OFPBMC_BAD_FIELD},
	        {"12340004 00000001", OFPBMC_BAD_FIELD},
	        {"80000a02 0800 80001001 40", OFPBMC_BAD_VALUE}, /* DSCP has 6 bits */
	        {"80000c02 2001", OFPBMC_BAD_VALUE},             /* VLAN_VID has 13 */
	        {"80000c02 1005 80000e01 07", OFP_OK},
	        {"80000e01 07", OFPBMC_BAD_PREREQ},
	        {"00010004 00000005", OFP_OK}, /* NXM reg0 */
	        {"80000a02 0800 80001401 06 ffff5406 4f4e4600 0002", OFP_OK},
	        {"0001d204 000000ff", OFP_OK}, /* ct_state */
	        {"0001d204 00000100", OFPBMC_BAD_VALUE},
	        {"0001f004 0a000001", OFPBMC_BAD_PREREQ}, /* ct_nw_src */
	        {"0001d308 00000020 00000020 0001f004 0a000001", OFPBMC_BAD_PREREQ},
	        {"0001d308 00000002 00000002 0001f004 0a000001", OFP_OK},
	        {"0001d308 00000020 00000030 0001f108 0a000000 ff000000 0001ee01 06", OFP_OK},
	        {"0001d308 00000040 00000040 0001ef02 06 07", OFPBMC_BAD_MASK},
	        {"80000a02 0800 80001401 06 ffff5406 12345678 0002", OFPBMC_BAD_FIELD},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct match m;
		enum ofp_error error = read_match_hex(cases[i].hex, &m);

		cr_expect_eq(error, cases[i].error, "%s: expected %s, got %s", cases[i].hex,
		             ofp_error_name(cases[i].error), ofp_error_name(error));
	}
}

/* FLOW_MOD bodies: the fixed part, an empty match, then `hex`. */
static enum ofp_error read_flow_hex(const char *hex, struct flow_mod *fm)
{
	uint8_t bytes[1024];
	size_t n =
	        from_hex("0000000000000000 0000000000000000 00 00 0000 0000 8000 ffffffff ffffffff ffffffff"
	                 "0000 0000 0001000a 80000a02 0800 000000000000",
	                 bytes);
	struct ofp_reader r;

	n += from_hex(hex, bytes + n);
	r = ofp_reader_of(bytes, n);
	return ofp_read_flow_mod(&r, fm);
}

Test(openflow_flow_mod, mistakes_get_the_right_error)
{
	static const struct {
		const char *hex;
		enum ofp_error error;
	} cases[] = {
	        {"0004 0018 00000000 0000 0010 00000002 ffff 000000000000", OFP_OK},
	        {"0004 0018 00000000 0000 0010 ffffffff ffff 000000000000", OFPBAC_BAD_OUT_PORT},
	        {"0004 0010 00000000 0000 0008 00000002", OFPBAC_BAD_LEN},
	        {"0004 0010 00000000 0016 0008 ffffffff", OFPBAC_BAD_OUT_GROUP},
	        {"0004 0018 00000000 0000 0018 00000002 ffff 000000000000", OFPBAC_BAD_LEN},
	        {"0004 0010 00000000 0100 0008 00000000", OFPBAC_BAD_TYPE},
	        {"0004 0018 00000000 ffff 0010 00001234 0001 000000000000", OFPBAC_BAD_EXPERIMENTER},
	        {"0004 0018 00000000 ffff 0010 00002320 7777 000000000000", OFPBAC_BAD_EXP_TYPE},
	        /* multipath */
	        {"0004 0028 00000000 ffff 0020 00002320 000a 0001 0032 0000 0000 0001 00000000 0000 001f "
	         "00010004",
	         OFP_OK},
	        {"0004 0028 00000000 ffff 0020 00002320 000a 0007 0032 0000 0000 0001 00000000 0000 001f "
	         "00010004",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0028 00000000 ffff 0020 00002320 000a 0001 0032 0000 0004 0001 00000000 0000 001f "
	         "00010004",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0028 00000000 ffff 0020 00002320 000a 0001 0032 0000 0000 0100 00000000 0000 0007 "
	         "00010004",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0028 00000000 ffff 0020 00002320 000a 0001 0032 0000 0000 0001 00000000 0000 005f "
	         "00010004",
	         OFPBAC_BAD_SET_LEN},
	        {"0004 0028 00000000 ffff 0020 00002320 000a 0001 0032 0000 0000 0001 00000000 0000 001f "
	         "00014a04",
	         OFPBAC_BAD_SET_TYPE},
	        {"0004 0020 00000000 ffff 0018 00002320 000a 0001 0032 0000 0000 0001 00000000",
	         OFPBAC_BAD_LEN},
	        /* bundle */
	        {"0004 0030 00000000 ffff 0028 00002320 000c 0001 0001 0032 00000002 0002 0000 00000000 "
	         "00000000 "
	         "0001 0002 00000000",
	         OFP_OK},
	        {"0004 0030 00000000 ffff 0028 00002320 000c 0001 0001 0032 00000002 0002 0000 00000000 "
	         "00000001 "
	         "0001 0002 00000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 000c 0001 0001 0032 00000002 0002 001f 00010004 "
	         "00000000 "
	         "0001 0002 00000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 000c 0002 0001 0032 00000002 0002 0000 00000000 "
	         "00000000 "
	         "0001 0002 00000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 000c 0001 0001 0032 00000004 0002 0000 00000000 "
	         "00000000 "
	         "0001 0002 00000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 000c 0001 0001 0032 00000002 0005 0000 00000000 "
	         "00000000 "
	         "0001 0002 00000000",
	         OFPBAC_BAD_LEN},
	        {"0004 0030 00000000 ffff 0028 00002320 000c 0001 0001 0032 00000002 0002 0000 00000000 "
	         "00000000 "
	         "0001 fffd 00000000",
	         OFPBAC_BAD_OUT_PORT},
	        {"0004 0030 00000000 ffff 0028 00002320 000d 0001 0001 0032 00000002 0002 001f 00010004 "
	         "00000000 "
	         "0001 0002 00000000",
	         OFP_OK},
	        {"0004 0030 00000000 ffff 0028 00002320 000d 0001 0001 0032 00000002 0002 0007 00010004 "
	         "00000000 "
	         "0001 0002 00000000",
	         OFPBAC_BAD_ARGUMENT},
	        /* check_pkt_larger */
	        {"0004 0020 00000000 ffff 0018 00002320 0031 05dc 001f 00010004 000000000000", OFP_OK},
	        {"0004 0020 00000000 ffff 0018 00002320 0031 05dc 0020 00010004 000000000000",
	         OFPBAC_BAD_SET_LEN},
	        {"0004 0020 00000000 ffff 0018 00002320 0031 05dc 001f 00010004 000000000001",
	         NXBRC_MUST_BE_ZERO},
	        {"0004 0020 00000000 ffff 0018 00002320 0031 05dc 0003 00014a04 000000000000",
	         OFPBAC_BAD_SET_TYPE},
	        {"0004 0018 00000000 ffff 0010 00002320 0031 05dc 001f 0001", OFPBAC_BAD_LEN},
	        /* ct */
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0001 00000000 0000 ff 000000 0000", OFP_OK},
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0003 00000000 ffff 05 000000 0000", OFP_OK},
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0002 00000000 0000 ff 000000 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0004 00000000 0000 ff 000000 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0001 00000000 0000 ff 000000 0050",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0001 00000000 0000 ff 000000 0015",
	         OFPBAC_MATCH_INCONSISTENT},
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0001 00010004 000f ff 000000 0000", OFP_OK},
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0001 00010004 0007 ff 000000 0000",
	         OFPBAC_BAD_SET_LEN},
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0001 00010004 044f ff 000000 0000",
	         OFPBAC_BAD_SET_LEN},
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0001 0001fe04 000f ff 000000 0000",
	         OFPBAC_BAD_SET_TYPE},
	        {"0004 0020 00000000 ffff 0018 00002320 0023 0001 00001202 000f ff 000000 0000",
	         OFPBAC_MATCH_INCONSISTENT},
	        {"0004 0018 00000000 ffff 0010 00002320 0023 0001 00000000", OFPBAC_BAD_LEN},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 0000 0010 "
	         "00000001 ffff 000000000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 0019 0010 "
	         "0001d604 00000001 00000000",
	         OFP_OK},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0000 00000000 0000 ff 000000 0000 0019 0010 "
	         "0001d604 00000001 00000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 0019 0010 "
	         "00010004 00000001 00000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0010 "
	         "00002320 002b 000000000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0023 0001 00000000 0000 ff 000000 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 0019 0020 "
	         "0001d604 00000001 00000000",
	         OFPBAC_BAD_LEN},
	        {"0004 0018 00000000 0019 0010 0001d604 00000001 00000000", OFPBAC_BAD_SET_ARGUMENT},
	        {"0004 0018 00000000 ffff 0010 00002320 002b 000000000000", OFP_OK},
	        {"0004 0028 00000000 ffff 0020 00002320 0023 0001 ffff5604 4f4e4600 000f ff 000000 0000 0000 "
	         "0000",
	         OFPBAC_BAD_SET_TYPE},
	        /* nat */
	        {"0004 0018 00000000 ffff 0010 00002320 0024 0000 0000 0000", OFPBAC_BAD_SET_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0000 00000000 0000 ff 000000 0000 ffff 0010 "
	         "00002320 0024 0000 0000 0000",
	         OFP_OK},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0000 00000000 0000 ff 000000 0000 ffff 0010 "
	         "00002320 0024 0000 0001 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0010 "
	         "00002320 0024 0000 0001 0000",
	         OFP_OK},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0010 "
	         "00002320 0024 0000 0003 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0010 "
	         "00002320 0024 0000 0019 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0010 "
	         "00002320 0024 0000 0020 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0010 "
	         "00002320 0024 0000 0004 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0024 0000 0001 0001 0a000001 00000000",
	         OFP_OK},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0024 0000 0001 0001 00000000 00000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0030 00000000 ffff 0028 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0010 "
	         "00002320 0024 0000 0001 0001",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0024 0000 0001 0002 0a000001 00000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0024 0000 0001 0003 0a000001 0a000009",
	         OFP_OK},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0024 0000 0001 0003 0a000009 0a000001",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0048 00000000 ffff 0040 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0028 "
	         "00002320 0024 0000 0001 0005 0a000001 fe800000000000000000000000000001 00000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0040 00000000 ffff 0038 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0020 "
	         "00002320 0024 0000 0002 0004 fe800000000000000000000000000001",
	         OFPBAC_MATCH_INCONSISTENT},
	        {"0004 0040 00000000 ffff 0038 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0020 "
	         "00002320 0024 0000 0002 0004 00000000000000000000ffff0a000001",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0040 00000000 ffff 0038 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0020 "
	         "00002320 0024 0000 0002 0008 fe800000000000000000000000000001",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0024 0000 0001 0031 0a000001 0050 005a",
	         OFP_OK},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0024 0000 0001 0031 0a000001 005a 0050",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0024 0000 0001 0011 0a000001 0000 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0024 0000 0001 0021 0a000001 0050 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0038 00000000 ffff 0030 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0018 "
	         "00002320 0024 0000 0001 0010 0050 000000000000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0040 00000000 ffff 0038 00002320 0023 0001 00000000 0000 ff 000000 0000 ffff 0010 "
	         "00002320 0024 0000 0000 0000 ffff 0010 00002320 0024 0000 0000 0000",
	         OFPBAC_BAD_ARGUMENT},
	        {"0004 0010 00000000 0011 0008 0800 0000", OFPBAC_BAD_ARGUMENT},
	        {"0004 0018 00000000 0019 0010 80004e02 0040 000000000000", OFPBAC_BAD_SET_TYPE},
	        {"0004 0018 00000000 0019 0010 80000004 00000001 00000000", OFPBAC_BAD_SET_TYPE},
	        {"0004 0018 00000000 0019 0010 80000a02 8848 000000000000", OFP_OK},
	        {"0004 0018 00000000 0019 0010 80001401 11 00000000000000", OFP_OK},
	        {"0004 0018 00000000 0019 0010 80001c02 0050 000000000000", OFPBAC_MATCH_INCONSISTENT},
	        {"0004 0018 00000000 0019 0010 8000fe04 00000000 00000000", OFPBAC_BAD_SET_TYPE},
	        {"0001 0008 05 000000", OFP_OK},
	        {"0001 0008 00 000000", OFPBIC_BAD_TABLE_ID},
	        {"0001 0008 05 000000 0001 0008 05 000000", OFPBIC_UNSUP_INST},
	        {"0001 0010 05 000000 0000000000000000", OFPBIC_BAD_LEN},
	        {"0009 0008 00000000", OFPBIC_UNKNOWN_INST},
	        {"ffff 0008 00000000", OFPBIC_BAD_EXPERIMENTER},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow_mod fm;
		enum ofp_error error = read_flow_hex(cases[i].hex, &fm);

		cr_expect_eq(error, cases[i].error, "%s: expected %s, got %s", cases[i].hex,
		             ofp_error_name(cases[i].error), ofp_error_name(error));
		if (!error)
			flow_mod_free(&fm);
	}
}

Test(openflow_flow_mod, text_survives_the_wire)
{
	static const char *const flows[] = {
	        "priority=5,ip,nw_src=10.0.0.0/8 actions=output:2",
	        "in_port=1,dl_vlan=5,dl_vlan_pcp=3 actions=strip_vlan,NORMAL",
	        "priority=1,vlan_tci=0x1000/0x1000 actions=drop",
	        "tcp6,tp_dst=0x50/0xfff0,ipv6_label=0x5 actions=dec_ttl,group:7",
	        "arp,arp_op=2,arp_spa=10.0.0.1 "
	        "actions=move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],load:2->NXM_OF_ARP_OP[],IN_PORT",
	        "tun_id=0x5/0xff,reg15=3,pkt_mark=9 actions=load:0x7->NXM_NX_REG2[3..9],resubmit(2,7)",
	        "metadata=0x5,conj_id=4 "
	        "actions=write_actions(output:1,pop_vlan),write_metadata:0x7/0xf,goto_table:9",
	        "ip,nw_frag=later,nw_tos=32,nw_ecn=1,nw_ttl=5 "
	        "actions=mod_nw_tos:4,set_queue:3,output:1,pop_queue",
	        "icmp6,icmp_type=136,nd_target=fe80::1,nd_tll=02:00:00:00:00:01 actions=CONTROLLER:65535",
	        "priority=7,tcp actions=fin_timeout(idle_timeout=5,hard_timeout=9)",
	        "actions=multipath(symmetric_l3l4+udp,50,iter_hash,65536,7,NXM_NX_XXREG0[33..96])",
	        "actions=check_pkt_larger(1500)->NXM_NX_REG3[17],check_pkt_larger(65535)->OXM_OF_METADATA["
	        "63]",
	        "actions=bundle(nw_src,50,hrw,ofport,members:1,2,LOCAL,IN_PORT,NONE,3)",
	        "actions=bundle_load(eth_src,65535,active_backup,ofport,NXM_NX_XXREG0[33..96],members:1)",
	        "tcp actions=ct(commit,force,table=7,zone=65535,nat(src=10.0.0.1-10.0.0.9:1-65535,persistent,"
	        "hash),exec(set_field:0x5->ct_mark,load:0x1->NXM_NX_CT_LABEL[127]),alg=ftp)",
	        "ipv6 actions=ct(commit,zone=NXM_NX_REG3[16..31],nat(dst=[fe80::1]-[fe80::2]:80,random))",
	        "ip actions=ct(table=1,zone=OXM_OF_METADATA[48..63]),ct(table=1,zone=OXM_OF_PKT_REG1[0..15])",
	        "ct_state=+est+trk,ip,ct_nw_src=10.0.0.0/8,ct_nw_proto=6,ct_tp_dst=0x50/0xfff0 "
	        "actions=ct(table=254,nat),ct_clear,clone(ct(commit,exec(move:NXM_NX_REG0[]->NXM_NX_CT_MARK[]"
	        ")"
	        "))",
	        "ct_state=+est+trk,ip actions=resubmit(,2,ct),resubmit(3,,ct),resubmit(LOCAL,4,ct)",
	        "actions=bundle(symmetric_l3,0,hrw,ofport,members:),clone(bundle_load(nw_dst,1,hrw,ofport,"
	        "NXM_NX_"
	        "REG0[],members:7,8,9))",
	};

	for (unsigned i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
		struct flow_mod fm, again;
		struct ofp_writer w = {0};
		struct ofp_reader r;
		enum ofp_error error;
		struct error e;

		cr_assert_eq(flow_mod_parse(flows[i], FLOW_ADD, NULL, &fm, NULL, &e), 0, "%s: %s", flows[i],
		             e.text);
		ofp_put_flow_mod(&w, 1, &fm);
		cr_assert(!w.failed);
		cr_expect_eq(ofp_read_header(w.data).length, w.len);
		r = ofp_reader_of(w.data + OFP_HEADER_LEN, w.len - OFP_HEADER_LEN);
		error = ofp_read_flow_mod(&r, &again);
		cr_assert_eq(error, OFP_OK, "%s: %s", flows[i], ofp_error_name(error));
		cr_expect(match_equal(&fm.match, &again.match), "%s", flows[i]);
		cr_expect(action_list_equal(&fm.actions, &again.actions), "%s", flows[i]);
		cr_expect_eq(fm.priority, again.priority);
		ofp_writer_free(&w);
		flow_mod_free(&fm);
		flow_mod_free(&again);
	}
}

Test(openflow_errors, every_error_has_a_name_and_its_numbers)
{
	cr_expect_str_eq(ofp_error_name(OFPBMC_BAD_PREREQ), "OFPBMC_BAD_PREREQ");
	cr_expect_eq(ofp_error_type(OFPBMC_BAD_PREREQ), 4);
	cr_expect_eq(ofp_error_code(OFPBMC_BAD_PREREQ), 9);
	cr_expect_eq(ofp_error_type(OFPHFC_INCOMPATIBLE), 0);
	cr_expect_eq(ofp_error_code(OFPHFC_INCOMPATIBLE), 0);
	cr_expect_null(ofp_error_name((enum ofp_error)0x12345678));
}

/* ---- server ---- */

static char dir[64], path[96];
static struct fake_switch *sw;

static void set_up(void)
{
	strcpy(dir, "/tmp/weft-openflow-XXXXXX");
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/br0.mgmt", dir);
	sw = fake_switch_start(path);
}

static void tear_down(void)
{
	fake_switch_stop(sw);
	rmdir(dir);
}

static int dial(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(sa.sun_path, path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void say(int fd, const char *hex)
{
	uint8_t bytes[1024];
	size_t n = from_hex(hex, bytes);

	cr_assert_eq(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* The next whole message, within 5 s; 0 when the server hangs up. */
static size_t hear(int fd, uint8_t *message)
{
	size_t n = 0, wanted = OFP_HEADER_LEN;

	while (n < wanted) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got;

		cr_assert_eq(poll(&p, 1, 5000), 1, "the server is silent");
		got = recv(fd, message + n, wanted - n, 0);
		if (got <= 0)
			return 0;
		n += (size_t)got;
		if (n >= OFP_HEADER_LEN)
			wanted = ofp_read_header(message).length;
	}
	return n;
}

static int dial_and_greet(void)
{
	uint8_t message[OFP_MESSAGE_MAX];
	int fd = dial();

	say(fd, "04000008 00000001");
	cr_assert(hear(fd, message));
	cr_expect_eq(message[1], OFPT_HELLO);
	return fd;
}

TestSuite(openflow_server, .init = set_up, .fini = tear_down, .timeout = 60);

Test(openflow_server, takes_messages_in_pieces)
{
	static const uint8_t echo[] = {4, OFPT_ECHO_REQUEST, 0, 12, 0, 0, 0, 9, 'w', 'e', 'f', 't'};
	uint8_t message[OFP_MESSAGE_MAX];
	int fd = dial_and_greet(), other = dial_and_greet();

	for (unsigned i = 0; i < sizeof(echo); i++) {
		cr_assert_eq(send(fd, &echo[i], 1, 0), 1);
		/* half a message of one client delays nobody else */
		say(other, "04020008 00000001");
		cr_assert_eq(hear(other, message), 8);
	}
	cr_assert_eq(hear(fd, message), sizeof(echo));
	cr_expect_eq(message[1], OFPT_ECHO_REPLY);
	cr_expect_arr_eq(message + 2, echo + 2, sizeof(echo) - 2);
	close(fd);
	close(other);
}

Test(openflow_server, refuses_other_versions_and_nonsense)
{
	uint8_t message[OFP_MESSAGE_MAX];
	int fd = dial();

	say(fd, "03000008 00000001"); /* 1.2, and no bitmap */
	cr_assert(hear(fd, message));
	cr_assert(hear(fd, message));
	cr_expect_eq(message[1], OFPT_ERROR);
	cr_expect_eq(message[8] | message[9] | message[10] | message[11], 0, "HELLO_FAILED, INCOMPATIBLE");
	cr_expect_eq(hear(fd, message), 0);
	close(fd);
	fd = dial_and_greet();
	say(fd, "04020004 00000001"); /* a length below the header's own */
	cr_assert(hear(fd, message));
	cr_expect_eq(message[1], OFPT_ERROR);
	cr_expect_eq(hear(fd, message), 0);
	close(fd);
}

Test(openflow_server, complains_and_goes_on)
{
	static const struct {
		const char *hex;
		uint8_t type, code;
	} cases[] = {
	        {"04630008 00000001", 1, 1},                            /* no such type */
	        {"05020008 00000001", 1, 0},                            /* version */
	        {"0405000c 00000001 00000000", 1, 6},                   /* a body on FEATURES_REQUEST */
	        {"0412000c 00000001 00000000", 1, 6},                   /* half a multipart header */
	        {"04120010 00000001 00630000 00000000", 1, 2},          /* no such multipart */
	        {"04120014 00000001 00000000 00000000 00000000", 1, 6}, /* DESC has no body */
	        {"04040010 00000001 00001234 00000001", 1, 3},          /* experimenter */
	        {"0409000c 00000001 0004 0080", 10, 0},                 /* no such mode of fragments */
	        {"04090010 00000001 0000 0080 00000000", 1, 6},         /* longer than it is */
	        {"0412001c 00000001 00060000 00000000 fffffffc 00000000 00000000", 1, 6},
	        {"04120014 00000001 00060000 00000000 fffffffc", 1, 6}, /* without its padding */
	        {"040e0038 00000001 00000000 00000000 00000000 00000000 ff00 0000 0000 0001 ffffffff "
	         "ffffffff ffffffff "
	         "0000 0000 0001 0004 00000000",
	         5, 2},                                                           /* an add to all tables */
	        {"04180018 00000001 00000009 00000000 0000000000000000", 11, 2},  /* role */
	        {"041d0010 00000001 0000 0001 00000001", 12, 10},                 /* no meters */
	        {"04120018 00000001 00050000 00000000 00000063 ffffffff", 9, 0},  /* queues of no port */
	        {"04120018 00000001 00050000 00000000 00000001 00000005", 9, 1},  /* no such queue */
	        {"040d0018 00000001 00000005 00000001 0000 000000000000", 1, 8},  /* buffer */
	        {"040d0018 00000001 ffffffff fffffff8 0000 000000000000", 1, 11}, /* from IN_PORT */
	        {"040d0018 00000001 ffffffff 00000001 0040 000000000000", 1, 6},
	};
	uint8_t message[OFP_MESSAGE_MAX];
	int fd = dial_and_greet();

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		say(fd, cases[i].hex);
		cr_assert(hear(fd, message));
		cr_expect_eq(message[1], OFPT_ERROR, "%s", cases[i].hex);
		cr_expect(message[9] == cases[i].type && message[11] == cases[i].code, "%s: type %u code %u",
		          cases[i].hex, message[9], message[11]);
	}
	close(fd);
}

Test(openflow_server, takes_a_request_in_pieces)
{
	uint8_t message[OFP_MESSAGE_MAX], piece[60000] = {4, 18, 0xea, 0x60, 0, 0, 0, 7, 0, 12, 0, 1};
	int fd = dial_and_greet();

	/* aggregate of port 1's flows, byte after byte as it were */
	say(fd, "04120020 00000005 00020001 00000000 ff000000 ffffffff ffffffff 00000000");
	say(fd, "04120010 00000006 00000000 00000000"); /* one in between */
	say(fd, "04120028 00000005 00020000 00000000 0000000000000000 0000000000000000 0001 0004 00000000");
	cr_assert(hear(fd, message));
	cr_expect(message[7] == 6 && message[9] == OFPMP_DESC);
	cr_assert_eq(hear(fd, message), 40);
	cr_expect(message[1] == OFPT_MULTIPART_REPLY && message[7] == 5 && message[9] == OFPMP_AGGREGATE);
	/* more than any request needs: an error for the piece that is too much */
	for (unsigned i = 0; i < 9; i++)
		cr_assert_eq(send(fd, piece, sizeof(piece), 0), sizeof(piece));
	cr_assert(hear(fd, message));
	cr_expect(message[1] == OFPT_ERROR && message[9] == 1 && message[11] == 13);
	say(fd,
	    "04120010 00000008 00000001 00000000 04120010 00000009 00000001 00000000"); /* two at a time */
	cr_assert(hear(fd, message));
	cr_expect(message[1] == OFPT_ERROR && message[7] == 9 && message[11] == 13);
	close(fd);
}

Test(openflow_server, tells_only_who_asked)
{
	uint8_t message[OFP_MESSAGE_MAX];
	int quiet = dial_and_greet(), keen = dial_and_greet();
	size_t n;

	say(keen, "0409000c 00000005 0000 0080 04140008 00000006");
	cr_assert(hear(keen, message));
	cr_expect_eq(message[1], OFPT_BARRIER_REPLY);
	fake_switch_packet_in(sw);
	n = hear(keen, message);
	cr_expect_eq(message[1], OFPT_PACKET_IN);
	cr_expect_eq(memcmp(message + n - 100, "\2\0\0\0\0\1", 6), 0);
	say(quiet, "04140008 00000007");
	cr_assert(hear(quiet, message));
	cr_expect_eq(message[1], OFPT_BARRIER_REPLY, "nothing came before it");
	close(quiet);
	close(keen);
}

Test(openflow_server, a_client_that_does_not_read_is_held_back)
{
	uint8_t message[OFP_MESSAGE_MAX], request[] = {4, 18, 0, 16, 0, 0, 0, 1, 0, 12, 0, 0, 0, 0, 0, 0};
	int fd = dial_and_greet(), other = dial_and_greet();
	unsigned sent = 0, ends = 0;

	/* TABLE_FEATURES is 400 KB. The server stops reading, so sending must block after a while. */
	while (sent < 1000000 && send(fd, request, sizeof(request), MSG_DONTWAIT) == sizeof(request))
		sent++;
	cr_expect_lt(sent, 1000000);
	say(other, "04020008 00000001");
	cr_assert_eq(hear(other, message), 8, "others are served meanwhile");
	for (unsigned i = 0; i < 50 && ends < 3; i++) {
		cr_assert(hear(fd, message));
		cr_expect_eq(message[1], OFPT_MULTIPART_REPLY);
		ends += !(message[11] & OFPMPF_MORE);
	}
	cr_expect_eq(ends, 3);
	close(fd);
	close(other);
}

Test(openflow_server, a_dead_socket_is_replaced_and_a_live_one_is_not)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct ofp_server *server;
	struct fake_switch *state;
	struct error e = {""};
	char stale[128];
	uv_loop_t loop;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(stale, sizeof(stale), "%s/stale", dir);
	strcpy(sa.sun_path, stale);
	cr_assert_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd);
	cr_assert_eq(uv_loop_init(&loop), 0);
	state = fake_switch_new(&loop);
	server = ofp_server_create(&loop, &fake_switch_ops, state);
	cr_expect_eq(ofp_server_listen_unix(server, stale, &e), 0, "%s", e.text);
	cr_expect_eq(ofp_server_listen_unix(server, path, &e), -EADDRINUSE);
	cr_expect_eq(ofp_server_listen(server, "ptcp:0:127.0.0.1", &e), 0, "%s", e.text);
	cr_expect_eq(ofp_server_listen(server, "ptcp:1:nowhere", &e), -EINVAL);
	ofp_server_close(server, NULL, NULL);
	fake_switch_free(state);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect_eq(uv_loop_close(&loop), 0);
	cr_expect_eq(access(stale, F_OK), -1);
}

/* ---- flow monitors ---- */

enum { MONITORED = 12000 };

/* A 1.3 FLOW_MOD of a flow without a match; its priority is its name. */
static void put_flow(struct ofp_writer *w, enum flow_command command, uint16_t priority, uint32_t port)
{
	struct action *a;
	struct flow_mod fm;

	flow_mod_init(&fm);
	fm.command = command;
	fm.table_id = 1;
	fm.priority = priority;
	a = action_list_append(&fm.actions, ACTION_OUTPUT);
	cr_assert(a);
	a->output.port = port;
	ofp_put_flow_mod(w, 1, &fm);
	flow_mod_free(&fm);
}

/* Sends all of it, and returns when the switch has done it. */
static void send_all(int fd, struct ofp_writer *w)
{
	uint8_t message[OFP_MESSAGE_MAX];

	ofp_put_message(w, OFPT_BARRIER_REQUEST, 9, NULL, 0);
	cr_assert(!w->failed);
	cr_assert_eq(send(fd, w->data, w->len, MSG_NOSIGNAL), (ssize_t)w->len);
	ofp_writer_free(w);
	cr_assert(hear(fd, message));
	cr_assert_eq(message[1], OFPT_BARRIER_REPLY);
}

struct view { /* what a client of a monitor knows: the flows by priority, the port they send to */
	uint16_t flows[MONITORED + 1];
	bool paused, resumed;
};

static void take_update(struct view *v, struct ofp_reader *r)
{
	uint16_t len = ofp_get_u16(r), event = ofp_get_u16(r), priority;
	struct ofp_reader body = ofp_get_part(r, len - 4u);
	struct action_list actions;
	struct match match;

	cr_assert(!body.failed);
	ofp_skip(&body, 2);
	priority = ofp_get_u16(&body);
	ofp_skip(&body, 16);
	cr_assert_eq(oxm_read_match(&body, &match), OFP_OK);
	cr_assert_leq(priority, MONITORED);
	action_list_init(&actions);
	cr_assert_eq(ofp_read_instructions(&body, &actions), OFP_OK);
	if (v->paused && !v->resumed && event == OFP_FLOW_REMOVED)
		cr_expect_neq(v->flows[priority], 0, "deleted and never told of: %u", priority);
	v->flows[priority] = event == OFP_FLOW_REMOVED ? 0 : (uint16_t)actions.items[0].output.port;
	action_list_free(&actions);
}

static void take_message(struct view *v, const uint8_t *message, size_t n)
{
	struct ofp_reader r = ofp_reader_of(message + OFP_HEADER_LEN, n - OFP_HEADER_LEN);

	if (message[1] == OFPT_EXPERIMENTER) {
		ofp_skip(&r, 4);
		if (ofp_get_u32(&r) == 1871)
			v->paused = true;
		else
			v->resumed = true;
		return;
	}
	cr_assert_eq(message[1], OFPT_MULTIPART_REPLY);
	ofp_skip(&r, 16);
	while (ofp_left(&r))
		take_update(v, &r);
}

Test(openflow_server, a_slow_monitor_is_paused_and_then_told_what_it_missed)
{
	uint8_t message[OFP_MESSAGE_MAX];
	int slow = dial_and_greet(), busy = dial_and_greet();
	static struct view view;
	struct ofp_writer w = {0};
	size_t n;

	/* ONF 1870: everything but the flows of now, with actions, own changes too */
	say(slow, "04120030 00000005 ffff0000 00000000 4f4e4600 0000074e"
	          "00000001 003e 0000 ffffffff ff000000 0001000400000000");
	n = hear(slow, message);
	cr_assert_eq(message[1], OFPT_MULTIPART_REPLY);
	cr_assert_eq(n, 24, "no flow yet");
	for (unsigned i = 1; i <= MONITORED; i++) {
		if (i != 666) /* which the fake switch refuses */
			put_flow(&w, FLOW_ADD, (uint16_t)i, 1);
		if (i % 100 == 0)
			send_all(busy, &w);
	}
	for (unsigned i = 1; i <= 20; i++) { /* what it was told of, and what it was not */
		put_flow(&w, FLOW_MODIFY_STRICT, (uint16_t)i, 2);
		put_flow(&w, FLOW_DELETE_STRICT, (uint16_t)(i + 100), 0);
		put_flow(&w, FLOW_MODIFY_STRICT, (uint16_t)(MONITORED - i), 2);
		put_flow(&w, FLOW_DELETE_STRICT, (uint16_t)(MONITORED - i - 100), 0);
	}
	send_all(busy, &w);
	while (!view.resumed) {
		n = hear(slow, message);
		cr_assert(n, "the server hung up");
		take_message(&view, message, n);
	}
	cr_expect(view.paused);
	for (unsigned i = 1; i <= MONITORED; i++) {
		bool gone =
		        i == 666 || (i > 100 && i <= 120) || (i >= MONITORED - 120 && i < MONITORED - 100);
		bool changed = i <= 20 || (i >= MONITORED - 20 && i < MONITORED);

		cr_assert_eq(view.flows[i], gone ? 0 : changed ? 2 : 1, "flow %u: %u", i, view.flows[i]);
	}
	put_flow(&w, FLOW_ADD, 7, 9);
	send_all(busy, &w);
	take_message(&view, message, hear(slow, message));
	cr_expect_eq(view.flows[7], 9, "told at once again");
	say(slow,
	    "04040014 00000006 4f4e4600 0000074e 00000001 04040014 00000006 4f4e4600 0000074e 00000001");
	cr_assert(hear(slow, message));
	cr_expect_eq(message[1], OFPT_ERROR, "cancelled, then there is none");
	close(slow);
	close(busy);
}
