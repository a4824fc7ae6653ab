/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on standard error; see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

void log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	if (level > __atomic_load_n(&max_level, __ATOMIC_RELAXED))
		return;
	flockfile(stderr);
	write_prefix(level);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	funlockfile(stderr);
}
