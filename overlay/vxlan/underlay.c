/* SPDX-License-Identifier: Apache-2.0 */
/* The remotes of the underlay: which are known, what is published for them, and when they are forgotten.
 * Workers look up; the control thread, through weftd's event loop, does the rest. */
#include "overlay/vxlan/underlay.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <rte_branch_prediction.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "overlay/vxlan/underlay_private.h"

enum {
	MISSES_MS = 5,    /* reports of workers are looked for this often */
	WORK_MS = 5,      /* changes are collected this long */
	WORK_BATCH = 512, /* routes asked for before the loop turns */
	AGE_MS = 1000,
	MTU_MIN = 576, /* RFC 791; below it a tunnel makes no sense */
};
static const uint64_t unused_ns = 300 * CLOCK_SECOND; /* then a remote that nobody holds is forgotten */
static const uint64_t retry_ns = 1 * CLOCK_SECOND;
static const uint64_t idle_retry_ns = 30 * CLOCK_SECOND; /* unresolved, held, but without traffic */

static const struct underlay_path unresolved = {.drop = DROP_TUNNEL_NO_NEIGH};
static const struct underlay_path unreachable = {.drop = DROP_TUNNEL_NO_ROUTE};

/* ---- workers ---- */

static uint32_t bucket_of(const struct underlay *u, const struct pair *pair)
{
	uint64_t words[4];

	memcpy(words, pair, sizeof(words));
	return (uint32_t)hash_words(words, 4, u->seed) & (REMOTE_BUCKETS - 1);
}

static struct remote *find(const struct underlay *u, const struct pair *pair)
{
	struct remote *r = rcu_read(u->buckets[bucket_of(u, pair)]);

	while (r && memcmp(&r->pair, pair, sizeof(*pair)) != 0)
		r = rcu_read(r->next);
	return r;
}

static void report_miss(struct underlay *u, unsigned worker, const struct pair *pair)
{
	struct misses *m = u->misses[worker];
	uint32_t head = m->head;

	if (head - __atomic_load_n(&m->tail, __ATOMIC_ACQUIRE) == MISSES_MAX)
		return;
	m->pairs[head % MISSES_MAX] = *pair;
	__atomic_store_n(&m->head, head + 1, __ATOMIC_RELEASE);
}

const struct underlay_path *underlay_lookup(struct underlay *u, unsigned worker, const struct ip_addr *local,
                                            const struct ip_addr *remote)
{
	struct pair pair = {*local, *remote};
	struct remote *r = find(u, &pair);

	if (unlikely(!r)) {
		report_miss(u, worker, &pair);
		return &unresolved;
	}
	if (!__atomic_load_n(&r->used, __ATOMIC_RELAXED))
		__atomic_store_n(&r->used, 1, __ATOMIC_RELAXED);
	return rcu_read(r->path);
}

/* ---- publishing ---- */

static bool path_is_static(const struct underlay_path *path)
{
	return path == &unresolved || path == &unreachable;
}

static void free_remote(void *arg)
{
	struct remote *r = arg;

	if (!path_is_static(r->path))
		free((void *)r->path);
	free(r);
}

static void publish(struct remote *r, const struct underlay_path *path)
{
	const struct underlay_path *old = r->path;

	rcu_assign(r->path, path);
	if (!path_is_static(old))
		rcu_defer(free, (void *)old);
}

/* Makes the published path say what is known of `r` now. */
static void republish(struct remote *r)
{
	struct underlay_path path, *copy;

	if (r->route.err || r->route.mtu < MTU_MIN) {
		publish(r, &unreachable);
		return;
	}
	if (!r->resolved) {
		publish(r, &unresolved);
		return;
	}
	memset(&path, 0, sizeof(path));
	path_fill(&path, r);
	if (!memcmp(&path, r->path, sizeof(path)))
		return;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return; /* the next change or the retry of ageing comes back here */
	memcpy(copy, &path, sizeof(path));
	publish(r, copy);
}

static void ask(struct underlay *u, struct remote *r)
{
	r->last_ask = clock_now();
	kernel_resolve(u, r);
}

/* Route and neighbour anew. */
static void refresh(struct underlay *u, struct remote *r)
{
	kernel_route(u, &r->pair, &r->route);
	r->resolved = false;
	if (!r->route.err) {
		kernel_neighbour(u, r);
		if (!r->resolved || r->stale)
			ask(u, r);
	}
	republish(r);
}

/* ---- known remotes ---- */

static struct remote *add(struct underlay *u, const struct pair *pair)
{
	uint32_t bucket = bucket_of(u, pair);
	struct remote *r;

