/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on field values: 128-bit big-endian numbers, bit 0 the lowest. Used wherever fields are cut or
 * joined. */
#include "flows/field.h"

typedef unsigned __int128 wide; /* a number, not a struct */

static wide load(const struct field_value *v)
{
	uint64_t high, low;

	memcpy(&high, v->b, 8);
	memcpy(&low, v->b + 8, 8);
	return (wide)be64toh(high) << 64 | be64toh(low);
}

static struct field_value store(wide n)
{
	uint64_t high = htobe64((uint64_t)(n >> 64)), low = htobe64((uint64_t)n);
	struct field_value v;

	memcpy(v.b, &high, 8);
	memcpy(v.b + 8, &low, 8);
	return v;
}

static wide ones(unsigned n)
{
	return n >= 128 ? ~(wide)0 : ((wide)1 << n) - 1;
}

bool value_is_zero(const struct field_value *v)
{
	return load(v) == 0;
}

bool value_fits(const struct field_value *v, unsigned bits)
{
	return (load(v) & ~ones(bits)) == 0;
}

struct field_value value_ones(unsigned offset, unsigned n)
{
	return store(offset >= 128 ? 0 : ones(n) << offset);
}

void value_copy_bits(struct field_value *dst, unsigned dst_offset, const struct field_value *src,
                     unsigned src_offset, unsigned n)
{
	wide mask, bits;

	if (!n || dst_offset >= 128 || src_offset >= 128)
		return;
	mask = ones(n) << dst_offset;
	bits = (load(src) >> src_offset) << dst_offset;
	*dst = store((load(dst) & ~mask) | (bits & mask));
}
