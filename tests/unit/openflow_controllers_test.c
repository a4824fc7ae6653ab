/* SPDX-License-Identifier: Apache-2.0 */
/* Controllers that the endpoint connects to, played by this test on a real socket: attempts and pauses, echo
 * requests, fail modes, roles, and what is told to whom. The test runs the endpoint's loop itself. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/error.h"
#include "control/openflow/messages.h"
#include "control/openflow/server.h"
#include "control/openflow/target.h"
#include "flows/key.h"
#include "tests/lib/fake_switch.h"

static uv_loop_t loop;
static struct fake_switch *sw;
static struct ofp_server *server;
static struct ofp_controllers_config config;
static int listener;
static char target[64], target2[64]; /* both lead to `listener` */

/* A port with a socket bound, and listening when asked. */
static int bind_port(uint16_t *port, bool listens)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_ANY)}};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	cr_assert(!listens || !listen(fd, 16));
	*port = ntohs(sa.sin_port);
	return fd;
}

static void set_up(void)
{
	uint16_t port;

	cr_assert_eq(uv_loop_init(&loop), 0);
	sw = fake_switch_new(&loop);
	server = ofp_server_create(&loop, &fake_switch_ops, sw);
	cr_assert_not_null(server);
	listener = bind_port(&port, true);
	snprintf(target, sizeof(target), "tcp:127.0.0.1:%u", port);
	snprintf(target2, sizeof(target2), "tcp:127.0.0.2:%u", port);
	config = OFP_CONTROLLERS_DEFAULT;
	config.backoff_max_ms = 50;
}

static void tear_down(void)
{
	close(listener);
	ofp_server_close(server, NULL, NULL);
	fake_switch_free(sw);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0);
}

TestSuite(openflow_controllers, .init = set_up, .fini = tear_down, .timeout = 60);

static void set_controllers(const char *first, const char *second)
{
	const char *targets[] = {first, second};
	struct error e = {""};

	cr_assert_eq(ofp_server_set_controllers(server, targets, first ? second ? 2 : 1 : 0, &config, &e), 0,
	             "%s", e.text);
}

/* One turn of the loop, at most a millisecond. */
static void turn(void)
{
	uv_run(&loop, UV_RUN_NOWAIT);
	poll(NULL, 0, 1);
}

static void run_for(uint64_t ms)
{
	uint64_t end = uv_hrtime() + ms * 1000000;

	while (uv_hrtime() < end)
		turn();
}

/* Runs until the switch is standalone or not, as wanted. */
static void await_standalone(bool wanted)
{
	uint64_t end = uv_hrtime() + 10000000000ull;

	while (fake_switch_is_standalone(sw) != wanted && uv_hrtime() < end)
		turn();
	cr_assert_eq(fake_switch_is_standalone(sw), wanted);
	cr_assert_eq(ofp_server_standalone(server), wanted);
}

static int accept_one(void)
{
	uint64_t end = uv_hrtime() + 20000000000ull;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
		cr_assert_lt(uv_hrtime(), end, "nobody connects");
		turn();
	}
	return fd;
}

/* The next message within `ms`; 0 when there was none, -1 when the switch hung up. */
static int hear_within(int fd, uint8_t *message, unsigned ms)
{
	uint64_t end = uv_hrtime() + ms * 1000000ull;
	size_t n = 0, wanted = OFP_HEADER_LEN;

	while (n < wanted) {
		ssize_t got = recv(fd, message + n, wanted - n, 0);

		if (got == 0 || (got < 0 && errno != EAGAIN))
			return -1;
		if (got < 0 && !n && uv_hrtime() > end)
			return 0;
		if (got < 0)
			turn();
		n += got > 0 ? (size_t)got : 0;
		if (n >= OFP_HEADER_LEN)
			wanted = ofp_read_header(message).length;
	}
	return (int)n;
}

static int hear(int fd, uint8_t *message)
{
	int n = hear_within(fd, message, 20000);

	cr_assert_neq(n, 0, "the switch is silent");
	return n;
}

