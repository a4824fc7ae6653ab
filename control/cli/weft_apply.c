/* SPDX-License-Identifier: Apache-2.0 */
/* `weft apply`, `weft diff`, `weft export`: the desired state as a file. Called by weft.c's table. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "control/cli/weft_output.h"
#include "control/cli/weft_tenancy.h"
#include "control/tenancy/document.h"
#include "control/tenancy/tenancy_json.h"

struct applying {
	const struct tenancy *wanted;
	const char *prune;
};

static int merge(struct edit *c, void *arg, struct tenancy_error *e)
{
	const struct applying *a = arg;

	return edit_merge(c, a->wanted, a->prune) ? tenancy_fail(e, NULL, "", ENOMEM, "out of memory") : 0;
}

static enum weft_exit apply(const struct weft *w)
{
	const char *path = weft_option(w, "file");
	struct tenancy_error e = {.kind = KINDS};
	struct tenancy wanted;
	struct applying a = {&wanted, weft_option(w, "prune")};
	struct document *file;
	enum weft_exit status;
	int rc;

	if (!path) {
		fputs("weft: -f FILE: missing\n", stderr);
		return WEFT_USAGE;
	}
	file = document_read(path, &e.text);
	rc = file ? tenancy_read(document_json(file), &wanted, &e) : -EINVAL;
	if (rc) {
		if (file)
			document_locate(file, &e);
		document_free(file);
		return weft_report(rc, &e.text);
	}
	status = weft_edit(w, merge, &a, file);
	tenancy_free(&wanted);
	document_free(file);
	return status;
}

enum weft_exit weft_apply(const struct weft *w, int n, char **words)
{
	return apply(w);
}

enum weft_exit weft_diff(const struct weft *w, int n, char **words)
{
	struct weft dry = *w;

	dry.dry_run = true;
	return apply(&dry);
}

static enum weft_exit export(const struct weft *w, const struct tenancy *t, void *arg) {
	const char *tenant = arg; json_t * document;

	if (tenant && !tenancy_get(t, KIND_TENANT, tenant, tenant)){
	        fprintf(stderr, "weft: there is no tenant %s\n", tenant); return WEFT_NOT_FOUND;}
document = tenancy_write(t, tenant);
if (w->json)
	output_json(stdout, document);
else
	document_write(stdout, document);
json_decref(document);
return WEFT_OK;
}

enum weft_exit weft_export(const struct weft *w, int n, char **words)
{
	return weft_with_state(w, export, n ? words[0] : NULL);
}
