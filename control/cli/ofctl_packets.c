/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: packets sent out by hand. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"

/* Finds "key=" at the start of a word; the value reaches to the next blank, or to the end for actions. */
static const char *value_of(const char *text, const char *key, size_t *len)
{
	size_t n = strlen(key);

	for (const char *p = strstr(text, key); p; p = strstr(p + 1, key)) {
		if ((p == text || strchr(" \t,", p[-1])) && p[n] == '=') {
			*len = strcmp(key, "actions") ? strcspn(p + n + 1, " \t,") : strlen(p + n + 1);
			return p + n + 1;
		}
	}
	return NULL;
}

static int parse_frame(const char *hex, size_t len, uint8_t **data, size_t *n)
{
	*n = 0;
	*data = malloc(len / 2 + 1);
	if (!*data)
		return ofctl_fail("out of memory");
	for (size_t i = 0; i + 1 < len; i += 2) {
		char pair[3] = {hex[i], hex[i + 1], 0};

		if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
			break;
		(*data)[(*n)++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	if (*n * 2 == len && *n >= 14)
		return 0;
	free(*data);
	*data = NULL;
	return ofctl_fail("packet: expected the bytes of an Ethernet frame in hex");
}

static int send_frame(struct ofctl *ctl, uint32_t in_port, const struct action_list *actions, const char *hex,
                      size_t len)
{
	struct ofp_packet_out out = {.in_port = in_port, .actions = actions};
	struct ofp_writer w = {0};
	uint8_t *data;
	int rc = parse_frame(hex, len, &data, &out.len);

	if (rc)
		return rc;
	out.data = data;
	ofp_put_packet_out(&w, 0, &out);
	rc = ofctl_send(ctl, &w);
	free(data);
	ofp_writer_free(&w);
	return rc;
}

static int parse_actions(struct ofctl *ctl, const char *text, struct action_list *actions)
{
	return actions_parse(text, &ctl->names, actions, &ctl->err) ? ofctl_fail("actions: %s", ctl->err.text)
	                                                            : 0;
}

/* "in_port=PORT packet=HEX actions=ACTIONS" */
static int send_described(struct ofctl *ctl, const char *text)
{
	size_t port_len, packet_len, actions_len;
	const char *port = value_of(text, "in_port", &port_len),
	           *packet = value_of(text, "packet", &packet_len);
	const char *actions_text = value_of(text, "actions", &actions_len);
	uint32_t in_port = OFPP_CONTROLLER;
	struct action_list actions;
	char name[64];
	int rc;

	if (!packet || !actions_text || packet > actions_text)
		return ofctl_fail("expected in_port=PORT packet=HEX actions=ACTIONS");
	if (port) {
		snprintf(name, sizeof(name), "%.*s", (int)port_len, port);
		rc = ofctl_port(ctl, name, &in_port);
		if (rc)
			return rc;
	}
	rc = parse_actions(ctl, actions_text, &actions);
	if (rc)
		return rc;
	rc = send_frame(ctl, in_port, &actions, packet, packet_len);
	action_list_free(&actions);
	return rc;
}

int ofctl_packet_out(struct ofctl *ctl, int argc, char **argv)
{
	struct action_list actions;
	uint32_t in_port;
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc && argc == 3) {
		rc = send_described(ctl, argv[2]);
		return rc ? rc : ofctl_barrier(ctl);
	}
	if (!rc && argc < 5) /* the old form: IN_PORT ACTIONS PACKET... */
		rc = ofctl_fail("expected IN_PORT ACTIONS PACKET...");
	if (!rc)
		rc = ofctl_port(ctl, argv[2], &in_port);
	if (!rc)
		rc = parse_actions(ctl, argv[3], &actions);
	if (rc)
		return rc;
	for (int i = 4; i < argc && !rc; i++)
		rc = send_frame(ctl, in_port, &actions, argv[i], strlen(argv[i]));
	action_list_free(&actions);
	return rc ? rc : ofctl_barrier(ctl);
}
