/* SPDX-License-Identifier: Apache-2.0 */
/* Which flows a packet would meet, and what would become of it; see tables.h. Called by the control thread.
 */
#include <errno.h>
#include <stdlib.h>

#include "flows/dp/state.h"
#include "flows/dp/translate.h"

int tables_trace(struct tables *t, const struct flow_key *key, uint8_t table_id, uint64_t now,
                 struct program *out, int (*each)(const struct flow_stats *flow, void *arg), void *arg)
{
	struct translation *tr = malloc(sizeof(*tr));
	int rc = tr ? 0 : -ENOMEM;

	if (!tr)
		return rc;
	translate_resumed(t, tables_version(t), key, table_id, NULL, tr);
	translation_pack(tr, out);
	for (unsigned i = 0; i < tr->nrefs && !rc; i++) {
		const struct slot_owner *o = slots_owner(&t->slots, tr->refs[i]);
		struct flow_stats flow;

		if (!o->rule) /* a group, a bucket, a miss */
			continue;
		rule_stats(t, o->rule, now, &flow);
		rc = each(&flow, arg);
	}
	free(tr);
	return rc;
}
