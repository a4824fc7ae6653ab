/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and offsets of packets written by hand; what Open vSwitch reads off the same bytes. */
#include <criterion/criterion.h>

#include "datapath/crc32c.h"
#include "datapath/parse.h"
#include "datapath/parse_plain.h"
#include "tests/lib/frames.h"

static struct packet p;
static struct mkey key;
static struct frame f;

static void parse(const uint8_t *data, uint32_t len)
{
	packet_reset(&p);
	cr_assert_leq(len, PACKET_HEAD_MAX);
	memcpy(p.head, data, len);
	p.head_len = (uint16_t)len;
	p.len = len;
	p.in_port = 7;
	memset(&key, 0xaa, sizeof(key)); /* what is not valid must not matter */
	parse_packet(&p, &key);
}

static void make(const struct frame_spec *spec)
{
	frame_make(&f, spec);
	parse(f.data, f.len);
}

Test(parse, tcp_over_ipv4)
{
	make(&(struct frame_spec){.proto = IP_PROTO_TCP, .sport = 80, .dport = 1234, .ttl = 9});
	cr_assert_eq(key.in_port, 7);
	cr_assert_eq(key.flags, 0);
	cr_assert_eq(key.eth_type, htobe16(0x0800));
	cr_assert_eq(key.proto, 6);
	cr_assert_eq(key.ttl, 9);
	cr_assert_eq(key.tp_src, htobe16(80));
	cr_assert_eq(key.tp_dst, htobe16(1234));
	cr_assert_eq(key.tcp_flags, htobe16(0x010));
	cr_assert_eq(memcmp(key.ip_src, "\x0a\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
	cr_assert_eq(p.l3, 14);
	cr_assert_eq(p.l4, 34);
	cr_assert_eq(p.l3_kind, L3_IPV4);
	cr_assert_eq(p.l4_proto, 6);
}

Test(parse, fragments_have_no_ports)
{
	make(&(struct frame_spec){.sport = 5, .dport = 6, .payload = 16, .frag = 0x2000});
	cr_assert_eq(key.flags & MKEY_FRAG, FLOW_FRAG_ANY);
	cr_assert_eq(key.tp_dst, 0);
	cr_assert_eq(p.l4, 34, "but the first one has a header");
	make(&(struct frame_spec){.sport = 5, .dport = 6, .payload = 16, .frag = 0x0010});
	cr_assert_eq(key.flags & MKEY_FRAG, FLOW_FRAG_ANY | FLOW_FRAG_LATER);
	cr_assert_eq(key.proto, 17);
	cr_assert_eq(p.l4, 0);
	make(&(struct frame_spec){.sport = 5, .dport = 6, .payload = 16, .frag = 0x4000});
	cr_assert_eq(key.flags & MKEY_FRAG, 0, "DF is no fragment");
}

Test(parse, one_and_two_tags)
{
	uint8_t two[200];

	make(&(struct frame_spec){.vlan = 0x6005, .dport = 9});
	cr_assert_eq(key.vlan_tci, htobe16(0x7005));
	cr_assert_eq(key.flags, 0);
	cr_assert_eq(key.eth_type, htobe16(0x0800));
	cr_assert_eq(p.l3, 18);
	memcpy(two, f.data, 12);
	memcpy(two + 12, "\x88\xa8\x00\x63", 4);
	memcpy(two + 16, f.data + 12, f.len - 12);
	parse(two, f.len + 4);
	cr_assert_eq(key.vlan_tci, htobe16(0x1063));
	cr_assert_eq(key.vlan_tpid, htobe16(0x88a8));
	cr_assert_eq(key.vlan2_tci, htobe16(0x7005));
	cr_assert_eq(key.vlan2_tpid, htobe16(0x8100));
	cr_assert_eq(key.tp_dst, htobe16(9));
	cr_assert_eq(p.l3, 22);
}

Test(parse, what_is_cut_off_reads_as_zero)
{
	frame_make(&f, &(struct frame_spec){.proto = IP_PROTO_TCP, .sport = 5});
	for (uint32_t len = 14; len < f.len; len++) {
		parse(f.data, len);
		cr_assert_eq(key.eth_type, htobe16(0x0800));
		cr_assert_eq(key.proto, 0, "total length says more than the %u bytes there are", len);
		cr_assert_eq(key.tp_src, 0);
		cr_assert_eq(p.l4, 0);
	}
	f.data[14] = 0x44; /* a header of 16 bytes */
	parse(f.data, f.len);
	cr_assert_eq(key.proto, 0);
}

Test(parse, padding_is_no_header)
{
	/* An IPv4 packet of 20 bytes in a frame of 60: the TCP header is not there. */
	frame_make(&f, &(struct frame_spec){.proto = IP_PROTO_TCP, .sport = 5, .payload = 20});
	f.data[16] = 0;
	f.data[17] = 20;
	parse(f.data, f.len);
	cr_assert_eq(key.proto, 6);
	cr_assert_eq(key.tp_src, 0);
	cr_assert_eq(p.l4, 0);
}

Test(parse, arp)
{
	static const uint8_t arp[] = {
	        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0,
	        2,    2,    0,    0,    0,    0,    1, 9, 8, 7, 6, 2, 0, 0, 0, 0, 2, 1, 2, 3, 4,
	};

	parse(arp, sizeof(arp));
	cr_assert_eq(key.proto, 2);
	cr_assert_eq(memcmp(key.ip_src, "\x09\x08\x07\x06\x02\0\0\0\0\x01", 10), 0);
	cr_assert_eq(memcmp(key.ip_dst, "\x01\x02\x03\x04\x02\0\0\0\0\x02", 10), 0);
	cr_assert_eq(p.l3_kind, L3_ARP);
	parse(arp, sizeof(arp) - 1);
	cr_assert_eq(key.proto, 0);
	cr_assert_eq(key.eth_type, htobe16(0x0806));
}

Test(parse, length_and_snap)
{
	static const uint8_t stp[] = {1, 0x80, 0xc2, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 5, 0x42, 0x42, 3, 0, 0};
	uint8_t snap[100];

	parse(stp, sizeof(stp));
	cr_assert_eq(key.eth_type, htobe16(0x05ff));
	frame_make(&f, &(struct frame_spec){.dport = 9});
	memcpy(snap, f.data, 12);
	memcpy(snap + 12, "\x00\x30\xaa\xaa\x03\x00\x00\x00\x08\x00", 10);
	memcpy(snap + 22, f.data + 14, f.len - 14);
	parse(snap, f.len + 8);
	cr_assert_eq(key.eth_type, htobe16(0x0800));
	cr_assert_eq(key.tp_dst, htobe16(9));
}

Test(parse, ipv6_with_extension_headers)
{
	uint8_t x[200];

	make(&(struct frame_spec){.src = "fd00::1", .dst = "fd00::2", .sport = 3, .dport = 4});
	cr_assert_eq(key.flags, 0, "no ext for plain UDP without a flow label");
	cr_assert_eq(key.tp_dst, htobe16(4));
	cr_assert_eq(p.l4, 54);
	/* hop-by-hop (8 bytes) and a fragment header with offset 0, more to come */
	memcpy(x, f.data, 54);
	x[18] = 0;
	x[19] += 16;
	x[20] = 0;
	memcpy(x + 54, "\x2c\x00\x01\x04\x00\x00\x00\x00", 8);
	memcpy(x + 62, "\x11\x00\x00\x01\x00\x00\x00\x05", 8);
	memcpy(x + 70, f.data + 54, f.len - 54);
	parse(x, f.len + 16);
	cr_assert_eq(key.proto, 17);
	cr_assert_eq(key.flags & MKEY_FRAG, FLOW_FRAG_ANY);
	cr_assert_eq(key.tp_dst, 0);
	cr_assert_eq(key.ipv6_exthdr, htobe16(1 << 6 | 1 << 4));
	cr_assert_eq(p.l4, 70);
	x[65] = 8 + 1; /* offset 1 */
	parse(x, f.len + 16);
	cr_assert_eq(key.proto, 44);
	cr_assert_eq(key.flags & MKEY_FRAG, FLOW_FRAG_ANY | FLOW_FRAG_LATER);
	/* a chain that goes on behind the end */
	x[55] = 200;
	parse(x, f.len + 16);
	cr_assert_eq(key.proto, 0);
	cr_assert_eq(key.ttl, 0);
	cr_assert_eq(key.ip_src[0], 0xfd);
}

Test(parse, neighbour_solicitation)
{
	uint8_t ns[86];

	frame_make(&f, &(struct frame_spec){.src = "fe80::1",
	                                    .dst = "ff02::1:ff00:2",
	                                    .proto = IP_PROTO_ICMPV6,
	                                    .sport = 135,
	                                    .payload = 24,
	                                    .ttl = 255});
	memcpy(ns, f.data, 86);
	memset(ns + 62, 0x11, 16);
	memcpy(ns + 78, "\x01\x01\x02\x00\x00\x00\x00\x09", 8);
	parse(ns, sizeof(ns));
	cr_assert_eq(key.tp_src, htobe16(135));
	cr_assert(key.flags & MKEY_EXT);
	cr_assert_eq(key.nd_target[15], 0x11);
	cr_assert_eq(key.nd_sll.b[5], 9);
	ns[79] = 0; /* an option of no length: nothing of it counts */
	parse(ns, sizeof(ns));
	cr_assert_eq(key.flags & MKEY_EXT, 0);
}

Test(parse, mpls_stack_and_pbb)
{
	static const uint8_t mpls[] = {2,    0, 0, 0, 0, 2, 2, 0,    0, 0, 0, 1, 0x88,
	                               0x47, 0, 1, 0, 9, 0, 2, 0x01, 8, 1, 1, 1, 1};
	static const uint8_t pbb[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xe7, 0xff, 1, 2, 3};

	parse(mpls, sizeof(mpls));
	cr_assert_eq(key.mpls[0], htobe32(0x00010009));
	cr_assert_eq(key.mpls[1], htobe32(0x00020108));
	cr_assert_eq(key.mpls[2], 0);
	parse(pbb, sizeof(pbb));
	cr_assert_eq(key.pbb_isid, htobe32(0x010203));
}

Test(crc32c, of_a_change_at_any_place)
{
	uint8_t before[300], after[300], difference[4];

	for (unsigned i = 0; i < sizeof(before); i++)
		before[i] = (uint8_t)(i * 31);
	for (unsigned at = 0; at + 4 <= sizeof(before); at += 37) {
		memcpy(after, before, sizeof(after));
		memcpy(after + at, "\x12\x34\x56\x78", 4);
		for (unsigned i = 0; i < 4; i++)
			difference[i] = before[at + i] ^ after[at + i];
		cr_assert_eq(frame_crc32c(before, sizeof(before)) ^
		                     crc32c_of_change(difference, 4, sizeof(before) - at - 4),
		             frame_crc32c(after, sizeof(after)));
	}
}

/* Random bytes over the headers of plain packets, cut at random: where the short way says yes, it says what
 * the long one says. */
Test(parse, the_short_way_agrees)
{
	static struct packet q;
	struct mkey shorter;
	unsigned seed = 1, agreed = 0;

	for (unsigned i = 0; i < 200000; i++) {
		uint32_t len;

		frame_make(&f, &(struct frame_spec){.proto = i & 1 ? IP_PROTO_TCP : IP_PROTO_UDP,
		                                    .sport = (uint16_t)i,
		                                    .payload = 30,
		                                    .vlan = i % 16 ? 0 : 5});
		for (unsigned n = (unsigned)rand_r(&seed) % 4; n; n--)
			f.data[12 + (unsigned)rand_r(&seed) % 44] = (uint8_t)rand_r(&seed);
		len = i % 4 ? f.len : f.len - (unsigned)rand_r(&seed) % 40;
		parse(f.data, len);
		packet_reset(&q);
		memcpy(q.head, f.data, len);
		q.head_len = (uint16_t)len;
		q.len = len;
		q.in_port = 7;
		memset(&shorter, 0x55, sizeof(shorter));
		if (!parse_plain(&q, &shorter))
			continue;
		agreed++;
		cr_assert_eq(memcmp(&shorter, &key, offsetof(struct mkey, tun_src)), 0, "frame %u", i);
		cr_assert(q.l3 == p.l3 && q.l4 == p.l4 && q.l3_kind == p.l3_kind && q.l4_proto == p.l4_proto);
	}
	cr_assert_gt(agreed, 20000);
}
