/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of OpenFlow 1.0, and of Nicira's extensions to it, that have bytes of their own.
 *
 * The rest of the switch knows 32-bit ports, OXM and instructions. Here ports have 16 bits (OFPP_MAX 0xff00),
 * a match is a fixed struct with wildcard bits or a row of NXM fields, and instructions are actions. Same
 * rules as in messages.h: readers return the error that a switch answers with and leave nothing to be freed
 * then.
 */
#ifndef CONTROL_OPENFLOW_OF10_H
#define CONTROL_OPENFLOW_OF10_H

#include "control/openflow/messages.h"

struct action;

/* struct ofp_match of 1.0 (section 5.2.3), 40 bytes. What cannot be said in 1.0 is left out. */
void of10_read_match(struct ofp_reader *r, struct match *match);
void of10_put_match(struct ofp_writer *w, const struct match *match);

/* FLOW_MOD. `table_in_command`: its high byte is a table (NXT_FLOW_MOD_TABLE_ID). */
enum ofp_error of10_read_flow_mod(struct ofp_reader *r, bool table_in_command, struct flow_mod *fm);
/* NXT_FLOW_MOD: the match in NXM. */
enum ofp_error nx_read_flow_mod(struct ofp_reader *r, bool table_in_command, struct flow_mod *fm);

/* The body of a FLOW or AGGREGATE request, and of Nicira's. */
enum ofp_error of10_read_flow_filter(struct ofp_reader *r, struct flow_filter *filter);
enum ofp_error nx_read_flow_filter(struct ofp_reader *r, struct flow_filter *filter);
/* One entry of a FLOW reply, and of Nicira's. */
void of10_put_flow_stats(struct ofp_writer *w, const struct flow_stats *fs);
void nx_put_flow_stats(struct ofp_writer *w, const struct flow_stats *fs);
void of10_put_flow_removed(struct ofp_writer *w, const struct flow_stats *fs,
                           enum ofp_flow_removed_reason reason);
/* NXT_FLOW_REMOVED, for clients that asked for NXM (NXT_SET_FLOW_FORMAT). */
void nx_put_flow_removed(struct ofp_writer *w, const struct flow_stats *fs,
                         enum ofp_flow_removed_reason reason);

void of10_put_table_stats(struct ofp_writer *w, uint8_t table_id, const char *name, uint32_t max_entries,
                          const struct ofp_table_stats *stats);

/* struct ofp_phy_port, 48 bytes. */
void of10_put_port(struct ofp_writer *w, const struct ofp_port *port);
void of10_put_port_stats(struct ofp_writer *w, uint32_t port_no, const struct ofp_port_stats *stats);
enum ofp_error of10_read_port_mod(struct ofp_reader *r, struct ofp_port_mod *mod);

/* buffer_id, in_port and the length of the actions, as ofp_read_packet_out() wants them. */
void of10_read_packet_out_head(struct ofp_reader *r, uint32_t *buffer_id, uint32_t *in_port,
                               uint16_t *actions_len);
void of10_put_packet_in(struct ofp_writer *w, const struct ofp_packet_in *in);

/* One action after type and length; `r` is all of it. */
enum ofp_error of10_read_action(uint16_t type, struct ofp_reader *r, struct action_list *out);
/* Writes an action or instruction that 1.0 says in its own way; false when it is Nicira's in all versions. */
bool of10_put_action(struct ofp_writer *w, const struct action *a);
/* ofp_check_actions() as 1.0 has it: its own actions on a packet that lacks the header do nothing. */
enum ofp_error of10_check_actions(const struct action_list *list, const struct match *match,
                                  uint8_t table_id);
/* 1.0 does not say of which protocol a port is, and its mod_vlan_* make a tag when there is none: chooses by
 * what the match says of the packet. */
enum ofp_error of10_resolve_actions(struct action_list *list, const struct match *match);
/* Is number `i` the second of a pair that of10_resolve_actions() made of one? */
bool of10_is_second_port(const struct action_list *list, unsigned i);

#endif
