/* SPDX-License-Identifier: Apache-2.0 */
/* One meter_mod as a step of a change (OpenFlow 1.3 section 6.5), what meters are asked for, and the way of a
 * packet through one. Called by tables_apply; workers call meter_run. */
#include "flows/dp/meter.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "flows/dp/state.h"

enum { TICKS_PER_NS = 16 };
#define LEVEL_MAX (1ull << 60) /* ticks: two years */

/* ---- a packet (workers) ---- */

/* Takes `cost` out of the bucket. False: there is not so much in it, and it stays as it is. What costs more
 * than the whole bucket holds (64 KB of segments at a low rate) passes when it is full, and is paid for
 * later.
 */
static bool level_take(struct meter_level *l, uint64_t cost, uint64_t now)
{
	uint64_t empty = __atomic_load_n(&l->empty, __ATOMIC_RELAXED), from, oldest;
	uint64_t needed = cost < l->burst ? cost : l->burst;

	do {
		oldest = now > l->burst ? now - l->burst : 0;
		from = empty > oldest ? empty : oldest;
		if (from + needed > now)
			return false;
	} while (!__atomic_compare_exchange_n(&l->empty, &empty, from + cost, true, __ATOMIC_RELAXED,
	                                      __ATOMIC_RELAXED));
	return true;
}

enum meter_verdict meter_run(struct tables *t, uint32_t slot, unsigned worker, uint32_t packets,
                             uint32_t bytes, uint64_t now, uint8_t *prec_level)
{
	struct meter *m = slot < METER_NUMBERS ? rcu_read(t->meter_numbers[slot]) : NULL;
	const struct meter_band *band = NULL;
	uint64_t ticks;
	unsigned chosen = 0;

	if (!m)
		return METER_PASS;
	slots_credit(&t->slots, worker, m->slot, packets, bytes, now);
	ticks = (now - m->started) * TICKS_PER_NS;
	for (unsigned i = 0; i < m->mod.n_bands; i++) {
		struct meter_level *l = &m->levels[i];
		uint32_t units = m->mod.flags & METER_PKTPS ? packets : bytes;

		if (level_take(l, (uint64_t)(units * l->cost), ticks) ||
		    (band && band->rate >= m->mod.bands[i].rate))
			continue;
		band = &m->mod.bands[i];
		chosen = i;
	}
	if (!band)
		return METER_PASS;
	slots_credit(&t->slots, worker, m->levels[chosen].slot, packets, bytes, now);
	if (band->type == METER_DROP)
		return METER_REFUSE;
	*prec_level = band->prec_level;
	return METER_REMARK;
}

/* ---- making meters ---- */

static struct meter *present(const struct tables *t, uint32_t id)
{
	return (struct meter *)(uintptr_t)meter_find(t, id, t->next_version);
}

/* A band without a burst of its own holds what its rate yields in a tenth of a second, at least one packet.
 */
static void level_init(struct meter_level *l, const struct meter_mod *mm, const struct meter_band *band)
{
	double burst = mm->flags & METER_BURST && band->burst ? band->burst : band->rate / 10.0;
	double second = (double)CLOCK_SECOND * TICKS_PER_NS;

	/* kb/s are 1000 bits; a byte is 8 */
	l->cost = mm->flags & METER_PKTPS ? second / band->rate : second / (band->rate * 125.0);
	second = second / band->rate * burst;
	if (mm->flags & METER_PKTPS && second < l->cost)
		second = l->cost;
	l->burst = second < LEVEL_MAX ? (uint64_t)second : LEVEL_MAX;
}

static bool number_take(struct tables *t, struct meter *m)
{
	for (uint32_t i = 0; i < METER_NUMBERS; i++) {
		uint32_t n = (t->next_meter_number + i) % METER_NUMBERS;

		if (t->meter_numbers[n])
			continue;
		t->next_meter_number = n + 1;
		m->number = n;
		rcu_assign(t->meter_numbers[n], m);
		return true;
	}
	return false;
}

static bool slots_take(struct tables *t, struct meter *m, const struct meter *old)
{
	if (old) {
		m->slot = old->slot;
		slots_share(&t->slots, m->slot);
	} else if (slots_get(&t->slots, &m->slot)) {
		return false;
	}
	for (unsigned i = 0; i < m->mod.n_bands; i++) {
		if (!slots_get(&t->slots, &m->levels[i].slot))
			continue;
		while (i)
			slots_put(&t->slots, m->levels[--i].slot);
		slots_put(&t->slots, m->slot);
		return false;
	}
	return true;
}

