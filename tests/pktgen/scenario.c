/* SPDX-License-Identifier: Apache-2.0 */
/* Runs scenarios; see scenario.h. */
#include "tests/pktgen/scenario.h"

#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/pktgen/endpoint.h"
#include "tests/pktgen/offload.h"
#include "tests/pktgen/packet_text.h"

enum { PORTS_MAX = 32, QUIET_MS = 200 };

struct port_line {
	char name[32];
	struct endpoint *ep;
	pcap_dumper_t *capture;
};

struct scenario {
	struct port_line ports[PORTS_MAX];
	unsigned nports;
	unsigned timeout_s;
	pcap_t *dead; /* for captures */
	uint8_t want[PACKET_TEXT_MAX], got[PACKET_TEXT_MAX];
};

static struct port_line *find_port(struct scenario *s, const char *name, struct error *e)
{
	for (unsigned i = 0; i < s->nports; i++)
		if (!strcmp(s->ports[i].name, name))
			return &s->ports[i];
	error_set(e, EINVAL, "no port '%s'", name);
	return NULL;
}

static void nap(void)
{
	const struct timespec t = {.tv_nsec = 50000};

	nanosleep(&t, NULL);
}

static uint32_t receive(struct scenario *s, struct port_line *p)
{
	uint32_t len = endpoint_receive(p->ep, s->got, sizeof(s->got));
	struct pcap_pkthdr h = {.caplen = len, .len = len};

	if (len && p->capture) {
		gettimeofday(&h.ts, NULL);
		pcap_dump((u_char *)p->capture, &h, s->got);
		pcap_dump_flush(p->capture);
	}
	return len;
}

static uint32_t receive_within(struct scenario *s, struct port_line *p, uint64_t ms)
{
	uint64_t end = clock_now() + ms * CLOCK_MS;
	uint32_t len;

	while (!(len = receive(s, p)) && clock_now() < end)
		nap();
	return len;
}

static int do_port(struct scenario *s, char *name, char *where, struct error *e)
{
	struct port_line *p = &s->ports[s->nports];

	if (s->nports == PORTS_MAX || strlen(name) >= sizeof(p->name))
		return error_set(e, EINVAL, "at most %d ports with names below 32 bytes", PORTS_MAX);
	p->ep = endpoint_open(where, e);
	if (!p->ep)
		return -EINVAL;
	memcpy(p->name, name, strlen(name) + 1);
	s->nports++;
	return 0;
}

/* Calls `each` for every packet of a capture, until one fails. */
static int each_of_pcap(struct scenario *s, struct port_line *p, const char *file,
                        int (*each)(struct scenario *s, struct port_line *p, const uint8_t *data,
                                    uint32_t len, struct error *e),
                        struct error *e)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(file, why);
	struct pcap_pkthdr *h;
	const u_char *data;
	int rc = 0;

	if (!pcap)
		return error_set(e, EINVAL, "%s", why);
	while (!rc && pcap_next_ex(pcap, &h, &data) == 1)
		rc = each(s, p, data, h->caplen, e);
	pcap_close(pcap);
	return rc;
}

static int send_with(struct scenario *s, struct port_line *p, const uint8_t *data, uint32_t len,
                     const struct vnet_header *h, struct error *e)
{
	uint64_t end = clock_now() + s->timeout_s * CLOCK_SECOND;
	int rc;

	while ((rc = endpoint_send(p->ep, data, len, h)) == -ENOBUFS && clock_now() < end)
		nap();
	return rc ? error_set(e, -rc, "send: %s", strerror(-rc)) : 0;
}

static int send_one(struct scenario *s, struct port_line *p, const uint8_t *data, uint32_t len,
                    struct error *e)
{
	return send_with(s, p, data, len, NULL, e);
}

/* "gso=SIZE PACKET" */
static int send_gso(struct scenario *s, struct port_line *p, char *what, struct error *e)
{
	struct vnet_header h;
	char *text;
	unsigned long size = strtoul(what, &text, 10);
	int len;

	if (!size || size > UINT16_MAX || *text++ != ' ')
		return error_set(e, EINVAL, "expected gso=SIZE PACKET");
	len = packet_text_parse(text, s->want, e);
	if (len < 0 || offload_gso(s->want, (uint32_t)len, (uint16_t)size, &h, e))
		return -EINVAL;
	return send_with(s, p, s->want, (uint32_t)len, &h, e);
}

static int do_send(struct scenario *s, char *name, char *what, struct error *e)
{
	struct port_line *p = find_port(s, name, e);
	int len;

	if (!p)
		return -EINVAL;
	if (!strncmp(what, "pcap:", 5))
		return each_of_pcap(s, p, what + 5, send_one, e);
	if (!strncmp(what, "gso=", 4))
		return send_gso(s, p, what + 4, e);
	len = packet_text_parse(what, s->want, e);
	return len < 0 ? len : send_one(s, p, s->want, (uint32_t)len, e);
}

/* "ignore=26-27,40": copies those bytes from what came to what was wanted. */
static int apply_ignore(struct scenario *s, const char *ignore, uint32_t len, struct error *e)
{
	while (*ignore) {
		char *end;
		unsigned long from = strtoul(ignore, &end, 10), to = from;

		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		if (end == ignore || (*end && *end != ',') || to < from)
			return error_set(e, EINVAL, "ignore=: expected FROM-TO,...");
		for (; from <= to && from < len; from++)
			s->want[from] = s->got[from];
		ignore = *end ? end + 1 : end;
	}
	return 0;
}

