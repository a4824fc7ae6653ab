/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field table: what each match field is called, how wide it is, where it lies in struct flow_key, what it
 * needs to be meaningful, how it is written as text and on the wire. Made from fields.def; the OpenFlow
 * codec, the text syntax, the tables and TABLE_FEATURES all go by it. Immutable, so any thread may use it.
 */
#ifndef FLOWS_FIELD_H
#define FLOWS_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "flows/key.h"

enum field_id {
#define FIELD(ID, ...) FIELD_##ID,
#include "flows/fields.def"
#undef FIELD
	FIELD_COUNT,
	FIELD_NONE = 0xff, /* fits the byte that action programs store */
};

/* OXM/NXM class numbers (OpenFlow 1.3 section 7.2.3.2). FIELD_ONF is the experimenter class 0xffff with the
 * experimenter id ONF_EXPERIMENTER in front of the value. */
enum field_class {
	FIELD_NXM_0 = 0x0000,
	FIELD_NXM_1 = 0x0001,
	FIELD_OXM_OF = 0x8000,
	FIELD_PKT_REG = 0x8001,
	FIELD_ONF = 0xffff,
	FIELD_CLASS_NONE = 0x10000,
};
#define ONF_EXPERIMENTER 0x4f4e4600u
#define NX_EXPERIMENTER 0x00002320u

enum field_prereq {
	FIELD_NEEDS_NONE,
	FIELD_NEEDS_IN_PORT,
	FIELD_NEEDS_CT,   /* of a connection, even if it is a new one */
	FIELD_NEEDS_VLAN, /* a tag is present */
	FIELD_NEEDS_MPLS,
	FIELD_NEEDS_PBB,
	FIELD_NEEDS_IPV4,
	FIELD_NEEDS_IPV6,
	FIELD_NEEDS_IP,  /* either */
	FIELD_NEEDS_ARP, /* or RARP */
	FIELD_NEEDS_TCP,
	FIELD_NEEDS_UDP,
	FIELD_NEEDS_SCTP,
	FIELD_NEEDS_ICMP,
	FIELD_NEEDS_ICMPV6,
	FIELD_NEEDS_ND,         /* ICMPv6 type 135 or 136, code 0 */
	FIELD_NEEDS_ND_SOLICIT, /* 135 */
	FIELD_NEEDS_ND_ADVERT,  /* 136 */
};

enum field_text {
	FIELD_TEXT_DECIMAL,
	FIELD_TEXT_HEX,
	FIELD_TEXT_MAC,
	FIELD_TEXT_IPV4,
	FIELD_TEXT_IPV6,
	FIELD_TEXT_PORT,
	FIELD_TEXT_FRAG,
	FIELD_TEXT_TCP_FLAGS,
	FIELD_TEXT_TUN_FLAGS,
	FIELD_TEXT_CT_STATE,
};

/* A value or a mask: right-aligned, big-endian, the bytes in front are zero. An 8-bit field is b[15]. */
struct field_value {
	uint8_t b[16];
};

struct field {
	const char *name;  /* as `ovs-ofctl` knows it */
	const char *alias; /* "" if there is none */
	uint16_t bits;     /* significant bits */
	uint8_t bytes;     /* length of the value in NXM/OXM */
	uint8_t size;    /* bytes of the member of struct flow_key; the wide registers span several members */
	uint16_t offset; /* of that member */
	uint8_t shift;   /* of bit 0 of the field inside the member, read as a big number */
	bool host_order; /* the key holds it as (a row of) host-order 32-bit words */
	bool maskable;
	bool writable; /* by every action that writes fields */
	bool settable; /* by set_field of OpenFlow: what is writable, and some that Open vSwitch leaves
	                  read-only */
	bool in_ct;    /* written inside of a ct action alone, to the connection */
	enum field_prereq prereq;
	enum field_text text;
	uint32_t nxm_class, oxm_class; /* enum field_class */
	uint8_t nxm_number, oxm_number;
};

extern const struct field fields[FIELD_COUNT];

static inline const struct field *field_of(enum field_id id)
{
	return &fields[id];
}

/* By name or second name; also "NXM_NX_REG0" / "OXM_OF_ETH_DST" style. FIELD_NONE when unknown. */
enum field_id field_by_name(const char *name, size_t len);
/* By class and number of the wire; `field_class` FIELD_ONF is for ONF's experimenter fields. FIELD_NONE if
 * unknown. */
enum field_id field_by_wire(uint32_t field_class, uint8_t number);
/* "NXM_NX_REG0": how actions such as move and load spell the field. Static storage. */
const char *field_wire_name(enum field_id id);

/* The field out of a key (or out of a mask, which has the same shape). Bits outside the field are zero in
 * *out. IN_PORT (16 bits) converts the reserved ports to OpenFlow 1.0 numbers. */
void field_get(const struct flow_key *key, enum field_id id, struct field_value *out);
/* Stores exactly the bits of the field: what else lies in the same member stays. Bits of `v` outside the
 * field are ignored. VLAN_VID and the like do not touch VLAN_CFI (see match_set for matches). */
void field_set(struct flow_key *key, enum field_id id, const struct field_value *v);
/* Replaces only the bits set in `mask`. */
void field_set_masked(struct flow_key *key, enum field_id id, const struct field_value *v,
                      const struct field_value *mask);

/* Has the field a number of its own in messages? */
static inline bool field_is_sent(enum field_id id)
{
	return fields[id].nxm_class != FIELD_CLASS_NONE || fields[id].oxm_class != FIELD_CLASS_NONE;
}

/* Ones on every significant bit. */
void field_full_mask(enum field_id id, struct field_value *out);

/* Is a packet (all of `key` known) one that has this field? */
bool field_present(const struct flow_key *key, enum field_id id);

/* ---- numbers and bit ranges in field_value ---- */

static inline struct field_value value_from_u64(uint64_t n)
{
	struct field_value v = {{0}};

	n = htobe64(n);
	memcpy(v.b + 8, &n, 8);
	return v;
}

/* The low 64 bits. */
static inline uint64_t value_to_u64(const struct field_value *v)
{
	uint64_t n;

	memcpy(&n, v->b + 8, 8);
	return be64toh(n);
}

/* `n` bytes in network order, n <= 16, become the value. */
static inline struct field_value value_from_bytes(const void *bytes, size_t n)
{
	struct field_value v = {{0}};

	memcpy(v.b + 16 - n, bytes, n);
	return v;
}

bool value_is_zero(const struct field_value *v);
/* Is any bit of `v` outside the `bits` lowest? */
bool value_fits(const struct field_value *v, unsigned bits);
/* `n` ones starting at bit `offset` (bit 0 is the lowest). */
struct field_value value_ones(unsigned offset, unsigned n);
/* Copies `n` bits from bit `src_offset` of `src` to bit `dst_offset` of `dst`; the other bits of `dst` stay.
 */
void value_copy_bits(struct field_value *dst, unsigned dst_offset, const struct field_value *src,
                     unsigned src_offset, unsigned n);

/* A run of bits of a field: "NXM_NX_REG0[0..15]". */
struct subfield {
	enum field_id field;
	uint16_t offset, bits;
};

#endif
