/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cluster of etcd for a test, in a network namespace that the calling thread enters: the ports are its own.
 * Its members end with the test, however that ends. What cannot be done fails the test.
 */
#ifndef TESTS_LIB_ETCD_H
#define TESTS_LIB_ETCD_H

#include <stdbool.h>
#include <sys/types.h>

#include "control/net/tls_context.h"
#include "control/store/store.h"

enum { ETCD_MEMBERS_MAX = 3 };

struct etcd_cluster {
	unsigned n;
	bool tls;
	pid_t pids[ETCD_MEMBERS_MAX]; /* 0: is not running */
	char dir[64];                 /* data, logs, certificates; in memory: a busy disk would hold up all */
	char endpoints[128];
};

/* `tls`: TLS with client certificates; there are some for root, operator, hv1 and hv2. */
void etcd_cluster_start(struct etcd_cluster *c, unsigned n, bool tls);
void etcd_cluster_stop(struct etcd_cluster *c);

/* One member: kill -9, and its next life; SIGSTOP and SIGCONT. */
void etcd_kill(struct etcd_cluster *c, unsigned i);
void etcd_run(struct etcd_cluster *c, unsigned i);
void etcd_freeze(struct etcd_cluster *c, unsigned i, bool frozen);
/* The data of a member that does not run go: its next life starts from nothing. */
void etcd_forget(struct etcd_cluster *c, unsigned i);
/* The member that leads, as the cluster says. */
unsigned etcd_leader(const struct etcd_cluster *c);
/* etcdctl with the cluster's endpoints, as `root` when there is TLS. Its exit status. */
int etcd_ctl(const struct etcd_cluster *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* control/etcd/weft-etcd-roles with these arguments, as root. Its exit status. */
int etcd_roles(const struct etcd_cluster *c, const char *arguments);

/* A client as `user` (ignored without TLS). `timeout_ms` as for store_open_etcd(). */
struct store *etcd_store(const struct etcd_cluster *c, const char *user, int timeout_ms);

#endif
