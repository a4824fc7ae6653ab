/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-copy-update between the control thread (one writer) and the workers (readers), on rte_rcu_qsbr.
 *
 * Design: the control thread publishes with rcu_assign() and hands what it took away to rcu_defer(); the
 * callback runs in the control thread once every online worker has passed a quiescent state. Nothing ever
 * blocks: the event loop calls rcu_poll() whenever it wakes, and at least every millisecond while
 * rcu_pending().
 *
 * Thread-safety: rcu_defer/poll/pending/synchronize: control thread. rcu_quiescent/online/offline: the worker
 * itself.
 */
#ifndef BASE_DP_RCU_H
#define BASE_DP_RCU_H

#include <stdbool.h>
#include <stdint.h>

enum { WORKERS_MAX = 32 };

#define rcu_assign(pointer, value) __atomic_store_n(&(pointer), (value), __ATOMIC_RELEASE)
#define rcu_read(pointer) __atomic_load_n(&(pointer), __ATOMIC_ACQUIRE)

/* Once per process, after rte_eal_init. 0 or -errno. */
int rcu_init(void);
void rcu_exit(void);

/* The worker `id` (< WORKERS_MAX) starts or ends reading; registering puts it online. */
void rcu_worker_register(unsigned id);
void rcu_worker_unregister(unsigned id);
void rcu_online(unsigned id);
void rcu_offline(unsigned id);
/* Between batches: the worker holds no reference to anything published. */
void rcu_quiescent(unsigned id);

/* Calls fn(arg) in the control thread after a grace period. Calls keep their order. Never runs fn inside
 * rcu_defer. */
void rcu_defer(void (*fn)(void *arg), void *arg);
/* Runs the callbacks whose grace period is over; returns how many ran. */
unsigned rcu_poll(void);
bool rcu_pending(void);
/* Waits for everything deferred so far, running the callbacks. For start-up, tests and shutdown only. */
void rcu_synchronize(void);

#endif
