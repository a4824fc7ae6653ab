/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: text and messages without a switch. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"
#include "control/cli/ofctl_print.h"

/* Flows are printed when all of them have been read. */
struct parsed {
	struct ofctl *ctl;
	struct text flows;
};

static int parse_line(const char *text, const char *where, void *arg)
{
	struct parsed *p = arg;
	struct flow_notes notes;
	struct flow_mod fm;

	if (flow_line_parse(text, NULL, &fm, &notes, &p->ctl->err))
		return ofctl_fail("%s: %s", where, p->ctl->err.text);
	ofctl_tell_normalized(&notes, where);
	text_add(&p->flows, "OFPT_FLOW_MOD (OF1.3) (xid=0x1): ");
	flow_mod_format(&p->flows, &fm, NULL);
	text_add(&p->flows, "\n");
	flow_mod_free(&fm);
	return 0;
}

static int print_parsed(struct parsed *p, int rc)
{
	if (!rc)
		printf("usable protocols: OXM-OpenFlow13\nchosen protocol: OXM-OpenFlow13\n%s",
		       text_get(&p->flows));
	text_free(&p->flows);
	return rc;
}

int ofctl_parse_flow(struct ofctl *ctl, int argc, char **argv)
{
	struct parsed p = {.ctl = ctl};

	return print_parsed(&p, parse_line(argv[1], "flow", &p));
}

int ofctl_parse_flows(struct ofctl *ctl, int argc, char **argv)
{
	struct parsed p = {.ctl = ctl};

	return print_parsed(&p, ofctl_read_lines(argv[1], parse_line, &p));
}

int ofctl_parse_actions(struct ofctl *ctl, int argc, char **argv)
{
	struct action_list actions;
	struct text out = {0};

	if (actions_parse(argv[1], NULL, &actions, &ctl->err))
		return ofctl_fail("actions: %s", ctl->err.text);
	actions_format(&out, &actions, NULL);
	puts(text_get(&out));
	text_free(&out);
	action_list_free(&actions);
	return 0;
}

int ofctl_parse_group(struct ofctl *ctl, int argc, char **argv)
{
	struct ofp_writer w = {0};
	struct group_mod gm;

	if (group_mod_parse(argv[1], GROUP_ADD, NULL, &gm, &ctl->err))
		return ofctl_fail("group: %s", ctl->err.text);
	printf("usable protocols: any\nchosen version: OpenFlow13\n");
	ofp_put_group_mod(&w, 1, &gm);
	group_mod_free(&gm);
	ctl->show_names = 0;
	ofctl_print_message(ctl, stdout, w.data, w.len, 1);
	ofp_writer_free(&w);
	return 0;
}

/* Bytes in hex; blanks may stand between them. */
static int read_hex(const char *text, uint8_t *to, size_t size, size_t *n)
{
	*n = 0;
	for (const char *p = text; *p;) {
		char pair[3] = {p[0], p[1], 0};

		if (isspace((unsigned char)*p)) {
			p++;
			continue;
		}
		if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) || *n == size)
			return ofctl_fail("expected the bytes of a message in hex");
		to[(*n)++] = (uint8_t)strtoul(pair, NULL, 16);
		p += 2;
	}
	return 0;
}

/* Less or more than a message. */
static void print_odd(const uint8_t *bytes, size_t n)
{
	struct text out = {0};

	if (!n)
		text_add(&out, "OpenFlow message is empty\n");
	else if (n < OFP_HEADER_LEN)
		text_add(&out, "OpenFlow packet too short (only %zu bytes):\n", n);
	else
		text_add(&out, "(***only uses %u bytes out of %zu***)\n", ofp_read_header(bytes).length, n);
	print_hex_dump(&out, bytes, n);
	fputs(text_get(&out), stdout);
	text_free(&out);
}

int ofctl_ofp_print(struct ofctl *ctl, int argc, char **argv)
{
	static uint8_t message[OFP_MESSAGE_MAX];
	size_t n;
	int rc = read_hex(argv[1], message, sizeof(message), &n);

	if (rc)
		return rc;
	ctl->show_names = 0;
	if (n < OFP_HEADER_LEN || ofp_read_header(message).length < n)
		print_odd(message, n);
	else
		ofctl_print_message(ctl, stdout, message, n, argc > 2 ? atoi(argv[2]) : 2);
	return 0;
}

int ofctl_ofp_parse(struct ofctl *ctl, int argc, char **argv)
{
	bool std = !strcmp(argv[1], "-");
	FILE *f = std ? stdin : fopen(argv[1], "r");
	static uint8_t message[OFP_MESSAGE_MAX];
	size_t n;
	int rc = 0;

	if (!f)
		return ofctl_fail("%s: open (%s)", argv[1], strerror(errno));
	ctl->show_names = 0;
	while (!rc && (n = fread(message, 1, OFP_HEADER_LEN, f))) {
		size_t len = ofp_read_header(message).length;

		if (n < OFP_HEADER_LEN || len < OFP_HEADER_LEN ||
		    (len > OFP_HEADER_LEN && !fread(message + OFP_HEADER_LEN, len - OFP_HEADER_LEN, 1, f)))
			rc = ofctl_fail("%s: ends in the middle of a message", argv[1]);
		else
			ofctl_print_message(ctl, stdout, message, len, ctl->verbosity + 2);
	}
	if (!std)
		fclose(f);
	return rc;
}
