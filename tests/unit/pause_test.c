/* SPDX-License-Identifier: Apache-2.0 */
/* controller(pause): a packet that is stopped anywhere, told to a controller and given back by it does what
 * it does without a stop. The continuation goes by the bytes of NXT_PACKET_IN2 and NXT_RESUME. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "control/openflow/messages.h"
#include "control/openflow/nx_packet_in.h"
#include "flows/action_pack.h"
#include "flows/text.h"
#include "tests/lib/frames.h"
#include "tests/lib/switch.h"

enum { PORTS = 4, LINES_MAX = 6, PAUSES_MAX = 20, DATAPATH_ID = 0x1234 };

static struct test_switch s;
static struct frame in;

static void setup(void)
{
	test_switch_init(&s, NULL, NULL);
	for (uint32_t i = 1; i <= PORTS; i++)
		test_switch_port(&s, i, "{}");
}

static void teardown(void)
{
	test_switch_free(&s);
}

TestSuite(pause, .init = setup, .fini = teardown, .timeout = 60);

/* PAUSE stands where the packet is stopped, or not. A line that begins with "group" is one. */
static const struct scene {
	bool instructions; /* 1.0 cannot say them */
	const char *lines[LINES_MAX];
} scenes[] = {
        {false, {"ip,actions=PAUSE output:2"}},
        {false, {"ip,actions=output:3,PAUSE mod_nw_ttl:7,output:2,PAUSE mod_nw_src:1.2.3.4,output:4"}},
        {false,
         {"ip,actions=mod_nw_ttl:9,resubmit(,1),output:3", "table=1,ip,actions=PAUSE output:2,resubmit(,2)",
          "table=2,ip,nw_ttl=9,actions=PAUSE mod_nw_tos:8,output:4"}},
        {false,
         {"ip,actions=push:NXM_OF_IP_SRC[],load:0x77->NXM_NX_REG1[],push:NXM_NX_REG1[],PAUSE "
          "pop:NXM_NX_REG3[],pop:NXM_OF_IP_DST[],resubmit(,1)",
          "table=1,ip,reg1=0x77,reg3=0x77,actions=PAUSE output:2"}},
        {false,
         {"ip,actions=load:5->OXM_OF_METADATA[],load:9->NXM_NX_PKT_MARK[],set_field:7->tun_id,PAUSE "
          "resubmit(,1)",
          "table=1,ip,metadata=5,pkt_mark=9,tun_id=7,actions=output:2"}},
        {false,
         {"ip,actions=ct(zone=4,table=1)", "table=1,ip,ct_state=+trk,ct_zone=4,actions=PAUSE resubmit(,2)",
          "table=2,ip,ct_state=+trk,ct_zone=4,actions=output:2,PAUSE ct_clear,resubmit(,3)",
          "table=3,ip,ct_state=-trk,ct_zone=0,actions=output:3"}},
        {false, {"ip,actions=load:3->NXM_OF_IN_PORT[],PAUSE output:1,in_port"}},
        {false, {"ip,actions=clone(mod_nw_ttl:3,PAUSE output:2),output:3"}},
        {false,
         {"group group_id=1,type=all,bucket=mod_nw_ttl:3,resubmit(,1),bucket=output:3",
          "ip,actions=group:1,output:4", "table=1,ip,actions=PAUSE mod_nw_tos:8,output:2"}},
        {false,
         {"ip,actions=push_vlan:0x8100,set_field:4101->vlan_vid,PAUSE resubmit(,1)",
          "table=1,dl_vlan=5,actions=output:2,PAUSE pop_vlan,output:3"}},
        {false,
         {"ip,actions=push_mpls:0x8847,load:7->OXM_OF_MPLS_LABEL[],PAUSE resubmit(,1)",
          "table=1,mpls,mpls_label=7,actions=output:2,pop_mpls:0x0800,PAUSE output:3"}},
        {false,
         {"ip,cookie=5,actions=PAUSE note:01.02.03,controller(userdata=01.02),dec_ttl(3,4),resubmit(,1)",
          "table=1,cookie=6,actions=PAUSE controller(id=0,reason=no_match)"}},
        {false, {"ip,actions=load:1->NXM_NX_REG0[],PAUSE resubmit:3,output:4", "in_port=3,actions=output:2"}},
        {false,
         {"ip,actions=PAUSE multipath(symmetric_l4,7,hrw,2,0,NXM_NX_REG0[]),resubmit(,1)",
          "table=1,ip,reg0=0,actions=output:2", "table=1,ip,reg0=1,actions=output:3"}},
        {false,
         {"ip,actions=PAUSE bundle(nw_src,7,hrw,ofport,members:2,3,4),PAUSE "
          "bundle_load(nw_dst,7,hrw,ofport,NXM_NX_REG0[],members:4,3),output:NXM_NX_REG0[]"}},
        {false,
         {"ip,actions=push_mpls:0x8847,PAUSE check_pkt_larger(40)->NXM_NX_REG0[0],resubmit(,1)",
          "table=1,reg0=0,actions=output:2", "table=1,reg0=1,actions=output:3"}},
        {true,
         {"ip,actions=write_actions(mod_nw_ttl:3,output:2),goto_table:1",
          "table=1,ip,actions=PAUSE output:3,write_metadata:0x50/0xf0,goto_table:2",
          "table=2,metadata=0x50/0xf0,ip,actions=PAUSE write_actions(mod_nw_tos:8)"}},
        {true,
         {"ip,actions=write_actions(output:2),goto_table:1",
          "table=1,ip,actions=PAUSE clear_actions,write_actions(output:3,mod_nw_ttl:8),goto_table:2",
          "table=2,ip,actset_output=3,actions=PAUSE output:4"}},
        {true,
         {"ip,actions=resubmit(,1),write_actions(output:3)",
          "table=1,ip,actions=PAUSE write_actions(output:2,mod_nw_ttl:8)"}},
};
enum { SCENES = sizeof(scenes) / sizeof(scenes[0]) };

