/* SPDX-License-Identifier: Apache-2.0 */
/* Names of OpenFlow errors, for log lines and for the text a client shows; their numbers in each version. */
#include "control/openflow/errors.h"

#include <stddef.h>

#include "control/openflow/buffer.h"
#include "flows/field.h"

enum {
	FLOW_MOD_FAILED_10 = 3,
	PORT_MOD_FAILED_10,
	QUEUE_OP_FAILED_10,
	BUNDLE_FAILED_14 = 17,
	MONITOR_FAILED_14 = 16,
	BAD_PROPERTY_14 = 14
};

/* What 1.0 says otherwise than 1.3. Bad requests and bad actions up to code 8 are the same. */
static const struct error_10 {
	enum ofp_error error;
	bool nicira;
	uint16_t type, code;
} errors_10[] = {
        {OFPBRC_BAD_TABLE_ID, true, 1, 512},
        {OFPBRC_IS_SLAVE, false, 1, 5},
        {OFPBRC_BAD_PORT, true, 1, 514},
        {OFPBAC_BAD_OUT_GROUP, true, 2, 9},
        {OFPBAC_MATCH_INCONSISTENT, true, 1, 522},
        {OFPBAC_BAD_SET_TYPE, true, 1, 523},
        {OFPBAC_BAD_SET_LEN, true, 1, 524},
        {OFPBAC_BAD_SET_ARGUMENT, true, 1, 525},
        {OFPBIC_UNSUP_INST, true, 2, 257},
        {OFPBIC_BAD_TABLE_ID, true, 1, 512},
        {OFPBMC_BAD_LEN, true, 1, 256},
        {OFPBMC_BAD_WILDCARDS, true, 1, 262},
        {OFPBMC_BAD_FIELD, true, 0, 263},
        {OFPBMC_BAD_VALUE, true, 1, 258},
        {OFPBMC_BAD_MASK, true, 1, 259},
        {OFPBMC_BAD_PREREQ, true, 1, 260},
        {OFPBMC_DUP_FIELD, true, 1, 261},
        {OFPFMFC_TABLE_FULL, false, FLOW_MOD_FAILED_10, 0},
        {OFPFMFC_BAD_TABLE_ID, true, 5, 257},
        {OFPFMFC_OVERLAP, false, FLOW_MOD_FAILED_10, 1},
        {OFPFMFC_EPERM, false, FLOW_MOD_FAILED_10, 2},
        {OFPFMFC_BAD_COMMAND, false, FLOW_MOD_FAILED_10, 4},
        {OFPFMFC_BAD_FLAGS, true, 3, 258},
        {OFPPMFC_BAD_PORT, false, PORT_MOD_FAILED_10, 0},
        {OFPPMFC_BAD_HW_ADDR, false, PORT_MOD_FAILED_10, 1},
        {OFPQOFC_BAD_PORT, false, QUEUE_OP_FAILED_10, 0},
        {OFPQOFC_BAD_QUEUE, false, QUEUE_OP_FAILED_10, 1},
        {OFPQOFC_EPERM, false, QUEUE_OP_FAILED_10, 2},
        {OFPRRFC_BAD_ROLE, true, 1, 513},
        {NXBRC_MUST_BE_ZERO, true, 1, 515},
        {NXMOFC_MONITOR_EXISTS, true, 1, 517},
        {NXMOFC_BAD_FLAGS, true, 1, 518},
        {NXMOFC_UNKNOWN_MONITOR, true, 1, 519},
        {NXFMFC_BAD_TABLE_ID, true, 5, 257},
        {NXTTMFC_BAD_COMMAND, true, 1, 527},
        {NXTTMFC_BAD_OPT_LEN, true, 1, 528},
        {NXTTMFC_BAD_FIELD_IDX, true, 1, 529},
        {NXTTMFC_TABLE_FULL, true, 1, 530},
        {NXR_STALE, true, 1, 534},
        {OFPTFFC_BAD_TYPE, true, 13, 2},
        {OFPTFFC_BAD_LEN, true, 13, 3},
        {OFPTFFC_BAD_ARGUMENT, true, 13, 4},
        {OFPBPC_BAD_EXPERIMENTER, true, 14, 5},
};

static struct ofp_error_numbers numbers_10(enum ofp_error e)
{
	uint16_t type = ofp_error_type(e), code = ofp_error_code(e);

	for (unsigned i = 0; i < sizeof(errors_10) / sizeof(errors_10[0]); i++) {
		const struct error_10 *row = &errors_10[i];

		if (row->error == e)
			return (struct ofp_error_numbers){row->nicira ? NX_EXPERIMENTER : 0, row->type,
			                                  row->code};
	}
	if (type == 0 || (type <= 2 && code <= 8))
		return (struct ofp_error_numbers){0, type, code};
	if (type == 6) /* groups */
		return (struct ofp_error_numbers){NX_EXPERIMENTER, type, code};
	return (struct ofp_error_numbers){NX_EXPERIMENTER, 1, 521}; /* cannot be said in 1.0 */
}

static struct ofp_error_numbers numbers_14(enum ofp_error e)
{
	switch (e) {
	case NXMOFC_MONITOR_EXISTS:
		return (struct ofp_error_numbers){0, MONITOR_FAILED_14, 1};
	case NXMOFC_UNKNOWN_MONITOR:
		return (struct ofp_error_numbers){0, MONITOR_FAILED_14, 3};
	case NXMOFC_BAD_FLAGS:
		return (struct ofp_error_numbers){0, MONITOR_FAILED_14, 5};
	case OFPTFFC_BAD_TYPE: /* of any property */
		return (struct ofp_error_numbers){0, BAD_PROPERTY_14, 0};
	case OFPTFFC_BAD_LEN:
		return (struct ofp_error_numbers){0, BAD_PROPERTY_14, 1};
	case OFPTFFC_BAD_ARGUMENT:
		return (struct ofp_error_numbers){0, BAD_PROPERTY_14, 2};
	case OFPBPC_BAD_EXPERIMENTER:
		return (struct ofp_error_numbers){0, BAD_PROPERTY_14, 5};
	default:
		break;
	}
	if (ofp_error_type(e) == OFP_ERROR_ONF)
		return (struct ofp_error_numbers){0, BUNDLE_FAILED_14, ofp_error_code(e) - 2300};
	return ofp_error_numbers(e, OFP_VERSION_13);
}

struct ofp_error_numbers ofp_error_numbers(enum ofp_error e, uint8_t version)
{
	uint16_t type = ofp_error_type(e), code = ofp_error_code(e);

	if (version == OFP_VERSION_10)
		return numbers_10(e);
	if (version == OFP_VERSION_14)
		return numbers_14(e);
	if (type == OFP_ERROR_ONF)
		return (struct ofp_error_numbers){ONF_EXPERIMENTER, type, code};
	if (type == OFP_ERROR_NX)
		return (struct ofp_error_numbers){NX_EXPERIMENTER, type, code};
	return (struct ofp_error_numbers){0, type, code};
}

const char *ofp_error_name(enum ofp_error e)
{
	switch (e) {
	case OFP_OK:
		return "OK";
#define X(name, type, code)                                                                                  \
	case name:                                                                                           \
		return #name;
		OFP_ERRORS(X)
#undef X
	}
	return NULL;
}
