/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of OpenFlow 1.4, with their properties. Called by port_messages.c where the version is 1.4. */
#include <string.h>

#include "base/clock.h"
#include "control/openflow/of14.h"

enum { PROPERTY_ETHERNET = 0 };

static size_t begin_ethernet(struct ofp_writer *w)
{
	size_t start = w->len;

	ofp_put_u16(w, PROPERTY_ETHERNET);
	ofp_put_zero(w, 6);
	return start;
}

static void end(struct ofp_writer *w, size_t start, size_t length_at)
{
	ofp_set_u16(w, start + length_at, (uint16_t)(w->len - start));
}

void of14_put_port(struct ofp_writer *w, const struct ofp_port *port)
{
	size_t start = w->len, property;

	ofp_put_u32(w, port->port_no);
	ofp_put_zero(w, 4);
	ofp_put_bytes(w, &port->hw_addr, sizeof(port->hw_addr));
	ofp_put_zero(w, 2);
	ofp_put_text(w, port->name, OFP_PORT_NAME_MAX);
	ofp_put_u32(w, port->config);
	ofp_put_u32(w, port->state);
	property = begin_ethernet(w);
	ofp_put_u32(w, port->curr);
	ofp_put_u32(w, port->advertised);
	ofp_put_u32(w, port->supported);
	ofp_put_u32(w, port->peer);
	ofp_put_u32(w, port->curr_speed);
	ofp_put_u32(w, port->max_speed);
	end(w, property, 2);
	end(w, start, 4);
}

void of14_put_port_stats(struct ofp_writer *w, uint32_t port_no, const struct ofp_port_stats *stats)
{
	size_t start = w->len, property;

	ofp_put_zero(w, 4);
	ofp_put_u32(w, port_no);
	ofp_put_u32(w, (uint32_t)(stats->duration_ns / CLOCK_SECOND));
	ofp_put_u32(w, (uint32_t)(stats->duration_ns % CLOCK_SECOND));
	ofp_put_u64(w, stats->rx_packets);
	ofp_put_u64(w, stats->tx_packets);
	ofp_put_u64(w, stats->rx_bytes);
	ofp_put_u64(w, stats->tx_bytes);
	ofp_put_u64(w, stats->rx_dropped);
	ofp_put_u64(w, stats->tx_dropped);
	ofp_put_u64(w, stats->rx_errors);
	ofp_put_u64(w, stats->tx_errors);
	property = begin_ethernet(w);
	ofp_put_u64(w, stats->rx_frame_errors);
	ofp_put_u64(w, stats->rx_over_errors);
	ofp_put_u64(w, stats->rx_crc_errors);
	ofp_put_u64(w, stats->collisions);
	end(w, property, 2);
	end(w, start, 0);
}

enum ofp_error of14_read_port_mod(struct ofp_reader *r, struct ofp_port_mod *mod)
{
	const uint8_t *p;

	memset(mod, 0, sizeof(*mod));
	mod->port_no = ofp_get_u32(r);
	ofp_skip(r, 4);
	p = ofp_get(r, sizeof(mod->hw_addr));
	if (p)
		memcpy(&mod->hw_addr, p, sizeof(mod->hw_addr));
	ofp_skip(r, 2);
	mod->config = ofp_get_u32(r);
	mod->mask = ofp_get_u32(r);
	mod->config &= mod->mask;
	while (ofp_left(r)) {
		uint16_t type = ofp_get_u16(r), len = ofp_get_u16(r);
		struct ofp_reader body = ofp_get_part(r, len >= 4 ? len - 4u : SIZE_MAX);

		ofp_skip(r, -len & 7u);
		if (body.failed)
			return OFPBRC_BAD_LEN;
		if (type != PROPERTY_ETHERNET)
			return OFPBRC_BAD_TYPE;
		mod->advertise = ofp_get_u32(&body);
	}
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK;
}
