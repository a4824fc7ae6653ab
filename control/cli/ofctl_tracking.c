/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: connections to be forgotten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"

/* A whole number in C notation up to `max`. */
static bool take_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*out = strtoul(text, &end, 0);
	return !*end && *out <= max;
}

int ofctl_ct_flush_zone(struct ofctl *ctl, int argc, char **argv)
{
	struct ofp_writer w = {0};
	unsigned long zone;
	int rc;

	if (!take_number(argv[2], UINT16_MAX, &zone))
		return ofctl_fail("invalid zone_id \"%s\"", argv[2]);
	rc = ofctl_connect(ctl, argv[1]);
	if (rc)
		return rc;
	nx_put_ct_flush_zone(&w, 0, (uint16_t)zone);
	rc = ofctl_send(ctl, &w);
	ofp_writer_free(&w);
	return rc ? rc : ofctl_barrier(ctl);
}

/* ---- ct-flush: what the two tuples say ---- */

struct tuples {
	uint8_t proto; /* of both */
	int family;    /* 4 or 6; 0: no address yet */
};

static bool is_icmp(uint8_t proto)
{
	return proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMPV6;
}

static int bad_tuple(const char *what, const char *key)
{
	return ofctl_fail("Failed to parse ct-tuple: %s %s", what, key);
}

static int take_address(struct tuples *t, struct ct_tuple *tuple, const char *key, const char *value)
{
	int family = !strncmp(key, "ct_nw_", 6) ? 4 : 6;
	struct ip_addr *to = !strcmp(strrchr(key, '_'), "_src") ? &tuple->src : &tuple->dst;
	bool v4;

	if (t->family && t->family != family)
		return bad_tuple("the L3 protocol does not match", value);
	if (!ip_is_none(to))
		return bad_tuple("set multiple times:", key);
	v4 = !strchr(value, ':');
	if (ip_parse(value, to) || v4 != (family == 4))
		return bad_tuple("failed to parse field", key);
	t->family = family;
	return 0;
}

static int take_icmp(struct tuples *t, struct ct_tuple *tuple, const char *key, const char *value)
{
	uint16_t type_code = be16toh(tuple->tp_dst);
	bool id = !strcmp(key, "icmp_id");
	unsigned long n;

	if (!is_icmp(t->proto))
		return bad_tuple("invalid L4 fields:", key);
	if (!take_number(value, id ? UINT16_MAX : UINT8_MAX, &n))
		return bad_tuple("failed to parse field", key);
	if (id)
		tuple->tp_src = htobe16((uint16_t)n);
	else if (!strcmp(key, "icmp_type"))
		tuple->tp_dst = htobe16((uint16_t)(n << 8 | (type_code & 0xff)));
	else
		tuple->tp_dst = htobe16((uint16_t)((type_code & 0xff00) | n));
	return 0;
}

static int take_pair(struct tuples *t, struct ct_tuple *tuple, const char *key, const char *value)
{
	bool src_port = !strcmp(key, "ct_tp_src"), proto = !strcmp(key, "ct_nw_proto");
	unsigned long n;

	if (!*value)
		return bad_tuple("missing value of field", key);
	if (!strcmp(key, "ct_nw_src") || !strcmp(key, "ct_nw_dst") || !strcmp(key, "ct_ipv6_src") ||
	    !strcmp(key, "ct_ipv6_dst"))
		return take_address(t, tuple, key, value);
	if (!strcmp(key, "icmp_type") || !strcmp(key, "icmp_code") || !strcmp(key, "icmp_id"))
		return take_icmp(t, tuple, key, value);
	if (!src_port && !proto && strcmp(key, "ct_tp_dst"))
		return bad_tuple("invalid conntrack tuple field:", key);
	if (!take_number(value, proto ? UINT8_MAX : UINT16_MAX, &n))
		return bad_tuple("failed to parse field", key);
	if (proto)
		t->proto = (uint8_t)n;
	else
		*(src_port ? &tuple->tp_src : &tuple->tp_dst) = htobe16((uint16_t)n);
	return 0;
}

/* "ct_nw_src=10.0.0.1,ct_nw_proto=6": changes `text`. */
static int take_tuple(struct tuples *t, struct ct_tuple *tuple, char *text)
{
	char *save, *word = strtok_r(text, ", \t\r\n", &save);
	int rc = 0;

	for (; word && !rc; word = strtok_r(NULL, ", \t\r\n", &save)) {
		char *value = word + strcspn(word, "=:");

		if (*value)
			*value++ = '\0';
		rc = take_pair(t, tuple, word, value);
	}
	if (!rc && !t->proto && (tuple->tp_src || tuple->tp_dst))
		return ofctl_fail("Failed to parse ct-tuple: port is set without protocol");
	return rc;
}

/* [zone=N] [ORIG [REPLY]] */
static int take_arguments(struct ct_flush *flush, int argc, char **argv)
{
	struct tuples t = {.proto = 0};
	unsigned long zone = 0;
	int at = 2, rc = 0;

	if (at < argc && !strncmp(argv[at], "zone=", 5)) {
		if (!take_number(argv[at++] + 5, UINT16_MAX, &zone))
			return ofctl_fail("Failed to parse zone");
		flush->by_zone = true;
		flush->zone = (uint16_t)zone;
	}
	if (argc - at > 2)
		return ofctl_fail("'ct-flush' command takes at most two tuples");
	if (at < argc)
		rc = take_tuple(&t, &flush->orig, argv[at++]);
	if (!rc && at < argc)
		rc = take_tuple(&t, &flush->reply, argv[at]);
	flush->orig.proto = flush->reply.proto = t.proto;
	return rc;
}

int ofctl_ct_flush(struct ofctl *ctl, int argc, char **argv)
{
	struct ct_flush flush = {.by_zone = false};
	struct ofp_writer w = {0};
	int rc = take_arguments(&flush, argc, argv);

	if (!rc)
		rc = ofctl_connect(ctl, argv[1]);
	if (rc)
		return rc;
	nx_put_ct_flush(&w, 0, &flush);
	rc = ofctl_send(ctl, &w);
	ofp_writer_free(&w);
	return rc ? rc : ofctl_barrier(ctl);
}
