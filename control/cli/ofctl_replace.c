/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: making a switch hold exactly the flows of a file, and telling how two sets of flows differ. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/cli/ofctl.h"

/* Flows sorted by table, priority and match; at most one of each. */
struct flow_set {
	struct flow_mod *flows;
	size_t n, capacity;
};

struct loader {
	struct ofctl *ctl;
	struct flow_set *set;
};

static int set_add(struct flow_set *s, struct flow_mod *fm, struct error *e)
{
	if (s->n == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 64;
		struct flow_mod *flows = realloc(s->flows, capacity * sizeof(*flows));

		if (!flows) {
			flow_mod_free(fm);
			return error_set(e, ENOMEM, "out of memory");
		}
		s->flows = flows;
		s->capacity = capacity;
	}
	if (fm->table_id == TABLE_ALL)
		fm->table_id = 0;
	s->flows[s->n++] = *fm;
	return 0;
}

static void set_free(struct flow_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		flow_mod_free(&s->flows[i]);
	free(s->flows);
}

static int compare(const void *left, const void *right)
{
	const struct flow_mod *a = left, *b = right;

	if (a->table_id != b->table_id)
		return a->table_id < b->table_id ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	return memcmp(&a->match, &b->match, sizeof(a->match));
}

/* Sorts; of flows with the same place the last one given counts. */
static void set_settle(struct flow_set *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++)
		s->flows[i].buffer_id = (uint32_t)i; /* the order given; unused otherwise */
	if (s->n)
		qsort(s->flows, s->n, sizeof(*s->flows), compare);
	for (size_t i = 0; i < s->n; i++) {
		if (kept && !compare(&s->flows[kept - 1], &s->flows[i])) {
			bool later = s->flows[i].buffer_id > s->flows[kept - 1].buffer_id;

			flow_mod_free(later ? &s->flows[kept - 1] : &s->flows[i]);
			if (later)
				s->flows[kept - 1] = s->flows[i];
			continue;
		}
		s->flows[kept++] = s->flows[i];
	}
	s->n = kept;
	for (size_t i = 0; i < s->n; i++)
		s->flows[i].buffer_id = 0xffffffff;
}

static int load_line(const char *text, const char *where, void *arg)
{
	struct loader *l = arg;
	struct flow_mod fm;

	if (flow_mod_parse(text, FLOW_ADD, l->ctl->client ? &l->ctl->names : NULL, &fm, NULL, &l->ctl->err) ||
	    set_add(l->set, &fm, &l->ctl->err))
		return ofctl_fail("%s: %s", where, l->ctl->err.text);
	return 0;
}

static int load_reply(struct ofp_reader *r, void *arg, struct error *e)
{
	struct loader *l = arg;
	struct flow_stats fs;
	int rc;

	while ((rc = reply_flow(r, &fs, e)) > 0) {
		struct flow_mod fm;

		flow_mod_init(&fm);
		fm.table_id = fs.table_id;
		fm.priority = fs.priority;
		fm.cookie = fs.cookie;
		fm.idle_timeout = fs.idle_timeout;
		fm.hard_timeout = fs.hard_timeout;
		fm.flags = fs.flags;
		fm.importance = fs.importance;
		fm.match = fs.match;
		fm.actions = fs.actions; /* handed over */
		if (set_add(l->set, &fm, e))
			return -ENOMEM;
	}
	return rc;
}

static int load_switch(struct ofctl *ctl, struct flow_set *set)
{
	struct loader l = {ctl, set};
	struct flow_filter all;
	struct ofp_writer w = {0};

	flow_filter_parse("", NULL, &all, &ctl->err);
	request_flows(&w, OFPMP_FLOW, &all);
	return ofctl_multipart(ctl, &w, load_reply, &l);
}

static bool same(const struct flow_mod *a, const struct flow_mod *b)
{
	return a->cookie == b->cookie && a->idle_timeout == b->idle_timeout &&
	       a->hard_timeout == b->hard_timeout && a->importance == b->importance &&
	       action_list_equal(&a->actions, &b->actions);
}

/* Calls `differ` for every place where one of the sets has a flow; the other one may be NULL. */
static int merge(const struct flow_set *a, const struct flow_set *b,
                 int (*differ)(const struct flow_mod *left, const struct flow_mod *right, void *arg),
                 void *arg)
{
	size_t i = 0, k = 0;
	int rc = 0;

	while (!rc && (i < a->n || k < b->n)) {
		int order = i == a->n ? 1 : k == b->n ? -1 : compare(&a->flows[i], &b->flows[k]);

		if (order < 0) {
			rc = differ(&a->flows[i++], NULL, arg);
		} else if (order > 0) {
			rc = differ(NULL, &b->flows[k++], arg);
		} else {
			rc = differ(&a->flows[i], &b->flows[k], arg);
			i++;
			k++;
		}
	}
	return rc;
}

