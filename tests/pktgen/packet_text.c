/* SPDX-License-Identifier: Apache-2.0 */
/* Builds frames from text; see packet_text.h. Layers are laid down left to right, then finished right to
 * left, when the length and the kind of what follows are known. */
#include "tests/pktgen/packet_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/checksum.h"
#include "base/wire.h"

enum { LAYERS_MAX = 16, ARGS_MAX = 16 };

struct arg {
	char key[16], value[128];
};

struct layer {
	const struct kind *kind;
	uint32_t ofs; /* in the frame */
	struct arg args[ARGS_MAX];
	unsigned nargs;
};

struct frame {
	uint8_t *bytes;
	uint32_t len;
	struct layer layers[LAYERS_MAX];
	unsigned n;
	struct error *e;
	bool bad;
};

struct kind {
	const char *name;
	uint32_t size;
	uint16_t eth_type; /* what a lower layer calls it, 0: nothing */
	uint8_t proto;
	void (*lay)(struct frame *f, struct layer *l, uint8_t *p);
	void (*finish)(struct frame *f, unsigned i, uint8_t *p);
};

/* ---- arguments ---- */

static const char *arg(const struct layer *l, const char *key)
{
	for (unsigned i = 0; i < l->nargs; i++)
		if (!strcmp(l->args[i].key, key))
			return l->args[i].value;
	return NULL;
}

static uint32_t number(struct frame *f, const struct layer *l, const char *key, uint32_t missing)
{
	const char *text = arg(l, key);
	char *end;
	uint32_t value;

	if (!text)
		return missing;
	value = (uint32_t)strtoul(text, &end, 0);
	if (end == text || *end) {
		error_set(f->e, EINVAL, "%s(%s=%s): expected a number", l->kind->name, key, text);
		f->bad = true;
	}
	return value;
}

static struct mac mac_arg(struct frame *f, const struct layer *l, const char *key)
{
	struct mac m = {{0}};
	const char *text = arg(l, key);

	if (text && mac_parse(text, &m)) {
		error_set(f->e, EINVAL, "%s(%s=%s): expected a MAC address", l->kind->name, key, text);
		f->bad = true;
	}
	return m;
}

static struct ip_addr ip_arg(struct frame *f, const struct layer *l, const char *key, bool v4)
{
	struct ip_addr a = {{0}};
	const char *text = arg(l, key);

	if (text && (ip_parse(text, &a) || ip_is_v4(&a) != v4)) {
		error_set(f->e, EINVAL, "%s(%s=%s): expected an IPv%d address", l->kind->name, key, text,
		          v4 ? 4 : 6);
		f->bad = true;
	}
	return a;
}

/* ---- laying down ---- */

static void lay_eth(struct frame *f, struct layer *l, uint8_t *p)
{
	struct eth_header h = {mac_arg(f, l, "dst"), mac_arg(f, l, "src"),
	                       htobe16((uint16_t)number(f, l, "type", 0))};

	memcpy(p, &h, sizeof(h));
}

static void lay_vlan(struct frame *f, struct layer *l, uint8_t *p)
{
	uint16_t tci = (uint16_t)(number(f, l, "vid", 0) | number(f, l, "pcp", 0) << 13);
	struct vlan_header h = {htobe16(tci), htobe16((uint16_t)number(f, l, "type", 0))};

	memcpy(p, &h, sizeof(h));
}

static void lay_arp(struct frame *f, struct layer *l, uint8_t *p)
{
	struct ip_addr spa = ip_arg(f, l, "spa", true), tpa = ip_arg(f, l, "tpa", true);
	struct arp_header h = {htobe16(1),
	                       htobe16(ETH_TYPE_IPV4),
	                       6,
	                       4,
	                       htobe16((uint16_t)number(f, l, "op", 1)),
	                       mac_arg(f, l, "sha"),
	                       ip_to_v4(&spa),
	                       mac_arg(f, l, "tha"),
	                       ip_to_v4(&tpa)};

	memcpy(p, &h, sizeof(h));
}

