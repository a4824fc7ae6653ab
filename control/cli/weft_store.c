/* SPDX-License-Identifier: Apache-2.0 */
/* `weft store status|use`, and which store is meant; see weft_store.h. Called by weft.c's table and by the
 * tenant commands. */
#include "control/cli/weft_store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "control/cli/weft_tenancy.h"
#include "control/net/tls_context.h"

struct place {
	const char *store; /* NULL: the agent's socket */
	struct tls_files files;
	json_t *noted; /* owns what `weft store use` noted */
};

/* ---- which one ---- */

/* Beside weftd's own state: the default directory does not outlive the machine's next start. */
static void note_path(const struct weft *w, char path[PATH_MAX])
{
	bool usual = !strcmp(w->rundir, "/run/weft");

	snprintf(path, PATH_MAX, "%s/store.json", usual ? "/var/lib/weft" : w->rundir);
}

static int find_place(const struct weft *w, struct place *p, struct error *e)
{
	char path[PATH_MAX];
	json_error_t why;

	*p = (struct place){.store = w->store, .files = {w->key, w->cert, w->ca}};
	if (p->store)
		return 0;
	if (w->cert || w->key || w->ca)
		return error_set(e, EINVAL, "--cert, --key and --ca need --store");
	p->store = getenv("WEFT_STORE");
	if (p->store) {
		p->files = (struct tls_files){getenv("WEFT_KEY"), getenv("WEFT_CERT"), getenv("WEFT_CA")};
		return 0;
	}
	note_path(w, path);
	if (access(path, F_OK))
		return 0;
	p->noted = json_load_file(path, 0, &why);
	if (json_unpack(p->noted, "{s:s, s?s, s?s, s?s}", "store", &p->store, "key", &p->files.private_key,
	                "cert", &p->files.certificate, "ca", &p->files.ca))
		return error_set(e, EIO, "%.150s: expected what `weft store use` writes", path);
	return 0;
}

static int open_place(const struct weft *w, const struct place *p, struct store **store, struct error *e)
{
	char path[PATH_MAX];

	if (p->store)
		return store_open(p->store, &p->files, w->timeout_ms, store, e);
	snprintf(path, sizeof(path), "%s/agent.sock", w->rundir);
	return store_open_remote(path, w->timeout_ms, store, e);
}

int weft_open_store(const struct weft *w, struct store **store, struct error *e)
{
	struct place p;
	int rc = find_place(w, &p, e);

	if (!rc)
		rc = open_place(w, &p, store, e);
	json_decref(p.noted);
	return rc;
}

/* ---- status ---- */

enum weft_exit weft_store_status(const struct weft *w, int n, char **words)
{
	const char *root = KEYS_ROOT;
	struct store_snapshot snap;
	struct store *store = NULL;
	struct error e = {""};
	struct place p;
	json_t *status;
	int rc = find_place(w, &p, &e);

	if (!rc)
		rc = open_place(w, &p, &store, &e);
	if (!rc)
		rc = store_range(store, &root, 1, &snap, &e);
	if (!rc) {
		status = json_pack("{s:s, s:s, s:I, s:I}", "store", p.store ? p.store : "agent", "uuid",
		                   store_uuid(store), "revision", (json_int_t)snap.rev, "keys",
		                   (json_int_t)snap.n);
		weft_print(w, status, NULL);
		json_decref(status);
		store_snapshot_free(&snap);
	}
	store_close(store);
	json_decref(p.noted);
	return rc ? weft_report(rc, &e) : WEFT_OK;
}

/* ---- use ---- */

/* A path that means the same wherever weft is started. */
static int set_path(json_t *note, const char *name, const char *path, struct error *e)
{
	char whole[PATH_MAX];

	if (!path)
		return 0;
	if (!realpath(path, whole))
		return error_set(e, EINVAL, "--%s: %.150s: %s", name, path, strerror(errno));
	return json_object_set_new(note, name, json_string(whole)) ? error_set(e, ENOMEM, "out of memory")
	                                                           : 0;
}

/* The store must be one that can be opened: a typing mistake is better seen now. */
static int check(const struct weft *w, json_t *note, struct error *e)
{
	struct place p = {.files = {NULL, NULL, NULL}};
	struct store *store;
	int rc;

	json_unpack(note, "{s:s, s?s, s?s, s?s}", "store", &p.store, "key", &p.files.private_key, "cert",
	            &p.files.certificate, "ca", &p.files.ca);
	rc = open_place(w, &p, &store, e);
	if (!rc)
		store_close(store);
	return rc;
}

enum weft_exit weft_store_use(const struct weft *w, int n, char **words)
{
	char path[PATH_MAX];
	struct error e = {""};
	json_t *note;
	int rc;

	note_path(w, path);
	if (!strcmp(words[0], "agent")) {
		if (!unlink(path) || errno == ENOENT)
			return WEFT_OK;
		return weft_report(error_set(&e, EIO, "%.150s: %s", path, strerror(errno)), &e);
	}
	note = json_pack("{s:s}", "store", words[0]);
	rc = note ? set_path(note, "cert", w->cert, &e) : error_set(&e, EINVAL, "PLACE: expected UTF-8 text");
	if (!rc)
		rc = set_path(note, "key", w->key, &e);
	if (!rc)
		rc = set_path(note, "ca", w->ca, &e);
	if (!rc)
		rc = check(w, note, &e);
	if (!rc && json_dump_file(note, path, JSON_INDENT(2)))
		rc = error_set(&e, EIO, "%.150s: %s", path, strerror(errno));
	json_decref(note);
	return rc ? weft_report(rc, &e) : WEFT_OK;
}
