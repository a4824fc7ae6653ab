/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of Nicira's actions (NXAST_*), and the parts of their codec that have files of their own. */
#ifndef CONTROL_OPENFLOW_NX_ACTIONS_H
#define CONTROL_OPENFLOW_NX_ACTIONS_H

#include "control/openflow/actions.h"

enum nx_action {
	NX_RESUBMIT = 1,
	NX_SET_TUNNEL = 2,
	NX_SET_QUEUE = 4, /* 1.0 only, as all that has a standard action later on */
	NX_POP_QUEUE = 5,
	NX_REG_MOVE = 6,
	NX_REG_LOAD = 7,
	NX_NOTE = 8,
	NX_SET_TUNNEL64 = 9,
	NX_MULTIPATH = 10,
	NX_BUNDLE = 12,
	NX_BUNDLE_LOAD = 13,
	NX_RESUBMIT_TABLE = 14,
	NX_OUTPUT_REG = 15,
	NX_LEARN = 16,
	NX_EXIT = 17,
	NX_DEC_TTL = 18,
	NX_FIN_TIMEOUT = 19,
	NX_CONTROLLER = 20,
	NX_DEC_TTL_IDS = 21,
	NX_WRITE_METADATA = 22,
	NX_PUSH_MPLS = 23,
	NX_POP_MPLS = 24,
	NX_SET_MPLS_TTL = 25,
	NX_DEC_MPLS_TTL = 26,
	NX_STACK_PUSH = 27,
	NX_STACK_POP = 28,
	NX_SET_MPLS_LABEL = 30,
	NX_SET_MPLS_TC = 31,
	NX_OUTPUT_REG2 = 32,
	NX_REG_LOAD2 = 33,
	NX_CONJUNCTION = 34,
	NX_CT = 35,
	NX_NAT = 36,
	NX_CONTROLLER2 = 37,
	NX_OUTPUT_TRUNC = 39,
	NX_GROUP = 40,
	NX_CLONE = 42,
	NX_CT_CLEAR = 43,
	NX_RESUBMIT_TABLE_CT = 44,
	NX_LEARN2 = 45,
	NX_CHECK_PKT_LARGER = 49,
};

/* Bodies after the subtype. */
enum ofp_error nx_read_learn(struct ofp_reader *r, bool second, struct action_list *out);
void nx_put_learn(struct ofp_writer *w, const struct action_learn *learn);
enum ofp_error nx_read_controller2(struct ofp_reader *r, struct action_list *out);
void nx_put_controller2(struct ofp_writer *w, const struct action_controller *controller);

/* nx_links.c */
enum ofp_error nx_read_multipath(struct ofp_reader *r, struct action *a);
void nx_put_multipath(struct ofp_writer *w, const struct action_multipath *m);
enum ofp_error nx_read_bundle(struct ofp_reader *r, struct action *a);
void nx_put_bundle(struct ofp_writer *w, const struct action *a);

/* nx_ct.c */
enum ofp_error nx_read_ct(struct ofp_reader *r, struct action_list *out, unsigned depth);
void nx_put_ct(struct ofp_writer *w, const struct action_ct *ct);
enum ofp_error nx_read_nat(struct ofp_reader *r, struct action *a);
void nx_put_nat(struct ofp_writer *w, const struct nat_range *nat);

/* OpenFlow 1.0's 16-bit ports, as Nicira's actions carry them. Reserved ports lie at the end of both ranges;
 * 0xff00 .. 0xfff7 become ports that do not exist. */
uint32_t nx_port_from_16(uint16_t port);
uint16_t nx_port_to_16(uint32_t port);

#endif
