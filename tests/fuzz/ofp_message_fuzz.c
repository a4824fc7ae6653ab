/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow messages from anywhere. What a reader accepts must survive writing and reading again; and a server
 * that is sent the bytes over a socket must neither crash nor keep anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "control/openflow/server.h"
#include "control/openflow/actions.h"
#include "control/openflow/nx_groups.h"
#include "control/openflow/nx_packet_in.h"
#include "control/openflow/of10.h"
#include "control/openflow/oxm.h"
#include "tests/lib/fake_switch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_flow_mod(const uint8_t *data, size_t size)
{
	struct ofp_reader r = ofp_reader_of(data, size);
	struct flow_mod fm, again;
	struct ofp_writer w = {0};

	if (ofp_read_flow_mod(&r, &fm))
		return;
	ofp_put_flow_mod(&w, 0, &fm);
	if (!w.failed) {
		r = ofp_reader_of(w.data + OFP_HEADER_LEN, w.len - OFP_HEADER_LEN);
		must(ofp_read_flow_mod(&r, &again) == OFP_OK);
		must(match_covers(&fm.match, &again.match) && match_covers(&again.match, &fm.match));
		must(fm.command >= FLOW_DELETE || action_list_equal(&fm.actions, &again.actions));
		flow_mod_free(&again);
	}
	ofp_writer_free(&w);
	flow_mod_free(&fm);
}

static void try_group_mod(const uint8_t *data, size_t size)
{
	struct ofp_reader r = ofp_reader_of(data, size);
	struct group_mod gm, again;
	struct ofp_writer w = {0};

	if (ofp_read_group_mod(&r, &gm))
		return;
	ofp_put_group_mod(&w, 0, &gm);
	if (!w.failed) {
		r = ofp_reader_of(w.data + OFP_HEADER_LEN, w.len - OFP_HEADER_LEN);
		must(ofp_read_group_mod(&r, &again) == OFP_OK);
		must(gm.n_buckets == again.n_buckets);
		group_mod_free(&again);
	}
	ofp_writer_free(&w);
	group_mod_free(&gm);
}

static struct ofp_reader reader_10(const struct ofp_writer *w)
{
	struct ofp_reader r = ofp_reader_of(w->len ? (const char *)w->data : "", w->len);

	r.version = OFP_VERSION_10;
	return r;
}

/* 1.0: what is read must be written so that it reads as the same. */
static void try_of10_flow_mod(const uint8_t *data, size_t size, bool nicira)
{
	struct ofp_writer w = {.version = OFP_VERSION_10};
	struct ofp_reader r = ofp_reader_of(data, size);
	struct action_list actions;
	uint64_t cookie, mask;
	struct flow_mod fm;
	struct match match;

	r.version = OFP_VERSION_10;
	if (nicira ? nx_read_flow_mod(&r, true, &fm) : of10_read_flow_mod(&r, true, &fm))
		return;
	nxm_put_fields(&w, &fm.match);
	r = reader_10(&w);
	must(nxm_read_fields(&r, &match, &cookie, &mask) == OFP_OK);
	/* NXM cannot say that an ICMP type is above 255. */
	must(match_covers(&match, &fm.match) && (!nicira || match_covers(&fm.match, &match)));
	ofp_writer_cut(&w, 0);
	of10_put_match(&w, &fm.match);
	must(w.len == 40);
	ofp_writer_cut(&w, 0);
	ofp_put_actions(&w, &fm.actions);
	r = reader_10(&w);
	action_list_init(&actions);
	must(ofp_read_actions(&r, &actions) == OFP_OK);
	must(of10_resolve_actions(&actions, &fm.match) == OFP_OK);
	must(action_list_equal(&fm.actions, &actions));
	action_list_free(&actions);
	ofp_writer_free(&w);
	flow_mod_free(&fm);
}

static void try_nx_group_mod(const uint8_t *data, size_t size)
{
	struct ofp_writer w = {.version = OFP_VERSION_10};
	struct ofp_reader r = ofp_reader_of(data, size);
	struct group_mod now = {.group_id = 1, .type = GROUP_TYPE_ALL};
	struct nx_group_mod mod;

	r.version = OFP_VERSION_10;
	if (nx_read_group_mod(&r, &mod))
		return;
	nx_put_group_desc(&w, &mod.group);
	if (mod.command == GROUP_INSERT_BUCKET || mod.command == GROUP_REMOVE_BUCKET)
		nx_group_mod_resolve(&mod, &now);
	ofp_writer_free(&w);
	group_mod_free(&mod.group);
}

