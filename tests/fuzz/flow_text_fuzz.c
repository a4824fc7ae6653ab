/* SPDX-License-Identifier: Apache-2.0 */
/* Flow, filter and group text from anywhere: nothing may be read outside it, and what is accepted must print
 * to text that means the same flow. */
#include <stdlib.h>
#include <string.h>

#include "flows/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_flow(const char *text)
{
	struct flow_mod fm, again;
	struct flow_notes notes;
	struct text out = {0};
	struct error err;

	if (flow_line_parse(text, NULL, &fm, &notes, &err))
		return;
	match_format(&out, &fm.match, fm.priority, NULL);
	if (fm.command < FLOW_DELETE) {
		text_add(&out, " actions=");
		actions_format(&out, &fm.actions, NULL);
	}
	must(flow_mod_parse(text_get(&out), fm.command < FLOW_DELETE ? FLOW_ADD : FLOW_DELETE, NULL, &again,
	                    NULL, &err) == 0);
	must(match_equal(&fm.match, &again.match));
	must(action_list_equal(&fm.actions, &again.actions));
	text_free(&out);
	flow_mod_free(&fm);
	flow_mod_free(&again);
}

static void try_others(const char *text)
{
	struct flow_filter filter;
	struct action_list actions;
	struct group_mod gm;
	struct text out = {0};
	struct error err;

	flow_filter_parse(text, NULL, &filter, &err);
	if (!actions_parse(text, NULL, &actions, &err)) {
		actions_format(&out, &actions, NULL);
		action_list_free(&actions);
	}
	if (!group_mod_parse(text, GROUP_ADD, NULL, &gm, &err)) {
		group_format(&out, &gm, NULL);
		group_mod_free(&gm);
	}
	text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	try_flow(text);
	try_others(text);
	free(text);
	return 0;
}
