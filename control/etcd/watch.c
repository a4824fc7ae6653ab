/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of watches and the queue of its events; see watch.h. Used by control/store/etcd.c. */
#include "control/etcd/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct watch {
	struct watch *next;
	int64_t id;
	char *key, *end;
	int64_t from;       /* the next revision to receive */
	uint64_t got, skip; /* its events that were received, and those that this connection still repeats */
	bool *notice;
};

struct queued {
	struct queued *next;
	Etcd__WatchResponse *response;
	size_t size;  /* bytes on the wire */
	size_t first; /* of its events: those before are known, or told */
};

struct watches {
	struct etcd_part part; /* first */
	struct etcd *client;
	struct grpc_stream *stream; /* NULL: down */
	struct watch *list;
	int64_t last_id;
	bool lost; /* not told yet */
	struct queued *head, **tail;
	struct queued *told; /* the last event is in it */
	size_t bytes;        /* in the queue */
};

static struct watch **find(struct watches *w, int64_t id)
{
	struct watch **at = &w->list;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static void drop(struct watch **at)
{
	struct watch *gone = *at;

	*at = gone->next;
	free(gone->key);
	free(gone->end);
	free(gone);
}

/* ---- what goes ---- */

static ProtobufCBinaryData bytes_of(const char *text)
{
	return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

static void send_create(struct watches *w, struct watch *x)
{
	Etcd__WatchCreateRequest create = ETCD__WATCH_CREATE_REQUEST__INIT;
	Etcd__WatchRequest request = ETCD__WATCH_REQUEST__INIT;

	x->skip = x->got;
	create.key = bytes_of(x->key);
	create.range_end = bytes_of(x->end);
	create.start_revision = x->from;
	create.watch_id = x->id;
	create.progress_notify = create.fragment = true;
	request.request_case = ETCD__WATCH_REQUEST__REQUEST_CREATE;
	request.create = &create;
	if (message_send(w->stream, &request.base, false))
		etcd_give_up(w->client, "out of memory");
}

static void send_cancel(struct watches *w, int64_t id)
{
	Etcd__WatchCancelRequest cancel = ETCD__WATCH_CANCEL_REQUEST__INIT;
	Etcd__WatchRequest request = ETCD__WATCH_REQUEST__INIT;

	cancel.watch_id = id;
	request.request_case = ETCD__WATCH_REQUEST__REQUEST_CANCEL;
	request.cancel = &cancel;
	if (message_send(w->stream, &request.base, false))
		etcd_give_up(w->client, "out of memory");
}

/* ---- what comes ---- */

static void queue_free(struct queued *q)
{
	if (!q)
		return;
	etcd__watch_response__free_unpacked(q->response, NULL);
	free(q);
}

/* Consumes `r`. */
static void enqueue(struct watches *w, struct queued *q, Etcd__WatchResponse *r, size_t size, size_t first)
{
	*q = (struct queued){.response = r, .size = size, .first = first};
	*w->tail = q;
	w->tail = &q->next;
	w->bytes += size;
	if (w->bytes > WATCH_QUEUE_MAX)
		grpc_hold(w->stream, true);
}

/* Notes how far the watch has come. The first event of the response that is new. */
static size_t advance(struct watch *x, const Etcd__WatchResponse *r)
{
	size_t known = 0;

	for (size_t i = 0; i < r->n_events; i++) {
		int64_t revision = r->events[i]->kv->mod_revision;

		if (revision == x->from && x->skip) {
			x->skip--;
			known++;
			continue;
		}
		x->got = revision == x->from ? x->got + 1 : 1;
		x->from = revision;
		x->skip = 0;
	}
	if (!r->n_events && r->header->revision >= x->from)
		x->from = r->header->revision; /* progress */
	if (!r->fragment && (r->n_events || r->header->revision == x->from)) {
		x->from++;
		x->got = x->skip = 0;
	}
	return known;
}

static bool sound(const Etcd__WatchResponse *r)
{
	for (size_t i = 0; i < r->n_events; i++)
		if (!r->events[i]->kv)
			return false;
	return r->header;
}

/* What the watch has to be told is queued, the rest is freed. */
static void take(struct watches *w, struct watch *x, Etcd__WatchResponse *r, size_t size)
{
	struct queued *q = malloc(sizeof(*q));
	size_t first;

	if (!q) { /* it will be repeated */
		etcd_give_up(w->client, "out of memory");
		etcd__watch_response__free_unpacked(r, NULL);
		return;
	}
	if (r->canceled)
		log_info("etcd: a watch of %s has ended: %s", x->key,
		         r->compact_revision ? "its revision was compacted" : r->cancel_reason);
	first = r->canceled ? 0 : advance(x, r);
	if (first && first == r->n_events) {
		etcd__watch_response__free_unpacked(r, NULL);
		free(q);
	} else {
		enqueue(w, q, r, size, first);
	}
}

static void on_message(void *arg, const uint8_t *bytes, size_t n)
{
	struct watches *w = arg;
	Etcd__WatchResponse *r = etcd__watch_response__unpack(NULL, n, bytes);
	struct watch *x = r ? *find(w, r->watch_id) : NULL;

	if (!r || !sound(r)) {
		etcd_give_up(w->client, "a watch's event cannot be read");
		x = NULL;
	}
	if (x && x->notice)
		*x->notice |= r->n_events || r->canceled;
	else if (x && (r->canceled || !r->created)) {
		take(w, x, r, n);
		r = NULL;
	}
	if (r)
		etcd__watch_response__free_unpacked(r, NULL);
}

static void on_end(void *arg, enum grpc_status status, const char *text)
{
	struct watches *w = arg;

	w->stream = NULL;
	etcd_give_up(w->client, text);
}

/* ---- as a part of the client ---- */

static void up(struct etcd_part *part, struct grpc *g)
{
	static const struct grpc_events events = {on_message, on_end};
	struct watches *w = (struct watches *)part;

	w->stream = grpc_open(g, "/etcdserverpb.Watch/Watch", &events, w);
	if (!w->stream) {
		etcd_give_up(w->client, "out of memory");
		return;
	}
	for (struct watch *x = w->list; x; x = x->next)
		send_create(w, x);
}

static void down(struct etcd_part *part)
{
	((struct watches *)part)->stream = NULL;
}

static void forget_queue(struct watches *w)
{
	while (w->head) {
		struct queued *q = w->head;

		w->head = q->next;
		queue_free(q);
	}
	w->tail = &w->head;
	w->bytes = 0;
}

static void lost(struct etcd_part *part)
{
	struct watches *w = (struct watches *)part;

	w->lost = w->list;
	while (w->list) {
		if (w->list->notice)
			*w->list->notice = true;
		drop(&w->list);
	}
	forget_queue(w);
}

static bool has_news(const struct etcd_part *part)
{
	const struct watches *w = (const struct watches *)part;

	return w->lost || w->head;
}

/* ---- for the owner ---- */

struct watches *watches_create(struct etcd *c)
{
	struct watches *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->part = (struct etcd_part){.up = up, .down = down, .lost = lost, .has_news = has_news};
	w->client = c;
	w->tail = &w->head;
	etcd_attach(c, &w->part);
	return w;
}

void watches_destroy(struct watches *w)
{
	if (!w)
		return;
	if (w->stream)
		grpc_cancel(w->stream);
	while (w->list)
		drop(&w->list);
	forget_queue(w);
	queue_free(w->told);
	free(w);
}

int64_t watch_add(struct watches *w, const char *key, const char *end, int64_t from)
{
	struct watch *x = calloc(1, sizeof(*x)), **at = &w->list;

	if (!x)
		return -ENOMEM;
	x->id = w->last_id + 1;
	x->key = strdup(key);
	x->end = strdup(end);
	x->from = from;
	x->next = NULL;
	while (*at)
		at = &(*at)->next;
	*at = x;
	if (!x->key || !x->end) {
		drop(at);
		return -ENOMEM;
	}
	w->last_id = x->id;
	if (w->stream)
		send_create(w, x);
	return x->id;
}

void watch_remove(struct watches *w, int64_t id)
{
	struct watch **at = find(w, id);

	if (!*at)
		return;
	drop(at);
	if (w->stream)
		send_cancel(w, id);
}

void watch_only_notice(struct watches *w, int64_t id, bool *any)
{
	struct watch *x = *find(w, id);

	if (x)
		x->notice = any;
}

/* The queue's first response is done with; it stays until the next event because its last one is told. */
static void shift(struct watches *w)
{
	struct queued *q = w->head;

	w->head = q->next;
	if (!w->head)
		w->tail = &w->head;
	w->bytes -= q->size;
	queue_free(w->told);
	w->told = q;
	if (w->stream && w->bytes <= WATCH_QUEUE_MAX)
		grpc_hold(w->stream, false);
}

/* What the first of the queue says next; false: nothing, it is done with. */
static bool tell(struct watches *w, struct queued *q, struct watch_event *out)
{
	const Etcd__WatchResponse *r = q->response;
	struct watch **at = find(w, r->watch_id);

	*out = (struct watch_event){.watch = r->watch_id, .revision = r->header->revision};
	if (!*at)
		return false; /* removed meanwhile */
	if (r->canceled) {
		out->type = WATCH_COMPACTED;
		out->revision = r->compact_revision;
		drop(at);
		return true;
	}
	if (!r->n_events) {
		out->type = WATCH_PROGRESS;
		return true;
	}
	out->event = r->events[q->first];
	out->revision = out->event->kv->mod_revision;
	return true;
}

bool watches_next(struct watches *w, struct watch_event *out)
{
	if (w->lost) {
		w->lost = false;
		*out = (struct watch_event){.type = WATCH_LOST};
		return true;
	}
	while (w->head) {
		struct queued *q = w->head;
		bool any = tell(w, q, out), more = any && out->event && ++q->first < q->response->n_events;

		if (!more)
			shift(w);
		if (any)
			return true;
	}
	return false;
}
