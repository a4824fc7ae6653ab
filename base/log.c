/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on standard error; see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

static enum log_level max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	__atomic_store_n(&max_level, level, __ATOMIC_RELAXED);
}

static void write_prefix(enum log_level level)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	static const int priorities[] = {3, 4, 6, 7}; /* syslog's, for journald */
	struct timespec now;
	struct tm local;
	char text[32];

	if (getenv("JOURNAL_STREAM")) {
		fprintf(stderr, "<%d>", priorities[level]);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	strftime(text, sizeof(text), "%H:%M:%S", &local);
	fprintf(stderr, "%s.%03ld %-5s ", text, now.tv_nsec / 1000000, names[level]);
}

static void write_line(enum log_level level, uint64_t left_out, const char *format, va_list args)
{
	if (level > __atomic_load_n(&max_level, __ATOMIC_RELAXED))
		return;
	flockfile(stderr);
	write_prefix(level);
	vfprintf(stderr, format, args);
	if (left_out)
		fprintf(stderr, " (after %llu lines that were left out)", (unsigned long long)left_out);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(level, 0, format, args);
	va_end(args);
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	uint64_t now = clock_now();
	va_list args;

	if (limit->due > now + (LOG_BURST - 1) * CLOCK_SECOND) {
		limit->left_out++;
		return;
	}
	limit->due = (limit->due > now ? limit->due : now) + CLOCK_SECOND;
	va_start(args, format);
	write_line(level, limit->left_out, format, args);
	va_end(args);
	limit->left_out = 0;
}
