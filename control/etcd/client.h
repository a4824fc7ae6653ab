/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to one member of an etcd cluster at a time, to the next one when that fails.
 *
 * Design: everything goes on in etcd_progress(), which never waits (but to look up a host's name). The
 * connection is ready when the member has answered who the cluster is (identity.h): then it has a leader.
 * What lives as long as the client and needs a stream (watches, a lease) is a part: told when the connection
 * is up or down, and asked when it wants time. etcd_call() waits for one answer and lets everything else go
 * on.
 *
 * Thread-safety: one thread. Life cycle: etcd_create -> etcd_attach its parts -> calls -> etcd_destroy.
 */
#ifndef CONTROL_ETCD_CLIENT_H
#define CONTROL_ETCD_CLIENT_H

#include "base/error.h"
#include "control/etcd/call.h"

enum {
	ETCD_CONNECT_MS = 3000, /* until the connection is ready, or another member is tried */
	ETCD_QUIET_MS = 10000,  /* then a ping; not more often than etcd allows (5 s) */
	ETCD_ANSWER_MS = 5000,  /* to that, or it is dead */
	ETCD_UUID_MAX = 64,
};

struct etcd;
struct tls_files;

struct etcd_part {
	struct etcd_part *next;
	void (*up)(struct etcd_part *part, struct grpc *g);
	void (*down)(struct etcd_part *part); /* the streams are gone already */
	void (*lost)(struct etcd_part *part); /* another cluster, or an older state of it, answers now */
	/* Does what is due; when it wants to be asked again, clock_now(); UINT64_MAX: never. May be NULL. */
	uint64_t (*tick)(struct etcd_part *part, uint64_t now);
	/* Has it something for the owner to take? May be NULL: never. */
	bool (*has_news)(const struct etcd_part *part);
};

/* Does not connect yet. `tls`: NULL for plain TCP. `timeout_ms` bounds each etcd_call. `identity_key` is the
 * key that holds the cluster's uuid. 0 or -errno with `e`. */
int etcd_create(const char *endpoints, const struct tls_files *tls, int timeout_ms, const char *identity_key,
                struct etcd **out, struct error *e);
void etcd_destroy(struct etcd *c);
void etcd_attach(struct etcd *c, struct etcd_part *part);

/* Readable when etcd_progress() has something to do, or a part has got news while somebody waited. */
int etcd_fd(const struct etcd *c);
/* Whoever calls it takes all the news that parts have then. */
void etcd_progress(struct etcd *c);
bool etcd_ready(const struct etcd *c);
/* The cluster's uuid; "" when it was never reached. */
const char *etcd_uuid(const struct etcd *c);
/* The highest revision seen; and that one was. */
int64_t etcd_revision(const struct etcd *c);
void etcd_saw(struct etcd *c, int64_t revision);
/* The connection is of no use (a part's stream ended): the next etcd_progress() goes to another member. */
void etcd_give_up(struct etcd *c, const char *why);

enum etcd_again { ETCD_ONCE, ETCD_AGAIN };

/* Waits for the answer, at most the client's time. ETCD_AGAIN: asking twice does no harm, so it is asked
 * again when the connection breaks. 0: the caller frees `*answer`; -ECOMM: no answer (it may have been done
 * for all that); -ENOMEM; or another errno with etcd's words in `e` (see status_errno in client.c). */
int etcd_call(struct etcd *c, const char *path, const ProtobufCMessage *request,
              const ProtobufCMessageDescriptor *kind, enum etcd_again again, ProtobufCMessage **answer,
              struct error *e);
/* One turn of waiting, for who waits for something else than an answer or the owner's news: until there is
 * something to do for the client itself, or `until` (0: it does not wait). */
void etcd_wait(struct etcd *c, uint64_t until);

#endif
