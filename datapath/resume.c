/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that come back from the connection tracker; see resume.h. Called by actions.c and the pipeline. */
#include "datapath/resume.h"

#include <string.h>

#include <rte_branch_prediction.h>

#include "datapath/actions.h"
#include "datapath/ct/conntrack.h"
#include "datapath/parse.h"
#include "datapath/track.h"
#include "flows/continuation.h"
#include "flows/dp/tables.h"
#include "ports/segment.h"

enum { PREFETCH_FROM = 1024 };

/* ---- the key ---- */

/* The tunnel that the packet came in by, and what actions have made of it. */
static void set_tunnel(struct mkey *k, const struct mkey *came, const struct program_next *next)
{
	if (!(k->flags & MKEY_EXT))
		memset((uint64_t *)k + MKEY_WORDS, 0, MKEY_EXT_WORDS * 8);
	if (came->flags & MKEY_EXT)
		memcpy(&k->tun_src, &came->tun_src,
		       offsetof(struct mkey, vlan_tpid) - offsetof(struct mkey, tun_src));
	if (next->tunnel_set & NEXT_TUN_SRC)
		k->tun_src = next->tun_src;
	if (next->tunnel_set & NEXT_TUN_DST)
		k->tun_dst = next->tun_dst;
	if (next->tunnel_set & NEXT_TUN_IPV6_SRC)
		memcpy(k->tun_ipv6_src, next->tun_ipv6_src, sizeof(k->tun_ipv6_src));
	if (next->tunnel_set & NEXT_TUN_IPV6_DST)
		memcpy(k->tun_ipv6_dst, next->tun_ipv6_dst, sizeof(k->tun_ipv6_dst));
	if (next->tunnel_set & NEXT_TUN_FLAGS)
		k->tun_flags = next->tun_flags;
	k->flags |= MKEY_EXT;
}

/* The reverse of what set_connection() writes. */
static struct ip_addr address(const struct mkey *k, const uint8_t *b)
{
	struct ip_addr a;
	be32 v4;

	memcpy(a.b, b, sizeof(a.b));
	memcpy(&v4, b, sizeof(v4));
	return k->eth_type == htobe16(ETH_TYPE_IPV4) && v4 ? ip_from_v4(v4) : a;
}

static void set_connection(struct mkey *k, const struct ct_facts *f)
{
	k->ct_state = f->state;
	k->ct_mark = f->mark;
	memcpy(k->ct_label, f->label, sizeof(k->ct_label));
	k->ct_zone = htobe16(f->zone);
	k->ct_proto = f->orig.proto;
	k->ct_tp_src = f->orig.tp_src;
	k->ct_tp_dst = f->orig.tp_dst;
	memset(k->ct_src, 0, sizeof(k->ct_src) + sizeof(k->ct_dst));
	if (ip_is_v4(&f->orig.src)) {
		memcpy(k->ct_src, f->orig.src.b + 12, 4);
		memcpy(k->ct_dst, f->orig.dst.b + 12, 4);
	} else {
		memcpy(k->ct_src, f->orig.src.b, 16);
		memcpy(k->ct_dst, f->orig.dst.b, 16);
	}
}

/* What the packet is known for when it comes to the tracker. */
static void know(struct exec *x, bool afresh)
{
	const struct mkey *k = x->key;
	struct ct_facts *f = &x->facts;

	if (x->tracked && !afresh)
		return;
	memset(f, 0, sizeof(*f));
	x->tracked = true;
	if (afresh || !(k->flags & MKEY_RESUMED))
		return;
	f->state = k->ct_state;
	f->mark = k->ct_mark;
	memcpy(f->label, k->ct_label, sizeof(f->label));
	f->zone = be16toh(k->ct_zone);
	f->orig.proto = k->ct_proto;
	f->orig.tp_src = k->ct_tp_src;
	f->orig.tp_dst = k->ct_tp_dst;
	f->orig.src = address(k, k->ct_src);
	f->orig.dst = address(k, k->ct_dst);
}

/* The headers are read again: actions and the tracker have changed them. */
static void make_key(struct mkey *k, struct packet *p, const struct mkey *came,
                     const struct program_next *next, const struct ct_facts *facts)
{
	struct packet_tunnel tunnel = p->tunnel;

	p->tunnel = (struct packet_tunnel){0}; /* the one to leave by is none that it came in by */
	parse_packet(p, k);
	p->tunnel = tunnel;
	k->tun_id = came->tun_id;
	if ((came->flags & MKEY_EXT) || next->tunnel_set)
		set_tunnel(k, came, next);
	k->flags |= MKEY_RESUMED | (came->flags & MKEY_INJECTED);
	k->metadata = next->metadata;
	k->set_tun_id = next->tun_id;
	memcpy(k->regs, next->regs, sizeof(k->regs));
	k->set_in_port = next->in_port;
	k->pkt_mark = next->pkt_mark;
	k->table_id = next->table_id;
	set_connection(k, facts);
}

