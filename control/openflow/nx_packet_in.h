/* SPDX-License-Identifier: Apache-2.0 */
/* The properties that NXT_PACKET_IN2 and NXT_RESUME consist of: type, length without the padding, value,
 * padding to 8 bytes. Plain functions; any thread. */
#ifndef CONTROL_OPENFLOW_NX_PACKET_IN_H
#define CONTROL_OPENFLOW_NX_PACKET_IN_H

#include "control/openflow/ofp_switch.h"

enum {
	NX_PROP_PACKET,
	NX_PROP_FULL_LEN,
	NX_PROP_BUFFER_ID,
	NX_PROP_TABLE_ID,
	NX_PROP_COOKIE,
	NX_PROP_REASON,
	NX_PROP_METADATA,
	NX_PROP_USERDATA,
	NX_PROP_CONTINUATION, /* properties again, see nx_continuation.c */
};

/* Returns what the end needs. */
size_t nx_begin_property(struct ofp_writer *w, uint16_t type);
void nx_end_property(struct ofp_writer *w, size_t start);
/* The next property; `body` fails by itself where more is read than there is. OFPBRC_BAD_LEN. */
enum ofp_error nx_get_property(struct ofp_reader *r, uint16_t *type, struct ofp_reader *body);

struct nx_bridge { /* which switch paused the packet */
	uint8_t uuid[16];
};

/* nx_continuation.c. Reading: `out` is initialised before, and on an error to be freed all the same; `bridge`
 * stays untouched when none is told. */
struct nx_bridge nx_bridge_of(uint64_t datapath_id);
void nx_put_continuation(struct ofp_writer *w, const struct continuation *c, const struct nx_bridge *bridge);
enum ofp_error nx_read_continuation(struct ofp_reader *r, struct continuation *out, struct nx_bridge *bridge);

/* nx_resume.c: the body of NXT_RESUME, for the switch with this datapath id (NXR_STALE: for another). `out`
 * borrows the frame from `r` and owns the continuation, unless there was an error. */
enum ofp_error nx_read_resume(struct ofp_reader *r, uint64_t datapath_id, struct ofp_resume *out);

#endif
