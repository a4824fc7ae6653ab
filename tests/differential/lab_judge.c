/* SPDX-License-Identifier: Apache-2.0 */
/* The judge's verdict on what a guest sends; see lab.h. */
#include <string.h>

#include "tests/differential/lab_private.h"

static bool has_address(const struct lab *lab, const struct lab_guest *g, bool v6, const uint8_t *ip)
{
	uint8_t local[16];

	if (!v6)
		return !memcmp(ip, g->ip4, 4);
	if (!lab_network_of(lab, g)->v6)
		return false;
	lab_link_local(g->mac, local);
	return !memcmp(ip, g->ip6, 16) || !memcmp(ip, local, 16);
}

static bool is_gateway(const struct lab_network *net, bool v6, const uint8_t *ip)
{
	if (!v6)
		return !memcmp(ip, net->net4, 3) && ip[3] == 254;
	return net->v6 && !memcmp(ip, (uint8_t[16]){0xfd, 0, 0, (uint8_t)net->index, [15] = 0xfe}, 16);
}

/* What one guest alone gets it may answer, some time. */
static void note_heard(struct lab *lab, int to, const struct probe *p)
{
	struct lab_heard *h = &lab->heard[lab->n_heard % LAB_HEARD];

	if ((p->dst[0] & 1) || p->quotes || p->is_answer)
		return;
	lab->n_heard++;
	*h = (struct lab_heard){.guest = to, .tuple = lab_tuple_of(p)};
	memcpy(h->src, p->src, 6);
	memcpy(h->dst, p->dst, 6);
}

static void deliver(struct lab *lab, int to, const struct probe *p, struct lab_verdict *v)
{
	if (!lab_may_enter(lab, to, p))
		return;
	note_heard(lab, to, p);
	v->to[to].expected = true;
	v->to[to].len = lab_put_frame(p, v->to[to].bytes);
}

static void judge_routed(struct lab *lab, const struct lab_guest *from, struct probe p, struct lab_verdict *v)
{
	int tenant = lab_network_of(lab, from)->tenant;
	uint8_t local[16];

	lab_link_local(p.dst, local); /* the router's */
	for (int n = 0; n < lab->n_networks; n++)
		if ((p.v6 && !memcmp(p.to, local, 16)) ||
		    (lab->networks[n].tenant == tenant && is_gateway(&lab->networks[n], p.v6, p.to))) {
			v->punted = p.proto == (p.v6 ? ICMP6 : ICMP) && p.type == (p.v6 ? 128 : 8);
			return;
		}
	if (p.ttl <= 1) {
		v->punted = 1;
		return;
	}
	p.ttl--;
	for (int i = 0; i < LAB_GUESTS; i++) {
		const struct lab_guest *g = &lab->guests[i];

		if (!g->used || lab_network_of(lab, g)->tenant != tenant ||
		    (p.v6 && !lab_network_of(lab, g)->v6) ||
		    memcmp(p.to, p.v6 ? g->ip6 : g->ip4, p.v6 ? 16 : 4))
			continue;
		memcpy(p.dst, g->mac, 6);
		lab_router_mac(lab_network_of(lab, g), p.src);
		if (g != from)
			deliver(lab, i, &p, v);
		return;
	}
}

/* Does the host carry a guest of the network, or of one that a router joins to it? */
static bool cares(const struct lab *lab, int host, const struct lab_network *net)
{
	for (int i = 0; i < LAB_GUESTS; i++) {
		const struct lab_guest *g = &lab->guests[i];
		const struct lab_network *its = lab_network_of(lab, g);

		if (g->used && g->host == host &&
		    (its == net || (its->tenant == net->tenant && lab->router[net->tenant])))
			return true;
	}
	return false;
}

/* The VTEP of this host itself, or of one that carries a guest of a network that this one cares for. */
static bool is_known_vtep(const struct lab *lab, int host, const uint8_t *ip)
{
	int other = ip[3] - 11;

	if (memcmp(ip, (uint8_t[]){172, 31, 0}, 3) != 0 || other < 0 || other >= lab->n_hosts)
		return false;
	for (int i = 0; i < LAB_GUESTS; i++) {
		const struct lab_guest *g = &lab->guests[i];

		if (g->used && g->host == other && cares(lab, host, lab_network_of(lab, g)))
			return true;
	}
	return other == host;
}