/* ---- what came of a packet, as text ---- */

static void add_frame(struct text *out, const char *where, const uint8_t *data, size_t len)
{
	text_add(out, "%s", where);
	for (size_t i = 0; i < len; i++)
		text_add(out, "%02x", data[i]);
	text_add(out, "\n");
}

static void add_packet_in(struct text *out)
{
	text_add(out, "cookie %llx table %u reason %u id %u: ", (unsigned long long)s.place.cookie,
	         s.place.table_id, s.place.reason, s.place.controller_id);
	add_frame(out, "", s.packet_in, s.packet_in_len);
}

static void add_sent(struct text *out)
{
	struct memory_frame *f;
	char where[16];

	for (uint32_t i = 1; i <= PORTS; i++) {
		snprintf(where, sizeof(where), "port %u: ", i);
		while ((f = test_switch_take(&s, i))) {
			add_frame(out, where, f->data, f->len);
			free(f);
		}
	}
}

/* ---- the controller ---- */

/* What the packet-in says, as the switch reads it when it comes back. */
static void through_the_wire(uint8_t version, struct ofp_writer *w, struct ofp_resume *back)
{
	struct ofp_packet_in told = {
	        .reason = OFPR_ACTION,
	        .table_id = s.place.table_id,
	        .cookie = s.place.cookie,
	        .key = &s.packet_in_key,
	        .data = s.packet_in,
	        .len = s.packet_in_len,
	        .total_len = s.packet_in_total,
	        .continuation = &s.continuation,
	        .datapath_id = DATAPATH_ID,
	};
	struct ofp_reader r;

	w->version = version;
	nx_put_packet_in2(w, &told);
	cr_assert_not(w->failed);
	r = ofp_reader_of(w->data + 16, w->len - 16);
	r.version = version;
	cr_assert_eq(nx_read_resume(&r, DATAPATH_ID, back), OFP_OK);
}

static void resume(uint8_t version)
{
	static uint8_t room[PROGRAM_BYTES_MAX] __attribute__((aligned(64)));
	struct program *program = (struct program *)room;
	struct ofp_writer w = {0};
	struct ofp_resume back;
	struct flow_key key;

	through_the_wire(version, &w, &back);
	datapath_packet_key(back.continuation.port, back.data, (uint32_t)back.len, &key);
	tables_resume(s.tables, &key, &back.key, &back.continuation, (uint32_t)back.len, clock_now(),
	              program);
	cr_assert_eq(
	        datapath_packet_out(s.dp, back.continuation.port, program, back.data, (uint32_t)back.len), 0);
	continuation_free(&back.continuation);
	ofp_writer_free(&w);
	s.packet_ins = 0;
	test_switch_run(&s);
}

/* The line with `stop` for each PAUSE. */
static void put_line(const char *line, const char *stop)
{
	struct text text = {0};
	const char *mark;

	for (; (mark = strstr(line, "PAUSE ")); line = mark + strlen("PAUSE ")) {
		text_add_bytes(&text, line, (size_t)(mark - line));
		text_add(&text, "%s", stop);
	}
	text_add(&text, "%s", line);
	if (!strncmp(text_get(&text), "group ", 6))
		test_switch_group(&s, text_get(&text) + 6);
	else
		test_switch_flow(&s, text_get(&text));
	text_free(&text);
}

/* What comes of a packet, and how often it was stopped. */
static unsigned run(const struct scene *scene, const char *stop, uint8_t version, struct text *out)
{
	unsigned stops = 0;

	for (unsigned i = 0; i < LINES_MAX && scene->lines[i]; i++)
		put_line(scene->lines[i], stop);
	frame_make(&in, &(struct frame_spec){.payload = 100});
	s.packet_ins = 0;
	test_switch_send(&s, 1, in.data, in.len);
	while (s.packet_ins && s.is_paused) {
		cr_assert_lt(++stops, PAUSES_MAX);
		resume(version);
	}
	if (s.packet_ins)
		add_packet_in(out);
	add_sent(out);
	return stops;
}

