/* SPDX-License-Identifier: Apache-2.0 */
/* weft-simulate: options, the phases one after the other, the report as JSON. */
#include <getopt.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/store/store.h"
#include "tests/simulate/simulate.h"

static const char help[] = "weft-simulate: many agents without a switch against one etcd\n\n"
                           "Usage: weft-simulate --etcd HOST:PORT [--hosts N] [--ports N] [--rate N] "
                           "[--seconds N] [--threads N]\n"
                           "                     [--check N] [--etcd-pid PID] > report.json\n\n"
                           "--hosts: a multiple of 20. --rate: changes a second. --check: so many agents are "
                           "compared with fresh ones.\n"
                           "The etcd must be empty. Exit status 1: an agent's flows are wrong.\n";

enum { QUANTILES = 200, SETTLE_S = 5 };

/* Bytes that a process has in memory; 0: unknown. */
static double resident(int pid)
{
	char path[64];
	long pages = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	f = pid ? fopen(path, "r") : NULL;
	if (f && fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* CPU time that a process has used, s; 0: unknown. */
static double cpu_time(int pid)
{
	char path[64];
	unsigned long user = 0, sys = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = pid ? fopen(path, "r") : NULL;
	if (f &&
	    fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
		user = sys = 0;
	if (f)
		fclose(f);
	return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

/* What etcd and the agents have used of it since the last call. */
static json_t *cpu_since(const struct options *o)
{
	static double last[2];
	double now[2] = {cpu_time(o->etcd_pid), cpu_time(getpid())};
	json_t *r = json_pack("{s:f, s:f}", "etcd", now[0] - last[0], "agents", now[1] - last[1]);

	memcpy(last, now, sizeof(last));
	return r;
}

static void progress(const char *what)
{
	static uint64_t start;
	uint64_t now = clock_now();

	start = start ? start : now;
	fprintf(stderr, "%7.1f s  %s\n", (double)(now - start) / (double)CLOCK_SECOND, what);
}

static double ms(uint64_t ns)
{
	return (double)ns / (double)CLOCK_MS;
}

static json_t *distribution(struct times *t)
{
	json_t *quantiles = json_array();

	for (int i = 0; i <= QUANTILES; i++)
		json_array_append_new(quantiles, json_real(ms(times_at(t, (double)i / QUANTILES))));
	return json_pack("{s:f, s:f, s:f, s:o}", "p50", ms(times_at(t, 0.5)), "p99", ms(times_at(t, 0.99)),
	                 "max", ms(times_at(t, 1)), "quantiles", quantiles);
}

/* When etcd had each change, the last agent had seen it change, and had its flows. */
static void last_agents(const struct change *changes, unsigned n, struct times *written, struct times *seen,
                        struct times *flows)
{
	for (unsigned i = 0; i < n; i++) {
		times_add(written, changes[i].written - changes[i].due);
		times_add(seen, changes[i].seen - changes[i].due);
		times_add(flows, changes[i].flows - changes[i].due);
	}
}

static int simulate(const struct options *o, struct store *store)
{
	unsigned n = o->rate * o->seconds;
	struct change *changes = calloc(n + 1, sizeof(*changes));
	struct times written = {0}, seen = {0}, flows = {0};
	struct agents_figures f;
	double before, after, etcd;
	struct world w;
	uint64_t cold, begin;
	json_t *report, *cpu_cold, *cpu_changes;
	bool right;

	progress("writing the desired state");
	world_make(&w, o, store);
	before = resident(getpid());
	sleep(SETTLE_S);
	json_decref(cpu_since(o));
	progress("starting agents");
	cold = agents_start(o);
	cpu_cold = cpu_since(o);
	after = resident(getpid());
	progress("changing ports");
	begin = clock_now();
	changes_run(&w, changes, n);
	begin = clock_now() - begin;
	cpu_changes = cpu_since(o);
	etcd = resident(o->etcd_pid);
	progress("comparing with fresh agents");
	right = agents_stop(store, &f);
	last_agents(changes, n, &written, &seen, &flows);
	report = json_pack("{s:i, s:i, s:i, s:i, s:f, s:f, s:I, s:I, s:f, s:f, s:i, s:b}", "hosts", o->hosts,
	                   "ports", o->ports, "rate", o->rate, "changes", n, "seconds", ms(begin) / 1000,
	                   "cold_start_s", ms(cold) / 1000, "flows", (json_int_t)f.flows, "updates",
	                   (json_int_t)f.updates, "agent_mb", (after - before) / o->hosts / 1e6, "etcd_mb",
	                   etcd / 1e6, "compared", o->check, "right", right);
	json_object_set_new(report, "cold_start_cpu_s", cpu_cold);
	json_object_set_new(report, "changes_cpu_s", cpu_changes);
	json_object_set_new(report, "written_ms", distribution(&written));
	json_object_set_new(report, "seen_by_last_agent_ms", distribution(&seen));
	json_object_set_new(report, "flows_of_each_agent_ms", distribution(&f.latencies));
	json_object_set_new(report, "flows_of_last_agent_ms", distribution(&flows));
	json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(5));
	puts("");
	progress(right ? "done" : "an agent is wrong");
	json_decref(report);
	free(changes);
	free(written.ns);
	free(seen.ns);
	free(flows.ns);
	free(f.latencies.ns);
	world_free(&w);
	return right ? 0 : 1;
}

static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"etcd", required_argument, NULL, 'e'},
	                                      {"hosts", required_argument, NULL, 'h'},
	                                      {"ports", required_argument, NULL, 'p'},
	                                      {"rate", required_argument, NULL, 'r'},
	                                      {"seconds", required_argument, NULL, 's'},
	                                      {"threads", required_argument, NULL, 't'},
	                                      {"check", required_argument, NULL, 'c'},
	                                      {"etcd-pid", required_argument, NULL, 'P'},
	                                      {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		unsigned n = c == 'e' || c == '?' ? 0 : (unsigned)strtoul(optarg, NULL, 10);

		switch (c) {
		case 'e':
			o->endpoints = optarg;
			break;
		case 'P':
			o->etcd_pid = (int)n;
			break;
		case '?':
			return -1;
		default:
			*(c == 'h'   ? &o->hosts
			  : c == 'p' ? &o->ports
			  : c == 'r' ? &o->rate
			  : c == 's' ? &o->seconds
			  : c == 't' ? &o->threads
			             : &o->check) = n;
		}
	}
	return !o->endpoints || !o->hosts || o->hosts % TENANT_HOSTS || !o->rate || !o->threads ||
	                       o->threads > THREADS_MAX || o->rate * o->seconds > o->ports ||
	                       o->rate * o->seconds >= PORTS_MAX - NEW_PORTS || o->check > o->hosts
	               ? -1
	               : 0;
}

int main(int argc, char **argv)
{
	struct options o = {
	        .hosts = 1000, .ports = 20000, .rate = 100, .seconds = 30, .threads = 8, .check = 20};
	struct error e = {""};
	struct store *store;
	int rc;

	mallopt(M_TOP_PAD, 64 << 20); /* or each page of a thread's heap costs a system call */
	if (read_options(argc, argv, &o)) {
		fputs(help, stderr);
		return 2;
	}
	rc = store_open_etcd(o.endpoints, NULL, STORE_MS, &store, &e);
	if (rc) {
		fprintf(stderr, "%s\n", e.text);
		return 2;
	}
	rc = simulate(&o, store);
	store_close(store);
	return rc;
}