static void say(int fd, const char *hex)
{
	uint8_t bytes[256];
	size_t n = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		sscanf(hex++, "%2hhx", &bytes[n++]);
	}
	cr_assert_eq(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* A controller that is connected and has said HELLO. */
static int greet(void)
{
	uint8_t message[OFP_MESSAGE_MAX];
	int fd = accept_one();

	cr_assert_gt(hear(fd, message), 0);
	cr_assert_eq(message[1], OFPT_HELLO);
	say(fd, "04000008 00000001");
	return fd;
}

/* All that was said before is done. */
static void barrier(int fd)
{
	uint8_t message[OFP_MESSAGE_MAX];

	say(fd, "04140008 0000bbbb");
	cr_assert_gt(hear(fd, message), 0);
	cr_assert_eq(message[1], OFPT_BARRIER_REPLY, "type %u came first", message[1]);
}

/* The type and code of the error that `hex` gets, type << 16 | code; -1 for another answer. */
static int error_of(int fd, const char *hex)
{
	uint8_t message[OFP_MESSAGE_MAX];

	say(fd, hex);
	cr_assert_gt(hear(fd, message), 0);
	return message[1] == OFPT_ERROR ? message[8] << 24 | message[9] << 16 | message[10] << 8 | message[11]
	                                : -1;
}

static struct ofp_controller_status status(unsigned i)
{
	struct ofp_controller_status s;

	cr_assert(ofp_server_controller(server, i, &s));
	return s;
}

static void packet_in(enum ofp_packet_in_reason reason, uint16_t controller_id)
{
	static const uint8_t frame[1000] = {2, 0, 0, 0, 0, 1};
	struct flow_key key = {.in_port = 1};

	ofp_server_packet_in(server, &(struct ofp_packet_in){
	                                     .reason = reason,
	                                     .key = &key,
	                                     .data = frame,
	                                     .len = sizeof(frame),
	                                     .total_len = sizeof(frame),
	                                     .controller_id = controller_id,
	                                     .userdata = (const uint8_t *)"weft",
	                                     .userdata_len = 4,
	                             });
}

/* ---- connecting ---- */

Test(openflow_target, texts)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		bool passive, ok, tls;
	} cases[] = {
	        {"tcp:10.0.0.1", "10.0.0.1", 6653, false, true, false},
	        {"tcp:10.0.0.1:6633", "10.0.0.1", 6633, false, true, false},
	        {"ssl:[fd00::1]:1", "fd00::1", 1, false, true, true},
	        {"ssl:[fd00::1]", "fd00::1", 6653, false, true, true},
	        {"tcp:c.example:65535", "c.example", 65535, false, true, false},
	        {.text = "tcp:"},
	        {.text = "tcp:h:0"},
	        {.text = "tcp:h:65536"},
	        {.text = "tcp:h:1x"},
	        {.text = "tcp:h:"},
	        {.text = "tcp:[fd00::1"},
	        {.text = "tcp:[fd00::1]x"},
	        {.text = "udp:h:1"},
	        {.text = "10.0.0.1"},
	        {"ptcp:", "0.0.0.0", 6653, true, true, false},
	        {"ptcp:0:127.0.0.1", "127.0.0.1", 0, true, true, false},
	        {"pssl:6654:[::]", "::", 6654, true, true, true},
	        {.text = "ptcp:99999", .passive = true},
	        {.text = "ptcp:1:", .passive = true},
	        {.text = "tcp:1", .passive = true},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ofp_target t;
		struct error e;
		int rc = cases[i].passive ? ofp_target_parse_passive(cases[i].text, &t, &e)
		                          : ofp_target_parse_active(cases[i].text, &t, &e);

		cr_expect_eq(rc, cases[i].ok ? 0 : -EINVAL, "%s", cases[i].text);
		if (!cases[i].ok)
			continue;
		cr_expect_str_eq(t.host, cases[i].host);
		cr_expect(t.port == cases[i].port && t.tls == cases[i].tls, "%s", cases[i].text);
	}
}

Test(openflow_controllers, a_lost_controller_is_dialled_again)
{
	int fd;

	set_controllers(target, NULL);
	cr_expect_not(status(0).connected);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t start = uv_hrtime();

		fd = greet();
		cr_expect_lt(uv_hrtime() - start, 2000000000ull, "fast");
		barrier(fd);
		cr_expect(status(0).connected);
		close(fd);
	}
	/* the switch's own end goes with its definition */
	fd = greet();
	barrier(fd);
	set_controllers(NULL, NULL);
	cr_expect_eq(hear(fd, (uint8_t[OFP_MESSAGE_MAX]){0}), -1);
	run_for(200);
	cr_expect_eq(accept(listener, NULL, NULL), -1, "it is not dialled any more");
	close(fd);
}

