/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tenancy as keys and values of the store, both ways. The keys are chosen so that an agent finds what
 * concerns its host under few prefixes:
 *
 *     /weft/v1/host/HOST                 the host
 *     /weft/v1/t/TENANT                  the tenant
 *     /weft/v1/n/VNI/net                 the network
 *     /weft/v1/n/VNI/router              id of the router that it is attached to
 *     /weft/v1/n/VNI/p/PORT              the port
 *     /weft/v1/loc/VNI/PORT              the host where it is active; another that carries it may claim it
 * (apart from n/VNI/ because agents may write it: etcd's roles know prefixes only) /weft/v1/r/ROUTER/def,
 * if/VNI      the router; its networks /weft/v1/sg/GROUP/def, m/PORT      the security group; its members'
 * addresses /weft/v1/h/HOST/bind/PORT          what the host has to carry: {vni, socket, queues}
 *     /weft/v1/alloc/{vni/N, ip/VNI/IP, mac/VNI/MAC}    who has it
 *     /weft/v1/gen/{TENANT, hosts}       counts changes: two writers of one tenant never interleave
 *     /weft/v1/h/HOST/wait               written by who waits for the host: its agent answers at
 * st/HOST/agent /weft/v1/st/HOST/agent             when it has come so far: {rev} /weft/v1/st/HOST/PORT
 * written by the agent: {up}, is the guest there?
 *
 * Ids (PORT, ROUTER, GROUP) are TENANT.NAME.
 */
#ifndef CONTROL_TENANCY_KEYS_H
#define CONTROL_TENANCY_KEYS_H

#include <stddef.h>

#include "control/store/store.h"
#include "control/tenancy/tenancy.h"

#define KEYS_ROOT "/weft/v1/"

enum { ID_MAX = 2 * OBJECT_NAME_MAX + 2 };

struct owned_key {
	char *key, *value;
	struct object owner;
};

struct key_list {
	struct owned_key *keys; /* ascending by key */
	size_t n;
};

/* All keys of the objects (no gen, no st). 0 or -ENOMEM. */
int keys_of(const struct tenancy *t, struct key_list *out);
void keys_free(struct key_list *list);

/* The objects in `snapshot`; keys that say nothing new are passed over. `t` is initialised here. */
int keys_read(const struct store_snapshot *snapshot, struct tenancy *t, struct error *e);
/* What one key holds, to be freed with free(); NULL when it is not an object's key. 0, or -EINVAL with `e`.
 */
int key_object(const char *key, const char *value, void **out, struct error *e);

/* "acme.web1", and back; false: not an id. */
const char *id_format(const struct object *o, char text[ID_MAX]);
bool id_parse(const char *id, struct object *out);

#endif
