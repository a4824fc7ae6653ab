/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of weft-ofctl share: options, the connection, names of ports, and the commands. */
#ifndef CONTROL_CLI_OFCTL_H
#define CONTROL_CLI_OFCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "control/openflow/client.h"
#include "control/cli/ofctl_wire.h"
#include "flows/text.h"

struct ofctl {
	const char *rundir;
	bool strict, json;
	bool show_stats;
	int show_names; /* -1: when standard output is a terminal */
	int timeout_ms;
	const char *target; /* as the user wrote it */
	struct ofp_client *client;
	struct ofp_port *ports;
	unsigned n_ports;
	struct port_names names;
	struct error err;
};

/* ---- ofctl.c ---- */

/* Prints "weft-ofctl: text" and returns the exit code 1: `return ofctl_fail(...)`. */
int ofctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- ofctl_switch.c: each returns 0, or 1 after it has printed what is wrong ---- */

/* `target`: a bridge under the rundir, unix:PATH, tcp:HOST:PORT or a path. Learns the names of the ports as
 * well. */
int ofctl_connect(struct ofctl *ctl, const char *target);
void ofctl_disconnect(struct ofctl *ctl);
/* Sends what `w` holds (one message) and empties it. */
int ofctl_send(struct ofctl *ctl, struct ofp_writer *w);
/* Waits until all was done; a refusal of the switch is printed. */
int ofctl_barrier(struct ofctl *ctl);
/* Sends the multipart request in `w` and gives every reply's body to `each` (0 or -errno with the error
 * filled). */
int ofctl_multipart(struct ofctl *ctl, struct ofp_writer *w,
                    int (*each)(struct ofp_reader *r, void *arg, struct error *e), void *arg);
/* The reply of the message in `w`, without its header, borrowed until the next call. */
int ofctl_transact(struct ofctl *ctl, struct ofp_writer *w, struct ofp_reader *reply);
/* The names to print ports with, or NULL for numbers. */
const struct port_names *ofctl_print_names(struct ofctl *ctl);
/* Opens a file for reading, "-" is standard input. Calls `line` for each line that is not empty when comments
 * and the newline are gone, with "FILE:N". */
int ofctl_read_lines(const char *file, int (*line)(const char *text, const char *where, void *arg),
                     void *arg);

/* ---- the commands: argv[0] is the command's name; the exit code is returned ---- */

int ofctl_add_flow(struct ofctl *ctl, int argc, char **argv);
int ofctl_add_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_mod_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_del_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_replace_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_diff_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump_aggregate(struct ofctl *ctl, int argc, char **argv);
int ofctl_parse_flow(struct ofctl *ctl, int argc, char **argv);
int ofctl_parse_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_show(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump_ports(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump_ports_desc(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump_tables(struct ofctl *ctl, int argc, char **argv);
int ofctl_add_group(struct ofctl *ctl, int argc, char **argv);
int ofctl_add_groups(struct ofctl *ctl, int argc, char **argv);
int ofctl_mod_group(struct ofctl *ctl, int argc, char **argv);
int ofctl_del_groups(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump_groups(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump_group_stats(struct ofctl *ctl, int argc, char **argv);
int ofctl_packet_out(struct ofctl *ctl, int argc, char **argv);

#endif
