/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON-RPC methods of weftd: one row and one function each. `weft` (control/cli) is their client. */
#include <errno.h>
#include <string.h>

#include <rte_cycles.h>

#include "base/clock.h"
#include "control/switchd/connections.h"
#include "control/switchd/controllers.h"
#include "control/switchd/interfaces.h"
#include "control/rpc/server.h"
#include "control/switchd/switchd.h"
#include "flows/dp/cache.h"

static const char *text_param(json_t *params, const char *key, struct error *e)
{
	const char *text = json_string_value(json_object_get(params, key));

	if (!text)
		error_set(e, EINVAL, "%s: missing, or not a text", key);
	return text;
}

static json_t *options_param(json_t *params)
{
	json_t *options = json_object_get(params, "options");

	return json_is_object(options) ? json_incref(options) : json_object();
}

static int if_add(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	const char *name = text_param(params, "name", e), *type = name ? text_param(params, "type", e) : NULL;
	json_t *number = json_object_get(params, "ofport"), *options;
	uint32_t ofport = 0;
	int rc;

	if (!type)
		return -EINVAL;
	if (number && json_is_string(number) && !strcasecmp(json_string_value(number), "local"))
		ofport = OFPORT_LOCAL;
	else if (number && (!json_is_integer(number) || json_integer_value(number) < 1 ||
	                    json_integer_value(number) > OFPORT_MAX))
		return error_set(e, EINVAL, "ofport: expected 1 to %d, or local", OFPORT_MAX);
	else if (number)
		ofport = (uint32_t)json_integer_value(number);
	options = options_param(params);
	rc = interfaces_add(s->interfaces, name, type, ofport, options, e);
	json_decref(options);
	if (!rc)
		*result = interfaces_show(s->interfaces, name, e);
	return rc;
}

static int if_set(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	const char *name = text_param(params, "name", e);
	json_t *options;
	int rc;

	if (!name)
		return -EINVAL;
	options = options_param(params);
	rc = interfaces_set(s->interfaces, name, options, e);
	json_decref(options);
	if (!rc)
		*result = interfaces_show(s->interfaces, name, e);
	return rc;
}

static int if_del(void *ctx, json_t *params, struct rpc_request *q, struct error *e)
{
	struct switchd *s = ctx;
	const char *name = text_param(params, "name", e);
	int rc = name ? interfaces_del(s->interfaces, name, e) : -EINVAL;

	if (!rc)
		switchd_answer_when_gone(s, q);
	return rc;
}

static int if_list(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;

	*result = interfaces_show(s->interfaces, NULL, e);
	return 0;
}

static int if_show(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	const char *name = text_param(params, "name", e);

	if (!name)
		return -EINVAL;
	*result = interfaces_show(s->interfaces, name, e);
	return *result ? 0 : -ENOENT;
}

static int fdb_show(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	struct fdb_entry entry;
	uint64_t now = clock_now();
	uint32_t cursor = 0;
	char mac[MAC_TEXT_MAX];

	*result = json_array();
	while (fdb_next(datapath_fdb(s->datapath), &cursor, &entry)) {
		struct port *port = datapath_port_by_number(s->datapath, entry.port);

		json_array_append_new(*result,
		                      json_pack("{s:s, s:i, s:I, s:s, s:I, s:b}", "mac",
		                                mac_format(entry.mac, mac), "vlan", entry.vlan, "port",
		                                (json_int_t)entry.port, "name", port ? port->name : "", "age",
		                                (json_int_t)((now - entry.used) / CLOCK_SECOND), "static",
		                                entry.is_static));
	}
	return 0;
}

static int fdb_clear(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	const char *name = json_string_value(json_object_get(params, "name"));
	struct port *port = name ? datapath_port_by_name(s->datapath, name) : NULL;

	if (name && !port)
		return error_set(e, ENOENT, "name: no interface '%s'", name);
	*result = json_pack("{s:i}", "flushed",
	                    (int)fdb_flush(datapath_fdb(s->datapath), port ? port->ofport : FDB_NONE));
	return 0;
}

static json_t *drops_json(const uint64_t *drops)
{
	json_t *o = json_object();

	for (int r = 0; r < DROP_REASON_COUNT; r++)
		if (drops[r])
			json_object_set_new(o, drop_reason_name((enum drop_reason)r),
			                    json_integer((json_int_t)drops[r]));
	return o;
}

static int stats(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	struct port *port;

	*result = json_array();
	for (port = datapath_port_next(s->datapath, true, 0); port;
	     port = datapath_port_next(s->datapath, false, port->ofport)) {
		struct port_counters c;

		datapath_port_counters(s->datapath, port, &c);
		json_array_append_new(
		        *result,
		        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "name", port->name,
		                  "ofport", (json_int_t)port->ofport, "rx_packets", (json_int_t)c.rx_packets,
		                  "rx_bytes", (json_int_t)c.rx_bytes, "tx_packets", (json_int_t)c.tx_packets,
		                  "tx_bytes", (json_int_t)c.tx_bytes, "rx_gso", (json_int_t)c.rx_gso,
		                  "tx_gso", (json_int_t)c.tx_gso, "drops", drops_json(c.drops)));
	}
	return 0;
}

