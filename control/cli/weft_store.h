/* SPDX-License-Identifier: Apache-2.0 */
/* Which store the tenant commands speak to: --store; else $WEFT_STORE; else what `weft store use` noted; else
 * the agent's, through its socket. */
#ifndef CONTROL_CLI_WEFT_STORE_H
#define CONTROL_CLI_WEFT_STORE_H

#include "control/cli/weft_command.h"
#include "control/store/store.h"

/* 0 or -errno with `e`; then the caller closes it. */
int weft_open_store(const struct weft *w, struct store **store, struct error *e);

#endif
