/* SPDX-License-Identifier: Apache-2.0 */
/* Changing and reading the desired state; see weft_tenancy.h. Called by the tenant commands. */
#include "control/cli/weft_tenancy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/cli/weft_output.h"
#include "control/cli/weft_store.h"
#include "control/tenancy/document.h"

enum { TRIES = 50 };

const char *weft_option(const struct weft *w, const char *name)
{
	json_t *list = weft_option_list(w, name);

	return list ? json_string_value(json_array_get(list, json_array_size(list) - 1)) : NULL;
}

json_t *weft_option_list(const struct weft *w, const char *name)
{
	return json_object_get(w->options, name);
}

void weft_take(const struct weft *w, const char *option, json_t *to, const char *field)
{
	const char *text = weft_option(w, option);

	if (text)
		json_object_set_new(to, field, json_string(text));
}

void weft_take_list(const struct weft *w, const char *option, json_t *to, const char *field)
{
	json_t *given = weft_option_list(w, option), *list = json_array(), *one;
	size_t i;

	json_array_foreach(given, i, one)
	{
		char *text = strdup(json_string_value(one)), *rest = text, *part;

		while ((part = strsep(&rest, ",")))
			json_array_append_new(list, json_string(part));
		free(text);
	}
	if (given)
		json_object_set(to, field, list);
	json_decref(list);
}

void weft_print(const struct weft *w, const json_t *value, const char *const *columns)
{
	if (w->yaml)
		document_write(stdout, value);
	else if (w->json)
		output_json(stdout, value);
	else
		output_table(stdout, value, columns);
}

int weft_name(enum object_kind kind, const char *text, struct object *out, struct tenancy_error *e)
{
	const char *slash = strchr(text, '/');
	bool two = kind > KIND_TENANT;

	memset(out, 0, sizeof(*out));
	out->kind = kind;
	if (!two == !slash && (!slash || !strchr(slash + 1, '/')) && strlen(text) <= 2 * OBJECT_NAME_MAX) {
		snprintf(out->tenant, sizeof(out->tenant), "%.*s",
		         slash ? (int)(slash - text) : OBJECT_NAME_MAX, kind == KIND_HOST ? "" : text);
		snprintf(out->name, sizeof(out->name), "%.63s", slash ? slash + 1 : text);
		return 0;
	}
	return tenancy_fail(e, NULL, "", EINVAL,
	                    two ? "expected TENANT/NAME, not '%s'" : "expected a name, not '%s'", text);
}

/* ---- telling ---- */

static json_t *step_row(const struct edit_step *s)
{
	char name[2 * OBJECT_NAME_MAX + 2];

	snprintf(name, sizeof(name), "%s%s%s", s->object.kind > KIND_TENANT ? s->object.tenant : "",
	         s->object.kind > KIND_TENANT ? "/" : "", s->object.name);
	return json_pack("{s:s, s:s, s:s}", "object", kind_name(s->object.kind), "name", name, "action",
	                 edit_action_name(s->action));
}

/* The objects of the steps that were done, or (`planned`) of all. */
static void tell(const struct weft *w, const struct edit *c, bool planned)
{
	static const char *const columns[] = {"object", "name", "action", NULL};
	json_t *rows = json_array();

	for (size_t i = 0; i < c->n_steps; i++)
		if (planned || c->steps[i].done)
			json_array_append_new(rows, step_row(&c->steps[i]));
	if (json_array_size(rows) || w->json || w->yaml)
		weft_print(w, rows, columns);
	else
		puts("nothing to change");
	json_decref(rows);
}

/* ---- waiting ---- */

/* Makes the agent of `host` tell how far it has come. */
static int ask_host(struct store *store, const char *host, int64_t rev, struct error *e)
{
	char key[STORE_KEY_MAX], text[32];
	struct store_op op = {key, text};
	struct store_txn txn = {.ops = &op, .n_ops = 1};

	snprintf(key, sizeof(key), KEYS_ROOT "h/%s/wait", host);
	snprintf(text, sizeof(text), "%lld", (long long)rev);
	return store_txn(store, &txn, NULL, e);
}

/* Until the agent of `host` has followed to `rev`. */
static int wait_for_host(struct store *store, const char *host, int64_t rev, uint64_t until, struct error *e)
{
	char key[STORE_KEY_MAX];
	const char *prefix = key;
	int rc = ask_host(store, host, rev, e);

	snprintf(key, sizeof(key), KEYS_ROOT "st/%s/agent", host);
	while (!rc) {
		struct store_snapshot snap;
		json_t *value;
		uint64_t now = clock_now();
		int64_t seen;
		bool there;

		rc = store_range(store, &prefix, 1, &snap, e);
		if (rc)
			return rc;
		seen = snap.rev;
		value = snap.n ? json_loads(snap.kvs[0].value, 0, NULL) : NULL;
		there = json_integer_value(json_object_get(value, "rev")) >= rev;
		json_decref(value);
		store_snapshot_free(&snap);
		if (there)
			return 0;
		if (now >= until)
			return error_set(e, ETIMEDOUT, "host %s has not followed in time", host);
		rc = store_wait(store, key, seen, (int)((until - now) / CLOCK_MS) + 1, e);
		if (rc == -ETIMEDOUT)
			rc = 0;
	}
	return rc;
}

