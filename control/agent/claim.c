/* SPDX-License-Identifier: Apache-2.0 */
/* Taking over a guest that has moved here; see claim.h. Called by agent.c. */
#include "control/agent/claim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* 0: there is no such key. A range gives all keys with that start. */
static int64_t revision(const struct store_snapshot *snap, const char *key)
{
	for (size_t i = 0; i < snap->n; i++)
		if (!strcmp(snap->kvs[i].key, key))
			return snap->kvs[i].mod_rev;
	return 0;
}

void claim_port(struct store *store, const char *host, struct scene_port *p)
{
	char id[ID_MAX], bind[STORE_KEY_MAX], loc[STORE_KEY_MAX], value[OBJECT_NAME_MAX + 3];
	const char *const keys[] = {bind, loc};
	struct store_snapshot snap;
	struct error e;
	uint64_t now = clock_now();
	int rc;

	if (!p || p->active || !store_ready(store) ||
	    (p->claimed && now - p->claimed < CLAIM_RETRY_MS * CLOCK_MS))
		return;
	p->claimed = now;
	id_format(&p->port->object, id);
	snprintf(bind, sizeof(bind), KEYS_ROOT "h/%s/bind/%s", host, id);
	snprintf(loc, sizeof(loc), KEYS_ROOT "loc/%u/%s", p->network->vni, id);
	snprintf(value, sizeof(value), "\"%s\"", host);
	rc = store_range(store, keys, 2, &snap, &e);
	if (!rc) {
		struct store_compare compares[] = {{bind, revision(&snap, bind)},
		                                   {loc, revision(&snap, loc)}};
		struct store_op op = {loc, value};
		struct store_txn txn = {compares, 2, &op, 1};

		rc = compares[0].mod_rev ? store_txn(store, &txn, NULL, &e) : -EAGAIN;
		store_snapshot_free(&snap);
	}
	if (!rc)
		log_info("port %s: its guest is here now", id);
	else if (rc != -EAGAIN) /* somebody was faster: the watch tells who */
		log_warn("port %s: cannot be claimed: %s", id, e.text);
}
