/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of packet_text: the frame that is being built, and the kinds of layers. A kind lays its bytes down
 * with the arguments; when all layers are there, each is finished, the last one first. */
#ifndef TESTS_PKTGEN_PACKET_KINDS_H
#define TESTS_PKTGEN_PACKET_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "tests/pktgen/packet_text.h"

enum { LAYERS_MAX = 16, ARGS_MAX = 16, NO_PROTO = -1 };

struct arg {
	char key[16], value[128];
};

struct layer {
	const struct kind *kind;
	uint32_t ofs; /* in the frame */
	struct arg args[ARGS_MAX];
	unsigned nargs;
};

struct frame_text {
	uint8_t *bytes;
	uint32_t len;
	uint32_t pad; /* bytes at the end that are of no layer */
	struct layer layers[LAYERS_MAX];
	unsigned n;
	struct error *e;
	bool bad;
};

struct kind {
	const char *name;
	uint32_t size;
	uint16_t eth_type; /* what a lower layer calls it, 0: nothing */
	int proto;         /* NO_PROTO: it is not carried by IP */
	void (*lay)(struct frame_text *f, struct layer *l, uint8_t *p);
	void (*finish)(struct frame_text *f, unsigned i, uint8_t *p);
};

/* packet_kinds.c, packet_chain.c; both end with a kind without a name */
extern const struct kind packet_kinds[], packet_chain_kinds[];

/* Arguments of a layer (packet_text.c): what is wrong is told in f->e, and f->bad set. */
const char *arg(const struct layer *l, const char *key);
uint32_t arg_number(struct frame_text *f, const struct layer *l, const char *key, uint32_t missing);
struct mac arg_mac(struct frame_text *f, const struct layer *l, const char *key);
struct ip_addr arg_ip(struct frame_text *f, const struct layer *l, const char *key, bool v4);

static inline uint32_t length_from(const struct frame_text *f, unsigned i)
{
	return f->len - f->pad - f->layers[i].ofs;
}

/* The layer behind, or NULL. */
static inline const struct layer *layer_behind(const struct frame_text *f, unsigned i)
{
	return i + 1 < f->n ? &f->layers[i + 1] : NULL;
}

#endif
