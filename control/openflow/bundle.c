/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles for OpenFlow 1.3 (ONF extension 230): changes gather here and are applied as one version, or not at
 * all. Called by dispatch.c. */
#include <stdlib.h>
#include <string.h>

#include "control/openflow/connection.h"

enum { CONTROL_OPEN, CONTROL_CLOSE = 2, CONTROL_COMMIT = 4, CONTROL_DISCARD = 6 };
enum { BUNDLES_MAX = 16, CHANGES_MAX = 1 << 20, HEAD_MAX = 64, FLAGS_KNOWN = 7 };

enum step_kind { STEP_FLOW, STEP_GROUP, STEP_METER, STEP_PORT, STEP_PACKET };

struct step {
	STAILQ_ENTRY(step) link;
	enum step_kind kind;
	union {
		struct flow_mod flow;
		struct group_mod group;
		struct meter_mod meter;
		struct ofp_port_mod port;
		struct {
			struct ofp_packet_out out; /* points to the two below */
			struct action_list actions;
			uint8_t *data;
		} packet;
	} u;
	uint8_t head[HEAD_MAX]; /* of its message, to be quoted in an error */
	uint8_t head_len;
};

struct bundle {
	LIST_ENTRY(bundle) link;
	uint32_t id;
	uint16_t flags;
	bool closed;
	STAILQ_HEAD(, step) steps;
	unsigned n;
};

static void step_free(struct step *s)
{
	if (s->kind == STEP_FLOW)
		flow_mod_free(&s->u.flow);
	else if (s->kind == STEP_GROUP)
		group_mod_free(&s->u.group);
	if (s->kind == STEP_PACKET) {
		action_list_free(&s->u.packet.actions);
		free(s->u.packet.data);
	}
	free(s);
}

static void bundle_free(struct connection *c, struct bundle *b)
{
	struct step *s;

	while ((s = STAILQ_FIRST(&b->steps))) {
		STAILQ_REMOVE_HEAD(&b->steps, link);
		step_free(s);
	}
	LIST_REMOVE(b, link);
	c->n_bundles--;
	free(b);
}

void bundles_free(struct connection *c)
{
	struct bundle *b;

	while ((b = LIST_FIRST(&c->bundles)))
		bundle_free(c, b);
}

static struct bundle *find(struct connection *c, uint32_t id)
{
	struct bundle *b;

	LIST_FOREACH(b, &c->bundles, link)
	{
		if (b->id == id)
			return b;
	}
	return NULL;
}

static enum ofp_error open_bundle(struct connection *c, uint32_t id, uint16_t flags, struct bundle **out)
{
	struct bundle *b = find(c, id);

	if (b) {
		bundle_free(c, b);
		return ONFBFC_BUNDLE_EXIST;
	}
	if (flags & ~FLAGS_KNOWN)
		return ONFBFC_BAD_FLAGS;
	b = c->n_bundles < BUNDLES_MAX ? calloc(1, sizeof(*b)) : NULL;
	if (!b)
		return ONFBFC_OUT_OF_BUNDLES;
	b->id = id;
	b->flags = flags;
	STAILQ_INIT(&b->steps);
	LIST_INSERT_HEAD(&c->bundles, b, link);
	c->n_bundles++;
	*out = b;
	return OFP_OK;
}

/* Of its first message: what a flow monitor is told of the client's own change. */
static uint32_t bundle_xid(const struct bundle *b)
{
	return ofp_read_header(STAILQ_FIRST(&b->steps)->head).xid;
}

/* Would the port_mod be refused? */
static enum ofp_error check_port(struct connection *c, const struct ofp_port_mod *mod)
{
	struct ofp_port port;

	if (!c->server->ops->port_next(c->server->ctx, !mod->port_no, mod->port_no - 1, &port, NULL) ||
	    port.port_no != mod->port_no)
		return OFPPMFC_BAD_PORT;
	return mac_equal(port.hw_addr, mod->hw_addr) ? OFP_OK : OFPPMFC_BAD_HW_ADDR;
}

