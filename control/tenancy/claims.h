/* SPDX-License-Identifier: Apache-2.0 */
/* Who wants what: things of which each may have one owner only (a VNI, an address in a network), by a text
 * that names the thing. Used while a tenancy is resolved and checked. */
#ifndef CONTROL_TENANCY_CLAIMS_H
#define CONTROL_TENANCY_CLAIMS_H

#include <jansson.h>

struct object;

struct claims {
	json_t *owners;
};

void claims_init(struct claims *c);
void claims_free(struct claims *c);
/* Claims for `owner`. NULL: it was free. Else the owner that has it, who keeps it. */
const struct object *claim(struct claims *c, const struct object *owner, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#endif
