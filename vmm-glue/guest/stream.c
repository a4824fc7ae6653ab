/* SPDX-License-Identifier: Apache-2.0 */
/* A stream that proves itself: numbered, checksummed blocks over TCP or UDP. Runs inside the test guest, for
 * the test of live migration: the receiver is moved while it receives, and no block may come out changed.
 *   stream send tcp|udp ADDRESS PORT BLOCKS_PER_SECOND     until it is killed
 *   stream recv tcp|udp PORT REPORT_FILE                   keeps REPORT_FILE up to date, until it is killed
 * The report is one line: blocks=N bytes=N bad=N lost=N gap_ms=N (lost: UDP only; gap_ms: the longest
 * silence). */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BLOCK_WORDS = 340,
	BLOCK_BYTES = BLOCK_WORDS * 4
}; /* 1360 bytes: fits one packet of any sensible MTU */

struct block {
	uint32_t seq;
	uint32_t sum; /* over seq and payload */
	uint32_t payload[BLOCK_WORDS - 2];
};

struct report {
	uint64_t blocks, bytes, bad, lost, gap_ms;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* FNV-1a over words: any flipped, moved or stale word changes it. */
static uint32_t block_sum(const struct block *b)
{
	uint32_t h = 2166136261u ^ b->seq;

	for (int i = 0; i < BLOCK_WORDS - 2; i++)
		h = (h ^ b->payload[i]) * 16777619u + (h >> 15);
	return h;
}

static void block_fill(struct block *b, uint32_t seq)
{
	uint32_t x = seq * 2654435761u + 1;

	b->seq = seq;
	for (int i = 0; i < BLOCK_WORDS - 2; i++) {
		x = x * 1664525u + 1013904223u;
		b->payload[i] = x;
	}
	b->sum = block_sum(b);
}

static void die(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (host && inet_pton(AF_INET, host, &a.sin_addr) != 1) {
		fprintf(stderr, "stream: '%s' is not an IPv4 address\n", host);
		exit(2);
	}
	return a;
}

static void write_whole(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("send");
		p += n;
		len -= (size_t)n;
	}
}

static void send_blocks(bool tcp, const char *host, const char *port, unsigned int rate)
{
	struct sockaddr_in to = address(host, port);
	int fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	uint64_t start = now_ms(), due;
	struct block b;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	for (uint32_t seq = 0;; seq++) {
		block_fill(&b, seq);
		if (tcp)
			write_whole(fd, &b, sizeof(b));
		else
			send(fd, &b, sizeof(b), 0); /* a refusal while the receiver is away is a lost block */
		due = start + (uint64_t)(seq + 1) * 1000 / rate;
		while (now_ms() < due)
			usleep(1000);
	}
}

static void report_write(const char *path, const struct report *r)
{
	char tmp[256];
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.new", path);
	f = fopen(tmp, "w");
	if (!f)
		die(tmp);
	fprintf(f, "blocks=%llu bytes=%llu bad=%llu lost=%llu gap_ms=%llu\n", (unsigned long long)r->blocks,
	        (unsigned long long)r->bytes, (unsigned long long)r->bad, (unsigned long long)r->lost,
	        (unsigned long long)r->gap_ms);
	fclose(f);
	rename(tmp, path);
}

/* Reads one whole block. Returns its length, less than a block at the end of the stream. */
static size_t read_block(int fd, bool tcp, struct block *b)
{
	size_t have = 0;
	ssize_t n;

	do {
		n = recv(fd, (char *)b + have, sizeof(*b) - have, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return have;
		have += (size_t)n;
	} while (tcp && have < sizeof(*b));
	return have;
}

static void receive_blocks(int fd, bool tcp, const char *path)
{
	uint64_t last = 0, written = 0, now;
	struct report r = {0};
	uint32_t next = 0;
	struct block b;
	size_t len;

	report_write(path, &r);
	while ((len = read_block(fd, tcp, &b)) > 0) {
		now = now_ms();
		if (last && now - last > r.gap_ms)
			r.gap_ms = now - last;
		last = now;
		r.blocks++;
		r.bytes += len;
		if (len != sizeof(b) || b.sum != block_sum(&b) || (tcp && b.seq != next))
			r.bad++;
		else if (b.seq > next)
			r.lost += b.seq - next;
		if (b.seq >= next)
			next = b.seq + 1;
		if (now - written >= 100) {
			report_write(path, &r);
			written = now;
		}
	}
	report_write(path, &r);
}

static void receive(bool tcp, const char *port, const char *path)
{
	struct sockaddr_in at = address(NULL, port);
	int fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0), one = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("bind");
	if (tcp) {
		if (listen(fd, 1) < 0)
			die("listen");
		fd = accept(fd, NULL, NULL);
		if (fd < 0)
			die("accept");
	}
	receive_blocks(fd, tcp, path);
}

int main(int argc, char **argv)
{
	bool tcp;

	if (argc == 6 && strcmp(argv[1], "send") == 0 && atoi(argv[5]) > 0) {
		tcp = strcmp(argv[2], "tcp") == 0;
		send_blocks(tcp, argv[3], argv[4], (unsigned int)atoi(argv[5]));
	} else if (argc == 5 && strcmp(argv[1], "recv") == 0) {
		tcp = strcmp(argv[2], "tcp") == 0;
		receive(tcp, argv[3], argv[4]);
	} else {
		fputs("usage: stream send tcp|udp ADDRESS PORT BLOCKS_PER_SECOND | recv tcp|udp PORT "
		      "REPORT_FILE\n",
		      stderr);
		return 2;
	}
	return 0;
}
