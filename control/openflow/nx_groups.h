/* SPDX-License-Identifier: Apache-2.0 */
/* Groups in OpenFlow 1.0: Nicira's messages, which have the layout of 1.5: buckets with ids and properties,
 * and commands that change a few buckets of a group. */
#ifndef CONTROL_OPENFLOW_NX_GROUPS_H
#define CONTROL_OPENFLOW_NX_GROUPS_H

#include "control/openflow/messages.h"

enum { GROUP_INSERT_BUCKET = 3, GROUP_REMOVE_BUCKET = 5 }; /* beside enum group_command */

struct nx_group_mod {
	struct group_mod group; /* command: GROUP_MODIFY for the two above */
	uint16_t command;       /* of the wire */
	uint32_t bucket_id;     /* which bucket they are about */
};

/* The result is freed by group_mod_free(&mod->group). */
enum ofp_error nx_read_group_mod(struct ofp_reader *r, struct nx_group_mod *mod);
/* Makes `mod` of INSERT_BUCKET or REMOVE_BUCKET a MODIFY of the group as it is (`now`). */
enum ofp_error nx_group_mod_resolve(struct nx_group_mod *mod, const struct group_mod *now);
/* An entry of NXST_GROUP_DESC. */
void nx_put_group_desc(struct ofp_writer *w, const struct group_mod *gm);

#endif
