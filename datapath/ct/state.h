/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides of the connection tracker.
 *
 * Order of locks: a zone's commit lock, one connection, expectations, one bucket (while splitting: after the
 * grow lock), a free list. Who has locked a connection never locks a second one. A bucket of
 * fragments is locked alone.
 */
#ifndef DATAPATH_CT_STATE_H
#define DATAPATH_CT_STATE_H

#include <rte_spinlock.h>

#include "base/hash.h"
#include "datapath/ct/conntrack.h"

enum {
	CT_WAYS = 7, /* entries of a bucket */
	CT_LOAD = 3, /* entries per bucket, from which on there are more buckets */
	CT_FIRST_BUCKETS = 16,
	CT_COMMIT_LOCKS = 64, /* zones share them */
	CT_FRAGMENT_BUCKETS = 1024,
	CT_FRAGMENT_WAYS = 4, /* first fragments in a bucket */
	CT_EXPECT_MAX = 4096, /* connections that are expected */
	CT_EXPECT_EACH = 8,   /* of one control connection */
};

/* One direction, compared and hashed as words. */
struct ct_key {
	union {
		struct {
			struct ip_addr src, dst;
			be16 tp_src, tp_dst; /* as in struct ct_packet */
			uint16_t zone;
			uint8_t proto;
			uint8_t pad; /* zero */
		};
		uint64_t w[5];
	};
};
static_assert(sizeof(struct ct_key) == 40, "no padding");

/* TCP, what one side has sent and may send; see tcp.c. */
struct ct_peer {
	uint32_t lo;     /* behind the last byte that it sent */
	uint32_t hi;     /* behind the last one that the other side takes */
	uint16_t window; /* largest one it has offered, not scaled */
	uint8_t scale;   /* shift count, CT_SCALE_* */
	uint8_t state;   /* enum ct_tcp_state */
};

enum ct_tcp_state { /* numbers in order of life */
	            CT_TCP_CLOSED,
	            CT_TCP_SYN_SENT,
	            CT_TCP_ESTABLISHED,
	            CT_TCP_CLOSING,
	            CT_TCP_FIN_WAIT_2,
	            CT_TCP_TIME_WAIT,
};

/* Of connections that are not TCP. */
enum ct_talk { CT_TALK_FIRST, CT_TALK_SINGLE, CT_TALK_BOTH };

/* What few connections have. */
enum ct_rare {
	CT_LABELLED = 1 << 0, /* the label is not zero */
	CT_HELPED = 1 << 1,   /* committed with `alg`: `helper` is valid */
	CT_RELATED = 1 << 2,  /* was expected: `master` is valid */
};

/* How much longer what one side of a TCP connection has sent has become, up to the packet that begins at
 * number `at` and after that one; modulo 2^32. */
struct ct_shift {
	uint32_t at;
	uint32_t before, after;
};

/* A control connection's. */
struct ct_helper {
	/* the lock of the expectations */
	uint32_t newest; /* its expectations: index + 1 */
	uint32_t count;  /* at most CT_EXPECT_EACH */
	/* that of the connection */
	struct ct_shift shift[2]; /* 0: of the one who began */
};

struct ct_conn {
	/* line 0: enough for UDP and ICMP without translation */
	struct ct_key orig;
	rte_spinlock_t lock; /* of all below and whether it is this connection at all */
	uint32_t mark;
	uint64_t expires; /* ns; read without the lock by the sweep */
	uint8_t alive;    /* in the table, and not on its way out */
	uint8_t nat;      /* CT_SNAT, CT_DNAT, or none */
	uint8_t talk;     /* enum ct_talk */
	uint8_t rare;     /* enum ct_rare */
	uint32_t next_free;
	/* line 1 */
	struct ct_peer peer[2]; /* 0: of the one who began */
	uint8_t label[16];
	uint32_t hash, reply_hash; /* the table's entries; equal: one entry */
	/* lines 1 and 2: one of them at most */
	union {
		struct ct_helper helper;
		struct ct_tuple master; /* the first direction of the connection that this one belongs to */
	};
	/* line 2: when translated */
	struct ct_key reply;
} __attribute__((aligned(64)));
static_assert(sizeof(struct ct_conn) == 192 && offsetof(struct ct_conn, reply) >= 128, "three lines");