static void lay_ipv4(struct frame *f, struct layer *l, uint8_t *p)
{
	struct ip_addr src = ip_arg(f, l, "src", true), dst = ip_arg(f, l, "dst", true);
	struct ipv4_header h = {
	        .version_ihl = 0x45,
	        .tos = (uint8_t)number(f, l, "tos", 0),
	        .id = htobe16((uint16_t)number(f, l, "id", 0)),
	        .frag = htobe16(number(f, l, "df", 0) ? 0x4000 : 0),
	        .ttl = (uint8_t)number(f, l, "ttl", 64),
	        .proto = (uint8_t)number(f, l, "proto", 0),
	        .src = ip_to_v4(&src),
	        .dst = ip_to_v4(&dst),
	};

	memcpy(p, &h, sizeof(h));
}

static void lay_ipv6(struct frame *f, struct layer *l, uint8_t *p)
{
	struct ip_addr src = ip_arg(f, l, "src", false), dst = ip_arg(f, l, "dst", false);
	struct ipv6_header h = {
	        .version_tc_flow = htobe32(6u << 28 | number(f, l, "tc", 0) << 20),
	        .next_header = (uint8_t)number(f, l, "next", 59),
	        .hop_limit = (uint8_t)number(f, l, "hops", 64),
	};

	memcpy(h.src, src.b, 16);
	memcpy(h.dst, dst.b, 16);
	memcpy(p, &h, sizeof(h));
}

static void lay_udp(struct frame *f, struct layer *l, uint8_t *p)
{
	struct udp_header h = {htobe16((uint16_t)number(f, l, "src", 0)),
	                       htobe16((uint16_t)number(f, l, "dst", 0)), 0, 0};

	memcpy(p, &h, sizeof(h));
}

static void lay_tcp(struct frame *f, struct layer *l, uint8_t *p)
{
	struct tcp_header h = {
	        .src = htobe16((uint16_t)number(f, l, "src", 0)),
	        .dst = htobe16((uint16_t)number(f, l, "dst", 0)),
	        .seq = htobe32(number(f, l, "seq", 0)),
	        .ack = htobe32(number(f, l, "ack", 0)),
	        .offset_flags = htobe16((uint16_t)(5 << 12 | number(f, l, "flags", 0x10))),
	        .window = htobe16((uint16_t)number(f, l, "window", 65535)),
	};

	memcpy(p, &h, sizeof(h));
}

static void lay_icmp(struct frame *f, struct layer *l, uint8_t *p)
{
	struct icmp_header h = {
	        .type = (uint8_t)number(f, l, "type", l->kind->proto == IP_PROTO_ICMP ? 8 : 128),
	        .code = (uint8_t)number(f, l, "code", 0),
	        .rest = htobe32(number(f, l, "id", 0) << 16 | number(f, l, "seq", 0)),
	};

	memcpy(p, &h, sizeof(h));
}

static void lay_vxlan(struct frame *f, struct layer *l, uint8_t *p)
{
	struct vxlan_header h = {htobe32(VXLAN_FLAG_I), htobe32(number(f, l, "vni", 0) << 8)};

	memcpy(p, &h, sizeof(h));
}

static void lay_data(struct frame *f, struct layer *l, uint8_t *p)
{
	const char *text = arg(l, "text");
	uint32_t len = number(f, l, "len", text ? (uint32_t)strlen(text) : 0);

	if (len > PACKET_TEXT_MAX - f->len) {
		error_set(f->e, EINVAL, "data(len=%u): the frame would be longer than %d bytes", len,
		          PACKET_TEXT_MAX);
		f->bad = true;
		return;
	}
	memset(p, (int)number(f, l, "fill", 0), len);
	if (text)
		memcpy(p, text, strnlen(text, len));
	f->len += len;
}

