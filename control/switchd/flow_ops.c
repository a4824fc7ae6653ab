/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and groups as the OpenFlow endpoint wants them; see flow_ops.h. Called through
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
		if (changes[i].kind == OFP_CHANGE_METER) {
			*failed = i;
			free(list);
			return OFPMMFC_OUT_OF_METERS;
		}
		if (changes[i].kind == OFP_CHANGE_FLOW)
			list[i].flow = changes[i].flow;
		else
			list[i].group = changes[i].group;
	}
	rc = tables_apply(t, list, n, clock_now(), failed);
	free(list);
	return error_of(rc);
}
