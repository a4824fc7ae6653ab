/* SPDX-License-Identifier: Apache-2.0 */
/* multipath and bundle: which link or live port a flow gets, what of the packet decides, what of it is
 * cached.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tables_rig.h"

enum { FLOWS = 600 };

static void start(void)
{
	rig_start(NULL);
}

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	cr_assert_eq(rig_flow(FLOW_ADD, text), TABLES_OK, "%s", text);
}

/* The port that the packet leaves by; 0: by none. */
static unsigned port_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static unsigned port_of(const char *format, ...)
{
	char packet[512];
	const char *done, *at;
	va_list ap;

	va_start(ap, format);
	vsnprintf(packet, sizeof(packet), format, ap);
	va_end(ap);
	done = rig_send(packet);
	at = strstr(done, "output:");
	return at ? (unsigned)atoi(at + 7) : 0;
}

/* Link n leaves by port n + 1. */
static void multipath(const char *hashed, const char *algorithm, unsigned links, unsigned arg)
{
	add("actions=multipath(%s,50,%s,%u,%u,NXM_NX_REG0[0..15]),load:0->NXM_NX_REG1[],resubmit(,1)", hashed,
	    algorithm, links, arg);
	for (unsigned i = 0; i < 40; i++)
		add("table=1,reg0=%u,actions=output:%u", i, i + 1);
}

static unsigned link_of(unsigned flow)
{
	unsigned port =
	        port_of("in_port=99,dl_src=02:00:00:00:%02x:%02x,tcp,nw_src=10.0.%u.%u,nw_dst=10.1.0.1,"
	                "tp_src=%u,tp_dst=80",
	                flow >> 8, flow & 0xff, flow >> 8, flow & 0xff, 1000 + flow);

	cr_assert_gt(port, 0, "flow %u has no link", flow);
	return port - 1;
}

TestSuite(links, .init = start, .fini = rig_stop);

/* The shares of `links` are even: none is more than half as large again as it ought to be. */
static void check_shares(const char *algorithm, unsigned links, unsigned arg)
{
	unsigned share[40] = {0};

	multipath("symmetric_l4", algorithm, links, arg);
	for (unsigned i = 0; i < FLOWS; i++) {
		unsigned link = link_of(i);

		cr_assert_lt(link, links, "%s", algorithm);
		cr_expect_eq(link_of(i), link, "%s: another link for the same flow", algorithm);
		share[link]++;
	}
	for (unsigned i = 0; i < links; i++) {
		cr_expect_gt(share[i] * links * 2, FLOWS, "%s: %u of %u", algorithm, share[i], FLOWS);
		cr_expect_lt(share[i] * links * 2, FLOWS * 3, "%s: %u of %u", algorithm, share[i], FLOWS);
	}
}

Test(links, every_algorithm_uses_all_links_alike)
{
	check_shares("modulo_n", 5, 0);
	check_shares("hash_threshold", 5, 0);
	check_shares("hrw", 5, 0);
	check_shares("iter_hash", 5, 0);
	check_shares("iter_hash", 5, 11);
	check_shares("hrw", 1, 0);
}

/* What `from` links became with one link more: how many flows moved to an old link, how many in all. */
static void disruption(const char *algorithm, unsigned from, unsigned *among_old, unsigned *moved)
{
	unsigned before[FLOWS];

	multipath("symmetric_l4", algorithm, from, 0);
	for (unsigned i = 0; i < FLOWS; i++)
		before[i] = link_of(i);
	multipath("symmetric_l4", algorithm, from + 1, 0);
	*among_old = *moved = 0;
	for (unsigned i = 0; i < FLOWS; i++) {
		unsigned link = link_of(i);

		*moved += link != before[i];
		*among_old += link != before[i] && link != from;
	}
}

Test(links, a_new_link_takes_its_share_and_leaves_the_rest)
{
	unsigned among_old, moved;

	disruption("hrw", 7, &among_old, &moved);
	cr_expect_eq(among_old, 0);
	cr_expect_gt(moved, FLOWS / 16);
	disruption("iter_hash", 6, &among_old, &moved); /* 6 and 7: of 8 both */
	cr_expect_eq(among_old, 0);
	cr_expect_gt(moved, FLOWS / 14);
	disruption("hash_threshold", 7, &among_old, &moved); /* a quarter to a half */
	cr_expect_lt(moved, FLOWS * 6 / 10);
	disruption("modulo_n", 7, &among_old, &moved);
	cr_expect_gt(moved, FLOWS * 7 / 10);
}

