/* SPDX-License-Identifier: Apache-2.0 */
/* What guests send, and the judge's verdict; see lab.h. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "tests/differential/lab.h"

enum probe_kind { PROBE_IP, PROBE_ARP, PROBE_ND, PROBE_JUNK };
enum { UDP = 17, TCP = 6, ICMP = 1, ICMP6 = 58, SYN = 2, ACK = 16 };

struct probe { /* a frame in words */
	enum probe_kind kind;
	bool v6, tagged;
	uint8_t src[6], dst[6];
	uint8_t from[16], to[16]; /* 4 bytes of them for IPv4 */
	uint8_t proto, ttl, type; /* type: ICMP's; the flags of TCP */
	uint16_t sport, dport;
	uint8_t sha[6]; /* ARP's sender, ND's link-layer option */
	unsigned id;
};

static unsigned pick(struct lab *lab, unsigned n)
{
	return (unsigned)rand_r(&lab->seed) / 7 % n;
}

/* ---- bytes ---- */

static uint32_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += (uint32_t)p[n - 1] << 8;
	return sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

static size_t put_l4(const struct probe *p, uint8_t *l4)
{
	size_t len = p->kind == PROBE_ND ? 32 : p->proto == TCP ? 24 : 12;

	memset(l4, 0, len);
	if (p->kind == PROBE_ND || p->proto == ICMP || p->proto == ICMP6) {
		l4[0] = p->type;
		l4[7] = (uint8_t)p->id;
	} else {
		l4[0] = (uint8_t)(p->sport >> 8);
		l4[1] = (uint8_t)p->sport;
		l4[2] = (uint8_t)(p->dport >> 8);
		l4[3] = (uint8_t)p->dport;
	}
	if (p->kind == PROBE_ND) {
		memcpy(l4 + 8, p->to, 16); /* the target */
		l4[24] = p->type == 135 ? 1 : 2;
		l4[25] = 1;
		memcpy(l4 + 26, p->sha, 6);
	} else if (p->proto == TCP) {
		l4[12] = 0x50;
		l4[13] = p->type;
		l4[22] = (uint8_t)p->id;
	} else if (p->proto == UDP) {
		l4[5] = (uint8_t)len;
		l4[10] = (uint8_t)(p->id >> 8);
		l4[11] = (uint8_t)p->id;
	}
	return len;
}

static uint32_t put_ip(const struct probe *p, uint8_t *l3)
{
	uint8_t *l4 = l3 + (p->v6 ? 40 : 20);
	size_t len = put_l4(p, l4), n = p->v6 ? 16 : 4;
	size_t csum = p->proto == UDP ? 6 : p->proto == TCP ? 16 : 2;
	uint32_t sum = sum16(l4, len, 0);

	memset(l3, 0, p->v6 ? 40 : 20);
	if (p->v6) {
		l3[0] = 0x60;
		l3[5] = (uint8_t)len;
		l3[6] = p->proto;
		l3[7] = p->ttl;
		memcpy(l3 + 8, p->from, 16);
		memcpy(l3 + 24, p->kind == PROBE_ND ? (const uint8_t[16]){0xff, 2, [15] = 1} : p->to, 16);
	} else {
		l3[0] = 0x45;
		l3[3] = (uint8_t)(20 + len);
		l3[8] = p->ttl;
		l3[9] = p->proto;
		memcpy(l3 + 12, p->from, 4);
		memcpy(l3 + 16, p->to, 4);
		put_sum(l3 + 10, sum16(l3, 20, 0));
	}
	if (p->proto != ICMP)
		sum = sum16(l3 + (p->v6 ? 8 : 12), 2 * n, sum + p->proto + (uint32_t)len);
	put_sum(l4 + csum, sum);
	return (uint32_t)(l4 + len - l3);
}

static uint32_t put_arp(const struct probe *p, uint8_t *l3)
{
	memcpy(l3, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, p->type}, 8);
	memcpy(l3 + 8, p->sha, 6);
	memcpy(l3 + 14, p->from, 4);
	memcpy(l3 + 18, p->type == 2 ? p->dst : (const uint8_t[6]){0}, 6);
	memcpy(l3 + 24, p->to, 4);
	return 28;
}

static uint32_t put_frame(const struct probe *p, uint8_t *out)
{
	uint16_t type = p->kind == PROBE_ARP    ? 0x0806
	                : p->kind == PROBE_JUNK ? (uint16_t)p->id | 0x8800
	                : p->v6                 ? 0x86dd
	                                        : 0x0800;
	uint8_t *at = out + 12;
	uint32_t len;

	memcpy(out, p->dst, 6);
	memcpy(out + 6, p->src, 6);
	if (p->tagged) {
		memcpy(at, (uint8_t[]){0x81, 0, 0, 5}, 4);
		at += 4;
	}
	*at++ = (uint8_t)(type >> 8);
	*at++ = (uint8_t)type;
	if (p->kind == PROBE_JUNK)
		memset(at, (int)p->id, len = 60);
	else
		len = p->kind == PROBE_ARP ? put_arp(p, at) : put_ip(p, at);
	return (uint32_t)(at - out) + len;
}

