/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of weftd and the loop that serves them; see switchd.h. */
#include "control/switchd/switchd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_pause.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/dp/rcu.h"
#include "control/openflow/server.h"
#include "control/switchd/controllers.h"
#include "control/switchd/interfaces.h"
#include "control/rpc/server.h"
#include "control/switchd/state.h"
#include "flows/flow_mod.h"
#include "overlay/vxlan/underlay.h"

enum { GRACE_TRIES = 1000, BUSY_MS = 1, EXPIRY_MS = 250, TICK_MS = 1000, STUCK_MS = 100, BALANCE_TICKS = 2 };

/* ---- serving ---- */

static bool is_over(const struct switchd *s, const struct waiter *w)
{
	if (w->kind == WAITS_FOR_FOLD)
		return tables_fold_done(s->tables, (uint32_t)w->until);
	return datapath_packets_left(s->datapath, w->until);
}

static void serve_waiters(struct switchd *s)
{
	struct waiter **at = &s->waiters;

	while (*at) {
		struct waiter *w = *at;

		if (!is_over(s, w)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->done(w->arg);
		free(w);
		at = &s->waiters; /* done() may have added one */
	}
}

static void on_busy(uv_timer_t *timer)
{
	/* The wake-up is all that is wanted: on_prepare follows. */
}

/* Most grace periods are over when the workers have done the batch that they are at. A client waits for its
 * barrier: worth looking a little longer, some 50 us, rather than again in a millisecond. */
static void await_workers(void)
{
	rcu_poll();
	for (unsigned i = 0; i < GRACE_TRIES && rcu_pending(); i++) {
		rte_pause();
		rcu_poll();
	}
}

/* Runs before the loop sleeps, so after everything that may have made work. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct switchd *s = prepare->data;
	bool pending = datapath_poll(s->datapath);

	await_workers();
	pending |= tables_poll(s->tables, clock_now());
	serve_waiters(s);
	pending |= rcu_pending() || s->waiters;
	if (pending) {
		datapath_wake(s->datapath);
		uv_timer_start(&s->busy, on_busy, BUSY_MS, 0);
	}
}

static void on_report(uv_poll_t *poll, int status, int events)
{
	/* on_prepare drains. */
}

static void await(struct switchd *s, enum waiter_kind kind, uint64_t until, ofp_done done, void *arg)
{
	struct waiter *w = malloc(sizeof(*w));

	if (!w) { /* things as they are, rather than no answer */
		done(arg);
		return;
	}
	*w = (struct waiter){.next = s->waiters, .kind = kind, .until = until, .done = done, .arg = arg};
	s->waiters = w;
	datapath_wake(s->datapath);
}

void switchd_fold(struct switchd *s, ofp_done done, void *arg)
{
	await(s, WAITS_FOR_FOLD, tables_fold(s->tables), done, arg);
}

void switchd_await_packets_out(struct switchd *s, uint64_t until, ofp_done done, void *arg)
{
	if (datapath_packets_left(s->datapath, until))
		done(arg);
	else
		await(s, WAITS_FOR_PACKETS_OUT, until, done, arg);
}

static void on_expiry(uv_timer_t *timer);

static void expire_flows(void *arg)
{
	struct switchd *s = arg;

	tables_expire(s->tables, clock_now());
	uv_timer_start(&s->expiry, on_expiry, EXPIRY_MS, 0);
}

/* Timeouts are counted in seconds, and a flow should not outlive its own by another one. */
static void on_expiry(uv_timer_t *timer)
{
	struct switchd *s = timer->data;

	if (tables_has_timeouts(s->tables))
		switchd_fold(s, expire_flows, s);
	else
		uv_timer_start(&s->expiry, on_expiry, EXPIRY_MS, 0);
}

static void on_tick(uv_timer_t *timer)
{
	struct switchd *s = timer->data;

	fdb_expire(datapath_fdb(s->datapath), clock_now());
	conntrack_sweep(datapath_ct(s->datapath), clock_now());
	interfaces_retry(s->interfaces);
	if (++s->ticks % BALANCE_TICKS == 0)
		datapath_balance(s->datapath);
}

