/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hosts for a test: the process' own network namespace and that of a child, joined by veth a0 (here) and
 * b0 (there). Both vanish with the processes.
 *
 *	here:  a0 172.31.0.1/24, fd00::1/64, 02:00:00:00:00:0a
 *	there: b0 172.31.0.2/24, fd00::2/64, 02:00:00:00:00:0b
 */
#ifndef TESTS_LIB_NETNS_H
#define TESTS_LIB_NETNS_H

#include <sys/types.h>

/* Moves this process to a namespace of its own and makes the peer. Returns the child that holds the peer's
 * namespace; -1 without the rights. MTU 1600, one queue each, no offloads. */
pid_t netns_two_hosts(void);
/* Ends the child. */
void netns_end(pid_t peer);
/* Runs a shell command here or there; its exit status. */
int netns_here(const char *format, ...) __attribute__((format(printf, 1, 2)));
int netns_there(pid_t peer, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
