/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: is the switch there, and how quick is it? Echo requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/cli/ofctl.h"

enum { PAYLOAD_MAX = OFP_MESSAGE_MAX - OFP_HEADER_LEN, PINGS = 10 };

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* One echo of `n` bytes there and back. */
static int echo(struct ofctl *ctl, const uint8_t *payload, size_t n)
{
	struct ofp_writer w = {0};
	struct ofp_reader r;
	int rc;

	ofp_put_message(&w, OFPT_ECHO_REQUEST, 0, payload, n);
	rc = ofctl_transact(ctl, &w, &r);
	if (!rc && (ofp_left(&r) != n || memcmp(r.at, payload, n)))
		rc = ofctl_fail("%s: reply does not match request", ctl->target);
	return rc;
}

static int take_size(const char *text, size_t *n)
{
	long size = atol(text);

	if (size < 0 || size > PAYLOAD_MAX)
		return ofctl_fail("payload must be between 0 and %d bytes", PAYLOAD_MAX);
	*n = (size_t)size;
	return 0;
}

int ofctl_probe(struct ofctl *ctl, int argc, char **argv)
{
	int rc = ofctl_connect(ctl, argv[1]);

	return rc ? rc : echo(ctl, (const uint8_t *)"", 0);
}

int ofctl_ping(struct ofctl *ctl, int argc, char **argv)
{
	static uint8_t payload[PAYLOAD_MAX];
	size_t n = 64;
	int rc = argc > 2 ? take_size(argv[2], &n) : 0;

	if (!rc)
		rc = ofctl_connect(ctl, argv[1]);
	for (size_t i = 0; i < n; i++)
		payload[i] = (uint8_t)random();
	for (unsigned i = 0; i < PINGS && !rc; i++) {
		double start = now_ms();

		rc = echo(ctl, payload, n);
		if (!rc)
			printf("%zu bytes from %s: xid=%08x time=%.1f ms\n", n, argv[1], i, now_ms() - start);
	}
	return rc;
}

int ofctl_benchmark(struct ofctl *ctl, int argc, char **argv)
{
	static uint8_t payload[PAYLOAD_MAX];
	int count = atoi(argv[3]), rc;
	size_t n = 0, message;
	double start, ms;

	rc = take_size(argv[2], &n);
	if (rc)
		return rc;
	message = n + OFP_HEADER_LEN;
	printf("Sending %d packets * %zu bytes (with header) = %zu bytes total\n", count, message,
	       (size_t)count * message);
	rc = ofctl_connect(ctl, argv[1]);
	start = now_ms();
	for (int i = 0; i < count && !rc; i++)
		rc = echo(ctl, payload, n);
	ms = now_ms() - start;
	if (!rc)
		printf("Finished in %.1f ms (%.0f packets/s) (%.0f bytes/s)\n", ms, count / (ms / 1e3),
		       (double)count * (double)message / (ms / 1e3));
	return rc;
}
