/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of bundles (ONF extension 230 to OpenFlow 1.3). Used by weft-agent. */
#include <errno.h>

#include "base/error.h"
#include "control/openflow/client.h"
#include "control/openflow/messages.h"

enum { BUNDLE_CONTROL = 2300, BUNDLE_ADD = 2301 };
enum { CONTROL_OPEN = 0, CONTROL_COMMIT = 4 };
enum { BUNDLE_ID = 1, BUNDLE_ATOMIC = 1, BUNDLE_ORDERED = 2 };

static size_t begin(struct ofp_writer *w, uint32_t subtype)
{
	size_t start = ofp_begin(w, OFPT_EXPERIMENTER, 0);

	ofp_put_u32(w, ONF_EXPERIMENTER);
	ofp_put_u32(w, subtype);
	ofp_put_u32(w, BUNDLE_ID);
	return start;
}

static int control(struct ofp_client *c, uint16_t type, struct error *e)
{
	struct ofp_writer w = {0};
	size_t start = begin(&w, BUNDLE_CONTROL), len;
	const uint8_t *reply;
	int rc;

	ofp_put_u16(&w, type);
	ofp_put_u16(&w, BUNDLE_ATOMIC | BUNDLE_ORDERED);
	ofp_end(&w, start);
	rc = w.failed ? error_set(e, ENOMEM, "out of memory")
	              : ofp_client_transact(c, w.data, w.len, &reply, &len, e);
	ofp_writer_free(&w);
	return rc;
}

int ofp_client_bundle_open(struct ofp_client *c, struct error *e)
{
	return control(c, CONTROL_OPEN, e);
}

int ofp_client_bundle_add(struct ofp_client *c, const struct flow_mod *fm, struct error *e)
{
	struct ofp_writer w = {0};
	size_t start = begin(&w, BUNDLE_ADD);
	int rc;

	ofp_put_u16(&w, 0);
	ofp_put_u16(&w, BUNDLE_ATOMIC | BUNDLE_ORDERED);
	ofp_put_flow_mod(&w, ofp_client_next_xid(c), fm);
	ofp_end(&w, start);
	rc = w.failed ? error_set(e, E2BIG, "a flow does not fit an OpenFlow message")
	              : ofp_client_send(c, w.data, w.len, e);
	ofp_writer_free(&w);
	return rc;
}

int ofp_client_bundle_commit(struct ofp_client *c, struct error *e)
{
	int rc = ofp_client_barrier(c, e);

	return rc ? rc : control(c, CONTROL_COMMIT, e);
}
