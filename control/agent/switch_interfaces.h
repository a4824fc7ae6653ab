/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interfaces that the agent keeps on its switch: one vhost-user interface for each port that is here, one
 * VXLAN interface when the host has a tunnel address. Blocking calls to weftd.sock.
 *
 * Order matters: a number is chosen first, then the flows are there, then the interface comes; an interface
 * goes before its flows. Interfaces that the agent did not make are left alone; its own are known by their
 * names.
 */
#ifndef CONTROL_AGENT_SWITCH_INTERFACES_H
#define CONTROL_AGENT_SWITCH_INTERFACES_H

#include <jansson.h>

#include "control/agent/scene.h"

enum { OFPORT_FIRST = 1024 }; /* the agent's numbers; lower ones are the users' */

/* The switch's interfaces, rows as if.list gives them: the caller's. 0 or -errno. */
int switch_interfaces_list(const char *socket, int timeout_ms, json_t **rows, struct error *e);
/* Reads the switch's interfaces, numbers the scene's ports (what is there keeps its number, then what had one
 * before) and removes those
 * that no port of the scene has. `*there` is for switch_interfaces_add. 0 or -errno. */
int switch_interfaces_prepare(const char *socket, int timeout_ms, struct scene *s, json_t **there,
                              struct error *e);
/* Is an interface of this name in `there`? */
bool switch_interfaces_has(const json_t *there, const char *name);
/* Adds what lacks. 0, 1: the switch refused some (logged) and the others came, or -errno. */
int switch_interfaces_add(const char *socket, int timeout_ms, const struct scene *s, json_t *there,
                          struct error *e);

#endif
