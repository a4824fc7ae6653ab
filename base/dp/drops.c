/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the drop reasons; see drops.h. */
#include "base/dp/drops.h"

#include <stddef.h>

static const struct {
	const char *name;
	const char *help;
} reasons[] = {
#define X(id, name, help) {name, help},
        DROP_REASONS(X)
#undef X
};

const char *drop_reason_name(enum drop_reason reason)
{
	return reason < DROP_REASON_COUNT ? reasons[reason].name : NULL;
}

const char *drop_reason_help(enum drop_reason reason)
{
	return reason < DROP_REASON_COUNT ? reasons[reason].help : NULL;
}
