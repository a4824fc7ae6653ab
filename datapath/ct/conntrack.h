/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection tracking: which connection a packet belongs to, and how far that is.
 *
 * What: tells of every packet whether it begins a connection, belongs to one, or fits into none; remembers
 * connections on commit; chooses addresses and ports for their translation. It knows no packet bytes:
 * datapath/track.c reads and rewrites those.
 *
 * A connection that is committed with `alg` is a control connection: what its packets announce is expected
 * from then on, and told as CT_REL, with the mark and label that the control connection had at the time and
 * with its tuple, then and after it is committed. It is expected as long as the control connection lives. One
 * control connection announces at most 8, all of them 4096; a newer one takes the place of the oldest. What
 * was expected has no helper of its own.
 *
 * Design: connections lie in one reserved range that grows by touch, so memory that was a connection stays
 * one. A lookup reads a bucket without a lock, locks the connection it finds for as long as the packet is
 * judged, and asks then whether it is the right one. Commits of a zone come one after the other, those of
 * different zones do not wait. Bits, states, timeouts and port ranges are those of Open vSwitch's userspace
 * connection tracker.
 *
 * Fragments are tracked one by one, as they come: what is told of the first one holds for the later ones, for
 * which it is remembered for some seconds (fragments.c). Nothing is held back.
 *
 * Thread-safety: conntrack_track, conntrack_hear, conntrack_prefetch, conntrack_count and
 * conntrack_get_stats: any thread. Sweep, flush and dump: the control thread.
 *
 * Life cycle: conntrack_create -> workers track, control sweeps about once a second -> workers stop ->
 * conntrack_destroy. Nothing but a reservation is taken before the first commit.
 */
#ifndef DATAPATH_CT_CONNTRACK_H
#define DATAPATH_CT_CONNTRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "flows/ct.h"

enum { CONNTRACK_MAX_DEFAULT = 1 << 20, CONNTRACK_MAX_MOST = 1 << 24 };

/* How long a connection lives after its last packet, by protocol and state. */
enum ct_timeout {
	CT_TIMEOUT_TCP_FIRST,       /* a SYN, no answer: 30 s */
	CT_TIMEOUT_TCP_OPENING,     /* 30 s */
	CT_TIMEOUT_TCP_ESTABLISHED, /* 86,400 s */
	CT_TIMEOUT_TCP_CLOSING,     /* one side has sent FIN: 900 s */
	CT_TIMEOUT_TCP_FIN_WAIT,    /* both have: 45 s */
	CT_TIMEOUT_TCP_CLOSED,      /* both FINs acknowledged, or reset: 30 s */
	CT_TIMEOUT_OTHER_FIRST,     /* UDP and all other protocols, one packet: 60 s */
	CT_TIMEOUT_OTHER_SINGLE,    /* more in one direction: 60 s */
	CT_TIMEOUT_OTHER_BOTH,      /* in both: 30 s */
	CT_TIMEOUT_ICMP_FIRST,      /* 60 s */
	CT_TIMEOUT_ICMP_REPLY,      /* 30 s */
	CT_TIMEOUTS
};

struct conntrack;

struct conntrack_config {              /* zeros mean the defaults */
	uint32_t max;                  /* connections: 1,048,576; at most CONNTRACK_MAX_MOST */
	uint32_t zone_max;             /* connections of one zone; default: no limit but that of all */
	uint32_t seconds[CT_TIMEOUTS]; /* as told at enum ct_timeout */
};

struct conntrack_stats {
	uint32_t connections, max;
	uint64_t commits;       /* connections that began */
	uint64_t expired;       /* that timed out */
	uint64_t replaced;      /* by force, or by a new SYN after the end */
	uint64_t flushed;       /* by conntrack_flush() */
	uint64_t evicted;       /* those that had to go because all were in use */
	uint64_t full;          /* commits refused: as many connections as there may be */
	uint64_t zone_full;     /* commits refused: as many as there may be in the zone */
	uint64_t nat_exhausted; /* commits refused: no reply tuple of its own is left */
	uint64_t invalid;       /* packets told as invalid, with these: */
	uint64_t lost;          /* later fragments whose first one was not seen, or that lie over it */
	uint32_t expected;      /* announced by control connections, at this time: at most 4096 */
	uint64_t announced;     /* that were announced */
	uint64_t displaced;     /* that had to go for newer ones */
	uint64_t unread;        /* packets of control connections that nothing could be made of */
};

enum ct_packet_flag {
	CT_PACKET_INVALID = 1 << 0, /* truncated or contradictory: no more of it is looked at */
	CT_PACKET_ERROR = 1 << 1,   /* ICMP error: the tuple is that of the packet inside */
	CT_PACKET_WSCALE = 1 << 2,  /* TCP: `wscale` is what the option says */
	CT_PACKET_FIRST = 1 << 3,   /* the first fragment of a packet */
	CT_PACKET_LATER = 1 << 4, /* another one: of the tuple it has only addresses and, at IPv4, `proto` */
};

/* What a fragment is of its packet. */
struct ct_fragment {
	uint32_t id;       /* the packet's, in the order of the wire */
	uint16_t from, to; /* of its first byte, and behind its last one, from where the packet was cut */
};

/* What there is to know of a packet. */
struct ct_packet {
	/* As it lies in the packet. ICMP queries: tp_src is the id, tp_dst type and code. Other protocols
	 * without ports: zero. */
	struct ct_tuple tuple;
	uint8_t flags;              /* enum ct_packet_flag */
	uint8_t wscale;             /* shift count */
	uint16_t tcp_flags;         /* host order, low 12 bits */
	uint16_t window;            /* host order, not scaled */
	uint32_t seq, ack, payload; /* host order; payload: bytes behind the TCP header */
	struct ct_fragment fragment;
};

