/* SPDX-License-Identifier: Apache-2.0 */
/* A small OpenFlow controller; see controller.h. Used by scenarios. */
#include "tests/pktgen/controller.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/openflow/messages.h"
#include "flows/meter.h"
#include "flows/text.h"

enum { WAIT_MS = 10000, IN_MAX = 1 << 20, PACKET_IN_FIXED = 24, PORTS_MAX = 32, ALL_CONFIG = 0x65 };

struct controller {
	int fd;
	uint32_t xid;
	struct ofp_writer out;
	uint32_t in_len; /* bytes that have come and were not looked at */
	uint8_t in[IN_MAX];
	unsigned nports;
	struct ofp_port ports[PORTS_MAX];
	uint32_t held; /* bytes of packet-ins that nobody has taken yet: length, frame, length, frame ... */
	uint8_t packets[IN_MAX];
};

/* ---- what comes ---- */

static void hold_packet(struct controller *c, const uint8_t *message, uint32_t len)
{
	uint32_t match, start, n;

	if (len < PACKET_IN_FIXED + 4)
		return;
	match = (uint32_t)message[PACKET_IN_FIXED + 2] << 8 | message[PACKET_IN_FIXED + 3];
	start = PACKET_IN_FIXED + (match + 7) / 8 * 8 + 2;
	if (start >= len || c->held + 4 + len - start > IN_MAX)
		return;
	n = len - start;
	memcpy(c->packets + c->held, &n, 4);
	memcpy(c->packets + c->held + 4, message + start, n);
	c->held += 4 + n;
}

static void hold_ports(struct controller *c, const uint8_t *message, uint32_t len)
{
	struct ofp_reader r = ofp_reader_of(message, len);

	ofp_skip(&r, OFP_HEADER_LEN);
	if (ofp_get_u16(&r) != OFPMP_PORT_DESC)
		return;
	ofp_skip(&r, OFP_MULTIPART_LEN - OFP_HEADER_LEN - 2);
	while (ofp_left(&r) && c->nports < PORTS_MAX && ofp_read_port(&r, &c->ports[c->nports]) == OFP_OK)
		c->nports++;
}

/* Takes the whole messages that have come. True: the reply to `xid` was among them; `error` says whether an
 * error was. */
static bool take_messages(struct controller *c, uint32_t xid, struct error *e, bool *error)
{
	uint32_t at = 0;
	bool found = false;

	while (c->in_len - at >= OFP_HEADER_LEN) {
		const uint8_t *m = c->in + at;
		struct ofp_header h = ofp_read_header(m);
		enum ofp_type type = ofp_type_of_wire(h.version, h.type);

		if (h.length < OFP_HEADER_LEN || c->in_len - at < h.length)
			break;
		at += h.length;
		found |= h.xid == xid && type == OFPT_BARRIER_REPLY;
		if (type == OFPT_PACKET_IN)
			hold_packet(c, m, h.length);
		else if (type == OFPT_MULTIPART_REPLY)
			hold_ports(c, m, h.length);
		else if (type == OFPT_ECHO_REQUEST)
			ofp_put_message(&c->out, OFPT_ECHO_REPLY, h.xid, m + OFP_HEADER_LEN,
			                h.length - OFP_HEADER_LEN);
		else if (type == OFPT_ERROR && h.length >= 12) {
			error_set(e, EPROTO, "the switch refused it: error type %u, code %u",
			          m[8] << 8 | m[9], m[10] << 8 | m[11]);
			*error = true;
		}
	}
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
	return found;
}

/* Reads what is there, waiting at most `ms` for the first byte. False: the switch has gone. */
static bool read_some(struct controller *c, int ms)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return true;
	n = recv(c->fd, c->in + c->in_len, IN_MAX - c->in_len, MSG_DONTWAIT);
	if (n > 0)
		c->in_len += (uint32_t)n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* ---- what is sent ---- */

static int flush_out(struct controller *c)
{
	size_t sent = 0;

	while (sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + sent, c->out.len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		sent += n > 0 ? (size_t)n : 0;
	}
	ofp_writer_cut(&c->out, 0);
	return c->out.failed ? -ENOMEM : 0;
}

/* Sends what was put and waits until the switch has done it. */
static int settle(struct controller *c, struct error *e)
{
	uint32_t xid = ++c->xid;
	bool error = false;
	int rc;

	ofp_put_message(&c->out, OFPT_BARRIER_REQUEST, xid, NULL, 0);
	rc = flush_out(c);
	if (rc)
		return error_set(e, -rc, "sending to the switch: %s", strerror(-rc));
	for (unsigned left = WAIT_MS / 10; left; left--) {
		if (!read_some(c, 10))
			return error_set(e, ECONNRESET, "the switch closed the connection");
		if (take_messages(c, xid, e, &error))
			return error ? -EPROTO : 0;
	}
	return error_set(e, ETIMEDOUT, "no barrier reply within %d s", WAIT_MS / 1000);
}

/* ---- life ---- */

