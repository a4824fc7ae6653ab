/* SPDX-License-Identifier: Apache-2.0 */
/* Text forms of addresses; see addr.h. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mac_parse(const char *text, struct mac *out)
{
	struct mac m;

	for (int i = 0; i < 6; i++) {
		int hi = hex_digit(text[0]);
		int lo = hi < 0 ? -1 : hex_digit(text[1]);

		if (lo < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		m.b[i] = (uint8_t)(hi << 4 | lo);
		text += 3;
	}
	*out = m;
	return 0;
}

const char *mac_format(struct mac m, char *text)
{
	snprintf(text, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m.b[0], m.b[1], m.b[2], m.b[3], m.b[4],
	         m.b[5]);
	return text;
}

int ip_parse(const char *text, struct ip_addr *out)
{
	uint32_t v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*out = ip_from_v4(v4);
		return 0;
	}
	return inet_pton(AF_INET6, text, out->b) == 1 ? 0 : -EINVAL;
}

const char *ip_format(const struct ip_addr *a, char *text)
{
	if (ip_is_v4(a))
		inet_ntop(AF_INET, a->b + 12, text, IP_TEXT_MAX);
	else
		inet_ntop(AF_INET6, a->b, text, IP_TEXT_MAX);
	return text;
}
