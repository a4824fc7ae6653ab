/* SPDX-License-Identifier: Apache-2.0 */
/* The store in etcd, inside: what etcd.c (watches, life), etcd_range.c and etcd_txn.c share. */
#ifndef CONTROL_STORE_ETCD_STORE_H
#define CONTROL_STORE_ETCD_STORE_H

#include <string.h>

#include "control/etcd/client.h"
#include "control/etcd/etcd.pb-c.h"
#include "control/store/store_ops.h"

struct etcd_store {
	struct store store; /* first */
	struct etcd *etcd;
	struct watches *watches;
	struct lease *lease; /* NULL: none is wanted */
	char *value;         /* of the last event */
	size_t written;      /* keys since etcd was last settled: etcd_txn.c */
};

static inline struct etcd_store *etcd_store_of(const struct store *s)
{
	return (struct etcd_store *)s;
}

static inline ProtobufCBinaryData etcd_bytes(const char *text)
{
	return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

/* A copy with a NUL; NULL: no memory, or (`*bad`) it is not a text of less than `max` bytes. */
char *etcd_text(const ProtobufCBinaryData *b, size_t max, bool *bad);

/* As in struct store_ops. */
int etcd_range(struct store *store, const char *const *prefixes, size_t n, struct store_snapshot *out,
               struct error *e);
int etcd_txn(struct store *store, const struct store_txn *txn, int64_t *rev, struct error *e);

#endif
