/* SPDX-License-Identifier: Apache-2.0 */
/* The store in an etcd cluster, through control/etcd: watches, waiting, the leased key; see store.h. Opened
 * by weft-agent and by the tenant commands of weft. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/etcd/lease.h"
#include "control/etcd/watch.h"
#include "control/store/etcd_store.h"

/* ---- watches ---- */

static int etcd_watch(struct store *store, const char *prefix, int64_t from, uint64_t *watch, struct error *e)
{
	char end[STORE_KEY_MAX];
	int64_t id;

	store_prefix_end(prefix, end);
	etcd_saw(etcd_store_of(store)->etcd, from - 1);
	id = watch_add(etcd_store_of(store)->watches, prefix, end, from);
	if (id < 0)
		return error_set(e, ENOMEM, "out of memory");
	*watch = (uint64_t)id;
	return 0;
}

static void etcd_unwatch(struct store *store, uint64_t watch)
{
	watch_remove(etcd_store_of(store)->watches, (int64_t)watch);
}

static int etcd_store_fd(const struct store *store)
{
	return etcd_fd(etcd_store_of(store)->etcd);
}

/* 1: told; 0: not a text, passed over; or -ENOMEM. */
static int tell(struct etcd_store *s, const struct watch_event *ev, struct store_event *out)
{
	static const enum store_event_type types[] = {[WATCH_PROGRESS] = STORE_PROGRESS,
	                                              [WATCH_COMPACTED] = STORE_COMPACTED,
	                                              [WATCH_LOST] = STORE_LOST};
	const Etcd__KeyValue *kv = ev->event ? ev->event->kv : NULL;
	bool bad = false;

	out->key[0] = '\0';
	out->watch = (uint64_t)ev->watch;
	out->rev = ev->revision;
	if (!kv) {
		out->type = types[ev->type];
		return 1;
	}
	etcd_saw(s->etcd, ev->revision);
	if (kv->key.len >= sizeof(out->key) || memchr(kv->key.data, 0, kv->key.len))
		return 0;
	memcpy(out->key, kv->key.data, kv->key.len);
	out->key[kv->key.len] = '\0';
	out->type = ev->event->type == ETCD__EVENT__TYPE__DELETE ? STORE_DELETE : STORE_PUT;
	if (out->type == STORE_DELETE)
		return 1;
	out->value = s->value = etcd_text(&kv->value, STORE_TXN_SIZE_MAX + 1, &bad);
	return out->value ? 1 : bad ? 0 : -ENOMEM;
}

static int etcd_next(struct store *store, struct store_event *out, struct error *e)
{
	struct etcd_store *s = etcd_store_of(store);
	struct watch_event ev;
	int rc = 0;

	free(s->value);
	s->value = out->value = NULL;
	while (!rc) {
		if (!watches_next(s->watches, &ev)) {
			etcd_progress(s->etcd);
			if (!watches_next(s->watches, &ev))
				return 0;
		}
		rc = tell(s, &ev, out);
	}
	return rc < 0 ? error_set(e, ENOMEM, "out of memory") : rc;
}

static int etcd_wait_for_change(struct store *store, const char *prefix, int64_t after, int timeout_ms,
                                struct error *e)
{
	struct etcd_store *s = etcd_store_of(store);
	uint64_t until = clock_now() + (uint64_t)timeout_ms * CLOCK_MS, watch = 0;
	bool any = false;
	int rc = etcd_watch(store, prefix, after + 1, &watch, e);

	if (rc)
		return rc;
	watch_only_notice(s->watches, (int64_t)watch, &any);
	etcd_wait(s->etcd, 0);
	while (!any && clock_now() < until)
		etcd_wait(s->etcd, until);
	watch_remove(s->watches, (int64_t)watch);
	return any ? 0 : error_set(e, ETIMEDOUT, "nothing has changed");
}

/* ---- the rest ---- */

static int etcd_compact(struct store *store, int64_t rev, struct error *e)
{
	struct etcd_store *s = etcd_store_of(store);
	Etcd__CompactionRequest request = ETCD__COMPACTION_REQUEST__INIT;
	ProtobufCMessage *answer = NULL;
	int rc;

	request.revision = rev;
	rc = etcd_call(s->etcd, "/etcdserverpb.KV/Compact", &request.base,
	               &etcd__compaction_response__descriptor, ETCD_AGAIN, &answer, e);
	if (rc == -ERANGE)
		return strstr(e->text, "future") ? -EINVAL : 0; /* or it was compacted already */
	if (!rc)
		protobuf_c_message_free_unpacked(answer, NULL);
	return rc;
}

static int etcd_keep(struct store *store, const char *key, const char *value, unsigned seconds,
                     struct error *e)
{
	struct etcd_store *s = etcd_store_of(store);

	if (s->lease)
		return error_set(e, EEXIST, "there is a leased key already");
	s->lease = lease_create(s->etcd, key, value, seconds);
	return s->lease ? 0 : error_set(e, ENOMEM, "out of memory");
}

static bool etcd_store_ready(const struct store *store)
{
	return etcd_ready(etcd_store_of(store)->etcd);
}

static const char *etcd_store_uuid(struct store *store)
{
	return etcd_uuid(etcd_store_of(store)->etcd);
}

static void etcd_close(struct store *store)
{
	struct etcd_store *s = etcd_store_of(store);

	lease_destroy(s->lease);
	watches_destroy(s->watches);
	etcd_destroy(s->etcd);
	free(s->value);
	free(s);
}

static const struct store_ops ops = {
        .range = etcd_range,
        .txn = etcd_txn,
        .watch = etcd_watch,
        .unwatch = etcd_unwatch,
        .fd = etcd_store_fd,
        .next = etcd_next,
        .wait = etcd_wait_for_change,
        .keep = etcd_keep,
        .compact = etcd_compact,
        .ready = etcd_store_ready,
        .uuid = etcd_store_uuid,
        .close = etcd_close,
};

int store_open_etcd(const char *endpoints, const struct tls_files *tls, int timeout_ms, struct store **out,
                    struct error *e)
{
	struct etcd_store *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	s->store.ops = &ops;
	rc = etcd_create(endpoints, tls, timeout_ms, STORE_UUID_KEY, &s->etcd, e);
	if (rc) {
		free(s);
		return rc;
	}
	s->watches = watches_create(s->etcd);
	if (!s->watches) {
		etcd_close(&s->store);
		return error_set(e, ENOMEM, "out of memory");
	}
	*out = &s->store;
	return 0;
}
