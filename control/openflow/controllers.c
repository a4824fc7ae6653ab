/* SPDX-License-Identifier: Apache-2.0 */
/* Controllers that the switch connects to: dialling, pauses between attempts, and what happens when none can
 * be reached. Called by server.c and connection.c; `weft controller` sets and shows them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/openflow/connection.h"

enum { BACKOFF_FIRST_MS = 100, PROBE_FALLBACK_MS = 5000 };

/* ---- one controller ---- */

/* xorshift64: good enough to keep a thousand switches from dialling in step. */
static uint64_t next_random(struct ofp_server *server)
{
	uint64_t x = server->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return server->random = x;
}

/* The next attempt comes after a pause that doubles, give or take a quarter. */
static void pause_before_next(struct controller *c)
{
	uint32_t most = c->server->config.backoff_max_ms;
	uint32_t pause = c->backoff ? c->backoff * 2 : BACKOFF_FIRST_MS;

	c->backoff = pause < most ? pause : most;
	pause = c->backoff - c->backoff / 4 + (uint32_t)(next_random(c->server) % (c->backoff / 2 + 1));
	c->next_try = uv_now(c->server->loop) + (pause < most ? pause : most);
}

static void release(struct controller *c)
{
	struct ofp_server *server = c->server;

	LIST_REMOVE(c, link);
	free(c);
	server_release(server);
}

/* Forgets a controller; its memory stays while a name is being looked up. */
static void controller_remove(struct controller *c)
{
	struct connection *connection = c->connection;

	c->removed = true;
	c->connection = NULL;
	if (connection) {
		connection->controller = NULL;
		connection_close(connection, NULL);
	}
	if (c->looking_up)
		uv_cancel((uv_req_t *)&c->lookup);
	else
		release(c);
}

static void failed(struct controller *c, const struct error *why)
{
	if (strcmp(c->why.text, why->text) != 0)
		log_warn("openflow: controller %s: %s", c->text, why->text);
	c->why = *why;
	pause_before_next(c);
	server_wake(c->server, 0);
}

void controller_lost(struct controller *c, const struct error *why)
{
	bool was_up = c->connection && c->connection->greeted;

	c->connection = NULL;
	if (was_up) {
		c->since = uv_now(c->server->loop);
		c->backoff = 0;
		log_info("openflow: controller %s is gone", c->text);
	}
	failed(c, why);
}

void controller_connected(struct controller *c)
{
	c->since = uv_now(c->server->loop);
	c->backoff = 0;
	c->why.text[0] = 0;
	log_info("openflow: controller %s is connected", c->text);
	server_wake(c->server, 0);
}

static void dial(struct controller *c, const struct sockaddr *address)
{
	struct error e = {""};

	c->connection = connection_dial(c, address, &e);
	if (!c->connection)
		failed(c, &e);
}

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct controller *c = req->data;
	struct error e;

	c->looking_up = false;
	if (c->removed) {
		release(c);
	} else if (status < 0) {
		error_set(&e, EIO, "%s: %s", c->target.host, uv_strerror(status));
		failed(c, &e);
	} else {
		dial(c, found->ai_addr);
		server_wake(c->server, 0);
	}
	uv_freeaddrinfo(found);
}

static void look_up(struct controller *c)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct error e;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", c->target.port);
	c->lookup.data = c;
	rc = uv_getaddrinfo(c->server->loop, &c->lookup, on_looked_up, c->target.host, port, &hints);
	if (rc < 0) {
		error_set(&e, EIO, "%s: %s", c->target.host, uv_strerror(rc));
		failed(c, &e);
	} else {
		c->looking_up = true;
	}
}

static void attempt(struct controller *c)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} at;
	struct error e;

	c->attempts++;
	if (c->target.tls && !c->server->tls) {
		error_set(&e, EINVAL, "needs a private key, a certificate and a CA");
		failed(c, &e);
	} else if (uv_ip4_addr(c->target.host, c->target.port, &at.in) == 0 ||
	           uv_ip6_addr(c->target.host, c->target.port, &at.in6) == 0) {
		dial(c, &at.sa);
	} else {
		look_up(c);
	}
}

/* ---- all of them ---- */

static bool has_controllers(const struct ofp_server *server)
{
	const struct controller *c;

	LIST_FOREACH(c, &server->controllers, link)
	{
		if (!c->removed)
			return true;
	}
	return false;
}

static void set_standalone(struct ofp_server *server, bool on)
{
	if (server->standalone == on)
		return;
	server->standalone = on;
	log_info("openflow: %s", on ? "no controller can be reached, forwarding like a learning switch"
	                            : "forwarding by the flows again");
	server->ops->set_standalone(server->ctx, on);
}

/* Falls over when no controller was there for three probe intervals, one of which a silent peer had, one the
 * echo request, and one the attempts to connect. Returns when to look again. */
