/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: groups, and packets sent out by hand. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"
#include "control/cli/ofctl_json.h"

struct sender {
	struct ofctl *ctl;
	enum group_command command;
	struct ofp_writer w;
};

static int send_group(const char *text, const char *where, void *arg)
{
	struct sender *s = arg;
	struct group_mod gm;

	if (group_mod_parse(text, s->command, &s->ctl->names, &gm, &s->ctl->err))
		return ofctl_fail("%s: %s", where, s->ctl->err.text);
	ofp_put_group_mod(&s->w, 0, &gm);
	group_mod_free(&gm);
	return ofctl_send(s->ctl, &s->w);
}

/* `text`: one group, or "-" for lines of standard input. */
static int change(struct ofctl *ctl, const char *target, const char *text, enum group_command command,
                  bool file)
{
	struct sender s = {.ctl = ctl, .command = command};
	int rc = ofctl_connect(ctl, target);

	if (!rc && (file || !strcmp(text, "-")))
		rc = ofctl_read_lines(text, send_group, &s);
	else if (!rc)
		rc = send_group(text, "group", &s);
	if (!rc)
		rc = ofctl_barrier(ctl);
	ofp_writer_free(&s.w);
	return rc;
}

int ofctl_add_group(struct ofctl *ctl, int argc, char **argv)
{
	return change(ctl, argv[1], argv[2], GROUP_ADD, false);
}

int ofctl_add_groups(struct ofctl *ctl, int argc, char **argv)
{
	return change(ctl, argv[1], argv[2], GROUP_ADD, true);
}

int ofctl_mod_group(struct ofctl *ctl, int argc, char **argv)
{
	return change(ctl, argv[1], argv[2], GROUP_MODIFY, false);
}

int ofctl_del_groups(struct ofctl *ctl, int argc, char **argv)
{
	return change(ctl, argv[1], argc > 2 ? argv[2] : "", GROUP_DELETE, false);
}

/* ---- showing ---- */

struct dump {
	struct ofctl *ctl;
	uint32_t only; /* or GROUP_ALL */
	json_t *array;
};

static json_t *group_to_json(struct ofctl *ctl, const struct group_mod *gm)
{
	static const char *const types[] = {"all", "select", "indirect", "ff"};
	json_t *buckets = json_array();

	for (unsigned i = 0; i < gm->n_buckets; i++) {
		struct text actions = {0};

		actions_format(&actions, &gm->buckets[i].actions, ofctl_print_names(ctl));
		json_array_append_new(buckets,
		                      json_pack("{s:I,s:s}", "weight", (json_int_t)gm->buckets[i].weight,
		                                "actions", text_get(&actions)));
		text_free(&actions);
	}
	return json_pack("{s:I,s:s,s:o}", "group_id", (json_int_t)gm->group_id, "type", types[gm->type],
	                 "buckets", buckets);
}

static int show_groups(struct ofp_reader *r, void *arg, struct error *e)
{
	struct dump *d = arg;
	struct group_mod gm;
	int rc;

	while ((rc = reply_group(r, &gm, e)) > 0) {
		struct text out = {0};

		if (d->only != GROUP_ALL && gm.group_id != d->only) {
			group_mod_free(&gm);
			continue;
		}
		if (d->array) {
			json_array_append_new(d->array, group_to_json(d->ctl, &gm));
		} else {
			group_format(&out, &gm, ofctl_print_names(d->ctl));
			printf(" %s\n", text_get(&out));
			text_free(&out);
		}
		group_mod_free(&gm);
	}
	return rc;
}

static int choose_group(int argc, char **argv, uint32_t *group)
{
	const char *text = argc > 2 ? argv[2] : "all";
	unsigned long long n;
	char *end;

	if (!strncmp(text, "group_id=", 9))
		text += 9;
	*group = GROUP_ALL;
	if (!strcmp(text, "all"))
		return 0;
	n = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end || n > GROUP_MAX)
		return ofctl_fail("%s: expected a group id", text);
	*group = (uint32_t)n;
	return 0;
}