Test(openflow_controllers, pauses_grow_to_their_limit)
{
	uint16_t port;
	int closed = bind_port(&port, false);
	uint64_t start;
	char dead[64];

	/* bound but not listening: refused at once */
	snprintf(dead, sizeof(dead), "tcp:127.0.0.1:%u", port);
	config.backoff_max_ms = 400;
	start = uv_hrtime();
	set_controllers(dead, NULL);
	while (status(0).attempts < 6)
		turn();
	/* pauses of 100, 200, 400, 400 and 400 ms, give or take a quarter */
	cr_expect_geq(uv_hrtime() - start, 1125000000ull);
	cr_expect_str_eq(status(0).error, "connection refused");
	close(closed);
}

Test(openflow_controllers, mistakes_change_nothing)
{
	const char *twice[] = {target, target}, *bad[] = {"tcp:x:y"}, *many[OFP_CONTROLLERS_MAX + 1];
	char texts[OFP_CONTROLLERS_MAX + 1][32];
	struct error e;

	for (unsigned i = 0; i <= OFP_CONTROLLERS_MAX; i++) {
		snprintf(texts[i], sizeof(texts[i]), "tcp:127.0.0.1:%u", i + 1);
		many[i] = texts[i];
	}
	set_controllers(target, NULL);
	cr_expect_eq(ofp_server_set_controllers(server, twice, 2, &config, &e), -EEXIST);
	cr_expect_eq(ofp_server_set_controllers(server, bad, 1, &config, &e), -EINVAL);
	cr_expect_eq(ofp_server_set_controllers(server, many, OFP_CONTROLLERS_MAX + 1, &config, &e), -E2BIG);
	cr_expect_str_eq(status(0).target, target);
	set_controllers("ssl:127.0.0.1:1", NULL);
	run_for(20);
	cr_expect(strstr(status(0).error, "needs a private key"), "%s", status(0).error);
}

Test(openflow_controllers, a_silent_peer_is_asked_and_then_dropped)
{
	uint8_t message[OFP_MESSAGE_MAX];
	int fd;

	config.probe_ms = 400;
	set_controllers(target, NULL);
	fd = greet();
	for (unsigned i = 0; i < 3; i++) { /* one that answers stays */
		cr_assert_gt(hear(fd, message), 0);
		cr_expect_eq(message[1], OFPT_ECHO_REQUEST);
		say(fd, "04030008 00000000");
	}
	cr_assert_gt(hear(fd, message), 0);
	cr_expect_eq(message[1], OFPT_ECHO_REQUEST);
	cr_expect_eq(hear(fd, message), -1, "no answer, no connection");
	cr_expect_str_eq(status(0).error, "the peer is silent");
	close(fd);
	fd = greet(); /* and again */
	close(fd);
}

Test(openflow_controllers, a_loop_that_was_held_up_listens_before_it_hangs_up)
{
	uint8_t message[OFP_MESSAGE_MAX];
	int fd;

	config.probe_ms = 50;
	set_controllers(target, NULL);
	fd = greet();
	for (unsigned i = 0; i < 3; i++) { /* its answer lies in the socket while the time for it runs out */
		cr_assert_gt(hear(fd, message), 0);
		cr_assert_eq(message[1], OFPT_ECHO_REQUEST);
		say(fd, "04030008 00000000");
		poll(NULL, 0, 3 * 50);
	}
	close(fd);
}

/* ---- fail modes ---- */

Test(openflow_controllers, standalone_while_none_is_there)
{
	uint64_t start;
	int fd;

	config.probe_ms = 400;
	set_controllers(target, NULL);
	fd = greet();
	barrier(fd);
	close(fd);
	close(listener); /* nobody to connect to any more */
	start = uv_hrtime();
	await_standalone(true);
	cr_expect_geq(uv_hrtime() - start, 1100000000ull, "not before three probe intervals");
	config.fail_mode = OFP_FAIL_SECURE;
	set_controllers(target, NULL);
	await_standalone(false);
	run_for(1500);
	cr_expect_not(fake_switch_is_standalone(sw), "a secure switch never is");
	listener = bind_port(&(uint16_t){0}, true); /* for tear_down */
}

