/* SPDX-License-Identifier: Apache-2.0 */
/* Command line and configuration file of weftd; see options.h. One table serves both: `--key value` on the
 * command line is `key = value` in the file. */
#include "control/switchd/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "datapath/ct/conntrack.h"
#include "flows/dp/cache.h"

static int set_text(char *to, size_t size, const char *key, const char *value, struct error *e)
{
	if (!*value || strlen(value) >= size)
		return error_set(e, EINVAL, "%s: expected 1 to %zu bytes", key, size - 1);
	memcpy(to, value, strlen(value) + 1);
	return 0;
}

static int set_rundir(struct options *o, const char *value, struct error *e)
{
	return set_text(o->rundir, sizeof(o->rundir), "rundir", value, e);
}

static int set_bridge(struct options *o, const char *value, struct error *e)
{
	if (strchr(value, '/'))
		return error_set(e, EINVAL, "bridge: expected a name, not a path");
	return set_text(o->bridge, sizeof(o->bridge), "bridge", value, e);
}

static int set_state(struct options *o, const char *value, struct error *e)
{
	return set_text(o->state, sizeof(o->state), "state", value, e);
}

static int add_worker(struct options *o, unsigned core, struct error *e)
{
	for (unsigned i = 0; i < o->nworkers; i++)
		if (o->workers[i] == core)
			return error_set(e, EINVAL, "workers: core %u is named twice", core);
	if (o->nworkers == WORKERS_MAX)
		return error_set(e, EINVAL, "workers: at most %d", WORKERS_MAX);
	o->workers[o->nworkers++] = core;
	return 0;
}

/* "1", "1,3", "2-5,7". */
static int set_workers(struct options *o, const char *value, struct error *e)
{
	const char *p = value;

	o->nworkers = 0;
	while (*p) {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;

		if (end != p && *end == '-') {
			p = end + 1;
			last = strtoul(p, &end, 10);
		}
		if (end == p || (*end && *end != ',') || last < first || last > 1023)
			return error_set(e, EINVAL,
			                 "workers: expected cores like 1,3 or 2-5, at column %d of '%s'",
			                 (int)(p - value) + 1, value);
		for (; first <= last; first++)
			if (add_worker(o, (unsigned)first, e))
				return -EINVAL;
		p = *end ? end + 1 : end;
	}
	return o->nworkers ? 0 : error_set(e, EINVAL, "workers: expected a list of cores");
}

static int set_memory(struct options *o, const char *value, struct error *e)
{
	char *end;
	unsigned long mb = strtoul(value, &end, 10);

	if (end == value || *end || mb < 16 || mb > 1048576)
		return error_set(e, EINVAL, "memory: expected megabytes, 16 to 1048576");
	o->memory_mb = (uint32_t)mb;
	return 0;
}

static int set_flow_cache(struct options *o, const char *value, struct error *e)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (end == value || *end || n < 64 || n > CACHE_ENTRIES_MAX)
		return error_set(e, EINVAL, "flow-cache: expected a number of flows, 64 to %d",
		                 CACHE_ENTRIES_MAX);
	o->cache_entries = (uint32_t)n;
	return 0;
}

static int read_connections(const char *key, const char *value, uint32_t *to, struct error *e)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (end == value || *end || n < 1 || n > CONNTRACK_MAX_MOST)
		return error_set(e, EINVAL, "%s: expected a number of connections, 1 to %d", key,
		                 CONNTRACK_MAX_MOST);
	*to = (uint32_t)n;
	return 0;
}

static int set_connections(struct options *o, const char *value, struct error *e)
{
	return read_connections("connections", value, &o->connections, e);
}

static int set_zone_connections(struct options *o, const char *value, struct error *e)
{
	return read_connections("zone-connections", value, &o->zone_connections, e);
}

static int set_pci(struct options *o, const char *value, struct error *e)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return error_set(e, EINVAL, "pci: expected yes or no");
	o->pci = !strcmp(value, "yes");
	return 0;
}

static int set_log_level(struct options *o, const char *value, struct error *e)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	for (int i = 0; i < 4; i++) {
		if (!strcmp(value, names[i])) {
			o->log_level = i;
			return 0;
		}
	}
	return error_set(e, EINVAL, "log-level: expected error, warn, info or debug");
}

/* May be given several times. */
static int set_listen(struct options *o, const char *value, struct error *e)
{
	if (o->nlisten == OPTIONS_LISTEN_MAX)
		return error_set(e, EINVAL, "listen: at most %d", OPTIONS_LISTEN_MAX);
	return set_text(o->listen[o->nlisten++], sizeof(o->listen[0]), "listen", value, e);
}

static int set_private_key(struct options *o, const char *value, struct error *e)
{
	return set_text(o->private_key, sizeof(o->private_key), "private-key", value, e);
}

static int set_certificate(struct options *o, const char *value, struct error *e)
{
	return set_text(o->certificate, sizeof(o->certificate), "certificate", value, e);
}

static int set_ca_cert(struct options *o, const char *value, struct error *e)
{
	return set_text(o->ca_cert, sizeof(o->ca_cert), "ca-cert", value, e);
}

