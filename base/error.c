/* SPDX-License-Identifier: Apache-2.0 */
/* Error texts; see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *e, int code, const char *format, ...)
{
	va_list args;

	if (e) {
		va_start(args, format);
		vsnprintf(e->text, sizeof(e->text), format, args);
		va_end(args);
	}
	return -code;
}

void error_prefix(struct error *e, const char *format, ...)
{
	char old[sizeof(e->text)];
	va_list args;
	int n;

	if (!e)
		return;
	memcpy(old, e->text, sizeof(old));
	va_start(args, format);
	n = vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %.240s", old);
}