static void lay_hex(struct frame *f, struct layer *l, uint8_t *p)
{
	const char *text = l->nargs ? l->args[0].key : "";
	unsigned byte;
	int used;

	/* The digits stand where a key stands: hex(c0ffee). Long ones come as value: hex(x=c0ffee...). */
	if (l->nargs && *l->args[0].value)
		text = l->args[0].value;
	while (*text && f->len < PACKET_TEXT_MAX && sscanf(text, "%2x%n", &byte, &used) == 1 && used == 2) {
		*p++ = (uint8_t)byte;
		f->len++;
		text += 2;
	}
	if (*text) {
		error_set(f->e, EINVAL, "hex(): expected pairs of hex digits, not '%s'", text);
		f->bad = true;
	}
}

/* ---- finishing ---- */

static uint32_t length_from(const struct frame *f, unsigned i)
{
	return f->len - f->layers[i].ofs;
}

static uint16_t type_above(const struct frame *f, unsigned i)
{
	return i + 1 < f->n ? f->layers[i + 1].kind->eth_type : 0;
}

static void finish_eth(struct frame *f, unsigned i, uint8_t *p)
{
	struct eth_header *h = (struct eth_header *)p;

	if (!h->type)
		h->type = htobe16(type_above(f, i));
	if (type_above(f, i) == ETH_TYPE_VLAN && arg(&f->layers[i + 1], "tpid"))
		h->type = htobe16((uint16_t)number(f, &f->layers[i + 1], "tpid", 0));
}

static void finish_vlan(struct frame *f, unsigned i, uint8_t *p)
{
	struct vlan_header *h = (struct vlan_header *)p;

	if (!h->type)
		h->type = htobe16(type_above(f, i));
}

static void finish_ipv4(struct frame *f, unsigned i, uint8_t *p)
{
	struct ipv4_header *h = (struct ipv4_header *)p;

	h->total_len = htobe16((uint16_t)length_from(f, i));
	if (!h->proto && i + 1 < f->n)
		h->proto = f->layers[i + 1].kind->proto;
	h->csum = csum_finish(csum_bytes(h, sizeof(*h)));
}

static void finish_ipv6(struct frame *f, unsigned i, uint8_t *p)
{
	struct ipv6_header *h = (struct ipv6_header *)p;

	h->payload_len = htobe16((uint16_t)(length_from(f, i) - sizeof(*h)));
	if (!arg(&f->layers[i], "next") && i + 1 < f->n && f->layers[i + 1].kind->proto)
		h->next_header = f->layers[i + 1].kind->proto;
}

/* Pseudo-header sum by the IP layer right below. */
static uint64_t pseudo(const struct frame *f, unsigned i)
{
	const struct layer *below = i ? &f->layers[i - 1] : NULL;
	uint8_t proto = f->layers[i].kind->proto;
	uint32_t len = length_from(f, i);

	if (below && below->kind->eth_type == ETH_TYPE_IPV4) {
		const struct ipv4_header *h = (const void *)(f->bytes + below->ofs);

		return csum_pseudo4(h->src, h->dst, proto, (uint16_t)len);
	}
	if (below && below->kind->eth_type == ETH_TYPE_IPV6) {
		const struct ipv6_header *h = (const void *)(f->bytes + below->ofs);

		return csum_pseudo6(h->src, h->dst, proto, len);
	}
	return 0;
}

static void finish_udp(struct frame *f, unsigned i, uint8_t *p)
{
	struct udp_header *h = (struct udp_header *)p;

	h->len = htobe16((uint16_t)length_from(f, i));
	if (!arg(&f->layers[i], "zero"))
		h->csum = csum_finish_udp(csum_add(pseudo(f, i), csum_bytes(p, length_from(f, i))));
}

static void finish_tcp(struct frame *f, unsigned i, uint8_t *p)
{
	struct tcp_header *h = (struct tcp_header *)p;

	h->csum = csum_finish(csum_add(pseudo(f, i), csum_bytes(p, length_from(f, i))));
}

