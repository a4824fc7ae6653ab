/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that a view holds, in parts that are read and watched each as a whole, and which part is held
 * because of which key.
 *
 * Thread-safety: none. Life cycle: zeroed, `host` filled in -> parts and keys come and go -> every part is
 * freed.
 */
#ifndef CONTROL_AGENT_VIEW_PARTS_H
#define CONTROL_AGENT_VIEW_PARTS_H

#include <stdbool.h>

#include "control/agent/view_key.h"

struct view_part { /* a prefix that is watched; without a '/' at its end it is a key alone */
	char *prefix;
	uint64_t watch;   /* 0: has to be read */
	int64_t from;     /* a watch from here on misses nothing, but may repeat a revision */
	int64_t read;     /* it was read as it was then: what a watch tells of before is old */
	uint64_t changed; /* view_parts.versions when it or one of its keys came, changed or went */
	void *keys;       /* <search.h>, of struct view_key */
	struct view_part *next, **at; /* of all parts, and what points here */
	struct view_part *queue;      /* of those that are to be looked through */
	unsigned users;               /* keys that want it */
	bool wanted;
};

struct view_parts {
	const char *host;       /* whose agent it is */
	void *tree;             /* of struct view_part, by prefix */
	struct view_part *list; /* the one that changed last is the first */
	bool open;              /* something may be wanted that is not there, or there and not wanted */
	uint64_t versions;      /* a number for each change of a key */
	uint64_t dropped;       /* its value when a part went */
	unsigned loads;         /* a number for each reading */
};

/* NULL: it is not held. */
struct view_part *view_parts_find(const struct view_parts *t, const char *prefix);
/* The part that a key belongs to: the key itself, or two steps below the root. NULL: it is not held. */
struct view_part *view_parts_of(const struct view_parts *t, const char *key);
/* Makes it if it is not there. NULL: no memory. */
struct view_part *view_parts_get(struct view_parts *t, const char *prefix);
/* Takes it out, with its keys. */
void view_parts_free(struct view_parts *t, struct view_part *p);

/* 0 or -ENOMEM. */
int view_parts_put(struct view_parts *t, struct view_part *p, const char *key, const char *value);
void view_parts_del(struct view_parts *t, struct view_part *p, const char *key);
/* Drops what a part had before it was read again and has no more. 0 or -ENOMEM. */
int view_parts_tidy(struct view_parts *t, struct view_part *p);
/* What the key wants is not wanted by it any more; for view_part_each(). */
int view_parts_forget(const struct view_key *k, void *arg);

/* Every key of one part, or of all, ascending, until `each` returns non-zero, which is returned. */
int view_part_each(const struct view_part *p, int (*each)(const struct view_key *k, void *arg), void *arg);
int view_parts_each(const struct view_parts *t, int (*each)(const struct view_key *k, void *arg), void *arg);

#endif
