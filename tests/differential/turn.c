/* SPDX-License-Identifier: Apache-2.0 */
/* What has to leave and what did; see turn.h. */
#include "tests/differential/turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flows/text.h"

void turn_add(struct turn *t, const struct sample *s, const struct model_result *r)
{
	t->packets[t->npackets++] = s;
	for (unsigned i = 0; i < r->nevents; i++) {
		struct expected *x = malloc(sizeof(*x));

		if (t->nexpected == t->capacity) {
			t->capacity = t->capacity * 2 + 64;
			t->expected = realloc(t->expected, t->capacity * sizeof(*t->expected));
		}
		x->packet = t->npackets - 1;
		memcpy(&x->event, &r->events[i], offsetof(struct model_event, frame));
		model_frame_copy(&x->event.frame, &r->events[i].frame);
		t->expected[t->nexpected++] = x;
	}
}

void turn_collect(struct turn *t, struct subject *s, const struct model *m)
{
	for (unsigned i = 0; i < m->nports; i++) {
		struct port *p = datapath_port_by_number(s->dp, m->ports[i].number);
		struct memory_frame **end = &t->seen[i];

		while ((*end = memory_collect(p)))
			end = &(*end)->next;
	}
}

void turn_forget_expected(struct turn *t)
{
	while (t->nexpected)
		free(t->expected[--t->nexpected]);
	t->npackets = 0;
}

void turn_clear(struct turn *t)
{
	turn_forget_expected(t);
	for (unsigned i = 0; i < MODEL_PORTS_MAX; i++)
		for (struct memory_frame *f; (f = t->seen[i]);) {
			t->seen[i] = f->next;
			free(f);
		}
}

/* ---- judging ---- */

static const char *wrong_frame(const struct model_frame *want, const struct memory_frame *f)
{
	if (!f)
		return "nothing left the port";
	if (f->len != want->len)
		return "another length";
	if (memcmp(f->data, want->data, want->len) != 0)
		return "other bytes";
	if (f->tunnel.id != want->tun_id)
		return "another tun_id";
	if (!(f->flags & PACKET_NEEDS_CSUM) != !want->partial)
		return "another state of the checksum";
	if (want->partial && (f->csum_start != want->csum_start || f->csum_offset != want->csum_offset))
		return "the checksum elsewhere";
	return NULL;
}

static const char *wrong_place(const struct program_controller *p, const struct model_place *want)
{
	if (p->cookie != want->cookie)
		return "packet-in with another cookie";
	if (p->table_id != want->table_id)
		return "packet-in from another table";
	if (p->reason != want->reason)
		return "packet-in with another reason";
	if (p->max_len != want->max_len || p->controller_id != want->controller_id)
		return "packet-in for another controller";
	return NULL;
}

/* How much of a key the model knows: not what lies behind labels or an I-TAG. */
static size_t compared(const struct flow_key *key)
{
	if (field_present(key, FIELD_PBB_ISID))
		return offsetof(struct flow_key, mpls);
	return field_present(key, FIELD_MPLS_LABEL) ? offsetof(struct flow_key, nw_src) : sizeof(*key);
}

static const char *wrong_packet_in(const struct sample *s, const struct model_event *e,
                                   const struct subject_packet_in *p)
{
	uint32_t len = e->frame.len; /* whatever max_len says: nothing is buffered */
	const struct flow_key *state = &e->place.state;
	struct flow_key key = {.in_port = state->in_port,
	                       .in_phy_port = s->port,
	                       .metadata = state->metadata,
	                       .pkt_mark = state->pkt_mark,
	                       .tun_id = state->tun_id,
	                       .tun_src = state->tun_src,
	                       .tun_dst = state->tun_dst};
	struct model_layout at;

	if (!p)
		return "no packet-in";
	if (p->len != len || p->total_len != e->frame.len)
		return "packet-in of another length";
	if (memcmp(p->data, e->frame.data, len) != 0)
		return "packet-in with other bytes";
	memcpy(key.regs, state->regs, sizeof(key.regs));
	memcpy(key.tun_ipv6_src, state->tun_ipv6_src, sizeof(key.tun_ipv6_src));
	memcpy(key.tun_ipv6_dst, state->tun_ipv6_dst, sizeof(key.tun_ipv6_dst));
	model_parse(&s->frame, &key, &at);
	if (memcmp(&key, &p->key, compared(&key)) != 0)
		return "packet-in that was parsed otherwise";
	return wrong_place(&p->place, &e->place);
}

const char *turn_judge(const struct turn *t, const struct subject *s, struct model *m, unsigned *where)
{
	const struct memory_frame *seen[MODEL_PORTS_MAX];
	unsigned packet_ins = 0;

	memcpy(seen, t->seen, sizeof(seen));
	for (*where = 0; *where < t->nexpected; ++*where) {
		const struct expected *x = t->expected[*where];
		const char *wrong;

		if (x->event.to_controller) {
			wrong = wrong_packet_in(t->packets[x->packet], &x->event,
			                        packet_ins < s->npacket_ins ? &s->packet_ins[packet_ins]
			                                                    : NULL);
			packet_ins++;
		} else {
			const struct memory_frame **next = &seen[model_port(m, x->event.port) - m->ports];

			wrong = wrong_frame(&x->event.frame, *next);
			*next = *next ? (*next)->next : NULL;
		}
		if (wrong)
			return wrong;
	}
	if (packet_ins < s->npacket_ins)
		return "one more packet-in";
	for (unsigned i = 0; i < m->nports; i++)
		if (seen[i])
			return "one more frame";
	return NULL;
}