/* A connection that a control connection has announced. */
struct ct_expect {
	struct ct_key key;      /* of its first packet; tp_src is 0: any */
	struct nat_range nat;   /* how it is translated if it is committed with CT_NAT */
	struct ct_tuple master; /* the first direction of the control connection */
	uint8_t label[16];      /* of that, when this was announced */
	uint32_t mark;
	uint32_t conn;  /* that connection: slot + 1; 0: this place is free */
	uint32_t older; /* of the same connection: index + 1 */
	uint32_t next;  /* in the same chain: index + 1 */
};

struct ct_expects {
	rte_spinlock_t lock;
	uint32_t hand;                 /* the place that the next one takes */
	uint32_t chain[CT_EXPECT_MAX]; /* by hash: index + 1; read without the lock as well */
	struct ct_expect at[CT_EXPECT_MAX];
};

/* A bucket of the table, or one that a full bucket goes on in. */
struct ct_bucket {
	uint32_t version;        /* odd: somebody changes it or those behind it */
	uint32_t more;           /* index of the next one, 0: none */
	uint64_t entry[CT_WAYS]; /* hash << 32 | slot + 1; 0: free, then so are the following ones */
} __attribute__((aligned(64)));
static_assert(sizeof(struct ct_bucket) == 64, "one line");

/* What all fragments of a packet have in common. */
struct ct_fragment_key {
	union {
		struct {
			struct ip_addr src, dst;
			uint32_t id;
			uint16_t zone;
			uint8_t proto; /* IPv6: 0, it may differ (RFC 8200 section 4.5) */
			uint8_t pad;   /* zero */
		};
		uint64_t w[5];
	};
};
static_assert(sizeof(struct ct_fragment_key) == 40, "no padding");

/* A first fragment. */
struct ct_first {
	struct ct_fragment_key key;
	uint64_t expires; /* ns; 0: there is none */
	be16 tp_src, tp_dst;
	uint16_t to; /* behind its last byte */
	uint8_t proto;
	uint8_t state; /* told of it, without translation */
};

/* The most recent one comes first. */
struct ct_fragment_bucket {
	rte_spinlock_t lock;
	struct ct_first first[CT_FRAGMENT_WAYS];
} __attribute__((aligned(64)));
static_assert(sizeof(struct ct_fragment_bucket) == 256, "four lines");

enum ct_counter {
	CT_COMMITS,
	CT_EXPIRED,
	CT_REPLACED,
	CT_FLUSHED,
	CT_EVICTED,
	CT_FULL,
	CT_ZONE_FULL,
	CT_NAT_EXHAUSTED,
	CT_INVALID,
	CT_LOST,
	CT_ANNOUNCED,
	CT_DISPLACED,
	CT_UNREAD,
	CT_COUNTERS
};

struct conntrack {
	/* read only */
	struct ct_bucket *buckets; /* buckets_max, then extra_max that full ones go on in */
	struct ct_conn *conns;     /* slots */
	struct ct_expects *expects;
	uint64_t seed;
	uint32_t *zone_count; /* by zone, atomic: connections in it */
	struct ct_fragment_bucket *fragments;
	uint32_t max, zone_max, buckets_max, extra_max;
	uint64_t timeout[CT_TIMEOUTS]; /* ns */
	/* changes with every eighth commit or so */
	uint32_t nbuckets __attribute__((aligned(64)));
	uint32_t nexpects; /* atomic */
	/* slots */
	rte_spinlock_t slot_lock __attribute__((aligned(64)));
	uint32_t count, used, free_slot; /* used: slots that were ever taken; free_slot: index + 1 */
	uint32_t hand;                   /* where eviction looks next */
	/* table */
	rte_spinlock_t extra_lock __attribute__((aligned(64)));
	uint32_t extra_used, free_extra; /* free_extra: index, 0: none */
	rte_spinlock_t grow_lock;
	uint32_t entries;                                            /* atomic */
	uint64_t dice;                                               /* atomic */
	uint32_t sweep_at;                                           /* control */
	uint64_t counters[CT_COUNTERS] __attribute__((aligned(64))); /* atomic */
	struct {
		rte_spinlock_t lock;
	} commit[CT_COMMIT_LOCKS];
};

