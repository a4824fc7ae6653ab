/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and one cache for unit tests; see tables_rig.h. */
#include "tests/lib/tables_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/dp/rcu.h"
#include "flows/match.h"
#include "flows/text.h"

struct rig rig;

static void flow_removed(void *arg, const struct flow_stats *fs, enum tables_removed reason)
{
	rig.removed.n++;
	rig.removed.packets = fs->n_packets;
	rig.removed.cookie = fs->cookie;
	rig.removed.reason = reason;
}

void rig_start(const struct tables_config *config)
{
	struct tables_config own = {0};

	if (config)
		own = *config;
	own.flow_removed = flow_removed;
	cr_assert_eq(rcu_init(), 0);
	clock_set(1000 * CLOCK_SECOND);
	rig.tables = tables_create(&own);
	rig.cache = cache_create(rig.tables, 0, 1024);
	cr_assert(rig.tables && rig.cache);
}

void rig_stop(void)
{
	cache_destroy(rig.cache);
	tables_destroy(rig.tables);
	rcu_exit();
}

enum tables_error rig_flow(enum flow_command command, const char *text)
{
	struct tables_change change = {0};
	enum tables_error result;
	struct flow_mod fm;
	struct error err;

	cr_assert_eq(flow_mod_parse(text, command, NULL, &fm, NULL, &err), 0, "%s: %s", text, err.text);
	fm.modify_cookie = false;
	change.flow = &fm;
	result = tables_apply(rig.tables, &change, 1, clock_now(), NULL);
	flow_mod_free(&fm);
	return result;
}

enum tables_error rig_group(enum group_command command, const char *text)
{
	struct tables_change change = {0};
	enum tables_error result;
	struct group_mod gm;
	struct error err;

	cr_assert_eq(group_mod_parse(text, command, NULL, &gm, &err), 0, "%s: %s", text, err.text);
	change.group = &gm;
	result = tables_apply(rig.tables, &change, 1, clock_now(), NULL);
	group_mod_free(&gm);
	return result;
}

enum tables_error rig_meter(const struct meter_mod *mm)
{
	struct tables_change change = {.meter = mm};

	return tables_apply(rig.tables, &change, 1, clock_now(), NULL);
}

/* The packet that a match describes. */
struct mkey rig_packet(const char *text)
{
	struct flow_filter f;
	struct error err;
	struct mkey key;

	cr_assert_eq(flow_filter_parse(text, NULL, &f, &err), 0, "%s", err.text);
	mkey_pack(&f.match.key, &key);
	return key;
}

const char *rig_program_text(const struct program *p)
{
	static const char *const names[] = {
	        [OP_OUTPUT] = "output",
	        [OP_FLOOD] = "flood",
	        [OP_ALL] = "all",
	        [OP_NORMAL] = "normal",
	        [OP_CONTROLLER] = "controller",
	        [OP_SET_FIELD] = "set",
	        [OP_PUSH_VLAN] = "push_vlan",
	        [OP_POP_VLAN] = "pop_vlan",
	        [OP_PUSH_MPLS] = "push_mpls",
	        [OP_POP_MPLS] = "pop_mpls",
	        [OP_PUSH_PBB] = "push_pbb",
	        [OP_POP_PBB] = "pop_pbb",
	        [OP_DEC_TTL] = "dec_ttl",
	        [OP_DEC_MPLS_TTL] = "dec_mpls_ttl",
	        [OP_COPY_TTL_IN] = "copy_ttl_in",
	        [OP_COPY_TTL_OUT] = "copy_ttl_out",
	        [OP_METER] = "meter",
	        [OP_SAVE] = "save",
	        [OP_RESTORE] = "restore",
	        [OP_LEARN] = "learn",
	        [OP_DROP] = "drop",
	        [OP_FIN_TIMEOUT] = "fin_timeout",
	};
	static char text[1024];
	size_t len = 0;

	text[0] = 0;
	for (unsigned i = 0; i < p->nops; i++) {
		const struct op *op = &program_ops(p)[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
		                        names[op->type]);
		if (op->type == OP_OUTPUT)
			len += (size_t)snprintf(text + len, sizeof(text) - len, ":%u", op->arg32);
		if (op->type == OP_SET_FIELD)
			len += (size_t)snprintf(text + len, sizeof(text) - len, ":%s",
			                        fields[op->field].name);
		if (op->type == OP_DROP)
			len += (size_t)snprintf(text + len, sizeof(text) - len, ":%s",
			                        drop_reason_name(op->arg16));
	}
	if (!p->nops)
		snprintf(text, sizeof(text), "drop(%s)", drop_reason_name(p->drop_reason));
	return text;
}

/* Sends one packet of 100 bytes; what is done with it. */
static struct waiting_report {
	struct program_report head;
	uint8_t rest[PROGRAM_DATA_MAX * 16];
} reports[16];
static unsigned nreports;

/* As a worker does. */
static void report(const struct program *p)
{
	for (unsigned i = 0; i < p->nops; i++) {
		const struct op *op = &program_ops(p)[i];
		struct program_report *r = (struct program_report *)(uintptr_t)program_data(p, op->arg16);

		if ((op->type != OP_LEARN && op->type != OP_FIN_TIMEOUT) ||
		    !program_report_due(r, clock_now()))
			continue;
		cr_assert_lt(nreports, sizeof(reports) / sizeof(reports[0]));
		r->told = clock_now();
		memcpy(&reports[nreports++], r, r->units * 16u);
	}
}

unsigned rig_drain(enum tables_error *last)
{
	unsigned n = nreports;

	for (unsigned i = 0; i < n; i++) {
		enum tables_error err = tables_report(rig.tables, &reports[i].head, clock_now());

		if (last)
			*last = err;
	}
	nreports = 0;
	return n;
}

const char *rig_send(const char *text)
{
	return rig_send_long(text, 100);
}

const char *rig_send_long(const char *text, uint32_t len)
{
	const struct program *p;
	struct mkey key = rig_packet(text);

	cache_lookup(rig.cache, clock_now(), &key, &len, 1, &p);
	report(p);
	return rig_program_text(p);
}

void rig_fold(void)
{
	do {
		uint32_t id = tables_fold(rig.tables);

		while (!tables_fold_done(rig.tables, id))
			cache_fold(rig.cache, 1);
	} while (tables_poll(rig.tables, clock_now()));
	rcu_poll();
}

struct tables_totals rig_totals(const char *text)
{
	struct tables_totals sum;
	struct flow_filter f;
	struct error err;

	rig_fold();
	cr_assert_eq(flow_filter_parse(text, NULL, &f, &err), 0, "%s", err.text);
	tables_aggregate(rig.tables, &f, &sum);
	return sum;
}
