/* SPDX-License-Identifier: Apache-2.0 */
/* Flow text through our parser and through ovs-ofctl, and the comparison. For the oracle tests. */
#include "tests/lib/ofctl_judge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/openflow/messages.h"
#include "flows/text.h"
#include "tests/lib/ofp_recorder.h"

struct verdict {
	char *flow;
	char *ours;          /* normalised text, NULL: refused */
	char *theirs;        /* the same */
	struct error err;    /* why we refused */
	struct ofp_writer w; /* our bytes */
};

struct ofctl_judge {
	struct verdict *all;
	unsigned n, capacity;
	char dir[32], file[64], socket[64];
};

struct ofctl_judge *ofctl_judge_new(void)
{
	struct ofctl_judge *j = calloc(1, sizeof(*j));

	cr_assert(j);
	strcpy(j->dir, "/tmp/weft-judge-XXXXXX");
	cr_assert(mkdtemp(j->dir));
	snprintf(j->file, sizeof(j->file), "%s/flows", j->dir);
	snprintf(j->socket, sizeof(j->socket), "%s/mgmt", j->dir);
	return j;
}

unsigned ofctl_judge_count(const struct ofctl_judge *j)
{
	return j->n;
}

void ofctl_judge_add(struct ofctl_judge *j, const char *flow)
{
	struct verdict *v;
	struct flow_mod fm;

	for (unsigned i = 0; i < j->n; i++) {
		if (!strcmp(j->all[i].flow, flow))
			return;
	}
	if (j->n == j->capacity) {
		j->capacity = j->capacity ? 2 * j->capacity : 256;
		j->all = realloc(j->all, j->capacity * sizeof(*j->all));
		cr_assert(j->all);
	}
	v = &j->all[j->n++];
	*v = (struct verdict){.flow = strdup(flow)};
	if (!flow_mod_parse(flow, FLOW_ADD, NULL, &fm, NULL, &v->err)) {
		struct text t = {0};

		flow_mod_format(&t, &fm, NULL);
		v->ours = strdup(text_get(&t));
		text_free(&t);
		ofp_put_flow_mod(&v->w, 0, &fm);
		flow_mod_free(&fm);
	}
}

/* ---- asking ---- */

/* Runs ovs-ofctl and calls `line` for each line of its output; its exit status. */
static int run(const char *arguments, void (*line)(char *text, void *arg), void *arg)
{
	char command[4352], *text = NULL;
	size_t size = 0;
	FILE *out;
	int rc;

	snprintf(command, sizeof(command), "exec ovs-ofctl -t 60 -O OpenFlow13 -vANY:ANY:err %s 2>&1",
	         arguments);
	out = popen(command, "r");
	cr_assert(out);
	while (getline(&text, &size, out) > 0) {
		text[strcspn(text, "\n")] = '\0';
		line(text, arg);
	}
	free(text);
	rc = pclose(out);
	cr_assert(WIFEXITED(rc) && WEXITSTATUS(rc) < 126,
	          "ovs-ofctl cannot be run: install openvswitch-common");
	return WEXITSTATUS(rc);
}

/* "OFPT_FLOW_MOD (OF1.3) (xid=0x1): ADD ip actions=drop " without what stands in front and the last blank. */
static char *flow_in(char *text)
{
	char *start = strstr(text, "OFPT_FLOW_MOD (OF1.3) "), *end;

	start = start ? strstr(start, "): ") : NULL;
	if (!start)
		return NULL;
	start += 3;
	end = start + strlen(start);
	while (end > start && end[-1] == ' ')
		end--;
	*end = '\0';
	return start;
}

struct bulk {
	struct ofctl_judge *j;
	unsigned next;    /* verdict that the next line is about */
	unsigned refused; /* line of the file, from 1 */
};

static bool in_bulk(const struct verdict *v)
{
	return v->ours && !v->theirs;
}

static void take_bulk(char *text, void *arg)
{
	struct bulk *b = arg;
	const char *flow = flow_in(text), *at;

	if (flow) {
		while (b->next < b->j->n && !b->j->all[b->next].ours)
			b->next++;
		cr_assert(b->next < b->j->n);
		free(b->j->all[b->next].theirs);
		b->j->all[b->next++].theirs = strdup(flow);
	} else if ((at = strstr(text, b->j->file)) && at[strlen(b->j->file)] == ':') {
		b->refused = (unsigned)atoi(at + strlen(b->j->file) + 1);
	}
}

static void write_bulk(struct ofctl_judge *j)
{
	FILE *f = fopen(j->file, "w");

	cr_assert(f);
	for (unsigned i = 0; i < j->n; i++) {
		if (j->all[i].ours)
			fprintf(f, "%s\n", j->all[i].flow);
	}
	cr_assert_eq(fclose(f), 0);
}

/* The string that the judge stumbled over leaves the bulk. */
static void drop_refused(struct ofctl_judge *j, unsigned line)
{
	unsigned i;

	for (i = 0; i < j->n; i++) {
		if (j->all[i].ours && !--line)
			break;
	}
	cr_assert(i < j->n);
	cr_expect_fail("%s\n  ours:   %s\n  theirs: (refused)", j->all[i].flow, j->all[i].ours);
	free(j->all[i].ours);
	free(j->all[i].flow);
	ofp_writer_free(&j->all[i].w);
	memmove(&j->all[i], &j->all[i + 1], (--j->n - i) * sizeof(j->all[0]));
}

