/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a cluster in turn; see endpoints.h. Used by client.c. */
#include "control/etcd/endpoints.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

/* Host and port of text[0..n). */
static int parse_one(const char *text, size_t n, struct endpoint *out)
{
	const char *colon = memrchr(text, ':', n), *host = text;
	size_t len = colon ? (size_t)(colon - text) : n, digits;

	if (n && *text == '[') { /* [IPv6] */
		const char *close = memchr(text, ']', n);

		if (!close)
			return -EINVAL;
		host = text + 1;
		len = (size_t)(close - host);
		colon = close + 1 < text + n ? close + 1 : NULL;
		if (colon && *colon != ':')
			return -EINVAL;
	} else if (memchr(text, ':', len)) {
		return -EINVAL; /* IPv6 without brackets */
	}
	digits = colon ? (size_t)(text + n - colon - 1) : 0;
	if (!len || len >= sizeof(out->host) || digits >= sizeof(out->port) || (colon && !digits))
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		if (!isdigit((unsigned char)colon[1 + i]))
			return -EINVAL;
	*out = (struct endpoint){.port = "2379"};
	memcpy(out->host, host, len);
	if (colon) {
		memcpy(out->port, colon + 1, digits);
		out->port[digits] = '\0';
	}
	return 0;
}

int endpoints_parse(const char *text, struct endpoints *out, struct error *e)
{
	*out = (struct endpoints){0};
	for (const char *at = text;;) {
		size_t n = strcspn(at, ",");

		if (out->n == ENDPOINTS_MAX)
			return error_set(e, EINVAL, "at most %d members", ENDPOINTS_MAX);
		if (parse_one(at, n, &out->list[out->n]))
			return error_set(e, EINVAL, "expected HOST[:PORT],..., not '%s'", text);
		out->n++;
		if (!at[n])
			break;
		at += n + 1;
	}
	out->turn = (unsigned)(hash_random_seed() % out->n);
	return 0;
}

unsigned endpoints_failed(struct endpoints *p)
{
	unsigned round, ms = ENDPOINT_FIRST_MS;

	p->turn++;
	p->failures++;
	if (p->failures % p->n)
		return 0;
	for (round = p->failures / p->n; round > 1 && ms < ENDPOINT_PAUSE_MS; round--)
		ms *= 2;
	if (ms > ENDPOINT_PAUSE_MS)
		ms = ENDPOINT_PAUSE_MS;
	return ms / 2 + (unsigned)(hash_random_seed() % ms) / 2;
}
