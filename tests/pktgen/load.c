/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of weft-pktgen load; see load.h. Called by main.c. */
#include "tests/pktgen/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "base/clock.h"
#include "tests/pktgen/load_histogram.h"
#include "tests/pktgen/load_port.h"

enum { VISIT_MAX = 512, SAMPLE = 64, DRAIN_MS = 2000 };

struct load {
	const struct load_options *o;
	struct frontend *ports[LOAD_PORTS_MAX];
	struct load_tx tx[LOAD_STREAMS_MAX];
	struct load_rx rx[LOAD_PORTS_MAX];
	double hz; /* of the TSC */
	uint64_t rest, now;
	struct histogram latency;
	uint64_t started; /* TSC at the beginning of what counts */
	double seconds;   /* that it took */
	uint64_t sent_before[LOAD_STREAMS_MAX], received_before[LOAD_PORTS_MAX];
	uint64_t sent[LOAD_STREAMS_MAX], received[LOAD_PORTS_MAX];
	uint64_t delay_ns; /* waited for the CPU meanwhile */
};

static double tsc_hz(void)
{
	uint64_t ns = clock_now(), tsc = rte_rdtsc(), end = ns + 50 * CLOCK_MS, now;

	while ((now = clock_now()) < end)
		;
	return (double)(rte_rdtsc() - tsc) * 1e9 / (double)(now - ns);
}

/* How long this thread was runnable and did not run. */
static uint64_t run_delay(void)
{
	unsigned long long run, delay = 0;
	FILE *f = fopen("/proc/thread-self/schedstat", "r");

	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &run, &delay) != 2)
		delay = 0;
	fclose(f);
	return delay;
}

/* ---- what arrives ---- */

static const struct load_stream_options *stream_of(const struct load *l, const struct load_mark *mark,
                                                   unsigned *index)
{
	for (*index = 0; *index < l->o->nstreams; ++*index)
		if (l->o->streams[*index].tenant == mark->tenant)
			return &l->o->streams[*index];
	return NULL;
}

/* The mark may be where any stream to this port puts it. */
static const struct load_mark *find_mark(const struct load *l, unsigned port, const uint8_t *frame,
                                         uint32_t len)
{
	for (unsigned i = 0; i < l->o->nstreams; i++) {
		const struct load_stream_options *s = &l->o->streams[i];
		int at = (int)l->tx[i].where.mark + s->moved;
		const struct load_mark *mark = (const struct load_mark *)(frame + at);

		if (s->to == port && at > 0 && (uint32_t)at + sizeof(*mark) <= len &&
		    mark->magic == LOAD_MAGIC)
			return mark;
	}
	return NULL;
}

static void look_outside(const struct load_stream_options *s, struct load_arrivals *a, const uint8_t *frame,
                         uint32_t len)
{
	uint16_t port;

	if (!s->arrives_vxlan)
		return;
	if (!load_outer_good(s, frame, len)) {
		a->bad_outer++;
		return;
	}
	port = load_outer_port(frame);
	a->ports[port / 64] |= UINT64_C(1) << port % 64;
}

static void look(struct load_rx *x, const uint8_t *frame, uint32_t len, void *arg)
{
	struct load *l = arg;
	unsigned port = (unsigned)(x - l->rx), i;
	const uint8_t *data = frame + x->f->header;
	const struct load_mark *mark;
	const struct load_stream_options *s;
	struct load_arrivals *a;

	len = len > x->f->header ? len - x->f->header : 0;
	mark = find_mark(l, port, data, len);
	s = mark ? stream_of(l, mark, &i) : NULL;
	if (!s || s->to != port) {
		*(mark ? &x->leaks : &x->strange) += 1;
		return;
	}
	a = &x->of[i];
	a->seen++;
	look_outside(s, a, data, len);
	a->reordered += mark->sequence < a->next;
	a->next = mark->sequence + 1;
	if (l->o->verify == LOAD_VERIFY_ALL &&
	    memcmp(mark + 1, l->tx[i].payload, len - (uint32_t)((const uint8_t *)(mark + 1) - data)) != 0)
		a->corrupt++;
	if (l->tx[i].sent_at && l->started)
		histogram_add(&l->latency,
		              (uint64_t)((double)(l->now - l->tx[i].sent_at[mark->sequence % LOAD_TIMES]) *
		                         1e9 / l->hz));
}

