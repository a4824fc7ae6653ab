/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: text and messages without a switch. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"

static int parse_line(const char *text, const char *where, void *arg)
{
	struct ofctl *ctl = arg;
	struct flow_notes notes;
	struct flow_mod fm;
	struct text out = {0};

	if (flow_line_parse(text, NULL, &fm, &notes, &ctl->err))
		return ofctl_fail("%s: %s", where, ctl->err.text);
	ofctl_tell_normalized(&notes, where);
	flow_mod_format(&out, &fm, NULL);
	printf("OFPT_FLOW_MOD (OF1.3) (xid=0x1): %s\n", text_get(&out));
	text_free(&out);
	flow_mod_free(&fm);
	return 0;
}

static void tell_protocol(void)
{
	printf("usable protocols: OXM-OpenFlow13\nchosen protocol: OXM-OpenFlow13\n");
}

int ofctl_parse_flow(struct ofctl *ctl, int argc, char **argv)
{
	tell_protocol();
	return parse_line(argv[1], "flow", ctl);
}

int ofctl_parse_flows(struct ofctl *ctl, int argc, char **argv)
{
	tell_protocol();
	return ofctl_read_lines(argv[1], parse_line, ctl);
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

static int print_one(struct ofctl *ctl, const uint8_t *message, size_t len, int verbosity)
{
	if (len < OFP_HEADER_LEN || ofp_read_header(message).length != len)
		return ofctl_fail("expected a whole message: its header and as many bytes as it says");
	ctl->show_names = 0;
	ofctl_print_message(ctl, stdout, message, len, verbosity);
	return 0;
}

int ofctl_ofp_print(struct ofctl *ctl, int argc, char **argv)
{
	static uint8_t message[OFP_MESSAGE_MAX];
	size_t n;
	int rc = read_hex(argv[1], message, sizeof(message), &n);

	return rc ? rc : print_one(ctl, message, n, argc > 2 ? atoi(argv[2]) : 2);
}

int ofctl_ofp_parse(struct ofctl *ctl, int argc, char **argv)
{
	bool std = !strcmp(argv[1], "-");
	FILE *f = std ? stdin : fopen(argv[1], "r");
	static uint8_t message[OFP_MESSAGE_MAX];
	int rc = 0;

	if (!f)
		return ofctl_fail("%s: open (%s)", argv[1], strerror(errno));
	while (!rc && fread(message, OFP_HEADER_LEN, 1, f)) {
		size_t len = ofp_read_header(message).length;

		if (len < OFP_HEADER_LEN ||
		    (len > OFP_HEADER_LEN && !fread(message + OFP_HEADER_LEN, len - OFP_HEADER_LEN, 1, f)))
			rc = ofctl_fail("%s: ends in the middle of a message", argv[1]);
		else
			rc = print_one(ctl, message, len, ctl->verbosity + 2);
	}
	if (!std)
		fclose(f);
	return rc;
}
