/* SPDX-License-Identifier: Apache-2.0 */
/* The field table made from fields.def, and reading and writing fields of keys through it. Used by the codec,
 * the text syntax, the tables and tests. */
#include "flows/field.h"

#include <string.h>

#include "flows/ct.h"

#define CLASS_NXM_0 FIELD_NXM_0
#define CLASS_NXM_1 FIELD_NXM_1
#define CLASS_OXM_OF FIELD_OXM_OF
#define CLASS_PKT_REG FIELD_PKT_REG
#define CLASS_ONF FIELD_ONF
#define CLASS_NONE FIELD_CLASS_NONE
#define MEMBER_SIZE(MEMBER) sizeof(((struct flow_key *)0)->MEMBER)
#define MEMBER_IN_HOST_ORDER(MEMBER)                                                                         \
	(offsetof(struct flow_key, MEMBER) >= offsetof(struct flow_key, regs) &&                             \
	 offsetof(struct flow_key, MEMBER) < offsetof(struct flow_key, ct_label))

const struct field fields[FIELD_COUNT] = {
#define FIELD(ID, NAME, ALIAS, BITS, BYTES, MEMBER, SHIFT, MASKABLE, PREREQ, WRITABLE, TEXT, NXM, NXM_NR,    \
              OXM, OXM_NR)                                                                                   \
	[FIELD_##ID] = {.name = NAME,                                                                        \
	                .alias = ALIAS,                                                                      \
	                .bits = BITS,                                                                        \
	                .bytes = BYTES,                                                                      \
	                .size = MEMBER_SIZE(MEMBER) < (BITS + 7) / 8 && MEMBER_IN_HOST_ORDER(MEMBER)         \
	                                ? BYTES                                                              \
	                                : MEMBER_SIZE(MEMBER),                                               \
	                .offset = offsetof(struct flow_key, MEMBER),                                         \
	                .shift = SHIFT,                                                                      \
	                .host_order = MEMBER_IN_HOST_ORDER(MEMBER),                                          \
	                .maskable = MASKABLE,                                                                \
	                .writable = (WRITABLE) == 1,                                                         \
	                .settable = (WRITABLE) == 1 || (WRITABLE) == 2,                                      \
	                .in_ct = (WRITABLE) == 3,                                                            \
	                .prereq = FIELD_NEEDS_##PREREQ,                                                      \
	                .text = FIELD_TEXT_##TEXT,                                                           \
	                .nxm_class = CLASS_##NXM,                                                            \
	                .nxm_number = NXM_NR,                                                                \
	                .oxm_class = CLASS_##OXM,                                                            \
	                .oxm_number = OXM_NR},
#include "flows/fields.def"
#undef FIELD
};

static_assert((unsigned)FIELD_COUNT < (unsigned)FIELD_NONE, "an id fits a byte");

/* ---- the member as a right-aligned number, whatever its order in the key ---- */

static void member_load(const struct flow_key *key, const struct field *f, struct field_value *v)
{
	const uint8_t *from = (const uint8_t *)key + f->offset;

	memset(v, 0, sizeof(*v));
	if (!f->host_order) {
		memcpy(v->b + 16 - f->size, from, f->size);
		return;
	}
	for (unsigned i = 0; i < f->size; i += 4) {
		uint32_t word;

		memcpy(&word, from + i, 4);
		word = htobe32(word);
		memcpy(v->b + 16 - f->size + i, &word, 4);
	}
}

static void member_store(struct flow_key *key, const struct field *f, const struct field_value *v)
{
	uint8_t *to = (uint8_t *)key + f->offset;

	if (!f->host_order) {
		memcpy(to, v->b + 16 - f->size, f->size);
		return;
	}
	for (unsigned i = 0; i < f->size; i += 4) {
		uint32_t word;

		memcpy(&word, v->b + 16 - f->size + i, 4);
		word = be32toh(word);
		memcpy(to + i, &word, 4);
	}
}

/* How many bits of the field the member really holds (arp_op has 16 bits and one byte to live in). */
static unsigned stored_bits(const struct field *f)
{
	unsigned room = f->size * 8u - f->shift;

	return f->bits < room ? f->bits : room;
}

/* Most fields: nothing else lies in the member, which holds all of it. */
static bool fills_member(const struct field *f)
{
	return f->bits == f->size * 8u;
}

