/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of weft-pktgen load. Called by main.c. */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pktgen/load_frame.h"

void load_usage(void)
{
	fputs("Usage: weft-pktgen load [OPTION]... PORT...\n"
	      "  PORT is connect:PATH (the switch listens) or listen:PATH; the first is number 0\n"
	      "  --stream KEY=VALUE,...  traffic, once for each stream (default: from=0,to=1)\n"
	      "      from=N to=N         ports\n"
	      "      kind=udp|vxlan|tso  what is sent\n"
	      "      arrives=vxlan       the switch puts it into VXLAN: the outer headers are checked\n"
	      "      vni=N outer-dst=MAC outer-src=MAC remote=IP local=IP  of VXLAN: dst and remote are the\n"
	      "                          switch's, src and local ours, whichever way the packet goes\n"
	      "      size=N|imix         bytes of the Ethernet frame (64)\n"
	      "      flows=N             (1) and pattern=uniform|zipf|once|churn|scan, "
	      "churn=FLOWS-PER-SECOND\n"
	      "      rate=PPS            (0: as fast as it goes)\n"
	      "      fresh=1             write the whole payload for every packet\n"
	      "      tenant=N            marks the payload (stream number + 1)\n"
	      "      dst=MAC src=MAC     (02:00:00:00:00:0TO and ...FROM, counted from 1)\n"
	      "  --both                  every stream also the other way\n"
	      "  --seconds S --warm S    measured time (2) and what comes before it (0.5)\n"
	      "  --ring N                descriptors of a ring (1024)\n"
	      "  --rest US               how long a ring is left alone (5)\n"
	      "  --latency               time every packet; use it with rate=\n"
	      "  --verify sample|all|none  which frames are looked at (sample: one in 64)\n"
	      "  --offload               negotiate checksum and segmentation offload\n"
	      "  --hugepages             guest memory of 2 MiB pages\n"
	      "  --core N                run on this core\n"
	      "  --seed N                of random flows (1)\n"
	      "Flow f has IPv4 source 10.0.0.0 + f, destination 172.16.0.1, ports 1024 + f % 32768 to 2000.\n"
	      "The report is JSON on standard output.\n",
	      stderr);
}

static bool complain(const char *what, const char *value)
{
	fprintf(stderr, "weft-pktgen: load: bad %s '%s'\n", what, value);
	return false;
}

static bool read_number(const char *what, const char *text, double min, double max, double *out)
{
	char *end;

	*out = strtod(text, &end);
	if (*end || end == text || !(*out >= min) || !(*out <= max))
		return complain(what, text);
	return true;
}

static bool read_word(const char *what, const char *text, const char *const *words, unsigned *out)
{
	for (*out = 0; words[*out]; ++*out)
		if (!strcmp(words[*out], text))
			return true;
	return complain(what, text);
}

static bool read_mac(const char *what, const char *text, char to[20])
{
	struct mac mac;

	if (mac_parse(text, &mac))
		return complain(what, text);
	strcpy(to, text);
	return true;
}

static bool read_ip(const char *what, const char *text, uint32_t *to)
{
	return inet_pton(AF_INET, text, to) == 1 || complain(what, text);
}

/* The keys whose values are words or addresses; *known is false for all others. */
static bool set_word(struct load_stream_options *s, const char *key, const char *value, bool *known)
{
	static const char *const kinds[] = {"udp", "vxlan", "tso", NULL}, *const vxlan[] = {"vxlan", NULL};
	static const char *const patterns[] = {"uniform", "zipf", "once", "churn", "scan", NULL};
	unsigned word;
	bool ok;

	*known = true;
	if (!strcmp(key, "kind")) {
		ok = read_word(key, value, kinds, &word);
		s->kind = ok ? word : 0;
		return ok;
	}
	if (!strcmp(key, "pattern")) {
		ok = read_word(key, value, patterns, &word);
		s->pattern = ok ? word : 0;
		return ok;
	}
	if (!strcmp(key, "arrives"))
		return s->arrives_vxlan = read_word(key, value, vxlan, &word);
	if (!strcmp(key, "dst"))
		return read_mac(key, value, s->dst);
	if (!strcmp(key, "src"))
		return read_mac(key, value, s->src);
	if (!strcmp(key, "outer-dst"))
		return read_mac(key, value, s->outer_dst);
	if (!strcmp(key, "outer-src"))
		return read_mac(key, value, s->outer_src);
	if (!strcmp(key, "remote"))
		return read_ip(key, value, &s->outer_ip_dst);
	if (!strcmp(key, "local"))
		return read_ip(key, value, &s->outer_ip_src);
	*known = false;
	return true;
}

