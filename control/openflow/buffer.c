/* SPDX-License-Identifier: Apache-2.0 */
/* Growing writer and bounds-checked reader of network-order numbers. Used by every encoder and decoder here.
 */
#include "control/openflow/buffer.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

uint8_t *ofp_put(struct ofp_writer *w, size_t n)
{
	uint8_t *p;

	if (w->failed)
		return NULL;
	if (w->len + n > w->capacity) {
		size_t capacity = w->capacity ? w->capacity * 2 : 256;

		while (capacity < w->len + n)
			capacity *= 2;
		p = realloc(w->data, capacity);
		if (!p) {
			w->failed = true;
			return NULL;
		}
		w->data = p;
		w->capacity = capacity;
	}
	p = w->data + w->len;
	memset(p, 0, n);
	w->len += n;
	return p;
}

void ofp_put_zero(struct ofp_writer *w, size_t n)
{
	ofp_put(w, n);
}

void ofp_put_bytes(struct ofp_writer *w, const void *bytes, size_t n)
{
	uint8_t *p = n ? ofp_put(w, n) : NULL;

	if (p)
		memcpy(p, bytes, n);
}

void ofp_put_u8(struct ofp_writer *w, uint8_t v)
{
	ofp_put_bytes(w, &v, 1);
}

void ofp_put_u16(struct ofp_writer *w, uint16_t v)
{
	v = htobe16(v);
	ofp_put_bytes(w, &v, 2);
}

void ofp_put_u32(struct ofp_writer *w, uint32_t v)
{
	v = htobe32(v);
	ofp_put_bytes(w, &v, 4);
}

void ofp_put_u64(struct ofp_writer *w, uint64_t v)
{
	v = htobe64(v);
	ofp_put_bytes(w, &v, 8);
}

void ofp_put_text(struct ofp_writer *w, const char *text, size_t size)
{
	uint8_t *p = ofp_put(w, size);

	if (p)
		memcpy(p, text, strnlen(text, size - 1));
}

void ofp_put_align(struct ofp_writer *w, size_t start)
{
	ofp_put(w, -(w->len - start) & 7);
}

void ofp_set_u16(struct ofp_writer *w, size_t at, uint16_t v)
{
	v = htobe16(v);
	if (!w->failed)
		memcpy(w->data + at, &v, 2);
}

void ofp_writer_cut(struct ofp_writer *w, size_t len)
{
	w->len = len;
}

void ofp_writer_free(struct ofp_writer *w)
{
	free(w->data);
	*w = (struct ofp_writer){.version = w->version};
}

const uint8_t *ofp_get(struct ofp_reader *r, size_t n)
{
	const uint8_t *p = r->at;

	if (r->failed || (size_t)(r->end - r->at) < n) {
		r->failed = true;
		return NULL;
	}
	r->at += n;
	return p;
}

uint8_t ofp_get_u8(struct ofp_reader *r)
{
	const uint8_t *p = ofp_get(r, 1);

	return p ? *p : 0;
}

uint16_t ofp_get_u16(struct ofp_reader *r)
{
	const uint8_t *p = ofp_get(r, 2);
	uint16_t v = 0;

	if (p)
		memcpy(&v, p, 2);
	return be16toh(v);
}

uint32_t ofp_get_u32(struct ofp_reader *r)
{
	const uint8_t *p = ofp_get(r, 4);
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, 4);
	return be32toh(v);
}

uint64_t ofp_get_u64(struct ofp_reader *r)
{
	const uint8_t *p = ofp_get(r, 8);
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, 8);
	return be64toh(v);
}

struct ofp_reader ofp_get_part(struct ofp_reader *r, size_t n)
{
	const uint8_t *p = ofp_get(r, n);

	if (!p)
		return (struct ofp_reader){r->end, r->end, true, r->version};
	return (struct ofp_reader){p, p + n, false, r->version};
}