/* ---- the loop ---- */

static void send_on(struct load *l, unsigned i)
{
	struct load_tx *t = &l->tx[i];
	const struct load_stream_options *s = &l->o->streams[i];
	unsigned max = VISIT_MAX;
	uint64_t moved;

	if (s->rate > 0) {
		t->credit += (double)(l->now - t->credited) * s->rate / l->hz;
		t->credited = l->now;
		t->credit = t->credit < 64 ? t->credit : 64;
		max = (unsigned)t->credit;
	}
	if (!max || l->now - t->visited < l->rest)
		return;
	moved = (uint64_t)((double)(l->now - t->began) * s->churn / l->hz);
	if (s->pattern == LOAD_CHURN)
		t->flows.base = (uint32_t)moved;
	t->credit -= load_tx_visit(t, max);
	t->visited = rte_rdtsc();
}

static void receive_at(struct load *l, unsigned p)
{
	struct load_rx *x = &l->rx[p];
	static const unsigned every[] = {
	        [LOAD_VERIFY_SAMPLE] = SAMPLE, [LOAD_VERIFY_ALL] = 1, [LOAD_VERIFY_NONE] = 0};

	if (l->now - x->visited < l->rest)
		return;
	if (load_rx_visit(x, every[l->o->verify], look, l)) {
		if (x->last_arrival && l->started && l->now - x->last_arrival > x->gap)
			x->gap = l->now - x->last_arrival;
		x->last_arrival = l->now;
	}
	x->visited = rte_rdtsc();
}

static void run_for(struct load *l, double seconds, bool sending)
{
	uint64_t end = rte_rdtsc() + (uint64_t)(seconds * l->hz);

	while ((l->now = rte_rdtsc()) < end) {
		for (unsigned p = 0; p < l->o->nports; p++) {
			l->now = rte_rdtsc();
			receive_at(l, p);
		}
		for (unsigned i = 0; sending && i < l->o->nstreams; i++)
			send_on(l, i);
	}
}

/* What is still under way may take its time on a busy machine; what was lost never comes. */
static void drain(struct load *l)
{
	uint64_t end = clock_now() + DRAIN_MS * CLOCK_MS, missing;

	do {
		run_for(l, 1e-3, false);
		missing = 0;
		for (unsigned i = 0; i < l->o->nstreams; i++)
			missing += l->tx[i].sent;
		for (unsigned p = 0; p < l->o->nports; p++)
			missing -= l->rx[p].packets - l->rx[p].strange;
	} while ((int64_t)missing > 0 && clock_now() < end);
}

static void measure(struct load *l)
{
	uint64_t delay;

	run_for(l, l->o->warm, true);
	for (unsigned i = 0; i < l->o->nstreams; i++)
		l->sent_before[i] = l->tx[i].sent;
	for (unsigned p = 0; p < l->o->nports; p++)
		l->received_before[p] = l->rx[p].packets;
	delay = run_delay();
	l->started = rte_rdtsc();
	run_for(l, l->o->seconds, true);
	l->seconds = (double)(rte_rdtsc() - l->started) / l->hz;
	l->delay_ns = run_delay() - delay;
	for (unsigned i = 0; i < l->o->nstreams; i++)
		l->sent[i] = l->tx[i].sent - l->sent_before[i];
	for (unsigned p = 0; p < l->o->nports; p++)
		l->received[p] = l->rx[p].packets - l->received_before[p];
	l->started = 0;
	drain(l);
}

/* ---- start ---- */

