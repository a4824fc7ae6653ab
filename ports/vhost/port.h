/* SPDX-License-Identifier: Apache-2.0 */
/* The port type "vhost-user". Options: socket=PATH [role=client|server] [queues=N] [mtu=N]
 * [exception=TAP], which makes it an uplink whose fabric is the front end: a host around us, a NIC in
 * software. */
#ifndef PORTS_VHOST_PORT_H
#define PORTS_VHOST_PORT_H

#include "ports/port.h"

extern const struct port_type port_type_vhost;

#endif
