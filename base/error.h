/* SPDX-License-Identifier: Apache-2.0 */
/* One error text, filled where the mistake is seen and shown to the user unchanged. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

struct error {
	char text[256];
};

/* Writes the formatted text (cut at 255 bytes) and returns -code, so that a caller can `return
 * error_set(...)`. `e` may be NULL; `code` is a positive errno value. */
int error_set(struct error *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " in front of the text that is there already. */
void error_prefix(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
