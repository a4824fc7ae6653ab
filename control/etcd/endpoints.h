/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a cluster and whose turn it is: "a:2379,b:2379,[fd00::1]:2379"; the port may be left out. */
#ifndef CONTROL_ETCD_ENDPOINTS_H
#define CONTROL_ETCD_ENDPOINTS_H

#include <stdint.h>

struct error;

enum { ENDPOINTS_MAX = 16, ENDPOINT_FIRST_MS = 50, ENDPOINT_PAUSE_MS = 4000 };

struct endpoint {
	char host[256], port[6];
};

struct endpoints {
	struct endpoint list[ENDPOINTS_MAX];
	unsigned n, turn;
	unsigned failures; /* without success between them */
};

/* 0 or -EINVAL with `e`. Starts at one of them by chance, so that clients spread. */
int endpoints_parse(const char *text, struct endpoints *out, struct error *e);
static inline const struct endpoint *endpoints_now(const struct endpoints *p)
{
	return &p->list[p->turn % p->n];
}
/* It cannot be used: the next one's turn. Milliseconds to wait before: none within a round, then a time that
 * doubles from ENDPOINT_FIRST_MS to ENDPOINT_PAUSE_MS, of which a part is left to chance. */
unsigned endpoints_failed(struct endpoints *p);
static inline void endpoints_worked(struct endpoints *p)
{
	p->failures = 0;
}

#endif
