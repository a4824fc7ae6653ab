/* SPDX-License-Identifier: Apache-2.0 */
/* Headers, HELLO, ERROR and packets: messages that have no topic of their own. Called by server and client.
 */
#include "control/openflow/messages.h"

#include <string.h>

#include "control/openflow/actions.h"
#include "control/openflow/of10.h"
#include "control/openflow/oxm.h"

enum {
	HELLO_VERSION_BITMAP = 1,
	ERROR_DATA_MAX = 1024,
	NX_ERROR_TYPE = 0xb0c2,
	OFP_EXPERIMENTER_ERROR = 0xffff
};

struct ofp_header ofp_read_header(const uint8_t *p)
{
	struct ofp_reader r = ofp_reader_of(p, OFP_HEADER_LEN);
	struct ofp_header h;

	h.version = ofp_get_u8(&r);
	h.type = ofp_get_u8(&r);
	h.length = ofp_get_u16(&r);
	h.xid = ofp_get_u32(&r);
	return h;
}

/* 1.0 has no GROUP_MOD and no TABLE_MOD; else the order is the same. */
static uint8_t wire_of_type_10(enum ofp_type type)
{
	unsigned missing = (type > OFPT_GROUP_MOD) + (type > OFPT_TABLE_MOD);

	return (uint8_t)(type - missing);
}

enum ofp_type ofp_type_of_wire(uint8_t version, uint8_t wire)
{
	if (version != OFP_VERSION_10 || wire < OFPT_GROUP_MOD)
		return (enum ofp_type)wire;
	for (enum ofp_type type = OFPT_PORT_MOD; type <= OFPT_QUEUE_GET_CONFIG_REPLY; type++) {
		if (type != OFPT_TABLE_MOD && wire_of_type_10(type) == wire)
			return type;
	}
	return OFPT_NONE;
}

size_t ofp_begin(struct ofp_writer *w, enum ofp_type type, uint32_t xid)
{
	uint8_t version = w->version ? w->version : OFP_VERSION_13;
	size_t start = w->len;

	ofp_put_u8(w, version);
	ofp_put_u8(w, version == OFP_VERSION_10 ? wire_of_type_10(type) : (uint8_t)type);
	ofp_put_u16(w, 0);
	ofp_put_u32(w, xid);
	return start;
}

size_t ofp_begin_multipart(struct ofp_writer *w, bool request, enum ofp_multipart type, uint32_t xid)
{
	size_t start = ofp_begin(w, request ? OFPT_MULTIPART_REQUEST : OFPT_MULTIPART_REPLY, xid);

	ofp_put_u16(w, (uint16_t)type);
	ofp_put_zero(w, w->version == OFP_VERSION_10 ? 2 : 6);
	return start;
}

size_t ofp_begin_nicira(struct ofp_writer *w, uint32_t subtype, uint32_t xid)
{
	size_t start = ofp_begin(w, OFPT_EXPERIMENTER, xid);

	ofp_put_u32(w, NX_EXPERIMENTER);
	ofp_put_u32(w, subtype);
	return start;
}

void ofp_end(struct ofp_writer *w, size_t start)
{
	if (w->len - start > OFP_MESSAGE_MAX)
		w->failed = true;
	else
		ofp_set_u16(w, start + 2, (uint16_t)(w->len - start));
}

void ofp_put_message(struct ofp_writer *w, enum ofp_type type, uint32_t xid, const void *body, size_t n)
{
	size_t start = ofp_begin(w, type, xid);

	ofp_put_bytes(w, body, n);
	ofp_end(w, start);
}

/* The highest of a set of versions, 0 for none. */
static uint8_t highest(uint32_t versions)
{
	return versions ? (uint8_t)(31 - __builtin_clz(versions)) : 0;
}

void ofp_put_hello(struct ofp_writer *w, uint32_t xid, uint32_t versions)
{
	size_t start = w->len;

	ofp_put_u8(w, highest(versions));
	ofp_put_u8(w, OFPT_HELLO);
	ofp_put_u16(w, 0);
	ofp_put_u32(w, xid);
	ofp_put_u16(w, HELLO_VERSION_BITMAP);
	ofp_put_u16(w, 8);
	ofp_put_u32(w, versions);
	ofp_end(w, start);
}

uint8_t ofp_agree(uint8_t version, struct ofp_reader *body, uint32_t versions)
{
	uint8_t lower = version < highest(versions) ? version : highest(versions);

	while (ofp_left(body) >= 4) {
		uint16_t type = ofp_get_u16(body), len = ofp_get_u16(body);

		if (len < 4)
			break;
		if (type == HELLO_VERSION_BITMAP && len >= 8)
			return highest(ofp_get_u32(body) & versions);
		ofp_skip(body, len - 4u);
		ofp_skip(body, -len & 7u);
	}
	return versions & 1u << lower ? lower : 0;
}

void ofp_put_error(struct ofp_writer *w, uint32_t xid, enum ofp_error error, const void *data, size_t n)
{
	struct ofp_error_numbers e = ofp_error_numbers(error, w->version);
	size_t start = ofp_begin(w, OFPT_ERROR, xid);

	if (e.experimenter == NX_EXPERIMENTER &&
	    w->version == OFP_VERSION_10) { /* 1.0 has no experimenters' errors */
		ofp_put_u16(w, NX_ERROR_TYPE);
		ofp_put_u16(w, 0);
		ofp_put_u32(w, NX_EXPERIMENTER);
		ofp_put_u16(w, e.type);
		ofp_put_u16(w, e.code);
	} else {
		ofp_put_u16(w, e.experimenter ? OFP_EXPERIMENTER_ERROR : e.type);
		ofp_put_u16(w, e.code);
		if (e.experimenter)
			ofp_put_u32(w, e.experimenter);
	}
	ofp_put_bytes(w, data, n < ERROR_DATA_MAX ? n : ERROR_DATA_MAX);
	ofp_end(w, start);
}