static void on_stuck(uv_timer_t *timer)
{
	datapath_free_stuck(((struct switchd *)timer->data)->datapath);
}

static void on_signal(uv_signal_t *signal, int number)
{
	log_info("stopping on signal %d", number);
	uv_stop(signal->loop);
}

/* ---- what the parts tell ---- */

static void on_packet_in(void *arg, const struct datapath_packet_in *in)
{
	struct switchd *s = arg;
	struct continuation continuation;
	struct ofp_packet_in out = {
	        .reason = (enum ofp_packet_in_reason)in->place->reason,
	        .table_id = in->place->table_id,
	        .cookie = in->place->cookie,
	        .key = in->key,
	        .data = in->data,
	        .len = in->len,
	        .total_len = in->total_len,
	        .controller_id = in->place->controller_id,
	        .userdata = in->userdata,
	        .userdata_len = in->place->userdata_len,
	        .datapath_id = s->datapath_id,
	};

	if (in->resume) {
		if (program_resume_read(in->resume, &continuation))
			return;
		continuation.port = in->key->in_phy_port;
		out.continuation = &continuation;
	}
	ofp_server_packet_in(s->openflow, &out);
	if (in->resume)
		continuation_free(&continuation);
}

void switchd_tell_port(struct switchd *s, const struct port *port, enum ofp_port_reason reason)
{
	struct ofp_port desc;

	if (!s->openflow || port->is_uplink)
		return;
	of_switch_port(s, port, &desc);
	ofp_server_port_status(s->openflow, &desc, reason);
}

static void on_flow_report(void *arg, const struct program_report *what)
{
	struct switchd *s = arg;
	enum tables_error err = tables_report(s->tables, what, clock_now());

	if (err)
		log_debug("a flow was not learned: %s", tables_error_text(err));
}

static void on_port_changed(void *arg, struct port *port)
{
	struct switchd *s = arg;

	if (interfaces_has(s->interfaces, port)) /* else it is being made, and its arrival is told next */
		switchd_tell_port(s, port, OFPPR_MODIFY);
}

static void on_flow_removed(void *arg, const struct flow_stats *flow, enum tables_removed reason)
{
	struct switchd *s = arg;

	if (s->openflow)
		ofp_server_flow_removed(s->openflow, flow, (enum ofp_flow_removed_reason)reason);
}

static void on_flow_changed(void *arg, enum tables_event event, const struct flow_stats *flow,
                            const struct action_list *old, enum tables_removed reason)
{
	static const enum ofp_flow_event events[] = {
	        [TABLES_FLOW_ADDED] = OFP_FLOW_ADDED,
	        [TABLES_FLOW_REMOVED] = OFP_FLOW_REMOVED,
	        [TABLES_FLOW_MODIFIED] = OFP_FLOW_MODIFIED,
	};
	struct switchd *s = arg;

	ofp_server_flow_changed(s->openflow, events[event], flow, old, (enum ofp_flow_removed_reason)reason);
}

static void on_change_done(void *arg)
{
	struct switchd *s = arg;

	ofp_server_change_done(s->openflow);
}

/* ---- life cycle ---- */

int switchd_delete_flows(struct switchd *s, struct error *e)
{
	struct tables_change change = {0};
	struct flow_mod fm;
	unsigned failed;

	flow_mod_init(&fm);
	fm.command = FLOW_DELETE;
	change.flow = &fm;
	if (tables_apply(s->tables, &change, 1, clock_now(), &failed) == TABLES_OK)
		return 0;
	return error_set(e, ENOMEM, "the flows cannot be deleted");
}

int switchd_add_normal(struct switchd *s, struct error *e)
{
	struct tables_change change = {0};
	struct action *action;
	struct flow_mod fm;
	unsigned failed;
	int rc = -ENOMEM;

	flow_mod_init(&fm);
	fm.table_id = 0;
	fm.priority = 0;
	action = action_list_append(&fm.actions, ACTION_OUTPUT);
	if (action) {
		action->output.port = PORT_NORMAL;
		change.flow = &fm;
		rc = tables_apply(s->tables, &change, 1, clock_now(), &failed) == TABLES_OK ? 0 : -ENOMEM;
	}
	flow_mod_free(&fm);
	return rc ? error_set(e, -rc, "the first flow cannot be installed") : 0;
}