static const struct setting {
	const char *key, *value, *help;
	int (*set)(struct options *o, const char *value, struct error *e);
} settings[] = {
        {"rundir", "DIR", "sockets and locks (default " DEFAULT_RUNDIR ")", set_rundir},
        {"bridge", "NAME", "name of the bridge (default br0)", set_bridge},
        {"workers", "CORES", "cores that forward, like 1,3 or 2-5 (default: the last one)", set_workers},
        {"memory", "MB", "most memory of DPDK (default 256, or 64 without hugepages)", set_memory},
        {"flow-cache", "FLOWS", "that a worker remembers (default 1048576; 200 bytes each when used)",
         set_flow_cache},
        {"connections", "N", "that are tracked (default 1048576; 220 bytes each when used)", set_connections},
        {"zone-connections", "N", "of them in one zone (default: no limit)", set_zone_connections},
        {"pci", "yes|no", "use PCI devices (default no)", set_pci},
        {"state", "FILE", "where interface definitions are kept", set_state},
        {"listen", "TARGET", "ptcp:[PORT][:ADDRESS] or pssl:..., for OpenFlow; may be repeated", set_listen},
        {"private-key", "FILE", "for pssl: and ssl: (PEM)", set_private_key},
        {"certificate", "FILE", "the switch's own (PEM)", set_certificate},
        {"ca-cert", "FILE", "who must have signed the certificate of a peer (PEM)", set_ca_cert},
        {"log-level", "LEVEL", "error, warn, info or debug (default info)", set_log_level},
};
enum { NSETTINGS = sizeof(settings) / sizeof(settings[0]) };

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

static int set_line(struct options *o, char *line, struct error *e)
{
	char *text = trim(line), *value = strchr(text, '=');

	if (!*text || *text == '#')
		return 0;
	if (!value)
		return error_set(e, EINVAL, "expected key = value");
	*value++ = 0;
	text = trim(text);
	for (int i = 0; i < NSETTINGS; i++)
		if (!strcmp(text, settings[i].key))
			return settings[i].set(o, trim(value), e);
	return error_set(e, EINVAL, "%s: unknown key", text);
}

static int read_file(struct options *o, const char *path, bool must_exist, struct error *e)
{
	FILE *f = fopen(path, "r");
	char line[512];
	int number = 0, rc = 0;

	if (!f) {
		if (errno == ENOENT && !must_exist)
			return 0;
		return error_set(e, errno, "config: %s: %s", path, strerror(errno));
	}
	while (!rc && fgets(line, sizeof(line), f)) {
		number++;
		rc = set_line(o, line, e);
	}
	fclose(f);
	if (rc)
		error_prefix(e, "%s:%d", path, number);
	return rc;
}

static void print_help(void)
{
	puts("weftd: the switch of one host\n\nUsage: weftd [OPTION]...\n");
	for (int i = 0; i < NSETTINGS; i++)
		printf("  --%s %-*s %s\n", settings[i].key, (int)(16 - strlen(settings[i].key)),
		       settings[i].value, settings[i].help);
	puts("  --config FILE      settings as `key = value` lines (default " DEFAULT_CONFIG ")\n"
	     "  --help, --version");
}

/* Fills what depends on the rest. */
static int finish(struct options *o, struct error *e)
{
	int n = 0;

	if (!o->nworkers) {
		long cores = sysconf(_SC_NPROCESSORS_ONLN);

		o->workers[o->nworkers++] = cores > 1 ? (unsigned)cores - 1 : 0;
	}
	if (!*o->private_key != !*o->certificate || !*o->private_key != !*o->ca_cert)
		return error_set(e, EINVAL, "private-key, certificate and ca-cert go together");
	if (*o->state)
		return 0;
	if (strcmp(o->rundir, DEFAULT_RUNDIR))
		n = snprintf(o->state, sizeof(o->state), "%s/interfaces.json", o->rundir);
	else
		n = snprintf(o->state, sizeof(o->state), "/var/lib/weft/%s.json", o->bridge);
	return n < (int)sizeof(o->state) ? 0 : error_set(e, EINVAL, "rundir: too long");
}

enum options_result options_read(int argc, char **argv, struct options *o, struct error *e)
{
	enum { CONFIG = NSETTINGS, HELP, VERSION, GIVEN_MAX = 64 };
	struct option longs[NSETTINGS + 4] = {0};
	struct {
		const struct setting *setting;
		const char *value;
	} given[GIVEN_MAX];
	const char *config = NULL;
	int c, i, n = 0;

	*o = (struct options){.rundir = DEFAULT_RUNDIR, .bridge = "br0", .log_level = LOG_LEVEL_INFO};
	for (i = 0; i < NSETTINGS; i++)
		longs[i] = (struct option){settings[i].key, required_argument, NULL, i};
	longs[CONFIG] = (struct option){"config", required_argument, NULL, CONFIG};
	longs[HELP] = (struct option){"help", no_argument, NULL, HELP};
	longs[VERSION] = (struct option){"version", no_argument, NULL, VERSION};

	optind = 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c >= 0 && c < NSETTINGS) {
			if (n == GIVEN_MAX) {
				error_set(e, E2BIG, "at most %d options", GIVEN_MAX);
				return OPTIONS_USAGE;
			}
			given[n].setting = &settings[c];
			given[n++].value = optarg;
		} else if (c == CONFIG) {
			config = optarg;
		} else if (c == HELP) {
			print_help();
			return OPTIONS_EXIT;
		} else if (c == VERSION) {
			puts("weftd " WEFT_VERSION);
			return OPTIONS_EXIT;
		} else {
			error_set(e, EINVAL, "try --help");
			return OPTIONS_USAGE;
		}
	}
	if (optind < argc) {
		error_set(e, EINVAL, "%s: unexpected argument", argv[optind]);
		return OPTIONS_USAGE;
	}
	if (read_file(o, config ? config : DEFAULT_CONFIG, config != NULL, e))
		return OPTIONS_USAGE;
	for (i = 0; i < n; i++)
		if (given[i].setting->set(o, given[i].value, e))
			return OPTIONS_USAGE;
	return finish(o, e) ? OPTIONS_USAGE : OPTIONS_RUN;
}
