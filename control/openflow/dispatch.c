/* SPDX-License-Identifier: Apache-2.0 */
/* From a message's type to what is done about it. Called by connection.c with whole messages, in order. */
#include "control/openflow/monitor.h"
#include "control/openflow/nx_packet_in.h"

void reply_error(struct connection *c, const uint8_t *message, size_t len, enum ofp_error error)
{
	ofp_put_error(&c->out, ofp_read_header(message).xid, error, message, len);
}

/* ---- the session ---- */

static void greet(struct connection *c, const struct ofp_header *h, struct ofp_reader *r)
{
	static const char text[] = "OpenFlow 1.0, 1.3 and 1.4 are spoken here";
	uint8_t version = h->type == OFPT_HELLO ? ofp_agree(h->version, r, OFP_VERSIONS) : 0;

	if (version) {
		c->out.version = version;
		c->greeted = true;
		async_changed(c);
		return;
	}
	c->out.version =
	        h->version == OFP_VERSION_10 ? OFP_VERSION_10 : OFP_VERSION_13; /* to be understood */
	ofp_put_error(&c->out, h->xid, OFPHFC_INCOMPATIBLE, text, sizeof(text) - 1);
	c->last_words = true;
}

static enum ofp_error on_echo(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	size_t n = ofp_left(r);

	ofp_put_message(&c->out, OFPT_ECHO_REPLY, xid, ofp_get(r, n), n);
	return OFP_OK;
}

static enum ofp_error on_nothing(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	return OFP_OK;
}

enum { /* OFPC_* */
       CAPABILITIES = 1 /* flow stats */ | 2 /* table stats */ | 4 /* port stats */ | 8 /* group stats */ |
	              0x40 /* queue stats */
};

static enum ofp_error on_features(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	const struct ofp_server *s = c->server;
	size_t start = ofp_begin(&c->out, OFPT_FEATURES_REPLY, xid);

	ofp_put_u64(&c->out, s->ops->datapath_id(s->ctx));
	ofp_put_u32(&c->out, 0); /* no packet is ever buffered */
	ofp_put_u8(&c->out, (uint8_t)s->ops->table_count(s->ctx));
	ofp_put_zero(&c->out, 3);
	ofp_put_u32(&c->out, CAPABILITIES);
	ofp_put_u32(&c->out, 0);
	ofp_end(&c->out, start);
	return OFP_OK;
}

static enum ofp_error on_get_config(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	size_t start = ofp_begin(&c->out, OFPT_GET_CONFIG_REPLY, xid);

	ofp_put_u16(&c->out, c->server->ops->frag_mode(c->server->ctx));
	ofp_put_u16(&c->out, c->miss_send_len);
	ofp_end(&c->out, start);
	return OFP_OK;
}

enum { FRAGMENTS_REASSEMBLE = 2, FRAGMENTS_NX_MATCH = 3 };

static enum ofp_error on_set_config(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	uint16_t flags = ofp_get_u16(r), miss_send_len = ofp_get_u16(r);
	enum ofp_error error;

	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (flags > FRAGMENTS_NX_MATCH)
		return OFPSCFC_BAD_FLAGS;
	/* Reassembly is not for a switch: as in Open vSwitch the mode stays, and a client sees that. */
	error = flags == FRAGMENTS_REASSEMBLE ? OFP_OK : c->server->ops->set_frag_mode(c->server->ctx, flags);
	if (!error)
		c->miss_send_len = miss_send_len;
	async_changed(c);
	return error;
}

static void put_barrier_reply(struct connection *c)
{
	ofp_put_message(&c->out, OFPT_BARRIER_REPLY, c->wait_xid, NULL, 0);
}

static enum ofp_error on_barrier(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	connection_wait(c, xid, put_barrier_reply);
	c->server->ops->barrier(c->server->ctx, connection_done, c);
	return OFP_OK;
}

/* ---- changes ---- */

static enum ofp_error apply_one(struct connection *c, uint32_t xid, const struct ofp_change *change)
{
	unsigned failed = 0;

	return connection_apply(c, xid, change, 1, &failed);
}

static enum ofp_error on_flow_mod(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct flow_mod fm;
	enum ofp_error error = ofp_read_flow_mod(r, &fm);

	if (error)
		return error;
	error = apply_one(c, xid, &(struct ofp_change){.kind = OFP_CHANGE_FLOW, .flow = &fm});
	flow_mod_free(&fm);
	return error;
}

