/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the OpenFlow endpoint's ofp_switch_ops that is about tables and groups: over flows/dp/tables.
 * Control thread. */
#ifndef CONTROL_SWITCHD_FLOW_OPS_H
#define CONTROL_SWITCHD_FLOW_OPS_H

#include "control/openflow/ofp_switch.h"
#include "flows/dp/tables.h"

enum { SWITCH_GROUPS_MAX = 65536 };

enum ofp_error flow_ops_apply(struct tables *t, const struct ofp_change *changes, unsigned n,
                              unsigned *failed);

struct ofp_dump *flow_ops_dump_open(struct tables *t, const struct ofp_flow_filter *filter);
int flow_ops_dump_next(struct ofp_dump *dump, struct flow_stats *out);
void flow_ops_aggregate(struct tables *t, const struct ofp_flow_filter *filter, struct ofp_aggregate *out);

struct ofp_dump *flow_ops_group_open(struct tables *t, uint32_t group_id);
int flow_ops_group_next(struct ofp_dump *dump, const struct group_mod **desc, struct ofp_group_stats *stats);
void flow_ops_group_features(struct ofp_group_features *out);

/* Closes a cursor of either kind. */
void flow_ops_dump_close(struct ofp_dump *dump);

#endif
