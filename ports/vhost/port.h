/* SPDX-License-Identifier: Apache-2.0 */
/* The port type "vhost-user". Options: socket=PATH [role=client|server] [queues=N] [mtu=N]. */
#ifndef PORTS_VHOST_PORT_H
#define PORTS_VHOST_PORT_H

#include "ports/port.h"

extern const struct port_type port_type_vhost;

#endif