static enum ofp_error on_group_mod(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct group_mod gm;
	enum ofp_error error = ofp_read_group_mod(r, &gm);

	if (error)
		return error;
	error = apply_one(c, xid, &(struct ofp_change){.kind = OFP_CHANGE_GROUP, .group = &gm});
	group_mod_free(&gm);
	return error;
}

static enum ofp_error on_meter_mod(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct ofp_meter_features features;
	struct meter_mod mm;
	enum ofp_error error = ofp_read_meter_mod(r, &mm);

	if (error)
		return error;
	c->server->ops->meter_features(c->server->ctx, &features);
	if (features.max_meters)
		return apply_one(c, xid, &(struct ofp_change){.kind = OFP_CHANGE_METER, .meter = &mm});
	return mm.command == METER_ADD      ? OFPMMFC_OUT_OF_METERS
	       : mm.command == METER_MODIFY ? OFPMMFC_UNKNOWN_METER
	                                    : OFP_OK;
}

static enum ofp_error on_port_mod(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct ofp_port_mod mod;
	enum ofp_error error = ofp_read_port_mod(r, &mod);

	return error ? error : c->server->ops->port_mod(c->server->ctx, &mod);
}

static enum ofp_error on_table_mod(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	uint8_t table_id = ofp_get_u8(r);
	uint32_t config;

	ofp_skip(r, 3);
	config = ofp_get_u32(r);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (table_id != OFPTT_ALL && table_id >= c->server->ops->table_count(c->server->ctx))
		return OFPTMFC_BAD_TABLE;
	return config > 3 ? OFPTMFC_BAD_CONFIG : OFP_OK; /* 1.3 gives its bits no meaning any more */
}

static enum ofp_error on_packet_out(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct ofp_packet_out packet;
	struct action_list actions;
	enum ofp_error error = ofp_read_packet_out(r, &packet, &actions);

	if (error)
		return error;
	error = c->server->ops->packet_out(c->server->ctx, &packet);
	action_list_free(&actions);
	return error;
}

static enum ofp_error on_queue_config(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	uint32_t port = ofp_get_u32(r);
	size_t start;

	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (port != OFPP_ANY && !connection_has_port(c, port))
		return OFPQOFC_BAD_PORT;
	start = ofp_begin(&c->out, OFPT_QUEUE_GET_CONFIG_REPLY, xid);
	ofp_put_u32(&c->out, port);
	ofp_put_zero(&c->out, 4); /* and no queues */
	ofp_end(&c->out, start);
	return OFP_OK;
}

static enum ofp_error on_resume(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	const struct ofp_switch_ops *ops = c->server->ops;
	struct ofp_resume packet;
	enum ofp_error error = nx_read_resume(r, ops->datapath_id(c->server->ctx), &packet);

	if (error)
		return error;
	error = ops->resume(c->server->ctx, &packet);
	continuation_free(&packet.continuation);
	return error;
}

static enum ofp_error on_multipart(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	return multipart_request(c, xid, r);
}

/* ---- who handles what: one table for each version, and one for experimenters' messages ---- */

static enum ofp_error on_experimenter(struct connection *c, uint32_t xid, struct ofp_reader *r);

static const struct handler handlers_13[] = {
        [OFPT_HELLO] = {on_nothing, false, BODY_ANY},
        [OFPT_ERROR] = {on_nothing, false, BODY_ANY},
        [OFPT_ECHO_REQUEST] = {on_echo, false, BODY_ANY},
        [OFPT_ECHO_REPLY] = {on_nothing, false, BODY_ANY},
        [OFPT_EXPERIMENTER] = {on_experimenter, false, BODY_ANY},
        [OFPT_FEATURES_REQUEST] = {on_features, false, 0},
        [OFPT_GET_CONFIG_REQUEST] = {on_get_config, false, 0},
        [OFPT_SET_CONFIG] = {on_set_config, false, 4},
        [OFPT_PACKET_OUT] = {on_packet_out, true, BODY_ANY},
        [OFPT_FLOW_MOD] = {on_flow_mod, true, BODY_ANY},
        [OFPT_GROUP_MOD] = {on_group_mod, true, BODY_ANY},
        [OFPT_PORT_MOD] = {on_port_mod, true, 32},
        [OFPT_TABLE_MOD] = {on_table_mod, true, 8},
        [OFPT_MULTIPART_REQUEST] = {on_multipart, false, BODY_ANY},
        [OFPT_BARRIER_REQUEST] = {on_barrier, false, 0},
        [OFPT_QUEUE_GET_CONFIG_REQUEST] = {on_queue_config, false, 8},
        [OFPT_ROLE_REQUEST] = {session_role, false, 16},
        [OFPT_GET_ASYNC_REQUEST] = {session_get_async, false, 0},
        [OFPT_SET_ASYNC] = {session_set_async, false, 24},
        [OFPT_METER_MOD] = {on_meter_mod, true, BODY_ANY},
};

