/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the scenario runner: its state, and what the files of verbs share. */
#ifndef TESTS_PKTGEN_SCENARIO_PRIVATE_H
#define TESTS_PKTGEN_SCENARIO_PRIVATE_H

#include <pcap/pcap.h>

#include "tests/pktgen/controller.h"
#include "tests/pktgen/endpoint.h"
#include "tests/pktgen/packet_text.h"
#include "tests/pktgen/scenario.h"

enum { PORTS_MAX = 32, NAMES_MAX = 64 };

struct port_line {
	char name[32];
	struct endpoint *ep;
	pcap_dumper_t *capture;
};

struct scenario {
	struct port_line ports[PORTS_MAX];
	unsigned nports;
	unsigned timeout_s;
	pcap_t *dead; /* for captures */
	uint8_t want[PACKET_TEXT_MAX], got[PACKET_TEXT_MAX];
	struct controller *controller; /* NULL: no `switch` line yet */
	struct port_line *from, *to;   /* of `way` */
	uint32_t to_number;
	uint64_t markers;
	unsigned nnames;
	struct {
		char name[32];
		char *text;
	} names[NAMES_MAX];
};

struct verb {
	const char *name;
	bool two; /* it needs more than one word */
	int (*run)(struct scenario *s, char *first, char *rest, struct error *e);
};

/* scenario_flows.c; ends with a verb without a name */
extern const struct verb scenario_flow_verbs[];
int scenario_clear(struct scenario *s, char *first, char *rest, struct error *e);

/* scenario.c */
struct port_line *scenario_port(struct scenario *s, const char *name, struct error *e);
int scenario_add_port(struct scenario *s, const char *name, struct endpoint *ep, struct error *e);
int scenario_send(struct scenario *s, struct port_line *p, const uint8_t *data, uint32_t len,
                  struct error *e);
/* The next frame at `p` must be the one in s->want. */
int scenario_expect(struct scenario *s, struct port_line *p, uint32_t len, struct error *e);
/* Sends and expects by packet text. */
int scenario_send_text(struct scenario *s, struct port_line *p, const char *packet, struct error *e);
int scenario_expect_text(struct scenario *s, struct port_line *p, const char *packet, struct error *e);

#endif
