/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to a cluster; see client.h. Used by control/store/etcd.c. */
#include "control/etcd/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/etcd/endpoints.h"
#include "control/etcd/identity.h"
#include "control/net/tls_context.h"

enum state { AWAY, CONNECTING, ASKING, READY };

enum { AT_ONCE = 1 }; /* a time of the timer: long ago */

struct etcd {
	enum state state;
	struct endpoints endpoints;
	struct tls_context *tls; /* NULL: plain TCP */
	struct grpc *grpc;       /* NULL: AWAY */
	struct identity identity;
	struct etcd_part *parts;
	int timeout_ms;
	int epoll, timer;
	uint32_t wants;  /* what epoll watches the connection for */
	uint64_t alarm;  /* when the timer rings, clock_now(); then until it is set again */
	uint64_t due;    /* AWAY: connect again; CONNECTING, ASKING: give up; READY: look whether it lives */
	uint64_t next;   /* the first of that and of what parts want */
	uint64_t pinged; /* when; clock_now() */
	bool of_no_use;  /* by etcd_give_up(), and why */
	char reason[200];
	char why[256]; /* the last failure, with the member's name */
	char uuid[ETCD_UUID_MAX];
	int64_t revision;
};

/* ---- up and down ---- */

static void fail(struct etcd *c, const char *why)
{
	const struct endpoint *at = endpoints_now(&c->endpoints);
	bool was_ready = c->state == READY;

	snprintf(c->why, sizeof(c->why), "etcd at %.100s:%s: %.130s", at->host, at->port, why);
	if (was_ready)
		log_warn("%s", c->why);
	identity_cancel(&c->identity);
	c->state = AWAY; /* before the streams end: nothing is started anew on this connection */
	if (c->grpc)
		epoll_ctl(c->epoll, EPOLL_CTL_DEL, grpc_fd(c->grpc), NULL);
	grpc_close(c->grpc, why);
	c->grpc = NULL;
	c->of_no_use = false;
	for (struct etcd_part *p = c->parts; p && was_ready; p = p->next)
		p->down(p);
	c->due = clock_now() + endpoints_failed(&c->endpoints) * CLOCK_MS;
}

static void on_unknown(struct identity *i, const char *why)
{
	etcd_give_up(i->owner, why);
}

static void on_known(struct identity *i)
{
	struct etcd *c = i->owner;
	bool other = (*c->uuid && strcmp(c->uuid, i->uuid) != 0) || i->revision < c->revision;

	memcpy(c->uuid, i->uuid, sizeof(c->uuid));
	if (other) {
		log_warn("etcd: another store, or an older state of it, answers now");
		c->revision = 0;
	}
	etcd_saw(c, i->revision);
	for (struct etcd_part *p = c->parts; p && other; p = p->next)
		p->lost(p);
	endpoints_worked(&c->endpoints);
	c->state = READY;
	c->pinged = 0;
	c->due = clock_now() + ETCD_QUIET_MS * CLOCK_MS;
	for (struct etcd_part *p = c->parts; p; p = p->next)
		p->up(p, c->grpc);
}

static void begin(struct etcd *c)
{
	const struct endpoint *to = endpoints_now(&c->endpoints);
	struct epoll_event ev = {.events = EPOLLOUT};
	struct error e;

	if (grpc_connect(to->host, to->port, c->endpoints.turn / c->endpoints.n, c->tls, &c->grpc, &e)) {
		fail(c, e.text);
		return;
	}
	c->state = CONNECTING;
	c->wants = EPOLLOUT;
	c->due = clock_now() + ETCD_CONNECT_MS * CLOCK_MS;
	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, grpc_fd(c->grpc), &ev))
		fail(c, strerror(errno));
}

/* ---- going on ---- */

/* Silence: first a ping, then it is dead. */
static void listen_for_life(struct etcd *c)
{
	uint64_t now = clock_now(), heard = grpc_heard(c->grpc);

	if (c->pinged > heard && now - c->pinged >= ETCD_ANSWER_MS * CLOCK_MS) {
		etcd_give_up(c, "it does not answer any more");
	} else if (c->pinged > heard) {
		c->due = c->pinged + ETCD_ANSWER_MS * CLOCK_MS;
	} else if (now - heard >= ETCD_QUIET_MS * CLOCK_MS) {
		grpc_ping(c->grpc);
		c->pinged = now;
		c->due = now + ETCD_ANSWER_MS * CLOCK_MS;
	} else {
		c->due = heard + ETCD_QUIET_MS * CLOCK_MS;
	}
}

