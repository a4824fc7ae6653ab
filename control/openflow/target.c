/* SPDX-License-Identifier: Apache-2.0 */
/* Reads "tcp:10.0.0.1:6653" and its like. Called by the server with what a user typed. */
#include "control/openflow/target.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int bad(struct error *e, const char *text, const char *expected)
{
	return error_set(e, EINVAL, "target '%s': expected %s", text, expected);
}

/* Digits only, 0 to 65535. */
static bool read_port(const char *text, uint16_t *out)
{
	char *end;
	unsigned long port;

	if (!isdigit((unsigned char)*text))
		return false;
	port = strtoul(text, &end, 10);
	*out = (uint16_t)port;
	return !*end && port <= 65535;
}

/* Copies `n` bytes, without the brackets of an IPv6 address. */
static bool read_host(const char *text, size_t n, char host[OFP_HOST_MAX])
{
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (!n || n >= OFP_HOST_MAX || memchr(text, '[', n) || memchr(text, ']', n))
		return false;
	memcpy(host, text, n);
	host[n] = 0;
	return true;
}

/* What follows the scheme, or NULL. */
static const char *scheme(const char *text, const char *tcp, const char *tls, bool *is_tls)
{
	size_t n = strcspn(text, ":");

	*is_tls = n == strlen(tls) && !strncmp(text, tls, n);
	if (text[n] != ':' || (!*is_tls && (n != strlen(tcp) || strncmp(text, tcp, n) != 0)))
		return NULL;
	return text + n + 1;
}

int ofp_target_parse_active(const char *text, struct ofp_target *out, struct error *e)
{
	static const char expected[] = "tcp:HOST[:PORT] or ssl:HOST[:PORT]";
	const char *host = scheme(text, "tcp", "ssl", &out->tls), *port;
	size_t n;

	if (!host || strlen(text) >= OFP_TARGET_TEXT_MAX)
		return bad(e, text, expected);
	n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (n > strlen(host) || (host[n] && host[n] != ':') || !read_host(host, n, out->host))
		return bad(e, text, expected);
	port = host[n] ? host + n + 1 : NULL;
	out->port = OFP_TCP_PORT;
	if (port && (!read_port(port, &out->port) || !out->port))
		return bad(e, text, "a port from 1 to 65535");
	return 0;
}

int ofp_target_parse_passive(const char *text, struct ofp_target *out, struct error *e)
{
	static const char expected[] = "ptcp:[PORT][:ADDRESS] or pssl:[PORT][:ADDRESS]";
	const char *rest = scheme(text, "ptcp", "pssl", &out->tls);
	char port[6] = "";
	size_t n;

	if (!rest || strlen(text) >= OFP_TARGET_TEXT_MAX)
		return bad(e, text, expected);
	n = strcspn(rest, ":");
	if (n >= sizeof(port))
		return bad(e, text, "a port from 0 to 65535");
	memcpy(port, rest, n);
	out->port = OFP_TCP_PORT;
	if (n && !read_port(port, &out->port))
		return bad(e, text, "a port from 0 to 65535");
	strcpy(out->host, "0.0.0.0");
	if (rest[n] && !read_host(rest + n + 1, strlen(rest + n + 1), out->host))
		return bad(e, text, expected);
	return 0;
}