struct stream_numbers {
	double from, to, size, flows, churn, rate, fresh, tenant, vni;
};

static bool set_number(struct stream_numbers *n, const char *key, const char *value)
{
	const struct {
		const char *key;
		double *to, min, max;
	} keys[] = {
	        {"from", &n->from, 0, LOAD_PORTS_MAX - 1},
	        {"to", &n->to, 0, LOAD_PORTS_MAX - 1},
	        {"size", &n->size, 64, LOAD_SIZE_MAX},
	        {"flows", &n->flows, 1, LOAD_FLOWS_MAX},
	        {"churn", &n->churn, 0, 1e8},
	        {"rate", &n->rate, 0, 1e9},
	        {"fresh", &n->fresh, 0, 1},
	        {"tenant", &n->tenant, 1, 1e9},
	        {"vni", &n->vni, 0, 0xffffff},
	};

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i].key, key))
			return read_number(key, value, keys[i].min, keys[i].max, keys[i].to);
	return complain("key", key);
}

static void take_numbers(struct load_stream_options *s, const struct stream_numbers *n)
{
	s->from = (unsigned)n->from;
	s->to = (unsigned)n->to;
	s->size = (unsigned)n->size;
	s->flows = (uint32_t)n->flows;
	s->churn = (uint32_t)n->churn;
	s->rate = n->rate;
	s->fresh = n->fresh > 0;
	s->tenant = (uint32_t)n->tenant;
	s->vni = (uint32_t)n->vni;
}