static inline void ct_count(struct conntrack *ct, enum ct_counter what)
{
	__atomic_add_fetch(&ct->counters[what], 1, __ATOMIC_RELAXED);
}

/* A number that nobody can foresee. */
static inline uint64_t ct_dice(struct conntrack *ct)
{
	return hash_mix(ct->seed ^ hash_mix(__atomic_add_fetch(&ct->dice, 1, __ATOMIC_RELAXED)));
}

static inline void ct_expire_at(struct ct_conn *c, uint64_t when)
{
	__atomic_store_n(&c->expires, when, __ATOMIC_RELAXED);
}

static inline bool ct_is_expired(const struct ct_conn *c, uint64_t now)
{
	return now >= __atomic_load_n(&c->expires, __ATOMIC_RELAXED);
}

/* key.c */

/* ICMP of the address's own family: connections are told apart by the id. */
static inline bool ct_key_is_icmp(const struct ct_key *k)
{
	return (k->proto == IP_PROTO_ICMP || k->proto == IP_PROTO_ICMPV6) &&
	       (k->proto == IP_PROTO_ICMP) == ip_is_v4(&k->src);
}

/* Protocols with ports at the start of their header. */
static inline bool ct_has_ports(uint8_t proto)
{
	return proto == IP_PROTO_TCP || proto == IP_PROTO_UDP || proto == IP_PROTO_SCTP;
}

static inline bool ct_key_equal(const struct ct_key *a, const struct ct_key *b)
{
	return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3]) |
	         (a->w[4] ^ b->w[4]));
}

/* False: no packet that can be tracked has such a tuple. */
bool ct_key_make(struct ct_key *k, const struct ct_tuple *t, uint16_t zone);
struct ct_key ct_key_reversed(const struct ct_key *k);
struct ct_tuple ct_key_tuple(const struct ct_key *k);
/* The same for both directions. */
uint32_t ct_key_hash(const struct conntrack *ct, const struct ct_key *k);

/* table.c, slots.c */

int ct_table_init(struct conntrack *ct);
void ct_table_exit(struct conntrack *ct);
/* The connection that has `key` in one of its directions, locked; NULL: there is none. Forgets timed out ones
 * on the way. `reply`: it is the second direction. */
struct ct_conn *ct_table_find(struct conntrack *ct, const struct ct_key *key, uint32_t hash, uint64_t now,
                              bool *reply);
/* Makes `c` findable by its hashes. False: no room, nothing has changed. The caller has locked it. */
bool ct_table_link(struct conntrack *ct, struct ct_conn *c);
void ct_table_unlink(struct conntrack *ct, const struct ct_conn *c);
struct ct_bucket *ct_table_bucket(const struct conntrack *ct, uint32_t hash);

/* A free slot; NULL: all are in use by connections that stay. No connection is locked by the caller. */
struct ct_conn *ct_slot_take(struct conntrack *ct, uint16_t zone, uint64_t now);
void ct_slot_free(struct conntrack *ct, struct ct_conn *c);
/* Forgets a locked connection and unlocks it. */
void ct_bury(struct conntrack *ct, struct ct_conn *c, enum ct_counter why);

/* tcp.c, talk.c */

enum ct_verdict {
	CT_IS_INVALID,
	CT_IS_NEW,         /* belongs to one that was not answered yet */
	CT_IS_ESTABLISHED, /* was answered */
	CT_IS_ANOTHER,     /* begins another connection in place of this one, which has ended */
};

bool ct_tcp_may_begin(const struct ct_packet *p);
/* The state after the first packet. */
void ct_tcp_begin(struct conntrack *ct, struct ct_conn *c, const struct ct_packet *p, uint64_t now);
enum ct_verdict ct_tcp_update(struct conntrack *ct, struct ct_conn *c, const struct ct_packet *p, bool reply,
                              uint64_t now);
