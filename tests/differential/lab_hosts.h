/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts of a lab: on each, the agent's code (store, view, scene, pipeline) and a whole datapath, joined
 * by tunnels whose packets are carried by hand.
 *
 * Life cycle: lab_hosts_init once in a test -> lab_hosts_make -> lab_hosts_update after each change of the
 * lab
 * -> lab_hosts_free. A failure ends the test.
 */
#ifndef TESTS_DIFFERENTIAL_LAB_HOSTS_H
#define TESTS_DIFFERENTIAL_LAB_HOSTS_H

#include "control/agent/host_flows.h"
#include "tests/differential/lab.h"
#include "tests/lib/switch.h"

enum { LAB_TUNNEL = LAB_GUESTS + 1, LAB_UPLINK }; /* ports; guest i has number i + 1 */

struct lab_host {
	char name[16];
	struct ip_addr vtep;
	struct test_switch sw;
	struct store *store;
	struct view *view;
	struct scene scene; /* as the agent keeps it, and its flows */
	struct host_flows flows;
	struct flow_set installed;
	bool is_there[LAB_GUESTS]; /* guests whose interface the agent has made */
};

extern struct lab_host lab_hosts[LAB_HOSTS]; /* lab->n_hosts of them */

/* In a network namespace of this process's own. */
void lab_hosts_init(void);
void lab_hosts_make(struct lab *lab, unsigned seed);
void lab_hosts_free(const struct lab *lab);
/* Brings every host to what the lab wants now. */
void lab_hosts_update(const struct lab *lab);

/* Neither the hosts nor the lab know of a connection any more. */
void lab_hosts_forget(struct lab *lab);

/* What `from` has sent into tunnels comes out at the others. */
void lab_hosts_carry(const struct lab *lab, struct lab_host *from);

#endif
