/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: listening to a switch. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/cli/ofctl.h"
#include "control/openflow/nx_packet_in.h"
#include "control/openflow/oxm.h"

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
	enum { BEST = 2 };
	struct ofp_writer w = {0};
	size_t start = ofp_begin(&w, OFPT_EXPERIMENTER, 0);
	int rc;

	ofp_put_u32(&w, NX_EXPERIMENTER);
	ofp_put_u32(&w, NXT_SET_PACKET_IN_FORMAT);
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

/* Puts what NXT_RESUME says of the packet-in: all of it but the user's data. False: it is not paused. */
static bool put_resume(struct ofp_writer *w, struct ofp_reader *r)
{
	bool paused = false;

	while (ofp_left(r)) {
		const uint8_t *property = r->at;
		struct ofp_reader body;
		uint16_t type;

		if (nx_get_property(r, &type, &body))
			return false;
		paused |= type == NX_PROP_CONTINUATION;
		if (type != NX_PROP_USERDATA)
			ofp_put_bytes(w, property, (size_t)(r->at - property));
	}
	return paused;
}

/* Lets the packet go on, when the message is a packet-in that was paused. */
static int resume(struct ofctl *ctl, const uint8_t *message, size_t len)
{
	struct ofp_header h = ofp_read_header(message);
	struct ofp_reader r = ofp_reader_of(message + OFP_HEADER_LEN, len - OFP_HEADER_LEN);
	struct ofp_writer w = {0};
	size_t start;
	int rc = 0;

	if (h.type != OFPT_EXPERIMENTER || ofp_get_u32(&r) != NX_EXPERIMENTER ||
	    ofp_get_u32(&r) != NXT_PACKET_IN2)
		return 0;
	start = ofp_begin_nicira(&w, NXT_RESUME, 0);
	if (put_resume(&w, &r)) {
		ofp_end(&w, start);
		fprintf(stderr, "send: ");
		ofctl_print_message(ctl, stderr, w.data, w.len, ctl->verbosity + 2);
		rc = ofp_client_send(ctl->client, w.data, w.len, &ctl->err);
	}
	ofp_writer_free(&w);
	return rc;
}

static int listen_on(struct ofctl *ctl, bool answer, bool resumes)
{
	const uint8_t *message;
	size_t len;

	while (!ofp_client_hear(ctl->client, answer, &message, &len, &ctl->err)) {
		if (ctl->timestamp)
			tell_time();
		ofctl_print_message(ctl, stderr, message, len, ctl->verbosity + 2);
		if (resumes && resume(ctl, message, len))
			break;
	}
	return ofctl_fail("%s: %s", ctl->target, ctl->err.text);
}

int ofctl_monitor(struct ofctl *ctl, int argc, char **argv)
{
	int rc = ofctl_connect(ctl, argv[1]);
	bool resumes = false;

	for (int i = 2; i < argc && !rc; i++) {
		if (!strcmp(argv[i], "resume"))
			resumes = true;
		else if (isdigit((unsigned char)*argv[i]))
			rc = ofctl_set_config(ctl, -1, atoi(argv[i]));
		else if (!strncmp(argv[i], "watch:", 6))
			rc = start_watch(ctl, argv[i] + 6);
		else
			rc = ofctl_fail("%s: unsupported \"monitor\" argument", argv[i]);
	}
	if (!rc)
		rc = set_packet_in_format(ctl);
	return rc ? rc : listen_on(ctl, true, resumes);
}

int ofctl_snoop(struct ofctl *ctl, int argc, char **argv)
{
	int rc = ofctl_connect_to(ctl, argv[1], "snoop");

	ctl->show_names = 0; /* nobody could be asked for them */
	return rc ? rc : listen_on(ctl, false, false);
}