/* Tells learning switches where a stream's addresses are: one broadcast from each end. */
static bool announce(struct load *l, const char *mac, struct frontend *f)
{
	uint8_t frame[60] = {0};
	struct eth_header *eth = (struct eth_header *)frame;
	uint64_t end = clock_now() + CLOCK_SECOND;
	unsigned taken = 0;

	memset(&eth->dst, 0xff, sizeof(eth->dst));
	mac_parse(mac, &eth->src);
	eth->type = htobe16(ETH_TYPE_RARP);
	if (!frontend_send(f, 0, frame, sizeof(frame), NULL))
		return false;
	frontend_kick(f, 1);
	while (!(taken = frontend_reclaim(f, 0)) && clock_now() < end)
		;
	return taken;
}

static int open_port(struct load *l, unsigned p, struct error *e)
{
	const struct load_options *o = l->o;
	uint64_t offloads = VHOST_BIT(VIRTIO_NET_F_CSUM) | VHOST_BIT(VIRTIO_NET_F_GUEST_CSUM) |
	                    VHOST_BIT(VIRTIO_NET_F_HOST_TSO4) | VHOST_BIT(VIRTIO_NET_F_HOST_TSO6) |
	                    VHOST_BIT(VIRTIO_NET_F_GUEST_TSO4) | VHOST_BIT(VIRTIO_NET_F_GUEST_TSO6) |
	                    VHOST_BIT(VIRTIO_NET_F_HOST_USO) | VHOST_BIT(VIRTIO_NET_F_GUEST_USO4) |
	                    VHOST_BIT(VIRTIO_NET_F_GUEST_USO6);
	struct frontend_options f = {.path = o->ports[p].path,
	                             .listen = o->ports[p].listen,
	                             .size = o->ring,
	                             .stride = FRONTEND_BUFFER + 192, /* spreads over the caches' sets */
	                             .hugepages = o->hugepages,
	                             .timeout_ms = 10000,
	                             .without = VHOST_BIT(VIRTIO_RING_F_EVENT_IDX) |
	                                        (o->offload ? 0 : offloads)};

	l->ports[p] = frontend_open(&f);
	return l->ports[p] ? 0 : error_set(e, ENOTCONN, "%s: no vhost-user switch there", f.path);
}

static int start(struct load *l, struct error *e)
{
	const struct load_options *o = l->o;

	for (unsigned p = 0; p < o->nports; p++)
		if (open_port(l, p, e))
			return -ENOTCONN;
	for (unsigned i = 0; i < o->nstreams; i++) {
		const struct load_stream_options *s = &o->streams[i];

		if (!announce(l, s->dst, l->ports[s->to]) || !announce(l, s->src, l->ports[s->from]))
			return error_set(e, ETIMEDOUT, "the switch takes no packets from port %u or %u",
			                 s->from, s->to);
	}
	for (unsigned i = 0; i < o->nstreams; i++) {
		struct load_tx *t = &l->tx[i];

		if (!load_tx_init(t, l->ports[o->streams[i].from], &o->streams[i], o->seed + i))
			return error_set(e, ENOMEM,
			                 "stream %u: no memory, or its packets are longer than the ring", i);
		t->began = t->credited = rte_rdtsc();
		if (o->latency)
			t->sent_at = calloc(LOAD_TIMES, sizeof(t->sent_at[0]));
	}
	for (unsigned p = 0; p < o->nports; p++)
		load_rx_init(&l->rx[p], l->ports[p], o->offload);
	return 0;
}

static void stop(struct load *l)
{
	for (unsigned i = 0; i < l->o->nstreams; i++)
		load_tx_free(&l->tx[i]);
	for (unsigned p = 0; p < l->o->nports; p++)
		frontend_close(l->ports[p]);
	free(l);
}

/* ---- report ---- */