/* One row per port and reason, and what belongs to no port under the name "-". */
static int drops(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;
	uint64_t rest[DROP_REASON_COUNT];
	struct port *port;

	*result = json_array();
	datapath_drops(s->datapath, rest);
	for (port = datapath_port_next(s->datapath, true, 0); port;
	     port = datapath_port_next(s->datapath, false, port->ofport)) {
		struct port_counters c;

		datapath_port_counters(s->datapath, port, &c);
		for (int r = 0; r < DROP_REASON_COUNT; r++) {
			rest[r] -= rest[r] < c.drops[r] ? rest[r] : c.drops[r];
			if (c.drops[r])
				json_array_append_new(
				        *result, json_pack("{s:s, s:s, s:I, s:s}", "port", port->name,
				                           "reason", drop_reason_name((enum drop_reason)r),
				                           "packets", (json_int_t)c.drops[r], "meaning",
				                           drop_reason_help((enum drop_reason)r)));
		}
	}
	for (int r = 0; r < DROP_REASON_COUNT; r++)
		if (rest[r])
			json_array_append_new(*result,
			                      json_pack("{s:s, s:s, s:I, s:s}", "port", "-", "reason",
			                                drop_reason_name((enum drop_reason)r), "packets",
			                                (json_int_t)rest[r], "meaning",
			                                drop_reason_help((enum drop_reason)r)));
	return 0;
}

/* The receive queues that a worker polls. */
static json_t *queues_of(const struct switchd *s, unsigned worker)
{
	json_t *list = json_array();

	for (struct port *p = datapath_port_next(s->datapath, true, 0); p;
	     p = datapath_port_next(s->datapath, false, p->ofport))
		for (unsigned i = 0; i < p->nrxq; i++) {
			struct rxq_stats q;

			datapath_rxq_stats(p, i, &q);
			if (q.worker != worker)
				continue;
			json_array_append_new(list, json_pack("{s:s, s:i, s:b, s:f, s:I, s:I}", "port",
			                                      p->name, "queue", (int)i, "pinned", q.pinned,
			                                      "load_percent", q.load / 10.0, "busy_cycles",
			                                      (json_int_t)q.busy_cycles, "packets",
			                                      (json_int_t)q.packets));
		}
	return list;
}

static int workers(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;

	*result = json_array();
	for (unsigned w = 0; w < datapath_nworkers(s->datapath); w++) {
		struct worker_stats st;
		struct cache_stats cache;

		datapath_worker_stats(s->datapath, w, &st, &cache);
		json_array_append_new(
		        *result, json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "worker",
		                           (int)w, "core", (int)s->options->workers[w], "busy_cycles",
		                           (json_int_t)st.busy_cycles, "idle_cycles",
		                           (json_int_t)st.idle_cycles, "packets", (json_int_t)st.packets,
		                           "batches", (json_int_t)st.batches, "sleeps", (json_int_t)st.sleeps,
		                           "reports_lost", (json_int_t)st.reports_lost, "tsc_hz",
		                           (json_int_t)rte_get_tsc_hz(), "queues", queues_of(s, w)));
	}
	return 0;
}

static int version(void *ctx, json_t *params, json_t **result, struct error *e)
{
	struct switchd *s = ctx;

	*result = json_pack("{s:s, s:s}", "version", WEFT_VERSION, "bridge", s->options->bridge);
	return 0;
}

static const struct rpc_method table[] = {
        {.name = "if.add", .call = if_add},
        {.name = "if.set", .call = if_set},
        {.name = "if.del", .begin = if_del},
        {.name = "if.list", .call = if_list},
        {.name = "if.show", .call = if_show},
        {.name = "controller.set", .call = controllers_rpc_set},
        {.name = "controller.del", .call = controllers_rpc_del},
        {.name = "controller.show", .call = controllers_rpc_show},
        {.name = "fdb.show", .call = fdb_show},
        {.name = "fdb.flush", .call = fdb_clear},
        {.name = "ct.list", .call = connections_rpc_list},
        {.name = "ct.flush", .call = connections_rpc_flush},
        {.name = "ct.stats", .call = connections_rpc_stats},
        {.name = "stats", .call = stats},
        {.name = "drops", .call = drops},
        {.name = "trace", .call = switchd_trace},
        {.name = "workers", .call = workers},
        {.name = "version", .call = version},
        {.name = NULL},
};
const struct rpc_method *const methods = table;
