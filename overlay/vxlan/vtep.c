/* SPDX-License-Identifier: Apache-2.0 */
/* VTEP objects: options, life, and the list of accepted sources. Called by the control thread through the
 * datapath's vxlan port. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/dp/rcu.h"
#include "overlay/vxlan/allow.h"
#include "overlay/vxlan/underlay.h"
#include "overlay/vxlan/vxlan.h"

static int parse_local(const char *text, struct vxlan_config *c, struct error *e)
{
	char copy[2 * IP_TEXT_MAX], *save = NULL;

	if (strlen(text) >= sizeof(copy))
		return error_set(e, EINVAL, "local: expected ADDR or ADDR,ADDR");
	strcpy(copy, text);
	for (char *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
		struct ip_addr ip, *to;

		if (ip_parse(s, &ip) || ip_is_none(&ip))
			return error_set(e, EINVAL, "local: expected an IPv4 or IPv6 address, not \"%s\"", s);
		to = ip_is_v4(&ip) ? &c->local4 : &c->local6;
		if (!ip_is_none(to))
			return error_set(e, EINVAL, "local: more than one %s address",
			                 ip_is_v4(&ip) ? "IPv4" : "IPv6");
		*to = ip;
	}
	return 0;
}

static int parse_vni(const json_t *value, struct vxlan_config *c, struct error *e)
{
	const char *text = json_string_value(value);
	char *end = NULL;
	long long vni;

	if (json_is_integer(value)) {
		vni = json_integer_value(value);
	} else if (text && !strcmp(text, "flow")) {
		return 0;
	} else if (text && *text) {
		vni = strtoll(text, &end, 0);
		if (*end)
			vni = -1;
	} else {
		vni = -1;
	}
	if (vni < 0 || vni > 0xffffff)
		return error_set(e, EINVAL, "vni: expected \"flow\" or 0..16777215");
	c->vni_flow = false;
	c->vni = (uint32_t)vni;
	return 0;
}

static int parse_text(const char *key, const char *text, struct vxlan_config *c, struct error *e)
{
	struct vxlan_allow *allow;
	int err;

	if (!strcmp(key, "local"))
		return parse_local(text, c, e);
	if (!strcmp(key, "remote")) {
		if (!strcmp(text, "flow"))
			return 0;
		if (ip_parse(text, &c->remote) || ip_is_none(&c->remote))
			return error_set(e, EINVAL, "remote: expected \"flow\" or an address, not \"%s\"",
			                 text);
		return 0;
	}
	if (!strcmp(key, "allow")) {
		err = vxlan_allow_parse(text, &allow, e);
		if (!err)
			free(allow);
		return err;
	}
	if (!strcmp(key, "csum6")) {
		if (strcmp(text, "zero") != 0 && strcmp(text, "full") != 0)
			return error_set(e, EINVAL, "csum6: expected \"full\" or \"zero\", not \"%s\"", text);
		c->zero_csum6 = !strcmp(text, "zero");
		return 0;
	}
	return error_set(e, EINVAL, "%s: unknown option; expected local, remote, vni, allow, csum6", key);
}

int vxlan_config_parse(const json_t *options, struct vxlan_config *config, struct error *e)
{
	struct vxlan_config c = {.vni_flow = true};
	const char *key;
	json_t *value;
	int err;

	json_object_foreach((json_t *)options, key, value)
	{
		if (!strcmp(key, "vni"))
			err = parse_vni(value, &c, e);
		else if (!json_is_string(value))
			err = error_set(e, EINVAL, "%s: expected text", key);
		else
			err = parse_text(key, json_string_value(value), &c, e);
		if (err)
			return err;
	}
	if (ip_is_none(&c.local4) && ip_is_none(&c.local6))
		return error_set(e, EINVAL, "local: required, an address of this host");
	if (!ip_is_none(&c.remote) && ip_is_none(ip_is_v4(&c.remote) ? &c.local4 : &c.local6))
		return error_set(e, EINVAL, "remote: no local address of its family");
	*config = c;
	return 0;
}

static const struct ip_addr *local_for(const struct vxlan_vtep *v, const struct ip_addr *remote)
{
	const struct ip_addr *local = ip_is_v4(remote) ? &v->config.local4 : &v->config.local6;

	return ip_is_none(local) ? NULL : local;
}

/* Resolves the listed remotes ahead of their first packet, or forgets them. A full underlay is no error:
 * those remotes are learned when packets go there. */
static void hold_listed(struct vxlan_vtep *v, const struct vxlan_allow *a, bool hold)
{
	if (!ip_is_none(&v->config.remote) || !a)
		return;
	for (uint32_t i = 0; i <= a->mask; i++) {
		const struct ip_addr *remote = &a->slots[i], *local;

		local = ip_is_none(remote) ? NULL : local_for(v, remote);
		if (local && hold)
			underlay_hold(v->underlay, local, remote);
		else if (local)
			underlay_release(v->underlay, local, remote);
	}
}

int vxlan_vtep_set_allow(struct vxlan_vtep *v, const char *text, struct error *e)
{
	struct vxlan_allow *a, *old = v->allow;
	int err = vxlan_allow_parse(text, &a, e);

	if (err)
		return err;
	hold_listed(v, a, true);
	rcu_assign(v->allow, a);
	hold_listed(v, old, false);
	if (old)
		rcu_defer(free, old);
	return 0;
}

int vxlan_vtep_create(struct underlay *underlay, const json_t *options, struct vxlan_vtep **out,
                      struct error *e)
{
	const char *allow = json_string_value(json_object_get(options, "allow"));
	struct vxlan_vtep *v = calloc(1, sizeof(*v));
	int err;

	if (!v)
		return -ENOMEM;
	v->underlay = underlay;
	err = vxlan_config_parse(options, &v->config, e);
	if (!err)
		err = vxlan_vtep_set_allow(v, allow ? allow : "", e);
	if (err) {
		free(v);
		return err;
	}
	if (!ip_is_none(&v->config.remote))
		underlay_hold(underlay, local_for(v, &v->config.remote), &v->config.remote);
	*out = v;
	return 0;
}

void vxlan_vtep_destroy(struct vxlan_vtep *v)
{
	if (!v)
		return;
	if (!ip_is_none(&v->config.remote))
		underlay_release(v->underlay, local_for(v, &v->config.remote), &v->config.remote);
	hold_listed(v, v->allow, false);
	free(v->allow);
	free(v);
}