/* ---- into the list ---- */

/* A place at the end of the list, and a packet that is ours; NULL: no room, counted. */
static struct resumed *enlist(struct exec *x, bool last)
{
	struct worker *w = x->w;
	struct resumed *r = &w->resumed[(w->resumed_first + w->nresumed) % RESUMED_MAX];
	struct packet *p = x->p;

	if (x->depth >= RESUME_DEPTH_MAX) {
		worker_drop(w, p, DROP_RESUBMIT_LIMIT);
		return NULL;
	}
	if (w->nresumed == RESUMED_MAX || !w->resumes_left) {
		worker_drop(w, p, DROP_OUTPUT_LIMIT);
		return NULL;
	}
	if (!last) {
		p = clone_get(w);
		if (!p) {
			worker_drop(w, x->p, DROP_OUTPUT_LIMIT);
			return NULL;
		}
		packet_snapshot(p, x->p);
	}
	x->queued = last;
	w->nresumed++;
	w->resumes_left--;
	r->p = p;
	r->depth = x->depth + 1;
	return r;
}

static const struct ct_order *order_of(const struct program *program, const struct op *op)
{
	return (const struct ct_order *)program_data(program, op->arg16);
}

/* With few connections all of them are near already. */
void ct_prefetch(struct worker *w, unsigned n)
{
	const uint32_t *outputs = cache_outputs(w->cache);
	uint32_t found[BATCH_MAX];
	unsigned tracked = 0;

	if (likely(!w->tracking) || conntrack_count(w->dp->ct) < PREFETCH_FROM)
		return;
	for (unsigned i = 0; i < n; i++) {
		const struct program *p = w->programs[i];
		const struct op *op = program_ops(p);

		if (!outputs[i] && p->nops && op->type == OP_CT)
			found[tracked++] = track_prefetch(w, &w->keys[i], order_of(p, op)->zone);
	}
	for (unsigned i = 0; i < tracked; i++)
		conntrack_prefetch_found(w->dp->ct, found[i]);
}

void ct_execute(struct exec *x, const struct program *program, const struct op *op, bool last)
{
	const struct ct_order *order = order_of(program, op);
	const struct program_next *next = (const struct program_next *)(order + 1);
	struct resumed *r;

	x->w->tracking = true;
	know(x, order->flags & CT_AFRESH);
	track_packet(x->w, x->p, order, &x->facts);
	if (!(order->flags & CT_NEXT))
		return;
	r = enlist(x, last);
	if (!r)
		return;
	make_key(&r->key, r->p, x->key, next, &x->facts);
	r->more = next->more;
	memcpy(r->rest, next + 1, next->more);
}

/* ---- and out of it ---- */

/* What is taken stays there until the next one is enlisted. An empty list begins again with places that are
 * in the first-level cache. */
static struct resumed *take(struct worker *w)
{
	struct resumed *r = &w->resumed[w->resumed_first];

	w->nresumed--;
	w->resumed_first = w->nresumed ? (w->resumed_first + 1) % RESUMED_MAX : 0;
	return r;
}

/* A stack or an action set is no part of the key, and the cache's masks are for packets of ports. */
static bool goes_alone(const struct resumed *r)
{
	return r->more || (r->key.flags & MKEY_INJECTED);
}

static void resume_alone(struct worker *w)
{
	struct resumed *r = take(w);
	struct continuation more;
	const struct program *program;
	struct packet *p = r->p;
	struct mkey key = r->key;
	unsigned depth = r->depth;

	continuation_init(&more);
	if (r->more && program_resume_read((const struct program_resume *)r->rest, &more)) {
		worker_drop(w, p, DROP_PROGRAM_LIMIT);
		clone_put(w, p);
		return;
	}
	program = cache_continue(w->cache, w->now, &key, p->len, segment_frame_len(p), &more);
	actions_execute(w, p, &key, program, depth);
	continuation_free(&more);
}

/* As many as go together. */
static void resume_batch(struct worker *w)
{
	struct packet *pkts[BATCH_MAX];
	unsigned depths[BATCH_MAX], n = 0;

	while (n < BATCH_MAX && w->nresumed && !goes_alone(&w->resumed[w->resumed_first])) {
		const struct resumed *r = take(w);

		pkts[n] = r->p;
		depths[n] = r->depth;
		w->keys[n] = r->key;
		w->lens[n++] = r->p->len;
	}
	w->looked_up = pkts;
	cache_lookup(w->cache, w->now, w->keys, w->lens, n, w->programs);
	ct_prefetch(w, n);
	for (unsigned i = 0; i < n; i++)
		actions_execute(w, pkts[i], &w->keys[i], w->programs[i], depths[i]);
}

void resume_all(struct worker *w)
{
	while (w->nresumed)
		if (goes_alone(&w->resumed[w->resumed_first]))
			resume_alone(w);
		else
			resume_batch(w);
	w->resumes_left = RESUMES_MAX;
}
