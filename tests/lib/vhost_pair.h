/* SPDX-License-Identifier: Apache-2.0 */
/* A switch of one vhost-user port with a front end that is connected and up, for tests that then do harm. */
#ifndef TESTS_LIB_VHOST_PAIR_H
#define TESTS_LIB_VHOST_PAIR_H

#include "tests/lib/vhost_switch.h"

struct pair {
	struct test_switch *s;
	struct frontend *f;
};

/* Asserts that both come up, and go. */
struct pair pair_new(void);
void pair_free(struct pair p);
/* Asserts that `n` packets go each way and none is lost. */
void pair_expect_traffic(struct pair p, int n);

#endif