static int compare(struct scenario *s, uint32_t want, uint32_t got, struct error *e)
{
	uint32_t i = 0, n = want < got ? want : got;

	while (i < n && s->want[i] == s->got[i])
		i++;
	if (i < n)
		return error_set(e, EBADMSG, "byte %u is %02x, not %02x (%u bytes came, %u were expected)", i,
		                 s->got[i], s->want[i], got, want);
	return want == got ? 0 : error_set(e, EBADMSG, "%u bytes came, %u were expected", got, want);
}

static int expect_one(struct scenario *s, struct port_line *p, const uint8_t *data, uint32_t len,
                      struct error *e)
{
	uint32_t got = receive_within(s, p, s->timeout_s * 1000ull);

	if (data != s->want)
		memcpy(s->want, data, len);
	return got ? compare(s, len, got, e)
	           : error_set(e, ETIMEDOUT, "nothing came within %u s", s->timeout_s);
}

static int do_expect(struct scenario *s, char *name, char *what, struct error *e)
{
	struct port_line *p = find_port(s, name, e);
	char *ignore = strstr(what, " ignore=");
	uint32_t got;
	int len;

	if (!p)
		return -EINVAL;
	if (!strncmp(what, "pcap:", 5))
		return each_of_pcap(s, p, what + 5, expect_one, e);
	if (!strcmp(what, "none")) {
		got = receive_within(s, p, QUIET_MS);
		return got ? error_set(e, EBADMSG, "a frame of %u bytes came", got) : 0;
	}
	if (ignore)
		*ignore = 0;
	len = packet_text_parse(what, s->want, e);
	if (len < 0)
		return len;
	if (!ignore)
		return expect_one(s, p, s->want, (uint32_t)len, e);
	got = receive_within(s, p, s->timeout_s * 1000ull);
	if (!got)
		return error_set(e, ETIMEDOUT, "nothing came within %u s", s->timeout_s);
	if (apply_ignore(s, ignore + strlen(" ignore="), got, e))
		return -EINVAL;
	return compare(s, (uint32_t)len, got, e);
}

static int do_capture(struct scenario *s, char *name, char *file, struct error *e)
{
	struct port_line *p = find_port(s, name, e);

	if (!p)
		return -EINVAL;
	p->capture = pcap_dump_open(s->dead, file);
	return p->capture ? 0 : error_set(e, EIO, "%s", pcap_geterr(s->dead));
}

static int do_drain(struct scenario *s, char *name, char *rest, struct error *e)
{
	struct port_line *p = find_port(s, name, e);

	if (!p)
		return -EINVAL;
	while (receive_within(s, p, QUIET_MS))
		;
	return 0;
}

static int do_timeout(struct scenario *s, char *seconds, char *rest, struct error *e)
{
	s->timeout_s = (unsigned)strtoul(seconds, NULL, 10);
	return s->timeout_s ? 0 : error_set(e, EINVAL, "expected seconds");
}

static int do_run(struct scenario *s, char *first, char *rest, struct error *e)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s %s", first, rest);
	return system(command) ? error_set(e, ECHILD, "the command failed") : 0;
}

static const struct verb {
	const char *name;
	bool two;
	int (*run)(struct scenario *s, char *first, char *rest, struct error *e);
} verbs[] = {
        {"port", true, do_port},       {"send", true, do_send},    {"expect", true, do_expect},
        {"capture", true, do_capture}, {"drain", false, do_drain}, {"timeout", false, do_timeout},
        {"run", false, do_run},
};

/* Cuts the next word off; what follows it is left in *rest. */
static char *word(char **rest)
{
	char *w = *rest + strspn(*rest, " \t"), *end = w + strcspn(w, " \t");

	*rest = end + (*end != 0);
	*end = 0;
	return w;
}

static int run_line(struct scenario *s, char *line, struct error *e)
{
	char *rest = line, *name, *first;

	line[strcspn(line, "#\n")] = 0;
	name = word(&rest);
	if (!*name)
		return 0;
	first = word(&rest);
	rest += strspn(rest, " \t");
	for (size_t n = strlen(rest); n && isspace((unsigned char)rest[n - 1]); n--)
		rest[n - 1] = 0;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name))
			continue;
		if (!*first || (verbs[i].two && !*rest))
			return error_set(e, EINVAL, "%s: too few words", name);
		return verbs[i].run(s, first, rest, e);
	}
	return error_set(e, EINVAL, "%s: expected port, send, expect, capture, drain, timeout or run", name);
}

static void close_all(struct scenario *s)
{
	for (unsigned i = 0; i < s->nports; i++) {
		if (s->ports[i].capture)
			pcap_dump_close(s->ports[i].capture);
		endpoint_close(s->ports[i].ep);
	}
	pcap_close(s->dead);
	free(s);
}

int scenario_run(FILE *in, const char *name, bool verbose, struct error *e)
{
	struct scenario *s = calloc(1, sizeof(*s));
	char *line = NULL;
	size_t size = 0;
	int number = 0, rc = 0;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	s->timeout_s = 5;
	s->dead = pcap_open_dead(DLT_EN10MB, PACKET_TEXT_MAX);
	while (!rc && getline(&line, &size, in) > 0) {
		number++;
		if (verbose)
			fprintf(stderr, "%s:%d: %s", name, number, line);
		rc = run_line(s, line, e);
	}
	if (rc)
		error_prefix(e, "%s:%d", name, number);
	free(line);
	close_all(s);
	return rc;
}
