/* SPDX-License-Identifier: Apache-2.0 */
/* A hash of texts; see claims.h. */
#include "control/tenancy/claims.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

void claims_init(struct claims *c)
{
	c->owners = json_object();
}

void claims_free(struct claims *c)
{
	json_decref(c->owners);
}

const struct object *claim(struct claims *c, const struct object *owner, const char *format, ...)
{
	char thing[256];
	json_t *has;
	va_list args;

	va_start(args, format);
	vsnprintf(thing, sizeof(thing), format, args);
	va_end(args);
	has = json_object_get(c->owners, thing);
	if (has)
		return (const struct object *)(intptr_t)json_integer_value(has);
	json_object_set_new(c->owners, thing, json_integer((intptr_t)owner));
	return NULL;
}
