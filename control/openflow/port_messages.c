/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of port messages: PORT_DESC, PORT_STATS, PORT_STATUS, PORT_MOD. Called by server and client. */
#include <string.h>

#include "base/clock.h"
#include "control/openflow/of10.h"
#include "control/openflow/of14.h"

enum { CONFIG_13 = 1 | 4 | 32 | 64 }; /* OFPPC_* of 1.3 */

enum ofp_error ofp_read_port(struct ofp_reader *r, struct ofp_port *port)
{
	const uint8_t *p;

	memset(port, 0, sizeof(*port));
	port->port_no = ofp_get_u32(r);
	ofp_skip(r, 4);
	p = ofp_get(r, sizeof(port->hw_addr));
	if (p)
		memcpy(&port->hw_addr, p, sizeof(port->hw_addr));
	ofp_skip(r, 2);
	p = ofp_get(r, OFP_PORT_NAME_MAX);
	if (p)
		memcpy(port->name, p, OFP_PORT_NAME_MAX - 1);
	port->config = ofp_get_u32(r);
	port->state = ofp_get_u32(r);
	port->curr = ofp_get_u32(r);
	port->advertised = ofp_get_u32(r);
	port->supported = ofp_get_u32(r);
	port->peer = ofp_get_u32(r);
	port->curr_speed = ofp_get_u32(r);
	port->max_speed = ofp_get_u32(r);
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK;
}

void ofp_put_port(struct ofp_writer *w, const struct ofp_port *port)
{
	if (w->version == OFP_VERSION_10) {
		of10_put_port(w, port);
		return;
	}
	if (w->version == OFP_VERSION_14) {
		of14_put_port(w, port);
		return;
	}
	ofp_put_u32(w, port->port_no);
	ofp_put_zero(w, 4);
	ofp_put_bytes(w, &port->hw_addr, sizeof(port->hw_addr));
	ofp_put_zero(w, 2);
	ofp_put_text(w, port->name, OFP_PORT_NAME_MAX);
	ofp_put_u32(w, port->config & CONFIG_13);
	ofp_put_u32(w, port->state);
	ofp_put_u32(w, port->curr);
	ofp_put_u32(w, port->advertised);
	ofp_put_u32(w, port->supported);
	ofp_put_u32(w, port->peer);
	ofp_put_u32(w, port->curr_speed);
	ofp_put_u32(w, port->max_speed);
}

enum ofp_error ofp_read_port_stats(struct ofp_reader *r, uint32_t *port_no, struct ofp_port_stats *stats)
{
	*port_no = ofp_get_u32(r);
	ofp_skip(r, 4);
	stats->rx_packets = ofp_get_u64(r);
	stats->tx_packets = ofp_get_u64(r);
	stats->rx_bytes = ofp_get_u64(r);
	stats->tx_bytes = ofp_get_u64(r);
	stats->rx_dropped = ofp_get_u64(r);
	stats->tx_dropped = ofp_get_u64(r);
	stats->rx_errors = ofp_get_u64(r);
	stats->tx_errors = ofp_get_u64(r);
	stats->rx_frame_errors = ofp_get_u64(r);
	stats->rx_over_errors = ofp_get_u64(r);
	stats->rx_crc_errors = ofp_get_u64(r);
	stats->collisions = ofp_get_u64(r);
	stats->duration_ns = ofp_get_u32(r) * CLOCK_SECOND;
	stats->duration_ns += ofp_get_u32(r);
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK;
}

void ofp_put_port_stats(struct ofp_writer *w, uint32_t port_no, const struct ofp_port_stats *stats)
{
	if (w->version == OFP_VERSION_10) {
		of10_put_port_stats(w, port_no, stats);
		return;
	}
	if (w->version == OFP_VERSION_14) {
		of14_put_port_stats(w, port_no, stats);
		return;
	}
	ofp_put_u32(w, port_no);
	ofp_put_zero(w, 4);
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
	ofp_put_u32(w, (uint32_t)(stats->duration_ns / CLOCK_SECOND));
	ofp_put_u32(w, (uint32_t)(stats->duration_ns % CLOCK_SECOND));
}

enum ofp_error ofp_read_port_mod(struct ofp_reader *r, struct ofp_port_mod *mod)
{
	const uint8_t *p;

	if (r->version == OFP_VERSION_10)
		return of10_read_port_mod(r, mod);
	if (r->version == OFP_VERSION_14)
		return of14_read_port_mod(r, mod);
	memset(mod, 0, sizeof(*mod));
	mod->port_no = ofp_get_u32(r);
	ofp_skip(r, 4);
	p = ofp_get(r, sizeof(mod->hw_addr));
	if (p)
		memcpy(&mod->hw_addr, p, sizeof(mod->hw_addr));
	ofp_skip(r, 2);
	mod->config = ofp_get_u32(r);
	mod->mask = ofp_get_u32(r);
	mod->advertise = ofp_get_u32(r);
	ofp_skip(r, 4);
	mod->config &= mod->mask;
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK;
}

void ofp_put_port_mod(struct ofp_writer *w, uint32_t xid, const struct ofp_port_mod *mod)
{
	size_t start = ofp_begin(w, OFPT_PORT_MOD, xid);

	ofp_put_u32(w, mod->port_no);
	ofp_put_zero(w, 4);
	ofp_put_bytes(w, &mod->hw_addr, sizeof(mod->hw_addr));
	ofp_put_zero(w, 2);
	ofp_put_u32(w, mod->config);
	ofp_put_u32(w, mod->mask);
	ofp_put_u32(w, mod->advertise);
	ofp_put_zero(w, 4);
	ofp_end(w, start);
}

void ofp_put_port_status(struct ofp_writer *w, const struct ofp_port *port, enum ofp_port_reason reason)
{
	size_t start = ofp_begin(w, OFPT_PORT_STATUS, 0);

	ofp_put_u8(w, (uint8_t)reason);
	ofp_put_zero(w, 7);
	ofp_put_port(w, port);
	ofp_end(w, start);
}