/* Flows, groups and meters as one version. On an error `*culprit` is the step that is refused. */
static enum ofp_error apply_changes(struct connection *c, const struct bundle *b, const struct step **culprit)
{
	struct ofp_change *changes = calloc(b->n + 1, sizeof(*changes));
	const struct step **steps = calloc(b->n + 1, sizeof(*steps)), *s;
	enum ofp_error error = OFP_OK;
	unsigned failed = 0, n = 0;

	STAILQ_FOREACH(s, &b->steps, link)
	{
		if (!changes || !steps || s->kind > STEP_METER)
			continue;
		if (s->kind == STEP_FLOW)
			changes[n] = (struct ofp_change){.kind = OFP_CHANGE_FLOW, .flow = &s->u.flow};
		else if (s->kind == STEP_GROUP)
			changes[n] = (struct ofp_change){.kind = OFP_CHANGE_GROUP, .group = &s->u.group};
		else
			changes[n] = (struct ofp_change){.kind = OFP_CHANGE_METER, .meter = &s->u.meter};
		steps[n++] = s;
	}
	if (!changes || !steps)
		error = OFPFMFC_UNKNOWN;
	else if (n)
		error = connection_apply(c, bundle_xid(b), changes, n, &failed);
	*culprit = steps ? steps[failed] : NULL;
	free(changes);
	free(steps);
	return error;
}

/* What is not of the tables, in its order, by what they are then. */
static void run(struct connection *c, const struct bundle *b)
{
	const struct step *s;

	STAILQ_FOREACH(s, &b->steps, link)
	{
		enum ofp_error error = OFP_OK;

		if (s->kind == STEP_PORT)
			error = c->server->ops->port_mod(c->server->ctx, &s->u.port);
		else if (s->kind == STEP_PACKET)
			error = c->server->ops->packet_out(c->server->ctx, &s->u.packet.out);
		if (error)
			reply_error(c, s->head, s->head_len, error);
	}
}

static enum ofp_error apply(struct connection *c, const struct bundle *b)
{
	const struct step *s, *culprit = NULL;
	enum ofp_error error = OFP_OK;

	STAILQ_FOREACH(s, &b->steps, link)
	{
		if (s->kind == STEP_PORT && !error) {
			culprit = s;
			error = check_port(c, &s->u.port);
		}
	}
	if (!error)
		error = apply_changes(c, b, &culprit);
	if (!error) {
		run(c, b);
		return OFP_OK;
	}
	if (culprit) /* whose fault it is, then that the whole failed */
		reply_error(c, culprit->head, culprit->head_len, error);
	return ONFBFC_MSG_FAILED;
}

static void put_control_reply(struct connection *c, uint32_t xid, uint32_t id, uint16_t type, uint16_t flags)
{
	bool standard = c->out.version == OFP_VERSION_14;
	size_t start = ofp_begin(&c->out, standard ? OFPT_BUNDLE_CONTROL : OFPT_EXPERIMENTER, xid);

	if (!standard) {
		ofp_put_u32(&c->out, ONF_EXPERIMENTER);
		ofp_put_u32(&c->out, 2300);
	}
	ofp_put_u32(&c->out, id);
	ofp_put_u16(&c->out, type + 1);
	ofp_put_u16(&c->out, flags);
	ofp_end(&c->out, start);
}

enum ofp_error bundle_control(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	uint32_t id = ofp_get_u32(r);
	uint16_t type = ofp_get_u16(r), flags = ofp_get_u16(r);
	struct bundle *b = find(c, id);
	enum ofp_error error = OFP_OK;

	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (type == CONTROL_OPEN) {
		error = open_bundle(c, id, flags, &b);
	} else if (type != CONTROL_CLOSE && type != CONTROL_COMMIT && type != CONTROL_DISCARD) {
		error = ONFBFC_BAD_TYPE;
	} else if (!b) {
		error = ONFBFC_BAD_ID;
	} else if (type == CONTROL_CLOSE) {
		error = b->closed ? ONFBFC_BUNDLE_CLOSED : OFP_OK;
		b->closed = true;
	} else {
		if (type == CONTROL_COMMIT)
			error = apply(c, b);
		bundle_free(c, b);
	}
	if (!error)
		put_control_reply(c, xid, id, type, flags);
	return error;
}

