/* SPDX-License-Identifier: Apache-2.0 */
/* Builds frames from text; see packet_text.h. Layers are laid down left to right, then finished right to
 * left, when the length and the kind of what follows are known. */
#include "tests/pktgen/packet_kinds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROWTH_MAX = 64 }; /* what a layer (but data) adds to its size by itself */

/* ---- arguments ---- */

const char *arg(const struct layer *l, const char *key)
{
	for (unsigned i = 0; i < l->nargs; i++)
		if (!strcmp(l->args[i].key, key))
			return l->args[i].value;
	return NULL;
}

uint32_t arg_number(struct frame_text *f, const struct layer *l, const char *key, uint32_t missing)
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

struct mac arg_mac(struct frame_text *f, const struct layer *l, const char *key)
{
	struct mac m = {{0}};
	const char *text = arg(l, key);

	if (text && mac_parse(text, &m)) {
		error_set(f->e, EINVAL, "%s(%s=%s): expected a MAC address", l->kind->name, key, text);
		f->bad = true;
	}
	return m;
}

struct ip_addr arg_ip(struct frame_text *f, const struct layer *l, const char *key, bool v4)
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

static const struct kind *find_kind(const struct kind *k, const char *name, size_t len)
{
	while (k->name && (strlen(k->name) != len || strncmp(k->name, name, len)))
		k++;
	return k->name ? k : NULL;
}

static const char *read_layer(struct frame_text *f, const char *p)
{
	size_t name = strcspn(p, "(");
	struct layer *l = &f->layers[f->n];
	const struct kind *k = find_kind(packet_kinds, p, name);

	if (!k)
		k = find_kind(packet_chain_kinds, p, name);
	if (!k || p[name] != '(' || f->n == LAYERS_MAX)
		return NULL;
	*l = (struct layer){.kind = k, .ofs = f->len};
	p = read_args(p + name + 1, l);
	if (!p || f->len + k->size + GROWTH_MAX > PACKET_TEXT_MAX)
		return NULL;
	f->len += k->size;
	k->lay(f, l, f->bytes + l->ofs);
	f->n++;
	return p;
}

int packet_text_parse(const char *text, uint8_t *out, struct error *e)
{
	struct frame_text f = {.bytes = out, .e = e};
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

uint32_t packet_text_make(const char *text, uint8_t *out)
{
	struct error e;
	int len = packet_text_parse(text, out, &e);

	if (len < 0) {
		fprintf(stderr, "%s: %s\n", text, e.text);
		abort();
	}
	return (uint32_t)len;
}