static void finish_icmp(struct frame *f, unsigned i, uint8_t *p)
{
	struct icmp_header *h = (struct icmp_header *)p;
	uint64_t sum = f->layers[i].kind->proto == IP_PROTO_ICMPV6 ? pseudo(f, i) : 0;

	h->csum = csum_finish(csum_add(sum, csum_bytes(p, length_from(f, i))));
}

static const struct kind kinds[] = {
        {"eth", sizeof(struct eth_header), 0, 0, lay_eth, finish_eth},
        {"vlan", sizeof(struct vlan_header), ETH_TYPE_VLAN, 0, lay_vlan, finish_vlan},
        {"arp", sizeof(struct arp_header), ETH_TYPE_ARP, 0, lay_arp, NULL},
        {"ipv4", sizeof(struct ipv4_header), ETH_TYPE_IPV4, 4, lay_ipv4, finish_ipv4},
        {"ipv6", sizeof(struct ipv6_header), ETH_TYPE_IPV6, 41, lay_ipv6, finish_ipv6},
        {"udp", sizeof(struct udp_header), 0, IP_PROTO_UDP, lay_udp, finish_udp},
        {"tcp", sizeof(struct tcp_header), 0, IP_PROTO_TCP, lay_tcp, finish_tcp},
        {"icmp", sizeof(struct icmp_header), 0, IP_PROTO_ICMP, lay_icmp, finish_icmp},
        {"icmpv6", sizeof(struct icmp_header), 0, IP_PROTO_ICMPV6, lay_icmp, finish_icmp},
        {"vxlan", sizeof(struct vxlan_header), 0, 0, lay_vxlan, NULL},
        {"data", 0, 0, 0, lay_data, NULL},
        {"hex", 0, 0, 0, lay_hex, NULL},
};

/* ---- the text ---- */

/* "key=value,key=value)" into l->args; returns what follows the ')', or NULL. */
static const char *read_args(const char *p, struct layer *l)
{
	while (*p != ')') {
		size_t key = strcspn(p, "=,)"), value = 0;
		struct arg *a = &l->args[l->nargs];

		if (l->nargs == ARGS_MAX || key >= sizeof(a->key))
			return NULL;
		memcpy(a->key, p, key);
		p += key;
		if (*p == '=') {
			value = strcspn(++p, ",)");
			if (value >= sizeof(a->value))
				return NULL;
			memcpy(a->value, p, value);
			p += value;
		}
		l->nargs++;
		if (*p == ',')
			p++;
		else if (*p != ')')
			return NULL;
	}
	return p + 1;
}

static const char *read_layer(struct frame *f, const char *p)
{
	size_t name = strcspn(p, "(");
	struct layer *l = &f->layers[f->n];
	const struct kind *k = kinds, *end = kinds + sizeof(kinds) / sizeof(kinds[0]);

	while (k < end && (strlen(k->name) != name || strncmp(k->name, p, name)))
		k++;
	if (k == end || p[name] != '(' || f->n == LAYERS_MAX)
		return NULL;
	*l = (struct layer){.kind = k, .ofs = f->len};
	p = read_args(p + name + 1, l);
	if (!p || f->len + k->size > PACKET_TEXT_MAX)
		return NULL;
	f->len += k->size;
	k->lay(f, l, f->bytes + l->ofs);
	f->n++;
	return p;
}

int packet_text_parse(const char *text, uint8_t *out, struct error *e)
{
	struct frame f = {.bytes = out, .e = e};
	const char *p = text, *next;

	do {
		next = read_layer(&f, p);
		if (f.bad)
			return -EINVAL;
		if (!next || (*next && *next != '/'))
			return error_set(e, EINVAL, "column %d: expected a layer like ipv4(src=...)",
			                 (int)((next ? next : p) - text) + 1);
		p = next + 1;
	} while (*next);
	for (unsigned i = f.n; i-- > 0;)
		if (f.layers[i].kind->finish)
			f.layers[i].kind->finish(&f, i, out + f.layers[i].ofs);
	return (int)f.len;
}
