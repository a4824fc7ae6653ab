/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of bytes that grows at its end and is eaten from its start. */
#ifndef CONTROL_ETCD_BYTES_H
#define CONTROL_ETCD_BYTES_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes { /* zero-initialised is empty; bytes_free() at the end */
	uint8_t *data;
	size_t len, capacity;
};

/* 0 or -ENOMEM; then nothing was added. */
static inline int bytes_add(struct bytes *b, const void *from, size_t n)
{
	size_t capacity = b->capacity ? b->capacity : 256;

	while (capacity < b->len + n)
		capacity *= 2;
	if (capacity > b->capacity) {
		uint8_t *data = realloc(b->data, capacity);

		if (!data)
			return -ENOMEM;
		b->data = data;
		b->capacity = capacity;
	}
	if (n)
		memcpy(b->data + b->len, from, n);
	b->len += n;
	return 0;
}

static inline void bytes_free(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){0};
}

static inline void bytes_eat(struct bytes *b, size_t n)
{
	b->len -= n;
	if (!b->len)
		bytes_free(b); /* a large message does not keep its memory */
	else if (n)
		memmove(b->data, b->data + n, b->len);
}

#endif
