/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenFlow 1.3 messages as text, in the format of ovs-ofctl 3.1.
 *
 * weft-ofctl prints the replies of dumps, what a monitor hears, refusals, and messages out of files with it.
 * A message that cannot be read is named and shown as bytes; nothing of it is trusted.
 */
#ifndef CONTROL_CLI_OFCTL_PRINT_H
#define CONTROL_CLI_OFCTL_PRINT_H

#include "control/openflow/messages.h"
#include "flows/text.h"

struct printer {
	struct text *out;
	const struct port_names *names; /* NULL: numbers */
	int verbosity;                  /* 1: packets as flows; 3: packets as bytes, too */
	unsigned depth;                 /* of messages inside messages */
	enum ofp_error *why; /* filled by who finds a message malformed; message_print() sees to it */
};

/* One whole message of `len` bytes, with the newline at its end. */
void message_print(const struct printer *p, const uint8_t *message, size_t len);

/* ---- for the files ofctl_print_*.c; a false return means: malformed ---- */

/* Names of the bits, in the order of the table (which ends with a NULL), `between` them; "0" when there is
 * none. */
struct bit_name {
	uint32_t bit;
	const char *name;
};
void print_bits(struct text *out, uint32_t bits, const struct bit_name *names, char between);
extern const struct bit_name port_config_names[], port_state_names[];
void print_hex_dump(struct text *out, const uint8_t *bytes, size_t n);

/* "OFPT_HELLO (OF1.3) (xid=0x1):" */
void print_name(const struct printer *p, const char *prefix, const char *name, const struct ofp_header *h);
/* An experimenter's message, with its name. */
bool print_experimenter(const struct printer *p, const struct ofp_header *h, struct ofp_reader *r);
/* The body of a multipart request or reply. */
bool print_multipart(const struct printer *p, enum ofp_multipart type, bool request, struct ofp_reader *r);
/* Entries of multipart replies about ports and tables. */
bool print_port(const struct printer *p, struct ofp_reader *r);
bool print_ports(const struct printer *p, struct ofp_reader *r); /* by number */
bool print_port_stats(const struct printer *p, struct ofp_reader *r);
bool print_port_mod(const struct printer *p, struct ofp_reader *r);
bool print_table_stats(const struct printer *p, struct ofp_reader *r);
bool print_table_features(const struct printer *p, struct ofp_reader *r);
void print_group_mod(const struct printer *p, const struct group_mod *gm);
/* Nicira's or ONF's flow monitor: its request, its updates. */
bool print_monitor_request(const struct printer *p, struct ofp_reader *r);
bool print_monitor_updates(const struct printer *p, struct ofp_reader *r);

/* ofctl_print_nicira.c: NXT_CT_FLUSH or NXT_CT_FLUSH_ZONE; NXT_TLV_TABLE_MOD; NXT_TLV_TABLE_REPLY. */
bool print_ct_flush(const struct printer *p, struct ofp_reader *r, bool zone_only);
bool print_options_mod(const struct printer *p, struct ofp_reader *r);
bool print_options(const struct printer *p, struct ofp_reader *r);

/* Messages that carry a frame. */
bool print_packet_in(const struct printer *p, struct ofp_reader *r);
bool print_nx_packet_in(const struct printer *p, struct ofp_reader *r);
bool print_packet_in2(const struct printer *p, struct ofp_reader *r);
bool print_packet_out(const struct printer *p, struct ofp_reader *r);
/* A frame as the flow that would match it alone, with a newline. */
void print_frame(const struct printer *p, const uint8_t *frame, size_t len);

#endif
