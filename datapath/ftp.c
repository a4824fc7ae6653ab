/* SPDX-License-Identifier: Apache-2.0 */
/* Reads FTP's announcements of data connections; see ftp.h. Called by track_ftp.c. */
#include "datapath/ftp.h"

#include <string.h>
#include <strings.h>

struct cursor {
	const char *at, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take(struct cursor *c, char want)
{
	if (c->at == c->end || *c->at != want)
		return false;
	c->at++;
	return true;
}

/* Up to the next one, which is not taken. */
static bool skip_to(struct cursor *c, bool (*wanted)(char))
{
	while (c->at < c->end && !wanted(*c->at))
		c->at++;
	return c->at < c->end;
}

static bool is_bracket(char c)
{
	return c == '(';
}

/* A decimal number, and something behind it: else more of it may come in the next packet. */
static bool number(struct cursor *c, unsigned max, unsigned *out)
{
	const char *begin = c->at;

	for (*out = 0; c->at < c->end && is_digit(*c->at) && *out <= max; c->at++)
		*out = *out * 10 + (unsigned)(*c->at - '0');
	return c->at > begin && c->at < c->end && *out <= max;
}

static bool take_port(struct cursor *c, be16 *port)
{
	unsigned n;

	if (!number(c, 65535, &n))
		return false;
	*port = htobe16((uint16_t)n);
	return n;
}

static void found_at(struct ftp_text *out, const char *text, const char *begin, const char *end)
{
	out->at = (uint8_t)(begin - text);
	out->len = (uint8_t)(end - begin);
}

/* h1,h2,h3,h4,p1,p2 */
static bool read_six(const char *text, struct cursor c, struct ftp_text *out)
{
	const char *begin;
	unsigned n[6];

	if (!skip_to(&c, is_digit))
		return false;
	begin = c.at;
	for (unsigned i = 0; i < 6; i++) {
		if ((i && !take(&c, ',')) || !number(&c, 255, &n[i]))
			return false;
		if (i == 3)
			found_at(out, text, begin, c.at);
	}
	out->addr = ip_from_v4(htobe32(n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3]));
	out->port = htobe16((uint16_t)(n[4] << 8 | n[5]));
	out->commas = true;
	return out->port;
}

/* A delimiter of the sender's choice (RFC 2428 section 2). */
static bool take_delimiter(struct cursor *c, char *delimiter)
{
	if (c->at == c->end || *c->at < 33 || *c->at > 126 || is_digit(*c->at))
		return false;
	*delimiter = *c->at++;
	return true;
}

/* |1|132.235.1.2|6275| or |2|1080::8:800:200C:417A|5282| */
static bool read_extended(const char *text, struct cursor c, bool ipv4, struct ftp_text *out)
{
	char copy[IP_TEXT_MAX], delimiter;
	const char *begin;
	size_t n;

	while (take(&c, ' '))
		;
	if (!take_delimiter(&c, &delimiter) || !take(&c, ipv4 ? '1' : '2') || !take(&c, delimiter))
		return false;
	begin = c.at;
	while (c.at < c.end && *c.at != delimiter)
		c.at++;
	n = (size_t)(c.at - begin);
	if (n >= sizeof(copy))
		return false;
	memcpy(copy, begin, n);
	copy[n] = 0;
	if (ip_parse(copy, &out->addr) || ip_is_v4(&out->addr) != ipv4 || ip_is_none(&out->addr))
		return false;
	found_at(out, text, begin, c.at);
	return take(&c, delimiter) && take_port(&c, &out->port) && take(&c, delimiter);
}

/* (|||6446|) */
static bool read_extended_reply(struct cursor c, struct ftp_text *out)
{
	char delimiter;

	return skip_to(&c, is_bracket) && take(&c, '(') && take_delimiter(&c, &delimiter) &&
	       take(&c, delimiter) && take(&c, delimiter) && take_port(&c, &out->port) && take(&c, delimiter);
}

enum ftp_kind ftp_read(const uint8_t *text, uint32_t len, bool ipv4, struct ftp_text *out)
{
	enum { WORD = 4 }; /* with what follows: a command has four letters, a reply three digits */
	const char *begin = (const char *)text;
	struct cursor rest;
	bool ok;

	*out = (struct ftp_text){.port = 0};
	if (len < WORD)
		return FTP_OTHER;
	rest.at = begin + WORD;
	rest.end = begin + (len < FTP_TEXT_MAX ? len : FTP_TEXT_MAX);
	if (ipv4 && (!strncasecmp(begin, "PORT", WORD) || !memcmp(begin, "227 ", WORD)))
		ok = read_six(begin, rest, out);
	else if (!strncasecmp(begin, "EPRT", WORD))
		ok = read_extended(begin, rest, ipv4, out);
	else if (!memcmp(begin, "229 ", WORD))
		ok = read_extended_reply(rest, out);
	else
		return FTP_OTHER;
	return ok ? FTP_ANNOUNCES : FTP_BROKEN;
}

uint32_t ftp_address(const struct ftp_text *t, const struct ip_addr *addr, char out[IP_TEXT_MAX])
{
	ip_format(addr, out);
	for (char *dot = out; t->commas && (dot = strchr(dot, '.')); dot++)
		*dot = ',';
	return (uint32_t)strlen(out);
}
