/* SPDX-License-Identifier: Apache-2.0 */
/* `weft if ...`: the interfaces of the switch. Called by weft.c's table. */
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "control/cli/weft_arguments.h"
#include "control/cli/weft_command.h"
#include "control/cli/weft_output.h"

enum weft_exit weft_if_add(const struct weft *w, int n, char **words)
{
	struct error e = {""};
	json_t *params = arguments_add(n, words, &e);

	return params ? weft_change(w, "if.add", params) : weft_report(-EINVAL, &e);
}

enum weft_exit weft_if_set(const struct weft *w, int n, char **words)
{
	struct error e = {""};
	json_t *params = arguments_set(n, words, &e);

	return params ? weft_change(w, "if.set", params) : weft_report(-EINVAL, &e);
}

enum weft_exit weft_if_del(const struct weft *w, int n, char **words)
{
	struct error e = {""};
	int rc = arguments_name(words[0], &e);

	return rc ? weft_report(rc, &e) : weft_change(w, "if.del", json_pack("{s:s}", "name", words[0]));
}

enum weft_exit weft_if_list(const struct weft *w, int n, char **words)
{
	static const char *const columns[] = {"name", "type",    "ofport", "up",    "mtu",
	                                      "mac",  "options", "queues", "error", NULL};

	return weft_show(w, "if.list", NULL, columns);
}

enum weft_exit weft_if_show(const struct weft *w, int n, char **words)
{
	struct error e = {""};
	int rc = arguments_name(words[0], &e);

	return rc ? weft_report(rc, &e) : weft_show(w, "if.show", json_pack("{s:s}", "name", words[0]), NULL);
}
