/* SPDX-License-Identifier: Apache-2.0 */
/* Which controllers the switch connects to; see controllers.h. Called by switchd.c at start and by
 * methods.c. */
#include "control/switchd/controllers.h"

#include <errno.h>
#include <string.h>

#include "control/openflow/server.h"
#include "control/switchd/state.h"
#include "control/switchd/switchd.h"

static const char *const modes[] = {[OFP_FAIL_STANDALONE] = "standalone", [OFP_FAIL_SECURE] = "secure"};

/* A member in seconds, 0 to an hour; `*ms` stays when there is none. */
static int read_seconds(json_t *section, const char *key, uint32_t *ms, struct error *e)
{
	json_t *value = json_object_get(section, key);
	double seconds = json_number_value(value);

	if (value && (!json_is_number(value) || !(seconds >= 0 && seconds <= 3600)))
		return error_set(e, EINVAL, "%s: expected 0 to 3600 seconds", key);
	if (value)
		*ms = (uint32_t)(seconds * 1000);
	return 0;
}

static int read_rate(json_t *section, uint32_t *rate, struct error *e)
{
	json_t *value = json_object_get(section, "packet_in_rate");

	if (value && (!json_is_integer(value) || json_integer_value(value) < 0 ||
	              json_integer_value(value) > 10000000))
		return error_set(e, EINVAL, "packet_in_rate: expected 0 (no limit) to 10000000 per second");
	if (value)
		*rate = (uint32_t)json_integer_value(value);
	return 0;
}

static int read_options(json_t *section, struct ofp_controllers_config *config, struct error *e)
{
	json_t *mode = json_object_get(section, "fail_mode");
	const char *text = json_string_value(mode);
	int rc;

	*config = OFP_CONTROLLERS_DEFAULT;
	if (text && !strcmp(text, modes[OFP_FAIL_SECURE]))
		config->fail_mode = OFP_FAIL_SECURE;
	else if (mode && (!text || strcmp(text, modes[OFP_FAIL_STANDALONE]) != 0))
		return error_set(e, EINVAL, "fail_mode: expected standalone or secure");
	rc = read_seconds(section, "probe", &config->probe_ms, e);
	if (!rc)
		rc = read_seconds(section, "max_backoff", &config->backoff_max_ms, e);
	return rc ? rc : read_rate(section, &config->packet_in_rate, e);
}

/* Obeys a section of the state file. */
static int apply(struct switchd *s, json_t *section, struct error *e)
{
	json_t *targets = json_object_get(section, "targets"), *one;
	const char *texts[OFP_CONTROLLERS_MAX];
	struct ofp_controllers_config config;
	int rc = read_options(section, &config, e);
	size_t i;

	if (rc)
		return rc;
	if (!json_is_array(targets))
		return error_set(e, EINVAL, "targets: expected a list");
	if (json_array_size(targets) > OFP_CONTROLLERS_MAX)
		return error_set(e, EINVAL, "targets: at most %d", OFP_CONTROLLERS_MAX);
	json_array_foreach(targets, i, one)
	{
		texts[i] = json_string_value(one);
		if (!texts[i])
			return error_set(e, EINVAL, "targets: expected texts like tcp:HOST:PORT");
	}
	return ofp_server_set_controllers(s->openflow, texts, (unsigned)json_array_size(targets), &config, e);
}

static bool has_controller(const struct switchd *s)
{
	struct ofp_controller_status status;

	return ofp_server_controller(s->openflow, 0, &status);
}

/* Obeys and keeps a section; consumes it. */
static int change(struct switchd *s, json_t *section, struct error *e)
{
	bool had = has_controller(s);
	int rc = apply(s, section, e);

	if (rc) {
		json_decref(section);
		return rc;
	}
	if (had != has_controller(s))
		rc = switchd_delete_flows(s, e);
	if (!rc && had && !has_controller(s))
		rc = switchd_add_normal(s, e);
	if (rc)
		json_decref(section);
	return rc ? rc : state_save(s->options->state, s->state, "controllers", section, e);
}

int controllers_restore(struct switchd *s, struct error *e)
{
	json_t *section = json_object_get(s->state, "controllers");
	int rc = section ? apply(s, section, e) : 0;

	if (rc) {
		error_prefix(e, "state: %s: controllers", s->options->state);
		return rc;
	}
	return has_controller(s) ? switchd_delete_flows(s, e) : 0;
}

/* A copy of the section there is, to be changed. */
static json_t *section_copy(const struct switchd *s)
{
	json_t *section = json_deep_copy(json_object_get(s->state, "controllers"));

	return section ? section : json_pack("{s:[]}", "targets");
}

int controllers_rpc_set(void *ctx, json_t *params, json_t **result, struct error *e)
{
	static const char *const keys[] = {"targets", "fail_mode", "probe", "max_backoff", "packet_in_rate"};
	struct switchd *s = ctx;
	json_t *section = section_copy(s);
	int rc;

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *value = json_object_get(params, keys[i]);

		if (value)
			json_object_set(section, keys[i], value);
	}
	rc = change(s, section, e);
	return rc ? rc : controllers_rpc_show(s, NULL, result, e);
}

/* Takes the named targets, or all, off the list. */
int controllers_rpc_del(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	json_t *section = section_copy(s), *list = json_object_get(section, "targets");
	json_t *target = json_object_get(params, "target");
	size_t i, n = json_array_size(list);
	int rc;

	if (!target) {
		json_array_clear(list);
	} else {
		for (i = 0; i < n && !json_equal(json_array_get(list, i), target); i++)
			;
		if (i == n) {
			json_decref(section);
			return error_set(e, ENOENT, "target: no controller '%s'",
			                 json_is_string(target) ? json_string_value(target) : "");
		}
		json_array_remove(list, i);
	}
	rc = change(s, section, e);
	return rc ? rc : controllers_rpc_show(s, NULL, result, e);
}

int controllers_rpc_show(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	struct ofp_controllers_config config;
	struct ofp_controller_status c;
	json_t *list = json_array();

	read_options(json_object_get(s->state, "controllers"), &config, NULL);
	for (unsigned i = 0; ofp_server_controller(s->openflow, i, &c); i++)
		json_array_append_new(list,
		                      json_pack("{s:s, s:b, s:s, s:I, s:I, s:I, s:I, s:s}", "target",
		                                c.target, "connected", c.connected, "role", c.role, "seconds",
		                                (json_int_t)c.seconds, "attempts", (json_int_t)c.attempts,
		                                "packet_ins_lost", (json_int_t)c.packet_ins_lost, "lost",
		                                (json_int_t)c.lost, "error", c.error));
	*result = json_pack("{s:s, s:f, s:f, s:i, s:b, s:o}", "fail_mode", modes[config.fail_mode], "probe",
	                    config.probe_ms / 1000.0, "max_backoff", config.backoff_max_ms / 1000.0,
	                    "packet_in_rate", (int)config.packet_in_rate, "standalone",
	                    ofp_server_standalone(s->openflow), "controllers", list);
	return 0;
}
