/* SPDX-License-Identifier: Apache-2.0 */
/* Flows in OpenFlow 1.0: its own messages and Nicira's, whose match is a row of NXM fields. Called by the
 * server where the version is 1.0. */
#include "base/clock.h"
#include "control/openflow/actions.h"
#include "control/openflow/nx_actions.h"
#include "control/openflow/of10.h"
#include "control/openflow/oxm.h"

enum { WILDCARDS_ALL = (1 << 22) - 1 };
enum { FLAG_EMERGENCY = 4, FLAGS_KNOWN = FLOW_SEND_REM | FLOW_CHECK_OVERLAP };

/* ---- FLOW_MOD ---- */

static bool is_delete(const struct flow_mod *fm)
{
	return fm->command == FLOW_DELETE || fm->command == FLOW_DELETE_STRICT;
}

static enum ofp_error read_command(struct ofp_reader *r, bool table_in_command, struct flow_mod *fm)
{
	uint16_t command = ofp_get_u16(r);

	fm->table_id = TABLE_ALL;
	if (table_in_command) {
		fm->table_id = (uint8_t)(command >> 8);
		command &= 0xff;
	}
	if (command > FLOW_DELETE_STRICT)
		return OFPFMFC_BAD_COMMAND;
	fm->command = (enum flow_command)command;
	return OFP_OK;
}

/* Everything between the command and the flags, which both messages have. */
static enum ofp_error read_middle(struct ofp_reader *r, struct flow_mod *fm)
{
	uint16_t out_port, flags;

	fm->idle_timeout = ofp_get_u16(r);
	fm->hard_timeout = ofp_get_u16(r);
	fm->priority = ofp_get_u16(r);
	fm->buffer_id = ofp_get_u32(r);
	out_port = ofp_get_u16(r);
	flags = ofp_get_u16(r);
	fm->out_port = is_delete(fm) ? nx_port_from_16(out_port) : PORT_ANY;
	fm->out_group = GROUP_ANY;
	if (is_delete(fm))
		return OFP_OK;
	if (flags & FLAG_EMERGENCY) /* there is no emergency table */
		return OFPFMFC_TABLE_FULL;
	if (flags & ~FLAGS_KNOWN)
		return OFPFMFC_BAD_FLAGS;
	if (fm->buffer_id != OFP_NO_BUFFER)
		return OFPBRC_BUFFER_UNKNOWN;
	fm->flags = flags | (fm->command == FLOW_ADD ? FLOW_RESET_COUNTS : 0);
	return OFP_OK;
}

/* The cookie of 1.0 is always the new one; all ones mean "leave it". */
static void set_cookie(struct flow_mod *fm, uint64_t cookie)
{
	fm->modify_cookie = cookie != UINT64_MAX;
	fm->cookie = fm->modify_cookie || fm->command != FLOW_ADD ? cookie : 0;
}

static enum ofp_error read_actions(struct ofp_reader *r, struct flow_mod *fm)
{
	uint8_t table_id = fm->command == FLOW_ADD && fm->table_id == TABLE_ALL ? 0 : fm->table_id;
	enum ofp_error error;

	if (is_delete(fm))
		return OFP_OK;
	error = ofp_read_actions(r, &fm->actions);
	if (!error)
		error = of10_resolve_actions(&fm->actions, &fm->match);
	if (error)
		return error;
	return of10_check_actions(&fm->actions, &fm->match, table_id);
}

enum ofp_error of10_read_flow_mod(struct ofp_reader *r, bool table_in_command, struct flow_mod *fm)
{
	struct ofp_reader look = *r;
	enum ofp_error error;
	uint32_t wildcards;
	uint64_t cookie;

	flow_mod_init(fm);
	wildcards = ofp_get_u32(&look);
	of10_read_match(r, &fm->match);
	cookie = ofp_get_u64(r);
	error = read_command(r, table_in_command, fm);
	if (!error)
		error = read_middle(r, fm);
	if (r->failed)
		error = OFPBRC_BAD_LEN;
	if (!(wildcards & WILDCARDS_ALL)) /* an exact match goes before all others (section 3.4) */
		fm->priority = UINT16_MAX;
	set_cookie(fm, cookie);
	if (!error)
		error = read_actions(r, fm);
	if (error)
		flow_mod_free(fm);
	return error;
}

/* An nx_match and its padding. The pseudo-field NXM_NX_COOKIE(_W) says which flows are meant. */
static enum ofp_error read_nx_match(struct ofp_reader *r, uint16_t len, struct match *match, uint64_t *cookie,
                                    uint64_t *cookie_mask)
{
	struct ofp_reader body = ofp_get_part(r, len);

	*cookie = *cookie_mask = 0;
	ofp_skip(r, -len & 7u);
	return r->failed ? OFPBRC_BAD_LEN : nxm_read_fields(&body, match, cookie, cookie_mask);
}

enum ofp_error nx_read_flow_mod(struct ofp_reader *r, bool table_in_command, struct flow_mod *fm)
{
	uint64_t cookie = ofp_get_u64(r);
	enum ofp_error error;
	uint16_t match_len;

