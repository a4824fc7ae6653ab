/* SPDX-License-Identifier: Apache-2.0 */
/* Real etcd for tests; see etcd.h. */
#include "tests/lib/etcd.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { PORT = 2379, PEER_PORT = 2479, READY_S = 120 };

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	cr_assert_eq(system(command), 0, "%s", command);
}

/* ---- members ---- */

static void exec_member(const struct etcd_cluster *c, unsigned i)
{
	const char *scheme = c->tls ? "https" : "http";
	char peers[256] = "", command[2048], tls[512] = "";

	for (unsigned k = 0; k < c->n; k++)
		snprintf(peers + strlen(peers), sizeof(peers) - strlen(peers), "%sm%u=http://127.0.0.1:%u",
		         k ? "," : "", k, PEER_PORT + k);
	if (c->tls)
		snprintf(
		        tls, sizeof(tls),
		        "--client-cert-auth --trusted-ca-file %s/ca.pem --cert-file %s/server.pem --key-file "
		        "%s/server.key",
		        c->dir, c->dir, c->dir);
	snprintf(command, sizeof(command),
	         "exec etcd --name m%u --data-dir %s/m%u --listen-client-urls %s://127.0.0.1:%u "
	         "--advertise-client-urls %s://127.0.0.1:%u --listen-peer-urls http://127.0.0.1:%u "
	         "--initial-advertise-peer-urls http://127.0.0.1:%u --initial-cluster %s --log-level error "
	         "--heartbeat-interval 200 --election-timeout 2000 "
	         "--experimental-watch-progress-notify-interval 500ms %s >>%s/m%u.log 2>&1",
	         i, c->dir, i, scheme, PORT + i, scheme, PORT + i, PEER_PORT + i, PEER_PORT + i, peers, tls,
	         c->dir, i);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

void etcd_run(struct etcd_cluster *c, unsigned i)
{
	c->pids[i] = fork();
	if (!c->pids[i]) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exec_member(c, i);
	}
	cr_assert_gt(c->pids[i], 0);
}

void etcd_kill(struct etcd_cluster *c, unsigned i)
{
	if (!c->pids[i])
		return;
	kill(c->pids[i], SIGKILL);
	waitpid(c->pids[i], NULL, 0);
	c->pids[i] = 0;
}

void etcd_freeze(struct etcd_cluster *c, unsigned i, bool frozen)
{
	kill(c->pids[i], frozen ? SIGSTOP : SIGCONT);
}

void etcd_forget(struct etcd_cluster *c, unsigned i)
{
	shell("rm -r %s/m%u", c->dir, i);
}

/* ---- the cluster ---- */

static void etcdctl(const struct etcd_cluster *c, char *command, size_t size, const char *what)
{
	if (c->tls)
		snprintf(command, size,
		         "ETCDCTL_API=3 etcdctl --endpoints %s --cacert %s/ca.pem --cert %s/root.pem --key "
		         "%s/root.key %s",
		         c->endpoints, c->dir, c->dir, c->dir, what);
	else
		snprintf(command, size, "ETCDCTL_API=3 etcdctl --endpoints %s %s", c->endpoints, what);
}

int etcd_ctl(const struct etcd_cluster *c, const char *format, ...)
{
	char what[512], command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	etcdctl(c, command, sizeof(command), what);
	return system(command);
}

int etcd_roles(const struct etcd_cluster *c, const char *arguments)
{
	char command[1024];

	snprintf(command, sizeof(command),
	         "ETCDCTL_ENDPOINTS=%s ETCDCTL_CACERT=%s/ca.pem ETCDCTL_CERT=%s/root.pem "
	         "ETCDCTL_KEY=%s/root.key control/etcd/weft-etcd-roles %s >/dev/null",
	         c->endpoints, c->dir, c->dir, c->dir, arguments);
	return system(command);
}

/* Lines "ENDPOINT, ID, VERSION, SIZE, LEADS, ..."; -1: none leads. */
static int look_for_leader(const struct etcd_cluster *c)
{
	char command[1024], line[512], leads[8];
	unsigned port;
	int found = -1;
	FILE *out;

	etcdctl(c, command, sizeof(command), "--command-timeout 2s endpoint status 2>/dev/null");
	out = popen(command, "r");
	while (out && fgets(line, sizeof(line), out))
		if (sscanf(line, "127.0.0.1:%u, %*[^,], %*[^,], %*[^,], %7[a-z]", &port, leads) == 2 &&
		    !strcmp(leads, "true"))
			found = (int)(port - PORT);
	if (out)
		pclose(out);
	return found;
}

unsigned etcd_leader(const struct etcd_cluster *c)
{
	uint64_t until = clock_now() + READY_S * CLOCK_SECOND;
	int leader;

	while ((leader = look_for_leader(c)) < 0)
		cr_assert_lt(clock_now(), until, "nobody leads; logs in %s", c->dir);
	return (unsigned)leader;
}

void etcd_cluster_start(struct etcd_cluster *c, unsigned n, bool tls)
{
	*c = (struct etcd_cluster){.n = n, .tls = tls, .dir = "/dev/shm/weft-etcd-XXXXXX"};
	cr_assert(mkdtemp(c->dir));
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	shell("ip link set lo up");
	if (tls)
		shell("tests/lib/certificates %s 127.0.0.1 server root operator hv1 hv2", c->dir);
	for (unsigned i = 0; i < n; i++) {
		snprintf(c->endpoints + strlen(c->endpoints), sizeof(c->endpoints) - strlen(c->endpoints),
		         "%s127.0.0.1:%u", i ? "," : "", PORT + i);
		etcd_run(c, i);
	}
	etcd_leader(c);
}

void etcd_cluster_stop(struct etcd_cluster *c)
{
	for (unsigned i = 0; i < c->n; i++)
		etcd_kill(c, i);
	shell("rm -r %s", c->dir);
}

struct store *etcd_store(const struct etcd_cluster *c, const char *user, int timeout_ms)
{
	char key[128], certificate[128], ca[128];
	struct tls_files files = {key, certificate, ca};
	struct error e = {""};
	struct store *s = NULL;

	snprintf(key, sizeof(key), "%s/%s.key", c->dir, user);
	snprintf(certificate, sizeof(certificate), "%s/%s.pem", c->dir, user);
	snprintf(ca, sizeof(ca), "%s/ca.pem", c->dir);
	cr_assert_eq(store_open_etcd(c->endpoints, c->tls ? &files : NULL, timeout_ms, &s, &e), 0, "%s",
	             e.text);
	return s;
}