/* The frame is the step's own. */
static enum ofp_error read_packet(struct ofp_reader *body, struct step *s)
{
	struct ofp_packet_out *out = &s->u.packet.out;
	enum ofp_error error = ofp_read_packet_out(body, out, &s->u.packet.actions);

	if (error)
		return error;
	s->u.packet.data = malloc(out->len + 1);
	if (!s->u.packet.data) {
		action_list_free(&s->u.packet.actions);
		return ONFBFC_OUT_OF_BUNDLES;
	}
	memcpy(s->u.packet.data, out->data, out->len);
	out->data = s->u.packet.data;
	return OFP_OK;
}

static enum ofp_error read_step(const struct ofp_header *h, struct ofp_reader *body, struct step *s)
{
	if (h->type == OFPT_FLOW_MOD) {
		s->kind = STEP_FLOW;
		return ofp_read_flow_mod(body, &s->u.flow);
	}
	if (h->type == OFPT_GROUP_MOD) {
		s->kind = STEP_GROUP;
		return ofp_read_group_mod(body, &s->u.group);
	}
	if (h->type == OFPT_METER_MOD) {
		s->kind = STEP_METER;
		return ofp_read_meter_mod(body, &s->u.meter);
	}
	if (h->type == OFPT_PORT_MOD) {
		s->kind = STEP_PORT;
		return ofp_read_port_mod(body, &s->u.port);
	}
	if (h->type == OFPT_PACKET_OUT) {
		s->kind = STEP_PACKET;
		return read_packet(body, s);
	}
	return ONFBFC_MSG_UNSUP;
}

static enum ofp_error add_message(struct bundle *b, uint32_t xid, struct ofp_reader *r)
{
	const uint8_t *head = r->at;
	struct ofp_reader body;
	struct ofp_header h;
	enum ofp_error error;
	struct step *s;

	if (ofp_left(r) < OFP_HEADER_LEN)
		return ONFBFC_MSG_BAD_LEN;
	h = ofp_read_header(ofp_get(r, OFP_HEADER_LEN));
	if (h.length < OFP_HEADER_LEN)
		return ONFBFC_MSG_BAD_LEN;
	body = ofp_get_part(r, h.length - OFP_HEADER_LEN);
	if (body.failed)
		return ONFBFC_MSG_BAD_LEN;
	if (h.xid != xid)
		return ONFBFC_MSG_BAD_XID;
	if (h.version != r->version)
		return OFPBRC_BAD_VERSION;
	s = b->n < CHANGES_MAX ? calloc(1, sizeof(*s)) : NULL;
	if (!s)
		return ONFBFC_MSG_TOO_MANY;
	s->head_len = (uint8_t)(h.length < HEAD_MAX ? h.length : HEAD_MAX);
	memcpy(s->head, head, s->head_len);
	error = read_step(&h, &body, s);
	if (error) {
		free(s);
		return error;
	}
	STAILQ_INSERT_TAIL(&b->steps, s, link);
	b->n++;
	return OFP_OK;
}

enum ofp_error bundle_add(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	uint32_t id = ofp_get_u32(r);
	struct bundle *b = find(c, id);
	enum ofp_error error;
	uint16_t flags;

	ofp_skip(r, 2);
	flags = ofp_get_u16(r);
	if (r->failed)
		return ONFBFC_MSG_BAD_LEN;
	if (!b) { /* an add may open the bundle */
		error = open_bundle(c, id, flags, &b);
		if (error)
			return error;
	}
	if (b->closed)
		return ONFBFC_BUNDLE_CLOSED;
	return b->flags == flags ? add_message(b, xid, r) : ONFBFC_BAD_FLAGS;
}