static void go_on(struct etcd *c, uint64_t now)
{
	struct error e;
	int rc = grpc_progress(c->grpc, &e);

	if (rc < 0) {
		fail(c, c->of_no_use ? c->reason : e.text);
		return;
	}
	if (c->state == CONNECTING && rc == 1) {
		c->state = ASKING;
		if (identity_ask(&c->identity, c->grpc))
			etcd_give_up(c, "out of memory");
	} else if (c->state == READY && now >= c->due) {
		listen_for_life(c);
	} else if (c->state != READY && now >= c->due) {
		etcd_give_up(c, c->state == ASKING ? "it has not answered in time" : "timed out");
	}
}

/* Is there something that the owner has to take? */
static bool has_news(const struct etcd *c)
{
	for (const struct etcd_part *p = c->parts; p; p = p->next)
		if (p->has_news && p->has_news(p))
			return true;
	return false;
}

/* What epoll and the timer wait for from now on. */
static void wait_for(struct etcd *c, uint64_t first)
{
	struct itimerspec at = {.it_value = {(time_t)(first / CLOCK_SECOND), (long)(first % CLOCK_SECOND)}};
	struct epoll_event ev = {0};
	short wants;

	if (first != c->alarm) /* a system call at each step otherwise */
		timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &at, NULL);
	c->alarm = first;
	if (!c->grpc)
		return;
	wants = grpc_wants(c->grpc);
	ev.events = (wants & POLLIN ? EPOLLIN : 0u) | (wants & POLLOUT ? EPOLLOUT : 0u);
	if (ev.events != c->wants && !epoll_ctl(c->epoll, EPOLL_CTL_MOD, grpc_fd(c->grpc), &ev))
		c->wants = ev.events;
}

void etcd_progress(struct etcd *c)
{
	uint64_t now = clock_now(), first;
	struct error e;

	if (c->state == AWAY && now >= c->due)
		begin(c);
	if (c->grpc)
		go_on(c, now);
	first = c->due;
	for (struct etcd_part *p = c->parts; p; p = p->next) {
		uint64_t next = p->tick ? p->tick(p, now) : UINT64_MAX;

		if (next < first)
			first = next;
	}
	if (c->of_no_use) {
		fail(c, c->reason);
		first = c->due;
	} else if (c->grpc &&
	           grpc_flush(c->grpc, &e) < 0) { /* not read: what came would wait for nobody's tick */
		fail(c, e.text);
		first = c->due;
	}
	c->next = first ? first : AT_ONCE;
	wait_for(c, c->alarm == AT_ONCE && has_news(c) ? AT_ONCE : c->next);
}

/* For one who waits for something else than news: what comes of them is for the owner to take later. */
static void progress_and_tell(struct etcd *c)
{
	etcd_progress(c);
	if (has_news(c))
		wait_for(c, AT_ONCE);
}

void etcd_give_up(struct etcd *c, const char *why)
{
	if (c->of_no_use || c->state == AWAY)
		return;
	c->of_no_use = true;
	snprintf(c->reason, sizeof(c->reason), "%s", why);
}

/* Not by epoll: as long as there is news its timer rings, and who waits here cannot take it. */
void etcd_wait(struct etcd *c, uint64_t until)
{
	uint64_t now = clock_now(), first = c->next < until ? c->next : until;
	struct pollfd p = {.fd = -1};

	if (c->grpc)
		p = (struct pollfd){.fd = grpc_fd(c->grpc), .events = grpc_wants(c->grpc)};
	if (now < first)
		poll(&p, 1, (int)((first - now) / CLOCK_MS) + 1);
	progress_and_tell(c);
}

/* ---- calls ---- */

static int status_errno(const struct call *c)
{
	switch (c->status) {
	case GRPC_OK:
		return 0;
	case GRPC_INVALID_ARGUMENT:
		return EINVAL;
	case GRPC_PERMISSION_DENIED:
	case GRPC_UNAUTHENTICATED:
		return EACCES;
	case GRPC_OUT_OF_RANGE: /* a revision that is compacted, or not there yet */
		return ERANGE;
	case GRPC_RESOURCE_EXHAUSTED: /* an answer over the limit, or etcd's space is used up */
		return EMSGSIZE;
	case GRPC_UNAVAILABLE:
	case GRPC_DEADLINE_EXCEEDED:
		return ECOMM;
	default:
		return EIO;
	}
}

