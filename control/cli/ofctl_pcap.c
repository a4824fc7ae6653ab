/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl ofp-parse-pcap: the OpenFlow in what tcpdump has captured. Each direction of a TCP connection is
 * a stream; what comes out of order or again is passed over. */
#include <errno.h>
#include <netinet/tcp.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/cli/ofctl.h"

enum { STREAMS_MAX = 1024, PORTS_MAX = 16 };

struct segment {
	uint32_t src, dst; /* host order, as the rest */
	uint16_t from, to;
	uint32_t sequence;
	uint8_t flags;
	struct ofp_reader payload;
};

struct stream {
	struct segment last; /* whose it is */
	uint32_t next;
	struct ofp_writer bytes; /* not yet printed */
};

struct capture {
	struct ofctl *ctl;
	uint16_t ports[PORTS_MAX];
	unsigned n_ports;
	struct stream *streams;
	unsigned n_streams;
	bool printed;
	struct timeval when; /* of the packet at hand */
};

/* ---- frames ---- */

/* What follows Ethernet, tags and IPv4 in a frame, if that is TCP. */
static bool read_segment(const uint8_t *frame, size_t n, struct segment *s)
{
	struct ofp_reader r = ofp_reader_of(frame, n), ip;
	uint16_t type, total, fragment;
	uint8_t head, offset;

	ofp_skip(&r, 12);
	while ((type = ofp_get_u16(&r)) == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ)
		ofp_skip(&r, 2);
	ip = r;
	head = ofp_get_u8(&r);
	ofp_skip(&r, 1);
	total = ofp_get_u16(&r);
	ofp_skip(&r, 2);
	fragment = ofp_get_u16(&r);
	if (r.failed || type != ETH_TYPE_IPV4 || head >> 4 != 4 || (head & 15) < 5 || (fragment & 0x3fff))
		return false;
	r = ofp_get_part(&ip, total); /* without what Ethernet pads */
	ofp_skip(&r, 9);
	if (ofp_get_u8(&r) != IP_PROTO_TCP)
		return false;
	ofp_skip(&r, 2);
	s->src = ofp_get_u32(&r);
	s->dst = ofp_get_u32(&r);
	ofp_skip(&r, (head & 15u) * 4 - 20);
	s->from = ofp_get_u16(&r);
	s->to = ofp_get_u16(&r);
	s->sequence = ofp_get_u32(&r);
	ofp_skip(&r, 4);
	offset = ofp_get_u8(&r) >> 4;
	s->flags = ofp_get_u8(&r);
	ofp_skip(&r, 6);
	if (offset < 5)
		return false;
	ofp_skip(&r, (offset - 5u) * 4);
	s->payload = r;
	return !r.failed;
}

/* ---- streams ---- */

static bool is_of(const struct stream *st, const struct segment *s)
{
	const struct segment *l = &st->last;

	return l->src == s->src && l->dst == s->dst && l->from == s->from && l->to == s->to;
}

/* NULL: there are too many. */
static struct stream *stream_of(struct capture *c, const struct segment *s)
{
	struct stream *st = c->streams;

	while (st < c->streams + c->n_streams && !is_of(st, s))
		st++;
	if (st == c->streams + c->n_streams) {
		if (c->n_streams == STREAMS_MAX)
			return NULL;
		c->n_streams++;
		st->next = s->sequence;
	}
	if (s->flags & TH_SYN) {
		st->next = s->sequence + 1;
		ofp_writer_cut(&st->bytes, 0);
	}
	st->last = *s;
	return st;
}

static void tell_time(const struct capture *c)
{
	struct tm tm;
	char text[16];

	gmtime_r(&c->when.tv_sec, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	printf("%s.%03ld ", text, (long)c->when.tv_usec / 1000);
}

static void tell_address(uint32_t address, uint16_t port)
{
	printf("%u.%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255, port);
}

static void print_messages(struct capture *c, struct stream *st)
{
	struct ofp_reader r = ofp_reader_of(st->bytes.data, st->bytes.len);
	size_t len;

	while (ofp_left(&r) >= OFP_HEADER_LEN) {
		len = ofp_read_header(r.at).length;
		if (len < OFP_HEADER_LEN || len > ofp_left(&r))
			break;
		if (c->printed)
			putchar('\n');
		c->printed = true;
		if (c->ctl->timestamp)
			tell_time(c);
		tell_address(st->last.src, st->last.from);
		printf(" > ");
		tell_address(st->last.dst, st->last.to);
		puts(":");
		ofctl_print_message(c->ctl, stdout, ofp_get(&r, len), len, c->ctl->verbosity + 1);
	}
	len = ofp_left(&r);
	if (len)
		memmove(st->bytes.data, r.at, len);
	ofp_writer_cut(&st->bytes, len);
}

static bool is_openflow(const struct capture *c, uint16_t port)
{
	for (unsigned i = 0; i < c->n_ports; i++)
		if (c->ports[i] == port)
			return true;
	return false;
}

static void take(struct capture *c, const struct segment *s)
{
	struct stream *st;
	size_t n = ofp_left(&s->payload);

	if (!is_openflow(c, s->from) && !is_openflow(c, s->to))
		return;
	st = stream_of(c, s);
	if (!st || s->sequence != st->next || st->bytes.len > OFP_MESSAGE_MAX)
		return;
	st->next += (uint32_t)n;
	ofp_put_bytes(&st->bytes, s->payload.at, n);
	print_messages(c, st);
}

/* ---- the command ---- */

static int take_ports(struct capture *c, int argc, char **argv)
{
	static const uint16_t usual[] = {6633, 6653};

	memcpy(c->ports, usual, sizeof(usual));
	c->n_ports = argc ? 0 : 2;
	for (int i = 0; i < argc; i++) {
		if (c->n_ports == PORTS_MAX)
			return ofctl_fail("at most %d ports", PORTS_MAX);
		c->ports[c->n_ports++] = (uint16_t)atoi(argv[i]);
	}
	return 0;
}

static int print_capture(struct capture *c, const char *name)
{
	char why[PCAP_ERRBUF_SIZE];
	FILE *file = fopen(name, "r");
	struct pcap_pkthdr *header;
	const uint8_t *frame;
	struct segment s;
	pcap_t *pcap;
	int rc = 0;

	if (!file)
		return ofctl_fail("%s: open failed (%s)", name, strerror(errno));
	pcap = pcap_fopen_offline(file, why);
	if (!pcap) {
		fclose(file);
		return ofctl_fail("%s: %s", name, why);
	}
	if (pcap_datalink(pcap) != DLT_EN10MB)
		rc = ofctl_fail("%s: expected a capture of Ethernet", name);
	while (!rc && pcap_next_ex(pcap, &header, &frame) == 1) { /* a file may be cut off */
		c->when = header->ts;
		if (read_segment(frame, header->caplen, &s))
			take(c, &s);
	}
	pcap_close(pcap);
	return rc;
}

int ofctl_ofp_parse_pcap(struct ofctl *ctl, int argc, char **argv)
{
	struct capture c = {.ctl = ctl};
	int rc;

	ctl->show_names = 0;
	c.streams = calloc(STREAMS_MAX, sizeof(*c.streams));
	rc = c.streams ? take_ports(&c, argc - 2, argv + 2) : ofctl_fail("out of memory");
	if (!rc)
		rc = print_capture(&c, argv[1]);
	for (unsigned i = 0; i < c.n_streams; i++)
		ofp_writer_free(&c.streams[i].bytes);
	free(c.streams);
	return rc;
}
