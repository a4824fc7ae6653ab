/* SPDX-License-Identifier: Apache-2.0 */
/* The model's meters: a bucket of tokens for each band, filled by the clock. */
#include <string.h>

#include "base/clock.h"
#include "tests/differential/model_run.h"

struct model_meter *model_meter(struct model *m, uint32_t id)
{
	for (unsigned i = 0; i < m->nmeters; i++)
		if (m->meters[i].mod.meter_id == id)
			return &m->meters[i];
	return NULL;
}

/* Tokens are billionths of a packet or a bit: what a rate of 1 yields in a nanosecond. */
static int64_t tokens(const struct model_meter *m, uint32_t packets, uint32_t bytes)
{
	return m->mod.flags & METER_PKTPS ? packets * (int64_t)CLOCK_SECOND : bytes * 8 * (int64_t)CLOCK_MS;
}

/* Without a burst of its own a band holds what a tenth of a second yields, but at least one packet. */
static int64_t depth(const struct model_meter *m, unsigned band)
{
	const struct meter_band *b = &m->mod.bands[band];
	int64_t least = m->mod.flags & METER_PKTPS ? CLOCK_SECOND : 0;
	int64_t n = m->mod.flags & METER_BURST ? b->burst * (int64_t)CLOCK_SECOND
	                                       : b->rate * (int64_t)CLOCK_SECOND / 10;

	return n > least ? n : least;
}

void model_meter_mod(struct model *m, const struct meter_mod *mm, uint64_t now)
{
	struct model_meter *meter = model_meter(m, mm->meter_id);

	if (!meter) {
		meter = &m->meters[m->nmeters++];
		memset(meter, 0, sizeof(*meter));
	}
	meter->mod = *mm;
	meter->filled = now;
	memset(meter->bands, 0, sizeof(meter->bands));
	for (unsigned i = 0; i < mm->n_bands; i++)
		meter->tokens[i] = depth(meter, i);
}

static void fill(struct model_meter *m, uint64_t now)
{
	for (unsigned i = 0; i < m->mod.n_bands; i++) {
		m->tokens[i] += (int64_t)(m->mod.bands[i].rate * (now - m->filled));
		if (m->tokens[i] > depth(m, i))
			m->tokens[i] = depth(m, i);
	}
	m->filled = now;
}

static void count(struct model_count *c, uint32_t bytes)
{
	c->packets++;
	c->bytes += bytes;
}

/* Assured Forwarding only: the drop precedence grows, to 3 at most (RFC 2597). */
static void remark(struct run *r, uint8_t levels)
{
	static const struct field_value six = {.b = {[15] = 0x3f}};
	struct flow_key k = run_key(r);
	unsigned dscp = k.nw_tos >> 2, class = dscp / 8, precedence = dscp % 8 / 2;
	struct field_value value;

	if ((k.eth_type != htobe16(ETH_TYPE_IPV4) && k.eth_type != htobe16(ETH_TYPE_IPV6)) || class < 1 ||
	    class > 4 || !precedence || dscp % 2)
		return;
	precedence = precedence + levels > 3 ? 3 : precedence + levels;
	value = value_from_u64(class * 8 + precedence * 2);
	model_set(&r->frame, FIELD_IP_DSCP, &value, &six);
	r->remarked = true;
}

void run_meter(struct run *r, uint32_t id)
{
	uint32_t bytes = r->frame.len;
	struct model_meter *m = NULL;
	int band = -1;

	r->out->cost++;
	for (unsigned i = 0; i < r->m->nmeters; i++)
		if (r->out->meters[i].mod.meter_id == id)
			m = &r->out->meters[i];
	if (r->muted || !m)
		return;
	fill(m, r->m->now);
	count(&m->count, bytes);
	for (unsigned i = 0; i < m->mod.n_bands; i++) {
		int64_t price = tokens(m, 1, bytes);

		/* what costs more than the bucket holds passes when it is full */
		if (m->tokens[i] >= (price < depth(m, i) ? price : depth(m, i)))
			m->tokens[i] -= price;
		else if (band < 0 || m->mod.bands[i].rate > m->mod.bands[band].rate)
			band = (int)i;
	}
	if (band < 0)
		return;
	count(&m->bands[band], bytes);
	if (m->mod.bands[band].type == METER_DROP)
		r->muted = true;
	else
		remark(r, m->mod.bands[band].prec_level);
}
