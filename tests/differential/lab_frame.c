/* SPDX-License-Identifier: Apache-2.0 */
/* Probes as bytes, bare and in a tunnel; see lab.h. */
#include <string.h>

#include "tests/differential/lab_private.h"

static uint32_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += (uint32_t)p[n - 1] << 8;
	return sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

/* The head of a packet, as an ICMP error quotes it. */
static size_t put_quoted(const struct lab_tuple *t, uint8_t *l3)
{
	uint8_t *l4 = l3 + (t->v6 ? 40 : 20);

	memset(l3, 0, t->v6 ? 48 : 28);
	if (t->v6) {
		memcpy(l3, (uint8_t[]){0x60, 0, 0, 0, 0, 12, t->proto, 64}, 8);
		memcpy(l3 + 8, t->from, 16);
		memcpy(l3 + 24, t->to, 16);
	} else {
		memcpy(l3, (uint8_t[]){0x45, 0, 0, 32, 0, 0, 0, 0, 64, t->proto}, 10);
		memcpy(l3 + 12, t->from, 4);
		memcpy(l3 + 16, t->to, 4);
		put_sum(l3 + 10, sum16(l3, 20, 0));
	}
	if (t->proto == ICMP || t->proto == ICMP6)
		l4[0] = t->type;
	else
		memcpy(l4,
		       (uint8_t[]){(uint8_t)(t->sport >> 8), (uint8_t)t->sport, (uint8_t)(t->dport >> 8),
		                   (uint8_t)t->dport},
		       4);
	return (size_t)(l4 + 8 - l3);
}

static size_t put_l4(const struct probe *p, uint8_t *l4)
{
	size_t len = p->kind == PROBE_ND ? 32 : p->proto == TCP ? 24 : 12;

	memset(l4, 0, len);
	if (p->quotes) {
		l4[0] = p->type;
		l4[1] = 3;
		return 8 + put_quoted(&p->about, l4 + 8);
	}
	if (p->kind == PROBE_ND || p->proto == ICMP || p->proto == ICMP6) {
		l4[0] = p->type;
		l4[7] = (uint8_t)p->id;
	} else {
		l4[0] = (uint8_t)(p->sport >> 8);
		l4[1] = (uint8_t)p->sport;
		l4[2] = (uint8_t)(p->dport >> 8);
		l4[3] = (uint8_t)p->dport;
	}
	if (p->kind == PROBE_ND) {
		memcpy(l4 + 8, p->to, 16); /* the target */
		l4[24] = p->type == 135 ? 1 : 2;
		l4[25] = 1;
		memcpy(l4 + 26, p->sha, 6);
	} else if (p->proto == TCP) {
		l4[12] = 0x50;
		l4[13] = p->type;
		l4[14] = l4[15] = 0xff; /* all of it is within the window */
		l4[22] = (uint8_t)p->id;
	} else if (p->proto == UDP) {
		l4[5] = (uint8_t)len;
		l4[10] = (uint8_t)(p->id >> 8);
		l4[11] = (uint8_t)p->id;
	}
	return len;
}

static uint32_t put_ip(const struct probe *p, uint8_t *l3)
{
	uint8_t *l4 = l3 + (p->v6 ? 40 : 20);
	size_t len = put_l4(p, l4), n = p->v6 ? 16 : 4;
	size_t csum = p->proto == UDP ? 6 : p->proto == TCP ? 16 : 2;
	uint32_t sum = sum16(l4, len, 0);

	memset(l3, 0, p->v6 ? 40 : 20);
	if (p->v6) {
		l3[0] = 0x60;
		l3[5] = (uint8_t)len;
		l3[6] = p->proto;
		l3[7] = p->ttl;
		memcpy(l3 + 8, p->from, 16);
		memcpy(l3 + 24, p->kind == PROBE_ND ? (const uint8_t[16]){0xff, 2, [15] = 1} : p->to, 16);
	} else {
		l3[0] = 0x45;
		l3[3] = (uint8_t)(20 + len);
		l3[8] = p->ttl;
		l3[9] = p->proto;
		memcpy(l3 + 12, p->from, 4);
		memcpy(l3 + 16, p->to, 4);
		put_sum(l3 + 10, sum16(l3, 20, 0));
	}
	if (p->proto != ICMP)
		sum = sum16(l3 + (p->v6 ? 8 : 12), 2 * n, sum + p->proto + (uint32_t)len);
	put_sum(l4 + csum, sum);
	return (uint32_t)(l4 + len - l3);
}

static uint32_t put_arp(const struct probe *p, uint8_t *l3)
{
	memcpy(l3, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, p->type}, 8);
	memcpy(l3 + 8, p->sha, 6);
	memcpy(l3 + 14, p->from, 4);
	memcpy(l3 + 18, p->type == 2 ? p->dst : (const uint8_t[6]){0}, 6);
	memcpy(l3 + 24, p->to, 4);
	return 28;
}

uint32_t lab_put_frame(const struct probe *p, uint8_t *out)
{
	uint16_t type = p->kind == PROBE_ARP    ? 0x0806
	                : p->kind == PROBE_JUNK ? (uint16_t)p->id | 0x8800
	                : p->v6                 ? 0x86dd
	                                        : 0x0800;
	uint8_t *at = out + 12;
	uint32_t len;

	memcpy(out, p->dst, 6);
	memcpy(out + 6, p->src, 6);
	if (p->tagged) {
		memcpy(at, (uint8_t[]){0x81, 0, 0, 5}, 4);
		at += 4;
	}
	*at++ = (uint8_t)(type >> 8);
	*at++ = (uint8_t)type;
	if (p->kind == PROBE_JUNK)
		memset(at, (int)p->id, len = 60);
	else
		len = p->kind == PROBE_ARP ? put_arp(p, at) : put_ip(p, at);
	return (uint32_t)(at - out) + len;
}

uint32_t lab_wrap(uint8_t *out, const struct lab_tunnel *t, const uint8_t *frame, uint32_t len)
{
	uint8_t *ip = out + 14, *udp = ip + 20;
	uint32_t ip_len = 20 + 8 + 8 + len;

	memset(out, 0, LAB_WRAPPED - LAB_FRAME);
	memcpy(out, (uint8_t[]){2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, 8, 0}, 14);
	memcpy(ip, (uint8_t[]){0x45, 0, (uint8_t)(ip_len >> 8), (uint8_t)ip_len, 0, 0, 0x40, 0, 64, UDP}, 10);
	memcpy(ip + 12, (uint8_t[]){172, 31, 0, t->from, 172, 31, 0, t->to}, 8);
	put_sum(ip + 10, sum16(ip, 20, 0));
	memcpy(udp, (uint8_t[]){0xc0, 0, 0x12, 0xb5, (uint8_t)((ip_len - 20) >> 8), (uint8_t)(ip_len - 20)},
	       6);
	udp[8] = 8; /* the I flag */
	memcpy(udp + 12, (uint8_t[]){(uint8_t)(t->vni >> 16), (uint8_t)(t->vni >> 8), (uint8_t)t->vni}, 3);
	memcpy(udp + 16, frame, len);
	return 14 + ip_len;
}
