/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC table: learning, moving, ageing, bounds. */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/clock.h"
#include "flows/dp/fdb.h"

static struct mac mac_number(unsigned n)
{
	return (struct mac){{2, 0, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

Test(fdb, learns_moves_and_ages)
{
	struct fdb *f = fdb_create(&(struct fdb_config){.age_seconds = 10});
	struct mac a = mac_number(1), group = {{1, 0, 0x5e, 0, 0, 1}};
	uint64_t now = 100 * CLOCK_SECOND;

	cr_expect_eq(fdb_lookup(f, 0, a), FDB_NONE);
	cr_expect(fdb_see(f, 0, a, 1, now));
	cr_expect_eq(fdb_learn(f, 0, a, 1, now), 0);
	cr_expect_eq(fdb_lookup(f, 0, a), 1);
	cr_expect_eq(fdb_lookup(f, 5, a), FDB_NONE, "another VLAN");
	cr_expect_not(fdb_see(f, 0, a, 1, now));
	cr_expect(fdb_see(f, 0, a, 2, now), "it moved");
	cr_expect_eq(fdb_learn(f, 0, a, 2, now), 0);
	cr_expect_eq(fdb_lookup(f, 0, a), 2);
	cr_expect_not(fdb_see(f, 0, a, 2, now + 9 * CLOCK_SECOND), "stays young");
	cr_expect_eq(fdb_expire(f, now + 10 * CLOCK_SECOND), 0);
	cr_expect_eq(fdb_expire(f, now + 19 * CLOCK_SECOND), 1);
	cr_expect_eq(fdb_lookup(f, 0, a), FDB_NONE);
	cr_expect_not(fdb_see(f, 0, group, 1, now));
	cr_expect_eq(fdb_learn(f, 0, group, 1, now), -EINVAL);
	fdb_destroy(f);
}

Test(fdb, one_port_cannot_fill_it)
{
	struct fdb *f = fdb_create(&(struct fdb_config){.capacity = 1000, .port_max = 600});
	unsigned learned = 0, walked = 0;
	struct fdb_stats stats;
	struct fdb_entry entry;
	uint32_t cursor = 0;

	for (unsigned i = 0; i < 5000; i++)
		learned += !fdb_learn(f, 0, mac_number(i), 1, 0);
	cr_expect_leq(learned, 600);
	cr_expect_gt(learned, 590);
	for (unsigned i = 0; i < 300; i++)
		cr_expect_eq(fdb_learn(f, 0, mac_number(10000 + i), 2, 0), 0);
	fdb_get_stats(f, &stats);
	cr_expect_eq(stats.entries, learned + 300);
	cr_expect_eq(stats.refused, 5000 - learned);
	while (fdb_next(f, &cursor, &entry))
		walked += entry.port == 1 || entry.port == 2;
	cr_expect_eq(walked, stats.entries);
	cr_expect_eq(fdb_flush(f, 1), learned);
	cr_expect_eq(fdb_lookup(f, 0, mac_number(10000)), 2);
	cr_expect_eq(fdb_flush(f, FDB_NONE), 300);
	fdb_destroy(f);
}

Test(fdb, static_entries_stay)
{
	struct fdb *f = fdb_create(NULL);

	cr_expect_eq(fdb_add_static(f, 7, mac_number(1), 3), 0);
	cr_expect_not(fdb_see(f, 7, mac_number(1), 4, 0));
	cr_expect_eq(fdb_learn(f, 7, mac_number(1), 4, 0), -EPERM);
	cr_expect_eq(fdb_expire(f, UINT64_MAX / 2), 0);
	cr_expect_eq(fdb_flush(f, FDB_NONE), 0);
	cr_expect_eq(fdb_lookup(f, 7, mac_number(1)), 3);
	fdb_destroy(f);
}