/* ---- the judge ---- */

static void router_mac_of(const struct lab_network *net, uint8_t mac[6])
{
	memcpy(mac,
	       (uint8_t[]){0x0e, 0x57, 0, (uint8_t)(net->vni >> 16), (uint8_t)(net->vni >> 8),
	                   (uint8_t)net->vni},
	       6);
}

static void link_local_of(const uint8_t mac[6], uint8_t ip[16])
{
	memcpy(ip,
	       (uint8_t[16]){0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4],
	                     mac[5]},
	       16);
}

static const struct lab_network *net_of(const struct lab *lab, const struct lab_guest *g)
{
	return &lab->networks[g->network];
}

static bool has_address(const struct lab *lab, const struct lab_guest *g, bool v6, const uint8_t *ip)
{
	uint8_t local[16];

	if (!v6)
		return !memcmp(ip, g->ip4, 4);
	if (!net_of(lab, g)->v6)
		return false;
	link_local_of(g->mac, local);
	return !memcmp(ip, g->ip6, 16) || !memcmp(ip, local, 16);
}

static bool is_gateway(const struct lab_network *net, bool v6, const uint8_t *ip)
{
	if (!v6)
		return !memcmp(ip, net->net4, 3) && ip[3] == 254;
	return net->v6 && !memcmp(ip, (uint8_t[16]){0xfd, 0, 0, (uint8_t)net->index, [15] = 0xfe}, 16);
}

static bool group_allows(const struct lab *lab, int tenant, const struct lab_group *group,
                         const struct probe *p)
{
	if (p->proto != UDP || p->dport < group->low || p->dport > group->high)
		return false;
	if (group->from == FROM_ANY)
		return true;
	if (group->from == FROM_NETWORK)
		return !p->v6 && !memcmp(p->from, (uint8_t[]){10, 0, (uint8_t)group->peer}, 3);
	for (int i = 0; i < LAB_GUESTS; i++) {
		const struct lab_guest *g = &lab->guests[i];

		if (g->used && net_of(lab, g)->tenant == tenant && g->group == group->peer &&
		    (p->v6 ? net_of(lab, g)->v6 && !memcmp(p->from, g->ip6, 16)
		           : !memcmp(p->from, g->ip4, 4)))
			return true;
	}
	return false;
}

static bool may_enter(const struct lab *lab, const struct lab_guest *to, const struct probe *p)
{
	if (p->proto == ICMP6 && p->type == 1)
		return true; /* an error */
	if (to->group < 0 || (p->proto == TCP && p->type == ACK) || (p->proto == UDP && p->sport == 53))
		return true;
	return group_allows(lab, net_of(lab, to)->tenant, &lab->groups[net_of(lab, to)->tenant][to->group],
	                    p);
}

static void deliver(const struct lab *lab, int to, const struct probe *p, struct lab_verdict *v)
{
	if (!may_enter(lab, &lab->guests[to], p))
		return;
	v->to[to].expected = true;
	v->to[to].len = put_frame(p, v->to[to].bytes);
}

static void judge_routed(const struct lab *lab, const struct lab_guest *from, struct probe p,
                         struct lab_verdict *v)
{
	int tenant = net_of(lab, from)->tenant;
	uint8_t local[16];

	link_local_of(p.dst, local); /* the router's */
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

		if (!g->used || net_of(lab, g)->tenant != tenant || (p.v6 && !net_of(lab, g)->v6) ||
		    memcmp(p.to, p.v6 ? g->ip6 : g->ip4, p.v6 ? 16 : 4))
			continue;
		memcpy(p.dst, g->mac, 6);
		router_mac_of(net_of(lab, g), p.src);
		if (g != from)
			deliver(lab, i, &p, v);
		return;
	}
}

static bool is_forbidden(const struct probe *p)
{
	if (p->tagged)
		return true;
	if (p->proto == ICMP6)
		return p->type >= 134 && p->type <= 137;
	if (p->proto != UDP)
		return false;
	return p->sport == (p->v6 ? 547 : 67) ||
	       (!p->v6 && p->dport == 4789 && !memcmp(p->to, (uint8_t[]){192, 0, 2, 1}, 4));
}