/* ---- replace-flows ---- */

struct replacer {
	struct ofctl *ctl;
	struct ofp_writer w;
	bool deleting;
};

/* Left is what the switch has, right what it should have. */
static int bring_over(const struct flow_mod *has, const struct flow_mod *wanted, void *arg)
{
	struct replacer *r = arg;
	struct flow_mod gone;

	if (has && wanted && same(has, wanted) && !r->ctl->readd)
		return 0;
	if (r->deleting ? wanted || !has : !wanted)
		return 0;
	if (wanted) {
		ofp_put_flow_mod(&r->w, 0, wanted);
		return ofctl_send(r->ctl, &r->w);
	}
	gone = *has;
	gone.command = FLOW_DELETE_STRICT;
	gone.cookie = 0;
	gone.flags = 0;
	action_list_init(&gone.actions); /* those of `has` stay its own */
	ofp_put_flow_mod(&r->w, 0, &gone);
	return ofctl_send(r->ctl, &r->w);
}

int ofctl_replace_flows(struct ofctl *ctl, int argc, char **argv)
{
	struct flow_set has = {0}, wanted = {0};
	struct loader l = {ctl, &wanted};
	struct replacer r = {.ctl = ctl};
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc)
		rc = ofctl_read_lines(argv[2], load_line, &l);
	if (!rc)
		rc = load_switch(ctl, &has);
	if (!rc)
		rc = ofctl_bundle_open(ctl);
	if (!rc) {
		set_settle(&has);
		set_settle(&wanted);
		rc = merge(&has, &wanted, bring_over, &r); /* new ones first, so that no packet finds a gap */
		r.deleting = true;
	}
	if (!rc)
		rc = merge(&has, &wanted, bring_over, &r);
	rc = ofctl_bundle_close(ctl, rc);
	ofp_writer_free(&r.w);
	set_free(&has);
	set_free(&wanted);
	return rc;
}

/* ---- diff-flows ---- */

static void print_side(char sign, const struct flow_mod *fm)
{
	struct text out = {0};

	if (fm->table_id)
		text_add(&out, "table=%u ", fm->table_id);
	match_format(&out, &fm->match, fm->priority, NULL);
	if (out.len)
		text_add(&out, " ");
	if (fm->cookie)
		text_add(&out, "cookie=0x%llx ", (unsigned long long)fm->cookie);
	if (fm->idle_timeout)
		text_add(&out, "idle_timeout=%u ", fm->idle_timeout);
	if (fm->hard_timeout)
		text_add(&out, "hard_timeout=%u ", fm->hard_timeout);
	if (fm->importance)
		text_add(&out, "importance=%u ", fm->importance);
	text_add(&out, "actions=");
	actions_format(&out, &fm->actions, NULL);
	printf("%c%s\n", sign, text_get(&out));
	text_free(&out);
}

static int print_difference(const struct flow_mod *left, const struct flow_mod *right, void *arg)
{
	bool *differs = arg;

	if (left && right && same(left, right))
		return 0;
	*differs = true;
	if (left)
		print_side('-', left);
	if (right)
		print_side('+', right);
	return 0;
}

/* A source is a file if there is one of this name, a switch otherwise. */
static int load_source(struct ofctl *ctl, const char *source, struct flow_set *set)
{
	struct loader l = {ctl, set};
	struct stat st;
	int rc;

	if (!strcmp(source, "-") || (!stat(source, &st) && S_ISREG(st.st_mode)))
		return ofctl_read_lines(source, load_line, &l);
	rc = ofctl_connect(ctl, source);
	if (!rc)
		rc = load_switch(ctl, set);
	ofctl_disconnect(ctl);
	return rc;
}

int ofctl_diff_flows(struct ofctl *ctl, int argc, char **argv)
{
	struct flow_set a = {0}, b = {0};
	bool differs = false;
	int rc = load_source(ctl, argv[1], &a);

	if (!rc)
		rc = load_source(ctl, argv[2], &b);
	if (!rc) {
		set_settle(&a);
		set_settle(&b);
		rc = merge(&a, &b, print_difference, &differs);
	}
	set_free(&a);
	set_free(&b);
	return rc ? rc : differs ? 2 : 0;
}