static uint64_t check_fail_mode(struct ofp_server *server, uint64_t now)
{
	const struct ofp_controllers_config *config = &server->config;
	uint64_t limit = 3ull * (config->probe_ms ? config->probe_ms : PROBE_FALLBACK_MS);
	bool reachable = false;
	struct controller *c;

	LIST_FOREACH(c, &server->controllers, link)
	reachable |= c->connection && c->connection->greeted;
	if (server->reachable && !reachable)
		server->unreachable_since = now;
	server->reachable = reachable;
	if (reachable || !has_controllers(server) || config->fail_mode != OFP_FAIL_STANDALONE) {
		set_standalone(server, false);
		return UINT64_MAX;
	}
	if (now < server->unreachable_since + limit)
		return server->unreachable_since + limit;
	set_standalone(server, true);
	return UINT64_MAX;
}

uint64_t controllers_check(struct ofp_server *server, uint64_t now)
{
	uint64_t next = check_fail_mode(server, now);
	struct controller *c;

	LIST_FOREACH(c, &server->controllers, link)
	{
		if (c->connection || c->looking_up || c->removed)
			continue;
		if (now >= c->next_try) {
			c->next_try = UINT64_MAX; /* until the attempt has failed */
			attempt(c);
		}
		if (!c->connection && !c->looking_up && c->next_try < next)
			next = c->next_try;
	}
	return next;
}

void controllers_close(struct ofp_server *server)
{
	struct controller *c, *next;

	for (c = LIST_FIRST(&server->controllers); c; c = next) {
		next = LIST_NEXT(c, link);
		controller_remove(c);
	}
}

/* ---- the list ---- */

static struct controller *create(struct ofp_server *server, const char *text, struct error *e)
{
	struct controller *c = calloc(1, sizeof(*c));

	if (!c) {
		error_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	if (ofp_target_parse_active(text, &c->target, e)) {
		free(c);
		return NULL;
	}
	c->server = server;
	c->since = uv_now(server->loop);
	snprintf(c->text, sizeof(c->text), "%s", text);
	return c;
}

static struct controller *find(struct ofp_server *server, const char *text)
{
	struct controller *c;

	LIST_FOREACH(c, &server->controllers, link)
	{
		if (!c->removed && !strcmp(c->text, text))
			return c;
	}
	return NULL;
}

static bool named(const char *const *targets, unsigned n, const char *text)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(targets[i], text))
			return true;
	return false;
}

/* Makes those that are new; all or none. */
static int create_missing(struct ofp_server *server, const char *const *targets, unsigned n,
                          struct controller *fresh[OFP_CONTROLLERS_MAX], unsigned *n_fresh, struct error *e)
{
	if (n > OFP_CONTROLLERS_MAX)
		return error_set(e, E2BIG, "at most %d controllers", OFP_CONTROLLERS_MAX);
	for (unsigned i = 0; i < n; i++) {
		if (named(targets, i, targets[i]))
			return error_set(e, EEXIST, "target '%s': named twice", targets[i]);
		if (find(server, targets[i]))
			continue;
		fresh[*n_fresh] = create(server, targets[i], e);
		if (!fresh[*n_fresh])
			return -EINVAL;
		++*n_fresh;
	}
	return 0;
}

int ofp_server_set_controllers(struct ofp_server *server, const char *const *targets, unsigned n,
                               const struct ofp_controllers_config *config, struct error *e)
{
	struct controller *fresh[OFP_CONTROLLERS_MAX], *c, *next;
	bool had = has_controllers(server);
	unsigned n_fresh = 0;
	int rc = create_missing(server, targets, n, fresh, &n_fresh, e);

	if (rc) {
		while (n_fresh)
			free(fresh[--n_fresh]);
		return rc;
	}
	server->config = *config;
	for (c = LIST_FIRST(&server->controllers); c; c = next) {
		next = LIST_NEXT(c, link);
		if (!c->removed && !named(targets, n, c->text))
			controller_remove(c);
	}
	if (!had)
		server->unreachable_since = uv_now(server->loop);
	while (n_fresh--)
		LIST_INSERT_HEAD(&server->controllers, fresh[n_fresh], link);
	server_wake(server, 0);
	return 0;
}

bool ofp_server_controller(const struct ofp_server *server, unsigned i, struct ofp_controller_status *out)
{
	static const char *const roles[] = {
	        [OFPCR_EQUAL] = "equal", [OFPCR_MASTER] = "master", [OFPCR_SLAVE] = "slave"};
	const struct controller *c;

	LIST_FOREACH(c, &server->controllers, link)
	{
		const struct connection *up = c->connection && c->connection->greeted ? c->connection : NULL;

		if (c->removed || i--)
			continue;
		*out = (struct ofp_controller_status){
		        .target = c->text,
		        .connected = up,
		        .role = up ? roles[up->role] : "",
		        .error = c->why.text,
		        .seconds = (uv_now(server->loop) - c->since) / 1000,
		        .attempts = c->attempts,
		        .packet_ins_lost = up ? up->lost_rate : 0,
		        .lost = up ? up->lost_full : 0,
		};
		return true;
	}
	return false;
}

bool ofp_server_standalone(const struct ofp_server *server)
{
	return server->standalone;
}
