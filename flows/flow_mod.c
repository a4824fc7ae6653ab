/* SPDX-License-Identifier: Apache-2.0 */
/* Making and freeing flow mods. Called by the text parser, the codec and the switch. */
#include "flows/flow_mod.h"

#include <errno.h>
#include <stdlib.h>

void flow_mod_init(struct flow_mod *fm)
{
	memset(fm, 0, sizeof(*fm));
	fm->command = FLOW_ADD;
	fm->table_id = TABLE_ALL;
	fm->priority = PRIORITY_DEFAULT;
	fm->buffer_id = 0xffffffff;
	fm->out_port = PORT_ANY;
	fm->out_group = GROUP_ANY;
	match_init(&fm->match);
	action_list_init(&fm->actions);
}

void flow_mod_free(struct flow_mod *fm)
{
	action_list_free(&fm->actions);
}

int flow_mod_copy(struct flow_mod *to, const struct flow_mod *from)
{
	*to = *from;
	return action_list_copy(&to->actions, &from->actions);
}

void flow_stats_free(struct flow_stats *fs)
{
	action_list_free(&fs->actions);
}