/* ---- what is hashed ---- */

static const struct {
	const char *name;
	char letter;
} hashes[] = {
        {"eth_src", 'e'}, {"symmetric_l4", '4'}, {"symmetric_l3l4", '3'}, {"symmetric_l3l4+udp", 'u'},
        {"nw_src", 's'},  {"nw_dst", 'd'},       {"symmetric_l3", 'a'},
};

/* Does a link out of 16 depend on what differs between these packets, with any of some bases? */
static bool differs(const char *hashed, const char *one, const char *other)
{
	bool any = false;

	for (unsigned basis = 0; basis < 8; basis++) {
		add("actions=multipath(%s,%u,hash_threshold,16,0,NXM_NX_REG0[0..3]),resubmit(,1)", hashed,
		    basis);
		any |= port_of("in_port=99,%s", one) != port_of("in_port=99,%s", other);
	}
	return any;
}

static void links_to_ports(void)
{
	for (unsigned i = 0; i < 16; i++)
		add("table=1,reg0=%u,actions=output:%u", i, i + 1);
}

Test(links, what_is_hashed)
{
	static const struct {
		const char *one, *other, *by; /* the hashes that tell them apart */
	} pairs[] = {
	        {"dl_src=02:00:00:00:00:01,tcp", "dl_src=02:00:00:00:00:02,tcp", "e4"},
	        {"dl_dst=02:00:00:00:00:01,tcp", "dl_dst=02:00:00:00:00:02,tcp", "4"},
	        {"dl_vlan=5,tcp", "dl_vlan=6,tcp", "4"},
	        {"dl_vlan=5,dl_vlan_pcp=1,tcp", "dl_vlan=5,dl_vlan_pcp=2,tcp", ""},
	        {"tcp,nw_src=10.0.0.1", "tcp,nw_src=10.0.0.2", "43usa"},
	        {"tcp,nw_dst=10.0.0.1", "tcp,nw_dst=10.0.0.2", "43uda"},
	        {"tcp6,ipv6_src=fe80::1", "tcp6,ipv6_src=fe80::2", "43usa"},
	        {"tcp6,ipv6_dst=fe80::1", "tcp6,ipv6_dst=fe80::2", "43uda"},
	        {"ip,nw_proto=47", "ip,nw_proto=50", "43u"},
	        {"tcp,tp_src=1", "tcp,tp_src=2", "43u"},
	        {"sctp,tp_dst=1", "sctp,tp_dst=2", "43u"},
	        {"udp,tp_dst=1", "udp,tp_dst=2", "u"},
	        {"icmp,icmp_type=8", "icmp,icmp_type=0", ""},
	        {"arp,arp_spa=10.0.0.1", "arp,arp_spa=10.0.0.2", ""},
	        {"tcp,nw_ttl=3,nw_tos=4,tcp_flags=2", "tcp,nw_ttl=4,nw_tos=8,tcp_flags=1", ""},
	        {"dl_type=0x1234", "dl_type=0x1235", "4"},
	};

	links_to_ports();
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (unsigned h = 0; h < sizeof(hashes) / sizeof(hashes[0]); h++)
			cr_expect_eq(differs(hashes[h].name, pairs[i].one, pairs[i].other),
			             strchr(pairs[i].by, hashes[h].letter) != NULL, "%s: %s, %s",
			             hashes[h].name, pairs[i].one, pairs[i].other);
}

Test(links, both_directions_of_a_connection_take_the_same_link)
{
	static const char *const pairs[][2] = {
	        {"dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,dl_vlan=7,tcp,nw_src=10.0.0.1,nw_dst="
	         "10.0.0.2,tp_src=1234,tp_dst=80",
	         "dl_src=02:00:00:00:00:02,dl_dst=02:00:00:00:00:01,dl_vlan=7,tcp,nw_src=10.0.0.2,nw_dst="
	         "10.0.0.1,tp_src=80,tp_dst=1234"},
	        {"udp6,ipv6_src=fe80::1,ipv6_dst=ff02::1,tp_src=5,tp_dst=4",
	         "udp6,ipv6_src=ff02::1,ipv6_dst=fe80::1,tp_src=4,tp_dst=5"},
	};

	links_to_ports();
	for (unsigned i = 0; i < 2; i++)
		for (unsigned h = 0; h < sizeof(hashes) / sizeof(hashes[0]); h++)
			cr_expect_eq(differs(hashes[h].name, pairs[i][0], pairs[i][1]),
			             hashes[h].letter == 's' || hashes[h].letter == 'd' ||
			                     (hashes[h].letter == 'e' && i == 0),
			             "%s: %s", hashes[h].name, pairs[i][0]);
}

