/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of control/store/store.h as a list of tests, for every implementation. Each wants a store
 * without keys under /t/ and says what is wrong through Criterion. Revisions are compared with each other
 * only, so that a store may have a past; nobody else writes to it meanwhile. */
#ifndef TESTS_LIB_STORE_CONTRACT_H
#define TESTS_LIB_STORE_CONTRACT_H

#include "control/store/store.h"

enum { CONTRACT_WAIT_MS = 60000 };

extern void (*const store_contract[])(struct store *s);       /* ends with NULL */
extern void (*const store_watch_contract[])(struct store *s); /* the same, for stores that can be watched */

/* One key (value NULL: it goes). As store_txn(). */
int store_put(struct store *s, const char *key, const char *value, int64_t *rev);
/* The same on condition; expects that -EAGAIN names the key. */
int store_put_if(struct store *s, const char *key, int64_t mod_rev, const char *value, int64_t *rev);

/* "k=v@rev k=v@rev" of ranges, revisions relative to `base`. */
void store_expect_range(struct store *s, const char *const *prefixes, size_t n, int64_t base,
                        const char *want);
#define PREFIXES(...) ((const char *[]){__VA_ARGS__}), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)

/* Waits for events that read " +key=value@rev -key@rev compacted lost" (progress is not shown) and that no
 * more come; revisions relative to `base`. */
void store_expect_events(struct store *s, int64_t base, const char *want);

#endif
