/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that does not get on is interrupted by a signal. Called by the control thread; part of datapath.h.
 *
 * One system call of the packet path can be made to last: write(2) to a guest's call eventfd. Its front end
 * shares the open file and can clear O_NONBLOCK and fill the counter at any time, whatever we set or look at
 * before. The signal ends the call with EINTR, and the port takes the guest out of service. */
#include <signal.h>

#include "datapath/worker.h"

static void on_interrupt(int sig)
{
	/* That the system call ends is all that is wanted. */
}

int stuck_prepare(void)
{
	struct sigaction sa = {.sa_handler = on_interrupt}; /* without SA_RESTART */

	sigemptyset(&sa.sa_mask);
	return sigaction(SIGURG, &sa, NULL) ? -1 : 0;
}

void stuck_interrupt(struct worker *w)
{
	if (__atomic_load_n(&w->has_thread, __ATOMIC_ACQUIRE))
		pthread_kill(w->thread, SIGURG);
}

void datapath_free_stuck(struct datapath *dp)
{
	for (unsigned i = 0; i < dp->config.nworkers; i++) {
		struct worker *w = dp->workers[i];
		uint64_t now = __atomic_load_n(&w->stats.iterations, __ATOMIC_RELAXED);

		if (now == w->seen_iterations && !__atomic_load_n(&w->asleep, __ATOMIC_ACQUIRE))
			stuck_interrupt(w);
		w->seen_iterations = now;
	}
}
