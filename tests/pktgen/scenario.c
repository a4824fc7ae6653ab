/* SPDX-License-Identifier: Apache-2.0 */
/* Runs scenarios; see scenario.h. */
#include "tests/pktgen/scenario_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/pktgen/offload.h"

enum { QUIET_MS = 200, LINE_MAX_BYTES = 16384 };

struct port_line *scenario_port(struct scenario *s, const char *name, struct error *e)
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

int scenario_add_port(struct scenario *s, const char *name, struct endpoint *ep, struct error *e)
{
	struct port_line *p = &s->ports[s->nports];

	if (!ep)
		return -EINVAL;
	if (s->nports == PORTS_MAX || strlen(name) >= sizeof(p->name)) {
		endpoint_close(ep);
		return error_set(e, EINVAL, "at most %d ports with names below 32 bytes", PORTS_MAX);
	}
	p->ep = ep;
	memcpy(p->name, name, strlen(name) + 1);
	s->nports++;
	return 0;
}

static int do_port(struct scenario *s, char *name, char *where, struct error *e)
{
	return scenario_add_port(s, name, endpoint_open(where, e), e);
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

int scenario_send(struct scenario *s, struct port_line *p, const uint8_t *data, uint32_t len, struct error *e)
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

int scenario_send_text(struct scenario *s, struct port_line *p, const char *packet, struct error *e)
{
	int len = packet_text_parse(packet, s->want, e);

	return len < 0 ? len : scenario_send(s, p, s->want, (uint32_t)len, e);
}

static int do_send(struct scenario *s, char *name, char *what, struct error *e)
{
	struct port_line *p = scenario_port(s, name, e);

	if (!p)
		return -EINVAL;
	if (!strncmp(what, "pcap:", 5))
		return each_of_pcap(s, p, what + 5, scenario_send, e);
	if (!strncmp(what, "gso=", 4))
		return send_gso(s, p, what + 4, e);
	return scenario_send_text(s, p, what, e);
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

int scenario_expect(struct scenario *s, struct port_line *p, uint32_t len, struct error *e)
{
	return expect_one(s, p, s->want, len, e);
}

int scenario_expect_text(struct scenario *s, struct port_line *p, const char *packet, struct error *e)
{
	int len = packet_text_parse(packet, s->want, e);

	return len < 0 ? len : scenario_expect(s, p, (uint32_t)len, e);
}

static int do_expect(struct scenario *s, char *name, char *what, struct error *e)
{
	struct port_line *p = scenario_port(s, name, e);
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
	if (!ignore)
		return scenario_expect_text(s, p, what, e);
	len = packet_text_parse(what, s->want, e);
	if (len < 0)
		return len;
	got = receive_within(s, p, s->timeout_s * 1000ull);
	if (!got)
		return error_set(e, ETIMEDOUT, "nothing came within %u s", s->timeout_s);
	if (apply_ignore(s, ignore + strlen(" ignore="), got, e))
		return -EINVAL;
	return compare(s, (uint32_t)len, got, e);
}

static int do_capture(struct scenario *s, char *name, char *file, struct error *e)
{
	struct port_line *p = scenario_port(s, name, e);

	if (!p)
		return -EINVAL;
	p->capture = pcap_dump_open(s->dead, file);
	return p->capture ? 0 : error_set(e, EIO, "%s", pcap_geterr(s->dead));
}

static int do_drain(struct scenario *s, char *name, char *rest, struct error *e)
{
	struct port_line *p = scenario_port(s, name, e);

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

/* "let NAME TEXT" */
static int do_let(struct scenario *s, char *name, char *text, struct error *e)
{
	unsigned i = 0;

	while (i < s->nnames && strcmp(s->names[i].name, name))
		i++;
	if (i == NAMES_MAX || strlen(name) >= sizeof(s->names[i].name))
		return error_set(e, EINVAL, "at most %d names below 32 bytes", NAMES_MAX);
	if (i == s->nnames)
		s->nnames++;
	strcpy(s->names[i].name, name);
	free(s->names[i].text);
	s->names[i].text = strdup(text);
	return s->names[i].text ? 0 : error_set(e, ENOMEM, "out of memory");
}

static const struct verb verbs[] = {
        {"port", true, do_port},       {"send", true, do_send},    {"expect", true, do_expect},
        {"capture", true, do_capture}, {"drain", false, do_drain}, {"timeout", false, do_timeout},
        {"run", false, do_run},        {"let", true, do_let},      {0},
};

/* Writes `line` to `out` with every $NAME replaced. */
static int expand(const struct scenario *s, const char *line, char *out, struct error *e)
{
	size_t n = 0;

	while (*line && n < LINE_MAX_BYTES - 1) {
		size_t len = 0;
		unsigned i = 0;

		if (*line != '$' || !isupper((unsigned char)line[1])) {
			out[n++] = *line++;
			continue;
		}
		while (isupper((unsigned char)line[1 + len]) || isdigit((unsigned char)line[1 + len]) ||
		       line[1 + len] == '_')
			len++;
		while (i < s->nnames &&
		       (strlen(s->names[i].name) != len || strncmp(s->names[i].name, line + 1, len)))
			i++;
		if (i == s->nnames)
			return error_set(e, EINVAL, "$%.*s: there is no let for it", (int)len, line + 1);
		n += (size_t)snprintf(out + n, LINE_MAX_BYTES - n, "%s", s->names[i].text);
		line += 1 + len;
	}
	if (n >= LINE_MAX_BYTES - 1)
		return error_set(e, EINVAL, "the line is longer than %d bytes", LINE_MAX_BYTES);
	out[n] = 0;
	return 0;
}

static const struct verb *find_verb(const struct verb *v, const char *name)
{
	while (v->name && strcmp(v->name, name))
		v++;
	return v->name ? v : NULL;
}

/* Cuts the next word off; what follows it is left in *rest. */
static char *word(char **rest)
{
	char *w = *rest + strspn(*rest, " \t"), *end = w + strcspn(w, " \t");

	*rest = end + (*end != 0);
	*end = 0;
	return w;
}

static int run_line(struct scenario *s, char *text, struct error *e)
{
	char line[LINE_MAX_BYTES], *rest = line, *name, *first;
	const struct verb *v;

	text[strcspn(text, "#\n")] = 0;
	if (expand(s, text, line, e))
		return -EINVAL;
	name = word(&rest);
	if (!*name)
		return 0;
	first = word(&rest);
	rest += strspn(rest, " \t");
	for (size_t n = strlen(rest); n && isspace((unsigned char)rest[n - 1]); n--)
		rest[n - 1] = 0;
	v = find_verb(verbs, name);
	if (!v)
		v = find_verb(scenario_flow_verbs, name);
	if (!v)
		return error_set(e, EINVAL,
		                 "%s: expected port, send, expect, switch, flow, match, act or another verb",
		                 name);
	if ((v->two && !*rest) || (!*first && v->run != scenario_clear))
		return error_set(e, EINVAL, "%s: too few words", name);
	return v->run(s, first, rest, e);
}

static void close_all(struct scenario *s)
{
	for (unsigned i = 0; i < s->nports; i++) {
		if (s->ports[i].capture)
			pcap_dump_close(s->ports[i].capture);
		endpoint_close(s->ports[i].ep);
	}
	controller_close(s->controller);
	for (unsigned i = 0; i < s->nnames; i++)
		free(s->names[i].text);
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
