/* SPDX-License-Identifier: Apache-2.0 */
/* The rarer layers of packet_text: MPLS labels, I-TAGs, IPv6 extension headers, neighbour discovery. Called
 * by packet_text.c. */
#include <errno.h>
#include <string.h>

#include "base/wire.h"
#include "tests/pktgen/packet_kinds.h"

enum { HOPOPTS = 0, ROUTING = 43, FRAGMENT = 44, ESP = 50, AUTH = 51, DSTOPTS = 60 };

static void lay_mpls(struct frame_text *f, struct layer *l, uint8_t *p)
{
	be32 lse = htobe32(arg_number(f, l, "label", 0) << 12 | arg_number(f, l, "tc", 0) << 9 |
	                   arg_number(f, l, "ttl", 64));

	memcpy(p, &lse, 4);
}

static void finish_mpls(struct frame_text *f, unsigned i, uint8_t *p)
{
	const struct layer *behind = layer_behind(f, i);
	bool last = !behind || behind->kind != f->layers[i].kind;

	if (arg_number(f, &f->layers[i], "bos", last))
		p[2] |= 1;
}

static void lay_pbb(struct frame_text *f, struct layer *l, uint8_t *p)
{
	be32 tag = htobe32(arg_number(f, l, "pcp", 0) << 29 | arg_number(f, l, "isid", 0));

	memcpy(p, &tag, 4);
}

/* Hop-by-hop and destination options: one PadN. Routing: type 0 with nothing left. */
static void lay_options(struct frame_text *f, struct layer *l, uint8_t *p)
{
	memset(p, 0, 8);
	if (l->kind->proto == ROUTING)
		return;
	p[2] = 1;
	p[3] = 4;
}

static void lay_fragment(struct frame_text *f, struct layer *l, uint8_t *p)
{
	be16 offset = htobe16((uint16_t)(arg_number(f, l, "offset", 0) / 8 * 8 | arg_number(f, l, "mf", 0)));
	be32 id = htobe32(arg_number(f, l, "id", 0));

	memset(p, 0, 8);
	memcpy(p + 2, &offset, 2);
	memcpy(p + 4, &id, 4);
}

static void lay_auth(struct frame_text *f, struct layer *l, uint8_t *p)
{
	memset(p, 0, 16);
	p[1] = 2;
}

static void lay_esp(struct frame_text *f, struct layer *l, uint8_t *p)
{
	memset(p, 0x11, 8);
}

static void finish_extension(struct frame_text *f, unsigned i, uint8_t *p)
{
	const struct layer *behind = layer_behind(f, i);

	p[0] = (uint8_t)arg_number(f, &f->layers[i], "next",
	                           behind && behind->kind->proto != NO_PROTO ? (uint32_t)behind->kind->proto
	                                                                     : 59);
}

static void lay_nd(struct frame_text *f, struct layer *l, uint8_t *p)
{
	static const char *const options[] = {"sll", "tll"};
	struct ip_addr target = arg_ip(f, l, "target", false);

	memcpy(p, target.b, 16);
	p += 16;
	for (unsigned i = 0; i < 2; i++) {
		struct mac m = arg_mac(f, l, options[i]);

		if (!arg(l, options[i]))
			continue;
		p[0] = (uint8_t)(i + 1);
		p[1] = 1;
		memcpy(p + 2, &m, 6);
		p += 8;
		f->len += 8;
	}
}

const struct kind packet_chain_kinds[] = {
        {"mpls", 4, ETH_TYPE_MPLS, NO_PROTO, lay_mpls, finish_mpls},
        {"pbb", 4, ETH_TYPE_PBB, NO_PROTO, lay_pbb, NULL},
        {"hopopts", 8, 0, HOPOPTS, lay_options, finish_extension},
        {"dstopts", 8, 0, DSTOPTS, lay_options, finish_extension},
        {"routing", 8, 0, ROUTING, lay_options, finish_extension},
        {"fragment", 8, 0, FRAGMENT, lay_fragment, finish_extension},
        {"auth", 16, 0, AUTH, lay_auth, finish_extension},
        {"esp", 8, 0, ESP, lay_esp, NULL},
        {"nd", 16, 0, NO_PROTO, lay_nd, NULL},
        {0},
};