enum ct_rewrite_what {
	CT_REWRITE_SRC = 1 << 0, /* the source address becomes to.src */
	CT_REWRITE_DST = 1 << 1, /* the destination address becomes to.dst */
	CT_REWRITE_PORTS =
	        1 << 2, /* both ports become to.tp_src and to.tp_dst; ICMP: the id becomes to.tp_src */
	/* ICMP error: SRC and DST are about the outer header. The inner packet's becomes `to` reversed: its
	 * source address, port and so on are to.dst, to.tp_dst ..., each of them (ICMP: the id). */
	CT_REWRITE_INNER = 1 << 3,
	CT_REWRITE_NUMBERS = 1 << 4, /* TCP: `seq` and `ack` are added to the header's */
	CT_REWRITE_TEXT = 1 << 5,    /* the payload may announce a connection: `control`; conntrack_hear() */
};

/* A packet of an FTP control connection. */
struct ct_control {
	struct ct_tuple orig; /* the connection's first direction */
	uint16_t zone;
	bool reply;               /* it comes from the side that was called */
	bool translated;          /* then addresses in the text are to be, too */
	struct ip_addr own, seen; /* of the sender, as it knows it, and as the other side does */
};

/* What was found in its text. */
struct ct_heard {
	enum ct_heard_what {
		CT_HEARD_NOTHING,
		CT_HEARD_PORT,   /* the sender awaits a connection at `port` */
		CT_HEARD_BROKEN, /* an announcement, but none that can be believed */
		CT_HEARD_UNREAD, /* it could not be read, or not be translated: the packet is as it was */
	} what;
	be16 port;
	uint32_t seq;    /* of the packet, as it was sent; host order */
	uint32_t longer; /* bytes that its text has grown by; modulo 2^32 */
};

/* How the packet is to be changed. */
struct ct_rewrite {
	uint32_t what;      /* enum ct_rewrite_what; 0: not at all */
	struct ct_tuple to; /* addresses that stay are here as well */
	uint32_t seq, ack;  /* modulo 2^32, host order */
	struct ct_control control;
};

/* Chooses connections: every condition that is set must hold. All zero: all connections. */
struct ct_filter {
	bool by_zone;
	uint16_t zone;
	struct ct_tuple orig, reply; /* addresses, ports and protocol that are zero are not looked at */
	uint32_t mark, mark_mask;    /* host order */
	uint8_t label[16], label_mask[16];
};

/* One connection, as it is told. */
struct ct_entry {
	struct ct_tuple orig, reply; /* ICMP: as in struct ct_packet */
	uint16_t zone;
	uint32_t mark;
	uint8_t label[16];
	uint32_t nat;       /* CT_SNAT, CT_DNAT or none */
	const char *state;  /* "ESTABLISHED" ...; constant text */
	const char *helper; /* "ftp", "tftp"; NULL: none */
	uint32_t timeout;   /* seconds left */
};

/* `config` may be NULL. NULL on lack of memory or addresses. */
struct conntrack *conntrack_create(const struct conntrack_config *config);
/* Legal on NULL. */
void conntrack_destroy(struct conntrack *ct);

/*
 * Tracks a packet as `o` says. `now`: clock_now().
 *
 * `facts`, in: what an earlier order told of this packet, zeros if there was none. A packet that comes back
 * to the same zone is not counted as another one: its connection is found again, whatever was translated in
 * between. Out: what is known now. `state` has always CT_TRK; `orig` is zero with CT_INV unless a connection
 * is known.
 *
 * A commit that fails, because there are too many connections or nothing is left in the range of addresses
 * and ports or that is of the other address family, or because its replies would look like those of another
 * connection, makes the packet CT_INV and is counted.
 *
 * `rw`, out: how to change the packet; nothing without CT_NAT.
 */
void conntrack_track(struct conntrack *ct, uint64_t now, const struct ct_packet *p, const struct ct_order *o,
                     struct ct_facts *facts, struct ct_rewrite *rw);

/* Of a packet for which conntrack_track() has said CT_REWRITE_TEXT: what was found in its text. A broken
 * announcement makes it CT_INV as well, as in Open vSwitch. */
void conntrack_hear(struct conntrack *ct, uint64_t now, const struct ct_control *control,
                    const struct ct_heard *heard, struct ct_facts *facts);

/* Fetches the bucket that conntrack_track() will read. To be called for all packets of a batch first; then
 * conntrack_prefetch_found(), with the number that this one has returned, gets the connections. `t` as in
 * struct ct_packet. */
uint32_t conntrack_prefetch(const struct conntrack *ct, const struct ct_tuple *t, uint16_t zone);
void conntrack_prefetch_found(const struct conntrack *ct, uint32_t found);

/* Forgets what has timed out among the next CT_SWEEP_SLOTS places; call it about once a second. */
enum { CT_SWEEP_SLOTS = 1 << 16 };
void conntrack_sweep(struct conntrack *ct, uint64_t now);
/* Forgets connections; returns how many. `filter` NULL: all. */
uint32_t conntrack_flush(struct conntrack *ct, const struct ct_filter *filter);
/* Calls `each` for every connection that has not timed out, in no order, until it returns false. */
void conntrack_dump(struct conntrack *ct, uint64_t now, const struct ct_filter *filter,
                    bool (*each)(void *arg, const struct ct_entry *entry), void *arg);
/* Connections there are, with those that timed out and were not swept yet. */
uint32_t conntrack_count(const struct conntrack *ct);
void conntrack_get_stats(const struct conntrack *ct, struct conntrack_stats *out);

#endif
