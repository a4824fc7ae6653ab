/* SPDX-License-Identifier: Apache-2.0 */
/* Meters as they are asked for and described (OpenFlow 1.3 sections 5.7 and 7.3.4.4). Plain data. */
#ifndef FLOWS_METER_H
#define FLOWS_METER_H

#include <stdint.h>

/* Numbers of the wire. */
enum meter_command { METER_ADD, METER_MODIFY, METER_DELETE };
enum meter_flags { METER_KBPS = 1, METER_PKTPS = 2, METER_BURST = 4, METER_STATS = 8 };
enum meter_band_type { METER_DROP = 1, METER_DSCP_REMARK = 2 };

enum { METER_MAX = 0xffff0000, METER_ALL = 0xffffffff, METER_BANDS_MAX = 8 };

struct meter_band {
	enum meter_band_type type;
	uint32_t rate;  /* kb/s or packets/s */
	uint32_t burst; /* kb or packets */
	uint8_t prec_level;
};

struct meter_mod {
	enum meter_command command;
	uint16_t flags;
	uint32_t meter_id;
	unsigned n_bands;
	struct meter_band bands[METER_BANDS_MAX];
};

struct meter_stats {
	uint32_t meter_id, flow_count;
	uint64_t n_packets, n_bytes, duration_ns;
	unsigned n_bands;
	struct {
		uint64_t n_packets, n_bytes;
	} bands[METER_BANDS_MAX];
};

#endif
