/* SPDX-License-Identifier: Apache-2.0 */
/* The list of port types. A VXLAN interface is not here: the datapath makes it (datapath/vxlan_port.c). */
#include <string.h>

#include "ports/ethdev.h"
#include "ports/memory.h"
#include "ports/port.h"
#include "ports/tap.h"
#include "ports/vhost/port.h"
#include "ports/xdp/xdp.h"

static const struct port_type *const types[] = {
        &port_type_vhost, &port_type_tap, &port_type_ethdev, &port_type_afxdp, &port_type_memory,
};

const struct port_type *port_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	return NULL;
}
