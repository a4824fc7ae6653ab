/* SPDX-License-Identifier: Apache-2.0 */
/* What guests send; see lab.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/differential/lab_private.h"

static int any_guest(struct lab *lab)
{
	int i;

	do
		i = (int)lab_pick(lab, LAB_GUESTS);
	while (!lab->guests[i].used);
	return i;
}

static void choose_addresses(struct lab *lab, const struct lab_guest *g, const struct lab_guest *to,
                             struct probe *p)
{
	uint8_t local[16];

	memcpy(p->src, g->mac, 6);
	memcpy(p->sha, g->mac, 6);
	p->v6 = lab_network_of(lab, g)->v6 && lab_pick(lab, 2);
	memcpy(p->from, p->v6 ? g->ip6 : g->ip4, p->v6 ? 16 : 4);
	memcpy(p->to, p->v6 ? to->ip6 : to->ip4, p->v6 ? 16 : 4);
	lab_link_local(g->mac, local);
	if (p->v6 && !lab_pick(lab, 8))
		memcpy(p->from, local, 16);
	if (!lab_pick(lab, 8)) { /* a gateway, of this network or another */
		p->to[p->v6 ? 15 : 3] = p->v6 ? 0xfe : 254;
	}
	memcpy(p->dst, to->mac, 6);
	if (lab_pick(lab, 2))
		lab_router_mac(lab_network_of(lab, g), p->dst);
	if (p->v6 && !lab_pick(lab, 20)) {
		lab_router_mac(lab_network_of(lab, g), p->dst);
		lab_link_local(p->dst, p->to);
	}
	if (!lab_pick(lab, 10))
		memset(p->dst, 0xff, 6);
}

static void choose_protocol(struct lab *lab, struct probe *p)
{
	static const uint16_t sports[] = {1000, 1000, 1000, 53, 67, 547},
	                      dports[] = {1000, 1001, 1004, 1007, 443, 4789};
	static const uint8_t types6[] = {PING6, PING6, PONG6, UNREACHABLE6, 134, 135, 136, 137};

	p->ttl = lab_pick(lab, 10) ? 64 : (uint8_t)lab_pick(lab, 3);
	p->proto = (uint8_t[]){UDP, UDP, UDP, TCP, ICMP}[lab_pick(lab, 5)];
	p->sport = sports[lab_pick(lab, 6)];
	p->dport = dports[lab_pick(lab, 6)];
	if (p->proto == TCP) { /* who begins has numbers that no server has: SYNs never cross */
		p->sport = 2000;
		p->type = lab_pick(lab, 2) ? SYN : ACK;
	}
	if (p->proto == ICMP && p->v6) {
		p->proto = ICMP6;
		p->type = types6[lab_pick(lab, 8)];
	} else if (p->proto == ICMP) {
		p->type = lab_pick(lab, 4) ? PING : PONG;
	}
	if (p->proto == ICMP6 && (p->type == UNREACHABLE6 || p->type > 133))
		p->ttl = 255;
}

static void spoil(struct lab *lab, struct probe *p, const struct lab_guest *other)
{
	switch (lab_pick(lab, 5)) {
	case 0:
		memcpy(p->src, other->mac, 6);
		break;
	case 1:
		p->from[p->v6 ? 15 : 3] ^= (uint8_t)(1 + lab_pick(lab, 7));
		break;
	case 2:
		p->tagged = true;
		break;
	case 3:
		memcpy(p->sha, other->mac, 6);
		break;
	default:
		p->sport = p->v6 ? 547 : 67;
	}
}

static int fresh(struct lab *lab, struct probe *p)
{
	int from = any_guest(lab), to = lab_pick(lab, 2) ? any_guest(lab) : from;

	for (int i = 0; i < 4 && lab->guests[to].network != lab->guests[from].network; i++)
		to = lab_pick(lab, 3) ? any_guest(lab) : to; /* mostly neighbours */
	choose_addresses(lab, &lab->guests[from], &lab->guests[to], p);
	choose_protocol(lab, p);
	if (p->kind == PROBE_ND && !p->v6)
		p->kind = PROBE_IP;
	if (p->kind == PROBE_ARP && p->v6)
		p->kind = PROBE_ND;
	if (p->kind == PROBE_ARP)
		p->type = lab_pick(lab, 6) ? 1 : 2;
	if (p->kind == PROBE_ND) {
		p->proto = ICMP6;
		p->type = lab_pick(lab, 6) ? 135 : 136;
		p->ttl = 255;
		if (lab_pick(lab, 2))
			lab_link_local(lab->guests[to].mac, p->to);
	}
	return from;
}

/* ---- answers ---- */

static void make_error(struct probe *p, const struct lab_tuple *about)
{
	p->proto = p->v6 ? ICMP6 : ICMP;
	p->type = p->v6 ? UNREACHABLE6 : UNREACHABLE;
	p->quotes = true;
	p->about = *about;
}

/* To one of the last packets that somebody got; one in eight to none. -1: who got it is not there any more.
 */
static int answer(struct lab *lab, struct probe *p)
{
	const struct lab_heard *h = &lab->heard[lab_pick(lab, LAB_HEARD) % (lab->n_heard + !lab->n_heard)];
	struct lab_tuple t = h->tuple;

	if (!lab->n_heard || !lab->guests[h->guest].used)
		return -1;
	if (t.sport && !lab_pick(lab, 8))
		t.sport ^= 1;
	p->kind = PROBE_IP;
	p->is_answer = true;
	p->v6 = t.v6;
	memcpy(p->src, h->dst, 6);
	memcpy(p->dst, h->src, 6);
	memcpy(p->sha, p->src, 6);
	memcpy(p->from, t.to, sizeof(p->from));
	memcpy(p->to, t.from, sizeof(p->to));
	p->proto = t.proto;
	p->sport = t.dport;
	p->dport = t.sport;
	p->ttl = 64;
	if (!lab_pick(lab, 4))
		make_error(p, &t);
	else if (t.proto == TCP)
		p->type = SYN_ACK;
	else if (t.proto == ICMP || t.proto == ICMP6)
		p->type = t.type == PING ? PONG : t.type == PING6 ? PONG6 : t.type;
	return h->guest;
}

int lab_probe(struct lab *lab, uint8_t frame[LAB_FRAME], uint32_t *len, struct lab_verdict *v, char *what,
              size_t size)
{
	static const char *const names[] = {"IP", "ARP", "ND", "junk"};
	struct probe p = {.kind = (enum probe_kind[]){PROBE_IP, PROBE_IP, PROBE_IP, PROBE_IP, PROBE_IP,
	                                              PROBE_IP, PROBE_ARP, PROBE_ND,
	                                              PROBE_JUNK}[lab_pick(lab, 9)],
	                  .id = (unsigned)rand_r(&lab->seed) >> 8 & 0x3ff};
	int from = lab_pick(lab, 4) ? -1 : answer(lab, &p);

	if (from < 0)
		from = fresh(lab, &p);
	if (!lab_pick(lab, 4))
		spoil(lab, &p, &lab->guests[any_guest(lab)]);
	if (v) {
		memset(v, 0, sizeof(*v));
		lab_judge(lab, from, &p, v);
	}
	*len = lab_put_frame(&p, frame);
	snprintf(what, size, "%s%s%s from g%d (%s), proto %u type %u, ports %u-%u, ttl %u%s", names[p.kind],
	         p.is_answer ? ", an answer," : "", p.quotes ? " an error," : "", from,
	         p.v6 ? "IPv6" : "IPv4", p.proto, p.type, p.sport, p.dport, p.ttl,
	         p.tagged ? ", tagged" : "");
	return from;
}