/* `old`: the meter it takes the place of, whose count of packets goes on. */
static struct meter *meter_make(struct tables *t, const struct meter_mod *mm, const struct meter *old)
{
	struct meter *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->mod = *mm;
	m->mod.command = METER_ADD;
	if (!(mm->flags & (METER_KBPS | METER_PKTPS)))
		m->mod.flags |= METER_KBPS;
	m->created = old ? old->created : t->now;
	for (unsigned i = 0; i < mm->n_bands; i++)
		level_init(&m->levels[i], &m->mod, &mm->bands[i]);
	/* Time starts so early that every bucket is full. */
	for (unsigned i = 0; i < mm->n_bands; i++)
		if (m->levels[i].burst / TICKS_PER_NS > m->started)
			m->started = m->levels[i].burst / TICKS_PER_NS;
	m->started = t->now - m->started;
	if (!slots_take(t, m, old)) {
		free(m);
		return NULL;
	}
	if (number_take(t, m))
		return m;
	m->number = 0;
	for (unsigned i = 0; i < mm->n_bands; i++)
		slots_put(&t->slots, m->levels[i].slot);
	slots_put(&t->slots, m->slot);
	free(m);
	return NULL;
}

static enum tables_error check(const struct meter_mod *mm)
{
	if (mm->meter_id == 0 || mm->meter_id > METER_MAX)
		return TABLES_METER_INVALID;
	if ((mm->flags & (METER_KBPS | METER_PKTPS)) == (METER_KBPS | METER_PKTPS))
		return TABLES_METER_FLAGS;
	if (mm->n_bands > METER_BANDS_MAX)
		return TABLES_OUT_OF_BANDS;
	for (unsigned i = 0; i < mm->n_bands; i++) {
		if (mm->bands[i].type != METER_DROP && mm->bands[i].type != METER_DSCP_REMARK)
			return TABLES_METER_BAND;
		if (!mm->bands[i].rate)
			return TABLES_METER_RATE;
	}
	return TABLES_OK;
}

static enum tables_error put(struct tables *t, const struct meter_mod *mm, struct meter *old)
{
	enum tables_error err = check(mm);
	struct meter *m;

	if (err)
		return err;
	if (!old && t->nmeters >= t->config.max_meters)
		return TABLES_OUT_OF_METERS;
	m = meter_make(t, mm, old);
	if (!m)
		return TABLES_OUT_OF_METERS;
	err = old ? change_remove_meter(t, old) : TABLES_OK;
	if (err) {
		meter_discard(t, m);
		return err;
	}
	return change_add_meter(t, m);
}

static enum tables_error delete_one(struct tables *t, struct meter *m)
{
	enum tables_error err = users_remove(t, ACTION_METER, m->mod.meter_id, m->slot, TABLES_DELETED);

	return err ? err : change_remove_meter(t, m);
}

static enum tables_error delete_all(struct tables *t)
{
	for (unsigned h = 0; h < METER_HEADS; h++)
		for (struct meter *m = t->meters[h]; m; m = m->next) {
			enum tables_error err = m->removed == VERSION_NEVER ? delete_one(t, m) : TABLES_OK;

			if (err)
				return err;
		}
	return TABLES_OK;
}

enum tables_error meter_mod_apply(struct tables *t, const struct meter_mod *mm)
{
	struct meter *old = present(t, mm->meter_id);

	switch (mm->command) {
	case METER_ADD:
		return old ? TABLES_METER_EXISTS : put(t, mm, NULL);
	case METER_MODIFY:
		return old ? put(t, mm, old) : TABLES_METER_UNKNOWN;
	case METER_DELETE:
		if (mm->meter_id == METER_ALL)
			return delete_all(t);
		return old ? delete_one(t, old) : TABLES_OK; /* no error: section 6.5 */
	}
	return TABLES_BAD_COMMAND;
}

/* ---- what there is ---- */

static void stats_fill(struct tables *t, const struct meter *m, uint64_t now, struct meter_stats *s)
{
	*s = (struct meter_stats){
	        .meter_id = m->mod.meter_id,
	        .flow_count = slots_owner(&t->slots, m->slot)->named_by,
	        .duration_ns = now - m->created,
	        .n_bands = m->mod.n_bands,
	};
	slots_read(&t->slots, m->slot, &s->n_packets, &s->n_bytes, NULL);
	for (unsigned i = 0; i < s->n_bands; i++)
		slots_read(&t->slots, m->levels[i].slot, &s->bands[i].n_packets, &s->bands[i].n_bytes, NULL);
}

const struct meter_mod *tables_meter_next(struct tables *t, uint32_t from, uint64_t now,
                                          struct meter_stats *stats)
{
	const struct meter *m;
	uint32_t id;

	if (!ids_next_meter(t, from, &id))
		return NULL;
	m = meter_find(t, id, t->version);
	if (stats)
		stats_fill(t, m, now, stats);
	return &m->mod;
}
