/* SPDX-License-Identifier: Apache-2.0 */
/* base: addresses, checksums against a naive twin, errors, clock, bounded log. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

Test(addr, mac_text_both_ways)
{
	struct mac m;
	char text[MAC_TEXT_MAX];

	cr_assert_eq(mac_parse("02:AB:00:00:00:ff", &m), 0);
	cr_assert_str_eq(mac_format(m, text), "02:ab:00:00:00:ff");
	cr_assert_eq(mac_parse("02:ab:00:00:00", &m), -EINVAL);
	cr_assert_eq(mac_parse("02:ab:00:00:00:ff:01", &m), -EINVAL);
	cr_assert_eq(mac_parse("", &m), -EINVAL);
}

Test(addr, ip_text_both_ways)
{
	struct ip_addr a;
	char text[IP_TEXT_MAX];

	cr_assert_eq(ip_parse("192.0.2.1", &a), 0);
	cr_assert(ip_is_v4(&a));
	cr_assert_str_eq(ip_format(&a, text), "192.0.2.1");
	cr_assert_eq(ip_parse("2001:db8::1", &a), 0);
	cr_assert_not(ip_is_v4(&a));
	cr_assert_str_eq(ip_format(&a, text), "2001:db8::1");
	cr_assert_eq(ip_parse("192.0.2.1/24", &a), -EINVAL);
}

/* RFC 1071 by the letter: big-endian words, one at a time. */
static be16 naive(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htobe16((uint16_t)~sum);
}

Test(checksum, equals_the_naive_twin_in_one_piece_and_in_parts)
{
	uint8_t data[2000], copy[2000];

	srand(1);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rand();
	for (size_t n = 0; n < sizeof(data); n += 13) {
		size_t cut = n ? (size_t)rand() % n : 0;
		uint64_t sum = csum_bytes(data, cut);

		cr_assert_eq(csum_finish(csum_bytes(data, n)), naive(data, n), "%zu bytes", n);
		sum = csum_add_at(sum, csum_copy(copy, data + cut, n - cut), cut);
		cr_assert_eq(csum_finish(sum), naive(data, n), "%zu bytes cut at %zu", n, cut);
		cr_assert_eq(memcmp(copy, data + cut, n - cut), 0);
	}
}

Test(checksum, update_is_the_same_as_a_new_sum)
{
	uint8_t data[64];

	srand(2);
	for (int round = 0; round < 1000; round++) {
		be16 before, expect, csum;
		uint8_t fresh[4];

		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)rand();
		before = naive(data, sizeof(data));
		for (size_t i = 0; i < 4; i++)
			fresh[i] = (uint8_t)rand();
		csum = csum_update(before, data + 8, fresh, 4);
		memcpy(data + 8, fresh, 4);
		expect = naive(data, sizeof(data));
		cr_assert_eq(csum, expect);
	}
}

Test(clock, stands_still_when_taken_over)
{
	clock_set(5 * CLOCK_SECOND);
	cr_assert_eq(clock_now(), 5 * CLOCK_SECOND);
	clock_release();
	cr_assert_neq(clock_now(), 5 * CLOCK_SECOND);
}

Test(error, text_code_and_prefix)
{
	struct error e;

	cr_assert_eq(error_set(&e, EINVAL, "port %d", 7), -EINVAL);
	error_prefix(&e, "line %d", 3);
	cr_assert_str_eq(e.text, "line 3: port 7");
	cr_assert_eq(error_set(NULL, ENOENT, "nobody listens"), -ENOENT);
}

/* Writes `n` lines and returns how many came out; the last one is in `last`. */
static int lines_of(struct log_limit *limit, int n, char *last, size_t size)
{
	int fd = memfd_create("log", MFD_CLOEXEC), saved = dup(STDERR_FILENO), lines = 0;
	FILE *f;

	cr_assert(fd >= 0 && saved >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	for (int i = 0; i < n; i++)
		log_limited(limit, LOG_LEVEL_WARN, "line %d", i);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	f = fdopen(fd, "r");
	rewind(f);
	while (fgets(last, (int)size, f))
		lines++;
	fclose(f);
	return lines;
}

Test(log, what_others_cause_is_bounded)
{
	struct log_limit limit = {0};
	char last[256];

	clock_set(100 * CLOCK_SECOND);
	cr_assert_eq(lines_of(&limit, 50, last, sizeof(last)), LOG_BURST);
	clock_set(103 * CLOCK_SECOND);
	cr_assert_eq(lines_of(&limit, 1, last, sizeof(last)), 1);
	cr_assert(strstr(last, "line 0 (after 30 lines that were left out)"), "%s", last);
	cr_assert_eq(lines_of(&limit, 50, last, sizeof(last)), 2);
	clock_set(1000 * CLOCK_SECOND);
	cr_assert_eq(lines_of(&limit, 50, last, sizeof(last)), LOG_BURST);
	clock_release();
}
