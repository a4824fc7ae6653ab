/* SPDX-License-Identifier: Apache-2.0 */
/* `weft fdb|stats|drops|workers|version`: what the switch learned and counted. Called by weft.c's table. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "control/cli/weft_arguments.h"
#include "control/cli/weft_command.h"
#include "control/cli/weft_output.h"
#include "control/cli/weft_tenancy.h"

static const char *const fdb_columns[] = {"port", "vlan", "mac", "age", "name", "static", NULL};
static const char *const stats_columns[] = {"name",     "ofport", "rx_packets", "rx_bytes", "tx_packets",
                                            "tx_bytes", "rx_gso", "tx_gso",     "drops",    NULL};
static const char *const queues_columns[] = {"worker",       "port",        "queue",   "pinned",
                                             "load_percent", "busy_cycles", "packets", NULL};
static const char *const drops_columns[] = {"port", "reason", "packets", "meaning", NULL};

enum weft_exit weft_fdb_show(const struct weft *w, int n, char **words)
{
	return weft_show(w, "fdb.show", NULL, fdb_columns);
}

enum weft_exit weft_fdb_flush(const struct weft *w, int n, char **words)
{
	struct error e = {""};
	int rc = n ? arguments_name(words[0], &e) : 0;

	return rc ? weft_report(rc, &e)
	          : weft_show(w, "fdb.flush", n ? json_pack("{s:s}", "name", words[0]) : NULL, NULL);
}

/* Rates once per second until interrupted or the switch goes away; JSON: one object a line. */
static enum weft_exit watch_stats(const struct weft *w)
{
	static const char *const keep[] = {"name", "ofport", NULL};
	const struct timespec second = {.tv_sec = 1};
	json_t *before = NULL, *now, *rates;
	uint64_t then = 0, at;
	enum weft_exit status;

	while (!(status = weft_call(w, "stats", NULL, &now))) {
		at = clock_now();
		if (before) {
			rates = output_rates(before, now, (double)(at - then) / CLOCK_SECOND, keep);
			if (w->json) {
				json_dumpf(rates, stdout, JSON_COMPACT);
				putchar('\n');
			} else {
				fputs(isatty(STDOUT_FILENO) ? "\033[H\033[J" : "", stdout);
				puts("per second:");
				output_table(stdout, rates, stats_columns);
			}
			json_decref(rates);
		}
		json_decref(before);
		before = now;
		then = at;
		if (fflush(stdout)) {
			status = WEFT_FAILED; /* the reader went away */
			break;
		}
		nanosleep(&second, NULL);
	}
	json_decref(before);
	return status;
}

enum weft_exit weft_stats(const struct weft *w, int n, char **words)
{
	return w->watch ? watch_stats(w) : weft_show(w, "stats", NULL, stats_columns);
}

enum weft_exit weft_drops(const struct weft *w, int n, char **words)
{
	return weft_show(w, "drops", NULL, drops_columns);
}

/* The queues of all workers as rows of their own, taken out of the workers' rows. */
static json_t *take_queues(json_t *workers)
{
	json_t *rows = json_array(), *worker, *queue;
	size_t i, k;

	json_array_foreach(workers, i, worker)
	{
		json_array_foreach(json_object_get(worker, "queues"), k, queue)
		{
			json_object_set(queue, "worker", json_object_get(worker, "worker"));
			json_array_append(rows, queue);
		}
		json_object_del(worker, "queues");
	}
	return rows;
}

enum weft_exit weft_workers(const struct weft *w, int n, char **words)
{
	json_t *workers, *queues;
	enum weft_exit status = weft_call(w, "workers", NULL, &workers);

	if (status)
		return status;
	queues = w->json || w->yaml ? json_array() : take_queues(workers);
	weft_print(w, workers, NULL);
	if (json_array_size(queues)) {
		putchar('\n');
		weft_print(w, queues, queues_columns);
	}
	json_decref(queues);
	json_decref(workers);
	return WEFT_OK;
}

enum weft_exit weft_version(const struct weft *w, int n, char **words)
{
	return weft_show(w, "version", NULL, NULL);
}
