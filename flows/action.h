/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions and instructions. A flow has one list: the actions to apply, in order, and then at most one each of
 * the instructions. Immediate form of both: a tagged union; nested lists and byte strings are owned by the
 * action.
 *
 * Life cycle: action_list_init -> append ... -> action_list_free. action_list_copy is deep. No thread-safety
 * of its own: a list that was published is read only.
 */
#ifndef FLOWS_ACTION_H
#define FLOWS_ACTION_H

#include "flows/ct.h"
#include "flows/field.h"

struct error;
struct match;

/* Reserved port numbers (OpenFlow 1.3 section 7.2.1), host order. */
enum {
	PORT_MAX = 0xffffff00,
	PORT_UNSET = 0xfffffff7, /* no port: what actset_output is without an output */
	PORT_IN_PORT = 0xfffffff8,
	PORT_TABLE = 0xfffffff9,
	PORT_NORMAL = 0xfffffffa,
	PORT_FLOOD = 0xfffffffb,
	PORT_ALL = 0xfffffffc,
	PORT_CONTROLLER = 0xfffffffd,
	PORT_LOCAL = 0xfffffffe,
	PORT_ANY = 0xffffffff, /* "NONE" in OpenFlow 1.0 */
};

enum action_type {
	ACTION_OUTPUT,       /* output */
	ACTION_OUTPUT_TRUNC, /* output, max_len bytes (NXAST_OUTPUT_TRUNC) */
	ACTION_OUTPUT_REG,   /* output_reg */
	ACTION_CONTROLLER,   /* controller: NXAST_CONTROLLER(2) */
	ACTION_ENQUEUE,      /* enqueue: OpenFlow 1.0; over 1.3: set_queue, output, pop_queue */
	ACTION_SET_QUEUE,    /* number: queue */
	ACTION_POP_QUEUE,
	ACTION_GROUP,     /* number: group id */
	ACTION_SET_FIELD, /* set_field: also load, set_tunnel and mod_xx */
	ACTION_MOVE,      /* move */
	ACTION_PUSH_VLAN, /* ethertype (host order) */
	ACTION_POP_VLAN,
	ACTION_PUSH_MPLS, /* ethertype */
	ACTION_POP_MPLS,  /* ethertype */
	ACTION_PUSH_PBB,  /* ethertype */
	ACTION_POP_PBB,
	ACTION_DEC_TTL, /* dec_ttl: NULL ids mean the default controller 0 */
	ACTION_SET_TTL, /* number: nw_ttl */
	ACTION_DEC_MPLS_TTL,
	ACTION_SET_MPLS_TTL, /* number */
	ACTION_COPY_TTL_IN,
	ACTION_COPY_TTL_OUT,
	ACTION_PUSH, /* subfield */
	ACTION_POP,  /* subfield */
	ACTION_RESUBMIT,
	ACTION_LEARN,
	ACTION_CONJUNCTION,
	ACTION_NOTE, /* bytes */
	ACTION_FIN_TIMEOUT,
	ACTION_MULTIPATH,
	ACTION_BUNDLE,
	ACTION_BUNDLE_LOAD,
	ACTION_CHECK_PKT_LARGER,
	ACTION_CT,
	ACTION_NAT, /* in the list of an ACTION_CT alone */
	ACTION_CT_CLEAR,
	ACTION_EXIT,
	ACTION_CLONE,  /* nested */
	ACTION_ORIGIN, /* origin: what follows is of this flow; in a continuation only */
	/* instructions: METER stands first in a list, then the actions, then the others in this order
	   (section 5.9) */
	ACTION_METER, /* number */
	ACTION_CLEAR_ACTIONS,
	ACTION_WRITE_ACTIONS, /* nested */
	ACTION_WRITE_METADATA,
	ACTION_GOTO_TABLE, /* number */
	ACTION_TYPES,
};

struct action_bytes {
	uint8_t *data;
	uint16_t len;
};

struct action_list {
	struct action *items;
	unsigned n, capacity;
};

enum learn_flags {
	LEARN_SEND_FLOW_REM = 1,
	LEARN_DELETE_LEARNED = 2,
	LEARN_WRITE_RESULT = 4
}; /* NX_LEARN_F_* */

