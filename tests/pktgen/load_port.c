/* SPDX-License-Identifier: Apache-2.0 */
/* The rings of a load; see load_port.h. The hot part of weft-pktgen load. */
#include "tests/pktgen/load_port.h"

#include <stdlib.h>

#include <rte_cycles.h>

enum { PIECE = 4096, PUBLISH = 64 };

static const unsigned imix[12] = {64, 570, 64, 570, 64, 1500, 64, 570, 64, 570, 64, 64};

bool load_flows_init(struct load_flows *f, const struct load_stream_options *o, uint64_t seed)
{
	double total = 0, sum = 1;
	uint32_t flow = 0;

	*f = (struct load_flows){.pattern = o->pattern, .n = o->flows, .random = seed * 2 + 1};
	if (o->pattern != LOAD_ZIPF)
		return true;
	f->zipf = malloc(LOAD_ZIPF_TABLE * sizeof(f->zipf[0]));
	if (!f->zipf)
		return false;
	for (uint32_t i = 0; i < o->flows; i++)
		total += 1.0 / (i + 1);
	for (uint32_t i = 0; i < LOAD_ZIPF_TABLE; i++) {
		while (flow + 1 < o->flows && sum < total * (i + 0.5) / LOAD_ZIPF_TABLE)
			sum += 1.0 / (++flow + 1);
		f->zipf[i] = flow;
	}
	return true;
}

/* ---- transmit ---- */

/* Chain `k` of the ring: its descriptors, its frame. Frames larger than a buffer lie across several. */
static void bind_chain(struct load_tx *t, unsigned k, unsigned pieces)
{
	struct frontend *f = t->f;
	struct frontend_ring *r = t->r;
	unsigned size = t->o->size ? t->o->size : imix[k % 12];
	uint8_t *at = r->buffers + (size_t)k * pieces * f->options.stride;
	struct load_slot *slot = &t->slots[k];
	struct vnet_header h;
	uint32_t left;

	slot->frame = at + f->header;
	slot->len = load_frame_build(t->o, t->payload, size, slot->frame, &t->where, &slot->sum);
	load_frame_header(t->o, slot->len, &t->where, &h);
	memcpy(at, &h, f->header);
	left = slot->len + f->header;
	for (unsigned i = 0; i < pieces; i++) {
		uint32_t take = pieces > 1 && left > PIECE ? PIECE : left;
		unsigned d = k * pieces + i;

		r->desc[d] = (struct ring_desc){.addr = frontend_gpa(f, at), .len = take};
		at += take;
		left -= take;
		if (!left)
			break;
		r->desc[d].flags = RING_DESC_NEXT;
		r->desc[d].next = (uint16_t)(d + 1);
	}
}

bool load_tx_init(struct load_tx *t, struct frontend *f, const struct load_stream_options *o, uint64_t seed)
{
	unsigned largest = (o->size ? o->size : 1500) + 64, pieces = 1, chains;

	if (largest > f->options.stride)
		pieces = (largest + PIECE - 1) / PIECE;
	while (pieces * f->options.stride < largest)
		pieces++;
	for (chains = f->options.size; chains * pieces > f->options.size;)
		chains /= 2;
	*t = (struct load_tx){.f = f, .o = o, .r = &f->rings[1], .chains = (uint16_t)chains};
	t->limit = (uint16_t)(o->rate > 0 && chains > 1 ? chains / 2 : chains);
	t->slots = calloc(chains ? chains : 1, sizeof(t->slots[0]));
	t->payload = malloc(LOAD_SIZE_MAX);
	if (!chains || !t->slots || !t->payload || !load_flows_init(&t->flows, o, seed))
		return false;
	load_payload_make(o->tenant, t->payload);
	for (unsigned k = 0; k < chains; k++)
		bind_chain(t, k, pieces);
	for (unsigned i = 0; i < f->options.size; i++)
		t->r->avail->ring[i] = (uint16_t)(i % chains * pieces);
	t->r->avail->flags = RING_NO_INTERRUPT;
	return true;
}

