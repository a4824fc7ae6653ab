/* SPDX-License-Identifier: Apache-2.0 */
/* The control thread's end of the rings: what workers report, and frames to be sent out. Part of datapath.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "datapath/parse.h"
#include "datapath/report_private.h"

enum { POLL_BUDGET = 1024 }; /* records of one worker and ring in one call */

static bool drain_learned(struct datapath *dp, struct worker *w, uint64_t now)
{
	uint32_t len;

	for (unsigned i = 0; i < POLL_BUDGET; i++) {
		const struct learn_report *r = record_ring_peek(&w->learned, &len);

		if (!r)
			return false;
		/* The port may have gone meanwhile. */
		if (dp->by_number[mkey_port(r->port)])
			fdb_learn(dp->fdb, r->vlan, r->mac, r->port, now);
		record_ring_pop(&w->learned);
	}
	return true;
}

static void put_address(const struct ip_addr *a, be32 *v4, uint8_t v6[16])
{
	bool is_v4 = ip_is_v4(a);

	*v4 = is_v4 ? ip_to_v4(a) : 0;
	memset(v6, 0, 16);
	if (!is_v4)
		memcpy(v6, a->b, 16);
}

/* Behind the tracker's key as it came back the walk has gone on. */
static void set_state(struct flow_key *key, const struct program_controller *place, const uint8_t *regs)
{
	key->metadata = htobe64(place->metadata);
	key->pkt_mark = place->pkt_mark;
	key->in_port = place->in_port_set ? place->in_port : key->in_phy_port;
	key->tun_id = place->tun_id;
	memset(key->regs, 0, sizeof(key->regs));
	memcpy(key->regs, regs, place->regs_len);
	if (!place->tracked)
		flow_key_forget_connection(key);
}

static void tell(struct datapath *dp, const struct packet_report *r)
{
	const struct datapath_events *ev = &dp->config.events;
	const uint8_t *resume = (const uint8_t *)(r + 1) + r->place.regs_len;
	const uint8_t *userdata = resume + r->place.resume_len;
	struct flow_key key;
	struct datapath_packet_in in = {
	        .place = &r->place,
	        .key = &key,
	        .resume = r->place.resume_len ? (const struct program_resume *)resume : NULL,
	        .userdata = userdata,
	        .data = userdata + r->place.userdata_len,
	        .len = r->len,
	        .total_len = r->total_len,
	};

	mkey_expand(&r->key, &key);
	set_state(&key, &r->place, (const uint8_t *)(r + 1));
	put_address(&r->tunnel.src, &key.tun_src, key.tun_ipv6_src);
	put_address(&r->tunnel.dst, &key.tun_dst, key.tun_ipv6_dst);
	ev->packet_in(ev->arg, &in);
}

static bool drain_reports(struct datapath *dp, struct worker *w)
{
	const struct datapath_events *ev = &dp->config.events;
	uint32_t len;

	for (unsigned i = 0; i < POLL_BUDGET; i++) {
		const struct report_head *r = record_ring_peek(&w->reports, &len);

		if (!r)
			return false;
		if (!r->is_flow_report && ev->packet_in)
			tell(dp, (const struct packet_report *)r);
		else if (r->is_flow_report && ev->flow_report)
			ev->flow_report(ev->arg, (const struct program_report *)(r + 1));
		record_ring_pop(&w->reports);
	}
	return true;
}

bool datapath_poll(struct datapath *dp)
{
	uint64_t count, now = clock_now();
	bool more = false;

	if (__atomic_load_n(&dp->notified, __ATOMIC_ACQUIRE)) {
		(void)!read(dp->report_fd, &count, sizeof(count));
		__atomic_store_n(&dp->notified, false, __ATOMIC_SEQ_CST);
	}
	for (unsigned i = 0; i < dp->config.nworkers; i++) {
		more |= drain_learned(dp, dp->workers[i], now);
		more |= drain_reports(dp, dp->workers[i]);
	}
	return more;
}

int datapath_packet_out(struct datapath *dp, uint32_t in_port, const struct program *program,
                        const void *data, uint32_t len)
{
	struct worker *w = dp->workers[0];
	uint32_t bytes = (program->bytes + 15u) & ~15u, total;
	struct inject_record *r;

	if (len < sizeof(struct eth_header))
		return -EINVAL;
	if (len > PACKET_IN_MAX)
		return -EMSGSIZE;
	total = (uint32_t)sizeof(*r) + bytes + len;
	r = record_ring_reserve(&w->inject, total);
	if (!r)
		return -ENOBUFS;
	*r = (struct inject_record){.in_port = in_port, .len = len, .program_bytes = bytes};
	memcpy(r + 1, program, program->bytes);
	memcpy((uint8_t *)(r + 1) + bytes, data, len);
	record_ring_commit(&w->inject, total);
	worker_wake(w);
	return 0;
}

uint64_t datapath_packets_out(const struct datapath *dp)
{
	return dp->workers[0]->inject.head;
}

bool datapath_packets_left(const struct datapath *dp, uint64_t until)
{
	return __atomic_load_n(&dp->workers[0]->inject.tail, __ATOMIC_ACQUIRE) >= until;
}

void datapath_packet_key(uint32_t in_port, const void *data, uint32_t len, struct flow_key *key)
{
	struct packet p;
	struct mkey packed;

	packet_reset(&p);
	p.len = len;
	p.head_len = (uint16_t)(len < PACKET_HEAD_MAX ? len : PACKET_HEAD_MAX);
	memcpy(p.head, data, p.head_len);
	if (len > p.head_len)
		p.segs[p.nsegs++] = (struct packet_seg){(const uint8_t *)data + p.head_len, len - p.head_len};
	p.in_port = in_port;
	parse_packet(&p, &packed);
	mkey_expand(&packed, key);
	key->pkt_len = len;
}
