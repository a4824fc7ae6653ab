/* SPDX-License-Identifier: Apache-2.0 */
/* `weft controller ...`: the OpenFlow controllers of the switch. Called by weft.c's table. */
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "control/cli/weft_command.h"
#include "control/cli/weft_output.h"

/* Adds what was given as an option, a number. 0 or -EINVAL. */
static int add_number(json_t *params, const char *key, const char *text, struct error *e)
{
	double number;
	char *end;

	if (!text)
		return 0;
	number = strtod(text, &end);
	if (end == text || *end || !(number >= 0 && number < 1e9))
		return error_set(e, EINVAL, "%s: expected a number, not '%s'", key, text);
	json_object_set_new(params, key,
	                    number == (double)(int)number ? json_integer((int)number) : json_real(number));
	return 0;
}

enum weft_exit weft_controller_set(const struct weft *w, int n, char **words)
{
	json_t *params = json_object(), *targets = json_array();
	struct error e = {""};
	int rc;

	for (int i = 0; i < n; i++)
		json_array_append_new(targets, json_string(words[i]));
	if (n) /* else only the options change */
		json_object_set(params, "targets", targets);
	json_decref(targets);
	if (w->fail_mode)
		json_object_set_new(params, "fail_mode", json_string(w->fail_mode));
	rc = add_number(params, "probe", w->probe, &e);
	if (!rc)
		rc = add_number(params, "max_backoff", w->max_backoff, &e);
	if (!rc)
		rc = add_number(params, "packet_in_rate", w->packet_in_rate, &e);
	if (!rc && !json_object_size(params))
		rc = error_set(&e, EINVAL, "controller set: expected a target or an option");
	if (!rc)
		return weft_change(w, "controller.set", params);
	json_decref(params);
	return weft_report(rc, &e);
}

enum weft_exit weft_controller_del(const struct weft *w, int n, char **words)
{
	return weft_change(w, "controller.del", n ? json_pack("{s:s}", "target", words[0]) : NULL);
}

enum weft_exit weft_controller_show(const struct weft *w, int n, char **words)
{
	return weft_show(w, "controller.show", NULL, NULL);
}
