/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables 20 to 22 and 80 to 82: packets of ports with security groups are tracked, in a zone of the port,
 * once when they leave the guest and once before they enter it. What may pass is asked of the rules each
 * time, for the connection that the packet belongs to, as it began (tables 23 and 24): so answers and ICMP
 * errors pass as long as their connection may, and a rule that goes ends what it has allowed, in both
 * directions. Ports without groups go past. Called by pipeline.c.
 */
#include "control/agent/pipeline.h"

enum { TRACKED = 100, MULTICAST = 110, BEGINS = 110, ALLOWED = 100, PAST = 0 };
enum { CONNECTIONS_OUT = 23, CONNECTIONS_IN = 24 };

struct stage {
	uint8_t first, next; /* tables: three from `first` on, and where the packet goes on */
	uint8_t forth, back; /* whose rules count for packets as the first one, and for answers */
	enum field_id port_field;
};

static const struct stage leaving = {20, 40, CONNECTIONS_OUT, CONNECTIONS_IN, FIELD_IN_PORT_OXM},
                          entering = {80, 90, CONNECTIONS_IN, CONNECTIONS_OUT, FIELD_REG3};

bool pipeline_is_tracked(const struct scene_port *p)
{
	return p->port->n_groups > 0;
}

/* ---- of a port ---- */

static void begin(struct flow_writer *w, const struct stage *stage, unsigned priority, uint32_t port)
{
	flow_begin(w, stage->first, priority);
	flow_match(w, stage->port_field, port);
}

static void do_ask_of(struct flow_writer *w, uint32_t port)
{
	flow_do_set(w, FIELD_REG4, port);
	flow_do_set(w, FIELD_REG6, 0);
}

static void track(struct flow_writer *w, const struct stage *stage, uint32_t port, bool v4)
{
	begin(w, stage, TRACKED, port);
	flow_match_family(w, v4);
	do_ask_of(w, port);
	flow_do_track(w, stage->first + 1);
	flow_end(w);
}

void pipeline_tracking(const struct scene_port *p, struct flow_writer *w)
{
	for (int v4 = 0; v4 < 2; v4++) {
		track(w, &leaving, p->ofport, v4);
		track(w, &entering, p->ofport, v4);
	}
	/* A copy of what is for many: table 40 has it told already. */
	begin(w, &entering, MULTICAST, p->ofport);
	flow_match_multicast(w, true);
	do_ask_of(w, p->ofport);
	flow_do_resubmit(w, CONNECTIONS_IN);
	flow_do_goto(w, entering.first + 2);
	flow_end(w);
}

/* ---- of all ---- */

/* What belongs to no connection, and can begin none, meets no flow. */
static void ask(struct flow_writer *w, const struct stage *stage, bool reply)
{
	flow_begin(w, stage->first + 1, TRACKED);
	flow_match_connection(w, CT_TRK | (reply ? CT_RPL : 0), CT_INV | (reply ? 0 : CT_RPL));
	flow_do_resubmit(w, reply ? stage->back : stage->forth);
	flow_do_goto(w, stage->first + 2);
	flow_end(w);
}

static void remember(struct flow_writer *w, const struct stage *stage, bool v4)
{
	flow_begin(w, stage->first + 2, BEGINS);
	flow_match_family(w, v4);
	flow_match_multicast(w, false);
	flow_match_connection(w, CT_TRK | CT_NEW, 0);
	flow_match(w, FIELD_REG6, 1);
	flow_do_commit(w);
	flow_do_goto(w, stage->next);
	flow_end(w);
}

static void common(struct flow_writer *w, const struct stage *stage)
{
	flow_begin(w, stage->first, PAST);
	flow_do_goto(w, stage->next);
	flow_end(w);
	ask(w, stage, false);
	ask(w, stage, true);
	remember(w, stage, true);
	remember(w, stage, false);
	flow_begin(w, stage->first + 2, ALLOWED);
	flow_match(w, FIELD_REG6, 1);
	flow_do_goto(w, stage->next);
	flow_end(w);
}

void pipeline_tracking_common(struct flow_writer *w)
{
	common(w, &leaving);
	common(w, &entering);
}
