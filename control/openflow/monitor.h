/* SPDX-License-Identifier: Apache-2.0 */
/* Flow monitors of a connection; see monitor.c. */
#ifndef CONTROL_OPENFLOW_MONITOR_H
#define CONTROL_OPENFLOW_MONITOR_H

#include "control/openflow/connection.h"

enum {
	ONF_MONITOR = 1870,
	ONF_MONITOR_PAUSED,
	ONF_MONITOR_RESUMED
}; /* 1.3; the first cancels as a message */

/* A FLOW_MONITOR multipart: sets up what `r` asks for; then a flow of the first answer, or of the walk after
 * a pause. */
enum ofp_error monitor_begin(struct connection *c, struct ofp_reader *r);
bool monitor_next(struct connection *c, struct ofp_writer *w);
enum ofp_error monitor_cancel(struct connection *c, uint32_t xid, struct ofp_reader *body);
void monitors_free(struct connection *c);

/* Around the walk that finds what a paused client missed. */
void monitor_refresh_begin(struct connection *c);
void monitor_refresh_end(struct connection *c);

#endif