static bool read_stream(struct load_options *o, char *text)
{
	struct load_stream_options *s = &o->streams[o->nstreams];
	struct stream_numbers n = {.to = 1, .size = 64, .flows = 1, .tenant = o->nstreams + 1, .vni = 1};
	char *save = NULL;

	if (o->nstreams == LOAD_STREAMS_MAX)
		return complain("number of streams at", text);
	for (char *item = strtok_r(text, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		char *value = strchr(item, '=');
		bool known;

		if (!value)
			return complain("KEY=VALUE", item);
		*value++ = '\0';
		if (!strcmp(item, "size") && !strcmp(value, "imix"))
			n.size = 0;
		else if (!set_word(s, item, value, &known) || (!known && !set_number(&n, item, value)))
			return false;
	}
	take_numbers(s, &n);
	o->nstreams++;
	return true;
}

static void default_mac(char to[20], uint8_t number)
{
	if (!to[0])
		snprintf(to, 20, "02:00:00:00:00:%02x", number);
}

/* What depends on several options. */
static bool complete(struct load_options *o, bool both)
{
	char none[1] = "";

	if (!o->nstreams && !read_stream(o, none))
		return false;
	for (unsigned i = 0, n = o->nstreams; i < n && both; i++) {
		struct load_stream_options *back = &o->streams[o->nstreams];

		if (o->nstreams == LOAD_STREAMS_MAX)
			return complain("number of streams with", "--both");
		*back = o->streams[i];
		back->from = o->streams[i].to;
		back->to = o->streams[i].from;
		back->tenant = ++o->nstreams;
		if (back->kind != LOAD_TSO) {
			back->kind = o->streams[i].arrives_vxlan ? LOAD_VXLAN : LOAD_UDP;
			back->arrives_vxlan = o->streams[i].kind == LOAD_VXLAN;
		}
	}
	for (unsigned i = 0; i < o->nstreams; i++) {
		struct load_stream_options *s = &o->streams[i];

		if (s->from >= o->nports || s->to >= o->nports)
			return complain("stream", "its ports are not all given");
		for (unsigned k = 0; k < i; k++)
			if (o->streams[k].from == s->from || o->streams[k].tenant == s->tenant)
				return complain("stream", "another begins there or has its tenant number");
		default_mac(s->dst, (uint8_t)(s->to + 1));
		default_mac(s->src, (uint8_t)(s->from + 1));
		default_mac(s->outer_dst, 0xfe);
		default_mac(s->outer_src, 0xfd);
		s->moved = LOAD_OUTER * (s->arrives_vxlan - (s->kind == LOAD_VXLAN));
	}
	return true;
}

static bool read_port(struct load_options *o, const char *text)
{
	bool listen = !strncmp(text, "listen:", 7);

	if (o->nports == LOAD_PORTS_MAX || (!listen && strncmp(text, "connect:", 8) != 0))
		return complain("port", text);
	o->ports[o->nports++] = (struct load_port_options){.path = strchr(text, ':') + 1, .listen = listen};
	return true;
}

struct numbers {
	double seconds, warm, ring, rest, core, seed;
};

enum load_option { STREAM, BOTH, SECONDS, WARM, RING, REST, LATENCY, VERIFY, OFFLOAD, HUGEPAGES, CORE, SEED };

static const struct option long_options[] = {
        {"stream", 1, NULL, STREAM},
        {"both", 0, NULL, BOTH},
        {"seconds", 1, NULL, SECONDS},
        {"warm", 1, NULL, WARM},
        {"ring", 1, NULL, RING},
        {"rest", 1, NULL, REST},
        {"latency", 0, NULL, LATENCY},
        {"verify", 1, NULL, VERIFY},
        {"offload", 0, NULL, OFFLOAD},
        {"hugepages", 0, NULL, HUGEPAGES},
        {"core", 1, NULL, CORE},
        {"seed", 1, NULL, SEED},
        {NULL, 0, NULL, 0},
};

static bool read_option(struct load_options *o, struct numbers *n, int c, bool *both)
{
	static const char *const verify[] = {"sample", "all", "none", NULL};
	unsigned word;

	switch (c) {
	case STREAM:
		return read_stream(o, optarg);
	case BOTH:
		return *both = true;
	case SECONDS:
		return read_number("--seconds", optarg, 0.01, 86400, &n->seconds);
	case WARM:
		return read_number("--warm", optarg, 0, 3600, &n->warm);
	case RING:
		return read_number("--ring", optarg, 64, 32768, &n->ring);
	case REST:
		return read_number("--rest", optarg, 0, 1000, &n->rest);
	case LATENCY:
		return o->latency = true;
	case VERIFY:
		if (!read_word("--verify", optarg, verify, &word))
			return false;
		o->verify = word;
		return true;
	case OFFLOAD:
		return o->offload = true;
	case HUGEPAGES:
		return o->hugepages = true;
	case CORE:
		return read_number("--core", optarg, 0, 1023, &n->core);
	case SEED:
		return read_number("--seed", optarg, 0, 1e15, &n->seed);
	default:
		return false;
	}
}

bool load_options_read(int argc, char **argv, struct load_options *o)
{
	struct numbers n = {.seconds = 2, .warm = 0.5, .ring = 1024, .rest = 5, .core = -1, .seed = 1};
	bool both = false;
	int c;

	*o = (struct load_options){0};
	optind = 1;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!read_option(o, &n, c, &both))
			return false;
	for (int i = optind; i < argc; i++)
		if (!read_port(o, argv[i]))
			return false;
	o->seconds = n.seconds;
	o->warm = n.warm;
	o->ring = (unsigned)n.ring;
	o->rest_us = (unsigned)n.rest;
	o->core = (int)n.core;
	o->seed = (uint64_t)n.seed;
	if (o->latency)
		o->verify = LOAD_VERIFY_ALL;
	if (o->ring & (o->ring - 1))
		return complain("--ring", "not a power of two");
	return complete(o, both);
}
