/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: packets sent out by hand, and listening to a switch. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/cli/ofctl.h"
#include "control/openflow/oxm.h"

/* ---- packet-out ---- */

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

/* ---- monitor, snoop ---- */

enum {
	MONITOR_INITIAL = 1,
	MONITOR_ADD = 2,
	MONITOR_DELETE = 4,
	MONITOR_MODIFY = 8,
	MONITOR_ACTIONS = 16,
	MONITOR_OWN = 32
};

struct watch {
	uint16_t flags;
	struct flow_filter filter;
};

/* "!initial,!own,table=3,ip": words that switch something off, and a filter of flows. */
static int parse_watch(struct ofctl *ctl, const char *text, struct watch *watch)
{
	static const struct {
		const char *word;
		uint16_t flag;
	} words[] = {{"!initial", MONITOR_INITIAL}, {"!add", MONITOR_ADD},
	             {"!delete", MONITOR_DELETE},   {"!modify", MONITOR_MODIFY},
	             {"!actions", MONITOR_ACTIONS}, {"!own", MONITOR_OWN}};
	char *copy = strdup(text), *next = copy, *word;
	struct text rest = {0};
	int rc;

	watch->flags = MONITOR_INITIAL | MONITOR_ADD | MONITOR_DELETE | MONITOR_MODIFY | MONITOR_ACTIONS |
	               MONITOR_OWN;
	while (next && (word = strsep(&next, ", \t"))) {
		unsigned i = 0;

		while (i < 6 && strcmp(words[i].word, word))
			i++;
		if (i < 6)
			watch->flags &= (uint16_t)~words[i].flag;
		else
			text_add(&rest, "%s,", word);
	}
	rc = copy ? flow_filter_parse(text_get(&rest), &ctl->names, &watch->filter, &ctl->err) : -1;
	free(copy);
	text_free(&rest);
	return rc ? ofctl_fail("watch: %s", copy ? ctl->err.text : "out of memory") : 0;
}

static int start_watch(struct ofctl *ctl, const char *text)
{
	enum { EXPERIMENTER = 0xffff, FLOW_MONITOR = 1870 };
	struct ofp_writer w = {0};
	struct watch watch = {0};
	size_t start, at;
	int rc = parse_watch(ctl, text, &watch);

	if (rc)
		return rc;
	start = ofp_begin_multipart(&w, true, (enum ofp_multipart)EXPERIMENTER, 0);
	ofp_put_u32(&w, ONF_EXPERIMENTER);
	ofp_put_u32(&w, FLOW_MONITOR);
	ofp_put_u32(&w, 0); /* id */
	ofp_put_u16(&w, watch.flags);
	at = w.len;
	ofp_put_u16(&w, 0);
	ofp_put_u32(&w, watch.filter.out_port);
	ofp_put_u8(&w, watch.filter.table_id);
	ofp_put_zero(&w, 3);
	ofp_set_u16(&w, at, oxm_put_match(&w, &watch.filter.match));
	ofp_end(&w, start);
	rc = ofctl_print_replies(ctl, &w);
	fflush(stdout);
	return rc;
}

static int set_packet_in_format(struct ofctl *ctl)
{
	enum { SET_PACKET_IN_FORMAT = 16, BEST = 2 };
	struct ofp_writer w = {0};
	size_t start = ofp_begin(&w, OFPT_EXPERIMENTER, 0);
	int rc;

	ofp_put_u32(&w, NX_EXPERIMENTER);
	ofp_put_u32(&w, SET_PACKET_IN_FORMAT);
	ofp_put_u32(&w, ctl->packet_in_format < 0 ? BEST : (uint32_t)ctl->packet_in_format);
	ofp_end(&w, start);
	rc = ofp_client_send(ctl->client, w.data, w.len, &ctl->err);
	ofp_writer_free(&w);
	return rc ? ofctl_fail("%s: %s", ctl->target, ctl->err.text) : ofctl_barrier(ctl);
}

static void tell_time(void)
{
	struct timespec now;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(stderr, "%s.%03ld: ", text, now.tv_nsec / 1000000);
}

static int listen_on(struct ofctl *ctl, bool answer)
{
	const uint8_t *message;
	size_t len;

	while (!ofp_client_hear(ctl->client, answer, &message, &len, &ctl->err)) {
		if (ctl->timestamp)
			tell_time();
		ofctl_print_message(ctl, stderr, message, len, ctl->verbosity + 2);
	}
	return ofctl_fail("%s: %s", ctl->target, ctl->err.text);
}

int ofctl_monitor(struct ofctl *ctl, int argc, char **argv)
{
	int rc = ofctl_connect(ctl, argv[1]);

	for (int i = 2; i < argc && !rc; i++) {
		if (isdigit((unsigned char)*argv[i]))
			rc = ofctl_set_config(ctl, -1, atoi(argv[i]));
		else if (!strncmp(argv[i], "watch:", 6))
			rc = start_watch(ctl, argv[i] + 6);
		else
			rc = ofctl_fail("%s: unsupported \"monitor\" argument", argv[i]);
	}
	if (!rc)
		rc = set_packet_in_format(ctl);
	return rc ? rc : listen_on(ctl, true);
}

int ofctl_snoop(struct ofctl *ctl, int argc, char **argv)
{
	int rc = ofctl_connect_to(ctl, argv[1], "snoop");

	ctl->show_names = 0; /* nobody could be asked for them */
	return rc ? rc : listen_on(ctl, false);
}
