/* SPDX-License-Identifier: Apache-2.0 */
/* The growing string that all formatters write to, and the names of ports. */
#include "flows/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static bool reserve(struct text *t, size_t more)
{
	size_t capacity = t->capacity ? t->capacity : 128;
	char *data;

	if (t->len + more + 1 <= t->capacity)
		return true;
	while (capacity < t->len + more + 1)
		capacity *= 2;
	data = realloc(t->data, capacity);
	if (!data) {
		t->failed = true;
		return false;
	}
	t->data = data;
	t->capacity = capacity;
	return true;
}

void text_add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0 || !reserve(t, (size_t)n))
		return;
	va_start(ap, format);
	vsnprintf(t->data + t->len, (size_t)n + 1, format, ap);
	va_end(ap);
	t->len += (size_t)n;
}

void text_add_bytes(struct text *t, const char *bytes, size_t n)
{
	if (!reserve(t, n))
		return;
	memcpy(t->data + t->len, bytes, n);
	t->len += n;
	t->data[t->len] = '\0';
}

void text_chomp(struct text *t, char c)
{
	if (t->len && t->data[t->len - 1] == c)
		t->data[--t->len] = '\0';
}

const char *text_get(const struct text *t)
{
	return t->data ? t->data : "";
}

void text_free(struct text *t)
{
	free(t->data);
	memset(t, 0, sizeof(*t));
}

void duration_format(struct text *out, uint64_t ns)
{
	unsigned long long seconds = ns / 1000000000;
	unsigned fraction = (unsigned)(ns % 1000000000);

	if (!fraction)
		text_add(out, "%llus", seconds);
	else if (fraction % 1000000 == 0)
		text_add(out, "%llu.%03us", seconds, fraction / 1000000);
	else if (fraction % 1000 == 0)
		text_add(out, "%llu.%06us", seconds, fraction / 1000);
	else
		text_add(out, "%llu.%09us", seconds, fraction);
}

/* ---- ports ---- */

static const struct {
	const char *name;
	uint32_t port;
} reserved[] = {
        {"IN_PORT", PORT_IN_PORT}, {"TABLE", PORT_TABLE}, {"NORMAL", PORT_NORMAL},
        {"FLOOD", PORT_FLOOD},     {"ALL", PORT_ALL},     {"CONTROLLER", PORT_CONTROLLER},
        {"LOCAL", PORT_LOCAL},     {"ANY", PORT_ANY},     {"NONE", PORT_ANY},
        {"UNSET", PORT_UNSET},
};

/* Numbers as OpenFlow 1.0 wrote them (16 bits) mean the same reserved ports; the rest of the upper range is
 * nobody's. */
static int port_from_number(unsigned long long n, uint32_t *port)
{
	if (n < 0xff00)
		*port = (uint32_t)n;
	else if (n <= 0xffff)
		*port = (uint32_t)n | 0xffff0000u;
	else if (n >= PORT_MAX && n <= 0xffffffffu)
		*port = (uint32_t)n;
	else
		return -EINVAL;
	return 0;
}

int port_parse(const char *text, const struct port_names *names, uint32_t *port)
{
	char unquoted[64];
	size_t len = strlen(text);
	char *end;

	if (!len)
		return -EINVAL;
	if (isdigit((unsigned char)*text)) {
		unsigned long long n;

		errno = 0;
		n = strtoull(text, &end, 0);
		if (!errno && !*end)
			return port_from_number(n, port);
	}
	for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (!strcasecmp(text, reserved[i].name)) {
			*port = reserved[i].port;
			return 0;
		}
	}
	if (!names || !names->number)
		return -EINVAL;
	if (len >= 2 && len < sizeof(unquoted) && text[0] == '"' && text[len - 1] == '"') {
		memcpy(unquoted, text + 1, len - 2);
		unquoted[len - 2] = '\0';
		text = unquoted;
	}
	return names->number(names->arg, text, port) ? -EINVAL : 0;
}

static bool plain_name(const char *name)
{
	if (!isalpha((unsigned char)*name))
		return false;
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("_-", *name))
			return false;
	}
	return true;
}

void port_format(struct text *out, uint32_t port, const struct port_names *names)
{
	const char *name = names && names->name && port < PORT_MAX ? names->name(names->arg, port) : NULL;

	for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (reserved[i].port == port)
			name = name ? name : reserved[i].name;
	}
	if (!name)
		text_add(out, "%u",
		         port >= PORT_MAX ? port & 0xffff : port); /* as OpenFlow 1.0 would say it */
	else
		text_add(out, plain_name(name) ? "%s" : "\"%s\"", name);
}
