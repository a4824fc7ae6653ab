/* SPDX-License-Identifier: Apache-2.0 */
/* A key of the store as an agent holds it: parsed once, with the version of what it says. */
#ifndef CONTROL_AGENT_VIEW_KEY_H
#define CONTROL_AGENT_VIEW_KEY_H

#include <jansson.h>
#include <stdint.h>

struct view_part;

enum { KEY_STEPS = 4 };

struct view_key {
	const char *key, *value;   /* in `text` */
	uint16_t steps[KEY_STEPS]; /* where in `key` each begins: "n", "5001", "p", "acme.web1"; or its end */
	void *object;              /* of a key that holds an object (control/tenancy/keys.h), else NULL */
	json_t *json;              /* of any other, if it is JSON */
	uint64_t version;          /* another one for every value that any key of the view ever had */
	/* for view_parts.c */
	struct view_part **wants;
	unsigned n_wants;
	unsigned load; /* the reading that it was last seen in */
	char text[];
};

/* What begins with step `n` of the key: "acme.web1" with the third of "n/5001/p/acme.web1", counted from 0;
 * "" when it has fewer. */
static inline const char *view_key_step(const struct view_key *k, unsigned n)
{
	return k->key + k->steps[n];
}

/* A value that cannot be read is logged. NULL: no memory. */
struct view_key *view_key_create(const char *key, const char *value);
void view_key_free(void *k);

/* Calls `want` with each prefix that the agent of `host` has to know because of this key, until it returns
 * non-zero, which is returned. */
int view_key_wants(const struct view_key *k, const char *host, int (*want)(const char *prefix, void *arg),
                   void *arg);

#endif
