/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of weft-ofctl share: options, the connection, names of ports, and the commands. */
#ifndef CONTROL_CLI_OFCTL_H
#define CONTROL_CLI_OFCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "control/openflow/client.h"
#include "control/cli/ofctl_wire.h"
#include "flows/text.h"

enum { OFCTL_SORTS_MAX = 8 };

struct ofctl {
	const char *rundir;
	bool strict, json, may_create, read_only, bundle, readd, timestamp, color;
	bool show_stats;
	int show_names; /* -1: when standard output is a terminal */
	int verbosity;
	int timeout_ms;
	int packet_in_format; /* of monitor; -1: the best one */
	struct ofctl_sort {
		enum field_id field; /* FIELD_NONE: priority */
		bool descending;
	} sorts[OFCTL_SORTS_MAX];
	unsigned n_sorts;
	uint32_t only;      /* the port or group that a JSON dump is limited to, or OFPP_ANY */
	const char *target; /* as the user wrote it */
	struct ofp_client *client;
	bool refused; /* the switch's error was printed */
	bool in_bundle, bundle_sent;
	struct ofp_writer bundled; /* what was put into the bundle, from xid `bundled_xid` on */
	uint32_t bundled_xid;
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
 * well. ofctl_connect_to() takes another socket of the bridge ("snoop") and asks it nothing. */
int ofctl_connect(struct ofctl *ctl, const char *target);
int ofctl_connect_to(struct ofctl *ctl, const char *target, const char *socket);
void ofctl_disconnect(struct ofctl *ctl);
/* Sends what `w` holds (one message) and empties it. Refused with --read-only. */
int ofctl_send(struct ofctl *ctl, struct ofp_writer *w);
/* Waits until all was done; a refusal of the switch is printed. */
int ofctl_barrier(struct ofctl *ctl);
/* Sends the multipart request in `w` and gives every reply's body to `each` (0 or -errno with the error
 * filled). */
int ofctl_multipart(struct ofctl *ctl, struct ofp_writer *w,
                    int (*each)(struct ofp_reader *r, void *arg, struct error *e), void *arg);
/* Sends the request in `w` and prints every reply, also an error: what a dump is. */
int ofctl_print_replies(struct ofctl *ctl, struct ofp_writer *w);
/* The reply of the message in `w`, without its header, borrowed until the next call. */
int ofctl_transact(struct ofctl *ctl, struct ofp_writer *w, struct ofp_reader *reply);
/* Prints one message on `to`. */
void ofctl_print_message(struct ofctl *ctl, FILE *to, const uint8_t *message, size_t len, int verbosity);
/* The names to print ports with, or NULL for numbers. */
const struct port_names *ofctl_print_names(struct ofctl *ctl);
/* A port by number or name, or the message that there is none. */
int ofctl_port(struct ofctl *ctl, const char *text, uint32_t *port);
/* Opens a file for reading, "-" is standard input. Calls `line` for each line that is not empty when comments
 * and the newline are gone, with "FILE:N". */
int ofctl_read_lines(const char *file, int (*line)(const char *text, const char *where, void *arg),
                     void *arg);

/* ---- ofctl_bundle.c: changes that take effect together ---- */

/* Nothing without --bundle. Between open and close ofctl_send() adds to the bundle; close commits, unless
 * `rc` is not 0, and returns the exit code. */
int ofctl_bundle_open(struct ofctl *ctl);
int ofctl_bundle_close(struct ofctl *ctl, int rc);
/* Tells of an error about a bundle: which message it is that was refused. */
void ofctl_bundle_tell(struct ofctl *ctl, const uint8_t *error, size_t len);
/* What ofctl_send() sends instead of `w` while a bundle is open. */
void ofctl_bundle_wrap(struct ofctl *ctl, struct ofp_writer *w);

/* ---- ofctl_flows.c ---- */

/* A notice on standard error when a match was changed for want of a prerequisite. */
void ofctl_tell_normalized(const struct flow_notes *notes, const char *where);

/* ---- ofctl_ports.c ---- */

/* Mode of fragments and miss_send_len; -1: as it is. */
int ofctl_set_config(struct ofctl *ctl, int mode, int miss_send_len);

/* ---- ofctl_color.c ---- */

/* Prints lines of dump-flows, and what stands between them, with colours. */
void ofctl_put_colored(FILE *to, const char *text);

/* ---- ofctl_json.c ---- */

/* Sends the request in `w` and prints the replies as JSON. */
int ofctl_dump_json(struct ofctl *ctl, enum ofp_multipart type, struct ofp_writer *w);

/* ---- the commands: argv[0] is the command's name; the exit code is returned ---- */

int ofctl_add_flow(struct ofctl *ctl, int argc, char **argv);
int ofctl_add_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_mod_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_del_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_replace_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_diff_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump(struct ofctl *ctl, int argc, char **argv);
int ofctl_show(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump_table_features(struct ofctl *ctl, int argc, char **argv);
int ofctl_mod_port(struct ofctl *ctl, int argc, char **argv);
int ofctl_get_frags(struct ofctl *ctl, int argc, char **argv);
int ofctl_set_frags(struct ofctl *ctl, int argc, char **argv);
int ofctl_queue_get_config(struct ofctl *ctl, int argc, char **argv);
int ofctl_needs_later(struct ofctl *ctl, int argc, char **argv);
int ofctl_group_mod(struct ofctl *ctl, int argc, char **argv);
int ofctl_meter_mod(struct ofctl *ctl, int argc, char **argv);
int ofctl_ct_flush_zone(struct ofctl *ctl, int argc, char **argv);
int ofctl_ct_flush(struct ofctl *ctl, int argc, char **argv);
int ofctl_mod_options(struct ofctl *ctl, int argc, char **argv);
int ofctl_dump_options(struct ofctl *ctl, int argc, char **argv);
int ofctl_packet_out(struct ofctl *ctl, int argc, char **argv);
int ofctl_monitor(struct ofctl *ctl, int argc, char **argv);
int ofctl_snoop(struct ofctl *ctl, int argc, char **argv);
int ofctl_probe(struct ofctl *ctl, int argc, char **argv);
int ofctl_ping(struct ofctl *ctl, int argc, char **argv);
int ofctl_benchmark(struct ofctl *ctl, int argc, char **argv);
int ofctl_bundle(struct ofctl *ctl, int argc, char **argv);
int ofctl_parse_flow(struct ofctl *ctl, int argc, char **argv);
int ofctl_parse_flows(struct ofctl *ctl, int argc, char **argv);
int ofctl_parse_actions(struct ofctl *ctl, int argc, char **argv);
int ofctl_parse_group(struct ofctl *ctl, int argc, char **argv);
int ofctl_ofp_print(struct ofctl *ctl, int argc, char **argv);
int ofctl_ofp_parse(struct ofctl *ctl, int argc, char **argv);
int ofctl_ofp_parse_pcap(struct ofctl *ctl, int argc, char **argv);

#endif
