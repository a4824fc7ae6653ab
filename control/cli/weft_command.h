/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of weft share: the options before them, exit statuses, one call to the switch. */
#ifndef CONTROL_CLI_WEFT_COMMAND_H
#define CONTROL_CLI_WEFT_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

struct error;

enum weft_exit {
	WEFT_OK = 0,
	WEFT_FAILED = 1, /* the switch tried and failed */
	WEFT_USAGE = 2,
	WEFT_NOT_FOUND = 3,
	WEFT_CONFLICT = 4,
	WEFT_UNREACHABLE = 5,
};

struct weft {
	const char *rundir;
	const char *store, *cert, *key,
	        *ca; /* where the tenants' state lies; NULL: as weft_store.c finds out */
	int timeout_ms;
	bool json;
	bool watch;
	bool yaml, dry_run;
	int wait_ms;     /* --wait; 0: do not */
	json_t *options; /* of tenant commands: {name: [text, ...]} */
	const char *fail_mode, *probe, *max_backoff, *packet_in_rate; /* of controller set; NULL: not given */
};

struct weft_command {
	const char *name;  /* one word or two */
	const char *usage; /* what follows the name */
	const char *help;
	int min, max; /* words after the name; max < 0: no bound */
	enum weft_exit (*run)(const struct weft *w, int n, char **words);
	const char *options; /* of the tenant options those it takes: "network ip mac"; NULL: none */
};

extern const struct weft_command weft_commands[]; /* ends with a row without a name */

/* Prints "weft: TEXT" to standard error; the status that belongs to `rc` (-errno of rpc_client or arguments).
 */
enum weft_exit weft_report(int rc, const struct error *e);

/* One call over a connection of its own. Consumes `params`. On WEFT_OK `*result` is the caller's; else the
 * error has been printed. */
enum weft_exit weft_call(const struct weft *w, const char *method, json_t *params, json_t **result);

/* weft_call, then shows the result: `columns` as for output_table. */
enum weft_exit weft_show(const struct weft *w, const char *method, json_t *params,
                         const char *const *columns);

/* weft_call for a change: it says nothing when it went well, but for scripts that asked for JSON. */
enum weft_exit weft_change(const struct weft *w, const char *method, json_t *params);

/* weft_interface.c */
enum weft_exit weft_if_add(const struct weft *w, int n, char **words);
enum weft_exit weft_if_set(const struct weft *w, int n, char **words);
enum weft_exit weft_if_del(const struct weft *w, int n, char **words);
enum weft_exit weft_if_list(const struct weft *w, int n, char **words);
enum weft_exit weft_if_show(const struct weft *w, int n, char **words);

/* weft_controller.c */
enum weft_exit weft_controller_set(const struct weft *w, int n, char **words);
enum weft_exit weft_controller_del(const struct weft *w, int n, char **words);
enum weft_exit weft_controller_show(const struct weft *w, int n, char **words);

/* weft_state.c */
enum weft_exit weft_fdb_show(const struct weft *w, int n, char **words);
enum weft_exit weft_fdb_flush(const struct weft *w, int n, char **words);
enum weft_exit weft_stats(const struct weft *w, int n, char **words);
enum weft_exit weft_drops(const struct weft *w, int n, char **words);
enum weft_exit weft_workers(const struct weft *w, int n, char **words);
enum weft_exit weft_version(const struct weft *w, int n, char **words);

/* weft_connections.c */
enum weft_exit weft_ct_list(const struct weft *w, int n, char **words);
enum weft_exit weft_ct_flush(const struct weft *w, int n, char **words);
enum weft_exit weft_ct_stats(const struct weft *w, int n, char **words);

/* weft_apply.c */
enum weft_exit weft_apply(const struct weft *w, int n, char **words);
enum weft_exit weft_diff(const struct weft *w, int n, char **words);
enum weft_exit weft_export(const struct weft *w, int n, char **words);

/* weft_store.c, weft_store_move.c */
enum weft_exit weft_store_status(const struct weft *w, int n, char **words);
enum weft_exit weft_store_use(const struct weft *w, int n, char **words);
enum weft_exit weft_store_export(const struct weft *w, int n, char **words);
enum weft_exit weft_store_import(const struct weft *w, int n, char **words);

/* weft_objects.c */
#define WEFT_OBJECT(kind)                                                                                    \
	enum weft_exit weft_##kind##_add(const struct weft *w, int n, char **words);                         \
	enum weft_exit weft_##kind##_del(const struct weft *w, int n, char **words);                         \
	enum weft_exit weft_##kind##_list(const struct weft *w, int n, char **words);                        \
	enum weft_exit weft_##kind##_show(const struct weft *w, int n, char **words);
WEFT_OBJECT(host)
WEFT_OBJECT(tenant)
WEFT_OBJECT(network)
WEFT_OBJECT(router)
WEFT_OBJECT(sg)
WEFT_OBJECT(port)
#undef WEFT_OBJECT

/* weft_trace.c */
enum weft_exit weft_trace(const struct weft *w, int n, char **words);

/* weft_watch.c */
enum weft_exit weft_show_tenant(const struct weft *w, int n, char **words);
enum weft_exit weft_wait(const struct weft *w, int n, char **words);
enum weft_exit weft_watch(const struct weft *w, int n, char **words);
enum weft_exit weft_host_drain(const struct weft *w, int n, char **words);

/* weft_relations.c */
enum weft_exit weft_port_set(const struct weft *w, int n, char **words);
enum weft_exit weft_port_bind(const struct weft *w, int n, char **words);
enum weft_exit weft_port_unbind(const struct weft *w, int n, char **words);
enum weft_exit weft_router_attach(const struct weft *w, int n, char **words);
enum weft_exit weft_router_detach(const struct weft *w, int n, char **words);
enum weft_exit weft_route(const struct weft *w, int n, char **words);
enum weft_exit weft_rule(const struct weft *w, int n, char **words);

#endif
