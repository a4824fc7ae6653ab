/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of flow messages: FLOW_MOD, the FLOW multipart, FLOW_REMOVED. Called by server and client. */
#include "control/openflow/actions.h"
#include "control/openflow/of10.h"
#include "control/openflow/oxm.h"

#include "base/clock.h"

enum {
	FLAGS_KNOWN = FLOW_SEND_REM | FLOW_CHECK_OVERLAP | FLOW_RESET_COUNTS | FLOW_NO_PACKET_COUNTS |
	              FLOW_NO_BYTE_COUNTS,
	FLOW_STATS_FIXED = 48, /* before the match */
};

static bool is_delete(enum flow_command command)
{
	return command == FLOW_DELETE || command == FLOW_DELETE_STRICT;
}

static enum ofp_error check_flow_mod(const struct flow_mod *fm, uint8_t command)
{
	if (command > FLOW_DELETE_STRICT)
		return OFPFMFC_BAD_COMMAND;
	if (is_delete(fm->command))
		return OFP_OK;
	if (fm->table_id == TABLE_ALL)
		return OFPFMFC_BAD_TABLE_ID;
	if (fm->flags & ~FLAGS_KNOWN)
		return OFPFMFC_BAD_FLAGS;
	if (fm->buffer_id != OFP_NO_BUFFER) /* nothing is ever buffered */
		return OFPBRC_BUFFER_UNKNOWN;
	return OFP_OK;
}

static enum ofp_error read_match_and_actions(struct ofp_reader *r, struct flow_mod *fm)
{
	enum ofp_error error = oxm_read_match(r, &fm->match);

	if (!error && !match_ct_family_fits(&fm->match))
		error = OFPBAC_MATCH_INCONSISTENT;
	if (error || is_delete(fm->command))
		return error;
	error = ofp_read_instructions(r, &fm->actions);
	return error ? error : ofp_check_actions(&fm->actions, &fm->match, fm->table_id);
}

enum ofp_error ofp_read_flow_mod(struct ofp_reader *r, struct flow_mod *fm)
{
	uint64_t cookie = ofp_get_u64(r), cookie_mask = ofp_get_u64(r);
	enum ofp_error error;
	uint8_t command;

	flow_mod_init(fm);
	fm->table_id = ofp_get_u8(r);
	command = ofp_get_u8(r);
	fm->command = (enum flow_command)command;
	fm->idle_timeout = ofp_get_u16(r);
	fm->hard_timeout = ofp_get_u16(r);
	fm->priority = ofp_get_u16(r);
	fm->buffer_id = ofp_get_u32(r);
	fm->out_port = ofp_get_u32(r);
	fm->out_group = ofp_get_u32(r);
	fm->flags = ofp_get_u16(r);
	fm->importance = r->version == OFP_VERSION_14 ? ofp_get_u16(r) : 0;
	if (r->version != OFP_VERSION_14)
		ofp_skip(r, 2);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	fm->cookie = cookie;
	if (fm->command != FLOW_ADD) {
		fm->match_cookie = cookie & cookie_mask;
		fm->cookie_mask = cookie_mask;
	}
	if (!is_delete(fm->command)) {
		fm->out_port = OFPP_ANY;
		fm->out_group = OFPG_ANY;
	}
	error = check_flow_mod(fm, command);
	if (!error)
		error = read_match_and_actions(r, fm);
	if (error)
		flow_mod_free(fm);
	return error;
}

void ofp_put_flow_mod(struct ofp_writer *w, uint32_t xid, const struct flow_mod *fm)
{
	bool is_delete = fm->command == FLOW_DELETE || fm->command == FLOW_DELETE_STRICT;
	size_t start = ofp_begin(w, OFPT_FLOW_MOD, xid);

	ofp_put_u64(w, fm->command == FLOW_ADD ? fm->cookie : fm->match_cookie);
	ofp_put_u64(w, fm->command == FLOW_ADD ? 0 : fm->cookie_mask);
	ofp_put_u8(w, fm->table_id == TABLE_ALL && !is_delete
	                      ? 0
	                      : fm->table_id); /* 6.4: only delete has "all" */
	ofp_put_u8(w, (uint8_t)fm->command);
	ofp_put_u16(w, fm->idle_timeout);
	ofp_put_u16(w, fm->hard_timeout);
	ofp_put_u16(w, fm->priority);
	ofp_put_u32(w, OFP_NO_BUFFER);
	ofp_put_u32(w, fm->out_port);
	ofp_put_u32(w, fm->out_group);
	ofp_put_u16(w, fm->flags);
	ofp_put_zero(w, 2);
	oxm_put_match(w, &fm->match);
	ofp_put_instructions(w, &fm->actions);
	ofp_end(w, start);
}

