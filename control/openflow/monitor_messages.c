/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of flow monitors: their requests and what they are told. Called by monitor.c. */
#include "control/openflow/actions.h"
#include "control/openflow/monitor.h"
#include "control/openflow/nx_actions.h"
#include "control/openflow/oxm.h"

/* ---- requests ---- */

static enum ofp_error read_10(struct ofp_reader *r, struct monitor *m)
{
	struct ofp_reader body;
	uint16_t match_len;
	uint64_t cookie, cookie_mask;

	m->id = ofp_get_u32(r);
	m->flags = ofp_get_u16(r);
	m->filter.out_port = nx_port_from_16(ofp_get_u16(r));
	match_len = ofp_get_u16(r);
	m->filter.table_id = ofp_get_u8(r);
	ofp_skip(r, 5);
	body = ofp_get_part(r, match_len);
	ofp_skip(r, -match_len & 7u);
	return r->failed ? OFPBRC_BAD_LEN : nxm_read_fields(&body, &m->filter.match, &cookie, &cookie_mask);
}

static enum ofp_error read_13(struct ofp_reader *r, struct monitor *m)
{
	m->id = ofp_get_u32(r);
	m->flags = ofp_get_u16(r);
	ofp_skip(r, 2);
	m->filter.out_port = ofp_get_u32(r);
	m->filter.table_id = ofp_get_u8(r);
	ofp_skip(r, 3);
	return r->failed ? OFPBRC_BAD_LEN : oxm_read_match(r, &m->filter.match);
}

static enum ofp_error read_14(struct ofp_reader *r, struct monitor *m, uint8_t *command)
{
	m->id = ofp_get_u32(r);
	m->filter.out_port = ofp_get_u32(r);
	m->filter.out_group = ofp_get_u32(r);
	m->flags = ofp_get_u16(r);
	m->filter.table_id = ofp_get_u8(r);
	*command = ofp_get_u8(r);
	return r->failed ? OFPBRC_BAD_LEN : oxm_read_match(r, &m->filter.match);
}

enum ofp_error monitor_read_request(struct ofp_reader *r, struct monitor *m, uint8_t *command)
{
	uint16_t known =
	        MONITOR_WANT_INITIAL | MONITOR_WANT_CHANGES | MONITOR_WITH_ACTIONS | MONITOR_OWN_IN_FULL;
	enum ofp_error error;

	*m = (struct monitor){.fresh = true, .filter = {.out_group = OFPG_ANY}};
	*command = MONITOR_ADD;
	if (r->version == OFP_VERSION_14) {
		known |= MONITOR_OWN_IN_FULL_14;
		error = read_14(r, m, command);
		m->flags |= m->flags & MONITOR_OWN_IN_FULL_14 ? MONITOR_OWN_IN_FULL : 0;
	} else {
		error = r->version == OFP_VERSION_10 ? read_10(r, m) : read_13(r, m);
	}
	if (!error && *command != MONITOR_DELETE && (!(m->flags & MONITOR_WANT_CHANGES) || m->flags & ~known))
		error = NXMOFC_BAD_FLAGS;
	return error;
}

/* ---- updates ---- */

void monitor_put_abbreviation(struct ofp_writer *w, uint32_t xid)
{
	ofp_put_u16(w, 8);
	ofp_put_u16(w, w->version == OFP_VERSION_14 ? 4 : 3);
	ofp_put_u32(w, xid);
}

/* Numbers of 1.4 are one higher: 0 stands for a flow of the first answer. */
static uint16_t wire_event(const struct ofp_writer *w, enum ofp_flow_event event)
{
	return (uint16_t)(w->version == OFP_VERSION_14 ? event + 1 : event);
}

static void put_update_14(struct ofp_writer *w, uint16_t event, const struct flow_stats *fs, uint8_t reason,
                          bool actions)
{
	size_t start = w->len;

	ofp_put_u16(w, 0);
	ofp_put_u16(w, event);
	ofp_put_u8(w, fs->table_id);
	ofp_put_u8(w, reason);
	ofp_put_u16(w, fs->idle_timeout);
	ofp_put_u16(w, fs->hard_timeout);
	ofp_put_u16(w, fs->priority);
	ofp_put_zero(w, 4);
	ofp_put_u64(w, fs->cookie);
	oxm_put_match(w, &fs->match);
	if (actions)
		ofp_put_instructions(w, &fs->actions);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}

void monitor_put_update(struct ofp_writer *w, bool initial, enum ofp_flow_event event,
                        const struct flow_stats *fs, uint8_t reason, bool actions)
{
	uint16_t number = initial ? 0 : wire_event(w, event);
	size_t start = w->len, match;

	if (w->version == OFP_VERSION_14) {
		put_update_14(w, number, fs, reason, actions);
		return;
	}
	ofp_put_u16(w, 0);
	ofp_put_u16(w, number);
	ofp_put_u16(w, reason);
	ofp_put_u16(w, fs->priority);
	ofp_put_u16(w, fs->idle_timeout);
	ofp_put_u16(w, fs->hard_timeout);
	ofp_put_zero(w, 2);
	ofp_put_u8(w, fs->table_id);
	ofp_put_zero(w, 1);
	ofp_put_u64(w, fs->cookie);
	match = w->len;
	if (w->version == OFP_VERSION_10) {
		nxm_put_fields(w, &fs->match);
		ofp_set_u16(w, start + 12, (uint16_t)(w->len - match));
		ofp_put_align(w, match);
	} else {
		ofp_set_u16(w, start + 12, oxm_put_match(w, &fs->match));
	}
	if (actions && w->version == OFP_VERSION_10)
		ofp_put_actions(w, &fs->actions);
	else if (actions)
		ofp_put_instructions(w, &fs->actions);
	ofp_set_u16(w, start, (uint16_t)(w->len - start));
}

void monitor_put_notice(struct connection *c, bool resumed)
{
	struct ofp_writer *w = &c->out;
	size_t start;

	if (w->version == OFP_VERSION_14) {
		start = multipart_begin_monitor(w);
		ofp_put_u16(w, 8);
		ofp_put_u16(w, resumed ? 6 : 5);
		ofp_put_zero(w, 4);
	} else if (w->version == OFP_VERSION_10) {
		start = ofp_begin_nicira(w, resumed ? NXT_FLOW_MONITOR_RESUMED : NXT_FLOW_MONITOR_PAUSED, 0);
	} else {
		start = ofp_begin(w, OFPT_EXPERIMENTER, 0);
		ofp_put_u32(w, ONF_EXPERIMENTER);
		ofp_put_u32(w, resumed ? ONF_MONITOR_RESUMED : ONF_MONITOR_PAUSED);
	}
	ofp_end(w, start);
}