Test(openflow_controllers, standalone_until_one_says_hello)
{
	uint8_t message[OFP_MESSAGE_MAX];
	int fd;

	config.probe_ms = 50;
	set_controllers(target, NULL);
	fd = accept_one();
	cr_assert_gt(hear(fd, message), 0);
	await_standalone(true); /* a connection alone is no controller */
	say(fd, "04000008 00000001");
	await_standalone(false);
	close(fd);
}

/* ---- roles and what is told ---- */

/* Asks for a role (1 equal, 2 master, 3 slave); what it is then, or -1 for an error, left in `message`. */
static int ask_role(int fd, unsigned role, unsigned generation, uint8_t *message)
{
	char hex[64];

	snprintf(hex, sizeof(hex), "04180018 00000002 %08x 00000000 00000000 %08x", role, generation);
	say(fd, hex);
	cr_assert_gt(hear(fd, message), 0);
	return message[1] == OFPT_ROLE_REPLY ? message[11] : -1;
}

static void greet_two(int *a, int *b)
{
	set_controllers(target, target2);
	*a = greet();
	*b = greet();
	barrier(*a);
	barrier(*b);
	cr_expect(status(0).connected && status(1).connected);
}

Test(openflow_controllers, a_slave_may_look_but_not_touch)
{
	static const char *const changes[] = {
	        "040e0038 00000001 0000000000000000 0000000000000000 00 00 0000 0000 8000 ffffffff ffffffff "
	        "ffffffff 0000 0000 0001 0004 00000000",
	        "040f0010 00000001 0000 00 00 00000001",
	        "04100028 00000001 00000001 00000000 020000000000 0000 00000000 00000000 00000000 00000000",
	        "04110010 00000001 00000000 00000000",
	        "040d0018 00000001 ffffffff 00000001 0000 000000000000",
	        "041d0010 00000001 0000 0001 00000001",
	};
	uint8_t message[OFP_MESSAGE_MAX];
	int a, b;

	greet_two(&a, &b);
	cr_expect_eq(ask_role(a, 0, 0, message), 1, "equal at first");
	cr_expect_eq(ask_role(a, 2, 5, message), 2);
	cr_expect_eq(message[23], 5, "the generation");
	cr_expect_eq(ask_role(b, 2, 6, message), 2);
	cr_expect_eq(ask_role(a, 0, 0, message), 3, "there is one master");
	for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		cr_expect_eq(error_of(a, changes[i]), 1 << 16 | 10, "IS_SLAVE for change %u", i);
	say(a, "04120010 00000001 00000000 00000000"); /* DESC */
	cr_assert_gt(hear(a, message), 0);
	cr_expect_eq(message[1], OFPT_MULTIPART_REPLY);
	cr_expect_eq(ask_role(a, 2, 4, message), -1);
	cr_expect(message[9] == 11 && message[11] == 0, "STALE");
	cr_expect_eq(ask_role(a, 1, 4, message), 1, "equal needs no generation");
	say(a, changes[1]);
	barrier(a);
	close(a);
	close(b);
}

static const char *const set_async = "041c0020 00000001 %08x %08x %08x %08x %08x %08x";

Test(openflow_controllers, each_role_is_told_what_it_asked_for)
{
	struct ofp_port port = {.port_no = 1, .name = "vm1"};
	uint8_t message[OFP_MESSAGE_MAX];
	char hex[128];
	int a, b;

	greet_two(&a, &b);
	cr_expect_eq(ask_role(b, 3, 1, message), 3);
	packet_in(OFPR_ACTION, 0);
	ofp_server_port_status(server, &port, OFPPR_MODIFY);
	cr_assert_gt(hear(a, message), 0);
	cr_expect_eq(message[1], OFPT_PACKET_IN);
	cr_assert_gt(hear(a, message), 0);
	cr_expect_eq(message[1], OFPT_PORT_STATUS);
	cr_assert_gt(hear(b, message), 0);
	cr_expect_eq(message[1], OFPT_PORT_STATUS, "a slave gets only those unless it asks");
	packet_in(OFPR_INVALID_TTL, 0);
	barrier(a); /* not among the reasons that are told by default */

	snprintf(hex, sizeof(hex), set_async, 4, 2, 1, 2, 0, 0);
	say(a, hex);
	say(b, hex);
	barrier(a);
	barrier(b);
	packet_in(OFPR_ACTION, 0);
	packet_in(OFPR_INVALID_TTL, 0);
	ofp_server_port_status(server, &port, OFPPR_MODIFY);
	cr_assert_gt(hear(a, message), 0);
	cr_expect(message[1] == OFPT_PACKET_IN && message[14] == OFPR_INVALID_TTL);
	barrier(a);
	cr_assert_gt(hear(b, message), 0);
	cr_expect(message[1] == OFPT_PACKET_IN && message[14] == OFPR_ACTION);
	barrier(b);
	ofp_server_port_status(server, &port, OFPPR_DELETE);
	barrier(a);
	cr_assert_gt(hear(b, message), 0);
	cr_expect(message[1] == OFPT_PORT_STATUS && message[8] == OFPPR_DELETE);
	close(a);
	close(b);
}

