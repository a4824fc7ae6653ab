/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of limits; see lengths.h. Called by shape.c, explore.c and relevance.c. */
#include "flows/dp/lengths.h"

#include <string.h>

void lengths_make_exact(struct lengths *l)
{
	memset(l, 0, sizeof(*l));
	l->exact = 1;
}

void lengths_add(struct lengths *l, uint16_t limit)
{
	unsigned i = 0;

	if (l->exact)
		return;
	while (i < l->n && l->limits[i] < limit)
		i++;
	if (i < l->n && l->limits[i] == limit)
		return;
	if (l->n == LENGTH_LIMITS_MAX) {
		lengths_make_exact(l);
		return;
	}
	memmove(&l->limits[i + 1], &l->limits[i], (l->n - i) * sizeof(l->limits[0]));
	l->limits[i] = limit;
	l->n++;
}

void lengths_join(struct lengths *l, const struct lengths *other)
{
	if (other->exact)
		lengths_make_exact(l);
	for (unsigned i = 0; i < other->n; i++)
		lengths_add(l, other->limits[i]);
}