/* ---- explaining ---- */

static void print_frame(const char *what, const uint8_t *data, uint32_t len)
{
	struct model_frame f = {.len = len < MODEL_FRAME_MAX ? len : MODEL_FRAME_MAX};
	struct text text = {0};
	struct model_layout at;
	struct match m;

	memcpy(f.data, data, f.len);
	memset(&m, 0, sizeof(m));
	memset(&m.mask, 0xff, sizeof(m.mask));
	memset(&m.mask, 0, offsetof(struct flow_key, eth_dst));
	model_parse(&f, &m.key, &at);
	match_format(&text, &m, PRIORITY_DEFAULT, NULL);
	printf("%s %u bytes: %s\n   ", what, len, text_get(&text));
	for (uint32_t i = 0; i < f.len && i < 128; i++)
		printf("%s%02x", i % 4 ? "" : " ", f.data[i]);
	printf("\n");
	text_free(&text);
}

static void print_rules(const struct model_result *r)
{
	for (unsigned i = 0; i < r->nrules; i++) {
		struct text text = {0};

		match_format(&text, &r->rules[i]->match, r->rules[i]->priority, NULL);
		text_add(&text, " actions=");
		actions_format(&text, &r->rules[i]->actions, NULL);
		printf("  rule %lu: table %u %s\n", r->rules[i]->cookie, r->rules[i]->table_id,
		       text_get(&text));
		text_free(&text);
	}
}

static void print_world(const struct model *m)
{
	for (unsigned i = 0; i < m->ngroups; i++) {
		struct text text = {0};

		group_format(&text, &m->groups[i].mod, NULL);
		printf("  %s\n", text_get(&text));
		text_free(&text);
	}
	for (unsigned i = 0; i < m->nports; i++)
		printf("  port %x config %x\n", m->ports[i].number, m->ports[i].config);
}

/* What left at the place of expectation `where`. */
static void print_seen(const struct turn *t, const struct subject *s, struct model *m, unsigned where)
{
	const struct model_event *e = &t->expected[where]->event;
	const struct memory_frame *f = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < where; i++) {
		const struct model_event *before = &t->expected[i]->event;

		n += before->to_controller == e->to_controller && before->port == e->port;
	}
	if (e->to_controller) {
		if (n < s->npacket_ins)
			print_frame("seen: controller", s->packet_ins[n].data, s->packet_ins[n].len);
		return;
	}
	f = t->seen[model_port(m, e->port) - m->ports];
	while (f && n--)
		f = f->next;
	if (f)
		print_frame("seen:", f->data, f->len);
}

/* What left although nothing is expected any more. */
static void print_surplus(const struct turn *t, const struct subject *s, const struct model *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->nports; i++) {
		const struct memory_frame *f = t->seen[i];

		for (unsigned k = 0; k < t->nexpected; k++)
			if (f && !t->expected[k]->event.to_controller &&
			    t->expected[k]->event.port == m->ports[i].number)
				f = f->next;
		for (; f; f = f->next) {
			printf("one more, port %x: ", m->ports[i].number);
			print_frame("seen:", f->data, f->len);
		}
	}
	for (unsigned k = 0; k < t->nexpected; k++)
		n += t->expected[k]->event.to_controller;
	for (; n < s->npacket_ins; n++)
		print_frame("one more, controller:", s->packet_ins[n].data, s->packet_ins[n].len);
}

static void print_packet(const struct turn *t, struct model *m, unsigned packet, unsigned where)
{
	static struct model_result r;
	const struct sample *in = t->packets[packet];

	printf("packet %u of %u in this turn, in_port %u, %s\n", packet, t->npackets, in->port,
	       in->frame.partial ? "partial checksum" : "");
	print_frame("in:", in->frame.data, in->frame.len);
	for (unsigned i = 0; i < t->nexpected; i++) {
		const struct model_event *e = &t->expected[i]->event;

		if (t->expected[i]->packet != packet)
			continue;
		printf("%s", i == where ? "* " : "  ");
		if (e->to_controller)
			printf("controller: cookie %ld, table %u, reason %u, max_len %u; ", e->place.cookie,
			       e->place.table_id, e->place.reason, e->place.max_len);
		else
			printf("port %x: ", e->port);
		print_frame("want:", e->frame.data, e->frame.len);
	}
	model_run(m, in->port, &in->frame, NULL, &r);
	print_rules(&r);
}

void turn_explain(const struct turn *t, const struct subject *s, struct model *m, unsigned where)
{
	if (where < t->nexpected) {
		print_packet(t, m, t->expected[where]->packet, where);
		print_seen(t, s, m, where);
	} else {
		for (unsigned i = 0; i < t->npackets; i++)
			print_packet(t, m, i, where);
		print_surplus(t, s, m);
	}
	print_world(m);
	fflush(stdout);
}