static const struct handler handlers_14[] = {
        [OFPT_HELLO] = {on_nothing, false, BODY_ANY},
        [OFPT_ERROR] = {on_nothing, false, BODY_ANY},
        [OFPT_ECHO_REQUEST] = {on_echo, false, BODY_ANY},
        [OFPT_ECHO_REPLY] = {on_nothing, false, BODY_ANY},
        [OFPT_EXPERIMENTER] = {on_experimenter, false, BODY_ANY},
        [OFPT_FEATURES_REQUEST] = {on_features, false, 0},
        [OFPT_GET_CONFIG_REQUEST] = {on_get_config, false, 0},
        [OFPT_SET_CONFIG] = {on_set_config, false, 4},
        [OFPT_PACKET_OUT] = {on_packet_out, true, BODY_ANY},
        [OFPT_FLOW_MOD] = {on_flow_mod, true, BODY_ANY},
        [OFPT_GROUP_MOD] = {on_group_mod, true, BODY_ANY},
        [OFPT_PORT_MOD] = {on_port_mod, true, BODY_ANY},
        [OFPT_TABLE_MOD] = {on_table_mod, true, BODY_ANY},
        [OFPT_MULTIPART_REQUEST] = {on_multipart, false, BODY_ANY},
        [OFPT_BARRIER_REQUEST] = {on_barrier, false, 0},
        [OFPT_ROLE_REQUEST] = {session_role, false, 16},
        [OFPT_GET_ASYNC_REQUEST] = {session_get_async_14, false, 0},
        [OFPT_SET_ASYNC] = {session_set_async_14, false, BODY_ANY},
        [OFPT_METER_MOD] = {on_meter_mod, true, BODY_ANY},
        [OFPT_BUNDLE_CONTROL] = {bundle_control, true, BODY_ANY},
        [OFPT_BUNDLE_ADD_MESSAGE] = {bundle_add, true, BODY_ANY},
};

static const struct handler handlers_10[] = {
        [OFPT_HELLO] = {on_nothing, false, BODY_ANY},
        [OFPT_ERROR] = {on_nothing, false, BODY_ANY},
        [OFPT_ECHO_REQUEST] = {on_echo, false, BODY_ANY},
        [OFPT_ECHO_REPLY] = {on_nothing, false, BODY_ANY},
        [OFPT_EXPERIMENTER] = {on_experimenter, false, BODY_ANY},
        [OFPT_FEATURES_REQUEST] = {of10_features, false, 0},
        [OFPT_GET_CONFIG_REQUEST] = {on_get_config, false, 0},
        [OFPT_SET_CONFIG] = {on_set_config, false, 4},
        [OFPT_PACKET_OUT] = {on_packet_out, true, BODY_ANY},
        [OFPT_FLOW_MOD] = {of10_flow_mod, true, BODY_ANY},
        [OFPT_PORT_MOD] = {on_port_mod, true, 24},
        [OFPT_MULTIPART_REQUEST] = {on_multipart, false, BODY_ANY},
        [OFPT_BARRIER_REQUEST] = {on_barrier, false, 0},
        [OFPT_QUEUE_GET_CONFIG_REQUEST] = {of10_queue_config, false, 4},
};

static const struct handlers {
	const struct handler *rows;
	size_t n;
} handlers[] = {
        [OFP_VERSION_10] = {handlers_10, sizeof(handlers_10) / sizeof(handlers_10[0])},
        [OFP_VERSION_13] = {handlers_13, sizeof(handlers_13) / sizeof(handlers_13[0])},
        [OFP_VERSION_14] = {handlers_14, sizeof(handlers_14) / sizeof(handlers_14[0])},
};

enum {
	V10 = 1u << OFP_VERSION_10,
	V13 = 1u << OFP_VERSION_13,
	V14 = 1u << OFP_VERSION_14,
	ANY = V10 | V13 | V14
};

