/* SPDX-License-Identifier: Apache-2.0 */
/* Actions and instructions on the wire (OpenFlow 1.3 sections 7.2.4 and 7.2.5; Nicira's under vendor 0x2320).
 * The decoders check lengths and shapes; what a list means is checked by action_list_check() (see
 * ofp_check_actions). */
#ifndef CONTROL_OPENFLOW_ACTIONS_H
#define CONTROL_OPENFLOW_ACTIONS_H

#include "control/openflow/buffer.h"
#include "control/openflow/errors.h"
#include "flows/action.h"

/* Appends the actions in `r`, all of it, to `out`; an error leaves those before it in the list. */
enum ofp_error ofp_read_actions(struct ofp_reader *r, struct action_list *out);
/* The same for instructions; `out` gets them in the order of struct action_list (meter, actions, then the
 * rest) whatever their order on the wire. */
enum ofp_error ofp_read_instructions(struct ofp_reader *r, struct action_list *out);

/* Nicira's actions: the body after type, length and vendor, `r` is all of it. Called by ofp_read_actions.
 * `depth` counts how deep clones are nested. */
enum ofp_error nx_read_action(struct ofp_reader *r, struct action_list *out, unsigned depth);
enum ofp_error ofp_read_nested_actions(struct ofp_reader *r, struct action_list *out, unsigned depth);
/* Writes the action if it is one of Nicira's; false when it is a standard one. */
bool nx_put_action(struct ofp_writer *w, const struct action *a);

/* Does a SET_FIELD leave bits of its field alone? */
bool action_set_is_masked(const struct action *a);

/* Only the actions (not instructions) of the list; in 1.0 also the instructions that it has actions for. */
void ofp_put_actions(struct ofp_writer *w, const struct action_list *list);
/* All of the list, as instructions. */
void ofp_put_instructions(struct ofp_writer *w, const struct action_list *list);

/* action_list_check() with the OpenFlow error for what is wrong. `match` NULL: nothing is known of the
 * packet. */
enum ofp_error ofp_check_actions(const struct action_list *list, const struct match *match, uint8_t table_id);

#endif
