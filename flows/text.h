/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows and groups as text, both ways, in the grammar and the output of ovs-ofctl 3.1.
 *
 * Parsers take a whole zero-terminated text that they do not change, and on a mistake return -EINVAL and an
 * error that names the field, the column (counted from 1) and what was expected; what they filled is freed
 * then. Formatters append to a struct text. No global state: any thread.
 */
#ifndef FLOWS_TEXT_H
#define FLOWS_TEXT_H

#include "base/error.h"
#include "flows/flow_mod.h"
#include "flows/group.h"
#include "flows/meter.h"

/* A growing string. Zero-initialised is empty; data is NULL until something was added. After a failed
 * allocation it stays as it was and `failed` is set. */
struct text {
	char *data;
	size_t len, capacity;
	bool failed;
};

void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *t, const char *bytes, size_t n);
/* Takes `c` off the end if it is there. */
void text_chomp(struct text *t, char c);
/* Never NULL. */
const char *text_get(const struct text *t);
void text_free(struct text *t);

/* "1.500s": as many digits as it takes, in steps of three. */
void duration_format(struct text *out, uint64_t ns);

/* Names of ports, both ways; a NULL pointer means numbers only. */
struct port_names {
	void *arg;
	const char *(*name)(void *arg, uint32_t port);              /* NULL: none */
	int (*number)(void *arg, const char *name, uint32_t *port); /* 0 or -ENOENT */
};

/* "LOCAL", "IN_PORT", 5, 0xfffffffe, 65534 (the 16-bit form), "vm1" by `names`. 0 or -EINVAL. */
int port_parse(const char *text, const struct port_names *names, uint32_t *port);
void port_format(struct text *out, uint32_t port, const struct port_names *names);

/* What the text of a flow said beyond the flow itself. */
struct flow_notes {
	enum field_id normalized; /* first field dropped for want of its prerequisite, FIELD_NONE: nothing */
};

/* "priority=5,ip,nw_src=10.0.0.0/8,actions=output:2". `command` decides what is allowed (actions are required
 * to add and modify, refused for delete; out_port and out_group only where they mean something) and becomes
 * fm->command. `fm` is initialised here; on success the caller frees it. `notes` may be NULL. */
int flow_mod_parse(const char *text, enum flow_command command, const struct port_names *names,
                   struct flow_mod *fm, struct flow_notes *notes, struct error *err);
/* A line of a flow file, where "add", "delete", "modify", "delete_strict" or "modify_strict" may stand in
 * front. */
int flow_line_parse(const char *line, const struct port_names *names, struct flow_mod *fm,
                    struct flow_notes *notes, struct error *err);
/* For dump-flows, dump-aggregate: match, table, cookie, out_port, out_group; empty text means all flows. */
int flow_filter_parse(const char *text, const struct port_names *names, struct flow_filter *filter,
                      struct error *err);
/* A list of actions alone (packet-out, write_actions). `out` is initialised here. */
int actions_parse(const char *text, const struct port_names *names, struct action_list *out,
                  struct error *err);

/* "ip,nw_src=10.0.0.0/8"; with a priority other than PRIORITY_DEFAULT in front. Nothing for a match of
 * everything. */
void match_format(struct text *out, const struct match *m, int priority, const struct port_names *names);
/* "output:1,goto_table:2"; "drop" for an empty list. */
void actions_format(struct text *out, const struct action_list *l, const struct port_names *names);
/* The line of dump-flows, without the newline: " cookie=0x0, duration=1.5s, table=0, n_packets=0, n_bytes=0,
 * ... actions=drop". */
void flow_stats_format(struct text *out, const struct flow_stats *fs, bool show_stats,
                       const struct port_names *names);
/* A flow_mod as ofp-print shows it: "ADD table:1 priority=5,ip actions=drop". */
void flow_mod_format(struct text *out, const struct flow_mod *fm, const struct port_names *names);

/* "group_id=1,type=select,bucket=weight:5,actions=output:1". To delete, "group_id=1", "group_id=all" or
 * nothing (all). `gm` is initialised here; on success the caller frees it. */
int group_mod_parse(const char *text, enum group_command command, const struct port_names *names,
                    struct group_mod *gm, struct error *err);
/* "group_id=1,type=select,bucket=weight:5,actions=output:1": a line of dump-groups without the leading blank.
 */
void group_format(struct text *out, const struct group_mod *gm, const struct port_names *names);
void group_stats_format(struct text *out, const struct group_stats *gs);

/* "meter=1,kbps,burst,band=type=drop,rate=100,burst_size=50"; to delete, "meter=1", "meter=all" or nothing
 * (all). */
int meter_mod_parse(const char *text, enum meter_command command, struct meter_mod *mm, struct error *err);
/* "meter=1 kbps bands=" and a line for each band, as dump-meters prints it. */
void meter_format(struct text *out, const struct meter_mod *mm);
void meter_stats_format(struct text *out, const struct meter_stats *ms);

#endif