void field_get(const struct flow_key *key, enum field_id id, struct field_value *out)
{
	const struct field *f = &fields[id];
	struct field_value member;

	if (fills_member(f)) {
		member_load(key, f, out);
		return;
	}
	member_load(key, f, &member);
	memset(out, 0, sizeof(*out));
	value_copy_bits(out, 0, &member, f->shift, stored_bits(f));
}

void field_set(struct flow_key *key, enum field_id id, const struct field_value *v)
{
	const struct field *f = &fields[id];
	struct field_value member;

	if (id == FIELD_IN_PORT) { /* the reserved ports sit at the top of both ranges */
		uint64_t port = value_to_u64(v) & 0xffff;

		key->in_port = port >= 0xff00 ? (uint32_t)port | 0xffff0000u : (uint32_t)port;
		return;
	}
	if (fills_member(f)) {
		member_store(key, f, v);
		return;
	}
	member_load(key, f, &member);
	value_copy_bits(&member, f->shift, v, 0, stored_bits(f));
	member_store(key, f, &member);
}

void field_set_masked(struct flow_key *key, enum field_id id, const struct field_value *v,
                      const struct field_value *mask)
{
	struct field_value now;

	field_get(key, id, &now);
	for (unsigned i = 0; i < 16; i++)
		now.b[i] = (now.b[i] & ~mask->b[i]) | (v->b[i] & mask->b[i]);
	field_set(key, id, &now);
}

void field_full_mask(enum field_id id, struct field_value *out)
{
	*out = value_ones(0, fields[id].bits);
}

/* ---- prerequisites ---- */

/* Later fragments have no L4 header. */
static bool has_l4(const struct flow_key *key, uint8_t proto)
{
	return flow_key_is_ip(key) && key->nw_proto == proto && !(key->nw_frag & FLOW_FRAG_LATER);
}

static bool is_nd(const struct flow_key *key, unsigned type)
{
	return key->eth_type == htobe16(ETH_TYPE_IPV6) && has_l4(key, IP_PROTO_ICMPV6) && key->tp_dst == 0 &&
	       key->tp_src == htobe16(type);
}

bool field_present(const struct flow_key *key, enum field_id id)
{
	uint16_t type = be16toh(key->eth_type);

	switch (fields[id].prereq) {
	case FIELD_NEEDS_NONE:
		return true;
	case FIELD_NEEDS_IN_PORT:
		return key->in_port != 0;
	case FIELD_NEEDS_CT:
		return key->ct_state & (CT_NEW | CT_EST | CT_RPL);
	case FIELD_NEEDS_VLAN:
		return key->vlan[0].tci & htobe16(0x1000);
	case FIELD_NEEDS_MPLS:
		return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MC;
	case FIELD_NEEDS_PBB:
		return type == ETH_TYPE_PBB;
	case FIELD_NEEDS_IPV4:
		return type == ETH_TYPE_IPV4;
	case FIELD_NEEDS_IPV6:
		return type == ETH_TYPE_IPV6;
	case FIELD_NEEDS_IP:
		return flow_key_is_ip(key);
	case FIELD_NEEDS_ARP:
		return type == ETH_TYPE_ARP || type == ETH_TYPE_RARP;
	case FIELD_NEEDS_TCP:
		return has_l4(key, IP_PROTO_TCP);
	case FIELD_NEEDS_UDP:
		return has_l4(key, IP_PROTO_UDP);
	case FIELD_NEEDS_SCTP:
		return has_l4(key, IP_PROTO_SCTP);
	case FIELD_NEEDS_ICMP:
		return type == ETH_TYPE_IPV4 && has_l4(key, IP_PROTO_ICMP);
	case FIELD_NEEDS_ICMPV6:
		return type == ETH_TYPE_IPV6 && has_l4(key, IP_PROTO_ICMPV6);
	case FIELD_NEEDS_ND:
		return is_nd(key, 135) || is_nd(key, 136);
	case FIELD_NEEDS_ND_SOLICIT:
		return is_nd(key, 135);
	case FIELD_NEEDS_ND_ADVERT:
		return is_nd(key, 136);
	}
	return false;
}

/* ---- names ---- */

