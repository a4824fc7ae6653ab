/* SPDX-License-Identifier: Apache-2.0 */
/* Masked bits written into header bytes, and what that means for a checksum. In registers: what is put
 * together in memory by parts and then read as a whole waits for all stores before it. Used by rewrite.c. */
#ifndef DATAPATH_CHANGE_H
#define DATAPATH_CHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/checksum.h"
#include "flows/field.h"

/* What bytes were and are, as running sums when they are an even number at an even offset. */
struct change {
	uint64_t before, after;
};

/* `n`, always a constant of 1 to 8, bytes as a number whose lowest byte is the first. */
static inline uint64_t change_load(const uint8_t *at, size_t n)
{
	uint64_t eight;
	uint32_t four;
	uint16_t two;

	if (n == 8) {
		memcpy(&eight, at, 8);
		return eight;
	}
	if (n >= 4) {
		memcpy(&four, at, 4);
		return n > 4 ? four | change_load(at + 4, n - 4) << 32 : four;
	}
	if (n >= 2) {
		memcpy(&two, at, 2);
		return n > 2 ? two | (uint64_t)at[2] << 16 : two;
	}
	return *at;
}

static inline void change_store(uint8_t *at, uint64_t number, size_t n)
{
	memcpy(at, &number, n);
}

/* new = (old & ~mask) | (value & mask) for `n` <= 8 bytes at `at` and at the end of 8 of value and mask. */
static inline bool change_word(uint8_t *at, const uint8_t *value, const uint8_t *mask, size_t n,
                               struct change *c)
{
	uint64_t v = change_load(value, 8) >> (64 - 8 * n), m = change_load(mask, 8) >> (64 - 8 * n);

	c->before = change_load(at, n);
	c->after = (c->before & ~m) | (v & m);
	change_store(at, c->after, n);
	return c->before != c->after;
}

/* The same for the low `n` bytes, a constant of 1 to 8 or 16, of a field's value and mask. True when it made
 * a difference. */
static inline bool change_bytes(uint8_t *at, const struct field_value *v, const struct field_value *m,
                                size_t n, struct change *c)
{
	struct change high;
	bool changed;

	if (n <= 8)
		return change_word(at, v->b + 8, m->b + 8, n, c);
	changed = change_word(at, v->b, m->b, 8, &high);
	changed |= change_word(at + 8, v->b + 8, m->b + 8, 8, c);
	c->before = csum_add(c->before, high.before);
	c->after = csum_add(c->after, high.after);
	return changed;
}

#endif
