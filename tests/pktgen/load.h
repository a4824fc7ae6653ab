/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weft-pktgen load: loads a switch through vhost-user ports and measures what comes out.
 *
 * What: plays several guests in one thread. A stream goes from one guest's transmit ring to another's receive
 * ring; each packet carries magic, tenant and sequence number, so that loss, mixing and corruption are seen.
 *
 * Design: descriptor i is bound to buffer i for good and buffers are filled before the start, so that sending
 * is stamping a few bytes and moving avail->idx, and receiving is reading used->idx. A ring is left alone for
 * some microseconds and then drained or filled at once: when both sides poll the same cache lines hard, the
 * rate falls into one of two modes a factor of two apart. Switches return a ring's buffers in order; this is
 * checked on the packets that are looked at.
 *
 * Thread-safety: one thread. Life cycle: load_options_read -> load_run, which prints JSON -> process ends.
 */
#ifndef TESTS_PKTGEN_LOAD_H
#define TESTS_PKTGEN_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "base/error.h"

enum { LOAD_PORTS_MAX = 16, LOAD_STREAMS_MAX = 16, LOAD_SIZE_MAX = 65000, LOAD_MTU_FRAME = 1514 };

enum load_pattern {
	LOAD_UNIFORM, /* each packet a random one of the flows */
	LOAD_ZIPF,    /* the same, but flow k about 1/(k+1) as often as flow 0 */
	LOAD_ONCE,    /* every packet a flow never seen before */
	LOAD_CHURN,   /* a window of flows that moves by `churn` flows a second */
	LOAD_SCAN,    /* random addresses and ports: no flow twice, nothing in order */
};

enum load_kind {
	LOAD_UDP,   /* Ethernet, IPv4, UDP */
	LOAD_VXLAN, /* the same inside VXLAN: what comes from the fabric */
	LOAD_TSO,   /* one large TCP segment with a virtio-net header that asks for segmentation */
};

struct load_stream_options {
	unsigned from, to; /* ports */
	enum load_kind kind;
	enum load_pattern pattern;
	uint32_t flows;
	uint32_t churn;
	unsigned size; /* of the Ethernet frame without FCS (inner one of VXLAN); 0: IMIX 7 x 64, 4 x 570,
	                * 1 x 1500 */
	bool fresh;    /* the payload is written anew for every packet */
	double rate;   /* packets per second, 0: as fast as it goes */
	uint32_t tenant;
	bool arrives_vxlan; /* the switch puts it into VXLAN: the outer headers are checked */
	int moved;          /* by how many bytes it is longer when it arrives, which follows */
	uint32_t vni;
	char dst[20], src[20], outer_dst[20], outer_src[20]; /* MAC addresses; "": the default */
	uint32_t outer_ip_dst, outer_ip_src;                 /* network order; dst: the switch's, src: ours */
};

enum load_verify { LOAD_VERIFY_SAMPLE, LOAD_VERIFY_ALL, LOAD_VERIFY_NONE };

struct load_options {
	unsigned nports, nstreams;
	struct load_port_options {
		const char *path;
		bool listen;
	} ports[LOAD_PORTS_MAX];
	struct load_stream_options streams[LOAD_STREAMS_MAX];
	unsigned ring; /* descriptors of each ring */
	double seconds, warm;
	unsigned rest_us; /* how long a ring is left alone */
	bool latency;     /* time every packet; rings are polled all the time */
	enum load_verify verify;
	bool offload; /* negotiate checksum and segmentation offload */
	bool hugepages;
	int core; /* to run on, negative: any */
	uint64_t seed;
};

/* Reads the command line (argv[0] is "load"). False: it was wrong, and the reason is on standard error. */
bool load_options_read(int argc, char **argv, struct load_options *o);
void load_usage(void);

/* Runs the load; *result becomes the report. 0, or -errno and the reason in `e`. */
int load_run(const struct load_options *o, json_t **result, struct error *e);

bool pin_to(unsigned core);
/* Time that a cache line takes from core `a` to core `b`, in ns (median); negative: not measured. */
double probe_cores(unsigned a, unsigned b);
/* Time from a write to an eventfd on core `a` until a thread on core `b` that polls it runs, as above. */
double probe_wake(unsigned a, unsigned b);

#endif