Test(openflow_controllers, controller_ids_and_formats)
{
	uint8_t message[OFP_MESSAGE_MAX];
	int a, b, n;

	greet_two(&a, &b);
	say(a, "04040018 00000001 00002320 00000014 000000000000 0005"); /* controller id 5 */
	say(b, "04040014 00000001 00002320 00000010 00000002");          /* NXT_PACKET_IN2 */
	barrier(a);
	barrier(b);
	packet_in(OFPR_ACTION, 5);
	packet_in(OFPR_ACTION, 0);
	cr_assert_gt(hear(a, message), 0);
	cr_expect_eq(message[1], OFPT_PACKET_IN);
	barrier(a);
	n = hear(b, message);
	cr_assert_gt(n, 0);
	cr_expect(message[1] == OFPT_EXPERIMENTER && message[15] == 30, "type %u", message[15]);
	cr_expect(memmem(message, (size_t)n, "\0\7\0\10weft", 8), "no userdata");
	barrier(b);
	cr_expect_eq(error_of(b, "04040014 00000001 00002320 00000010 00000003"), 1 << 16 | 5);
	close(a);
	close(b);
}

Test(openflow_controllers, a_rate_for_packets)
{
	uint8_t message[OFP_MESSAGE_MAX];
	unsigned n = 0;
	int fd;

	config.packet_in_rate = 100;
	set_controllers(target, NULL);
	fd = greet();
	barrier(fd);
	run_for(400); /* a quarter second's worth is saved up, no more */
	for (unsigned i = 0; i < 200; i++)
		packet_in(OFPR_ACTION, 0);
	while (hear_within(fd, message, 0) > 0)
		n += message[1] == OFPT_PACKET_IN;
	cr_expect_eq(n, 25, "%u packets", n);
	cr_expect_eq(status(0).packet_ins_lost, 200 - n);
	run_for(100);
	packet_in(OFPR_ACTION, 0);
	cr_assert_gt(hear(fd, message), 0);
	close(fd);
}

Test(openflow_controllers, one_that_does_not_read_loses_what_is_not_an_answer)
{
	enum { packets = 30000 }; /* 30 MB */
	uint8_t message[OFP_MESSAGE_MAX];
	unsigned n = 0;
	int a, b;

	config.packet_in_rate = 0;
	config.probe_ms = 0;
	greet_two(&a, &b);
	for (unsigned i = 0; i < packets; i++) {
		packet_in(OFPR_ACTION, 0);
		if (i % 64)
			continue;
		uv_run(&loop, UV_RUN_NOWAIT);
		while (hear_within(b, message, 0) > 0)
			n++;
	}
	while (hear_within(b, message, 20) > 0)
		n++;
	cr_expect_eq(n, packets, "the one that reads got %u", n);
	cr_expect_gt(status(0).lost + status(1).lost, 1000, "the other's queue is bounded");
	while (hear_within(a, message, 20) > 0) /* what it had is whole */
		cr_assert_eq(message[1], OFPT_PACKET_IN);
	barrier(a);
	close(a);
	close(b);
}

Test(openflow_controllers, half_a_hello_holds_nothing_up)
{
	uint8_t message[OFP_MESSAGE_MAX];
	int a, b;

	set_controllers(target, target2);
	a = accept_one();
	b = accept_one();
	cr_assert_gt(hear(a, message), 0);
	cr_assert_gt(hear(b, message), 0);
	say(a, "0400");
	say(b, "04000008 00000001");
	barrier(b);
	cr_expect_neq(status(0).connected, status(1).connected);
	say(a, "0008 00000001");
	barrier(a);
	cr_expect(status(0).connected && status(1).connected);
	close(a);
	close(b);
}