enum learn_kind { LEARN_MATCH, LEARN_LOAD, LEARN_OUTPUT }; /* numbers of the wire */

struct learn_spec {
	enum learn_kind kind;
	bool immediate;           /* source is `value`, else `src` */
	uint16_t bits;            /* width of both sides */
	struct subfield src, dst; /* dst unused for LEARN_OUTPUT */
	struct field_value value; /* right-aligned, `bits` wide */
};

struct action_learn {
	uint16_t idle_timeout, hard_timeout, priority, fin_idle_timeout, fin_hard_timeout;
	uint64_t cookie;
	uint8_t flags, table_id;
	uint32_t limit;         /* 0: none */
	struct subfield result; /* with LEARN_WRITE_RESULT */
	struct learn_spec *specs;
	unsigned n_specs;
};

struct action_controller {
	uint16_t max_len, controller_id;
	uint8_t reason; /* OFPR_* */
	bool pause;
	uint32_t meter_id; /* 0: none */
	struct action_bytes userdata;
};

/* What is hashed; numbers of the wire (NX_HASH_FIELDS_*). The symmetric ones give both directions of a
 * connection the same hash; IP fields count of IPv4 and IPv6 packets only, ports of TCP and SCTP. */
enum hash_fields {
	HASH_ETH_SRC,
	HASH_SYMMETRIC_L4, /* addresses and type of Ethernet, VLAN ids, addresses and protocol of IP, ports */
	HASH_SYMMETRIC_L3L4,     /* the same without Ethernet and VLANs */
	HASH_SYMMETRIC_L3L4_UDP, /* and with UDP's ports */
	HASH_NW_SRC,             /* of IPv4 or IPv6 */
	HASH_NW_DST,
	HASH_SYMMETRIC_L3, /* both addresses of IP */
	HASH_FIELDS
};

enum multipath_algorithm { /* NX_MP_ALG_*; RFC 2992 */
	                   MULTIPATH_MODULO_N,
	                   MULTIPATH_HASH_THRESHOLD,
	                   MULTIPATH_HRW,
	                   MULTIPATH_ITER_HASH,
	                   MULTIPATH_ALGORITHMS
};

/* Chooses a link from 0 to max_link by the hash and writes its number. */
struct action_multipath {
	uint16_t fields;    /* enum hash_fields */
	uint16_t algorithm; /* enum multipath_algorithm */
	uint16_t basis;     /* another basis, another hash */
	uint16_t max_link;
	uint32_t arg; /* MULTIPATH_ITER_HASH: the modulus */
	struct subfield dst;
};

enum bundle_algorithm { BUNDLE_ACTIVE_BACKUP, BUNDLE_HRW, BUNDLE_ALGORITHMS }; /* NX_BD_ALG_* */
enum { BUNDLE_MEMBERS_MAX = 2048 };

/* Chooses one of the members that are live: the first, or one by the hash. bundle sends the packet there,
 * bundle_load writes its number of 16 bits; PORT_ANY when none is live. */
struct action_bundle {
	uint16_t fields;    /* enum hash_fields */
	uint16_t algorithm; /* enum bundle_algorithm */
	uint16_t basis;
	uint16_t n_members;
	uint32_t *members;   /* owned; ports, host order. Reserved ones are live, and so is PORT_ANY */
	struct subfield dst; /* ACTION_BUNDLE_LOAD */
};

/* ct: one copy of the packet meets the connection tracker and goes on in another table. */
struct action_ct {
	uint16_t flags;           /* CT_COMMIT, CT_FORCE */
	uint16_t zone;            /* when zone_src.bits is 0; else 0 */
	struct subfield zone_src; /* 16 bits */
	uint8_t table_id;         /* 0xff: the copy goes nowhere */
	uint16_t alg;             /* enum ct_alg */
	struct action_list exec;  /* owned, as written: at most one ACTION_NAT, and SET_FIELD and MOVE to
	                             ct_mark and ct_label */
};

