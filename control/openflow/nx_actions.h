/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of Nicira's actions (NXAST_*), and the parts of their codec that have files of their own. */
#ifndef CONTROL_OPENFLOW_NX_ACTIONS_H
#define CONTROL_OPENFLOW_NX_ACTIONS_H

#include "control/openflow/actions.h"

enum nx_action {
	NX_RESUBMIT = 1,
	NX_SET_TUNNEL = 2,
	NX_POP_QUEUE = 5,
	NX_REG_MOVE = 6,
	NX_REG_LOAD = 7,
	NX_NOTE = 8,
	NX_SET_TUNNEL64 = 9,
	NX_RESUBMIT_TABLE = 14,
	NX_OUTPUT_REG = 15,
	NX_LEARN = 16,
	NX_EXIT = 17,
	NX_DEC_TTL = 18,
	NX_FIN_TIMEOUT = 19,
	NX_CONTROLLER = 20,
	NX_DEC_TTL_IDS = 21,
	NX_STACK_PUSH = 27,
	NX_STACK_POP = 28,
	NX_OUTPUT_REG2 = 32,
	NX_REG_LOAD2 = 33,
	NX_CONJUNCTION = 34,
	NX_CONTROLLER2 = 37,
	NX_OUTPUT_TRUNC = 39,
	NX_CLONE = 42,
	NX_LEARN2 = 45,
};

/* Bodies after the subtype. */
enum ofp_error nx_read_learn(struct ofp_reader *r, bool second, struct action_list *out);
void nx_put_learn(struct ofp_writer *w, const struct action_learn *learn);
enum ofp_error nx_read_controller2(struct ofp_reader *r, struct action_list *out);
void nx_put_controller2(struct ofp_writer *w, const struct action_controller *controller);

/* OpenFlow 1.0's 16-bit ports, as Nicira's actions carry them. */
uint32_t nx_port_from_16(uint16_t port);
uint16_t nx_port_to_16(uint32_t port);

#endif
