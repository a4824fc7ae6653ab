/* SPDX-License-Identifier: Apache-2.0 */
/* Tables with one worker's cache and nothing around them, for the unit tests of flows/dp: flows and groups as
 * text, packets as matches, programs as text. The clock stands still unless the test moves it. */
#ifndef TESTS_LIB_TABLES_RIG_H
#define TESTS_LIB_TABLES_RIG_H

#include "flows/dp/cache.h"
#include "flows/dp/tables.h"
#include "flows/flow_mod.h"
#include "flows/group.h"
#include "flows/meter.h"

struct rig {
	struct tables *tables;
	struct cache *cache;
	struct { /* the last flow_removed */
		unsigned n;
		uint64_t packets, cookie;
		enum tables_removed reason;
	} removed;
};

extern struct rig rig;

/* `config` may be NULL; flow_removed is the rig's. Nothing may be running yet. */
void rig_start(const struct tables_config *config);
void rig_stop(void);

/* One change, as a version. A text that does not parse fails the test. */
enum tables_error rig_flow(enum flow_command command, const char *text);
enum tables_error rig_group(enum group_command command, const char *text);
enum tables_error rig_meter(const struct meter_mod *mm);

/* The packet that a match describes. */
struct mkey rig_packet(const char *match);
/* "output:1 set:ip_dst", "drop(table_miss)"; valid until the next call. */
const char *rig_program_text(const struct program *p);
/* Sends one packet of 100 bytes; what is done with it. What it reports to the tables waits for rig_drain().
 */
const char *rig_send(const char *packet);
const char *rig_send_long(const char *packet, uint32_t len);
#define rig_expect(packet, result)                                                                           \
	cr_expect_str_eq(rig_send(packet), result, "%s: %s", packet, rig_send(packet))

/* The reports of packets so far are done; how many there were, and in *last how the last one ended (may be
 * NULL).
 */
unsigned rig_drain(enum tables_error *last);

/* Counters are folded, what was removed is told of and freed. */
void rig_fold(void);
struct tables_totals rig_totals(const char *filter);

#endif