/* ---- packets ---- */

bool ofp_may_send(uint32_t in_port)
{
	return in_port <= OFPP_MAX || in_port == OFPP_LOCAL || in_port == OFPP_CONTROLLER ||
	       in_port == OFPP_ANY;
}

enum ofp_error ofp_read_packet_out(struct ofp_reader *r, struct ofp_packet_out *packet,
                                   struct action_list *actions)
{
	struct ofp_reader body;
	uint16_t actions_len;
	enum ofp_error error;
	struct match anything;
	uint32_t buffer_id;

	match_init(&anything);
	action_list_init(actions);
	packet->actions = actions;
	if (r->version == OFP_VERSION_10) {
		of10_read_packet_out_head(r, &buffer_id, &packet->in_port, &actions_len);
	} else {
		buffer_id = ofp_get_u32(r);
		packet->in_port = ofp_get_u32(r);
		actions_len = ofp_get_u16(r);
		ofp_skip(r, 6);
	}
	body = ofp_get_part(r, actions_len);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (buffer_id != OFP_NO_BUFFER)
		return OFPBRC_BUFFER_UNKNOWN;
	if (!ofp_may_send(packet->in_port))
		return OFPBRC_BAD_PORT;
	error = ofp_read_actions(&body, actions);
	if (!error && r->version == OFP_VERSION_10)
		error = of10_resolve_actions(actions, &anything);
	if (!error)
		error = ofp_check_actions(actions, NULL, 0xff);
	if (error)
		action_list_free(actions);
	packet->len = ofp_left(r);
	packet->data = ofp_get(r, packet->len);
	return error;
}

void ofp_put_packet_out(struct ofp_writer *w, uint32_t xid, const struct ofp_packet_out *packet)
{
	size_t start = ofp_begin(w, OFPT_PACKET_OUT, xid), actions;

	ofp_put_u32(w, OFP_NO_BUFFER);
	ofp_put_u32(w, packet->in_port);
	ofp_put_zero(w, 8);
	actions = w->len;
	ofp_put_actions(w, packet->actions);
	ofp_set_u16(w, actions - 8, (uint16_t)(w->len - actions));
	ofp_put_bytes(w, packet->data, packet->len);
	ofp_end(w, start);
}

static void tell(struct match *m, const struct flow_key *key, const uint8_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct field_value v;

		field_get(key, ids[i], &v);
		if (!value_is_zero(&v))
			match_set(m, ids[i], &v, NULL);
	}
}

/* The packet's type says which addresses those of its connection are. */
static void tell_connection(struct match *m, const struct flow_key *key)
{
	static const uint8_t told[] = {
	        FIELD_CT_STATE,    FIELD_CT_ZONE,     FIELD_CT_MARK,   FIELD_CT_LABEL,
	        FIELD_ETH_TYPE,    FIELD_CT_NW_SRC,   FIELD_CT_NW_DST, FIELD_CT_IPV6_SRC,
	        FIELD_CT_IPV6_DST, FIELD_CT_NW_PROTO, FIELD_CT_TP_SRC, FIELD_CT_TP_DST,
	};

	if (key->ct_state)
		tell(m, key, told, sizeof(told));
}

void ofp_packet_in_match(const struct flow_key *key, struct match *m)
{
	static const uint8_t told[] = {
	        FIELD_METADATA,     FIELD_TUN_ID,   FIELD_TUN_SRC, FIELD_TUN_DST, FIELD_TUN_IPV6_SRC,
	        FIELD_TUN_IPV6_DST, FIELD_PKT_MARK, FIELD_REG0,    FIELD_REG1,    FIELD_REG2,
	        FIELD_REG3,         FIELD_REG4,     FIELD_REG5,    FIELD_REG6,    FIELD_REG7,
	        FIELD_REG8,         FIELD_REG9,     FIELD_REG10,   FIELD_REG11,   FIELD_REG12,
	        FIELD_REG13,        FIELD_REG14,    FIELD_REG15,
	};

	match_init(m);
	m->key.in_port = key->in_port;
	m->mask.in_port = 0xffffffff;
	tell(m, key, told, sizeof(told));
	tell_connection(m, key);
}

void ofp_put_packet_in(struct ofp_writer *w, const struct ofp_packet_in *in)
{
	struct match m;
	size_t start;

	if (w->version == OFP_VERSION_10) {
		of10_put_packet_in(w, in);
		return;
	}
	start = ofp_begin(w, OFPT_PACKET_IN, 0);
	ofp_packet_in_match(in->key, &m);
	ofp_put_u32(w, OFP_NO_BUFFER);
	ofp_put_u16(w, (uint16_t)(in->total_len < 0xffff ? in->total_len : 0xffff));
	ofp_put_u8(w, (uint8_t)in->reason);
	ofp_put_u8(w, in->table_id);
	ofp_put_u64(w, in->cookie);
	oxm_put_match(w, &m);
	ofp_put_zero(w, 2);
	ofp_put_bytes(w, in->data, in->len);
	ofp_end(w, start);
}
