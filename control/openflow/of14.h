/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of OpenFlow 1.4 that differ from 1.3: what was fixed there is a list of properties. Same rules as
 * in messages.h. */
#ifndef CONTROL_OPENFLOW_OF14_H
#define CONTROL_OPENFLOW_OF14_H

#include "control/openflow/messages.h"

void of14_put_port(struct ofp_writer *w, const struct ofp_port *port);
void of14_put_port_stats(struct ofp_writer *w, uint32_t port_no, const struct ofp_port_stats *stats);
enum ofp_error of14_read_port_mod(struct ofp_reader *r, struct ofp_port_mod *mod);

#endif