const char *ct_tcp_state_name(const struct ct_conn *c);
bool ct_tcp_is_half_open(const struct ct_conn *c);

bool ct_talk_may_begin(const struct ct_key *k);
void ct_talk_begin(struct conntrack *ct, struct ct_conn *c, uint64_t now);
enum ct_verdict ct_talk_update(struct conntrack *ct, struct ct_conn *c, bool reply, uint64_t now);
const char *ct_talk_state_name(const struct ct_conn *c);

/* fragments.c */

/* Of a first fragment, what was told in `facts`, which is of that zone. */
void ct_fragment_note(struct conntrack *ct, uint64_t now, const struct ct_packet *p,
                      const struct ct_facts *facts);
/* Makes a later fragment look like its first one come again, and `facts` those that were told of it in this
 * zone; or makes it invalid. */
void ct_fragment_join(struct conntrack *ct, uint64_t now, uint16_t zone, struct ct_packet *p,
                      struct ct_facts *facts);

/* nat.c */

/* The reply direction of a new connection whose first packet has `orig`. False: nothing is left. The caller
 * holds the zone's commit lock. */
bool ct_nat_choose(struct conntrack *ct, uint64_t now, const struct nat_range *r, const struct ct_key *orig,
                   struct ct_key *reply);
/* Has no connection this key? */
bool ct_nat_is_free(struct conntrack *ct, uint64_t now, const struct ct_key *k, uint32_t hash);
/* How a packet of a translated connection changes; returns CT_SNAT or CT_DNAT, what happens to it. */
uint32_t ct_nat_rewrite(const struct ct_conn *c, bool reply, bool error, struct ct_rewrite *rw);

/* expect.c */

/* Looks for what has announced a connection whose first packet has this key. */
bool ct_expect_find(struct conntrack *ct, const struct ct_key *key, struct ct_expect *out);
/* Keeps `e` (key, nat, master, mark and label are set) as announced by the locked connection, unless there is
 * one with its key. The connection's oldest one has to go if it has CT_EXPECT_EACH; if there are
 * CT_EXPECT_MAX, the oldest of all. */
void ct_expect_add(struct conntrack *ct, struct ct_conn *c, const struct ct_expect *e);
/* Of a connection that has ended: all that it has announced. */
void ct_expect_forget(struct conntrack *ct, struct ct_conn *c);

static inline bool ct_is_expected(struct conntrack *ct, const struct ct_key *key, struct ct_expect *out)
{
	return __builtin_expect(__atomic_load_n(&ct->nexpects, __ATOMIC_RELAXED) != 0, 0) &&
	       ct_expect_find(ct, key, out);
}

/* helper.c */

/* Is there a helper of that kind (enum ct_alg) for the protocol? */
bool ct_helper_fits(uint16_t alg, uint8_t proto);
/* "ftp" or "tftp". */
const char *ct_helper_name(const struct ct_conn *c);
/* A valid packet of a locked connection that has a helper. `rw` says how the packet is translated, and says
 * then what else there is to do. */
void ct_help(struct conntrack *ct, struct ct_conn *c, const struct ct_packet *p, bool reply,
             struct ct_rewrite *rw);
/* What the acknowledgement in a packet means in the numbers of who has sent what it acknowledges. */
uint32_t ct_helper_ack(const struct ct_conn *c, bool reply, uint32_t ack);

/* commit.c */

enum ct_commit { CT_COMMIT_DONE, CT_COMMIT_EXISTS, CT_COMMIT_FAILED };

/* Makes a connection of a packet that begins one; it is locked. EXISTS: somebody was faster. `e`: what has
 * announced it, or NULL. */
enum ct_commit ct_commit(struct conntrack *ct, uint64_t now, const struct ct_packet *p,
                         const struct ct_order *o, const struct ct_key *key, uint32_t hash,
                         const struct ct_expect *e, struct ct_conn **out);
/* Writes mark and label. */
void ct_write_marks(struct ct_conn *c, const struct ct_order *o);

#endif
