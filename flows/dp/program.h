/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action program of a packet: what flows/dp/translate makes of a walk through the tables, and what
 * datapath/actions.c executes. Bounded, position-independent, no pointers to rules or ports, compact. Cached
 * flows share those that are the same (programs.h).
 *
 * A program is executed from op 0 to op nops - 1. OP_SAVE puts the packet's state (head, lengths, tunnel,
 * offload) on a stack of at most PROGRAM_SAVE_MAX snapshots, OP_RESTORE takes the top back: branches of
 * groups and clone. A drop on the way (TTL, push without room) ends the branch: execution goes on at the
 * OP_RESTORE that matches the innermost open OP_SAVE, or ends. A program without an op is a drop, and
 * drop_reason says why.
 */
#ifndef FLOWS_DP_PROGRAM_H
#define FLOWS_DP_PROGRAM_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"
#include "base/dp/drops.h"
#include "flows/ct.h"
#include "flows/field.h"

enum {
	PROGRAM_OPS_MAX = 256,
	PROGRAM_DATA_MAX = 128, /* 16-byte units */
	PROGRAM_SAVE_MAX = 8,
	PROGRAM_REFS_MAX = 320, /* rules, groups and buckets that count one packet */
};

enum op_type {
	OP_OUTPUT, /* arg32: a real port number, PORT_LOCAL included (the ingress too); arg16: max bytes, 0 =
	              all */
	OP_FLOOD,  /* all but port arg32 (mostly the ingress) and NO_FLOOD ports */
	OP_ALL,    /* all but port arg32 */
	OP_NORMAL, /* L2 learning switch: fdb lookup at run time; learns and never goes to port arg32 */
	OP_CONTROLLER, /* arg16: index of a struct program_controller in data */
	OP_SET_FIELD,  /* field, arg16: index in data of value and (next unit) mask: header rewrite or tunnel
	                  metadata */
	OP_PUSH_VLAN,  /* arg16: TPID. The tag's TCI is 0 or that of the tag that was outermost */
	OP_POP_VLAN,   /* nothing happens when there is no tag */
	OP_PUSH_MPLS,  /* arg16: EtherType */
	OP_POP_MPLS,   /* arg16: EtherType */
	OP_PUSH_PBB,   /* arg16: EtherType */
	OP_POP_PBB,
	OP_DEC_TTL, /* the TTL is known to be above 1 when the program was made for it; else ends the branch
	             */
	OP_DEC_MPLS_TTL,
	OP_COPY_TTL_IN,
	OP_COPY_TTL_OUT,
	OP_CT,    /* arg16: index in data of a struct ct_order, arg32: its flags. With CT_NEXT a struct
	             program_next follows    it, and the packet, or a copy when more ops come, goes on there */
	OP_METER, /* arg32: meter slot, for meter_run() of flows/dp/meter.h */
	OP_SAVE,
	OP_RESTORE,
	OP_LEARN, /* arg16: index of a struct program_report in data: for the control thread, when it is due
	           */
	OP_DROP,  /* arg16: enum drop_reason; counts and ends the branch */
	OP_FIN_TIMEOUT, /* as OP_LEARN */
};

struct op {
	uint8_t type;  /* enum op_type */
	uint8_t field; /* enum field_id */
	uint16_t arg16;
	uint32_t arg32;
};
static_assert(sizeof(struct op) == 8, "eight to a cache line");

/* What a packet-in tells about the place it was sent from. Three data units; those after it hold the
 * registers, when not all are zero, then a struct program_resume, when the packet is paused, and then the
 * user's data of controller(userdata=...). */