static void compare(const struct scene *scene, uint8_t version)
{
	struct text plain = {0}, stopped = {0};
	unsigned stops;

	cr_expect_eq(run(scene, "", version, &plain), 0);
	cr_expect_gt(plain.len, 0, "%s: nothing comes of it", scene->lines[0]);
	teardown();
	setup();
	stops = run(scene, "controller(pause),", version, &stopped);
	cr_expect_gt(stops, 0, "%s", scene->lines[0]);
	cr_expect_str_eq(text_get(&stopped), text_get(&plain), "OpenFlow %u, %s\nstopped:\n%swithout:\n%s",
	                 version, scene->lines[0], text_get(&stopped), text_get(&plain));
	teardown();
	setup();
	text_free(&plain);
	text_free(&stopped);
}

Test(pause, a_packet_goes_on_as_if_it_had_not_been_stopped)
{
	static const uint8_t versions[] = {OFP_VERSION_10, OFP_VERSION_13, OFP_VERSION_14};

	for (unsigned i = 0; i < SCENES; i++) {
		for (unsigned v = scenes[i].instructions; v < sizeof(versions); v++)
			compare(&scenes[i], versions[v]);
	}
}

Test(pause, only_the_switch_that_stopped_it_takes_it_back)
{
	struct ofp_writer w = {0};
	struct ofp_resume back;
	struct ofp_reader r;

	test_switch_flow(&s, "actions=controller(pause),output:2");
	frame_make(&in, &(struct frame_spec){.payload = 100});
	test_switch_send(&s, 1, in.data, in.len);
	cr_assert(s.is_paused);
	through_the_wire(OFP_VERSION_13, &w, &back);
	continuation_free(&back.continuation);
	r = ofp_reader_of(w.data + 16, w.len - 16);
	cr_expect_eq(nx_read_resume(&r, DATAPATH_ID + 1, &back), NXR_STALE);
	for (size_t n = 1; n < w.len - 16; n++) { /* and nothing that was cut off */
		enum ofp_error error;

		r = ofp_reader_of(w.data + 16, n);
		error = nx_read_resume(&r, DATAPATH_ID, &back);
		cr_expect(error || n + 8 > w.len - 16, "%zu of %zu bytes", n, w.len - 16);
		if (!error)
			continuation_free(&back.continuation);
	}
	ofp_writer_free(&w);
}

/* More actions than a program has room for: the packet is dropped, and counted. */
Test(pause, what_is_too_long_is_dropped_and_counted)
{
	struct text text = {0};

	text_add(&text, "actions=controller(pause)");
	for (unsigned i = 0; i < 100; i++)
		text_add(&text, ",load:%u->NXM_NX_REG0[],resubmit(,1)", i);
	test_switch_flow(&s, text_get(&text));
	frame_make(&in, &(struct frame_spec){.payload = 100});
	test_switch_send(&s, 1, in.data, in.len);
	cr_expect_eq(s.packet_ins, 0);
	cr_expect_eq(test_switch_drops(&s, DROP_PROGRAM_LIMIT), 1);
	text_free(&text);
}

Test(pause, actions_survive_being_packed)
{
	static const char list[] = "learn(table=2,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[],"
	                           "load:7->NXM_NX_REG0[]),"
	                           "controller(userdata=01.02.03.04.05,pause),note:aa.bb,dec_ttl(1,2,3),"
	                           "clone(output:2,clone(note:01,"
	                           "dec_ttl(7))),ct(commit,nat(src=10.0.0.1),exec(set_field:1->ct_mark)),"
	                           "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],write_actions("
	                           "output:3,group:5),goto_table:7";
	static uint8_t room[4096] __attribute__((aligned(16)));
	struct action_pack pack = {.out = room, .room = sizeof(room)};
	struct action_list l, back;
	struct error e = {""};

	cr_assert_eq(actions_parse(list, NULL, &l, &e), 0, "%s", e.text);
	for (unsigned i = 0; i < l.n; i++)
		cr_assert(action_pack(&pack, &l.items[i]));
	action_list_init(&back);
	cr_assert_eq(action_unpack(room, pack.len, &back), 0);
	cr_expect(action_list_equal(&l, &back));
	for (size_t less = 16; less <= pack.len; less += 16) { /* never more than there is room for */
		struct action_pack tight = {.out = room, .room = pack.len - less};
		unsigned i = 0;

		while (i < l.n && action_pack(&tight, &l.items[i]))
			i++;
		cr_expect(i < l.n && tight.len <= tight.room);
	}
	action_list_free(&l);
	action_list_free(&back);
}
