/* SPDX-License-Identifier: Apache-2.0 */
/* JSON output of weft-ofctl. */
#ifndef CONTROL_CLI_OFCTL_JSON_H
#define CONTROL_CLI_OFCTL_JSON_H

#include <jansson.h>

/* Prints `value` when `rc` is 0, frees it in any case (NULL is legal) and returns `rc`, or 1 when printing
 * failed. */
int ofctl_print_json(json_t *value, int rc);

#endif