/* The spelling of fields inside move, load, learn: class and name differ from the short name for some. */
static const char *const wire_names[FIELD_COUNT] = {
        [FIELD_TUN_ID] = "NXM_NX_TUN_ID",
        [FIELD_TUN_SRC] = "NXM_NX_TUN_IPV4_SRC",
        [FIELD_TUN_DST] = "NXM_NX_TUN_IPV4_DST",
        [FIELD_TUN_IPV6_SRC] = "NXM_NX_TUN_IPV6_SRC",
        [FIELD_TUN_IPV6_DST] = "NXM_NX_TUN_IPV6_DST",
        [FIELD_TUN_FLAGS] = "NXM_NX_TUN_FLAGS",
        [FIELD_METADATA] = "OXM_OF_METADATA",
        [FIELD_IN_PORT] = "NXM_OF_IN_PORT",
        [FIELD_IN_PORT_OXM] = "OXM_OF_IN_PORT",
        [FIELD_IN_PHY_PORT] = "OXM_OF_IN_PHY_PORT",
        [FIELD_ACTSET_OUTPUT] = "ONFOXM_ET_ACTSET_OUTPUT",
        [FIELD_PKT_MARK] = "NXM_NX_PKT_MARK",
        [FIELD_CONJ_ID] = "NXM_NX_CONJ_ID",
        [FIELD_CT_STATE] = "NXM_NX_CT_STATE",
        [FIELD_CT_ZONE] = "NXM_NX_CT_ZONE",
        [FIELD_CT_MARK] = "NXM_NX_CT_MARK",
        [FIELD_CT_LABEL] = "NXM_NX_CT_LABEL",
        [FIELD_CT_NW_PROTO] = "NXM_NX_CT_NW_PROTO",
        [FIELD_CT_NW_SRC] = "NXM_NX_CT_NW_SRC",
        [FIELD_CT_NW_DST] = "NXM_NX_CT_NW_DST",
        [FIELD_CT_IPV6_SRC] = "NXM_NX_CT_IPV6_SRC",
        [FIELD_CT_IPV6_DST] = "NXM_NX_CT_IPV6_DST",
        [FIELD_CT_TP_SRC] = "NXM_NX_CT_TP_SRC",
        [FIELD_CT_TP_DST] = "NXM_NX_CT_TP_DST",
#define REG(N) [FIELD_REG##N] = "NXM_NX_REG" #N
        REG(0),
        REG(1),
        REG(2),
        REG(3),
        REG(4),
        REG(5),
        REG(6),
        REG(7),
        REG(8),
        REG(9),
        REG(10),
        REG(11),
        REG(12),
        REG(13),
        REG(14),
        REG(15),
#undef REG
#define XREG(N) [FIELD_XREG##N] = "OXM_OF_PKT_REG" #N
        XREG(0),
        XREG(1),
        XREG(2),
        XREG(3),
        XREG(4),
        XREG(5),
        XREG(6),
        XREG(7),
#undef XREG
        [FIELD_XXREG0] = "NXM_NX_XXREG0",
        [FIELD_XXREG1] = "NXM_NX_XXREG1",
        [FIELD_XXREG2] = "NXM_NX_XXREG2",
        [FIELD_XXREG3] = "NXM_NX_XXREG3",
        [FIELD_ETH_SRC] = "NXM_OF_ETH_SRC",
        [FIELD_ETH_DST] = "NXM_OF_ETH_DST",
        [FIELD_ETH_TYPE] = "NXM_OF_ETH_TYPE",
        [FIELD_VLAN_TCI] = "NXM_OF_VLAN_TCI",
        [FIELD_VLAN_VID] = "OXM_OF_VLAN_VID",
        [FIELD_VLAN_PCP] = "OXM_OF_VLAN_PCP",
        [FIELD_MPLS_LABEL] = "OXM_OF_MPLS_LABEL",
        [FIELD_MPLS_TC] = "OXM_OF_MPLS_TC",
        [FIELD_MPLS_BOS] = "OXM_OF_MPLS_BOS",
        [FIELD_MPLS_TTL] = "NXM_NX_MPLS_TTL",
        [FIELD_PBB_ISID] = "OXM_OF_PBB_ISID",
        [FIELD_IPV4_SRC] = "NXM_OF_IP_SRC",
        [FIELD_IPV4_DST] = "NXM_OF_IP_DST",
        [FIELD_IPV6_SRC] = "NXM_NX_IPV6_SRC",
        [FIELD_IPV6_DST] = "NXM_NX_IPV6_DST",
        [FIELD_IPV6_LABEL] = "NXM_NX_IPV6_LABEL",
        [FIELD_IPV6_EXTHDR] = "OXM_OF_IPV6_EXTHDR",
        [FIELD_NW_PROTO] = "NXM_OF_IP_PROTO",
        [FIELD_NW_TOS] = "NXM_OF_IP_TOS",
        [FIELD_IP_DSCP] = "OXM_OF_IP_DSCP",
        [FIELD_NW_ECN] = "NXM_NX_IP_ECN",
        [FIELD_NW_TTL] = "NXM_NX_IP_TTL",
        [FIELD_IP_FRAG] = "NXM_NX_IP_FRAG",
        [FIELD_ARP_OP] = "NXM_OF_ARP_OP",
        [FIELD_ARP_SPA] = "NXM_OF_ARP_SPA",
        [FIELD_ARP_TPA] = "NXM_OF_ARP_TPA",
        [FIELD_ARP_SHA] = "NXM_NX_ARP_SHA",
        [FIELD_ARP_THA] = "NXM_NX_ARP_THA",
        [FIELD_TCP_SRC] = "NXM_OF_TCP_SRC",
        [FIELD_TCP_DST] = "NXM_OF_TCP_DST",
        [FIELD_TCP_FLAGS] = "NXM_NX_TCP_FLAGS",
        [FIELD_UDP_SRC] = "NXM_OF_UDP_SRC",
        [FIELD_UDP_DST] = "NXM_OF_UDP_DST",
        [FIELD_SCTP_SRC] = "OXM_OF_SCTP_SRC",
        [FIELD_SCTP_DST] = "OXM_OF_SCTP_DST",
        [FIELD_ICMP_TYPE] = "NXM_OF_ICMP_TYPE",
        [FIELD_ICMP_CODE] = "NXM_OF_ICMP_CODE",
        [FIELD_ICMPV6_TYPE] = "NXM_NX_ICMPV6_TYPE",
        [FIELD_ICMPV6_CODE] = "NXM_NX_ICMPV6_CODE",
        [FIELD_ND_TARGET] = "NXM_NX_ND_TARGET",
        [FIELD_ND_SLL] = "NXM_NX_ND_SLL",
        [FIELD_ND_TLL] = "NXM_NX_ND_TLL",
};

