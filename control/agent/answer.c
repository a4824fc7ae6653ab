/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask, what is asked, and the headers of answers; see answer.h. Called by agent.c. */
#include "control/agent/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/clock.h"

enum { BUCKETS = 65536 }; /* one a port number */

struct bucket {
	uint64_t at; /* when `tokens` was right */
	double tokens;
};

struct answerer {
	struct bucket buckets[BUCKETS];
};

struct answerer *answerer_create(void)
{
	return calloc(1, sizeof(struct answerer));
}

void answerer_destroy(struct answerer *a)
{
	free(a);
}

static bool may_ask(struct answerer *a, uint32_t port)
{
	struct bucket *b = &a->buckets[port % BUCKETS];
	uint64_t now = clock_now();
	double earned = (double)(now - b->at) * ANSWER_RATE / (double)CLOCK_SECOND;

	b->tokens = b->at ? b->tokens + earned : ANSWER_BURST;
	if (b->tokens > ANSWER_BURST)
		b->tokens = ANSWER_BURST;
	b->at = now;
	if (b->tokens < 1)
		return false;
	b->tokens -= 1;
	return true;
}

static bool parse_v4(const uint8_t *l3, size_t len, struct question_frame *f)
{
	const struct ipv4_header *ip = (const struct ipv4_header *)l3;
	size_t header, total;

	if (len < sizeof(*ip))
		return false;
	header = (size_t)(ip->version_ihl & 15) * 4;
	total = be16toh(ip->total_len);
	if (ip->version_ihl >> 4 != 4 || header < sizeof(*ip) || total < header || total > len ||
	    (be16toh(ip->frag) & 0x1fff))
		return false;
	f->ip4 = ip;
	f->proto = ip->proto;
	f->l4 = l3 + header;
	f->l4_len = total - header;
	f->l3_len = total;
	return true;
}

static bool parse_v6(const uint8_t *l3, size_t len, struct question_frame *f)
{
	const struct ipv6_header *ip = (const struct ipv6_header *)l3;
	size_t payload;

	if (len < sizeof(*ip))
		return false;
	payload = be16toh(ip->payload_len);
	if (be32toh(ip->version_tc_flow) >> 28 != 6 || payload > len - sizeof(*ip))
		return false;
	f->ip6 = ip;
	f->proto = ip->next_header;
	f->l4 = l3 + sizeof(*ip);
	f->l4_len = payload;
	f->l3_len = sizeof(*ip) + payload;
	return true;
}

bool frame_parse(const uint8_t *bytes, size_t len, struct question_frame *f)
{
	*f = (struct question_frame){.eth = (const struct eth_header *)bytes};
	if (len < sizeof(*f->eth))
		return false;
	f->l3 = bytes + sizeof(*f->eth);
	if (f->eth->type == htobe16(ETH_TYPE_IPV4))
		return parse_v4(f->l3, len - sizeof(*f->eth), f);
	return f->eth->type == htobe16(ETH_TYPE_IPV6) && parse_v6(f->l3, len - sizeof(*f->eth), f);
}

size_t answer_packet(struct answerer *a, const struct scene *s, enum punt about, uint32_t in_port,
                     const uint8_t *bytes, size_t len, uint8_t *reply)
{
	static size_t (*const answers[])(const struct question *q, uint8_t *reply) = {
	        [PUNT_DHCP4] = answer_dhcp4, [PUNT_DHCP6] = answer_dhcp6,
	        [PUNT_ND] = answer_nd,       [PUNT_ROUTER_SOLICIT] = answer_router_solicit,
	        [PUNT_ECHO] = answer_echo,   [PUNT_TTL] = answer_ttl,
	};
	struct question_frame f;
	struct question q = {s, scene_port_by_number(s, in_port), &f};

	if (!q.port || about == PUNT_NONE || about >= sizeof(answers) / sizeof(answers[0]) ||
	    !may_ask(a, in_port) || !frame_parse(bytes, len, &f))
		return 0;
	return answers[about](&q, reply);
}

/* ---- headers ---- */

static uint8_t *put_eth(uint8_t *reply, struct mac src, struct mac dst, uint16_t type)
{
	struct eth_header eth = {dst, src, htobe16(type)};

	memcpy(reply, &eth, sizeof(eth));
	return reply + sizeof(eth);
}

static size_t put_ip4(uint8_t *reply, struct mac src, struct mac dst, be32 from, be32 to, uint8_t proto,
                      size_t len)
{
	struct ipv4_header ip = {
	        .version_ihl = 0x45,
	        .total_len = htobe16((uint16_t)(sizeof(ip) + len)),
	        .frag = htobe16(0x4000),
	        .ttl = 64,
	        .proto = proto,
	        .src = from,
	        .dst = to,
	};

	ip.csum = csum_finish(csum_bytes(&ip, sizeof(ip)));
	memcpy(put_eth(reply, src, dst, ETH_TYPE_IPV4), &ip, sizeof(ip));
	return sizeof(struct eth_header) + sizeof(ip) + len;
}

size_t put_udp4(uint8_t *reply, struct mac src, struct mac dst, be32 from, be32 to, uint16_t sport,
                uint16_t dport, size_t len)
{
	struct udp_header udp = {htobe16(sport), htobe16(dport), htobe16((uint16_t)(sizeof(udp) + len)), 0};
	uint8_t *at = reply + sizeof(struct eth_header) + sizeof(struct ipv4_header);
	uint64_t sum = csum_pseudo4(from, to, IP_PROTO_UDP, (uint16_t)(sizeof(udp) + len));

	memcpy(at, &udp, sizeof(udp));
	sum = csum_add(sum, csum_bytes(at, sizeof(udp) + len));
	udp.csum = csum_finish_udp(sum);
	memcpy(at, &udp, sizeof(udp));
	return put_ip4(reply, src, dst, from, to, IP_PROTO_UDP, sizeof(udp) + len);
}

size_t put_icmp4(uint8_t *reply, struct mac src, struct mac dst, be32 from, be32 to, size_t len)
{
	uint8_t *at = reply + sizeof(struct eth_header) + sizeof(struct ipv4_header);
	be16 csum;

	memset(at + 2, 0, 2);
	csum = csum_finish(csum_bytes(at, len));
	memcpy(at + 2, &csum, 2);
	return put_ip4(reply, src, dst, from, to, IP_PROTO_ICMP, len);
}

size_t put_ip6(uint8_t *reply, struct mac src, struct mac dst, const struct ip_addr *from,
               const struct ip_addr *to, uint8_t proto, size_t csum_at, uint8_t hops, size_t len)
{
	struct ipv6_header ip = {
	        .version_tc_flow = htobe32(6u << 28),
	        .payload_len = htobe16((uint16_t)len),
	        .next_header = proto,
	        .hop_limit = hops,
	};
	uint8_t *at = reply + sizeof(struct eth_header) + sizeof(ip);
	be16 csum;

	memcpy(ip.src, from->b, 16);
	memcpy(ip.dst, to->b, 16);
	memcpy(put_eth(reply, src, dst, ETH_TYPE_IPV6), &ip, sizeof(ip));
	memset(at + csum_at, 0, 2);
	csum = csum_finish_udp(
	        csum_add(csum_pseudo6(ip.src, ip.dst, proto, (uint32_t)len), csum_bytes(at, len)));
	memcpy(at + csum_at, &csum, 2);
	return sizeof(struct eth_header) + sizeof(ip) + len;
}
