/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the switch and what becomes of them; see weft_command.h. Called by every command of weft. */
#include "control/cli/weft_command.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "control/rpc/client.h"
#include "control/cli/weft_output.h"
#include "control/cli/weft_tenancy.h"

enum weft_exit weft_report(int rc, const struct error *e)
{
	fprintf(stderr, "weft: %s\n", e->text);
	switch (-rc) {
	case EINVAL:
		return WEFT_USAGE;
	case ENOENT:
		return WEFT_NOT_FOUND;
	case EEXIST:
		return WEFT_CONFLICT;
	case ECOMM:
		return WEFT_UNREACHABLE;
	default:
		return WEFT_FAILED;
	}
}

enum weft_exit weft_call(const struct weft *w, const char *method, json_t *params, json_t **result)
{
	struct rpc_client *client;
	struct error e = {""};
	char path[4096];
	int rc;

	snprintf(path, sizeof(path), "%s/weftd.sock", w->rundir);
	rc = rpc_client_connect(&client, path, w->timeout_ms, &e);
	if (rc) {
		json_decref(params);
		weft_report(rc, &e);
		return WEFT_UNREACHABLE;
	}
	rc = rpc_client_call(client, method, params, result, &e);
	json_decref(params);
	rpc_client_close(client);
	return rc ? weft_report(rc, &e) : WEFT_OK;
}

enum weft_exit weft_show(const struct weft *w, const char *method, json_t *params, const char *const *columns)
{
	json_t *result;
	enum weft_exit status = weft_call(w, method, params, &result);

	if (status)
		return status;
	weft_print(w, result, columns);
	json_decref(result);
	return WEFT_OK;
}

enum weft_exit weft_change(const struct weft *w, const char *method, json_t *params)
{
	json_t *result;
	enum weft_exit status = weft_call(w, method, params, &result);

	if (status)
		return status;
	if (w->json)
		output_json(stdout, result);
	json_decref(result);
	return WEFT_OK;
}
