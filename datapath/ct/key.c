/* SPDX-License-Identifier: Apache-2.0 */
/* Tuples as keys: which can be tracked, how they are reversed and hashed. Called by all of the tracker. */
#include "datapath/ct/state.h"

enum { /* RFC 792, RFC 4443 */
       ECHO_REPLY = 0,
       ECHO = 8,
       TIMESTAMP = 13,
       TIMESTAMP_REPLY = 14,
       INFORMATION = 15,
       INFORMATION_REPLY = 16,
       ECHO_V6 = 128,
       ECHO_REPLY_V6 = 129,
};

/* The ICMP type that answers, or is answered by, this one; -1: neither. */
static int icmp_counterpart(uint8_t proto, uint8_t type)
{
	if (proto == IP_PROTO_ICMPV6)
		return type == ECHO_V6 ? ECHO_REPLY_V6 : type == ECHO_REPLY_V6 ? ECHO_V6 : -1;
	switch (type) {
	case ECHO:
		return ECHO_REPLY;
	case ECHO_REPLY:
		return ECHO;
	case TIMESTAMP:
		return TIMESTAMP_REPLY;
	case TIMESTAMP_REPLY:
		return TIMESTAMP;
	case INFORMATION:
		return INFORMATION_REPLY;
	case INFORMATION_REPLY:
		return INFORMATION;
	default:
		return -1;
	}
}

bool ct_key_make(struct ct_key *k, const struct ct_tuple *t, uint16_t zone)
{
	uint16_t type_code = be16toh(t->tp_dst);

	*k = (struct ct_key){{{.src = t->src, .dst = t->dst, .zone = zone, .proto = t->proto}}};
	if (ip_is_none(&t->src) && ip_is_none(&t->dst))
		return false;
	if (ct_has_ports(t->proto)) {
		k->tp_src = t->tp_src;
		k->tp_dst = t->tp_dst;
		return t->tp_src && t->tp_dst;
	}
	if (!ct_key_is_icmp(k))
		return true;
	k->tp_src = t->tp_src;
	k->tp_dst = t->tp_dst;
	return (type_code & 0xff) == 0 && icmp_counterpart(t->proto, (uint8_t)(type_code >> 8)) >= 0;
}

struct ct_key ct_key_reversed(const struct ct_key *k)
{
	struct ct_key r = {{{.src = k->dst,
	                     .dst = k->src,
	                     .tp_src = k->tp_dst,
	                     .tp_dst = k->tp_src,
	                     .zone = k->zone,
	                     .proto = k->proto}}};

	if (__builtin_expect(ct_key_is_icmp(k), 0)) {
		uint8_t type = (uint8_t)(be16toh(k->tp_dst) >> 8);

		r.tp_src = k->tp_src;
		r.tp_dst = htobe16((uint16_t)((unsigned)icmp_counterpart(k->proto, type) << 8));
	}
	return r;
}

struct ct_tuple ct_key_tuple(const struct ct_key *k)
{
	return (struct ct_tuple){
	        .src = k->src, .dst = k->dst, .tp_src = k->tp_src, .tp_dst = k->tp_dst, .proto = k->proto};
}

bool ct_talk_may_begin(const struct ct_key *k)
{
	uint8_t type = (uint8_t)(be16toh(k->tp_dst) >> 8);

	if (!ct_key_is_icmp(k))
		return true;
	return k->proto == IP_PROTO_ICMPV6 ? type == ECHO_V6
	                                   : type == ECHO || type == TIMESTAMP || type == INFORMATION;
}

static uint64_t hash_end(uint64_t seed, const uint64_t *addr, be16 port)
{
	return hash_step(hash_step(seed ^ port, addr[0]), addr[1]);
}

uint32_t ct_key_hash(const struct conntrack *ct, const struct ct_key *k)
{
	be16 other = ct_key_is_icmp(k) ? k->tp_src : k->tp_dst;
	uint64_t ends = hash_end(ct->seed, k->w, k->tp_src) + hash_end(ct->seed, k->w + 2, other);

	return (uint32_t)hash_mix(hash_step(ct->seed ^ ends, (uint64_t)k->zone << 8 | k->proto));
}
