/* SPDX-License-Identifier: Apache-2.0 */
/* From keys to what a host carries; see scene.h. Called by agent.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "control/agent/scene_build.h"

void *scene_grow(struct building *b, void *array, unsigned n, size_t size)
{
	void *more = n & (n - 1) ? array : realloc(array, (n ? 2 * (size_t)n : 1) * size);

	b->failed |= !more;
	return more;
}

/* ---- hosts ---- */

static void add_host(struct building *b, const struct view_key *k)
{
	struct scene *s = b->s;
	const struct host *h = k->object;
	struct scene_host *hosts = h ? scene_grow(b, s->hosts, s->n_hosts, sizeof(*hosts)) : NULL;

	if (!hosts)
		return;
	s->hosts = hosts;
	hosts[s->n_hosts++] = (struct scene_host){.host = h, .version = k->version};
	s->hosts_version = hash_step(s->hosts_version, k->version);
	if (!strcmp(h->object.name, b->host))
		s->self = h;
}

/* Their keys come after those of all hosts. */
static void add_life(struct building *b, const char *name)
{
	struct scene_host *h = scene_host(b->s, name);

	if (h)
		h->lives = true;
	b->s->leases |= h && h->host == b->s->self;
}

/* A store without leases knows nothing of who lives. */
static void note_lives(struct scene *s)
{
	for (unsigned i = 0; i < s->n_hosts; i++)
		s->hosts[i].lives |= !s->leases;
}

/* ---- what this host carries ---- */

static void add_binding(struct building *b, const struct view_key *k)
{
	struct scene *s = b->s;
	const struct view_key **bindings = scene_grow(b, s->bindings, s->n_bindings, sizeof(*bindings));

	if (!bindings)
		return;
	s->bindings = bindings;
	bindings[s->n_bindings++] = k;
}

/* ---- groups ---- */

static void add_group(struct building *b, const char *id)
{
	struct scene *s = b->s;
	size_t len = strcspn(id, "/");
	struct scene_group *groups = s->n_groups ? &s->groups[s->n_groups - 1] : NULL;

	if (len >= ID_MAX || (groups && !strncmp(groups->id, id, len) && !groups->id[len]))
		return;
	groups = scene_grow(b, s->groups, s->n_groups, sizeof(*groups));
	if (!groups)
		return;
	s->groups = groups;
	groups += s->n_groups++;
	*groups = (struct scene_group){0};
	memcpy(groups->id, id, len);
}

struct group_reading {
	struct building *b;
	struct scene_group *g;
};

static void add_members(const struct group_reading *r, const json_t *ips)
{
	struct scene_group *g = r->g;
	const json_t *one;
	size_t i;

	json_array_foreach(ips, i, one)
	{
		struct ip_addr *members = scene_grow(r->b, g->members, g->n_members, sizeof(*members));
		const char *text = json_string_value(one);

		if (!members)
			return;
		g->members = members;
		if (text && !ip_parse(text, &members[g->n_members]))
			g->n_members++;
	}
}

static int read_group_key(const struct view_key *k, void *arg)
{
	const struct group_reading *r = arg;

	r->g->version = hash_step(r->g->version, k->version);
	if (!strcmp(view_key_step(k, 2), "def"))
		r->g->group = k->object;
	else
		add_members(r, json_object_get(k->json, "ips"));
	return r->b->failed;
}

static void read_group(struct building *b, struct scene_group *g)
{
	struct group_reading r = {b, g};
	char prefix[STORE_KEY_MAX];

	free(g->members);
	g->members = NULL;
	g->n_members = 0;
	g->group = NULL;
	g->version = 0;
	g->stale = false;
	snprintf(prefix, sizeof(prefix), KEYS_ROOT "sg/%s/", g->id);
	view_each_under(b->v, prefix, read_group_key, &r);
}

/* Not the order of their keys: in that "acme.web-b/" is before "acme.web/". */
static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct scene_group *)a)->id, ((const struct scene_group *)b)->id);
}

static void read_groups(struct building *b)
{
	struct scene *s = b->s;

	if (s->n_groups)
		qsort(s->groups, s->n_groups, sizeof(*s->groups), by_id);
	for (unsigned i = 0; i < s->n_groups && !b->failed; i++)
		read_group(b, &s->groups[i]);
}

/* ---- networks and routers ---- */

static void add_network(struct building *b, const struct view_key *k)
{
	struct scene *s = b->s;
	const struct network *net = k->object;
	struct scene_network *networks;

	if (!net || net->vni != strtoul(view_key_step(k, 1), NULL, 10))
		return;
	networks = scene_grow(b, s->networks, s->n_networks, sizeof(*networks));
	if (!networks)
		return;
	s->networks = networks;
	networks[s->n_networks++] = (struct scene_network){.vni = net->vni, .network = net};
}

static int by_vni(const void *a, const void *b)
{
	uint32_t x = ((const struct scene_network *)a)->vni, y = ((const struct scene_network *)b)->vni;

	return x < y ? -1 : x > y;
}

static void add_router(struct building *b, const struct view_key *k)
{
	struct scene *s = b->s;
	struct scene_router *routers =
	        k->object ? scene_grow(b, s->routers, s->n_routers, sizeof(*routers)) : NULL;

	if (!routers)
		return;
	s->routers = routers;
	routers[s->n_routers++] =
	        (struct scene_router){.router = k->object, .id = view_key_step(k, 1), .version = k->version};
}

static struct scene_network *network_named(const struct scene *s, const char *tenant, const char *name)
{
	for (unsigned i = 0; i < s->n_networks; i++) {
		const struct object *o = &s->networks[i].network->object;

		if (!strcmp(o->name, name) && !strcmp(o->tenant, tenant))
			return &s->networks[i];
	}
	return NULL;
}

