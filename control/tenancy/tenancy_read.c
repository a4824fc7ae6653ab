/* SPDX-License-Identifier: Apache-2.0 */
/* A whole document into objects; see tenancy_json.h. Called by weft apply and diff. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/tenancy/reader.h"

/* The objects of one kind: {name: object}. */
static int read_kind(struct tenancy *m, enum object_kind kind, const char *tenant, const json_t *objects,
                     struct tenancy_error *e)
{
	struct reader r = {.e = e};
	const char *name;
	json_t *value;
	int rc = 0;

	if (json_is_null(objects))
		return 0;
	if (!json_is_object(objects)) {
		snprintf(r.path, sizeof(r.path), "%s%.63s%s%s", *tenant ? "tenants." : "", tenant,
		         *tenant ? "." : "", kind_plural(kind));
		return reader_fail(&r, "expected names, each with its fields");
	}
	json_object_foreach((json_t *)objects, name, value)
	{
		void *o;

		rc = object_read(kind, tenant, name, value, &o, e);
		if (!rc && tenancy_put(m, o))
			rc = tenancy_fail(e, NULL, "", ENOMEM, "out of memory");
		if (rc)
			break;
	}
	return rc;
}

static int read_whole_tenant(struct tenancy *m, const char *name, const json_t *value,
                             struct tenancy_error *e)
{
	static const char *const keys[] = {"networks", "routers", "securityGroups", "ports", NULL};
	json_t *empty = json_object();
	struct object shown = {.kind = KIND_TENANT};
	struct reader r = {.object = &shown, .e = e};
	void *o;
	int rc = object_read(KIND_TENANT, name, name, empty, &o, e);

	json_decref(empty);
	if (rc)
		return rc;
	memcpy(&shown, o, sizeof(shown));
	rc = tenancy_put(m, o);
	if (!rc && !json_is_null(value))
		rc = reader_only(&r, value, keys);
	for (enum object_kind k = KIND_NETWORK; k < KINDS && !rc; k++) {
		const json_t *objects = json_object_get(value, kind_plural(k));

		if (objects)
			rc = read_kind(m, k, name, objects, e);
	}
	return rc;
}

int tenancy_read(const json_t *document, struct tenancy *m, struct tenancy_error *e)
{
	static const char *const keys[] = {"apiVersion", "hosts", "tenants", NULL};
	const json_t *version = json_object_get(document, "apiVersion"),
	             *hosts = json_object_get(document, "hosts"),
	             *tenants = json_object_get(document, "tenants");
	struct reader r = {.e = e};
	const char *name;
	json_t *value;
	int rc = reader_only(&r, document, keys);

	tenancy_init(m);
	if (!rc && (!json_is_string(version) || strcmp(json_string_value(version), "weft/v1")))
		rc = tenancy_fail(e, NULL, "apiVersion", EINVAL, "expected weft/v1");
	if (!rc && hosts)
		rc = read_kind(m, KIND_HOST, "", hosts, e);
	if (!rc && tenants && !json_is_object(tenants) && !json_is_null(tenants))
		rc = tenancy_fail(e, NULL, "tenants", EINVAL, "expected names, each with its fields");
	if (!rc)
		json_object_foreach((json_t *)tenants, name, value)
		{
			rc = read_whole_tenant(m, name, value, e);
			if (rc)
				break;
		}
	if (rc)
		tenancy_free(m);
	return rc;
}
