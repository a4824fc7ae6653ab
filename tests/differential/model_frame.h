/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame in the eyes of the model: bytes. Every look at it parses it anew, every change recomputes the
 * checksums it touches; nothing here is shared with the datapath.
 */
#ifndef TESTS_DIFFERENTIAL_MODEL_FRAME_H
#define TESTS_DIFFERENTIAL_MODEL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "flows/field.h"

enum { MODEL_FRAME_MAX = 1536 };

struct model_frame {
	uint32_t len;
	uint32_t padding; /* of these, zeros at the end because it lost a tag: they never are a header */
	bool snap_lost;   /* for a label */
	/* The checksum at csum_start + csum_offset is still to be made: it holds the pseudo-header's sum. */
	bool partial;
	uint16_t csum_start, csum_offset;
	/* out of which tunnel it came, into which it is to be put */
	uint64_t tun_id;
	be32 tun_src, tun_dst;
	uint8_t data[MODEL_FRAME_MAX];
};

enum model_l3 { MODEL_L3_NONE, MODEL_L3_IPV4, MODEL_L3_IPV6, MODEL_L3_ARP };

struct model_layout {
	unsigned tags;    /* VLAN tags, at most two are looked at */
	uint32_t l3;      /* behind the EtherType */
	uint16_t type;    /* EtherType */
	enum model_l3 is; /* a whole and valid header at l3 */
	uint32_t l4;      /* of a header that is whole, also in a first fragment; 0: none */
	uint8_t proto;
	uint32_t end; /* of the IP packet */
};

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void put16(uint8_t *at, uint32_t n)
{
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put32(uint8_t *at, uint32_t n)
{
	put16(at, n >> 16);
	put16(at + 2, n);
}

/* Copies what there is. */
void model_frame_copy(struct model_frame *to, const struct model_frame *from);

/* The header fields of `key`; everything in front of eth_dst stays. */
void model_parse(const struct model_frame *f, struct flow_key *key, struct model_layout *at);

/* Replaces the bits of `mask`; checksums that were right are right again, a wrong one stays as wrong. False:
 * the frame has no such header and is not changed. */
bool model_set(struct model_frame *f, enum field_id id, const struct field_value *value,
               const struct field_value *mask);
void model_push_vlan(struct model_frame *f, uint16_t tpid);
void model_pop_vlan(struct model_frame *f);
void model_push_mpls(struct model_frame *f, uint16_t ethertype);
void model_pop_mpls(struct model_frame *f, uint16_t ethertype);
void model_push_pbb(struct model_frame *f, uint16_t ethertype);
void model_pop_pbb(struct model_frame *f);
/* What set_field cannot: the TTL that a label or an IP header behind it has. */
void model_copy_ttl(struct model_frame *f, bool in);

/* The RFC 1071 sum of `n` bytes, folded, not inverted. */
uint32_t model_sum(const uint8_t *bytes, uint32_t n);
/* The pseudo-header's sum of the IP packet that the layout describes. */
uint32_t model_pseudo_sum(const struct model_frame *f, const struct model_layout *at);
/* Where the transport checksum lies; 0: there is none that is 16 bits wide. */
uint32_t model_l4_csum(const struct model_layout *at);
/* Makes a partial checksum whole. */
void model_finish(struct model_frame *f);

#endif
