/* SPDX-License-Identifier: Apache-2.0 */
/* Ports as text: description, counters, changes. Called by ofctl_print*.c. */
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl_print.h"

const struct bit_name port_config_names[] = {{1, "PORT_DOWN"}, {4, "NO_RECV"},       {16, "NO_FLOOD"},
                                             {32, "NO_FWD"},   {64, "NO_PACKET_IN"}, {0, NULL}};
const struct bit_name port_state_names[] = {{1, "LINK_DOWN"}, {2, "BLOCKED"}, {4, "LIVE"}, {0, NULL}};
static const struct bit_name feature_names[] = {{0x1, "10MB-HD"},
                                                {0x2, "10MB-FD"},
                                                {0x4, "100MB-HD"},
                                                {0x8, "100MB-FD"},
                                                {0x10, "1GB-HD"},
                                                {0x20, "1GB-FD"},
                                                {0x40, "10GB-FD"},
                                                {0x80, "40GB-FD"},
                                                {0x100, "100GB-FD"},
                                                {0x200, "1TB-FD"},
                                                {0x400, "OTHER"},
                                                {0x800, "COPPER"},
                                                {0x1000, "FIBER"},
                                                {0x2000, "AUTO_NEG"},
                                                {0x4000, "AUTO_PAUSE"},
                                                {0x8000, "AUTO_PAUSE_ASYM"},
                                                {0, NULL}};

static void print_line(struct text *out, const char *label, uint32_t bits, const struct bit_name *names)
{
	text_add(out, "     %-12s", label);
	print_bits(out, bits, names, ' ');
	text_add(out, "\n");
}

static void print_one(const struct printer *p, const struct ofp_port *port)
{
	char mac[MAC_TEXT_MAX];

	text_add(p->out, " ");
	port_format(p->out, port->port_no, NULL);
	text_add(p->out, "(%s): addr:%s\n", port->name, mac_format(port->hw_addr, mac));
	print_line(p->out, "config:", port->config, port_config_names);
	print_line(p->out, "state:", port->state, port_state_names);
	if (port->curr)
		print_line(p->out, "current:", port->curr, feature_names);
	if (port->advertised)
		print_line(p->out, "advertised:", port->advertised, feature_names);
	if (port->supported)
		print_line(p->out, "supported:", port->supported, feature_names);
	if (port->peer)
		print_line(p->out, "peer:", port->peer, feature_names);
	text_add(p->out, "     speed: %u Mbps now, %u Mbps max\n", port->curr_speed / 1000,
	         port->max_speed / 1000);
}

bool print_port(const struct printer *p, struct ofp_reader *r)
{
	struct ofp_port port;

	if (ofp_read_port(r, &port))
		return false;
	print_one(p, &port);
	return true;
}

static int by_number(const void *left, const void *right)
{
	const struct ofp_port *a = left, *b = right;

	return (a->port_no > b->port_no) - (a->port_no < b->port_no);
}

bool print_ports(const struct printer *p, struct ofp_reader *r)
{
	enum { PORT_LEN = 64 };
	size_t n = ofp_left(r) / PORT_LEN;
	struct ofp_port *ports = calloc(n + 1, sizeof(*ports));
	bool ok = ports;

	for (size_t i = 0; i < n && ok; i++)
		ok = !ofp_read_port(r, &ports[i]);
	text_add(p->out, "\n");
	if (ok)
		qsort(ports, n, sizeof(*ports), by_number);
	for (size_t i = 0; i < n && ok; i++)
		print_one(p, &ports[i]);
	free(ports);
	return ok && !ofp_left(r);
}

static void add_counter(struct text *out, const char *label, uint64_t n, const char *after)
{
	if (n == UINT64_MAX)
		text_add(out, "%s=?%s", label, after);
	else
		text_add(out, "%s=%llu%s", label, (unsigned long long)n, after);
}

static void print_counters(const struct printer *p, uint32_t port, const struct ofp_port_stats *s)
{
	struct text *out = p->out;

	text_add(out, "  port %s", port < 10 ? " " : "");
	port_format(out, port, p->names);
	text_add(out, ": rx ");
	add_counter(out, "pkts", s->rx_packets, ", ");
	add_counter(out, "bytes", s->rx_bytes, ", ");
	add_counter(out, "drop", s->rx_dropped, ", ");
	add_counter(out, "errs", s->rx_errors, ", ");
	add_counter(out, "frame", s->rx_frame_errors, ", ");
	add_counter(out, "over", s->rx_over_errors, ", ");
	add_counter(out, "crc", s->rx_crc_errors, "\n           tx ");
	add_counter(out, "pkts", s->tx_packets, ", ");
	add_counter(out, "bytes", s->tx_bytes, ", ");
	add_counter(out, "drop", s->tx_dropped, ", ");
	add_counter(out, "errs", s->tx_errors, ", ");
	add_counter(out, "coll", s->collisions, "\n           duration=");
	duration_format(out, s->duration_ns);
	text_add(out, "\n");
}

bool print_port_stats(const struct printer *p, struct ofp_reader *r)
{
	struct text entries = {0};
	struct printer inner = {.out = &entries, .names = p->names};
	unsigned n = 0;
	bool ok = true;

	while (ok && ofp_left(r)) {
		struct ofp_port_stats stats;
		uint32_t port;

		ok = !ofp_read_port_stats(r, &port, &stats);
		if (ok)
			print_counters(&inner, port, &stats);
		n++;
	}
	text_add(p->out, " %u ports\n%s", n, text_get(&entries));
	text_free(&entries);
	return ok;
}

bool print_port_mod(const struct printer *p, struct ofp_reader *r)
{
	char mac[MAC_TEXT_MAX];
	struct ofp_port_mod mod;

	if (ofp_read_port_mod(r, &mod))
		return false;
	text_add(p->out, " port: ");
	port_format(p->out, mod.port_no, p->names);
	text_add(p->out, ": addr:%s\n     config: ", mac_format(mod.hw_addr, mac));
	print_bits(p->out, mod.config, port_config_names, ' ');
	text_add(p->out, "\n     mask:   ");
	print_bits(p->out, mod.mask, port_config_names, ' ');
	text_add(p->out, "\n     advertise: ");
	if (mod.advertise)
		print_bits(p->out, mod.advertise, feature_names, ' ');
	else
		text_add(p->out, "UNCHANGED");
	text_add(p->out, "\n");
	return true;
}
