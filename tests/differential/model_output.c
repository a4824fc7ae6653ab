/* SPDX-License-Identifier: Apache-2.0 */
/* How packets leave the model: ports, the learning switch, the controller. */
#include <string.h>

#include "tests/differential/model_run.h"

enum { REASON_MISS = 0, REASON_ACTION = 1, REASON_TTL = 2 };

static struct model_event *leave(struct run *r)
{
	struct model_event *e;

	r->out->cost++;
	if (r->out->nevents == MODEL_EVENTS_MAX)
		return &r->out->events[MODEL_EVENTS_MAX - 1];
	e = &r->out->events[r->out->nevents++];
	memset(e, 0, offsetof(struct model_event, frame));
	model_frame_copy(&e->frame, &r->frame);
	e->frame.tun_id = be64toh(r->state.tun_id);
	return e;
}

/* Keeps the first `len` bytes; a checksum that is still to be made stays unmade. */
static void cut_short(struct model_frame *f, uint32_t len)
{
	if (f->len <= len)
		return;
	f->len = len;
	f->partial = false;
}

/* Nobody looks for a checksum behind labels, an I-TAG or a wrong EtherType, whatever tags lie in front. */
static bool is_covered(const struct model_frame *f)
{
	uint32_t at = 12;
	uint16_t type;

	while (get16(f->data + at) == ETH_TYPE_VLAN || get16(f->data + at) == ETH_TYPE_QINQ)
		at += 4;
	type = get16(f->data + at);
	if (type < 0x600 && get32(f->data + at + 2) == 0xaaaa0300) { /* SNAP */
		at += 8;
		type = get16(f->data + at);
	}
	return !(type == ETH_TYPE_IPV4 && f->data[at + 2] >> 4 == 4) &&
	       !(type == ETH_TYPE_IPV6 && f->data[at + 2] >> 4 == 6);
}

static void send(struct run *r, uint32_t port, uint32_t max_len)
{
	const struct model_port *p = model_port(r->m, port);
	struct model_event *e;

	r->out->cost++;
	if (r->muted || !p || p->config & (1 << 0 /* PORT_DOWN */ | 1 << 5 /* NO_FWD */))
		return;
	e = leave(r);
	e->port = port;
	if (max_len)
		cut_short(&e->frame, max_len);
	if (p->makes_checksums || is_covered(&r->frame))
		model_finish(&e->frame);
}

static void flood(struct run *r, bool all)
{
	for (unsigned i = 0; i < r->m->nports; i++) {
		const struct model_port *p = &r->m->ports[i];

		if (p->number != r->state.in_port && (all || !(p->config & 1 << 4 /* NO_FLOOD */)))
			send(r, p->number, 0);
	}
}

static bool is_link_local(struct mac mac)
{
	static const uint8_t prefix[5] = {0x01, 0x80, 0xc2, 0, 0};

	return memcmp(mac.b, prefix, 5) == 0 && mac.b[5] < 16;
}

/* The learning switch. */
static void normal(struct run *r)
{
	struct flow_key k = run_key(r);
	uint16_t vlan = be16toh(k.vlan[0].tci) & 0xfff;
	uint32_t to, in = r->state.in_port;

	if (!r->muted && !(k.eth_src.b[0] & 1) && model_port(r->m, in) &&
	    model_mac_port(r->m, vlan, k.eth_src) != in && r->out->nnews < MODEL_HITS_MAX)
		r->out->news[r->out->nnews++] =
		        (struct model_mac){.vlan = vlan, .mac = k.eth_src, .port = in};
	r->out->cost++;
	if (is_link_local(k.eth_dst))
		return;
	to = k.eth_dst.b[0] & 1 ? PORT_ANY : model_mac_port(r->m, vlan, k.eth_dst);
	if (!model_port(r->m, to))
		flood(r, false);
	else if (to != in)
		send(r, to, 0);
}

static void to_controller(struct run *r, uint16_t max_len, uint16_t controller_id, uint8_t reason)
{
	const struct model_port *in = model_port(r->m, r->came_in);
	struct model_event *e;

	r->out->cost++;
	if (r->muted || (in && in->config & 1 << 6 /* NO_PACKET_IN */))
		return;
	e = leave(r);
	e->to_controller = true;
	e->place = (struct model_place){
	        .cookie = r->rule ? r->rule->cookie : UINT64_MAX,
	        .state = r->state,
	        .max_len = max_len,
	        .controller_id = controller_id,
	        .table_id = r->table_id,
	        .reason = reason,
	};
	model_finish(&e->frame);
}

static bool is_miss_rule(const struct model_rule *r)
{
	static const struct match everything;

	return r && !r->priority && !memcmp(&r->match, &everything, sizeof(everything));
}

static void output(struct run *r, uint32_t port, uint32_t max_len, uint16_t controller_len)
{
	if (port == PORT_IN_PORT)
		send(r, r->state.in_port, max_len);
	else if (port == PORT_TABLE)
		run_table(r, 0, r->state.in_port, false);
	else if (port == PORT_FLOOD || port == PORT_ALL)
		flood(r, port == PORT_ALL);
	else if (port == PORT_NORMAL)
		normal(r);
	else if (port == PORT_CONTROLLER)
		to_controller(r, controller_len, 0, is_miss_rule(r->rule) ? REASON_MISS : REASON_ACTION);
	else if (port != r->state.in_port)
		send(r, port, max_len);
}

void run_ttl_expired(struct run *r, const uint16_t *ids, unsigned n)
{
	static const uint16_t everybody = 0;

	if (!n) {
		ids = &everybody;
		n = 1;
	}
	while (n--)
		to_controller(r, UINT16_MAX, *ids++, REASON_TTL);
	r->over = true;
}

/* The port a subfield names; 16 bits are as in OpenFlow 1.0. */
static uint32_t port_in(const struct run *r, const struct subfield *s)
{
	struct field_value value = run_read(r, s);
	uint32_t port = (uint32_t)value_to_u64(&value);

	return port >= 0xff00 && port <= 0xffff ? port | 0xffff0000 : port;
}

void run_output(struct run *r, const struct action *a)
{
	switch (a->type) {
	case ACTION_OUTPUT:
		output(r, a->output.port, 0, (uint16_t)a->output.max_len);
		break;
	case ACTION_OUTPUT_TRUNC:
		output(r, a->output.port, a->output.max_len, UINT16_MAX);
		break;
	case ACTION_OUTPUT_REG:
		output(r, port_in(r, &a->output_reg.src), 0, a->output_reg.max_len);
		break;
	case ACTION_BUNDLE:
		output(r, run_bundle(r, &a->bundle), 0, UINT16_MAX);
		break;
	case ACTION_ENQUEUE:
		output(r, a->enqueue.port, 0, UINT16_MAX);
		break;
	default: /* ACTION_CONTROLLER */
		to_controller(r, a->controller.max_len, a->controller.controller_id, a->controller.reason);
	}
}
