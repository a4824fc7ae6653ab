/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of tables and groups as the OpenFlow endpoint asks for them, over flows/dp/tables. Control thread.
 */
#ifndef CONTROL_SWITCHD_FLOW_OPS_H
#define CONTROL_SWITCHD_FLOW_OPS_H

#include "control/openflow/ofp_switch.h"
#include "flows/dp/tables.h"

/* All `n` as one version or none; OFP_OK, or the error of change number *failed. */
enum ofp_error flow_ops_apply(struct tables *t, const struct ofp_change *changes, unsigned n,
                              unsigned *failed);

#endif
