/* SPDX-License-Identifier: Apache-2.0 */
/* What security groups let through, and remember; see lab.h. A list of connections for each guest. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/differential/lab_private.h"

/* ---- connections ---- */

static uint8_t answer_type(uint8_t type)
{
	switch (type) {
	case PING:
		return PONG;
	case PONG:
		return PING;
	case PING6:
		return PONG6;
	case PONG6:
		return PING6;
	default:
		return 0xff; /* nothing answers */
	}
}

static struct lab_tuple reversed(const struct lab_tuple *t)
{
	struct lab_tuple r = {.v6 = t->v6, .proto = t->proto, .sport = t->dport, .dport = t->sport};

	memcpy(r.from, t->to, sizeof(r.from));
	memcpy(r.to, t->from, sizeof(r.to));
	if (t->proto == ICMP || t->proto == ICMP6)
		r.type = answer_type(t->type);
	return r;
}

/* An error belongs to where an answer to what it quotes would. */
struct lab_tuple lab_tuple_of(const struct probe *p)
{
	struct lab_tuple t = {.v6 = p->v6, .proto = p->proto};

	if (p->quotes)
		return reversed(&p->about);
	memcpy(t.from, p->from, p->v6 ? 16 : 4);
	memcpy(t.to, p->to, p->v6 ? 16 : 4);
	if (p->proto == ICMP || p->proto == ICMP6) {
		t.type = p->type;
	} else {
		t.sport = p->sport;
		t.dport = p->dport;
	}
	return t;
}

static const struct lab_tuple *find(const struct lab_guest *g, const struct lab_tuple *t)
{
	for (unsigned i = 0; i < g->n_known; i++)
		if (!memcmp(&g->known[i], t, sizeof(*t)))
			return &g->known[i];
	return NULL;
}

static bool may_begin(const struct probe *p)
{
	if (p->proto == TCP)
		return p->type != SYN_ACK;
	return p->proto == UDP || (!p->quotes && p->type == (p->v6 ? PING6 : PING));
}

/* ---- rules ---- */

static bool is_member(const struct lab *lab, int tenant, int group, bool v6, const uint8_t *ip)
{
	for (int i = 0; i < LAB_GUESTS; i++) {
		const struct lab_guest *g = &lab->guests[i];

		if (g->used && lab_network_of(lab, g)->tenant == tenant && g->group == group &&
		    (v6 ? lab_network_of(lab, g)->v6 && !memcmp(ip, g->ip6, 16) : !memcmp(ip, g->ip4, 4)))
			return true;
	}
	return false;
}

static bool rule_allows(const struct lab *lab, int tenant, const struct lab_rule *rule,
                        const struct lab_tuple *first, const uint8_t *peer)
{
	if (first->proto != rule->proto ||
	    (rule->proto != ICMP && (first->dport < rule->low || first->dport > rule->high)))
		return false;
	if (rule->with == WITH_ANY)
		return true;
	if (rule->with == WITH_NETWORK)
		return !first->v6 && !memcmp(peer, (uint8_t[]){10, 0, (uint8_t)rule->peer}, 3);
	return is_member(lab, tenant, rule->peer, first->v6, peer);
}

static bool allows(const struct lab *lab, const struct lab_guest *g, bool out, const struct lab_tuple *first)
{
	int tenant = lab_network_of(lab, g)->tenant;
	const struct lab_group *group = &lab->groups[tenant][g->group];

	if (out)
		return !group->has_out || rule_allows(lab, tenant, &group->out, first, first->to);
	return rule_allows(lab, tenant, &group->in, first, first->from);
}

/* ---- what passes ---- */

/* A connection may go on as long as it might begin. What is for many is not remembered. */
static bool passes(const struct lab *lab, struct lab_guest *g, const struct probe *p, bool leaves,
                   bool many_enter)
{
	struct lab_tuple t = lab_tuple_of(p), back = reversed(&t);
	const struct lab_tuple *forth = many_enter ? NULL : find(g, &t),
	                       *answered = forth || many_enter ? NULL : find(g, &back);

	if (!forth && !answered && !may_begin(p))
		return false;
	if (!allows(lab, g, leaves == !answered, answered ? answered : &t))
		return false;
	if (!forth && !answered && !(p->dst[0] & 1)) {
		cr_assert(g->n_known < LAB_KNOWN);
		g->known[g->n_known++] = t;
	}
	return true;
}

bool lab_may_leave(struct lab *lab, int guest, const struct probe *p)
{
	struct lab_guest *g = &lab->guests[guest];

	return g->group < 0 || passes(lab, g, p, true, false);
}

bool lab_may_enter(struct lab *lab, int guest, const struct probe *p)
{
	struct lab_guest *g = &lab->guests[guest];

	return g->group < 0 || passes(lab, g, p, false, p->dst[0] & 1);
}
