/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath under test; see subject.h. */
#include "tests/differential/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "datapath/worker.h"
#include "tests/lib/eal.h"

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	abort();
}

static void on_packet_in(void *arg, const struct datapath_packet_in *in)
{
	struct subject *s = arg;
	struct subject_packet_in *p = &s->packet_ins[s->npacket_ins++];

	if (s->npacket_ins > SUBJECT_PACKET_INS || in->len > sizeof(p->data))
		fail("packet-in", "too much");
	p->place = *in->place;
	p->key = *in->key;
	p->len = in->len;
	p->total_len = in->total_len;
	memcpy(p->data, in->data, in->len);
}

static void on_flow_report(void *arg, const struct program_report *what)
{
	struct subject *s = arg;
	enum tables_error rc = tables_report(s->tables, what, clock_now());

	if (rc != TABLES_OK)
		fail("learn", tables_error_text(rc));
}

void subject_create(struct subject *s, uint32_t cache_entries)
{
	struct tables_config tables = {.flow_removed = s->flow_removed, .arg = s->arg};
	struct datapath_config config = {
	        .nworkers = 1,
	        .cache_entries = cache_entries,
	        .miss_share = 1,
	        .events = {.packet_in = on_packet_in, .flow_report = on_flow_report, .arg = s},
	};
	struct error e = {""};

	test_eal_init();
	if (rcu_init())
		fail("rcu_init", "failed");
	s->packet_ins = malloc(SUBJECT_PACKET_INS * sizeof(*s->packet_ins));
	s->npacket_ins = 0;
	s->tables = tables_create(&tables);
	config.tables = s->tables;
	if (!s->packet_ins || !s->tables || datapath_create(&config, &s->dp, &e))
		fail("datapath_create", e.text);
}

void subject_destroy(struct subject *s)
{
	for (struct port *p; (p = datapath_port_next(s->dp, true, 0));)
		datapath_port_remove(s->dp, p, NULL, NULL);
	rcu_synchronize();
	datapath_destroy(s->dp);
	tables_destroy(s->tables);
	rcu_exit();
	free(s->packet_ins);
}

struct port *subject_port_add(struct subject *s, uint32_t number, uint32_t caps)
{
	json_t *options = json_pack("{s:i}", "caps", (int)caps);
	struct error e = {""};
	char name[PORT_NAME_MAX];
	struct port *p;

	snprintf(name, sizeof(name), "p%u", number);
	if (datapath_port_add(s->dp, name, "memory", number, options, &p, &e))
		fail(name, e.text);
	json_decref(options);
	return p;
}

void subject_inject(struct subject *s, uint32_t port, const struct model_frame *f, uint16_t head,
                    uint16_t piece)
{
	struct memory_frame *m = memory_frame_alloc(f->len);

	memcpy(m->data, f->data, f->len);
	if (f->tun_id)
		m->tunnel = (struct packet_tunnel){
		        .id = f->tun_id, .src = ip_from_v4(f->tun_src), .dst = ip_from_v4(f->tun_dst)};
	m->head_len = head;
	m->piece_len = piece;
	if (f->partial) {
		m->flags = PACKET_NEEDS_CSUM;
		m->csum_start = f->csum_start;
		m->csum_offset = f->csum_offset;
	}
	if (memory_inject(datapath_port_by_number(s->dp, port), 0, m))
		fail("memory_inject", "refused");
}

void subject_turn(struct subject *s)
{
	s->npacket_ins = 0;
	worker_poll_once(datapath_worker(s->dp, 0));
	while (datapath_poll(s->dp))
		;
	while (rcu_poll())
		;
}

void subject_fold(struct subject *s)
{
	uint32_t id = tables_fold(s->tables);

	while (!tables_fold_done(s->tables, id) || tables_poll(s->tables, clock_now()))
		worker_poll_once(datapath_worker(s->dp, 0));
	while (rcu_poll())
		;
}
