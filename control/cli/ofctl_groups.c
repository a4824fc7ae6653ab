/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: changing groups and meters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"

struct sender {
	struct ofctl *ctl;
	enum group_command command;
	bool commands_in_lines;
	struct ofp_writer w;
};

/* "add", "modify", "add_or_mod" or "delete" may stand in front of a line of a file. */
static const char *take_command(const char *text, enum group_command *command)
{
	static const struct {
		const char *word;
		enum group_command command;
	} words[] = {{"add", GROUP_ADD},
	             {"modify", GROUP_MODIFY},
	             {"add_or_mod", GROUP_ADD_OR_MODIFY},
	             {"delete", GROUP_DELETE}};
	const char *start = text + strspn(text, " \t");
	size_t len = strcspn(start, " \t,=");

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) == len && !strncmp(start, words[i].word, len) &&
		    start[len] != '=') {
			*command = words[i].command;
			return start + len;
		}
	}
	return text;
}

static int send_group(const char *text, const char *where, void *arg)
{
	struct sender *s = arg;
	enum group_command command = s->command;
	struct group_mod gm;

	if (s->commands_in_lines)
		text = take_command(text, &command);
	if (group_mod_parse(text, command, &s->ctl->names, &gm, &s->ctl->err))
		return ofctl_fail("%s: %s", where, s->ctl->err.text);
	ofp_put_group_mod(&s->w, 0, &gm);
	group_mod_free(&gm);
	return ofctl_send(s->ctl, &s->w);
}

static const struct {
	const char *name;
	enum group_command command;
	bool file;
} groups[] = {{"add-group", GROUP_ADD, false},
              {"add-groups", GROUP_ADD, true},
              {"mod-group", GROUP_MODIFY, false},
              {"del-groups", GROUP_DELETE, false}};

int ofctl_group_mod(struct ofctl *ctl, int argc, char **argv)
{
	struct sender s = {.ctl = ctl};
	const char *text = argc > 2 ? argv[2] : "";
	unsigned i = 0;
	int rc = ofctl_connect(ctl, argv[1]);

	while (strcmp(groups[i].name, argv[0]))
		i++;
	s.command = groups[i].command == GROUP_MODIFY && ctl->may_create ? GROUP_ADD_OR_MODIFY
	                                                                 : groups[i].command;
	s.commands_in_lines = groups[i].file;
	if (!rc)
		rc = ofctl_bundle_open(ctl);
	if (!rc && (groups[i].file || !strcmp(text, "-")))
		rc = ofctl_read_lines(text, send_group, &s);
	else if (!rc)
		rc = send_group(text, "group", &s);
	ofp_writer_free(&s.w);
	return ofctl_bundle_close(ctl, rc);
}

int ofctl_meter_mod(struct ofctl *ctl, int argc, char **argv)
{
	enum meter_command command = !strncmp(argv[0], "add", 3)   ? METER_ADD
	                             : !strncmp(argv[0], "mod", 3) ? METER_MODIFY
	                                                           : METER_DELETE;
	struct ofp_writer w = {0};
	struct meter_mod mm;
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc && meter_mod_parse(argc > 2 ? argv[2] : "", command, &mm, &ctl->err))
		return ofctl_fail("meter: %s", ctl->err.text);
	if (rc)
		return rc;
	ofp_put_meter_mod(&w, 0, &mm);
	rc = ofctl_send(ctl, &w);
	ofp_writer_free(&w);
	return rc ? rc : ofctl_barrier(ctl);
}
