/* SPDX-License-Identifier: Apache-2.0 */
/* `weft controller ...`: the OpenFlow controllers of the switch. Called by weft.c's table. */
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "control/cli/weft_command.h"
#include "control/cli/weft_output.h"

enum weft_exit weft_controller_set(const struct weft *w, int n, char **words)
{
	json_t *params = json_object(), *targets = json_array();
	struct error e;
	char *end;

	for (int i = 0; i < n; i++)
		json_array_append_new(targets, json_string(words[i]));
	if (n) /* else only the options change */
		json_object_set(params, "targets", targets);
	json_decref(targets);
	if (w->fail_mode)
		json_object_set_new(params, "fail_mode", json_string(w->fail_mode));
	if (w->probe) {
		double seconds = strtod(w->probe, &end);

		if (end == w->probe || *end) {
			json_decref(params);
			return weft_report(
			        error_set(&e, EINVAL, "--probe: expected seconds, not '%s'", w->probe), &e);
		}
		json_object_set_new(params, "probe", json_real(seconds));
	}
	if (json_object_size(params))
		return weft_change(w, "controller.set", params);
	json_decref(params);
	return weft_report(error_set(&e, EINVAL, "controller set: expected a target or an option"), &e);
}

enum weft_exit weft_controller_del(const struct weft *w, int n, char **words)
{
	return weft_change(w, "controller.del", n ? json_pack("{s:s}", "target", words[0]) : NULL);
}

enum weft_exit weft_controller_show(const struct weft *w, int n, char **words)
{
	return weft_show(w, "controller.show", NULL, NULL);
}