	if (u->n == UNDERLAY_REMOTES_MAX) {
		if (!u->full_logged)
			log_warn("underlay: %d remotes are known, no more are taken", UNDERLAY_REMOTES_MAX);
		u->full_logged = true;
		return NULL;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->pair = *pair;
	r->path = &unresolved;
	r->last_used = clock_now();
	r->next = u->buckets[bucket];
	refresh(u, r);
	u->remotes[u->n++] = r;
	rcu_assign(u->buckets[bucket], r);
	return r;
}

static void forget(struct underlay *u, uint32_t index)
{
	struct remote *r = u->remotes[index], **at = &u->buckets[bucket_of(u, &r->pair)];

	while (*at != r)
		at = &(*at)->next;
	rcu_assign(*at, r->next);
	u->ndirty -= r->dirty;
	u->remotes[index] = u->remotes[--u->n];
	u->full_logged = false;
	rcu_defer(free_remote, r);
}

int underlay_hold(struct underlay *u, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct pair pair = {*local, *remote};
	struct remote *r = find(u, &pair);

	if (!r)
		r = add(u, &pair);
	if (!r)
		return -ENOSPC;
	r->holds++;
	return 0;
}

void underlay_release(struct underlay *u, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct pair pair = {*local, *remote};
	struct remote *r = find(u, &pair);

	if (r && r->holds)
		r->holds--;
}

void underlay_poll(struct underlay *u)
{
	for (unsigned w = 0; w < WORKERS_MAX; w++) {
		struct misses *m = u->misses[w];
		uint32_t head = __atomic_load_n(&m->head, __ATOMIC_ACQUIRE);

		while (m->tail != head) {
			struct pair pair = m->pairs[m->tail % MISSES_MAX];

			__atomic_store_n(&m->tail, m->tail + 1, __ATOMIC_RELEASE);
			if (!find(u, &pair))
				add(u, &pair);
		}
	}
}

/* ---- changes ---- */

static void on_work(uv_timer_t *timer)
{
	struct underlay *u = timer->data;
	unsigned left = WORK_BATCH;

	if (u->dump_again && !kernel_dump(u)) {
		u->dump_again = false;
		underlay_all_dirty(u);
	}
	for (uint32_t i = 0; i < u->n && u->ndirty && left; i++) {
		struct remote *r = u->remotes[i];

		if (!r->dirty)
			continue;
		r->dirty = false;
		u->ndirty--;
		left--;
		refresh(u, r);
	}
	if (u->ndirty || u->dump_again)
		uv_timer_start(timer, on_work, u->dump_again ? AGE_MS : 0, 0);
}

static void start_work(struct underlay *u)
{
	if (!uv_is_active((uv_handle_t *)&u->work_timer) && !uv_is_closing((uv_handle_t *)&u->work_timer))
		uv_timer_start(&u->work_timer, on_work, WORK_MS, 0);
}

void underlay_all_dirty(struct underlay *u)
{
	for (uint32_t i = 0; i < u->n; i++)
		u->remotes[i]->dirty = true;
	u->ndirty = u->n;
	start_work(u);
}

void underlay_neighbour_changed(struct underlay *u, int ifindex, const struct ip_addr *next_hop,
                                bool resolved, bool stale, struct mac mac)
{
	for (uint32_t i = 0; i < u->n; i++) {
		struct remote *r = u->remotes[i];

		if (r->route.err || r->route.ifindex != ifindex || !ip_equal(&r->route.next_hop, next_hop))
			continue;
		r->resolved = resolved;
		r->stale = stale;
		r->mac = mac;
		republish(r);
	}
}

static bool same_next_hop(const struct remote *a, const struct remote *b)
{
	return a->route.ifindex == b->route.ifindex && ip_equal(&a->route.next_hop, &b->route.next_hop);
}

/* The kernel does not see that we use its neighbours: it is told, or it would let them go stale and forget
 * them. Behind one gateway (`asked`: whom the last question was for) one question will do. */
static void keep_alive(struct underlay *u, struct remote *r, uint64_t now, bool used, struct remote **asked)
{
	uint64_t wait = used ? retry_ns : idle_retry_ns;

	if (r->route.err || now - r->last_ask < wait || (r->resolved && !(r->stale && used)))
		return;
	if (*asked && same_next_hop(r, *asked)) {
		r->last_ask = now;
		return;
	}
	ask(u, r);
	*asked = r;
}

static void on_age(uv_timer_t *timer)
{
	struct underlay *u = timer->data;
	struct remote *asked = NULL;
	uint64_t now = clock_now();

	for (uint32_t i = u->n; i-- > 0;) {
		struct remote *r = u->remotes[i];
		bool used = __atomic_exchange_n(&r->used, 0, __ATOMIC_RELAXED);

		if (used || r->holds)
			r->last_used = now;
		if (now - r->last_used > unused_ns)
			forget(u, i);
		else
			keep_alive(u, r, now, used, &asked);
	}
}

static void on_misses(uv_timer_t *timer)
{
	underlay_poll(timer->data);
}

static void on_events(uv_poll_t *poll, int status, int events)
{
	struct underlay *u = poll->data;

	kernel_read_events(u);
	if (u->dump_again)
		start_work(u);
}

/* ---- life ---- */

static void underlay_free(struct underlay *u)
{
	kernel_close(u);
	for (uint32_t i = 0; i < u->n; i++)
		free_remote(u->remotes[i]);
	for (unsigned w = 0; w < WORKERS_MAX; w++)
		free(u->misses[w]);
	free(u);
}

static void on_closed(uv_handle_t *handle)
{
	struct underlay *u = handle->data;
	void (*done)(void *arg) = u->done;
	void *arg = u->done_arg;

	if (--u->handles)
		return;
	underlay_free(u);
	if (done)
		done(arg);
}

static int start_watching(struct underlay *u, uv_loop_t *loop)
{
	int err = uv_poll_init(loop, &u->poll, nl_socket_get_fd(u->events));

	if (err)
		return err;
	uv_timer_init(loop, &u->misses_timer);
	uv_timer_init(loop, &u->work_timer);
	uv_timer_init(loop, &u->age_timer);
	u->poll.data = u->misses_timer.data = u->work_timer.data = u->age_timer.data = u;
	u->handles = 4;
	uv_poll_start(&u->poll, UV_READABLE, on_events);
	uv_timer_start(&u->misses_timer, on_misses, MISSES_MS, MISSES_MS);
	uv_timer_start(&u->age_timer, on_age, AGE_MS, AGE_MS);
	return 0;
}

int underlay_create(uv_loop_t *loop, struct underlay **out, struct error *e)
{
	struct underlay *u = calloc(1, sizeof(*u));
	int err = -ENOMEM;

	if (!u)
		return error_set(e, ENOMEM, "underlay: out of memory");
	u->seed = hash_random_seed();
	for (unsigned w = 0; w < WORKERS_MAX; w++) {
		u->misses[w] = aligned_alloc(64, sizeof(struct misses));
		if (!u->misses[w]) {
			error_set(e, ENOMEM, "underlay: out of memory");
			goto err_free;
		}
		memset(u->misses[w], 0, sizeof(struct misses));
	}
	err = kernel_open(u, e);
	if (err)
		goto err_free;
	err = start_watching(u, loop);
	if (err) {
		error_set(e, -err, "underlay: cannot watch netlink: %s", uv_strerror(err));
		goto err_free;
	}
	*out = u;
	return 0;

err_free:
	underlay_free(u);
	return err;
}

void underlay_destroy(struct underlay *u, void (*done)(void *arg), void *arg)
{
	u->done = done;
	u->done_arg = arg;
	uv_close((uv_handle_t *)&u->poll, on_closed);
	uv_close((uv_handle_t *)&u->misses_timer, on_closed);
	uv_close((uv_handle_t *)&u->work_timer, on_closed);
	uv_close((uv_handle_t *)&u->age_timer, on_closed);
}

/* ---- questions ---- */

bool underlay_is_local(const struct underlay *u, const struct ip_addr *a)
{
	for (uint32_t i = 0; i < u->naddresses; i++)
		if (ip_equal(&u->addresses[i].ip, a))
			return true;
	return false;
}

/* Between the outer and the inner IP packet's length (RFC 7348 section 5). */
static uint32_t overhead_of(const struct remote *r)
{
	enum {
		UDP_VXLAN_ETHERNET =
		        sizeof(struct udp_header) + sizeof(struct vxlan_header) + sizeof(struct eth_header)
	};

	return UDP_VXLAN_ETHERNET + (ip_is_v4(&r->pair.remote) ? (uint32_t)sizeof(struct ipv4_header)
	                                                       : (uint32_t)sizeof(struct ipv6_header));
}

static json_t *remote_info(const struct remote *r)
{
	char local[IP_TEXT_MAX], remote[IP_TEXT_MAX], next_hop[IP_TEXT_MAX], mac[MAC_TEXT_MAX],
	        dev[IF_NAMESIZE] = "";
	const char *state = r->route.err || r->path == &unreachable ? "no_route"
	                    : !r->resolved                          ? "no_neigh"
	                    : r->stale                              ? "stale"
	                                                            : "resolved";
	json_t *o = json_pack("{s:s, s:s, s:s}", "local", ip_format(&r->pair.local, local), "remote",
	                      ip_format(&r->pair.remote, remote), "state", state);

	if (r->route.err)
		return o;
	if_indextoname((unsigned)r->route.ifindex, dev);
	json_object_set_new(o, "dev", json_string(dev));
	json_object_set_new(o, "next_hop", json_string(ip_format(&r->route.next_hop, next_hop)));
	json_object_set_new(o, "mtu", json_integer(r->route.mtu));
	json_object_set_new(o, "inner_mtu", json_integer((json_int_t)r->route.mtu - overhead_of(r)));
	if (r->resolved)
		json_object_set_new(o, "mac", json_string(mac_format(r->mac, mac)));
	return o;
}

uint32_t underlay_known(const struct underlay *u, const struct ip_addr *local)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < u->n; i++)
		n += ip_equal(&u->remotes[i]->pair.local, local);
	return n;
}

json_t *underlay_info(const struct underlay *u, const struct ip_addr *local, size_t max)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < u->n && json_array_size(list) < max; i++)
		if (ip_equal(&u->remotes[i]->pair.local, local))
			json_array_append_new(list, remote_info(u->remotes[i]));
	return list;
}
