/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of an interface to cores; see affinity.h. Called by interfaces.c. */
#include "control/switchd/affinity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int worker_on(const struct switchd *s, unsigned long core)
{
	for (unsigned w = 0; w < s->options->nworkers; w++)
		if (s->options->workers[w] == core)
			return (int)w;
	return -1;
}

/* One QUEUE:CORE; returns what is behind it, NULL for none. */
static const char *read_one(const char *at, unsigned long *queue, unsigned long *core)
{
	char *end;

	if (*at < '0' || *at > '9')
		return NULL;
	*queue = strtoul(at, &end, 10);
	if (*end != ':' || end[1] < '0' || end[1] > '9')
		return NULL;
	*core = strtoul(end + 1, &end, 10);
	return end;
}

int affinity_read(const struct switchd *s, const struct port *port, const char *text, struct affinity *out,
                  struct error *e)
{
	for (unsigned i = 0; i < PORT_RXQ_MAX; i++)
		out->worker[i] = -1;
	if (!text || !strcmp(text, "any"))
		return 0;
	for (const char *at = text;; at++) {
		unsigned long queue, core;

		at = read_one(at, &queue, &core);
		if (!at || (*at && *at != ','))
			return error_set(e, EINVAL, "affinity: expected QUEUE:CORE,... or any, not '%s'",
			                 text);
		if (queue >= port->nrxq)
			return error_set(e, EINVAL, "affinity: there is no queue %lu, the last one is %d",
			                 queue, port->nrxq - 1);
		out->worker[queue] = worker_on(s, core);
		if (out->worker[queue] < 0)
			return error_set(e, EINVAL, "affinity: no worker runs on core %lu", core);
		if (!*at)
			return 0;
	}
}

int affinity_apply(struct switchd *s, struct port *port, const struct affinity *a, struct error *e)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < port->nrxq; i++)
		rc = datapath_rxq_pin(s->datapath, port, i, a->worker[i], e);
	return rc;
}
