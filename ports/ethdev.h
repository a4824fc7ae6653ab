/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any DPDK ethdev as a port: `type=ethdev devargs=DEVARGS [exception=TAP] [mtu=N]`.
 *
 * Design: without `exception` the device is an ordinary switch port, with it an uplink (ports/exception.h).
 * Received mbufs are the payload until release(); tx copies into mbufs, cut and checksummed in software.
 *
 * Thread-safety and life cycle: ports/port.h.
 */
#ifndef PORTS_ETHDEV_H
#define PORTS_ETHDEV_H

#include "ports/port.h"

extern const struct port_type port_type_ethdev;

#endif