/* A member says so before it does anything. */
static bool not_done(const struct call *c)
{
	return c->status == GRPC_UNAVAILABLE && strstr(c->text, "no leader");
}

/* One attempt on a connection that is ready. */
static int attempt(struct etcd *c, struct call *call, const char *path, const ProtobufCMessage *request,
                   uint64_t until, struct error *e)
{
	if (call_start(call, c->grpc, path, request))
		return error_set(e, ENOMEM, "out of memory");
	progress_and_tell(c);
	while (call->stream) {
		if (clock_now() >= until) {
			call_cancel(call);
			call->status = GRPC_DEADLINE_EXCEEDED;
			etcd_give_up(c, "it has not answered in time");
			progress_and_tell(c);
			return error_set(e, ECOMM, "%s", c->why);
		}
		etcd_wait(c, until);
	}
	return call->status == GRPC_OK ? 0 : error_set(e, status_errno(call), "etcd: %s", call->text);
}

int etcd_call(struct etcd *c, const char *path, const ProtobufCMessage *request,
              const ProtobufCMessageDescriptor *kind, enum etcd_again again, ProtobufCMessage **answer,
              struct error *e)
{
	uint64_t until = clock_now() + (uint64_t)c->timeout_ms * CLOCK_MS;

	for (;;) {
		struct call call = {.kind = kind};
		int rc;

		progress_and_tell(c);
		while (c->state != READY && clock_now() < until)
			etcd_wait(c, until);
		if (c->state != READY)
			return error_set(e, ECOMM, "%s", *c->why ? c->why : "etcd: no connection in time");
		rc = attempt(c, &call, path, request, until, e);
		*answer = call.answer;
		if (rc != -ECOMM || clock_now() >= until)
			return rc;
		if (call.status == GRPC_UNAVAILABLE && c->state == READY)
			etcd_give_up(c, call.text);
		if (again == ETCD_ONCE && !not_done(&call))
			return rc;
	}
}

/* ---- the rest ---- */

int etcd_create(const char *endpoints, const struct tls_files *tls, int timeout_ms, const char *identity_key,
                struct etcd **out, struct error *e)
{
	struct etcd *c = calloc(1, sizeof(*c));
	struct epoll_event ev = {.events = EPOLLIN};
	int rc;

	if (!c)
		return error_set(e, ENOMEM, "out of memory");
	c->timeout_ms = timeout_ms;
	c->identity =
	        (struct identity){.key = identity_key, .owner = c, .known = on_known, .failed = on_unknown};
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (c->epoll < 0 || c->timer < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->timer, &ev))
		rc = error_set(e, errno, "epoll: %s", strerror(errno));
	else
		rc = endpoints_parse(endpoints, &c->endpoints, e);
	if (!rc && tls)
		rc = tls_context_create(tls, &c->tls, e);
	if (rc) {
		etcd_destroy(c);
		return rc;
	}
	wait_for(c, AT_ONCE);
	*out = c;
	return 0;
}

void etcd_destroy(struct etcd *c)
{
	identity_cancel(&c->identity);
	c->state = AWAY;
	grpc_close(c->grpc, "closed");
	tls_context_free(c->tls);
	if (c->timer >= 0)
		close(c->timer);
	if (c->epoll >= 0)
		close(c->epoll);
	free(c);
}

void etcd_attach(struct etcd *c, struct etcd_part *part)
{
	part->next = c->parts;
	c->parts = part;
	if (c->state == READY)
		part->up(part, c->grpc);
}

int etcd_fd(const struct etcd *c)
{
	return c->epoll;
}

bool etcd_ready(const struct etcd *c)
{
	return c->state == READY;
}

const char *etcd_uuid(const struct etcd *c)
{
	return c->uuid;
}

int64_t etcd_revision(const struct etcd *c)
{
	return c->revision;
}

void etcd_saw(struct etcd *c, int64_t revision)
{
	if (revision > c->revision)
		c->revision = revision;
}
