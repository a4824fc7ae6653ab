/* SPDX-License-Identifier: Apache-2.0 */
/* `ovs-ofctl snoop`: whoever connects to BRIDGE.snoop gets a copy of all that is said between the switch and
 * its controllers. Called by connection.c. */
#include "control/openflow/connection.h"

void snoop(struct ofp_server *server, const void *messages, size_t n)
{
	struct connection *c, *next;

	if (!server->n_snoops)
		return;
	for (c = LIST_FIRST(&server->connections); c; c = next) {
		next = LIST_NEXT(c, link);
		if (c->kind != CONNECTION_SNOOP || !c->greeted || c->closing)
			continue;
		if (connection_queued(c) >= OFP_OUTPUT_HIGH) {
			c->lost_full++;
			continue;
		}
		ofp_put_bytes(&c->out, messages, n);
		connection_flush(c);
	}
}
