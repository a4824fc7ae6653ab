/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, groups and meters as the OpenFlow endpoint wants them; see flow_ops.h. Called through
 * control/switchd/of_switch.c. */
#include "control/switchd/flow_ops.h"

#include <stdlib.h>

#include "base/clock.h"

static enum ofp_error error_of(enum tables_error e)
{
	static const enum ofp_error map[] = {
	        [TABLES_OK] = OFP_OK,
	        [TABLES_NO_MEMORY] = OFPFMFC_TABLE_FULL,
	        [TABLES_FULL] = OFPFMFC_TABLE_FULL,
	        [TABLES_BAD_TABLE] = OFPFMFC_BAD_TABLE_ID,
	        [TABLES_BAD_GOTO] = OFPBIC_BAD_TABLE_ID,
	        [TABLES_OVERLAP] = OFPFMFC_OVERLAP,
	        [TABLES_BAD_COMMAND] = OFPFMFC_BAD_COMMAND,
	        [TABLES_BAD_OUT_GROUP] = OFPBAC_BAD_OUT_GROUP,
	        [TABLES_UNSUPPORTED] = OFPBAC_BAD_TYPE,
	        [TABLES_GROUP_EXISTS] = OFPGMFC_GROUP_EXISTS,
	        [TABLES_GROUP_UNKNOWN] = OFPGMFC_UNKNOWN_GROUP,
	        [TABLES_GROUP_LOOP] = OFPGMFC_LOOP,
	        [TABLES_GROUP_CHAINED] = OFPGMFC_CHAINED_GROUP,
	        [TABLES_GROUP_INVALID] = OFPGMFC_INVALID_GROUP,
	        [TABLES_OUT_OF_GROUPS] = OFPGMFC_OUT_OF_GROUPS,
	        [TABLES_METER_EXISTS] = OFPMMFC_METER_EXISTS,
	        [TABLES_METER_UNKNOWN] = OFPMMFC_UNKNOWN_METER,
	        [TABLES_METER_INVALID] = OFPMMFC_INVALID_METER,
	        [TABLES_METER_FLAGS] = OFPMMFC_BAD_FLAGS,
	        [TABLES_METER_RATE] = OFPMMFC_BAD_RATE,
	        [TABLES_METER_BAND] = OFPMMFC_BAD_BAND,
	        [TABLES_OUT_OF_METERS] = OFPMMFC_OUT_OF_METERS,
	        [TABLES_OUT_OF_BANDS] = OFPMMFC_OUT_OF_BANDS,
	};

	return e < sizeof(map) / sizeof(map[0]) ? map[e] : OFPFMFC_UNKNOWN;
}

enum ofp_error flow_ops_apply(struct tables *t, const struct ofp_change *changes, unsigned n,
                              unsigned *failed)
{
	struct tables_change *list = calloc(n, sizeof(*list));
	enum tables_error rc;

	if (!list)
		return OFPFMFC_TABLE_FULL;
	for (unsigned i = 0; i < n; i++) {
		if (changes[i].kind == OFP_CHANGE_FLOW)
			list[i].flow = changes[i].flow;
		else if (changes[i].kind == OFP_CHANGE_GROUP)
			list[i].group = changes[i].group;
		else
			list[i].meter = changes[i].meter;
	}
	rc = tables_apply(t, list, n, clock_now(), failed);
	free(list);
	return error_of(rc);
}
