/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flows of a host: a pure function of its scene. One file for each group of tables.
 *
 *      0,1   classify: local port, or tunnel of a known host -> network (reg0)   pipeline.c
 *     10     port security: MAC, IP, ARP, ND; no servers from guests        pipeline_security.c
 *     20,21  room for connection tracking; security groups, going out       pipeline_groups.c
 *     30,31  ARP and ND answered; DHCP and RA punted to the agent           pipeline_answer.c
 *     40     by MAC: local -> 80, remote -> 70, router -> 50, multicast -> 60   pipeline_switching.c
 *     50,51,54  router addresses and TTL; longest prefix; next hop          pipeline_routing.c
 *     60     flood: local ports, then hosts that have the network           pipeline_switching.c
 *     70     encapsulate                                                    pipeline_switching.c
 *     80,81  room for connection tracking; security groups, coming in       pipeline_groups.c
 *     90     output                                                         pipeline.c
 *
 * Table 40 below priority 50 is kept for a gateway ("default-remote") that takes what a very large tenant has
 * elsewhere. reg0: the network's VNI. reg2: 1 when the packet came through the tunnel. reg3: the port to
 * leave by. reg5: the router. A guest that moves here is heard (table 0 tells the agent, who claims the port)
 * before anything is sent to it. What no flow matches is dropped. Every packet from an interface of the
 * agent's is caught in table 0, so a NORMAL of lower priority never sees it.
 */
#ifndef CONTROL_AGENT_PIPELINE_H
#define CONTROL_AGENT_PIPELINE_H

#include "control/agent/flow_set.h"
#include "control/agent/scene.h"

/* Cookies of the agent's flows: the upper half marks them, the lower says what a punted packet is about. */
#define COOKIE_MARK ((uint64_t)0x57656674 << 32)
#define COOKIE_MASK ((uint64_t)0xffffffff << 32)

enum punt {
	PUNT_NONE,
	PUNT_DHCP4,
	PUNT_DHCP6,
	PUNT_ROUTER_SOLICIT,
	PUNT_ND,
	PUNT_ECHO,
	PUNT_TTL,
	PUNT_CLAIM
};

enum { AGENT_CONTROLLER_ID = 0x5745 }; /* packets are punted to the agent alone */

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

/* The actions that punt. */
#define PUNT_ACTIONS "controller(id=22341,max_len=65535)"

/* The address that a guest with this MAC makes itself (RFC 4291, appendix A). */
struct ip_addr link_local(struct mac mac);

/* ---- the groups of tables ---- */

void pipeline_security(const struct scene *s, const struct scene_port *p, struct flow_set *out);
void pipeline_security_common(const struct scene *s, struct flow_set *out);
void pipeline_groups(const struct scene *s, const struct scene_port *p, struct flow_set *out);
void pipeline_answer(const struct scene_network *net, struct flow_set *out);
void pipeline_answer_port(const struct scene_port *p, struct flow_set *out);
void pipeline_switching(const struct scene *s, const struct scene_network *net, struct flow_set *out);
void pipeline_flood(const struct scene *s, const struct scene_network *net, struct flow_set *out);
void pipeline_routing(const struct scene *s, const struct scene_network *net, struct flow_set *out);

/* " ->" the port: "set_field:7->reg3,goto_table:80", or the way to its host. False: nowhere. */
bool pipeline_to_port(const struct scene *s, const struct scene_port *p, char text[160]);

#endif