static void ask_texts(struct ofctl_judge *j)
{
	char arguments[128];
	struct bulk b;

	snprintf(arguments, sizeof(arguments), "parse-flows %s", j->file);
	do {
		b = (struct bulk){.j = j};
		write_bulk(j);
		if (run(arguments, take_bulk, &b)) {
			cr_assert(b.refused, "ovs-ofctl parse-flows failed without naming a line");
			drop_refused(j, b.refused);
		}
	} while (b.refused);
	for (unsigned i = 0; i < j->n; i++)
		cr_assert(!in_bulk(&j->all[i]), "no answer for: %s", j->all[i].flow);
}

static void take_single(char *text, void *arg)
{
	const char *flow = flow_in(text);
	char **theirs = arg;

	if (flow && !*theirs)
		*theirs = strdup(flow);
}

static void ask_refused(struct ofctl_judge *j)
{
	for (unsigned i = 0; i < j->n; i++) {
		struct verdict *v = &j->all[i];
		char arguments[4096], *to = arguments;

		if (v->ours)
			continue;
		to += sprintf(to, "parse-flow '");
		cr_assert(strlen(v->flow) < sizeof(arguments) - 20 && !strchr(v->flow, '\''));
		sprintf(to, "%s'", v->flow);
		if (run(arguments, take_single, &v->theirs)) {
			free(v->theirs);
			v->theirs = NULL;
		}
	}
}

/* ---- comparing ---- */

static void compare_texts(const struct ofctl_judge *j)
{
	unsigned undecided = 0;

	for (unsigned i = 0; i < j->n; i++) {
		const struct verdict *v = &j->all[i];

		if (v->theirs && strstr(v->theirs, "decode error"))
			undecided++; /* it cannot read its own message */
		else if (v->ours)
			cr_expect_str_eq(v->ours, v->theirs, "%s\n  ours:   %s\n  theirs: %s", v->flow,
			                 v->ours, v->theirs);
		else
			cr_expect(!v->theirs, "%s\n  ours:   %s\n  theirs: %s", v->flow, v->err.text,
			          v->theirs);
	}
	cr_expect_lt(undecided, 100);
	printf("%u judged, %u of them without a verdict\n", j->n, undecided);
}

static void print_hex(struct text *t, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_add(t, i % 8 ? "%02x" : " %02x", bytes[i]);
}

/* A FLOW_MOD without OXM_OF_PACKET_TYPE "Ethernet", which ovs-ofctl puts first when no other field implies it
 * and Weft never sends. Returns a copy. */
static uint8_t *without_packet_type(const uint8_t *message, size_t *len)
{
	static const uint8_t field[8] = {0x80, 0x00, 0x58, 0x04};
	enum { MATCH = 48, FIELDS = MATCH + 4 };
	uint8_t *copy = malloc(*len);

	cr_assert(copy && *len >= FIELDS);
	memcpy(copy, message, *len);
	if (*len < FIELDS + sizeof(field) || memcmp(copy + FIELDS, field, sizeof(field)))
		return copy;
	*len -= sizeof(field);
	memmove(copy + FIELDS, message + FIELDS + sizeof(field), *len - FIELDS);
	copy[2] = (uint8_t)(*len >> 8);
	copy[3] = (uint8_t)*len;
	copy[MATCH + 3] = (uint8_t)(copy[MATCH + 3] - sizeof(field));
	return copy;
}

static void ignore(char *text, void *arg)
{
	cr_expect(strstr(text, "normalization changed") || !strstr(text, "ovs-ofctl:"), "%s", text);
}

static void compare_bytes(const struct ofctl_judge *j)
{
	struct ofp_recorder *r = ofp_recorder_start(j->socket);
	char arguments[160];

	snprintf(arguments, sizeof(arguments), "add-flows unix:%s %s", j->socket, j->file);
	cr_expect_eq(run(arguments, ignore, NULL), 0);
	for (unsigned i = 0; i < j->n; i++) {
		const struct verdict *v = &j->all[i];
		struct text ours = {0}, theirs = {0};
		const uint8_t *recorded;
		uint8_t *bytes;
		size_t len;

		if (!v->ours)
			continue;
		recorded = ofp_recorder_next(r, &len);
		cr_assert(recorded, "no message for: %s", v->flow);
		if (strstr(v->theirs, "decode error"))
			continue;
		bytes = without_packet_type(recorded, &len);
		print_hex(&ours, v->w.data, v->w.len);
		print_hex(&theirs, bytes, len);
		free(bytes);
		cr_expect_str_eq(text_get(&ours), text_get(&theirs), "%s\n  ours:  %s\n  theirs:%s", v->flow,
		                 text_get(&ours), text_get(&theirs));
		text_free(&ours);
		text_free(&theirs);
	}
	ofp_recorder_stop(r);
}

void ofctl_judge_finish(struct ofctl_judge *j)
{
	ask_texts(j);
	ask_refused(j);
	compare_texts(j);
	compare_bytes(j);
	for (unsigned i = 0; i < j->n; i++) {
		free(j->all[i].flow);
		free(j->all[i].ours);
		free(j->all[i].theirs);
		ofp_writer_free(&j->all[i].w);
	}
	unlink(j->file);
	rmdir(j->dir);
	free(j->all);
	free(j);
}