/* Of all that came in VXLAN: wrong headers, and how the source ports spread. */
static json_t *report_outer(const struct load_rx *x)
{
	uint64_t bad = 0, ports[LOAD_OUTER_PORTS] = {0};
	unsigned n = 0, lowest = 0;

	for (unsigned i = 0; i < LOAD_STREAMS_MAX; i++) {
		bad += x->of[i].bad_outer;
		for (unsigned k = 0; k < LOAD_OUTER_PORTS; k++)
			ports[k] |= x->of[i].ports[k];
	}
	for (unsigned k = 0; k < LOAD_OUTER_PORTS; k++) {
		if (!n && ports[k])
			lowest = k * 64 + (unsigned)__builtin_ctzll(ports[k]);
		n += (unsigned)__builtin_popcountll(ports[k]);
	}
	return json_pack("{s:I, s:i, s:i}", "bad", (json_int_t)bad, "ports", (int)n, "lowest_port",
	                 (int)lowest);
}

static json_t *report_port(const struct load *l, unsigned p)
{
	const struct load_rx *x = &l->rx[p];
	uint64_t seen = 0, reordered = 0, corrupt = 0;

	for (unsigned i = 0; i < l->o->nstreams; i++) {
		seen += x->of[i].seen;
		reordered += x->of[i].reordered;
		corrupt += x->of[i].corrupt;
	}
	return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:o}", "mpps",
	                 (double)l->received[p] / l->seconds / 1e6, "received", (json_int_t)l->received[p],
	                 "total", (json_int_t)x->packets, "looked_at", (json_int_t)seen, "reordered",
	                 (json_int_t)reordered, "corrupt", (json_int_t)corrupt, "leaked",
	                 (json_int_t)x->leaks, "strange", (json_int_t)x->strange, "gap_us",
	                 (double)x->gap * 1e6 / l->hz, "outer", report_outer(x));
}

static json_t *report_latency(const struct histogram *h)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "packets", (json_int_t)h->n, "p50",
	                 (json_int_t)histogram_at(h, 0.5), "p90", (json_int_t)histogram_at(h, 0.9), "p99",
	                 (json_int_t)histogram_at(h, 0.99), "p999", (json_int_t)histogram_at(h, 0.999), "max",
	                 (json_int_t)h->max);
}

static json_t *report(const struct load *l)
{
	json_t *streams = json_array(), *ports = json_array(), *all;

	for (unsigned i = 0; i < l->o->nstreams; i++)
		json_array_append_new(streams,
		                      json_pack("{s:i, s:i, s:I, s:I, s:I, s:f}", "from",
		                                (int)l->o->streams[i].from, "to", (int)l->o->streams[i].to,
		                                "tenant", (json_int_t)l->o->streams[i].tenant, "sent",
		                                (json_int_t)l->sent[i], "total", (json_int_t)l->tx[i].sent,
		                                "mpps", (double)l->sent[i] / l->seconds / 1e6));
	for (unsigned p = 0; p < l->o->nports; p++)
		json_array_append_new(ports, report_port(l, p));
	all = json_pack("{s:f, s:f, s:f, s:o, s:o}", "seconds", l->seconds, "tsc_hz", l->hz, "delayed_ms",
	                (double)l->delay_ns / 1e6, "streams", streams, "ports", ports);
	if (l->o->latency)
		json_object_set_new(all, "latency_ns", report_latency(&l->latency));
	return all;
}

int load_run(const struct load_options *o, json_t **result, struct error *e)
{
	struct load *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return error_set(e, ENOMEM, "no memory");
	l->o = o;
	if (o->core >= 0 && !pin_to((unsigned)o->core)) {
		free(l);
		return error_set(e, EINVAL, "core %d is not there", o->core);
	}
	l->hz = tsc_hz();
	l->rest = o->latency ? 0 : (uint64_t)(o->rest_us * l->hz / 1e6);
	rc = start(l, e);
	if (!rc) {
		measure(l);
		*result = report(l);
	}
	stop(l);
	return rc;
}
