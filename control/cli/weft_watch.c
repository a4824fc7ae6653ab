/* SPDX-License-Identifier: Apache-2.0 */
/* `weft show`, `weft wait`, `weft watch`, `weft host drain`: how things are, and how they become. Called by
 * weft.c's table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/cli/weft_output.h"
#include "control/cli/weft_tenancy.h"
#include "control/tenancy/tenancy_json.h"

enum { FOREVER_MS = 3600 * 1000 };

static const char root[] = KEYS_ROOT;

/* Until something changes after revision `after`, or `until` (clock_now()) is there: 0 or -errno. */
static int await_change(struct store *store, const char *prefix, int64_t after, uint64_t until,
                        struct error *e)
{
	uint64_t now = clock_now();

	if (now >= until)
		return error_set(e, ETIMEDOUT, "timed out");
	return store_wait(store, prefix, after, (int)((until - now) / CLOCK_MS) + 1, e);
}

static uint64_t deadline(const struct weft *w)
{
	return clock_now() + (uint64_t)w->timeout_ms * CLOCK_MS;
}

/* ---- what the hosts tell of a port (keys.h, st/) ---- */

/* Is the guest of the port there, as the host says where it is active? */
static bool is_up(const struct store_snapshot *told, const struct tenant_port *p)
{
	char key[STORE_KEY_MAX], id[ID_MAX];
	bool up = false;

	snprintf(key, sizeof(key), KEYS_ROOT "st/%s/%s", p->n_hosts ? p->hosts[0] : "",
	         id_format(&p->object, id));
	for (size_t i = 0; i < told->n; i++) {
		json_t *value =
		        strcmp(told->kvs[i].key, key) ? NULL : json_loads(told->kvs[i].value, 0, NULL);

		up |= json_is_true(json_object_get(value, "up"));
		json_decref(value);
	}
	return up;
}

static int read_told(struct store *store, struct store_snapshot *told, struct error *e)
{
	static const char *const prefix = KEYS_ROOT "st/";

	return store_range(store, &prefix, 1, told, e);
}

/* ---- show ---- */

struct showing {
	const char *tenant, *host; /* NULL: any */
	const struct store_snapshot *told;
	json_t *rows;
};

static bool is_on(const struct tenant_port *p, const char *host)
{
	for (unsigned i = 0; i < p->n_hosts; i++)
		if (!strcmp(p->hosts[i], host))
			return true;
	return false;
}

static int add_row(void *object, void *arg)
{
	const struct tenant_port *p = object;
	struct showing *x = arg;
	json_t *row;

	if ((x->tenant && strcmp(p->object.tenant, x->tenant) != 0) || (x->host && !is_on(p, x->host)))
		return 0;
	row = json_pack("{s:s, s:s}", "tenant", p->object.tenant, "port", p->object.name);
	json_object_update_new(row, object_write(p));
	json_object_set_new(row, "up", json_boolean(is_up(x->told, p)));
	json_array_append_new(x->rows, row);
	return 0;
}

static const char *const columns[] = {"tenant", "port",   "network", "ips", "mac",
                                      "host",   "groups", "up",      NULL};

static int rows_of(struct store *store, const struct tenancy *t, const char *tenant, const char *host,
                   json_t **rows, struct error *e)
{
	struct store_snapshot told;
	struct showing x = {tenant, host, &told, json_array()};
	int rc = read_told(store, &told, e);

	if (!rc)
		tenancy_each(t, KIND_PORT, add_row, &x);
	if (!rc)
		store_snapshot_free(&told);
	*rows = x.rows;
	return rc;
}

static enum weft_exit show(const struct weft *w, struct store *store, void *arg)
{
	struct error e = {""};
	json_t *rows = NULL;
	struct edit c;
	int rc = edit_begin(&c, store, &e);

	if (!rc && arg && !tenancy_get(&c.before, KIND_TENANT, arg, arg))
		rc = error_set(&e, ENOENT, "there is no tenant %s", (const char *)arg);
	if (!rc)
		rc = rows_of(store, &c.before, arg, NULL, &rows, &e);
	if (!rc)
		weft_print(w, rows, columns);
	json_decref(rows);
	edit_end(&c);
	return rc ? weft_report(rc, &e) : WEFT_OK;
}

enum weft_exit weft_show_tenant(const struct weft *w, int n, char **words)
{
	return weft_with_store(w, show, n ? words[0] : NULL);
}

/* ---- wait ---- */

static enum weft_exit await_port(const struct weft *w, struct store *store, void *arg)
{
	const struct object *name = arg;
	uint64_t until = deadline(w);
	struct tenancy_error e;
	bool up = false;
	int rc = 0;

	while (!rc && !up) {
		const struct tenant_port *p;
		struct store_snapshot told = {0};
		struct edit c;

		rc = edit_begin(&c, store, &e.text);
		p = rc ? NULL : tenancy_get(&c.before, KIND_PORT, name->tenant, name->name);
		if (!rc && !p)
			rc = tenancy_fail(&e, name, "", ENOENT, "there is none");
		if (!rc)
			rc = read_told(store, &told, &e.text);
		up = !rc && p && is_up(&told, p);
		if (!rc && !up)
			rc = await_change(store, root, c.snapshot.rev, until, &e.text);
		store_snapshot_free(&told);
		edit_end(&c);
	}
	if (rc == -ETIMEDOUT)
		tenancy_fail(&e, name, "", ETIMEDOUT, "is not up in time");
	return rc ? weft_report(rc, &e.text) : WEFT_OK;
}

enum weft_exit weft_wait(const struct weft *w, int n, char **words)
{
	struct tenancy_error e;
	struct object name;
	int rc = weft_name(KIND_PORT, words[0], &name, &e);

