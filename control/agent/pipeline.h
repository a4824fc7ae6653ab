/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flows of a host: a pure function of its scene. One file for each group of tables.
 *
 *      0,1   classify: local port, or tunnel of a known host -> network (reg0)   pipeline.c
 *     10     port security: MAC, IP, ARP, ND; no servers from guests        pipeline_security.c
 *     20-22  going out: connection tracking, what may, committed            pipeline_tracking.c
 *     23,24  security groups: connections out of a port, into it            pipeline_groups.c
 *     30,31  ARP and ND answered; DHCP and RA punted to the agent           pipeline_answer.c
 *     40     by MAC: local -> 80, remote -> 70, router -> 50, multicast -> 60   pipeline_switching.c
 *     50,51,54  router addresses and TTL; longest prefix; next hop          pipeline_routing.c
 *     60     flood: local ports, then hosts that have the network           pipeline_switching.c
 *     70     encapsulate                                                    pipeline_switching.c
 *     80-82  coming in: connection tracking, what may, committed            pipeline_tracking.c
 *     90     output                                                         pipeline.c
 *
 * Table 40 below priority 50 is kept for a gateway ("default-remote") that takes what a very large tenant has
 * elsewhere. reg0: the network's VNI. reg2: 1 when the packet came through the tunnel. reg3: the port to
 * leave by. reg4: the port whose groups are asked, which is the zone. reg5: the router. reg6: 1 when they
 * allow it. A guest that moves here is heard (table 0 tells the agent, who claims the port) before anything
 * is sent to it. What no flow matches is dropped. Every packet from an interface of the agent's is caught in
 * table 0, so a NORMAL of lower priority never sees it.
 */
#ifndef CONTROL_AGENT_PIPELINE_H
#define CONTROL_AGENT_PIPELINE_H

#include "control/agent/flow_writer.h"
#include "control/agent/scene.h"

enum { PRIORITY_CLASSIFY = 60000 }; /* above what users are likely to put into table 0 */

/* Parts of a network's flows: what changes with the hosts that live, and the rest. */
enum pipeline_part { PIPELINE_FLOOD, PIPELINE_REST, PIPELINE_PARTS };

/* The flows of the whole host, or in parts: of each network, and (`net`: NULL) of none. No two parts have a
 * flow in the same place. Fills `out` (settled). 0, or -EINVAL when `out` lacks something (logged). */
int pipeline_flows(const struct scene *s, struct flow_set *out);
int pipeline_part(const struct scene *s, const struct scene_network *net, enum pipeline_part part,
                  struct flow_set *out);

/* A number for all that pipeline_part() looks at: while it is the same, the flows are. */
uint64_t pipeline_inputs(const struct scene *s, const struct scene_network *net, enum pipeline_part part);

/* The address that a guest with this MAC makes itself (RFC 4291, appendix A). */
struct ip_addr link_local(struct mac mac);

/* ---- the groups of tables ---- */

void pipeline_security(const struct scene_port *p, struct flow_writer *w);
void pipeline_security_common(const struct scene *s, struct flow_writer *w);
void pipeline_groups(const struct scene *s, const struct scene_port *p, struct flow_writer *w);
void pipeline_tracking(const struct scene_port *p, struct flow_writer *w);
void pipeline_tracking_common(struct flow_writer *w);
void pipeline_answer(const struct scene_network *net, struct flow_writer *w);
void pipeline_answer_port(const struct scene_port *p, struct flow_writer *w);
void pipeline_switching(const struct scene *s, const struct scene_network *net, struct flow_writer *w);
void pipeline_flood(const struct scene *s, const struct scene_network *net, struct flow_writer *w);
void pipeline_routing(const struct scene *s, const struct scene_network *net, struct flow_writer *w);

enum { ZONE_UNKNOWN = 0xffff }; /* nothing is committed in it, and no port has this number */

/* Is the port subject to security groups, and its packets tracked? */
bool pipeline_is_tracked(const struct scene_port *p);
/* Is there a way to the port: into it, or to its host? And the actions that send there. */
bool pipeline_reaches(const struct scene *s, const struct scene_port *p);
void pipeline_do_send(struct flow_writer *w, const struct scene_port *p);

#endif
