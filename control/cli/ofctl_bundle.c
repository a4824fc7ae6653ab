/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: bundles, ONF's extension 230 to OpenFlow 1.3: changes that take effect together or not at all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"
#include "control/cli/ofctl_print.h"

enum { BUNDLE_CONTROL = 2300, BUNDLE_ADD = 2301 };
enum { OPEN_REQUEST = 0, COMMIT_REQUEST = 4, ATOMIC_ORDERED = 3, BUNDLE_ID = 0 };

static size_t begin(struct ofp_writer *w, uint32_t subtype)
{
	size_t start = ofp_begin(w, OFPT_EXPERIMENTER, 0);

	ofp_put_u32(w, ONF_EXPERIMENTER);
	ofp_put_u32(w, subtype);
	ofp_put_u32(w, BUNDLE_ID);
	return start;
}

static int control(struct ofctl *ctl, uint16_t type)
{
	struct ofp_writer w = {0};
	struct ofp_reader reply;
	size_t start = begin(&w, BUNDLE_CONTROL);

	ofp_put_u16(&w, type);
	ofp_put_u16(&w, ATOMIC_ORDERED);
	ofp_end(&w, start);
	return ofctl_transact(ctl, &w, &reply);
}

static int open_now(struct ofctl *ctl)
{
	int rc = control(ctl, OPEN_REQUEST);

	ctl->in_bundle = ctl->bundle_sent = !rc;
	return rc;
}

int ofctl_bundle_open(struct ofctl *ctl)
{
	return ctl->bundle ? open_now(ctl) : 0;
}

int ofctl_bundle_close(struct ofctl *ctl, int rc)
{
	bool commit = ctl->in_bundle;

	ctl->in_bundle = false;
	if (!rc)
		rc = ofctl_barrier(ctl); /* a message that the bundle does not take is known then */
	if (!rc && commit)
		rc = control(ctl, COMMIT_REQUEST);
	return commit && ctl->refused ? ofctl_fail("%s: nothing of the bundle is in effect", ctl->target)
	                              : rc;
}

void ofctl_bundle_wrap(struct ofctl *ctl, struct ofp_writer *w)
{
	struct ofp_writer wrapped = {0};
	uint32_t xid = ofp_client_next_xid(ctl->client);
	size_t start = begin(&wrapped, BUNDLE_ADD);

	ofp_put_u16(&wrapped, 0);
	ofp_put_u16(&wrapped, ATOMIC_ORDERED);
	if (!w->failed) { /* the message inside has the same xid */
		ofp_set_u16(w, 4, (uint16_t)(xid >> 16));
		ofp_set_u16(w, 6, (uint16_t)xid);
	}
	ofp_put_bytes(&wrapped, w->data, w->len);
	ofp_end(&wrapped, start);
	if (!ctl->bundled.len)
		ctl->bundled_xid = xid;
	ofp_put_bytes(&ctl->bundled, w->data, w->len);
	wrapped.failed |= w->failed;
	ofp_writer_free(w);
	*w = wrapped;
}

/* The message of the bundle that was sent with this xid: our own copy, since errors quote only the beginning.
 */
static const uint8_t *find_bundled(const struct ofctl *ctl, uint32_t xid, size_t *len)
{
	struct ofp_reader r = ofp_reader_of(ctl->bundled.data, ctl->bundled.len);

	for (uint32_t at = ctl->bundled_xid; ofp_left(&r); at++) {
		*len = ofp_read_header(r.at).length;
		if (at == xid)
			return r.at;
		ofp_skip(&r, *len);
	}
	return NULL;
}

/* "Error OFPFMFC_TABLE_FULL for: OFPT_FLOW_MOD..." */
void ofctl_bundle_tell(struct ofctl *ctl, const uint8_t *error, size_t len)
{
	enum { QUOTED_AT = 12, EXPERIMENTER_QUOTED_AT = 16 };
	size_t at = error[8] == 0xff && error[9] == 0xff ? EXPERIMENTER_QUOTED_AT : QUOTED_AT, bundled_len;
	const uint8_t *bundled = find_bundled(ctl, ofp_read_header(error).xid, &bundled_len);
	struct text out = {0};
	struct printer p = {.out = &out, .names = ofctl_print_names(ctl), .verbosity = ctl->verbosity + 1};
	const char *name;

	message_print(&p, error, len);
	name = strstr(text_get(&out), "): ");
	if (name && (bundled || len >= at + OFP_HEADER_LEN)) {
		fprintf(stderr, "Error %.*s for: ", (int)strcspn(name + 3, "\n"), name + 3);
		ofctl_print_message(ctl, stderr, bundled ? bundled : error + at,
		                    bundled ? bundled_len : len - at, ctl->verbosity + 1);
	} else {
		fputs(text_get(&out), stderr);
	}
	text_free(&out);
}

/* ---- bundle FILE ---- */

struct sender {
	struct ofctl *ctl;
	struct ofp_writer w;
};

static const char *after_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	text += strspn(text, " \t");
	return strncmp(text, word, n) || (text[n] && !strchr(" \t", text[n])) ? NULL : text + n;
}

static int send_flow(struct sender *s, const char *text, const char *where)
{
	struct flow_mod fm;

	if (flow_line_parse(text, &s->ctl->names, &fm, NULL, &s->ctl->err))
		return ofctl_fail("%s: %s", where, s->ctl->err.text);
	ofp_put_flow_mod(&s->w, 0, &fm);
	flow_mod_free(&fm);
	return ofctl_send(s->ctl, &s->w);
}

static int send_group(struct sender *s, const char *text, const char *where)
{
	static const char *const words[] = {"add", "modify", "delete"};
	enum group_command command = GROUP_ADD;
	struct group_mod gm;

	for (unsigned i = 0; i < 3; i++) {
		const char *rest = after_word(text, words[i]);

		if (rest) {
			command = (enum group_command)i;
			text = rest;
			break;
		}
	}
	if (group_mod_parse(text, command, &s->ctl->names, &gm, &s->ctl->err))
		return ofctl_fail("%s: %s", where, s->ctl->err.text);
	ofp_put_group_mod(&s->w, 0, &gm);
	group_mod_free(&gm);
	return ofctl_send(s->ctl, &s->w);
}

static int send_line(const char *text, const char *where, void *arg)
{
	struct sender *s = arg;
	const char *flow = after_word(text, "flow"), *group = after_word(text, "group");

	if (flow)
		return send_flow(s, flow, where);
	if (group)
		return send_group(s, group, where);
	return ofctl_fail("%s: expected a line that starts with \"flow\" or \"group\"", where);
}

int ofctl_bundle(struct ofctl *ctl, int argc, char **argv)
{
	struct sender s = {.ctl = ctl};
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc)
		rc = open_now(ctl);
	if (!rc)
		rc = ofctl_read_lines(argv[2], send_line, &s);
	ofp_writer_free(&s.w);
	return ofctl_bundle_close(ctl, rc);
}
