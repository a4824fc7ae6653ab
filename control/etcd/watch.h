/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches: all changes under a prefix from a revision on, in order and once, whatever happens to connections.
 *
 * Design: all watches share one stream. A watch remembers how far its events were received; on a fresh
 * connection it is made again from there. etcd may cut what belongs to one revision (`fragment`): then the
 * revision is asked for again and what was received of it is passed over (etcd repeats a revision in the same
 * order). Events wait in a queue; when more than WATCH_QUEUE_MAX bytes wait, the stream is put on hold.
 *
 * Thread-safety: one thread. Life cycle: watches_create -> watch_add -> watches_next -> watch_remove ->
 * watches_destroy, before the client is destroyed.
 */
#ifndef CONTROL_ETCD_WATCH_H
#define CONTROL_ETCD_WATCH_H

#include "control/etcd/client.h"
#include "control/etcd/etcd.pb-c.h"

enum { WATCH_QUEUE_MAX = 4 << 20 };

struct watches;

enum watch_event_type {
	WATCH_EVENT,
	WATCH_PROGRESS,  /* all events up to `revision` have been told */
	WATCH_COMPACTED, /* over: the events are forgotten, or etcd has ended it */
	WATCH_LOST,      /* all watches are over: etcd_part's lost() */
};

struct watch_event {
	enum watch_event_type type;
	int64_t watch, revision;
	const Etcd__Event *event; /* of WATCH_EVENT; valid until the next watches_next() */
};

/* NULL: no memory. */
struct watches *watches_create(struct etcd *c);
void watches_destroy(struct watches *w); /* NULL is legal */

/* Keys in [key, end) with a revision of `from` or more. The watch's number, above 0, or -ENOMEM. */
int64_t watch_add(struct watches *w, const char *key, const char *end, int64_t from);
void watch_remove(struct watches *w, int64_t watch);
/* From now on, nothing of this watch is queued; `*any` becomes true at its first event or its end. */
void watch_only_notice(struct watches *w, int64_t watch, bool *any);
/* True: an event. Does not read from the connection. */
bool watches_next(struct watches *w, struct watch_event *out);

#endif
