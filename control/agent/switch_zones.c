/* SPDX-License-Identifier: Apache-2.0 */
/* Clearing zones of the connection tracker; see switch_zones.h. Called by agent.c. */
#include "control/agent/switch_zones.h"

#include <errno.h>

#include "base/error.h"
#include "control/agent/switch_interfaces.h"
#include "control/openflow/client.h"
#include "control/openflow/messages.h"

static bool is_there(const struct scene_port *p, const json_t *there)
{
	return !there || switch_interfaces_has(there, p->interface);
}

bool switch_zone_is_foreign(const struct scene_port *p, bool is_there)
{
	return !is_there || (p->port->n_groups && p->zone == ZONE_STALE);
}

static int forget(struct ofp_client *client, uint16_t zone, struct error *e)
{
	struct ofp_writer w = {0};
	int rc;

	nx_put_ct_flush_zone(&w, 0, zone);
	rc = w.failed ? error_set(e, ENOMEM, "out of memory") : ofp_client_send(client, w.data, w.len, e);
	ofp_writer_free(&w);
	return rc;
}

static int forget_all(struct ofp_client *client, const struct scene *s, const json_t *there, struct error *e)
{
	int rc = ofp_client_barrier(client, e); /* packets that met older flows are gone */

	for (unsigned i = 0; i < s->n_local && !rc; i++)
		if (switch_zone_is_foreign(s->local[i], is_there(s->local[i], there)))
			rc = forget(client, (uint16_t)s->local[i]->ofport, e);
	return rc ? rc : ofp_client_barrier(client, e);
}

int switch_zones_clear(const char *bridge_socket, int timeout_ms, struct scene *s, const json_t *there,
                       struct error *e)
{
	struct ofp_client *client;
	bool any = false;
	int rc = 0;

	for (unsigned i = 0; i < s->n_local; i++)
		any |= switch_zone_is_foreign(s->local[i], is_there(s->local[i], there));
	if (any) {
		client = ofp_client_connect(bridge_socket, timeout_ms, e);
		rc = client ? forget_all(client, s, there, e) : -ECOMM;
		ofp_client_close(client);
	}
	for (unsigned i = 0; i < s->n_local && !rc; i++)
		if (s->local[i]->port->n_groups)
			s->local[i]->zone = ZONE_OWN;
	return rc;
}