	flow_mod_init(fm);
	error = read_command(r, table_in_command, fm);
	if (!error)
		error = read_middle(r, fm);
	match_len = ofp_get_u16(r);
	ofp_skip(r, 6);
	if (r->failed)
		error = OFPBRC_BAD_LEN;
	set_cookie(fm, cookie);
	if (!error)
		error = read_nx_match(r, match_len, &fm->match, &fm->match_cookie, &fm->cookie_mask);
	if (!error && fm->command == FLOW_ADD && fm->cookie_mask)
		error = OFPBMC_BAD_LEN; /* "invalid NXM match": an add selects nothing */
	if (!error && !match_ct_family_fits(&fm->match))
		error = OFPBAC_MATCH_INCONSISTENT;
	if (!error)
		error = read_actions(r, fm);
	if (error)
		flow_mod_free(fm);
	return error;
}

/* ---- which flows a dump is about ---- */

enum ofp_error of10_read_flow_filter(struct ofp_reader *r, struct flow_filter *filter)
{
	of10_read_match(r, &filter->match);
	filter->table_id = ofp_get_u8(r);
	ofp_skip(r, 1);
	filter->out_port = nx_port_from_16(ofp_get_u16(r));
	filter->out_group = GROUP_ANY;
	filter->cookie = filter->cookie_mask = 0;
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK;
}

enum ofp_error nx_read_flow_filter(struct ofp_reader *r, struct flow_filter *filter)
{
	uint16_t match_len;

	filter->out_port = nx_port_from_16(ofp_get_u16(r));
	filter->out_group = GROUP_ANY;
	match_len = ofp_get_u16(r);
	filter->table_id = ofp_get_u8(r);
	ofp_skip(r, 3);
	return read_nx_match(r, match_len, &filter->match, &filter->cookie, &filter->cookie_mask);
}

/* ---- what is told of flows ---- */

static void put_duration(struct ofp_writer *w, uint64_t ns)
{
	ofp_put_u32(w, (uint32_t)(ns / CLOCK_SECOND));
	ofp_put_u32(w, (uint32_t)(ns % CLOCK_SECOND));
}

void of10_put_flow_stats(struct ofp_writer *w, const struct flow_stats *fs)
{
	size_t start = w->len;

	ofp_put_u16(w, 0);
	ofp_put_u8(w, fs->table_id);
	ofp_put_zero(w, 1);
	of10_put_match(w, &fs->match);
	put_duration(w, fs->duration_ns);
	ofp_put_u16(w, fs->priority);
	ofp_put_u16(w, fs->idle_timeout);
	ofp_put_u16(w, fs->hard_timeout);
	ofp_put_zero(w, 6);
	ofp_put_u64(w, fs->cookie);
	ofp_put_u64(w, fs->n_packets);
	ofp_put_u64(w, fs->n_bytes);
	ofp_put_actions(w, &fs->actions);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}

/* Seconds plus one; 0 is "not known". */
static uint16_t age(int seconds)
{
	return seconds < 0 ? 0 : seconds < UINT16_MAX ? (uint16_t)(seconds + 1) : UINT16_MAX;
}

void nx_put_flow_stats(struct ofp_writer *w, const struct flow_stats *fs)
{
	size_t start = w->len, match;

	ofp_put_u16(w, 0);
	ofp_put_u8(w, fs->table_id);
	ofp_put_zero(w, 1);
	put_duration(w, fs->duration_ns);
	ofp_put_u16(w, fs->priority);
	ofp_put_u16(w, fs->idle_timeout);
	ofp_put_u16(w, fs->hard_timeout);
	ofp_put_zero(w, 2);
	ofp_put_u16(w, age(fs->idle_age));
	ofp_put_u16(w, age(fs->hard_age));
	ofp_put_u64(w, fs->cookie);
	ofp_put_u64(w, fs->n_packets);
	ofp_put_u64(w, fs->n_bytes);
	match = w->len;
	nxm_put_fields(w, &fs->match);
	ofp_set_u16(w, start + 18, (uint16_t)(w->len - match));
	ofp_put_align(w, match);
	ofp_put_actions(w, &fs->actions);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}

void of10_put_flow_removed(struct ofp_writer *w, const struct flow_stats *fs,
                           enum ofp_flow_removed_reason reason)
{
	size_t start = ofp_begin(w, OFPT_FLOW_REMOVED, 0);

	of10_put_match(w, &fs->match);
	ofp_put_u64(w, fs->cookie);
	ofp_put_u16(w, fs->priority);
	ofp_put_u8(w, (uint8_t)reason);
	ofp_put_zero(w, 1);
	put_duration(w, fs->duration_ns);
	ofp_put_u16(w, fs->idle_timeout);
	ofp_put_zero(w, 2);
	ofp_put_u64(w, fs->n_packets);
	ofp_put_u64(w, fs->n_bytes);
	ofp_end(w, start);
}

void nx_put_flow_removed(struct ofp_writer *w, const struct flow_stats *fs,
                         enum ofp_flow_removed_reason reason)
{
	size_t start = ofp_begin_nicira(w, NXT_FLOW_REMOVED, 0), match;

	ofp_put_u64(w, fs->cookie);
	ofp_put_u16(w, fs->priority);
	ofp_put_u8(w, (uint8_t)reason);
	ofp_put_u8(w, (uint8_t)(fs->table_id + 1));
	put_duration(w, fs->duration_ns);
	ofp_put_u16(w, fs->idle_timeout);
	ofp_put_zero(w, 2);
	ofp_put_u64(w, fs->n_packets);
	ofp_put_u64(w, fs->n_bytes);
	match = w->len;
	nxm_put_fields(w, &fs->match);
	ofp_set_u16(w, match - 18, (uint16_t)(w->len - match));
	ofp_put_align(w, match);
	ofp_end(w, start);
}
