/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of flows/dp: how the tables ask a cache how far it has folded. */
#ifndef FLOWS_DP_CACHE_FOLD_H
#define FLOWS_DP_CACHE_FOLD_H

#include <stdint.h>

struct cache;

/* The last fold request that the worker has answered. */
uint32_t cache_fold_id(const struct cache *c);

#endif
