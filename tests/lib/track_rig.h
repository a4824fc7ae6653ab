/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One worker with a connection tracker, and the packet that came last, for a test program of its own file:
 *
 *	TestSuite(name, .init = setup, .fini = teardown);
 *	cr_expect_eq(track_frame(frame, len, &commit), CT_NEW);
 */
#ifndef TESTS_LIB_TRACK_RIG_H
#define TESTS_LIB_TRACK_RIG_H

#include <criterion/criterion.h>

#include "base/clock.h"
#include "datapath/ct/conntrack.h"
#include "datapath/parse.h"
#include "datapath/track.h"
#include "datapath/worker.h"

static struct datapath dp;
static struct worker w;
static struct packet p;
static struct ct_facts facts; /* of the last packet */
static struct mkey key;

static const struct ct_order look, nat = {.flags = CT_NAT}, commit = {.flags = CT_COMMIT};

static inline void setup(void)
{
	dp.ct = conntrack_create(NULL);
	cr_assert(dp.ct);
	w.dp = &dp;
	w.now = 1000 * CLOCK_SECOND;
}

static inline void teardown(void)
{
	conntrack_destroy(dp.ct);
}

static inline struct conntrack_stats stats(void)
{
	struct conntrack_stats s;

	conntrack_get_stats(dp.ct, &s);
	return s;
}

/* To address `addr` and, with `port`, to a port. */
static inline struct ct_order translate(uint16_t flags, const char *addr, uint16_t port)
{
	struct ct_order o = {.flags = CT_COMMIT | CT_NAT,
	                     .nat = {.port_min = port, .port_max = port, .flags = flags}};

	cr_assert_eq(ip_parse(addr, &o.nat.addr_min), 0);
	o.nat.addr_max = o.nat.addr_min;
	return o;
}

/* What is told of the packet in `p`, of which nothing is known yet, without CT_TRK. */
static inline uint32_t track_afresh(const struct ct_order *o)
{
	parse_packet(&p, &key);
	facts = (struct ct_facts){0};
	track_packet(&w, &p, o, &facts);
	cr_assert(facts.state & CT_TRK);
	return facts.state & ~(uint32_t)CT_TRK;
}

/* The frame is in `p` then. */
static inline uint32_t track_frame(const uint8_t *frame, uint32_t len, const struct ct_order *o)
{
	packet_view(&p, 1, frame, len);
	return track_afresh(o);
}

static inline void expect_bytes(const uint8_t *is, const uint8_t *want, uint32_t len, const char *what)
{
	for (uint32_t i = 0; i < len; i++)
		cr_assert_eq(is[i], want[i], "byte %u is %02x, not %02x: %s", i, is[i], want[i], what);
}

/* A connection whose source is translated to `addr` and `port`: its packet, what that becomes, the answer to
 * it, and what this becomes. */
static inline void check_translated(void (*check)(const char *text, const struct ct_order *o, uint32_t state,
                                                  const char *becomes),
                                    const char *text, const char *translated, const char *answer,
                                    const char *home, const char *addr, uint16_t port)
{
	struct ct_order o = translate(NAT_SRC, addr, port);

	check(text, &look, CT_NEW, text);
	check(text, &o, CT_NEW | CT_SNAT, translated);
	check(answer, &look, CT_EST | CT_RPL, answer);
	check(answer, &nat, CT_EST | CT_RPL | CT_DNAT, home);
	check(text, &nat, CT_EST | CT_SNAT, translated);
}

#endif
