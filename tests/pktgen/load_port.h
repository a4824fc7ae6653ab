/* SPDX-License-Identifier: Apache-2.0 */
/* One guest of a load: rings whose descriptors are bound to prefilled buffers. Used by load.c. */
#ifndef TESTS_PKTGEN_LOAD_PORT_H
#define TESTS_PKTGEN_LOAD_PORT_H

#include "tests/lib/vhost_frontend.h"
#include "tests/pktgen/load_frame.h"

/* Which flow is next. */
struct load_flows {
	enum load_pattern pattern;
	uint32_t n, base;
	uint64_t random;
	uint32_t *zipf; /* sampled table */
};

enum { LOAD_ZIPF_TABLE = 1 << 16 };

bool load_flows_init(struct load_flows *f, const struct load_stream_options *o, uint64_t seed);

static inline uint64_t load_random(struct load_flows *f)
{
	uint64_t x = f->random;

	f->random = x * 6364136223846793005ull + 1442695040888963407ull;
	return x ^ x >> 29;
}

static inline uint32_t load_flow_next(struct load_flows *f)
{
	uint32_t r;

	if (f->n == 1 && f->pattern == LOAD_UNIFORM)
		return 0;
	if (f->pattern == LOAD_ONCE)
		return f->base++;
	r = (uint32_t)(load_random(f) >> 16);
	if (f->pattern == LOAD_ZIPF)
		return f->zipf[r % LOAD_ZIPF_TABLE];
	return f->base + (uint32_t)((uint64_t)r * f->n >> 32);
}

/* Transmit: slot k holds the packet of the ring's k-th chain. */
struct load_slot {
	uint8_t *frame;
	uint32_t sum;
	uint32_t len;
};

struct load_tx {
	struct frontend *f;
	struct frontend_ring *r;
	const struct load_stream_options *o;
	struct load_flows flows;
	struct load_frame where;
	uint8_t *payload;
	struct load_slot *slots;
	uint16_t chains; /* a power of two */
	uint16_t limit;  /* of those under way: fewer with a rate, so that a receiver has room for them all */
	uint64_t sent, kicks;
	uint64_t *sent_at; /* by sequence % LOAD_TIMES: TSC; NULL: not timed */
	uint64_t visited, began;
	double credit;
	uint64_t credited;
};

enum { LOAD_TIMES = 1 << 16 };

enum { LOAD_OUTER_PORTS = 65536 / 64 };

struct load_arrivals {       /* of one tenant at one port */
	uint64_t seen, next; /* frames looked at; sequence expected */
	uint64_t reordered, corrupt;
	uint64_t bad_outer;
	uint64_t ports[LOAD_OUTER_PORTS]; /* a bit for each outer source port */
};

struct load_rx {
	struct frontend *f;
	struct frontend_ring *r;
	bool merged; /* a packet may take several buffers */
	uint64_t packets, bytes;
	uint64_t visited, last_arrival, gap;
	uint64_t strange; /* not ours: background of the switch, or a leak when it has our magic */
	uint64_t leaks;   /* a tenant that is not sent here */
	struct load_arrivals of[LOAD_STREAMS_MAX];
};

/* Takes the transmit ring over for one stream. False: no memory, or it does not fit. */
bool load_tx_init(struct load_tx *t, struct frontend *f, const struct load_stream_options *o, uint64_t seed);
void load_rx_init(struct load_rx *r, struct frontend *f, bool merged);
void load_tx_free(struct load_tx *t);

/* Fills the ring with at most `max` packets; returns how many. */
unsigned load_tx_visit(struct load_tx *t, unsigned max);

/* What is to be done with a frame that arrived: `frame` begins with the virtio-net header. */
typedef void load_look(struct load_rx *r, const uint8_t *frame, uint32_t len, void *arg);

/* Takes everything that arrived and gives the buffers back; calls `look` for each `every`-th frame (0: none,
 * 1: all). Returns the number of packets. */
unsigned load_rx_visit(struct load_rx *r, unsigned every, load_look *look, void *arg);

#endif