/* OXM spellings of fields whose wire name is the NXM one. */
static const struct {
	const char *name;
	enum field_id id;
} oxm_names[] = {
        {"OXM_OF_TUNNEL_ID", FIELD_TUN_ID},
        {"OXM_OF_ETH_SRC", FIELD_ETH_SRC},
        {"OXM_OF_ETH_DST", FIELD_ETH_DST},
        {"OXM_OF_ETH_TYPE", FIELD_ETH_TYPE},
        {"OXM_OF_IPV4_SRC", FIELD_IPV4_SRC},
        {"OXM_OF_IPV4_DST", FIELD_IPV4_DST},
        {"OXM_OF_IPV6_SRC", FIELD_IPV6_SRC},
        {"OXM_OF_IPV6_DST", FIELD_IPV6_DST},
        {"OXM_OF_IPV6_FLABEL", FIELD_IPV6_LABEL},
        {"OXM_OF_IP_PROTO", FIELD_NW_PROTO},
        {"OXM_OF_IP_ECN", FIELD_NW_ECN},
        {"OXM_OF_ARP_OP", FIELD_ARP_OP},
        {"OXM_OF_ARP_SPA", FIELD_ARP_SPA},
        {"OXM_OF_ARP_TPA", FIELD_ARP_TPA},
        {"OXM_OF_ARP_SHA", FIELD_ARP_SHA},
        {"OXM_OF_ARP_THA", FIELD_ARP_THA},
        {"OXM_OF_TCP_SRC", FIELD_TCP_SRC},
        {"OXM_OF_TCP_DST", FIELD_TCP_DST},
        {"OXM_OF_UDP_SRC", FIELD_UDP_SRC},
        {"OXM_OF_UDP_DST", FIELD_UDP_DST},
        {"OXM_OF_ICMPV4_TYPE", FIELD_ICMP_TYPE},
        {"OXM_OF_ICMPV4_CODE", FIELD_ICMP_CODE},
        {"OXM_OF_ICMPV6_TYPE", FIELD_ICMPV6_TYPE},
        {"OXM_OF_ICMPV6_CODE", FIELD_ICMPV6_CODE},
        {"OXM_OF_IPV6_ND_TARGET", FIELD_ND_TARGET},
        {"OXM_OF_IPV6_ND_SLL", FIELD_ND_SLL},
        {"OXM_OF_IPV6_ND_TLL", FIELD_ND_TLL},
        {"ONFOXM_ET_TCP_FLAGS", FIELD_TCP_FLAGS},
        {"OXM_OF_TCP_FLAGS", FIELD_TCP_FLAGS},
        {"OXM_OF_ACTSET_OUTPUT", FIELD_ACTSET_OUTPUT},
};

