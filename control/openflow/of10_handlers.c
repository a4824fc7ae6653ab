/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that only OpenFlow 1.0 has, or has in its own way, and Nicira's for it. Rows of the tables in
 * dispatch.c. */
#include "control/openflow/connection.h"
#include "control/openflow/nx_actions.h"
#include "control/openflow/nx_groups.h"
#include "control/openflow/of10.h"

enum { FLOW_FORMAT_10 = 0, FLOW_FORMAT_NXM = 2 }; /* NXFF_* */

enum { /* OFPC_* */
       CAPABILITIES = 1 /* flow stats */ | 2 /* table stats */ | 4 /* port stats */ | 64 /* queue stats */ |
	              128 /* matches in ARP's addresses */,
       ACTIONS = 0xfff,
};

enum ofp_error of10_features(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	const struct ofp_server *s = c->server;
	size_t start = ofp_begin(&c->out, OFPT_FEATURES_REPLY, xid);
	struct ofp_port port = {.port_no = 0};
	bool first = true;

	ofp_put_u64(&c->out, s->ops->datapath_id(s->ctx));
	ofp_put_u32(&c->out, 0); /* no packet is ever buffered */
	ofp_put_u8(&c->out, (uint8_t)s->ops->table_count(s->ctx));
	ofp_put_zero(&c->out, 3);
	ofp_put_u32(&c->out, CAPABILITIES);
	ofp_put_u32(&c->out, ACTIONS);
	/* As many ports as one message holds: the multipart PORT_DESC has them all. */
	while (c->out.len - start <= OFP_MESSAGE_MAX - 48 &&
	       s->ops->port_next(s->ctx, first, port.port_no, &port, NULL)) {
		of10_put_port(&c->out, &port);
		first = false;
	}
	ofp_end(&c->out, start);
	return OFP_OK;
}

static enum ofp_error apply(struct connection *c, uint32_t xid, struct flow_mod *fm)
{
	struct ofp_change change = {.kind = OFP_CHANGE_FLOW, .flow = fm};
	unsigned failed = 0;
	enum ofp_error error = connection_apply(c, xid, &change, 1, &failed);

	flow_mod_free(fm);
	return error;
}

enum ofp_error of10_flow_mod(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct flow_mod fm;
	enum ofp_error error = of10_read_flow_mod(r, c->table_id_in_command, &fm);

	return error ? error : apply(c, xid, &fm);
}

enum ofp_error of10_nx_flow_mod(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	struct flow_mod fm;
	enum ofp_error error = nx_read_flow_mod(r, c->table_id_in_command, &fm);

	return error ? error : apply(c, xid, &fm);
}

enum ofp_error of10_queue_config(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	uint16_t port = ofp_get_u16(r);
	size_t start;

	ofp_skip(r, 2);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (!connection_has_port(c, nx_port_from_16(port)))
		return OFPQOFC_BAD_PORT;
	start = ofp_begin(&c->out, OFPT_QUEUE_GET_CONFIG_REPLY, xid);
	ofp_put_u16(&c->out, port);
	ofp_put_zero(&c->out, 6); /* and no queues */
	ofp_end(&c->out, start);
	return OFP_OK;
}

enum ofp_error of10_set_flow_format(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	uint32_t format = ofp_get_u32(r);

	if (r->failed)
		return OFPBRC_BAD_LEN;
	if (format != FLOW_FORMAT_10 && format != FLOW_FORMAT_NXM)
		return OFPBRC_EPERM;
	c->nxm = format == FLOW_FORMAT_NXM;
	return OFP_OK;
}

enum ofp_error of10_flow_mod_table_id(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	uint8_t on = ofp_get_u8(r);

	ofp_skip(r, 7);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	c->table_id_in_command = on;
	return OFP_OK;
}

enum ofp_error of10_group_mod(struct connection *c, uint32_t xid, struct ofp_reader *r)
{
	const struct ofp_server *s = c->server;
	struct ofp_change change = {.kind = OFP_CHANGE_GROUP};
	const struct group_mod *now;
	struct nx_group_mod mod;
	enum ofp_error error = nx_read_group_mod(r, &mod);
	unsigned failed = 0;

	if (error)
		return error;
	if (mod.command == GROUP_INSERT_BUCKET || mod.command == GROUP_REMOVE_BUCKET) {
		now = s->ops->group_next(s->ctx, mod.group.group_id, NULL);
		error = now && now->group_id == mod.group.group_id ? nx_group_mod_resolve(&mod, now)
		                                                   : OFPGMFC_UNKNOWN_GROUP;
	}
	change.group = &mod.group;
	if (!error)
		error = connection_apply(c, xid, &change, 1, &failed);
	group_mod_free(&mod.group);
	return error;
}
