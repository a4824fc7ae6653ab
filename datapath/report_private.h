/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the rings between a worker and the control thread. Private to datapath/. */
#ifndef DATAPATH_REPORT_PRIVATE_H
#define DATAPATH_REPORT_PRIVATE_H

#include "datapath/worker.h"

struct learn_report {
	struct mac mac;
	uint16_t vlan;
	uint32_t port;
};

struct report_head {         /* of what lies in worker.reports */
	bool is_flow_report; /* a struct program_report follows, else this is a struct packet_report */
} __attribute__((aligned(16)));

struct packet_report { /* regs_len, resume_len and userdata_len of `place`, and `len` bytes follow */
	struct report_head head;
	struct mkey key;
	struct packet_tunnel tunnel;     /* as actions have left it */
	struct program_controller place; /* of a packet-in */
	uint32_t total_len, len;
} __attribute__((aligned(16)));

struct inject_record { /* the program and then `len` bytes follow */
	uint32_t in_port;
	uint32_t len;
	uint32_t program_bytes; /* whole units of 16 */
	uint32_t pad;
} __attribute__((aligned(16)));

#endif
