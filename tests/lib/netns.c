/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces for tests; see netns.h. */
#include "tests/lib/netns.h"

#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start_peer(void)
{
	int ready[2];
	pid_t child;
	char c;

	if (pipe(ready))
		return -1;
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (child > 0 && read(ready[0], &c, 1) != 1) {
		netns_end(child);
		child = -1;
	}
	close(ready[0]);
	return child;
}

pid_t netns_two_hosts(void)
{
	pid_t peer;

	if (unshare(CLONE_NEWNET))
		return -1;
	peer = start_peer();
	if (peer < 0)
		return -1;
	if (netns_here("ip link set lo up && ip link add a0 address 02:00:00:00:00:0a numrxqueues 1 "
	               "numtxqueues 1 type veth"
	               " peer name b0 address 02:00:00:00:00:0b numrxqueues 1 numtxqueues 1 &&"
	               " ip link set b0 netns %d && ethtool -K a0 tx off gro off >/dev/null &&"
	               " ip link set a0 mtu 1600 up && ip addr add 172.31.0.1/24 dev a0 &&"
	               " ip -6 addr add fd00::1/64 dev a0 nodad",
	               peer) ||
	    netns_there(peer,
	                "ip link set lo up && ethtool -K b0 tx off gro off >/dev/null && ip link set b0 mtu "
	                "1600 up &&"
	                " ip addr add 172.31.0.2/24 dev b0 && ip -6 addr add fd00::2/64 dev b0 nodad")) {
		netns_end(peer);
		return -1;
	}
	return peer;
}

void netns_end(pid_t peer)
{
	if (peer <= 0)
		return;
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
}

int netns_here(const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

int netns_there(pid_t peer, const char *format, ...)
{
	char text[1024], command[1200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(command, sizeof(command), "nsenter -t %d -n sh -c '%s'", peer, text);
	return system(command);
}