static int create_parts(struct switchd *s, struct error *e)
{
	struct tables_config tables = {.flow_removed = on_flow_removed,
	                               .flow_changed = on_flow_changed,
	                               .change_done = on_change_done,
	                               .arg = s};
	struct datapath_config dp = {
	        .loop = &s->loop,
	        .nworkers = s->options->nworkers,
	        .cache_entries = s->options->cache_entries,
	        .ct = {.max = s->options->connections, .zone_max = s->options->zone_connections},
	        .events = {.packet_in = on_packet_in,
	                   .flow_report = on_flow_report,
	                   .port_changed = on_port_changed,
	                   .arg = s},
	};
	int rc = rcu_init();

	if (rc)
		return error_set(e, -rc, "RCU: %s", strerror(-rc));
	s->tables = tables_create(&tables);
	s->interfaces = interfaces_create(s);
	if (!s->tables || !s->interfaces)
		return error_set(e, ENOMEM, "out of memory");
	rc = underlay_create(&s->loop, &s->underlay, e);
	if (rc)
		return rc;
	dp.tables = s->tables;
	dp.underlay = s->underlay;
	rc = datapath_create(&dp, &s->datapath, e);
	return rc ? rc : switchd_add_normal(s, e);
}

static int start_handles(struct switchd *s, struct error *e)
{
	int rc;

	/* libuv writes without MSG_NOSIGNAL: a client that hangs up must not end us */
	signal(SIGPIPE, SIG_IGN);
	uv_prepare_init(&s->loop, &s->prepare);
	uv_timer_init(&s->loop, &s->busy);
	uv_timer_init(&s->loop, &s->tick);
	uv_timer_init(&s->loop, &s->expiry);
	uv_timer_init(&s->loop, &s->stuck);
	uv_signal_init(&s->loop, &s->sigterm);
	uv_signal_init(&s->loop, &s->sigint);
	s->prepare.data = s->tick.data = s->expiry.data = s->stuck.data = s;
	rc = uv_poll_init(&s->loop, &s->reports, datapath_report_fd(s->datapath));
	if (!rc)
		rc = uv_poll_start(&s->reports, UV_READABLE, on_report);
	if (!rc)
		rc = uv_prepare_start(&s->prepare, on_prepare);
	if (!rc)
		rc = uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
	if (!rc)
		rc = uv_timer_start(&s->expiry, on_expiry, EXPIRY_MS, 0);
	if (!rc)
		rc = uv_timer_start(&s->stuck, on_stuck, STUCK_MS, STUCK_MS);
	if (!rc)
		rc = uv_signal_start(&s->sigterm, on_signal, SIGTERM);
	if (!rc)
		rc = uv_signal_start(&s->sigint, on_signal, SIGINT);
	return rc ? error_set(e, -rc, "event loop: %s", uv_strerror(rc)) : 0;
}

/* Where controllers come to us, and those that we go to. */
static int open_network(struct switchd *s, struct error *e)
{
	const struct options *o = s->options;
	int rc = 0;

	if (*o->private_key)
		rc = ofp_server_set_tls(s->openflow,
		                        &(struct tls_files){o->private_key, o->certificate, o->ca_cert}, e);
	for (unsigned i = 0; !rc && i < o->nlisten; i++)
		rc = ofp_server_listen(s->openflow, o->listen[i], e);
	return rc ? rc : controllers_restore(s, e);
}

static int open_sockets(struct switchd *s, struct error *e)
{
	char path[128];
	int rc;

	s->openflow = ofp_server_create(&s->loop, &of_switch_ops, s);
	if (!s->openflow)
		return error_set(e, ENOMEM, "out of memory");
	snprintf(path, sizeof(path), "%s/%s.mgmt", s->options->rundir, s->options->bridge);
	rc = ofp_server_listen_unix(s->openflow, path, e);
	snprintf(path, sizeof(path), "%s/%s.snoop", s->options->rundir, s->options->bridge);
	if (!rc)
		rc = ofp_server_listen_snoop(s->openflow, path, e);
	if (!rc)
		rc = open_network(s, e);
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "%s/weftd.sock", s->options->rundir);
	return rpc_listen(&s->loop, path, methods, s, &s->rpc, e);
}

