/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flows that a host should have, kept in parts: one for each network, one for the rest. A change of the
 * scene makes anew only the parts whose inputs have changed (pipeline_inputs), and tells what differs.
 *
 * Thread-safety: none. Life cycle: zeroed is empty -> host_flows_update ... -> host_flows_free.
 */
#ifndef CONTROL_AGENT_HOST_FLOWS_H
#define CONTROL_AGENT_HOST_FLOWS_H

#include "control/agent/pipeline.h"

struct host_flows {
	struct flow_part *parts; /* ascending by VNI; the rest is VNI 0 */
	unsigned n;
};

/* Follows `s` and tells `differ` of each difference, in one order for all parts: a place that goes from one
 * part to another is one change. -EINVAL: a flow could not be made; all stays. Else what `differ` returned.
 */
int host_flows_update(struct host_flows *h, const struct scene *s,
                      int (*differ)(struct flow *had, struct flow *wanted, void *arg), void *arg);
/* All of them in one settled set. 0 or -ENOMEM. */
int host_flows_all(const struct host_flows *h, struct flow_set *out);
void host_flows_free(struct host_flows *h);

#endif
