/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: adding, changing, deleting and parsing flows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"

struct sender {
	struct ofctl *ctl;
	enum flow_command command;
	bool commands_in_lines; /* add-flows: "delete ..." may stand in a line */
	struct ofp_writer w;
};

void ofctl_tell_normalized(const struct flow_notes *notes, const char *where)
{
	if (notes->normalized != FIELD_NONE)
		fprintf(stderr,
		        "weft-ofctl: %s: normalization changed the match: %s is left out, what it needs is "
		        "not matched\n",
		        where, fields[notes->normalized].name);
}

static int send_flow(const char *text, const char *where, void *arg)
{
	struct sender *s = arg;
	struct flow_notes notes;
	struct flow_mod fm;
	int rc;

	if (s->commands_in_lines)
		rc = flow_line_parse(text, &s->ctl->names, &fm, &notes, &s->ctl->err);
	else
		rc = flow_mod_parse(text, s->command, &s->ctl->names, &fm, &notes, &s->ctl->err);
	if (rc)
		return ofctl_fail("%s: %s", where, s->ctl->err.text);
	ofctl_tell_normalized(&notes, where);
	ofp_put_flow_mod(&s->w, 0, &fm);
	flow_mod_free(&fm);
	return ofctl_send(s->ctl, &s->w);
}

/* `flow`: one flow, or "-" for lines of standard input. */
static int change(struct ofctl *ctl, const char *target, const char *flow, enum flow_command command)
{
	struct sender s = {.ctl = ctl, .command = command};
	int rc = ofctl_connect(ctl, target);

	if (!rc)
		rc = ofctl_bundle_open(ctl);
	if (!rc && !strcmp(flow, "-"))
		rc = ofctl_read_lines(flow, send_flow, &s);
	else if (!rc)
		rc = send_flow(flow, "flow", &s);
	ofp_writer_free(&s.w);
	return ofctl_bundle_close(ctl, rc);
}

int ofctl_add_flow(struct ofctl *ctl, int argc, char **argv)
{
	return change(ctl, argv[1], argv[2], FLOW_ADD);
}

int ofctl_mod_flows(struct ofctl *ctl, int argc, char **argv)
{
	return change(ctl, argv[1], argv[2], ctl->strict ? FLOW_MODIFY_STRICT : FLOW_MODIFY);
}

int ofctl_del_flows(struct ofctl *ctl, int argc, char **argv)
{
	return change(ctl, argv[1], argc > 2 ? argv[2] : "", ctl->strict ? FLOW_DELETE_STRICT : FLOW_DELETE);
}

int ofctl_add_flows(struct ofctl *ctl, int argc, char **argv)
{
	struct sender s = {.ctl = ctl, .commands_in_lines = true};
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc)
		rc = ofctl_bundle_open(ctl);
	if (!rc)
		rc = ofctl_read_lines(argv[2], send_flow, &s);
	ofp_writer_free(&s.w);
	return ofctl_bundle_close(ctl, rc);
}