struct action {
	enum action_type type;
	union {
		struct {
			uint32_t port; /* host order */
			uint32_t max_len;
		} output;
		struct {
			struct subfield src;
			uint16_t max_len;
		} output_reg;
		struct action_controller controller;
		struct {
			uint32_t port, queue;
		} enqueue;
		uint32_t number;
		uint16_t ethertype; /* host order */
		struct {
			enum field_id field;
			bool load;                      /* written as load:, sent as NXAST_REG_LOAD */
			struct field_value value, mask; /* value has no bit outside mask */
		} set_field;
		struct {
			struct subfield src, dst; /* the same width */
		} move;
		struct subfield subfield;
		struct {
			uint16_t *ids;
			unsigned n;
		} dec_ttl;
		struct {
			uint32_t in_port; /* PORT_IN_PORT: unchanged */
			uint8_t table_id; /* 0xff: the current one */
			bool original;    /* by what ct_nw_src to ct_tp_dst say instead of nw_src to tp_dst */
		} resubmit;
		struct action_learn *learn; /* owned */
		struct {
			uint32_t id;
			uint8_t clause, n_clauses; /* clause counts from 0 */
		} conjunction;
		struct action_bytes bytes;
		struct {
			uint16_t idle, hard; /* seconds, 0: unchanged */
		} fin_timeout;
		struct action_multipath multipath;
		struct action_bundle bundle; /* and bundle_load */
		struct {
			uint16_t len;        /* bytes, without the outermost VLAN tag */
			struct subfield dst; /* one bit: is the packet longer? */
		} check_pkt_larger;
		struct action_ct ct;
		struct nat_range nat;
		struct action_list nested; /* owned */
		struct {
			uint64_t cookie;
			uint8_t table_id;
		} origin;
		struct {
			uint64_t value, mask; /* host order */
		} metadata;
	};
};

static inline bool action_is_instruction(enum action_type type)
{
	return type >= ACTION_METER;
}

/* As the text spells it: "output", "goto_table". Static storage. */
const char *action_name(enum action_type type);

void action_list_init(struct action_list *l);
void action_list_free(struct action_list *l); /* leaves an empty list */
/* A zeroed action at the end, to be filled by the caller; valid until the next append. NULL: no memory. */
struct action *action_list_append(struct action_list *l, enum action_type type);
/* `to` is initialised here. 0 or -ENOMEM (then `to` is empty). */
int action_list_copy(struct action_list *to, const struct action_list *from);
bool action_list_equal(const struct action_list *a, const struct action_list *b);
/* Does anything in the list (nested lists too) output to this port / go to this group? For out_port and
 * out_group. */
bool action_list_outputs_to(const struct action_list *l, uint32_t port);
bool action_list_uses_group(const struct action_list *l, uint32_t group_id);

/* What the OpenFlow endpoint and the text parser both ask before they accept a list: fields are writable and
 * their prerequisites are met by the match and by earlier actions, values fit, instructions are in order and
 * not doubled, goto goes forward from table_id (0xff: unknown), nesting and length are bounded. 0, or -EINVAL
 * with the text and, when `code` is not NULL, which rule was broken. */
enum action_fault {
	ACTION_FAULT_NONE,
	ACTION_FAULT_PREREQ,    /* OFPBAC_MATCH_INCONSISTENT */
	ACTION_FAULT_READ_ONLY, /* OFPBAC_BAD_SET_ARGUMENT / BAD_SET_TYPE */
	ACTION_FAULT_VALUE,     /* OFPBAC_BAD_SET_ARGUMENT */
	ACTION_FAULT_ARGUMENT,  /* OFPBAC_BAD_ARGUMENT */
	ACTION_FAULT_PORT,      /* OFPBAC_BAD_OUT_PORT */
	ACTION_FAULT_ORDER,     /* doubled or misplaced instruction: OFPBIC_DUP_INST and the like */
	ACTION_FAULT_GROUP,     /* OFPBAC_BAD_OUT_GROUP */
	ACTION_FAULT_TABLE,     /* OFPBIC_BAD_TABLE_ID */
	ACTION_FAULT_TOO_MANY,  /* OFPBAC_TOO_MANY */
};
enum { ACTION_NESTING_MAX = 8, ACTIONS_MAX = 1024 };
int action_list_check(const struct action_list *l, const struct match *m, uint8_t table_id,
                      enum action_fault *code, struct error *err);

#endif