struct controller *controller_open(const char *path, struct error *e)
{
	static const uint8_t config[4] = {0, 0, 0xff, 0xff}; /* packet-ins are wanted, and whole */
	static const uint8_t async[24] = {[3] = 7, [7] = 7}; /* for all three reasons, and nothing else */
	struct controller *c = calloc(1, sizeof(*c));
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (!c) {
		error_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to))) {
		error_set(e, errno, "%s: %s", path, strerror(errno));
		controller_close(c);
		return NULL;
	}
	ofp_put_message(&c->out, OFPT_HELLO, ++c->xid, NULL, 0);
	ofp_put_message(&c->out, OFPT_SET_CONFIG, ++c->xid, config, sizeof(config));
	ofp_put_message(&c->out, OFPT_SET_ASYNC, ++c->xid, async, sizeof(async));
	ofp_end(&c->out, ofp_begin_multipart(&c->out, true, OFPMP_PORT_DESC, ++c->xid));
	if (settle(c, e)) {
		controller_close(c);
		return NULL;
	}
	return c;
}

void controller_close(struct controller *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	ofp_writer_free(&c->out);
	free(c);
}

/* ---- flows, groups, meters ---- */

int controller_flow(struct controller *c, const char *text, struct error *e)
{
	struct flow_mod fm;

	if (flow_line_parse(text, NULL, &fm, NULL, e))
		return -EINVAL;
	ofp_put_flow_mod(&c->out, ++c->xid, &fm);
	flow_mod_free(&fm);
	return settle(c, e);
}

int controller_group(struct controller *c, const char *text, struct error *e)
{
	struct group_mod gm;

	if (group_mod_parse(text, GROUP_ADD, NULL, &gm, e))
		return -EINVAL;
	ofp_put_group_mod(&c->out, ++c->xid, &gm);
	group_mod_free(&gm);
	return settle(c, e);
}

int controller_meter(struct controller *c, const char *text, struct error *e)
{
	struct meter_mod mm = {.command = METER_ADD, .flags = METER_BURST, .n_bands = 1};
	struct meter_band *band = &mm.bands[0];
	char unit[8], type[8];
	unsigned level = 0;
	int n = sscanf(text, "%u %7s %u %u %7s %u", &mm.meter_id, unit, &band->rate, &band->burst, type,
	               &level);

	if (n < 5 || (strcmp(unit, "pktps") && strcmp(unit, "kbps")) ||
	    (strcmp(type, "drop") && strcmp(type, "remark")))
		return error_set(e, EINVAL, "expected ID pktps|kbps RATE BURST drop|remark LEVEL");
	mm.flags |= strcmp(unit, "kbps") ? METER_PKTPS : METER_KBPS;
	band->type = strcmp(type, "drop") ? METER_DSCP_REMARK : METER_DROP;
	band->prec_level = (uint8_t)level;
	ofp_put_meter_mod(&c->out, ++c->xid, &mm);
	return settle(c, e);
}

int controller_config(struct controller *c, uint32_t port, uint32_t config, struct error *e)
{
	for (unsigned i = 0; i < c->nports; i++) {
		struct ofp_port_mod mod = {.port_no = port,
		                           .hw_addr = c->ports[i].hw_addr,
		                           .config = config,
		                           .mask = ALL_CONFIG};

		if (c->ports[i].port_no != port)
			continue;
		ofp_put_port_mod(&c->out, ++c->xid, &mod);
		return settle(c, e);
	}
	return error_set(e, ENODEV, "the switch has no port %u", port);
}

int controller_clear(struct controller *c, struct error *e)
{
	struct group_mod groups;
	struct meter_mod meters = {.command = METER_DELETE, .meter_id = METER_ALL};
	struct flow_mod flows;
	char marker[96];

	if (flow_mod_parse("", FLOW_DELETE, NULL, &flows, NULL, e))
		return -EINVAL;
	ofp_put_flow_mod(&c->out, ++c->xid, &flows);
	flow_mod_free(&flows);
	if (group_mod_parse("", GROUP_DELETE, NULL, &groups, e))
		return -EINVAL;
	ofp_put_group_mod(&c->out, ++c->xid, &groups);
	group_mod_free(&groups);
	ofp_put_meter_mod(&c->out, ++c->xid, &meters);
	snprintf(marker, sizeof(marker), "priority=65535,dl_type=0x%x,actions=ALL,IN_PORT,CONTROLLER",
	         MARKER_TYPE);
	return controller_flow(c, marker, e);
}

/* ---- packets ---- */

uint32_t controller_receive(struct controller *c, void *frame, uint32_t max)
{
	struct error e;
	uint32_t n;
	bool error;

	if (!c->held) {
		read_some(c, 0);
		take_messages(c, 0, &e, &error);
	}
	if (!c->held)
		return 0;
	memcpy(&n, c->packets, 4);
	memcpy(frame, c->packets + 4, n < max ? n : max);
	c->held -= 4 + n;
	memmove(c->packets, c->packets + 4 + n, c->held);
	return n < max ? n : max;
}

int controller_send(struct controller *c, const void *frame, uint32_t len)
{
	struct action_list actions;
	struct ofp_packet_out packet = {
	        .in_port = PORT_CONTROLLER, .data = frame, .len = len, .actions = &actions};
	struct error e;

	if (actions_parse("TABLE", NULL, &actions, &e))
		return -EINVAL;
	ofp_put_packet_out(&c->out, ++c->xid, &packet);
	action_list_free(&actions);
	return settle(c, &e);
}
