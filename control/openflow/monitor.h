/* SPDX-License-Identifier: Apache-2.0 */
/* Flow monitors of a connection; see monitor.c. Control thread; a monitor lives until it is cancelled, or as
 * long as its connection. */
#ifndef CONTROL_OPENFLOW_MONITOR_H
#define CONTROL_OPENFLOW_MONITOR_H

#include "control/openflow/connection.h"

enum {
	ONF_MONITOR = 1870,
	ONF_MONITOR_PAUSED,
	ONF_MONITOR_RESUMED
}; /* 1.3; the first cancels as a message */

enum monitor_command { MONITOR_ADD, MONITOR_MODIFY, MONITOR_DELETE }; /* numbers of 1.4 */

enum { /* numbers of the wire */
       MONITOR_WANT_INITIAL = 1,
       MONITOR_WANT_ADDED = 2,
       MONITOR_WANT_REMOVED = 4,
       MONITOR_WANT_MODIFIED = 8,
       MONITOR_WITH_ACTIONS = 16,
       MONITOR_OWN_IN_FULL = 32,
       /* "Only own" in the standard; Open vSwitch and its clients mean MONITOR_OWN_IN_FULL by it. */
       MONITOR_OWN_IN_FULL_14 = 64,
       MONITOR_WANT_CHANGES = MONITOR_WANT_ADDED | MONITOR_WANT_REMOVED | MONITOR_WANT_MODIFIED,
};

struct monitor {
	LIST_ENTRY(monitor) link;
	uint32_t id;
	uint16_t flags;
	bool fresh; /* of the request that is being answered */
	struct flow_filter filter;
};

/* monitor_messages.c: the next request in `r`; other versions than 1.4 can only add. */
enum ofp_error monitor_read_request(struct ofp_reader *r, struct monitor *m, uint8_t *command);
/* A change that the client made itself, by its message's xid. */
void monitor_put_abbreviation(struct ofp_writer *w, uint32_t xid);
/* A change, or with `initial` a flow of the first answer. */
void monitor_put_update(struct ofp_writer *w, bool initial, enum ofp_flow_event event,
                        const struct flow_stats *fs, uint8_t reason, bool actions);
/* That it is paused, or that it goes on. */
void monitor_put_notice(struct connection *c, bool resumed);

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
