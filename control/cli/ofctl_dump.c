/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: the commands that ask one question and print the answer. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"
#include "control/cli/ofctl_print.h"

enum argument { NOTHING, FLOW, PORT, PORT_AND_QUEUE, GROUP, METER };

static const struct dump {
	const char *name;
	enum ofp_multipart type;
	enum argument argument;
	bool no_body; /* OpenFlow 1.3 always sends all */
} dumps[] = {
        {"dump-desc", OFPMP_DESC, NOTHING, false},
        {"dump-tables", OFPMP_TABLE, NOTHING, false},
        {"dump-table-features", OFPMP_TABLE_FEATURES, NOTHING, false},
        {"dump-aggregate", OFPMP_AGGREGATE, FLOW, false},
        {"dump-ports", OFPMP_PORT_STATS, PORT, false},
        {"dump-ports-desc", OFPMP_PORT_DESC, PORT, true},
        {"queue-stats", OFPMP_QUEUE, PORT_AND_QUEUE, false},
        {"dump-groups", OFPMP_GROUP_DESC, GROUP, true},
        {"dump-group-stats", OFPMP_GROUP, GROUP, false},
        {"dump-group-features", OFPMP_GROUP_FEATURES, NOTHING, false},
        {"dump-meter", OFPMP_METER_CONFIG, METER, false},
        {"dump-meters", OFPMP_METER_CONFIG, METER, false},
        {"meter-stats", OFPMP_METER, METER, false},
        {"meter-features", OFPMP_METER_FEATURES, NOTHING, false},
};

/* "group_id=5", "meter=5", or for all but a meter "5"; without one, or with "all", `all`. */
static int choose(const char *text, const char *key, uint32_t all, uint32_t *id)
{
	size_t n = strlen(key);
	unsigned long long number;
	char *end;

	*id = all;
	if (text && !strncmp(text, key, n) && text[n] == '=')
		text += n + 1;
	else if (text && !strcmp(key, "meter"))
		return ofctl_fail("%s: expected meter=NUMBER", text);
	if (!text || !strcmp(text, "all"))
		return 0;
	number = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end || number > UINT32_MAX)
		return ofctl_fail("%s: expected %s=NUMBER", text, key);
	*id = (uint32_t)number;
	return 0;
}

static int choose_port(struct ofctl *ctl, const char *text, uint32_t *port)
{
	*port = OFPP_ANY;
	return text && strcasecmp(text, "all") ? ofctl_port(ctl, text, port) : 0;
}

/* Puts the request for what the arguments name. */
static int request(struct ofctl *ctl, const struct dump *d, int argc, char **argv, struct ofp_writer *w)
{
	const char *what = argc > 2 ? argv[2] : NULL;
	struct flow_filter filter;
	uint32_t id = OFPP_ANY, queue = OFPQ_ALL;
	size_t start;
	int rc = 0;

	switch (d->argument) {
	case NOTHING:
		break;
	case FLOW:
		if (flow_filter_parse(what ? what : "", &ctl->names, &filter, &ctl->err))
			return ofctl_fail("flow: %s", ctl->err.text);
		request_flows(w, d->type, &filter);
		return 0;
	case PORT:
	case PORT_AND_QUEUE:
		rc = choose_port(ctl, what, &id);
		if (!rc && argc > 3)
			rc = choose(argv[3], "queue", OFPQ_ALL, &queue);
		break;
	case GROUP:
		rc = choose(what, "group_id", OFPG_ALL, &id);
		break;
	case METER:
		rc = choose(what, "meter", OFPM_ALL, &id);
		break;
	}
	if (rc)
		return rc;
	ctl->only = d->no_body && id != OFPG_ALL ? id : OFPP_ANY;
	start = ofp_begin_multipart(w, true, d->type, 0);
	if (d->argument != NOTHING && !d->no_body) {
		ofp_put_u32(w, id);
		ofp_put_u32(w, d->argument == PORT_AND_QUEUE ? queue : 0);
	}
	ofp_end(w, start);
	return 0;
}

int ofctl_dump(struct ofctl *ctl, int argc, char **argv)
{
	const struct dump *d = dumps;
	struct ofp_writer w = {0};
	int rc = ofctl_connect(ctl, argv[1]);

	while (strcmp(d->name, argv[0]))
		d++;
	if (!rc)
		rc = request(ctl, d, argc, argv, &w);
	if (rc)
		return rc;
	return ctl->json ? ofctl_dump_json(ctl, d->type, &w) : ofctl_print_replies(ctl, &w);
}

/* The features of all tables together, without headers, so that tables that are alike are told in one line.
 */

struct gathered {
	struct ofp_writer w;
};

static int gather(struct ofp_reader *r, void *arg, struct error *e)
{
	struct gathered *g = arg;

	ofp_put_bytes(&g->w, r->at, ofp_left(r));
	return g->w.failed ? error_set(e, ENOMEM, "out of memory") : 0;
}

int ofctl_dump_table_features(struct ofctl *ctl, int argc, char **argv)
{
	struct gathered g = {{0}};
	struct text out = {0};
	struct printer p = {.out = &out};
	struct ofp_writer w = {0};
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc) {
		request_multipart(&w, OFPMP_TABLE_FEATURES);
		rc = ofctl_multipart(ctl, &w, gather, &g);
	}
	if (!rc) {
		struct ofp_reader r = ofp_reader_of(g.w.data, g.w.len);

		if (print_table_features(&p, &r))
			fputs(text_get(&out) + 1, stdout); /* the newline that ends a message's header */
		else
			rc = ofctl_fail("%s: the switch sent malformed features", ctl->target);
	}
	text_free(&out);
	ofp_writer_free(&g.w);
	return rc;
}