struct awaited {
	json_t *hosts;   /* {host: the revision that it must follow} */
	json_t *tenants; /* those of which more than a port has changed: all their hosts are meant */
	json_int_t rev;  /* of a single port */
};

static int await_hosts_of(void *object, void *arg)
{
	const struct tenant_port *p = object;
	struct awaited *a = arg;
	json_t *whole = json_object_get(a->tenants, p->object.tenant);
	json_int_t rev = json_integer_value(whole) > a->rev ? json_integer_value(whole) : a->rev;

	for (unsigned k = 0; k < p->n_hosts && rev; k++)
		if (json_integer_value(json_object_get(a->hosts, p->hosts[k])) < rev)
			json_object_set_new(a->hosts, p->hosts[k], json_integer(rev));
	return 0;
}

/* A port concerns the hosts that carried it and that carry it now; a network, router or group those of every
 * port of its tenant. */
static void list_awaited(const struct edit *c, struct awaited *a)
{
	const struct tenancy *states[] = {&c->before, &c->after};

	for (size_t i = 0; i < c->n_steps; i++) {
		const struct object *o = &c->steps[i].object;

		if (o->kind > KIND_TENANT && o->kind < KIND_PORT)
			json_object_set_new(a->tenants, o->tenant, json_integer((json_int_t)c->steps[i].rev));
	}
	for (int s = 0; s < 2; s++) {
		a->rev = 0;
		tenancy_each(states[s], KIND_PORT, await_hosts_of, a);
		for (size_t i = 0; i < c->n_steps; i++) {
			const struct object *o = &c->steps[i].object;
			void *port = o->kind == KIND_PORT
			                     ? tenancy_get(states[s], KIND_PORT, o->tenant, o->name)
			                     : NULL;

			a->rev = (json_int_t)c->steps[i].rev;
			if (port)
				await_hosts_of(port, a);
		}
	}
}

static int wait_for_hosts(const struct weft *w, const struct edit *c, struct error *e)
{
	uint64_t until = clock_now() + (uint64_t)w->wait_ms * CLOCK_MS;
	struct awaited a = {json_object(), json_object(), 0};
	const char *host;
	json_t *rev;
	int rc = 0;

	list_awaited(c, &a);
	json_object_foreach(a.hosts, host, rev) if (!rc) rc =
	        wait_for_host(c->store, host, json_integer_value(rev), until, e);
	json_decref(a.hosts);
	json_decref(a.tenants);
	return rc;
}

/* ---- changing ---- */

/* One attempt: 0, -EAGAIN, or another error in `e`. */
static int attempt(const struct weft *w, struct store *store, weft_edit_fn *edit, void *arg,
                   struct tenancy_error *e)
{
	struct edit c;
	int rc = edit_begin(&c, store, &e->text);

	e->kind = KINDS;
	if (!rc)
		rc = edit(&c, arg, e);
	if (!rc)
		rc = edit_plan(&c, e);
	if (!rc && w->dry_run) {
		tell(w, &c, true);
	} else if (!rc) {
		rc = edit_commit(&c, &e->text);
		if (rc != -EAGAIN || (c.n_steps && c.steps[0].done))
			tell(w, &c, false); /* after an error: how far it came */
		if (!rc && w->wait_ms)
			rc = wait_for_hosts(w, &c, &e->text);
	}
	edit_end(&c);
	return rc;
}

enum weft_exit weft_edit(const struct weft *w, weft_edit_fn *edit, void *arg, const struct document *file)
{
	struct tenancy_error e = {.kind = KINDS};
	struct store *store;
	int rc = weft_open_store(w, &store, &e.text);

	if (rc)
		return weft_report(rc, &e.text);
	rc = -EAGAIN;
	for (int i = 0; i < TRIES && rc == -EAGAIN; i++)
		rc = attempt(w, store, edit, arg, &e);
	store_close(store);
	if (!rc)
		return WEFT_OK;
	if (file && (e.kind < KINDS || *e.field))
		document_locate(file, &e);
	if (rc == -EAGAIN)
		rc = -EEXIST;
	return weft_report(rc, &e.text);
}

enum weft_exit weft_with_store(const struct weft *w,
                               enum weft_exit (*act)(const struct weft *w, struct store *store, void *arg),
                               void *arg)
{
	struct error e = {""};
	struct store *store;
	enum weft_exit status;
	int rc = weft_open_store(w, &store, &e);

	if (rc)
		return weft_report(rc, &e);
	status = act(w, store, arg);
	store_close(store);
	return status;
}

struct with_state {
	enum weft_exit (*show)(const struct weft *w, const struct tenancy *t, void *arg);
	void *arg;
};

static enum weft_exit read_state(const struct weft *w, struct store *store, void *arg)
{
	const struct with_state *x = arg;
	struct error e = {""};
	struct edit c;
	int rc = edit_begin(&c, store, &e);
	enum weft_exit status = rc ? weft_report(rc, &e) : x->show(w, &c.before, x->arg);

	edit_end(&c);
	return status;
}

enum weft_exit
weft_with_state(const struct weft *w,
                enum weft_exit (*show)(const struct weft *w, const struct tenancy *t, void *arg), void *arg)
{
	struct with_state x = {show, arg};

	return weft_with_store(w, read_state, &x);
}