int ofctl_dump_groups(struct ofctl *ctl, int argc, char **argv)
{
	struct dump d = {.ctl = ctl, .array = ctl->json ? json_array() : NULL};
	struct ofp_writer w = {0};
	int rc = choose_group(argc, argv, &d.only);

	if (!rc)
		rc = ofctl_connect(ctl, argv[1]);
	if (rc)
		return ofctl_print_json(d.array, rc);
	if (!d.array)
		printf("OFPST_GROUP_DESC reply (OF1.3) (xid=0x2):\n");
	request_multipart(&w, OFPMP_GROUP_DESC);
	return ofctl_print_json(d.array, ofctl_multipart(ctl, &w, show_groups, &d));
}

static json_t *group_stats_to_json(const struct group_stats *gs)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < gs->n_buckets; i++)
		json_array_append_new(buckets, json_pack("{s:I,s:I}", "n_packets",
		                                         (json_int_t)gs->buckets[i].n_packets, "n_bytes",
		                                         (json_int_t)gs->buckets[i].n_bytes));
	return json_pack("{s:I,s:f,s:I,s:I,s:I,s:o}", "group_id", (json_int_t)gs->group_id, "duration",
	                 (double)gs->duration_ns / 1e9, "ref_count", (json_int_t)gs->ref_count, "n_packets",
	                 (json_int_t)gs->n_packets, "n_bytes", (json_int_t)gs->n_bytes, "buckets", buckets);
}

static int show_group_stats(struct ofp_reader *r, void *arg, struct error *e)
{
	struct dump *d = arg;
	struct group_stats gs;
	int rc;

	while ((rc = reply_group_stats(r, &gs, e)) > 0) {
		struct text out = {0};

		if (d->array) {
			json_array_append_new(d->array, group_stats_to_json(&gs));
		} else {
			group_stats_format(&out, &gs);
			printf(" %s\n", text_get(&out));
			text_free(&out);
		}
		group_stats_free(&gs);
	}
	return rc;
}

int ofctl_dump_group_stats(struct ofctl *ctl, int argc, char **argv)
{
	struct dump d = {.ctl = ctl, .array = ctl->json ? json_array() : NULL};
	struct ofp_writer w = {0};
	int rc = choose_group(argc, argv, &d.only);

	if (!rc)
		rc = ofctl_connect(ctl, argv[1]);
	if (rc)
		return ofctl_print_json(d.array, rc);
	if (!d.array)
		printf("OFPST_GROUP reply (OF1.3) (xid=0x2):\n");
	request_stats(&w, OFPMP_GROUP, d.only);
	return ofctl_print_json(d.array, ofctl_multipart(ctl, &w, show_group_stats, &d));
}

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

static int parse_packet(const char *hex, size_t len, uint8_t **data, size_t *n)
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

static int send_packet(struct ofctl *ctl, const char *text)
{
	size_t port_len, packet_len, actions_len;
	const char *port = value_of(text, "in_port", &port_len),
	           *packet = value_of(text, "packet", &packet_len);
	const char *actions_text = value_of(text, "actions", &actions_len);
	struct ofp_packet_out out = {.in_port = OFPP_CONTROLLER};
	struct action_list actions;
	struct ofp_writer w = {0};
	uint8_t *data;
	char name[64];
	int rc;

	if (!packet || !actions_text || packet > actions_text)
		return ofctl_fail("expected in_port=PORT packet=HEX actions=ACTIONS");
	if (port) {
		snprintf(name, sizeof(name), "%.*s", (int)port_len, port);
		if (port_parse(name, &ctl->names, &out.in_port))
			return ofctl_fail("in_port: expected a port number or name, got \"%s\"", name);
	}
	if (actions_parse(actions_text, &ctl->names, &actions, &ctl->err))
		return ofctl_fail("actions: %s", ctl->err.text);
	rc = parse_packet(packet, packet_len, &data, &out.len);
	if (!rc) {
		out.actions = &actions;
		out.data = data;
		ofp_put_packet_out(&w, 0, &out);
		rc = ofctl_send(ctl, &w);
		free(data);
		ofp_writer_free(&w);
	}
	action_list_free(&actions);
	return rc ? rc : ofctl_barrier(ctl);
}

int ofctl_packet_out(struct ofctl *ctl, int argc, char **argv)
{
	int rc = ofctl_connect(ctl, argv[1]);

	return rc ? rc : send_packet(ctl, argv[2]);
}
