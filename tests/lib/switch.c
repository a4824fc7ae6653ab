/* SPDX-License-Identifier: Apache-2.0 */
/* A datapath for tests; see switch.h. */
#include "tests/lib/switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "datapath/worker.h"
#include "flows/group.h"
#include "flows/text.h"
#include "tests/lib/eal.h"
#include "tests/lib/frames.h"

static void fail(const char *what, const char *why) __attribute__((noreturn));
static void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	abort();
}

static void on_packet_in(void *arg, const struct datapath_packet_in *in)
{
	struct test_switch *s = arg;

	s->packet_ins++;
	s->place = *in->place;
	s->packet_in_key = *in->key;
	memcpy(s->packet_in, in->data, in->len);
	s->packet_in_len = in->len;
	s->packet_in_total = in->total_len;
	continuation_free(&s->continuation);
	s->is_paused = in->resume && !program_resume_read(in->resume, &s->continuation);
	s->continuation.port = in->key->in_phy_port;
}

void test_switch_init(struct test_switch *s, uv_loop_t *loop, struct underlay *underlay)
{
	test_switch_init_workers(s, loop, underlay, 1);
}

void test_switch_init_workers(struct test_switch *s, uv_loop_t *loop, struct underlay *underlay,
                              unsigned workers)
{
	struct datapath_config config = {
	        .loop = loop,
	        .underlay = underlay,
	        .nworkers = workers,
	        .cache_entries = 1024,
	        .events = {.packet_in = on_packet_in, .arg = s},
	};
	struct error e = {""};

	memset(s, 0, sizeof(*s));
	test_eal_init();
	if (rcu_init())
		fail("rcu_init", "failed");
	s->loop = loop;
	s->tables = tables_create(NULL);
	config.tables = s->tables;
	if (!s->tables || datapath_create(&config, &s->dp, &e))
		fail("datapath_create", e.text);
}

void test_switch_free(struct test_switch *s)
{
	continuation_free(&s->continuation);
	for (struct port *p; (p = datapath_port_next(s->dp, true, 0));)
		datapath_port_remove(s->dp, p, NULL, NULL);
	if (s->loop)
		uv_run(s->loop, UV_RUN_NOWAIT);
	rcu_synchronize();
	datapath_destroy(s->dp);
	tables_destroy(s->tables);
}

struct port *test_switch_add(struct test_switch *s, const char *name, const char *type, uint32_t number,
                             const char *options)
{
	json_t *o = json_loads(options, 0, NULL);
	struct error e = {""};
	struct port *p;

	if (!o)
		fail(options, "not JSON");
	if (datapath_port_add(s->dp, name, type, number, o, &p, &e))
		fail(name, e.text);
	json_decref(o);
	return p;
}

struct port *test_switch_port(struct test_switch *s, uint32_t number, const char *options)
{
	char name[PORT_NAME_MAX];

	snprintf(name, sizeof(name), "p%u", number);
	return test_switch_add(s, name, "memory", number, options);
}

static void apply(struct test_switch *s, const char *text, const struct tables_change *change)
{
	enum tables_error rc = tables_apply(s->tables, change, 1, clock_now(), NULL);

	if (rc != TABLES_OK)
		fail(text, tables_error_text(rc));
}

void test_switch_flow(struct test_switch *s, const char *text)
{
	struct error e = {""};
	struct flow_mod fm;

	if (flow_mod_parse(text, FLOW_ADD, NULL, &fm, NULL, &e))
		fail(text, e.text);
	apply(s, text, &(struct tables_change){.flow = &fm});
	flow_mod_free(&fm);
}

void test_switch_group(struct test_switch *s, const char *text)
{
	struct error e = {""};
	struct group_mod gm;

	if (group_mod_parse(text, GROUP_ADD, NULL, &gm, &e))
		fail(text, e.text);
	apply(s, text, &(struct tables_change){.group = &gm});
	group_mod_free(&gm);
}

void test_switch_meter(struct test_switch *s, const struct meter_mod *mm)
{
	apply(s, "meter", &(struct tables_change){.meter = mm});
}

static struct port *port_of(struct test_switch *s, uint32_t number)
{
	struct port *p = datapath_port_by_number(s->dp, number);

	if (!p)
		fail("test", "no such port");
	return p;
}

void test_switch_inject(struct test_switch *s, uint32_t port, const void *frame, uint32_t len)
{
	struct memory_frame *f = memory_frame_alloc(len);

	memcpy(f->data, frame, len);
	memory_inject(port_of(s, port), 0, f);
}

void test_switch_inject_tso(struct test_switch *s, uint32_t port, const struct frame *frame, uint16_t mss)
{
	struct memory_frame *f = memory_frame_alloc(frame->len);

	memcpy(f->data, frame->data, frame->len);
	f->flags = PACKET_NEEDS_CSUM;
	f->csum_start = (uint16_t)frame->l4;
	f->csum_offset = 16;
	f->gso = GSO_TCP4;
	f->gso_size = mss;
	f->piece_len = 4096;
	memory_inject(datapath_port_by_number(s->dp, port), 0, f);
}

void test_switch_run(struct test_switch *s)
{
	bool busy;

	do {
		busy = worker_poll_once(datapath_worker(s->dp, 0));
		busy |= datapath_poll(s->dp);
		busy |= rcu_poll();
	} while (busy);
}

void test_switch_send(struct test_switch *s, uint32_t port, const void *frame, uint32_t len)
{
	test_switch_inject(s, port, frame, len);
	test_switch_run(s);
}

struct memory_frame *test_switch_take(struct test_switch *s, uint32_t port)
{
	return memory_collect(port_of(s, port));
}

void test_switch_expect(struct test_switch *s, uint32_t port, const void *data, uint32_t len,
                        const char *what)
{
	struct memory_frame *f = test_switch_take(s, port);
	const uint8_t *want = data;
	uint32_t i = 0;
	char text[120];

	if (!f)
		fail(what, "nothing came");
	snprintf(text, sizeof(text), "%u bytes came, not %u", f->len, len);
	if (f->len != len)
		fail(what, text);
	while (i < len && f->data[i] == want[i])
		i++;
	if (i < len) {
		snprintf(text, sizeof(text), "byte %u is %02x, not %02x", i, f->data[i], want[i]);
		fail(what, text);
	}
	free(f);
}

unsigned test_switch_count(struct test_switch *s, uint32_t port)
{
	struct memory_frame *f;
	unsigned n = 0;

	for (; (f = test_switch_take(s, port)); n++)
		free(f);
	return n;
}

uint64_t test_switch_drops(struct test_switch *s, enum drop_reason reason)
{
	uint64_t drops[DROP_REASON_COUNT];

	datapath_drops(s->dp, drops);
	return drops[reason];
}

void test_switch_packet_out(struct test_switch *s, uint32_t in_port, const char *actions, const void *frame,
                            uint32_t len)
{
	static uint8_t room[PROGRAM_BYTES_MAX] __attribute__((aligned(64)));
	struct program *program = (struct program *)room;
	struct error e = {""};
	struct action_list list;
	struct flow_key key;

	if (actions_parse(actions, NULL, &list, &e))
		fail(actions, e.text);
	datapath_packet_key(in_port, frame, len, &key);
	tables_packet_out(s->tables, &key, &list, len, clock_now(), program);
	if (datapath_packet_out(s->dp, in_port, program, frame, len))
		fail(actions, "packet-out refused");
	action_list_free(&list);
	test_switch_run(s);
}
