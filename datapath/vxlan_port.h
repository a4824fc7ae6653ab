/* SPDX-License-Identifier: Apache-2.0 */
/* An interface of type "vxlan": a port whose packets leave and enter through an uplink. Made by datapath.c;
 * the worker's side is in output.h and pipeline.c. */
#ifndef DATAPATH_VXLAN_PORT_H
#define DATAPATH_VXLAN_PORT_H

#include "overlay/vxlan/vxlan.h"
#include "ports/port.h"

extern const struct port_ops vxlan_port_ops;

static inline bool vxlan_port_is(const struct port *p)
{
	return p->ops == &vxlan_port_ops;
}

/* `options`: those of vxlan_config_parse(). 0 or -errno, reason in `e`. */
int vxlan_port_create(const struct port_env *env, struct underlay *underlay, const char *name,
                      uint32_t ofport, const json_t *options, struct port **out, struct error *e);

struct vxlan_vtep *vxlan_port_vtep(const struct port *p);

#endif