static void connect_router(const struct scene *s, struct scene_router *r)
{
	for (unsigned i = 0; i < r->router->n_networks; i++)
		r->networks[i] = network_named(s, r->router->object.tenant, r->router->networks[i]);
}

static void read_networks(struct building *b)
{
	struct scene *s = b->s;

	if (s->n_networks)
		qsort(s->networks, s->n_networks, sizeof(*s->networks), by_vni);
	for (unsigned i = 0; i < s->n_networks && !b->failed; i++)
		scene_network_read(b, &s->networks[i]);
	for (unsigned i = 0; i < s->n_routers && !b->failed; i++)
		connect_router(s, &s->routers[i]);
}

/* ---- all anew ---- */

/* Networks and groups are read when all is known that they look at. */
static int sort_key(const struct view_key *k, void *arg)
{
	struct building *b = arg;
	const char *kind = view_key_step(k, 0);

	if (!strncmp(kind, "h/", 2) && !strncmp(view_key_step(k, 2), "bind/", 5))
		add_binding(b, k);
	else if (!strncmp(kind, "h/", 2) && !strcmp(view_key_step(k, 2), "wait"))
		b->s->asked = k->version;
	else if (!strncmp(kind, "host/", 5))
		add_host(b, k);
	else if (!strncmp(kind, "live/", 5))
		add_life(b, view_key_step(k, 1));
	else if (!strncmp(kind, "n/", 2) && !strcmp(view_key_step(k, 2), "net"))
		add_network(b, k);
	else if (!strncmp(kind, "r/", 2))
		add_router(b, k);
	else if (!strncmp(kind, "sg/", 3))
		add_group(b, view_key_step(k, 1));
	return b->failed;
}

static void build(struct building *b)
{
	struct scene *old = b->s, fresh = {.tunnel = old->tunnel};

	b->s = &fresh;
	view_each(b->v, sort_key, b);
	note_lives(&fresh);
	read_groups(b);
	read_networks(b);
	for (unsigned i = 0; i < old->n_networks; i++)
		for (unsigned k = 0; k < fresh.n_networks; k++)
			scene_network_adopt(&fresh.networks[k], &old->networks[i]);
	b->s = old;
	scene_free(old);
	*old = fresh;
}

/* ---- what has changed ---- */

static int one(const struct view_key *k, void *arg)
{
	return 1;
}

/* Notes what a part of the view is about; 1: about more than can be made anew alone. */
static int note_change(const char *prefix, void *arg)
{
	struct building *b = arg;
	const char *rest = prefix + (*prefix ? strlen(KEYS_ROOT) : 0);
	struct scene_network *net;
	struct scene_group *g;
	struct scene_host *h;
	unsigned vni;

	if (sscanf(rest, "n/%u/", &vni) == 1 || sscanf(rest, "loc/%u/", &vni) == 1) {
		net = scene_network(b->s, vni);
		if (net)
			net->stale = true;
		return !net;
	}
	if (!strncmp(rest, "sg/", 3)) {
		g = scene_group_by_id(b->s, rest + 3);
		if (g)
			g->stale = true;
		return !g;
	}
	if (strncmp(rest, "live/", 5) != 0 || !strcmp(rest + 5, b->host))
		return 1;
	h = scene_host(b->s, rest + 5);
	if (h)
		h->lives = !b->s->leases || view_each_under(b->v, prefix, one, NULL);
	b->lives_changed |= h != NULL;
	return 0;
}

/* False: it is another one itself, not only in its ports. */
static bool renew_network(struct building *b, struct scene_network *net)
{
	struct scene_network old = *net;

	scene_network_read(b, net);
	scene_network_adopt(net, &old);
	scene_network_free(&old);
	return net->own_version == old.own_version;
}

/* False: all has to be made anew. */
static bool renew(struct building *b)
{
	struct scene *s = b->s;

	if (!s->seen || view_each_change(b->v, s->seen, note_change, b))
		return false;
	for (unsigned i = 0; i < s->n_groups; i++)
		if (s->groups[i].stale)
			read_group(b, &s->groups[i]);
	for (unsigned i = 0; i < s->n_networks; i++)
		if (s->networks[i].stale && !renew_network(b, &s->networks[i]))
			return false;
	for (unsigned i = 0; b->lives_changed && i < s->n_networks; i++)
		scene_network_note_lives(&s->networks[i]);
	return true;
}

/* The local ports of all networks. */
static void list_local(struct building *b)
{
	struct scene *s = b->s;
	const struct scene_host *self = scene_host(s, b->host);
	unsigned n = 0;

	for (unsigned i = 0; i < s->n_networks; i++)
		n += s->networks[i].n_local;
	free(s->local);
	s->local = calloc(n + 1u, sizeof(*s->local));
	b->failed |= !s->local;
	s->n_local = 0;
	s->interfaces_version = self ? self->version : 0;
	for (unsigned i = 0; i < s->n_networks && s->local; i++)
		for (unsigned k = 0; k < s->networks[i].n_local; k++) {
			struct scene_port *p = s->networks[i].local[k];

			s->local[s->n_local++] = p;
			s->interfaces_version = hash_step(s->interfaces_version, p->version);
		}
}

int scene_update(struct scene *s, const struct view *v, const char *host, const char *socket_dir,
                 struct error *e)
{
	struct building b = {.s = s, .v = v, .host = host, .socket_dir = socket_dir};

	if (!renew(&b) && !b.failed)
		build(&b);
	if (!b.failed)
		list_local(&b);
	if (b.failed) {
		scene_free(s);
		return error_set(e, ENOMEM, "out of memory");
	}
	s->rev = view_rev(v);
	s->seen = view_version(v);
	return 0;
}