static bool read_continuation(const uint8_t *data, size_t size, struct continuation *c)
{
	struct ofp_reader r = ofp_reader_of(data, size);
	struct nx_bridge bridge = {{0}};

	continuation_init(c);
	if (nx_read_continuation(&r, c, &bridge) == OFP_OK)
		return true;
	continuation_free(c);
	return false;
}

static void try_continuation(const uint8_t *data, size_t size)
{
	struct nx_bridge bridge = {{0}};
	struct continuation c, again;
	struct ofp_writer w = {0};

	if (!read_continuation(data, size, &c))
		return;
	nx_put_continuation(&w, &c, &bridge);
	if (!w.failed && w.len < OFP_MESSAGE_MAX / 2) {
		must(read_continuation(w.data, w.len, &again));
		must(action_list_equal(&c.set, &again.set) && c.nstack == again.nstack);
		must(c.port == again.port);
		continuation_free(&again);
	}
	ofp_writer_free(&w);
	continuation_free(&c);
}

static void try_ct_flush(const uint8_t *data, size_t size)
{
	struct ofp_reader r = ofp_reader_of(data, size);
	struct ofp_writer w = {0};
	struct ct_flush f, again;

	if (nx_read_ct_flush(&r, &f))
		return;
	nx_put_ct_flush(&w, 0, &f);
	if (!w.failed) {
		enum { HEADER = OFP_HEADER_LEN + 8 };

		r = ofp_reader_of(w.data + HEADER, w.len - HEADER);
		must(nx_read_ct_flush(&r, &again) == OFP_OK);
		must(!memcmp(&f, &again, sizeof(f)));
	}
	ofp_writer_free(&w);
}

static void try_replies(const uint8_t *data, size_t size)
{
	struct ofp_reader r = ofp_reader_of(data, size);
	struct meter_stats ms;
	struct group_stats gs;
	struct flow_stats fs;
	struct meter_mod mm;
	struct group_mod gm;

	while (ofp_left(&r) && ofp_read_flow_stats(&r, &fs) == OFP_OK)
		flow_stats_free(&fs);
	r = ofp_reader_of(data, size);
	while (ofp_left(&r) && ofp_read_group_desc(&r, &gm) == OFP_OK)
		group_mod_free(&gm);
	r = ofp_reader_of(data, size);
	while (ofp_left(&r) && ofp_read_group_stats(&r, &gs) == OFP_OK)
		group_stats_free(&gs);
	r = ofp_reader_of(data, size);
	while (ofp_left(&r) && ofp_read_meter_stats(&r, &ms) == OFP_OK)
		;
	r = ofp_reader_of(data, size);
	while (ofp_left(&r) && ofp_read_meter_config(&r, &mm) == OFP_OK)
		;
}

/* The whole endpoint, with a client on a socket that says HELLO, sends the bytes and hangs up. */
static void try_server(const uint8_t *data, size_t size)
{
	const uint8_t hello[] = {data[0], OFPT_HELLO, 0, 8, 0, 0, 0, 1};
	static char path[64];
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct ofp_server *server;
	struct fake_switch *sw;
	uv_loop_t loop;
	int fd;

	must(uv_loop_init(&loop) == 0);
	sw = fake_switch_new(&loop);
	server = ofp_server_create(&loop, &fake_switch_ops, sw);
	snprintf(path, sizeof(path), "/tmp/weft-ofp-fuzz-%d", getpid());
	must(server && ofp_server_listen_unix(server, path, NULL) == 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(sa.sun_path, path);
	must(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	must(send(fd, hello, sizeof(hello), MSG_NOSIGNAL) == sizeof(hello));
	if (size) /* the socket's buffer is larger than any input */
		must(send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size);
	fake_switch_tell(sw, server);
	shutdown(fd, SHUT_WR);
	for (unsigned i = 0; i < 12; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		fake_switch_report(server);
	}
	fake_switch_tell(sw, NULL);
	ofp_server_close(server, NULL, NULL);
	fake_switch_free(sw);
	uv_run(&loop, UV_RUN_DEFAULT);
	must(uv_loop_close(&loop) == 0);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	log_set_level(LOG_LEVEL_ERROR);
	try_flow_mod(data, size);
	try_group_mod(data, size);
	try_of10_flow_mod(data, size, false);
	try_of10_flow_mod(data, size, true);
	try_nx_group_mod(data, size);
	try_continuation(data, size);
	try_ct_flush(data, size);
	try_replies(data, size);
	if (size && data[0] < 8 && OFP_VERSIONS & 1u << data[0])
		try_server(data, size);
	return 0;
}
