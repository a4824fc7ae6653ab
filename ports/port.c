/* SPDX-License-Identifier: Apache-2.0 */
/* What all port types share: memory of a port and its counters. Called by their create and destroy. */
#include <stdlib.h>
#include <string.h>

#include "ports/port.h"

static void *alloc_lines(size_t size)
{
	size_t whole = (size + 63) & ~(size_t)63;
	void *p = aligned_alloc(64, whole);

	if (p)
		memset(p, 0, whole);
	return p;
}

struct port *port_alloc(const struct port_env *env, const struct port_type *type, const struct port_ops *ops,
                        const char *name, uint32_t ofport, size_t size)
{
	struct port *p;

	if (strlen(name) >= sizeof(p->name))
		return NULL;
	p = alloc_lines(size);
	if (!p)
		return NULL;
	strcpy(p->name, name);
	p->type = type;
	p->ops = ops;
	p->ofport = ofport;
	for (unsigned i = 0; i < PORT_RXQ_MAX; i++) {
		p->rxq[i].port = p;
		p->rxq[i].ops = ops;
		p->rxq[i].id = (uint16_t)i;
	}
	for (unsigned i = 0; i < env->nworkers; i++) {
		p->counters[i] = alloc_lines(sizeof(*p->counters[i]));
		if (!p->counters[i]) {
			port_free(p);
			return NULL;
		}
	}
	return p;
}

void port_free(struct port *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		free(p->counters[i]);
	json_decref(p->options);
	free(p);
}
