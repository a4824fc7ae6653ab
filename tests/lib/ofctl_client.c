/* SPDX-License-Identifier: Apache-2.0 */
/* Runs ovs-ofctl for tests; see the header. */
#include "tests/lib/ofctl_client.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/fake_switch.h"

enum { MONITOR_TRIES = 1000, MONITOR_PAUSE_US = 10000 };

static char dir[64], path[96], file[96], log_file[96], pid_file[96];
static struct fake_switch *sw;
static const char *protocol = "";
static char output[4 << 20];

void ofctl_set_up(void)
{
	if (system("command -v ovs-ofctl >/dev/null"))
		cr_skip("ovs-ofctl is not installed");
	strcpy(dir, "/tmp/weft-ofctl-XXXXXX");
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/br0.mgmt", dir);
	snprintf(file, sizeof(file), "%s/lines", dir);
	snprintf(log_file, sizeof(log_file), "%s/log", dir);
	snprintf(pid_file, sizeof(pid_file), "%s/ovs-ofctl.pid", dir);
	setenv("OVS_RUNDIR", dir, 1);
	protocol = "";
	sw = fake_switch_start(path);
}

void ofctl_tear_down(void)
{
	if (!sw)
		return;
	ofctl_monitor_stop();
	fake_switch_stop(sw);
	cr_expect_eq(access(path, F_OK), -1, "the socket file is gone");
	unlink(file);
	unlink(log_file);
	rmdir(dir);
}

struct fake_switch *ofctl_switch(void)
{
	return sw;
}

const char *ofctl_dir(void)
{
	return dir;
}

const char *ofctl_path(void)
{
	return path;
}

void ofctl_protocol(const char *options)
{
	protocol = options;
}

int ofctl(const char *verb, const char *rest)
{
	char command[2048];
	FILE *f;
	size_t n;
	int rc;

	snprintf(command, sizeof(command), "ovs-ofctl -t 60 %s %s unix:%s %s 2>&1", protocol, verb, path,
	         rest);
	f = popen(command, "r");
	cr_assert(f);
	n = fread(output, 1, sizeof(output) - 1, f);
	output[n] = 0;
	rc = pclose(f);
	return rc == -1 ? -1 : WEXITSTATUS(rc);
}

const char *ofctl_output(void)
{
	return output;
}

void ofctl_ok(const char *verb, const char *rest)
{
	int rc = ofctl(verb, rest);

	cr_assert_eq(rc, 0, "%s %s %s: %d: %s", protocol, verb, rest, rc, output);
	cr_assert(!strstr(output, "OFPT_ERROR"), "%s %s %s: %s", protocol, verb, rest, output);
}

void ofctl_refused(const char *verb, const char *rest)
{
	cr_expect_neq(ofctl(verb, rest), 0, "%s %s %s: %s", protocol, verb, rest, output);
}

void ofctl_prints(const char *wanted)
{
	cr_expect(strstr(output, wanted), "%s: expected \"%s\" in: %s", protocol, wanted, output);
}

void ofctl_prints_not(const char *unwanted)
{
	cr_expect(!strstr(output, unwanted), "%s: expected no \"%s\" in: %s", protocol, unwanted, output);
}

const char *ofctl_write(const char *text)
{
	FILE *f = fopen(file, "w");

	cr_assert(f);
	cr_assert_geq(fputs(text, f), 0);
	fclose(f);
	return file;
}

/* ---- monitor ---- */

void ofctl_monitor_start(const char *rest)
{
	char command[1024];

	snprintf(command, sizeof(command),
	         "ovs-ofctl %s monitor unix:%s %s --detach --no-chdir --pidfile >%s 2>&1", protocol, path,
	         rest, log_file);
	cr_assert_eq(system(command), 0, "%s", command);
}

static bool log_has(const char *wanted)
{
	FILE *f = fopen(log_file, "r");
	size_t n;

	cr_assert(f);
	n = fread(output, 1, sizeof(output) - 1, f);
	output[n] = 0;
	fclose(f);
	return strstr(output, wanted);
}

void ofctl_monitor_prints(const char *wanted)
{
	for (unsigned i = 0; i < MONITOR_TRIES; i++) {
		if (log_has(wanted))
			return;
		usleep(MONITOR_PAUSE_US);
	}
	cr_expect_fail("%s: expected \"%s\" of monitor: %s", protocol, wanted, output);
}

void ofctl_monitor_stop(void)
{
	FILE *f = fopen(pid_file, "r");
	int pid = 0;

	if (!f)
		return;
	if (fscanf(f, "%d", &pid) == 1 && pid > 0)
		kill(pid, SIGTERM);
	fclose(f);
	for (unsigned i = 0; i < MONITOR_TRIES && access(pid_file, F_OK) == 0; i++)
		usleep(MONITOR_PAUSE_US); /* it takes its pidfile away when it ends */
	cr_expect_eq(access(pid_file, F_OK), -1, "the monitor ended");
}
