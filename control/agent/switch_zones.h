/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zones of the connection tracker: each local port has one, of the same number. What the switch knows in it
 * is forgotten before somebody else has the number, and when the guest was elsewhere meanwhile.
 */
#ifndef CONTROL_AGENT_SWITCH_ZONES_H
#define CONTROL_AGENT_SWITCH_ZONES_H

#include <jansson.h>

#include "control/agent/scene.h"

struct error;

/* Has the zone to be cleared before more of the port is tracked? `is_there`: the switch has its interface. */
bool switch_zone_is_foreign(const struct scene_port *p, bool is_there);

/* Clears the zones that have to be, and notes that. To be called when the flows are there, so that nothing
 * comes into a zone by older ones any more, and before new interfaces are. `there`: the switch's interfaces;
 * NULL: all that the scene wants. Blocking, bounded by `timeout_ms` a wait. 0 or -errno. */
int switch_zones_clear(const char *bridge_socket, int timeout_ms, struct scene *s, const json_t *there,
                       struct error *e);

#endif