void load_tx_free(struct load_tx *t)
{
	free(t->slots);
	free(t->payload);
	free(t->flows.zipf);
	free(t->sent_at);
}

static void publish(struct load_tx *t)
{
	__atomic_store_n(&t->r->avail->idx, t->r->next_avail, __ATOMIC_RELEASE);
}

/* The switch may be asleep. */
static void kick_if_asked(struct load_tx *t)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&t->r->used->flags, __ATOMIC_RELAXED) & RING_NO_NOTIFY)
		return;
	frontend_kick(t->f, 1);
	t->kicks++;
}

unsigned load_tx_visit(struct load_tx *t, unsigned max)
{
	struct frontend_ring *r = t->r;
	uint16_t used = __atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE);
	uint16_t flying = (uint16_t)(r->next_avail - used), mask = (uint16_t)(t->chains - 1);
	unsigned room = t->limit > flying ? t->limit - flying : 0, n = room < max ? room : max;
	bool scan = t->o->pattern == LOAD_SCAN;

	for (unsigned i = 0; i < n; i++) {
		struct load_slot *s = &t->slots[r->next_avail & mask];

		if (t->sent_at)
			t->sent_at[t->sent % LOAD_TIMES] = rte_rdtsc();
		if (t->o->fresh)
			memcpy(s->frame + t->where.mark + sizeof(struct load_mark), t->payload,
			       s->len - t->where.mark - sizeof(struct load_mark));
		if (scan)
			load_frame_scan(s->frame, &t->where, s->sum, load_random(&t->flows), t->sent++);
		else
			load_frame_stamp(s->frame, &t->where, s->sum, load_flow_next(&t->flows), t->sent++);
		r->next_avail++;
		if (i % PUBLISH == PUBLISH - 1)
			publish(t);
	}
	if (n) {
		publish(t);
		kick_if_asked(t);
	}
	return n;
}

/* ---- receive ---- */

void load_rx_init(struct load_rx *x, struct frontend *f, bool merged)
{
	*x = (struct load_rx){.f = f, .r = &f->rings[0], .merged = merged};
	x->r->avail->flags = RING_NO_INTERRUPT;
}

static const uint8_t *frame_at(const struct load_rx *x, uint16_t index)
{
	return x->r->buffers + (size_t)(index % x->r->size) * x->f->options.stride;
}

/* Looks at packets of one buffer each, or of as many as their headers say. */
static unsigned look_at(struct load_rx *x, uint16_t to, unsigned every, load_look *look, void *arg)
{
	struct frontend_ring *r = x->r;
	unsigned n = 0;

	while ((int16_t)(to - r->last_used) > 0) {
		const uint8_t *frame = frame_at(x, r->last_used);
		const struct ring_used_entry *e = &r->used->ring[r->last_used % r->size];
		uint16_t buffers = x->merged ? ((const struct vnet_header *)frame)->num_buffers : 1;

		if (every && n % every == 0)
			look(x, frame, e->id == r->last_used % r->size ? e->len : 0, arg);
		n++;
		r->last_used = (uint16_t)(r->last_used + (buffers ? buffers : 1));
	}
	return n;
}

unsigned load_rx_visit(struct load_rx *x, unsigned every, load_look *look, void *arg)
{
	struct frontend_ring *r = x->r;
	uint16_t idx = __atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE);
	uint16_t got = (uint16_t)(idx - r->last_used);
	unsigned n = got;

	if (!got)
		return 0;
	if (x->merged || every) {
		n = look_at(x, idx, every, look, arg);
	} else {
		r->last_used = idx;
	}
	r->next_avail = (uint16_t)(r->next_avail + got);
	__atomic_store_n(&r->avail->idx, r->next_avail, __ATOMIC_RELEASE);
	x->packets += n;
	return n;
}
