/* SPDX-License-Identifier: Apache-2.0 */
/* weft-agent: options, the lock on its directory, signals. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "control/agent/agent.h"

static const char help[] =
        "weft-agent: keeps the switch of this host as the tenants' networks want it\n\n"
        "Usage: weft-agent --host NAME [--rundir DIR] [--bridge NAME]\n"
        "                  [--store sqlite:FILE|etcd://HOST[:PORT],... [--cert FILE --key FILE --ca "
        "FILE]]\n\n"
        "  --host NAME          this host's name in the store\n"
        "  --rundir DIR         of weftd; agent.sock and the guests' sockets are made there (/run/weft)\n"
        "  --bridge NAME        the bridge (br0)\n"
        "  --store sqlite:FILE  where the desired state lies (sqlite:RUNDIR/tenants.db)\n"
        "  --store etcd://...   or a cluster of etcd that many hosts share\n"
        "  --cert, --key, --ca  PEM files for TLS to etcd: our certificate, its key, who signs etcd's\n";

static int set(char *to, size_t size, const char *option, const char *value)
{
	if (!*value || strlen(value) >= size) {
		fprintf(stderr, "weft-agent: %s: expected 1 to %zu bytes\n", option, size - 1);
		return -EINVAL;
	}
	memcpy(to, value, strlen(value) + 1);
	return 0;
}

/* 0; 1: leave with status 0; -EINVAL. */
static int read_options(int argc, char **argv, struct agent_options *o)
{
	static const struct option longs[] = {
	        {"host", required_argument, NULL, 'H'},   {"rundir", required_argument, NULL, 'r'},
	        {"bridge", required_argument, NULL, 'b'}, {"store", required_argument, NULL, 's'},
	        {"cert", required_argument, NULL, 'c'},   {"key", required_argument, NULL, 'k'},
	        {"ca", required_argument, NULL, 'a'},     {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0}};
	int c, rc = 0;

	while (!rc && (c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'H')
			rc = set(o->host, sizeof(o->host), "--host", optarg);
		else if (c == 'r')
			rc = set(o->rundir, sizeof(o->rundir), "--rundir", optarg);
		else if (c == 'b')
			rc = set(o->bridge, sizeof(o->bridge), "--bridge", optarg);
		else if (c == 's')
			rc = set(o->store, sizeof(o->store), "--store", optarg);
		else if (c == 'c')
			rc = set(o->certificate, sizeof(o->certificate), "--cert", optarg);
		else if (c == 'k')
			rc = set(o->private_key, sizeof(o->private_key), "--key", optarg);
		else if (c == 'a')
			rc = set(o->ca, sizeof(o->ca), "--ca", optarg);
		else if (c == 'h' || c == 'V')
			rc = 1;
		else
			rc = -EINVAL;
		if (rc == 1)
			puts(c == 'h' ? help : "weft-agent " WEFT_VERSION);
	}
	if (rc)
		return rc;
	if (optind < argc || !*o->host) {
		fprintf(stderr, "weft-agent: %s\n",
		        optind < argc ? "expected options only; try --help" : "--host: missing");
		return -EINVAL;
	}
	if (!*o->store)
		snprintf(o->store, sizeof(o->store), "sqlite:%s/tenants.db", o->rundir);
	return 0;
}

/* One agent a directory. */
static int lock_rundir(const struct agent_options *o)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/agent.lock", o->rundir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	fprintf(stderr, "weft-agent: %s: %s\n", path,
	        fd >= 0 ? "another weft-agent runs here" : strerror(errno));
	return -1;
}

static void on_signal(uv_signal_t *signal, int number)
{
	uv_stop(signal->loop);
}

int main(int argc, char **argv)
{
	struct agent_options o = {.rundir = "/run/weft", .bridge = "br0"};
	int rc = read_options(argc, argv, &o);
	uv_signal_t end[2];
	struct error e = {""};
	struct agent *a;
	uv_loop_t loop;

	if (rc)
		return rc < 0 ? 2 : 0;
	if (lock_rundir(&o) < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&loop);
	rc = agent_start(&loop, &o, &a, &e);
	if (rc) {
		fprintf(stderr, "weft-agent: %s\n", e.text);
		return 1;
	}
	for (int i = 0; i < 2; i++) {
		uv_signal_init(&loop, &end[i]);
		uv_signal_start(&end[i], on_signal, i ? SIGINT : SIGTERM);
	}
	log_info("weft-agent of host %s, store %s", o.host, o.store);
	uv_run(&loop, UV_RUN_DEFAULT);
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&end[i], NULL);
	agent_stop(a);
	uv_run(&loop, UV_RUN_DEFAULT);
	agent_free(a);
	uv_loop_close(&loop);
	return 0;
}