Test(links, the_packet_is_hashed_as_it_is_now)
{
	unsigned link;

	links_to_ports();
	add("actions=set_field:02:00:00:00:00:77->eth_src,multipath(eth_src,0,hrw,16,0,NXM_NX_REG0[]),"
	    "resubmit(,1)");
	link = port_of("in_port=99,dl_src=02:00:00:00:00:77");
	for (unsigned i = 0; i < 50; i++)
		cr_expect_eq(port_of("in_port=99,dl_src=02:00:00:00:00:%02x", i), link);
	/* A label hides the addresses. */
	add("ip,actions=push_mpls:0x8847,multipath(nw_src,0,hrw,16,0,NXM_NX_REG0[]),resubmit(,1)");
	link = port_of("in_port=99,ip,nw_src=10.0.0.77");
	for (unsigned i = 0; i < 50; i++)
		cr_expect_eq(port_of("in_port=99,ip,nw_src=10.0.0.%u", i), link);
}

Test(links, a_part_of_a_field_is_written)
{
	add("actions=load:0xffffffff->NXM_NX_REG0[],multipath(eth_src,0,modulo_n,1,0,NXM_NX_REG0[8..15]),"
	    "output:NXM_NX_REG0[4..15],output:NXM_NX_REG0[16..23]");
	rig_expect("in_port=99", "output:15 output:255");
}

/* ---- what is cached ---- */

Test(links, only_what_is_hashed_is_cached)
{
	struct cache_stats stats;

	links_to_ports();
	add("actions=multipath(nw_src,0,hrw,16,0,NXM_NX_REG0[]),resubmit(,1)");
	for (unsigned i = 0; i < 100; i++)
		port_of("in_port=99,tcp,nw_src=10.0.0.%u,nw_dst=10.1.0.%u,tp_src=%u", i % 10, i, i);
	cache_get_stats(rig.cache, &stats);
	cr_expect_eq(stats.misses, 10);
}

Test(links, what_a_written_register_leads_to_counts)
{
	/* What table 2 matches is known to matter although the register's value is not known beforehand. */
	add("actions=multipath(eth_src,0,hrw,2,0,NXM_NX_REG0[]),resubmit(,1)");
	add("table=1,reg0=0,actions=resubmit(,2)");
	add("table=1,reg0=1,actions=resubmit(,2)");
	add("table=2,tcp,tp_dst=80,actions=output:2");
	add("table=2,priority=1,actions=output:3");
	for (unsigned i = 0; i < 20; i++) {
		cr_expect_eq(port_of("in_port=99,dl_src=02:00:00:00:00:%02x,tcp,tp_dst=81", i), 3);
		cr_expect_eq(port_of("in_port=99,dl_src=02:00:00:00:00:%02x,tcp,tp_dst=80", i), 2);
	}
}

/* ---- bundle ---- */

static void set_live(uint32_t from, uint32_t to, bool live)
{
	for (uint32_t port = from; port <= to; port++)
		tables_set_port_live(rig.tables, port, live);
}

Test(links, the_first_live_member_is_the_active_one)
{
	add("actions=bundle(eth_src,0,active_backup,ofport,members:4,8,6)");
	rig_expect("in_port=99", "drop(group_empty)");
	set_live(6, 6, true);
	rig_expect("in_port=99", "output:6");
	set_live(4, 8, true);
	rig_expect("in_port=99", "output:4");
	set_live(4, 4, false);
	rig_expect("in_port=99", "output:8");
	set_live(4, 4, true);
	rig_expect("in_port=99", "output:4");
}