	if (!weft_option_list(w, "up"))
		rc = error_set(&e.text, EINVAL, "--up: missing; nothing else can be waited for");
	return rc ? weft_report(rc, &e.text) : weft_with_store(w, await_port, &name);
}

/* ---- watch ---- */

struct watching {
	const struct weft *w;
	const struct tenancy *before, *after;
	const char *tenant;
};

static void tell(const struct watching *x, const char *what, const struct object *o, json_t *value)
{
	char name[2 * OBJECT_NAME_MAX + 2];
	json_t *row;

	snprintf(name, sizeof(name), "%s%s%s", o->kind > KIND_TENANT ? o->tenant : "",
	         o->kind > KIND_TENANT ? "/" : "", o->name);
	row = json_pack("{s:s, s:s, s:s, s:o}", "action", what, "object", kind_name(o->kind), "name", name,
	                "value", value);
	if (x->w->json)
		json_dumpf(row, stdout, JSON_COMPACT);
	else
		printf("%s %s %s ", what, kind_name(o->kind), name);
	if (!x->w->json)
		json_dumpf(value, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(row);
}

static int tell_if_new(void *object, void *arg)
{
	const struct watching *x = arg;
	const struct object *o = object, *was = tenancy_get(x->before, o->kind, o->tenant, o->name);

	if (x->tenant && strcmp(x->tenant, o->tenant) != 0)
		return 0;
	if (!was || !object_equal(was, o))
		tell(x, was ? "changed" : "created", o, object_write(o));
	return 0;
}

static int tell_if_gone(void *object, void *arg)
{
	const struct watching *x = arg;
	const struct object *o = object;

	if ((!x->tenant || !strcmp(x->tenant, o->tenant)) &&
	    !tenancy_get(x->after, o->kind, o->tenant, o->name))
		tell(x, "deleted", o, json_null());
	return 0;
}

static void tell_differences(struct watching *x)
{
	for (int k = 0; k < KINDS; k++) {
		tenancy_each(x->before, (enum object_kind)k, tell_if_gone, x);
		tenancy_each(x->after, (enum object_kind)k, tell_if_new, x);
	}
}

/* Starts with what there is, as if it had just been made. */
static enum weft_exit follow(const struct weft *w, struct store *store, void *arg)
{
	struct watching x = {.w = w, .tenant = arg};
	struct error e = {""};
	struct edit last = {0}, now;
	int rc = 0;

	while (!rc && !ferror(stdout)) {
		rc = edit_begin(&now, store, &e);
		x.before = &last.before;
		x.after = &now.before;
		if (!rc)
			tell_differences(&x);
		edit_end(&last);
		last = now;
		fflush(stdout);
		while (!rc && !ferror(stdout)) {
			rc = await_change(store, root, last.snapshot.rev,
			                  clock_now() + (uint64_t)FOREVER_MS * CLOCK_MS, &e);
			if (rc != -ETIMEDOUT)
				break;
			rc = 0;
		}
	}
	edit_end(&last);
	return rc ? weft_report(rc, &e) : WEFT_FAILED;
}

enum weft_exit weft_watch(const struct weft *w, int n, char **words)
{
	return weft_with_store(w, follow, n ? words[0] : NULL);
}

/* ---- drain ---- */

static int drain(struct edit *c, void *arg, struct tenancy_error *e)
{
	const char *name = arg;
	struct host *h = tenancy_get(&c->after, KIND_HOST, "", name);
	struct object shown = {.kind = KIND_HOST};

	snprintf(shown.name, sizeof(shown.name), "%.63s", name);
	if (!h)
		return tenancy_fail(e, &shown, "", ENOENT, "there is none");
	h->drained = true;
	return 0;
}

static int undo_drain(struct edit *c, void *arg, struct tenancy_error *e)
{
	int rc = drain(c, arg, e);

	if (!rc)
		((struct host *)tenancy_get(&c->after, KIND_HOST, "", arg))->drained = false;
	return rc;
}

/* The ports that are still there, until there is none or, without --wait, as it is now. */
static enum weft_exit await_empty(const struct weft *w, struct store *store, void *arg)
{
	uint64_t until = clock_now() + (uint64_t)w->wait_ms * CLOCK_MS;
	struct error e = {""};
	json_t *rows = NULL;
	int rc;

	for (;;) {
		struct edit c;

		json_decref(rows);
		rows = NULL;
		rc = edit_begin(&c, store, &e);
		if (!rc)
			rc = rows_of(store, &c.before, NULL, arg, &rows, &e);
		if (rc || !w->wait_ms || !json_array_size(rows)) {
			edit_end(&c);
			break;
		}
		rc = await_change(store, root, c.snapshot.rev, until, &e);
		edit_end(&c);
		if (rc)
			break;
	}
	if (json_array_size(rows) && (!rc || rc == -ETIMEDOUT))
		weft_print(w, rows, columns);
	if (rc == -ETIMEDOUT)
		error_set(&e, ETIMEDOUT, "host %s still has %zu ports", (const char *)arg,
		          json_array_size(rows));
	json_decref(rows);
	return rc ? weft_report(rc, &e) : WEFT_OK;
}

enum weft_exit weft_host_drain(const struct weft *w, int n, char **words)
{
	struct weft now = *w;
	bool off = weft_option_list(w, "off");
	enum weft_exit status;

	now.wait_ms = 0; /* it is for the ports, not for an agent */
	status = weft_edit(&now, off ? undo_drain : drain, words[0], NULL);
	return status || off || w->dry_run ? status : weft_with_store(w, await_empty, words[0]);
}
