/* SPDX-License-Identifier: Apache-2.0 */
/* NXT_RESUME: a controller gives a paused packet back, as it got it or changed. Called by dispatch.c. */
#include <stddef.h>
#include <string.h>

#include "control/openflow/messages.h"
#include "control/openflow/nx_packet_in.h"
#include "control/openflow/oxm.h"

/* Registers, metadata, ports, tunnel and connection; no headers, which are those of the packet, but for the
 * type that a connection's addresses go by. */
static enum ofp_error read_metadata(struct ofp_reader *r, struct flow_key *key)
{
	uint64_t no_cookie, no_mask;
	const uint8_t *mask;
	struct match m;
	enum ofp_error error;

	match_init(&m);
	error = nxm_read_fields(r, &m, &no_cookie, &no_mask);
	if (error)
		return error;
	m.mask.eth_type = 0;
	mask = (const uint8_t *)&m.mask;
	for (size_t i = offsetof(struct flow_key, eth_dst); i < sizeof(m.mask); i++)
		if (mask[i])
			return OFPBMC_BAD_FIELD;
	*key = m.key;
	return OFP_OK;
}

static enum ofp_error read_property(struct ofp_resume *out, uint16_t type, struct ofp_reader *r,
                                    struct nx_bridge *bridge)
{
	switch (type) {
	case NX_PROP_PACKET:
		out->len = ofp_left(r);
		out->data = ofp_get(r, out->len);
		return OFP_OK;
	case NX_PROP_BUFFER_ID:
		return ofp_get_u32(r) == OFP_NO_BUFFER ? OFP_OK : OFPBRC_BUFFER_UNKNOWN;
	case NX_PROP_METADATA:
		return read_metadata(r, &out->key);
	case NX_PROP_CONTINUATION:
		ofp_skip(r, 4);
		return nx_read_continuation(r, &out->continuation, bridge);
	case NX_PROP_FULL_LEN: /* what the packet-in told besides */
	case NX_PROP_TABLE_ID:
	case NX_PROP_COOKIE:
	case NX_PROP_REASON:
	case NX_PROP_USERDATA:
		return OFP_OK;
	default:
		return OFPTFFC_BAD_TYPE;
	}
}

enum ofp_error nx_read_resume(struct ofp_reader *r, uint64_t datapath_id, struct ofp_resume *out)
{
	struct nx_bridge own = nx_bridge_of(datapath_id), paused_by = {{0}};
	enum ofp_error error = OFP_OK;

	*out = (struct ofp_resume){.data = NULL};
	continuation_init(&out->continuation);
	while (!error && ofp_left(r)) {
		struct ofp_reader body;
		uint16_t type;

		error = nx_get_property(r, &type, &body);
		if (!error)
			error = read_property(out, type, &body, &paused_by);
		if (!error && body.failed)
			error = OFPBRC_BAD_LEN;
	}
	if (!error && memcmp(&paused_by, &own, sizeof(own)))
		error = NXR_STALE;
	if (!error && !out->len)
		error = OFPBRC_BAD_LEN;
	if (!error && !out->continuation.port)
		out->continuation.port = out->key.in_port;
	if (!error && !ofp_may_send(out->continuation.port))
		error = OFPBRC_BAD_PORT;
	if (error)
		continuation_free(&out->continuation);
	return error;
}
