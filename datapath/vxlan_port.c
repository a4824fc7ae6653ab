/* SPDX-License-Identifier: Apache-2.0 */
/* The port type "vxlan": overlay/vxlan in the shape of a port. Created by datapath.c, output by output.c. */
#include "datapath/vxlan_port.h"

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>

#include "datapath/output.h"
#include "overlay/vxlan/underlay.h"

struct vxlan_port {
	struct port port;
	struct vxlan_vtep *vtep;
};

struct vxlan_vtep *vxlan_port_vtep(const struct port *p)
{
	return ((const struct vxlan_port *)p)->vtep;
}

static struct port *uplink_of(const struct topology *t, int ifindex)
{
	for (unsigned i = 0; i < t->nuplinks; i++)
		if (t->uplinks[i]->ifindex == ifindex)
			return t->uplinks[i];
	return NULL;
}

struct port *vxlan_port_encap(struct worker *w, const struct mkey *key, struct port *port, struct packet *p)
{
	struct port_counters *c = port->counters[w->id];
	struct vxlan_out out;
	struct port *uplink;
	uint32_t len = p->len;
	int rc = vxlan_encap(vxlan_port_vtep(port), w->id, &w->tunnels, p, &out);

	if (unlikely(rc == DROP_TUNNEL_TOO_BIG)) {
		struct exec x = {.w = w, .key = key, .p = p};

		toobig_handle(&x, port, p, out.inner_mtu, DROP_TUNNEL_TOO_BIG);
		clone_put(w, p);
		return NULL;
	}
	uplink = rc == VXLAN_OK ? uplink_of(w->topology, out.ifindex) : NULL;
	if (unlikely(!uplink)) {
		c->drops[rc == VXLAN_OK ? DROP_TUNNEL_NO_ROUTE : rc]++;
		clone_put(w, p);
		return NULL;
	}
	c->tx_packets++;
	c->tx_bytes += len;
	c->tx_gso += p->gso != GSO_NONE;
	return uplink;
}

void vxlan_port_output(struct worker *w, const struct mkey *key, struct port *port, struct packet *p)
{
	struct port *uplink = vxlan_port_encap(w, key, port, p);

	if (uplink)
		output_queue(w, uplink, p);
}

/* ---- control ---- */

/* `allow` can change while the port lives, nothing else. */
static int port_set(struct port *p, json_t *options, struct error *e)
{
	const char *key;
	json_t *value;
	int rc;

	json_object_foreach(options, key, value)
	{
		if (strcmp(key, "allow") != 0 || !json_is_string(value))
			return error_set(e, EINVAL, "%s: cannot be changed while the interface exists", key);
		rc = vxlan_vtep_set_allow(vxlan_port_vtep(p), json_string_value(value), e);
		if (rc)
			return rc;
		json_object_set(p->options, key, value);
	}
	return 0;
}

enum { REMOTES_SHOWN = 64 };

/* What is known of the ways from one of our addresses. */
static void add_local(json_t *o, const char *key, const struct underlay *u, const struct ip_addr *local)
{
	char text[IP_TEXT_MAX];
	json_t *some;

	if (ip_is_none(local))
		return;
	json_object_set_new(o, key, json_string(ip_format(local, text)));
	some = underlay_info(u, local, REMOTES_SHOWN);
	json_array_extend(json_object_get(o, "remotes"), some);
	json_decref(some);
	json_object_set_new(o, "remotes_known",
	                    json_integer(json_integer_value(json_object_get(o, "remotes_known")) +
	                                 underlay_known(u, local)));
}

static json_t *port_info(struct port *p)
{
	const struct vxlan_vtep *v = vxlan_port_vtep(p);
	const struct vxlan_config *c = &v->config;
	char text[IP_TEXT_MAX];
	json_t *o = json_pack("{s:[]}", "remotes");

	add_local(o, "local4", v->underlay, &c->local4);
	add_local(o, "local6", v->underlay, &c->local6);
	json_object_set_new(o, "remote",
	                    json_string(ip_is_none(&c->remote) ? "flow" : ip_format(&c->remote, text)));
	json_object_set_new(o, "vni", c->vni_flow ? json_string("flow") : json_integer(c->vni));
	return o;
}

static void port_destroy(struct port *p, void (*done)(void *arg), void *arg)
{
	vxlan_vtep_destroy(vxlan_port_vtep(p));
	port_free(p);
	done(arg);
}

/* No rx and no tx: packets go through an uplink. */
const struct port_ops vxlan_port_ops = {
        .info = port_info,
        .set = port_set,
        .destroy = port_destroy,
};

/* Not in the registry: it needs the underlay. */
static const struct port_type vxlan_type = {.name = "vxlan"};

int vxlan_port_create(const struct port_env *env, struct underlay *underlay, const char *name,
                      uint32_t ofport, const json_t *options, struct port **out, struct error *e)
{
	struct vxlan_port *v;
	int rc;

	if (!underlay)
		return error_set(e, ENOTSUP, "there is no underlay to send VXLAN over");
	v = (struct vxlan_port *)port_alloc(env, &vxlan_type, &vxlan_port_ops, name, ofport, sizeof(*v));
	if (!v)
		return error_set(e, ENOMEM, "out of memory");
	rc = vxlan_vtep_create(underlay, options, &v->vtep, e);
	if (rc) {
		port_free(&v->port);
		return rc;
	}
	v->vtep->user = &v->port;
	v->port.carrier = true;
	v->port.mtu = UINT16_MAX; /* the path's own limit is the underlay's, see vxlan_encap() */
	*out = &v->port;
	return 0;
}
