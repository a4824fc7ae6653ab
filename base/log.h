/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of the control thread, to standard error (journald reads the <N> priority prefix when it is the
 * reader). Never called on the packet path. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are not written. Default: LOG_LEVEL_INFO. Any thread. */
void log_set_level(enum log_level level);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For what somebody outside can cause as often as he likes: of the lines of one struct log_limit, zeroed at
 * first, LOG_BURST are written, then one a second; that one says how many were left out. One thread. */
struct log_limit {
	uint64_t due; /* ns */
	uint64_t left_out;
};

enum { LOG_BURST = 20 };

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
