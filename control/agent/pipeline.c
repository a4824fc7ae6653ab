/* SPDX-License-Identifier: Apache-2.0 */
/* The flows of a host, first and last tables; see pipeline.h. Called by agent.c. */
#include "control/agent/pipeline.h"

#include <errno.h>

struct ip_addr link_local(struct mac m)
{
	return (struct ip_addr){{0xfe, 0x80, 0, 0, 0, 0, 0, 0, m.b[0] ^ 2, m.b[1], m.b[2], 0xff, 0xfe, m.b[3],
	                         m.b[4], m.b[5]}};
}

/* What is told apart by nothing but its port or its look. */
static void host_flows(const struct scene *s, struct flow_writer *w)
{
	pipeline_security_common(s, w);
	if (s->tunnel) {
		flow_begin(w, 0, PRIORITY_CLASSIFY - 1);
		flow_match(w, FIELD_IN_PORT_OXM, s->tunnel);
		flow_end(w);
	}
	for (unsigned k = 0; s->tunnel && k < s->n_hosts; k++) {
		const struct host *h = s->hosts[k].host;

		for (unsigned i = 0; h != s->self && i < h->n_vteps; i++) {
			flow_begin(w, 0, PRIORITY_CLASSIFY);
			flow_match(w, FIELD_IN_PORT_OXM, s->tunnel);
			flow_match_ip(w, FIELD_TUN_SRC, &h->vteps[i]);
			flow_do_goto(w, 1);
			flow_end(w);
		}
	}
	pipeline_tracking_common(w);
}

static void port_flows(const struct scene *s, const struct scene_port *p, struct flow_writer *w)
{
	flow_begin(w, 0, PRIORITY_CLASSIFY);
	flow_match(w, FIELD_IN_PORT_OXM, p->ofport);
	if (!p->active)
		flow_do_punt(w, PUNT_CLAIM);
	flow_do_set(w, FIELD_REG0, p->network->vni);
	flow_do_goto(w, 10);
	flow_end(w);
	pipeline_security(p, w);
	if (pipeline_is_tracked(p)) {
		pipeline_tracking(p, w);
		pipeline_groups(s, p, w);
	}
	pipeline_answer_port(p, w);
	flow_begin(w, 90, 100);
	flow_match(w, FIELD_REG3, p->ofport);
	flow_do_output(w, p->ofport);
	flow_end(w);
}

static void network_flows(const struct scene *s, const struct scene_network *net, struct flow_writer *w)
{
	if (net->n_local && s->tunnel) {
		flow_begin(w, 1, 100);
		flow_match(w, FIELD_TUN_ID, net->vni);
		flow_do_set(w, FIELD_REG0, net->vni);
		flow_do_set(w, FIELD_REG2, 1);
		flow_do_goto(w, 40);
		flow_end(w);
	}
	for (unsigned i = 0; i < net->n_local; i++)
		port_flows(s, net->local[i], w);
	if (net->n_local)
		pipeline_answer(net, w);
	pipeline_switching(s, net, w);
	if (net->router)
		pipeline_routing(s, net, w);
}

static void part_flows(const struct scene *s, const struct scene_network *net, enum pipeline_part part,
                       struct flow_writer *w)
{
	if (!net)
		host_flows(s, w);
	else if (part == PIPELINE_FLOOD)
		pipeline_flood(s, net, w);
	else
		network_flows(s, net, w);
}

static int finish(struct flow_writer *w)
{
	flow_writer_free(w);
	flow_set_settle(w->set);
	return w->set->failed ? -EINVAL : 0;
}

int pipeline_part(const struct scene *s, const struct scene_network *net, enum pipeline_part part,
                  struct flow_set *out)
{
	struct flow_writer w = {.set = out};

	part_flows(s, net, part, &w);
	return finish(&w);
}

int pipeline_flows(const struct scene *s, struct flow_set *out)
{
	struct flow_writer w = {.set = out};

	host_flows(s, &w);
	for (unsigned i = 0; i < s->n_networks; i++)
		for (unsigned k = 0; k < PIPELINE_PARTS; k++)
			part_flows(s, &s->networks[i], (enum pipeline_part)k, &w);
	return finish(&w);
}

bool pipeline_reaches(const struct scene *s, const struct scene_port *p)
{
	return p->active || (p->at && p->at->host->n_vteps && s->tunnel);
}

void pipeline_do_send(struct flow_writer *w, const struct scene_port *p)
{
	if (p->active)
		flow_do_set(w, FIELD_REG3, p->ofport);
	else
		flow_do_set_ip(w, FIELD_TUN_DST, &p->at->host->vteps[0]);
	flow_do_goto(w, p->active ? 80 : 70);
}