static bool is_forbidden(const struct lab *lab, const struct lab_guest *g, const struct probe *p)
{
	if (p->tagged)
		return true;
	if (p->proto == ICMP6)
		return p->type >= 134 && p->type <= 137;
	if (p->proto != UDP)
		return false;
	return p->sport == (p->v6 ? 547 : 67) ||
	       (!p->v6 && p->dport == 4789 && is_known_vtep(lab, g->host, p->to));
}

static void judge_ip(struct lab *lab, int from, const struct probe *p, struct lab_verdict *v)
{
	const struct lab_guest *g = &lab->guests[from];
	uint8_t router[6];

	if (memcmp(p->src, g->mac, 6) != 0 || !has_address(lab, g, p->v6, p->from) ||
	    is_forbidden(lab, g, p)) {
		v->bad = true;
		return;
	}
	if (!lab_may_leave(lab, from, p))
		return;
	lab_router_mac(lab_network_of(lab, g), router);
	if (lab->router[lab_network_of(lab, g)->tenant] && !memcmp(p->dst, router, 6)) {
		judge_routed(lab, g, *p, v);
		return;
	}
	for (int i = 0; i < LAB_GUESTS; i++)
		if (lab->guests[i].used && i != from && lab->guests[i].network == g->network &&
		    ((p->dst[0] & 1) || !memcmp(p->dst, lab->guests[i].mac, 6)))
			deliver(lab, i, p, v);
}

/* Who in the network of `g` has the address: its MAC; NULL: nobody, or the asker himself. */
static const uint8_t *owner_of(const struct lab *lab, const struct lab_guest *g, bool v6, const uint8_t *ip)
{
	static uint8_t router[6];
	uint8_t local[16];

	if (has_address(lab, g, v6, ip))
		return NULL;
	for (int i = 0; i < LAB_GUESTS; i++)
		if (lab->guests[i].used && lab->guests[i].network == g->network &&
		    has_address(lab, &lab->guests[i], v6, ip))
			return lab->guests[i].mac;
	lab_router_mac(lab_network_of(lab, g), router);
	lab_link_local(router, local);
	if (lab->router[lab_network_of(lab, g)->tenant] &&
	    (is_gateway(lab_network_of(lab, g), v6, ip) ||
	     (v6 && lab_network_of(lab, g)->v6 && !memcmp(ip, local, 16))))
		return router;
	return NULL;
}

static void judge_neighbour(const struct lab *lab, int from, const struct probe *p, struct lab_verdict *v)
{
	const struct lab_guest *g = &lab->guests[from];
	struct probe answer = *p;
	const uint8_t *mac;

	v->bad = p->tagged || memcmp(p->src, g->mac, 6) != 0 || memcmp(p->sha, g->mac, 6) != 0 ||
	         !has_address(lab, g, p->v6, p->from) || (p->v6 && p->type != 135);
	if (v->bad || (!p->v6 && p->type != 1))
		return;
	mac = owner_of(lab, g, p->v6, p->to);
	if (!mac)
		return;
	if (p->v6) {
		v->punted = 1;
		return;
	}
	answer.type = 2;
	memcpy(answer.src, mac, 6);
	memcpy(answer.sha, mac, 6);
	memcpy(answer.dst, p->src, 6);
	memcpy(answer.from, p->to, 4);
	memcpy(answer.to, p->from, 4);
	v->to[from].expected = true;
	v->to[from].len = lab_put_frame(&answer, v->to[from].bytes);
}

void lab_judge(struct lab *lab, int from, const struct probe *p, struct lab_verdict *v)
{
	if (p->kind == PROBE_IP)
		judge_ip(lab, from, p, v);
	else if (p->kind == PROBE_JUNK)
		v->bad = true;
	else
		judge_neighbour(lab, from, p, v);
}
