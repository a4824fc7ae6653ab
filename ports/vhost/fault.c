/* SPDX-License-Identifier: Apache-2.0 */
/* The SIGBUS handler; see fault.h. Used by ports/vhost/memory.c and dirty.c. */
#include "ports/vhost/fault.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

enum { WATCHES_MAX = 8192 };

/* The range is copied here, so that the handler touches a watch only when its owner's memory was touched. */
struct slot {
	uintptr_t base;
	size_t len; /* 0: free */
	struct fault_watch *watch;
};

static struct slot slots[WATCHES_MAX];
static unsigned used; /* slots from here on are free */
static struct sigaction before;

/* The page (as far as it lies in the range) becomes private zeroes. */
static bool cover(struct fault_watch *w, uintptr_t at)
{
	uintptr_t base = (uintptr_t)w->base, from = at & ~(w->page - 1), to = from + w->page;
	void *want;

	from = from < base ? base : from;
	to = to > base + w->len ? base + w->len : to;
	want = (void *)from;
	if (mmap(want, to - from, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
	    want)
		return false;
	__atomic_store_n(&w->faulted, true, __ATOMIC_RELEASE);
	if (w->wake)
		uv_async_send(w->wake); /* safe in a signal handler, says libuv */
	return true;
}

static void pass_on(int sig, siginfo_t *info, void *context)
{
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(sig, info, context);
	else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
		before.sa_handler(sig);
	else
		signal(SIGBUS, SIG_DFL); /* the access is repeated and ends the process */
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	unsigned n = __atomic_load_n(&used, __ATOMIC_ACQUIRE);
	uintptr_t at = (uintptr_t)info->si_addr;

	for (unsigned i = 0; i < n; i++) {
		size_t len = __atomic_load_n(&slots[i].len, __ATOMIC_ACQUIRE);

		if (len && at >= slots[i].base && at - slots[i].base < len && cover(slots[i].watch, at)) {
			errno = saved;
			return;
		}
	}
	errno = saved;
	pass_on(sig, info, context);
}

static int install(void)
{
	static bool installed;
	struct sigaction sa = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};

	if (installed)
		return 0;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGBUS, &sa, &before))
		return -errno;
	installed = true;
	return 0;
}

int fault_watch_add(struct fault_watch *w)
{
	int rc = install();

	if (rc)
		return rc;
	for (unsigned i = 0; i < WATCHES_MAX; i++) {
		if (slots[i].len)
			continue;
		slots[i].base = (uintptr_t)w->base;
		slots[i].watch = w;
		__atomic_store_n(&slots[i].len, w->len, __ATOMIC_RELEASE);
		if (i >= used)
			__atomic_store_n(&used, i + 1, __ATOMIC_RELEASE);
		return 0;
	}
	return -ENOSPC;
}

void fault_watch_remove(struct fault_watch *w)
{
	for (unsigned i = 0; i < used; i++)
		if (slots[i].len && slots[i].watch == w)
			__atomic_store_n(&slots[i].len, 0, __ATOMIC_RELEASE);
}