static const struct experimenter_handler {
	uint32_t experimenter, type;
	unsigned versions; /* a bit each */
	struct handler handler;
} experimenter_handlers[] = {
        {ONF_EXPERIMENTER, 2300, V13, {bundle_control, true, BODY_ANY}},
        {ONF_EXPERIMENTER, 2301, V13, {bundle_add, true, BODY_ANY}},
        {ONF_EXPERIMENTER, ONF_MONITOR, V13, {monitor_cancel, false, BODY_ANY}},
        {NX_EXPERIMENTER, NXT_FLOW_MONITOR_CANCEL, V10, {monitor_cancel, false, BODY_ANY}},
        {NX_EXPERIMENTER, NXT_ROLE_REQUEST, ANY, {session_nx_role, false, 4}},
        {NX_EXPERIMENTER, NXT_SET_FLOW_FORMAT, V10, {of10_set_flow_format, false, 4}},
        {NX_EXPERIMENTER, NXT_FLOW_MOD, V10, {of10_nx_flow_mod, true, BODY_ANY}},
        {NX_EXPERIMENTER, NXT_FLOW_MOD_TABLE_ID, V10, {of10_flow_mod_table_id, false, 8}},
        {NX_EXPERIMENTER, NXT_SET_PACKET_IN_FORMAT, ANY, {async_set_packet_in_format, false, 4}},
        {NX_EXPERIMENTER, NXT_SET_CONTROLLER_ID, ANY, {async_set_controller_id, false, 8}},
        {NX_EXPERIMENTER, NXT_SET_ASYNC_CONFIG, ANY, {session_nx_set_async, false, 24}},
        {NX_EXPERIMENTER, NXT_SET_ASYNC_CONFIG2, V10 | V13, {session_set_async_14, false, BODY_ANY}},
        {NX_EXPERIMENTER, NXT_TLV_TABLE_MOD, ANY, {nx_options_mod, true, BODY_ANY}},
        {NX_EXPERIMENTER, NXT_TLV_TABLE_REQUEST, ANY, {nx_options_request, false, 0}},
        {NX_EXPERIMENTER, NXT_CT_FLUSH_ZONE, ANY, {nx_flush_zone, false, 8}},
        {NX_EXPERIMENTER, NXT_CT_FLUSH, ANY, {nx_flush, false, BODY_ANY}},
        {NX_EXPERIMENTER, NXT_RESUME, ANY, {on_resume, true, BODY_ANY}},
        {NX_EXPERIMENTER, NXT_GROUP_MOD, V10, {of10_group_mod, true, BODY_ANY}},
};

static enum ofp_error handle(struct connection *c, const struct handler *handler, uint32_t xid,
                             struct ofp_reader *r)
{
	if (handler->len != BODY_ANY && ofp_left(r) != handler->len)
		return OFPBRC_BAD_LEN;
	if (handler->changes && c->role == OFPCR_SLAVE)
		return OFPBRC_IS_SLAVE;
	return handler->handle(c, xid, r);
}

static enum ofp_error on_experimenter(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	uint32_t experimenter = ofp_get_u32(r), type = ofp_get_u32(r);
	const struct experimenter_handler *row = experimenter_handlers;

	if (r->failed)
		return OFPBRC_BAD_LEN;
	for (; row < experimenter_handlers + sizeof(experimenter_handlers) / sizeof(*row); row++) {
		if (row->experimenter == experimenter && row->type == type &&
		    row->versions & 1u << r->version)
			return handle(c, &row->handler, xid, r);
	}
	if (experimenter == ONF_EXPERIMENTER || experimenter == NX_EXPERIMENTER)
		return OFPBRC_BAD_EXP_TYPE;
	return OFPBRC_BAD_EXPERIMENTER;
}

void dispatch(struct connection *c, const uint8_t *message, size_t len)
{
	struct ofp_header h = ofp_read_header(message);
	struct ofp_reader r = ofp_reader_of(message + OFP_HEADER_LEN, len - OFP_HEADER_LEN);
	const struct handlers *table = &handlers[c->out.version];
	enum ofp_type type = ofp_type_of_wire(h.version, h.type);
	enum ofp_error error;

	if (!c->greeted) {
		greet(c, &h, &r);
		return;
	}
	r.version = h.version;
	if (h.version != c->out.version)
		error = OFPBRC_BAD_VERSION;
	else if (type >= table->n || !table->rows[type].handle)
		error = OFPBRC_BAD_TYPE;
	else
		error = handle(c, &table->rows[type], h.xid, &r);
	if (error)
		reply_error(c, message, len, error);
}