/* Every name in an open hash table, filled before main(): a flow's text has a dozen. */
enum { NAME_SLOTS = 1024 }; /* most stay free */

static struct {
	const char *name; /* NULL: free */
	enum field_id id;
} names[NAME_SLOTS];

/* Where the name is, or would go. */
static unsigned name_slot(const char *name, size_t len)
{
	uint32_t at = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		at = (at ^ (uint8_t)name[i]) * 16777619u;
	at ^= at >> 16;
	while (names[at % NAME_SLOTS].name &&
	       (strncmp(names[at % NAME_SLOTS].name, name, len) || names[at % NAME_SLOTS].name[len]))
		at++;
	return at % NAME_SLOTS;
}

static void add_name(const char *name, enum field_id id)
{
	unsigned slot = name ? name_slot(name, strlen(name)) : 0;

	if (name && *name && !names[slot].name) { /* of two fields the first one has it */
		names[slot].name = name;
		names[slot].id = id;
	}
}

__attribute__((constructor)) static void add_names(void)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		add_name(fields[i].name, (enum field_id)i);
		add_name(fields[i].alias, (enum field_id)i);
	}
	for (unsigned i = 0; i < FIELD_COUNT; i++)
		add_name(wire_names[i], (enum field_id)i);
	for (unsigned i = 0; i < sizeof(oxm_names) / sizeof(oxm_names[0]); i++)
		add_name(oxm_names[i].name, oxm_names[i].id);
}

enum field_id field_by_name(const char *name, size_t len)
{
	unsigned slot = name_slot(name, len);

	return names[slot].name ? names[slot].id : FIELD_NONE;
}

/* By class and number, filled before main() as well. */
enum { WIRE_CLASSES = 5, WIRE_NUMBERS = 128 };

static uint8_t wire_ids[WIRE_CLASSES][WIRE_NUMBERS]; /* the id and 1; 0: none */

/* WIRE_CLASSES: unknown. */
static unsigned wire_row(uint32_t field_class)
{
	static const uint32_t classes[WIRE_CLASSES] = {FIELD_NXM_0, FIELD_NXM_1, FIELD_OXM_OF, FIELD_PKT_REG,
	                                               FIELD_ONF};
	unsigned row = 0;

	while (row < WIRE_CLASSES && classes[row] != field_class)
		row++;
	return row;
}

static void add_number(uint32_t field_class, uint8_t number, enum field_id id)
{
	unsigned row = wire_row(field_class);

	if (row < WIRE_CLASSES && !wire_ids[row][number])
		wire_ids[row][number] = (uint8_t)(id + 1);
}

__attribute__((constructor)) static void add_numbers(void)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		add_number(fields[i].nxm_class, fields[i].nxm_number, (enum field_id)i);
		add_number(fields[i].oxm_class, fields[i].oxm_number, (enum field_id)i);
	}
}

enum field_id field_by_wire(uint32_t field_class, uint8_t number)
{
	unsigned row = wire_row(field_class), id = 0;

	if (row < WIRE_CLASSES && number < WIRE_NUMBERS)
		id = wire_ids[row][number];
	return id ? (enum field_id)(id - 1) : FIELD_NONE;
}

const char *field_wire_name(enum field_id id)
{
	return wire_names[id] ? wire_names[id] : fields[id].name;
}