struct program_controller {
	uint64_t cookie;
	uint64_t metadata; /* host order */
	be64 tun_id;
	uint32_t pkt_mark;
	uint32_t in_port; /* with in_port_set */
	uint16_t max_len;
	uint16_t controller_id;
	uint16_t resume_len; /* bytes */
	uint8_t table_id;
	uint8_t reason; /* OFPR_* */
	uint8_t userdata_len;
	uint8_t regs_len;    /* bytes of registers: all of them or 0 */
	uint8_t in_port_set; /* an action has changed it */
	uint8_t tracked;     /* what the packet's key tells of its connection still holds */
	uint8_t pad[4];
};
enum { PROGRAM_USERDATA_MAX = 255 };
static_assert(sizeof(struct program_controller) == 48, "three units of 16 bytes");

/* How a paused packet goes on: `nstack` values of 16 bytes follow, then actions of `actions_len` bytes and an
 * action set of `set_len`, both by action_pack(). For program_resume_read(). */
struct program_resume {
	uint16_t actions_len, set_len;
	uint8_t nstack;
	uint8_t pad[11];
};
static_assert(sizeof(struct program_resume) == 16, "one unit");

/* Where a packet goes on behind the connection tracker, with all that the walk knew: what a key of a resumed
 * packet (mkey.h) is made of. When `more` is not 0, as many bytes follow: a struct program_resume without
 * actions. */
struct program_next {
	be64 metadata, tun_id;
	uint32_t regs[FLOW_REGS];
	uint32_t in_port, pkt_mark;
	uint8_t table_id;
	uint8_t tunnel_set; /* enum next_tunnel: what actions have set */
	uint16_t more;
	be32 tun_src, tun_dst;
	be16 tun_flags;
	uint8_t pad[10];
	uint8_t tun_ipv6_src[16], tun_ipv6_dst[16];
};
static_assert(sizeof(struct program_next) % 16 == 0, "whole units");

enum next_tunnel {
	NEXT_TUN_SRC = 1 << 0,
	NEXT_TUN_DST = 1 << 1,
	NEXT_TUN_IPV6_SRC = 1 << 2,
	NEXT_TUN_IPV6_DST = 1 << 3,
	NEXT_TUN_FLAGS = 1 << 4,
};

/* What the control thread is to do to the tables because of a packet, for tables_report(); `units` data
 * units, this included. Whoever executes the program tells it when program_report_due() says so. */
struct program_report {
	uint64_t told; /* executor: rw: when it was told last, ns; 0: not yet */
	uint16_t units;
	uint16_t every_ms; /* to be told again after this time; 0: once is enough */
	uint8_t op;        /* enum op_type */
	uint8_t pad[3];
};
static_assert(sizeof(struct program_report) == 16, "one unit");

static inline bool program_report_due(const struct program_report *r, uint64_t now)
{
	return !r->told || (r->every_ms && now - r->told >= r->every_ms * 1000000ull);
}

/* Something that counts packets (rule, group, bucket, table miss): slot of flows/dp/slots.h. */
struct slot_ref {
	uint32_t slot;
	uint32_t generation;
};

/* Header, then: data (16-byte units), refs, ops. */
struct program {
	uint16_t nops;
	uint16_t ndata;
	uint16_t nrefs;
	uint16_t bytes; /* of all of it */
	uint8_t drop_reason;
	uint8_t flags; /* enum program_flag */
	uint16_t pad[3];
	uint8_t body[];
} __attribute__((aligned(16)));
static_assert(sizeof(struct program) == 16, "data units stay aligned");

enum program_flag { PROGRAM_OWN = 1 << 0 }; /* has state (struct program_report) and belongs to one flow */

enum { PROGRAM_BYTES_MAX = 16 + PROGRAM_DATA_MAX * 16 + PROGRAM_REFS_MAX * 8 + PROGRAM_OPS_MAX * 8 };

static inline const uint8_t *program_data(const struct program *p, unsigned unit)
{
	return p->body + unit * 16;
}

static inline const struct slot_ref *program_refs(const struct program *p)
{
	return (const struct slot_ref *)(p->body + p->ndata * 16);
}

static inline const struct op *program_ops(const struct program *p)
{
	return (const struct op *)(p->body + p->ndata * 16 + p->nrefs * 8);
}

#endif
