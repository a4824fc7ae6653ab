/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two ends of every OpenFlow byte: a writer that grows and a reader that cannot leave its bounds.
 *
 * Both are sticky: after the first failure (no memory; too few bytes) later calls do nothing or return zero,
 * and the caller asks once at the end. Numbers are host order outside, network order inside. Both know for
 * which version of OpenFlow the bytes are, so that a codec which differs between versions asks them.
 *
 * Thread-safety: none, each belongs to who made it. Life cycle: a writer's bytes are freed by
 * ofp_writer_free(); a reader borrows its own.
 */
#ifndef CONTROL_OPENFLOW_BUFFER_H
#define CONTROL_OPENFLOW_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers of the wire. 0, as in a zeroed writer, means 1.3. */
enum { OFP_VERSION_10 = 1, OFP_VERSION_13 = 4, OFP_VERSION_14 = 5 };

struct ofp_writer { /* zero-initialised is empty; ofp_writer_free() at the end */
	uint8_t *data;
	size_t len, capacity;
	bool failed;
	uint8_t version;
};

/* Room for `n` zero bytes at the end; NULL when there is no memory. Valid until the next put. */
uint8_t *ofp_put(struct ofp_writer *w, size_t n);
void ofp_put_zero(struct ofp_writer *w, size_t n);
void ofp_put_bytes(struct ofp_writer *w, const void *bytes, size_t n);
void ofp_put_u8(struct ofp_writer *w, uint8_t v);
void ofp_put_u16(struct ofp_writer *w, uint16_t v);
void ofp_put_u32(struct ofp_writer *w, uint32_t v);
void ofp_put_u64(struct ofp_writer *w, uint64_t v);
/* `size` bytes: the text, cut so that a NUL remains, then zeros. */
void ofp_put_text(struct ofp_writer *w, const char *text, size_t size);
/* Zeros until the length since `start` is a multiple of 8. */
void ofp_put_align(struct ofp_writer *w, size_t start);
/* Overwrites two bytes that were put before. */
void ofp_set_u16(struct ofp_writer *w, size_t at, uint16_t v);
/* Takes the last bytes off again, back to `len`. */
void ofp_writer_cut(struct ofp_writer *w, size_t len);
/* Empty again, for the same version. */
void ofp_writer_free(struct ofp_writer *w);

struct ofp_reader {
	const uint8_t *at, *end;
	bool failed;
	uint8_t version;
};

static inline struct ofp_reader ofp_reader_of(const void *bytes, size_t n)
{
	return (struct ofp_reader){bytes, n ? (const uint8_t *)bytes + n : bytes, false, 0};
}

static inline size_t ofp_left(const struct ofp_reader *r)
{
	return r->failed ? 0 : (size_t)(r->end - r->at);
}

/* The next `n` bytes, or NULL. */
const uint8_t *ofp_get(struct ofp_reader *r, size_t n);
uint8_t ofp_get_u8(struct ofp_reader *r);
uint16_t ofp_get_u16(struct ofp_reader *r);
uint32_t ofp_get_u32(struct ofp_reader *r);
uint64_t ofp_get_u64(struct ofp_reader *r);
static inline void ofp_skip(struct ofp_reader *r, size_t n)
{
	ofp_get(r, n);
}
/* A reader over the next `n` bytes, for the same version, which are passed over here. Failed from the start
 * when there are fewer.
 */
struct ofp_reader ofp_get_part(struct ofp_reader *r, size_t n);

#endif