Test(links, a_member_that_goes_moves_only_its_own_flows)
{
	unsigned before[FLOWS], share[5] = {0};

	add("actions=bundle(symmetric_l4,0,hrw,ofport,members:1,2,3,4)");
	set_live(1, 4, true);
	for (unsigned i = 0; i < FLOWS; i++) {
		before[i] = link_of(i) + 1;
		share[before[i]]++;
	}
	for (unsigned i = 1; i <= 4; i++)
		cr_expect(share[i] > FLOWS / 8 && share[i] < FLOWS * 3 / 8, "%u", share[i]);
	set_live(2, 2, false);
	for (unsigned i = 0; i < FLOWS; i++) {
		unsigned now = link_of(i) + 1;

		cr_expect_neq(now, 2);
		cr_expect(now == before[i] || before[i] == 2, "flow %u moved from %u to %u", i, before[i],
		          now);
	}
	set_live(2, 2, true);
	for (unsigned i = 0; i < FLOWS; i++)
		cr_expect_eq(link_of(i) + 1, before[i]);
}

Test(links, the_members_number_is_loaded)
{
	set_live(5, 5, true);
	add("actions=load:0xffffffff->NXM_NX_REG0[],bundle_load(eth_src,0,hrw,ofport,NXM_NX_REG0[8..23],"
	    "members:5),output:NXM_NX_REG0[8..23],output:NXM_NX_REG0[0..7],resubmit(,1)");
	add("table=1,reg0=0xffffffff,actions=output:9");
	rig_expect("in_port=99", "output:5 output:255");
	set_live(5, 5, false);
	rig_expect("in_port=99", "output:255 output:9"); /* no port is 0xffff */
	add("actions=bundle_load(eth_src,0,active_backup,ofport,NXM_NX_REG0[],members:LOCAL,NONE,5),"
	    "output:NXM_NX_REG0[]");
	rig_expect("in_port=99", "drop(action_drop)");
	tables_set_port_live(rig.tables, PORT_LOCAL, true);
	rig_expect("in_port=99", "output:4294967294");
}

Test(links, reserved_members_are_always_live)
{
	add("actions=bundle(eth_src,0,active_backup,ofport,members:7,IN_PORT)");
	rig_expect("in_port=99", "output:99");
	add("actions=bundle(eth_src,0,active_backup,ofport,members:7,FLOOD)");
	rig_expect("in_port=99", "flood");
	add("in_port=1,actions=bundle(eth_src,0,active_backup,ofport,members:7,TABLE)");
	rig_expect("in_port=1", "drop(resubmit_limit)");
	add("actions=bundle(eth_src,0,active_backup,ofport,members:NONE,99)");
	rig_expect("in_port=99", "drop(group_empty)");
	add("actions=bundle(eth_src,0,active_backup,ofport,members:)");
	rig_expect("in_port=99", "drop(group_empty)");
}

/* Where a table is a member, all tables count. */
Test(links, a_member_may_be_the_tables)
{
	add("in_port=99,actions=set_field:1->in_port,bundle(eth_src,0,active_backup,ofport,members:TABLE)");
	add("in_port=1,tcp,actions=output:3");
	add("priority=40000,in_port=1,tcp,tp_dst=80,actions=output:2");
	for (unsigned i = 0; i < 20; i++) {
		cr_expect_eq(port_of("in_port=99,tcp,tp_dst=%u", 90 + i), 3);
		cr_expect_eq(port_of("in_port=99,tcp,tp_dst=80,tp_src=%u", i), 2);
	}
}

Test(links, only_what_a_bundle_hashes_is_cached)
{
	struct cache_stats stats;

	set_live(1, 4, true);
	add("in_port=1,actions=bundle(nw_dst,0,hrw,ofport,members:2,3,4)");
	add("in_port=2,actions=bundle(symmetric_l4,0,active_backup,ofport,members:1,3,4)");
	for (unsigned i = 0; i < 100; i++) {
		port_of("in_port=1,tcp,nw_src=10.0.0.%u,nw_dst=10.1.0.%u,tp_src=%u", i, i % 10, i);
		port_of("in_port=2,tcp,nw_src=10.0.0.%u,nw_dst=10.1.0.%u,tp_src=%u", i, i % 10, i);
	}
	cache_get_stats(rig.cache, &stats);
	cr_expect_eq(stats.misses, 11);
}
