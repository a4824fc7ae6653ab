/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of OpenFlow 1.0, the tables' statistics, and packets in and out. Called by the server where the
 * version is 1.0. */
#include <string.h>

#include "control/openflow/nx_actions.h"
#include "control/openflow/of10.h"

enum {
	PORT_CONFIG_KNOWN = 127, /* OFPPC_* */
	PORT_STATE_KNOWN = 1,    /* of OFPPS_*: link down */
	WILDCARDS_ALL = (1 << 22) - 1,
};

/* The medium and what follows lie four bits lower than in 1.3, which put faster links in between. */
static uint32_t features_10(uint32_t features)
{
	return (features & 0x7f) | (features >> 11 & 0x1f) << 7;
}

void of10_put_port(struct ofp_writer *w, const struct ofp_port *port)
{
	ofp_put_u16(w, nx_port_to_16(port->port_no));
	ofp_put_bytes(w, &port->hw_addr, sizeof(port->hw_addr));
	ofp_put_text(w, port->name, OFP_PORT_NAME_MAX);
	ofp_put_u32(w, port->config & PORT_CONFIG_KNOWN);
	ofp_put_u32(w, port->state & PORT_STATE_KNOWN);
	ofp_put_u32(w, features_10(port->curr));
	ofp_put_u32(w, features_10(port->advertised));
	ofp_put_u32(w, features_10(port->supported));
	ofp_put_u32(w, features_10(port->peer));
}

void of10_put_port_stats(struct ofp_writer *w, uint32_t port_no, const struct ofp_port_stats *stats)
{
	ofp_put_u16(w, nx_port_to_16(port_no));
	ofp_put_zero(w, 6);
	ofp_put_u64(w, stats->rx_packets);
	ofp_put_u64(w, stats->tx_packets);
	ofp_put_u64(w, stats->rx_bytes);
	ofp_put_u64(w, stats->tx_bytes);
	ofp_put_u64(w, stats->rx_dropped);
	ofp_put_u64(w, stats->tx_dropped);
	ofp_put_u64(w, stats->rx_errors);
	ofp_put_u64(w, stats->tx_errors);
	ofp_put_u64(w, stats->rx_frame_errors);
	ofp_put_u64(w, stats->rx_over_errors);
	ofp_put_u64(w, stats->rx_crc_errors);
	ofp_put_u64(w, stats->collisions);
}

enum ofp_error of10_read_port_mod(struct ofp_reader *r, struct ofp_port_mod *mod)
{
	const uint8_t *p;

	memset(mod, 0, sizeof(*mod));
	mod->port_no = nx_port_from_16(ofp_get_u16(r));
	p = ofp_get(r, sizeof(mod->hw_addr));
	if (p)
		memcpy(&mod->hw_addr, p, sizeof(mod->hw_addr));
	mod->config = ofp_get_u32(r);
	mod->mask = ofp_get_u32(r) & PORT_CONFIG_KNOWN;
	mod->advertise = ofp_get_u32(r);
	ofp_skip(r, 4);
	mod->config &= mod->mask;
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK;
}

void of10_put_table_stats(struct ofp_writer *w, uint8_t table_id, const char *name, uint32_t max_entries,
                          const struct ofp_table_stats *stats)
{
	ofp_put_u8(w, table_id);
	ofp_put_zero(w, 3);
	ofp_put_text(w, name, 32);
	ofp_put_u32(w, WILDCARDS_ALL);
	ofp_put_u32(w, max_entries);
	ofp_put_u32(w, stats->active_count);
	ofp_put_u64(w, stats->lookup_count);
	ofp_put_u64(w, stats->matched_count);
}

void of10_read_packet_out_head(struct ofp_reader *r, uint32_t *buffer_id, uint32_t *in_port,
                               uint16_t *actions_len)
{
	*buffer_id = ofp_get_u32(r);
	*in_port = nx_port_from_16(ofp_get_u16(r));
	*actions_len = ofp_get_u16(r);
}

void of10_put_packet_in(struct ofp_writer *w, const struct ofp_packet_in *in)
{
	size_t start = ofp_begin(w, OFPT_PACKET_IN, 0);

	ofp_put_u32(w, OFP_NO_BUFFER);
	ofp_put_u16(w, (uint16_t)(in->total_len < 0xffff ? in->total_len : 0xffff));
	ofp_put_u16(w, nx_port_to_16(in->key->in_port));
	ofp_put_u8(w, (uint8_t)in->reason);
	ofp_put_zero(w, 1);
	ofp_put_bytes(w, in->data, in->len);
	ofp_end(w, start);
}