enum ofp_error ofp_read_flow_filter(struct ofp_reader *r, struct flow_filter *filter)
{
	filter->table_id = ofp_get_u8(r);
	ofp_skip(r, 3);
	filter->out_port = ofp_get_u32(r);
	filter->out_group = ofp_get_u32(r);
	ofp_skip(r, 4);
	filter->cookie = ofp_get_u64(r);
	filter->cookie_mask = ofp_get_u64(r);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	filter->cookie &= filter->cookie_mask;
	return oxm_read_match(r, &filter->match);
}

void ofp_put_flow_filter(struct ofp_writer *w, const struct flow_filter *filter)
{
	ofp_put_u8(w, filter->table_id);
	ofp_put_zero(w, 3);
	ofp_put_u32(w, filter->out_port);
	ofp_put_u32(w, filter->out_group);
	ofp_put_zero(w, 4);
	ofp_put_u64(w, filter->cookie);
	ofp_put_u64(w, filter->cookie_mask);
	oxm_put_match(w, &filter->match);
}

enum ofp_error ofp_read_flow_stats(struct ofp_reader *r, struct flow_stats *fs)
{
	uint16_t len = ofp_get_u16(r);
	struct ofp_reader body;
	enum ofp_error error;

	memset(fs, 0, sizeof(*fs));
	fs->idle_age = fs->hard_age = -1;
	if (len < FLOW_STATS_FIXED)
		return OFPBRC_BAD_LEN;
	body = ofp_get_part(r, len - 2u);
	fs->table_id = ofp_get_u8(&body);
	ofp_skip(&body, 1);
	fs->duration_ns = ofp_get_u32(&body) * CLOCK_SECOND;
	fs->duration_ns += ofp_get_u32(&body);
	fs->priority = ofp_get_u16(&body);
	fs->idle_timeout = ofp_get_u16(&body);
	fs->hard_timeout = ofp_get_u16(&body);
	fs->flags = ofp_get_u16(&body);
	ofp_skip(&body, 4);
	fs->cookie = ofp_get_u64(&body);
	fs->n_packets = ofp_get_u64(&body);
	fs->n_bytes = ofp_get_u64(&body);
	if (body.failed)
		return OFPBRC_BAD_LEN;
	error = oxm_read_match(&body, &fs->match);
	if (!error)
		error = ofp_read_instructions(&body, &fs->actions);
	if (error)
		flow_stats_free(fs);
	return error;
}

static void put_duration(struct ofp_writer *w, uint64_t ns)
{
	ofp_put_u32(w, (uint32_t)(ns / CLOCK_SECOND));
	ofp_put_u32(w, (uint32_t)(ns % CLOCK_SECOND));
}

void ofp_put_flow_stats(struct ofp_writer *w, const struct flow_stats *fs)
{
	size_t start = w->len;

	ofp_put_u16(w, 0);
	ofp_put_u8(w, fs->table_id);
	ofp_put_zero(w, 1);
	put_duration(w, fs->duration_ns);
	ofp_put_u16(w, fs->priority);
	ofp_put_u16(w, fs->idle_timeout);
	ofp_put_u16(w, fs->hard_timeout);
	ofp_put_u16(w, fs->flags);
	ofp_put_u16(w, w->version == OFP_VERSION_14 ? fs->importance : 0);
	ofp_put_zero(w, 2);
	ofp_put_u64(w, fs->cookie);
	ofp_put_u64(w, fs->n_packets);
	ofp_put_u64(w, fs->n_bytes);
	oxm_put_match(w, &fs->match);
	ofp_put_instructions(w, &fs->actions);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}

void ofp_put_flow_removed(struct ofp_writer *w, const struct flow_stats *fs,
                          enum ofp_flow_removed_reason reason)
{
	size_t start;

	if (w->version == OFP_VERSION_10) {
		of10_put_flow_removed(w, fs, reason);
		return;
	}
	start = ofp_begin(w, OFPT_FLOW_REMOVED, 0);
	ofp_put_u64(w, fs->cookie);
	ofp_put_u16(w, fs->priority);
	ofp_put_u8(w, (uint8_t)reason);
	ofp_put_u8(w, fs->table_id);
	put_duration(w, fs->duration_ns);
	ofp_put_u16(w, fs->idle_timeout);
	ofp_put_u16(w, fs->hard_timeout);
	ofp_put_u64(w, fs->n_packets);
	ofp_put_u64(w, fs->n_bytes);
	oxm_put_match(w, &fs->match);
	ofp_end(w, start);
}