static void judge_ip(const struct lab *lab, int from, const struct probe *p, struct lab_verdict *v)
{
	const struct lab_guest *g = &lab->guests[from];
	uint8_t router[6];

	if (memcmp(p->src, g->mac, 6) != 0 || !has_address(lab, g, p->v6, p->from) || is_forbidden(p)) {
		v->bad = true;
		return;
	}
	router_mac_of(net_of(lab, g), router);
	if (lab->router[net_of(lab, g)->tenant] && !memcmp(p->dst, router, 6)) {
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
	router_mac_of(net_of(lab, g), router);
	link_local_of(router, local);
	if (lab->router[net_of(lab, g)->tenant] &&
	    (is_gateway(net_of(lab, g), v6, ip) || (v6 && net_of(lab, g)->v6 && !memcmp(ip, local, 16))))
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
	v->to[from].len = put_frame(&answer, v->to[from].bytes);
}

/* ---- what is sent ---- */

static int any_guest(struct lab *lab)
{
	int i;

	do
		i = (int)pick(lab, LAB_GUESTS);
	while (!lab->guests[i].used);
	return i;
}

static void choose_addresses(struct lab *lab, const struct lab_guest *g, const struct lab_guest *to,
                             struct probe *p)
{
	uint8_t local[16];

	memcpy(p->src, g->mac, 6);
	memcpy(p->sha, g->mac, 6);
	p->v6 = net_of(lab, g)->v6 && pick(lab, 2);
	memcpy(p->from, p->v6 ? g->ip6 : g->ip4, p->v6 ? 16 : 4);
	memcpy(p->to, p->v6 ? to->ip6 : to->ip4, p->v6 ? 16 : 4);
	link_local_of(g->mac, local);
	if (p->v6 && !pick(lab, 8))
		memcpy(p->from, local, 16);
	if (!pick(lab, 8)) { /* a gateway, of this network or another */
		p->to[p->v6 ? 15 : 3] = p->v6 ? 0xfe : 254;
	}
	memcpy(p->dst, to->mac, 6);
	if (pick(lab, 2))
		router_mac_of(net_of(lab, g), p->dst);
	if (p->v6 && !pick(lab, 20)) {
		router_mac_of(net_of(lab, g), p->dst);
		link_local_of(p->dst, p->to);
	}
	if (!pick(lab, 10))
		memset(p->dst, 0xff, 6);
}

static void choose_protocol(struct lab *lab, struct probe *p)
{
	static const uint16_t sports[] = {1000, 1000, 1000, 53, 67, 547},
	                      dports[] = {1000, 1001, 1004, 1007, 443, 4789};
	static const uint8_t types6[] = {128, 128, 1, 134, 135, 136, 137};

	p->ttl = pick(lab, 10) ? 64 : (uint8_t)pick(lab, 3);
	p->proto = (uint8_t[]){UDP, UDP, UDP, TCP, ICMP}[pick(lab, 5)];
	p->sport = sports[pick(lab, 6)];
	p->dport = dports[pick(lab, 6)];
	if (p->proto == TCP)
		p->type = pick(lab, 2) ? SYN : ACK;
	if (p->proto == ICMP && p->v6) {
		p->proto = ICMP6;
		p->type = types6[pick(lab, 7)];
	} else if (p->proto == ICMP) {
		p->type = 8;
	}
	if (p->proto == ICMP6 && (p->type == 1 || p->type > 133))
		p->ttl = 255;
}

static void spoil(struct lab *lab, struct probe *p, const struct lab_guest *other)
{
	switch (pick(lab, 5)) {
	case 0:
		memcpy(p->src, other->mac, 6);
		break;
	case 1:
		p->from[p->v6 ? 15 : 3] ^= (uint8_t)(1 + pick(lab, 7));
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

int lab_probe(struct lab *lab, uint8_t frame[LAB_FRAME], uint32_t *len, struct lab_verdict *v, char *what,
              size_t size)
{
	static const char *const names[] = {"IP", "ARP", "ND", "junk"};
	int from = any_guest(lab), to = pick(lab, 2) ? any_guest(lab) : from;
	struct probe p = {.kind = (enum probe_kind[]){PROBE_IP, PROBE_IP, PROBE_IP, PROBE_IP, PROBE_IP,
	                                              PROBE_IP, PROBE_ARP, PROBE_ND,
	                                              PROBE_JUNK}[pick(lab, 9)],
	                  .id = (unsigned)rand_r(&lab->seed) >> 8 & 0x3ff};

	for (int i = 0; i < 4 && lab->guests[to].network != lab->guests[from].network; i++)
		to = pick(lab, 3) ? any_guest(lab) : to; /* mostly neighbours */
	choose_addresses(lab, &lab->guests[from], &lab->guests[to], &p);
	choose_protocol(lab, &p);
	if (p.kind == PROBE_ND && !p.v6)
		p.kind = PROBE_IP;
	if (p.kind == PROBE_ARP && p.v6)
		p.kind = PROBE_ND;
	if (p.kind == PROBE_ARP)
		p.type = pick(lab, 6) ? 1 : 2;
	if (p.kind == PROBE_ND) {
		p.proto = ICMP6;
		p.type = pick(lab, 6) ? 135 : 136;
		p.ttl = 255;
		if (pick(lab, 2))
			link_local_of(lab->guests[to].mac, p.to);
	}
	if (!pick(lab, 4))
		spoil(lab, &p, &lab->guests[any_guest(lab)]);
	memset(v, 0, sizeof(*v));
	if (p.kind == PROBE_IP)
		judge_ip(lab, from, &p, v);
	else if (p.kind == PROBE_JUNK)
		v->bad = true;
	else
		judge_neighbour(lab, from, &p, v);
	*len = put_frame(&p, frame);
	snprintf(what, size, "%s from g%d (%s), proto %u type %u, ports %u-%u, ttl %u%s", names[p.kind], from,
	         p.v6 ? "IPv6" : "IPv4", p.proto, p.type, p.sport, p.dport, p.ttl,
	         p.tagged ? ", tagged" : "");
	return from;
}
