/* SPDX-License-Identifier: Apache-2.0 */
/* The model's ports and MAC table. */
#include <string.h>

#include "tests/differential/model.h"

void model_port_add(struct model *m, uint32_t number, bool makes_checksums)
{
	m->ports[m->nports++] = (struct model_port){.number = number, .makes_checksums = makes_checksums};
}

struct model_port *model_port(struct model *m, uint32_t number)
{
	for (unsigned i = 0; i < m->nports; i++)
		if (m->ports[i].number == number)
			return &m->ports[i];
	return NULL;
}

bool model_port_live(struct model *m, uint32_t number)
{
	const struct model_port *p = model_port(m, number);

	return p && !(p->config & 1 /* OFPPC_PORT_DOWN */);
}

static struct model_mac *find(const struct model *m, uint16_t vlan, struct mac mac)
{
	for (unsigned i = 0; i < m->nmacs; i++)
		if (m->macs[i].vlan == vlan && mac_equal(m->macs[i].mac, mac))
			return (struct model_mac *)&m->macs[i];
	return NULL;
}

uint32_t model_mac_port(const struct model *m, uint16_t vlan, struct mac mac)
{
	const struct model_mac *known = find(m, vlan, mac);

	return known ? known->port : PORT_ANY;
}

void model_learn_macs(struct model *m)
{
	for (unsigned i = 0; i < m->nnews; i++) {
		struct model_mac *known = find(m, m->news[i].vlan, m->news[i].mac);

		if (known)
			known->port = m->news[i].port;
		else
			m->macs[m->nmacs++] = m->news[i];
	}
	m->nnews = 0;
}