/* Stable for a bridge of a rundir: a locally administered MAC address in the low 48 bits. */
static uint64_t make_datapath_id(const struct options *o)
{
	char text[sizeof(o->rundir) + sizeof(o->bridge)] = "";
	uint64_t words[sizeof(text) / 8];
	uint64_t h;

	snprintf(text, sizeof(text), "%s/%s", o->rundir, o->bridge);
	memcpy(words, text, sizeof(words));
	h = hash_words(words, sizeof(words) / 8, 0);
	return (h & 0xfcffffffffffull) | 0x020000000000ull;
}

int switchd_start(struct switchd *s, const struct options *o, struct error *e)
{
	unsigned lcores[WORKERS_MAX];
	int rc;

	*s = (struct switchd){.options = o,
	                      .datapath_id = make_datapath_id(o),
	                      .lock_fd = -1,
	                      .local_config = PORT_CONFIG_DOWN};
	uv_loop_init(&s->loop);
	s->lock_fd = state_lock_rundir(o->rundir, e);
	if (s->lock_fd < 0)
		return s->lock_fd;
	s->state = state_load(o->state, e);
	rc = s->state ? create_parts(s, e) : -EINVAL;
	if (!rc)
		rc = start_handles(s, e);
	for (unsigned w = 0; w < o->nworkers; w++)
		lcores[w] = 1 + w; /* eal_start's numbering */
	if (!rc)
		rc = datapath_start(s->datapath, lcores);
	if (!rc)
		rc = interfaces_restore(s->interfaces, e);
	if (!rc)
		rc = open_sockets(s, e);
	if (rc)
		switchd_stop(s);
	return rc;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	struct switchd *s = arg;
	const void *own[] = {&s->prepare, &s->reports, &s->busy,    &s->expiry,
	                     &s->stuck,   &s->tick,    &s->sigterm, &s->sigint};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (handle == own[i] && !uv_is_closing(handle))
			uv_close(handle, NULL);
}

static void on_port_gone(void *arg)
{
	struct switchd *s = arg;

	s->closing--;
	while (!s->closing && s->leaving) {
		struct rpc_request *q = s->leaving;

		s->leaving = q->next;
		rpc_answer(q, json_object());
	}
}

void switchd_answer_when_gone(struct switchd *s, struct rpc_request *q)
{
	if (!s->closing) {
		rpc_answer(q, json_object());
		return;
	}
	q->next = s->leaving;
	s->leaving = q;
}

void switchd_remove_port(struct switchd *s, struct port *port)
{
	s->closing++;
	switchd_tell_port(s, port, OFPPR_DELETE);
	datapath_port_remove(s->datapath, port, on_port_gone, s);
}

static bool ports_remain(struct switchd *s)
{
	return s->closing || rcu_pending();
}

static bool handles_remain(struct switchd *s)
{
	return uv_loop_alive(&s->loop) || rcu_pending();
}

/* Runs the loop while something has still to close itself. */
static void run_while(struct switchd *s, bool (*remains)(struct switchd *s), const char *what)
{
	uint64_t end = clock_now() + 5 * CLOCK_SECOND;

	while (remains(s)) {
		uv_run(&s->loop, UV_RUN_NOWAIT);
		rcu_poll();
		if (clock_now() > end) {
			log_warn("%s did not close in time", what);
			return;
		}
	}
}

void switchd_stop(struct switchd *s)
{
	rpc_close(s->rpc);
	ofp_server_close(s->openflow, NULL, NULL);
	s->openflow = NULL;
	if (s->datapath)
		datapath_stop(s->datapath);
	interfaces_destroy(s->interfaces);
	uv_walk(&s->loop, close_handle, s);
	run_while(s, ports_remain, "ports");
	datapath_destroy(s->datapath);
	if (s->underlay)
		underlay_destroy(s->underlay, NULL, NULL);
	if (s->tables)
		tables_destroy(s->tables);
	run_while(s, handles_remain, "sockets");
	uv_loop_close(&s->loop);
	rcu_exit();
	json_decref(s->state);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
}
