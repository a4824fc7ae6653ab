/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes from an uplink into decap. The first byte says where the private head ends, the second where a
 * segment is cut; the rest is the packet. What is accepted must be consistent. */
#include <stdlib.h>

#include "base/checksum.h"
#include "base/wire.h"
#include "base/dp/packet.h"
#include "overlay/vxlan/allow.h"
#include "overlay/vxlan/vxlan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vxlan_vtep vtep;

static void make_vtep(void)
{
	vtep.config.vni_flow = true;
	ip_parse("172.31.0.1", &vtep.config.local4);
	ip_parse("fd00::1", &vtep.config.local6);
	if (vxlan_allow_parse("any", &vtep.allow, NULL))
		abort();
}

/* Lets random input past the checks that chance never meets: the address, and the IPv4 header checksum. */
static void help(uint8_t *frame, size_t len)
{
	struct ipv4_header *ip = (void *)(frame + 14);

	if (len < 14 + sizeof(struct ipv6_header))
		return;
	if (frame[13] == 0) {
		frame[12] = 8;
		ip->dst = ip_to_v4(&vtep.config.local4);
		ip->csum = 0;
		if (14 + (ip->version_ihl & 15) * 4u <= len)
			ip->csum = csum_finish(csum_bytes(ip, (ip->version_ihl & 15) * 4u));
	} else if (frame[13] == 0xdd) {
		frame[12] = 0x86;
		memcpy(((struct ipv6_header *)ip)->dst, vtep.config.local6.b, 16);
	}
}

static void check(const struct packet *p, uint32_t len)
{
	uint32_t sum = p->head_len;
	static uint8_t out[65536];

	for (unsigned i = 0; i < p->nsegs; i++)
		sum += p->segs[i].len;
	if (sum != p->len || p->len < 14 || p->len > len - 36 - 14 || p->tunnel.id > 0xffffff || p->flags ||
	    p->gso)
		abort();
	packet_copy_out(p, 0, p->len, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vxlan_vtep *vteps[] = {&vtep};
	uint32_t len, head, cut;
	struct packet p;
	struct vxlan_memory memory = {0};
	unsigned which;
	uint8_t *frame;
	int drop[2];

	if (!vtep.allow)
		make_vtep();
	if (size < 3 || size > 4096)
		return 0;
	len = (uint32_t)size - 2;
	head = data[0] % (PACKET_HEAD_FIRST + 1) < len ? data[0] % (PACKET_HEAD_FIRST + 1) : len;
	cut = head + (len - head) * data[1] / 256;
	frame = malloc(len); /* exactly as long, so that ASan sees a read behind it */
	memcpy(frame, data + 2, len);
	help(frame, len);
	/* The second time it is known. */
	for (int again = 0; again < 2; again++) {
		packet_reset(&p);
		memcpy(p.head, frame, head);
		p.head_len = (uint16_t)head;
		p.len = len;
		if (cut > head)
			p.segs[p.nsegs++] = (struct packet_seg){frame + head, cut - head};
		if (len > cut)
			p.segs[p.nsegs++] = (struct packet_seg){frame + cut, len - cut};
		drop[again] = vxlan_decap(vteps, 1, &memory, &p, &which);
		if (drop[again] == VXLAN_OK)
			check(&p, len);
	}
	if (drop[0] != drop[1])
		abort();
	free(frame);
	return 0;
}
