/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of meter messages: METER_MOD, METER, METER_CONFIG, METER_FEATURES. Called by server and client. */
#include <string.h>

#include "base/clock.h"
#include "control/openflow/messages.h"

enum { BAND_LEN = 16, METER_STATS_FIXED = 40, METER_FLAGS_KNOWN = 15 };

static enum ofp_error read_bands(struct ofp_reader *r, struct meter_mod *mm)
{
	while (ofp_left(r)) {
		uint16_t type = ofp_get_u16(r), len = ofp_get_u16(r);
		struct meter_band *band = &mm->bands[mm->n_bands];
		struct ofp_reader body;

		if (len != BAND_LEN)
			return OFPBRC_BAD_LEN;
		body = ofp_get_part(r, BAND_LEN - 4);
		if (body.failed)
			return OFPBRC_BAD_LEN;
		if (type != METER_DROP && type != METER_DSCP_REMARK)
			return OFPMMFC_BAD_BAND;
		if (mm->n_bands++ == METER_BANDS_MAX)
			return OFPMMFC_OUT_OF_BANDS;
		band->type = (enum meter_band_type)type;
		band->rate = ofp_get_u32(&body);
		band->burst = ofp_get_u32(&body);
		band->prec_level = ofp_get_u8(&body);
	}
	return OFP_OK;
}

static enum ofp_error check_meter(const struct meter_mod *mm, uint16_t command)
{
	if (command > METER_DELETE)
		return OFPMMFC_BAD_COMMAND;
	if (mm->command == METER_DELETE)
		return OFP_OK;
	if (mm->meter_id == 0 || mm->meter_id > METER_MAX)
		return OFPMMFC_INVALID_METER;
	if (mm->flags & ~METER_FLAGS_KNOWN ||
	    (mm->flags & (METER_KBPS | METER_PKTPS)) == (METER_KBPS | METER_PKTPS))
		return OFPMMFC_BAD_FLAGS;
	return OFP_OK;
}

enum ofp_error ofp_read_meter_mod(struct ofp_reader *r, struct meter_mod *mm)
{
	uint16_t command = ofp_get_u16(r);
	enum ofp_error error;

	memset(mm, 0, sizeof(*mm));
	mm->command = (enum meter_command)command;
	mm->flags = ofp_get_u16(r);
	mm->meter_id = ofp_get_u32(r);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	error = check_meter(mm, command);
	return error ? error : read_bands(r, mm);
}

static void put_bands(struct ofp_writer *w, const struct meter_mod *mm)
{
	for (unsigned i = 0; i < mm->n_bands; i++) {
		const struct meter_band *b = &mm->bands[i];

		ofp_put_u16(w, (uint16_t)b->type);
		ofp_put_u16(w, BAND_LEN);
		ofp_put_u32(w, b->rate);
		ofp_put_u32(w, b->burst);
		ofp_put_u8(w, b->prec_level);
		ofp_put_zero(w, 3);
	}
}

void ofp_put_meter_mod(struct ofp_writer *w, uint32_t xid, const struct meter_mod *mm)
{
	size_t start = ofp_begin(w, OFPT_METER_MOD, xid);

	ofp_put_u16(w, (uint16_t)mm->command);
	ofp_put_u16(w, mm->flags);
	ofp_put_u32(w, mm->meter_id);
	put_bands(w, mm);
	ofp_end(w, start);
}

enum ofp_error ofp_read_meter_config(struct ofp_reader *r, struct meter_mod *mm)
{
	uint16_t len = ofp_get_u16(r);
	struct ofp_reader body;

	memset(mm, 0, sizeof(*mm));
	if (len < 8)
		return OFPBRC_BAD_LEN;
	body = ofp_get_part(r, len - 2u);
	mm->flags = ofp_get_u16(&body);
	mm->meter_id = ofp_get_u32(&body);
	return body.failed ? OFPBRC_BAD_LEN : read_bands(&body, mm);
}

void ofp_put_meter_config(struct ofp_writer *w, const struct meter_mod *mm)
{
	ofp_put_u16(w, (uint16_t)(8 + mm->n_bands * BAND_LEN));
	ofp_put_u16(w, mm->flags);
	ofp_put_u32(w, mm->meter_id);
	put_bands(w, mm);
}

enum ofp_error ofp_read_meter_stats(struct ofp_reader *r, struct meter_stats *ms)
{
	struct ofp_reader body;
	uint16_t len;

	memset(ms, 0, sizeof(*ms));
	ms->meter_id = ofp_get_u32(r);
	len = ofp_get_u16(r);
	if (len < METER_STATS_FIXED)
		return OFPBRC_BAD_LEN;
	body = ofp_get_part(r, len - 6u);
	ofp_skip(&body, 6);
	ms->flow_count = ofp_get_u32(&body);
	ms->n_packets = ofp_get_u64(&body);
	ms->n_bytes = ofp_get_u64(&body);
	ms->duration_ns = ofp_get_u32(&body) * CLOCK_SECOND;
	ms->duration_ns += ofp_get_u32(&body);
	while (ofp_left(&body) >= 16 && ms->n_bands < METER_BANDS_MAX) {
		ms->bands[ms->n_bands].n_packets = ofp_get_u64(&body);
		ms->bands[ms->n_bands++].n_bytes = ofp_get_u64(&body);
	}
	return body.failed ? OFPBRC_BAD_LEN : OFP_OK;
}

void ofp_put_meter_stats(struct ofp_writer *w, const struct meter_stats *ms)
{
	ofp_put_u32(w, ms->meter_id);
	ofp_put_u16(w, (uint16_t)(METER_STATS_FIXED + ms->n_bands * 16));
	ofp_put_zero(w, 6);
	ofp_put_u32(w, ms->flow_count);
	ofp_put_u64(w, ms->n_packets);
	ofp_put_u64(w, ms->n_bytes);
	ofp_put_u32(w, (uint32_t)(ms->duration_ns / CLOCK_SECOND));
	ofp_put_u32(w, (uint32_t)(ms->duration_ns % CLOCK_SECOND));
	for (unsigned i = 0; i < ms->n_bands; i++) {
		ofp_put_u64(w, ms->bands[i].n_packets);
		ofp_put_u64(w, ms->bands[i].n_bytes);
	}
}

void ofp_put_meter_features(struct ofp_writer *w, const struct ofp_meter_features *features)
{
	ofp_put_u32(w, features->max_meters);
	ofp_put_u32(w, features->band_types);
	ofp_put_u32(w, features->capabilities);
	ofp_put_u8(w, features->max_bands);
	ofp_put_u8(w, features->max_color);
	ofp_put_zero(w, 2);
}
