/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the set of accepted outer sources from its text; called when a VTEP is made or changed. */
#include "overlay/vxlan/allow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "overlay/vxlan/vxlan.h"

static struct vxlan_allow *allow_alloc(uint32_t entries)
{
	uint32_t slots = 4;
	struct vxlan_allow *a;

	while (slots < 2 * entries)
		slots *= 2;
	a = calloc(1, sizeof(*a) + slots * sizeof(a->slots[0]));
	if (a) {
		a->mask = slots - 1;
		a->seed = hash_random_seed();
	}
	return a;
}

static void allow_insert(struct vxlan_allow *a, const struct ip_addr *ip)
{
	uint32_t i = vxlan_allow_slot(a, ip);

	while (!ip_is_none(&a->slots[i])) {
		if (ip_equal(&a->slots[i], ip))
			return;
		i = (i + 1) & a->mask;
	}
	a->slots[i] = *ip;
	a->n++;
}

static int allow_fill(struct vxlan_allow *a, const char *text, struct error *e)
{
	char one[IP_TEXT_MAX];

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, ",");
		struct ip_addr ip;

		if (len >= sizeof(one))
			return error_set(e, EINVAL, "allow: address %zu characters long", len);
		memcpy(one, p, len);
		one[len] = 0;
		if (ip_parse(one, &ip) || ip_is_none(&ip))
			return error_set(e, EINVAL,
			                 "allow: expected an IPv4 or IPv6 address or \"any\", not \"%s\" at "
			                 "column %zu",
			                 one, p - text + 1);
		allow_insert(a, &ip);
		p += len;
		if (*p == ',' && !*++p)
			return error_set(e, EINVAL, "allow: address expected after the last comma");
	}
	return 0;
}

int vxlan_allow_parse(const char *text, struct vxlan_allow **out, struct error *e)
{
	uint32_t n = 1;
	struct vxlan_allow *a;
	int err;

	for (const char *p = text; *p; p++)
		n += *p == ',';
	if (n > VXLAN_ALLOW_MAX)
		return error_set(e, E2BIG, "allow: more than %d addresses", VXLAN_ALLOW_MAX);
	a = allow_alloc(n);
	if (!a)
		return -ENOMEM;
	a->any = !strcmp(text, "any");
	if (!a->any) {
		err = allow_fill(a, text, e);
		if (err) {
			free(a);
			return err;
		}
	}
	*out = a;
	return 0;
}
