/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart replies about what clients have made: flows, groups and meters. Rows of the tables in
 * multipart.c. */
#include "control/openflow/multipart.h"
#include "control/openflow/nx_groups.h"
#include "control/openflow/of10.h"

/* ---- flows ---- */

enum ofp_error multipart_begin_flows(struct connection *c, struct ofp_reader *r)
{
	return ofp_read_flow_filter(r, &c->multipart.filter);
}

enum ofp_error multipart_begin_flows_10(struct connection *c, struct ofp_reader *r)
{
	return of10_read_flow_filter(r, &c->multipart.filter);
}

enum ofp_error multipart_begin_flows_nx(struct connection *c, struct ofp_reader *r)
{
	return nx_read_flow_filter(r, &c->multipart.filter);
}

bool multipart_walk(struct connection *c, struct flow_stats *fs)
{
	struct multipart *m = &c->multipart;

	if (multipart_first(m))
		m->cursor = multipart_ops(c)->flow_dump_open(multipart_ctx(c), &m->filter);
	return m->cursor && multipart_ops(c)->flow_dump_next(multipart_ctx(c), m->cursor, fs) > 0;
}

bool multipart_next_flow(struct connection *c, struct ofp_writer *w)
{
	struct flow_stats fs;

	if (!multipart_walk(c, &fs))
		return false;
	ofp_put_flow_stats(w, &fs);
	return true;
}

bool multipart_next_flow_10(struct connection *c, struct ofp_writer *w)
{
	struct flow_stats fs;

	if (!multipart_walk(c, &fs))
		return false;
	of10_put_flow_stats(w, &fs);
	return true;
}

bool multipart_next_flow_nx(struct connection *c, struct ofp_writer *w)
{
	struct flow_stats fs;

	if (!multipart_walk(c, &fs))
		return false;
	nx_put_flow_stats(w, &fs);
	return true;
}

bool multipart_next_aggregate(struct connection *c, struct ofp_writer *w)
{
	struct ofp_aggregate total = {0};

	if (!multipart_first(&c->multipart))
		return false;
	multipart_ops(c)->aggregate(multipart_ctx(c), &c->multipart.filter, &total);
	ofp_put_u64(w, total.packets);
	ofp_put_u64(w, total.bytes);
	ofp_put_u32(w, total.flows);
	ofp_put_zero(w, 4);
	return true;
}

/* ---- groups ---- */

enum ofp_error multipart_begin_groups(struct connection *c, struct ofp_reader *r)
{
	c->multipart.only = ofp_get_u32(r);
	ofp_skip(r, 4);
	if (c->multipart.only != OFPG_ALL)
		c->multipart.from = c->multipart.only;
	return r->failed ? OFPBRC_BAD_LEN : OFP_OK;
}

enum ofp_error multipart_begin_all_groups(struct connection *c, struct ofp_reader *r)
{
	c->multipart.only = OFPG_ALL;
	return OFP_OK;
}

static const struct group_mod *next_of_group(struct connection *c, struct group_stats *stats)
{
	struct multipart *m = &c->multipart;
	const struct group_mod *gm =
	        m->from > OFPG_MAX ? NULL : multipart_ops(c)->group_next(multipart_ctx(c), m->from, stats);

	if (!gm)
		return NULL;
	if (m->only != OFPG_ALL && gm->group_id != m->only) {
		if (stats)
			group_stats_free(stats);
		return NULL;
	}
	m->from = m->only == OFPG_ALL ? gm->group_id + 1 : UINT32_MAX;
	return gm;
}

bool multipart_next_group_stats(struct connection *c, struct ofp_writer *w)
{
	struct group_stats stats = {0};

	if (!next_of_group(c, &stats))
		return false;
	ofp_put_group_stats(w, &stats);
	group_stats_free(&stats);
	return true;
}

bool multipart_next_group_desc(struct connection *c, struct ofp_writer *w)
{
	const struct group_mod *gm = next_of_group(c, NULL);

	if (gm)
		ofp_put_group_desc(w, gm);
	return gm;
}

bool multipart_next_group_desc_nx(struct connection *c, struct ofp_writer *w)
{
	const struct group_mod *gm = next_of_group(c, NULL);

	if (gm)
		nx_put_group_desc(w, gm);
	return gm;
}

bool multipart_next_group_features(struct connection *c, struct ofp_writer *w)
{
	struct ofp_group_features features = {0};

	if (!multipart_first(&c->multipart))
		return false;
	multipart_ops(c)->group_features(multipart_ctx(c), &features);
	ofp_put_group_features(w, &features);
	return true;
}

/* ---- meters ---- */

static bool has_meter(struct connection *c, uint32_t id)
{
	const struct meter_mod *mm = c->multipart.from == OFPM_ALL
	                                     ? NULL
	                                     : multipart_ops(c)->meter_next(multipart_ctx(c), id, NULL);

	return mm && mm->meter_id == id;
}

enum ofp_error multipart_begin_meters(struct connection *c, struct ofp_reader *r)
{
	struct ofp_meter_features features = {0};

	c->multipart.only = ofp_get_u32(r);
	ofp_skip(r, 4);
	if (r->failed)
		return OFPBRC_BAD_LEN;
	c->multipart.from = c->multipart.only == OFPM_ALL ? 0 : c->multipart.only;
	multipart_ops(c)->meter_features(multipart_ctx(c), &features);
	if (!features.max_meters)
		c->multipart.from = OFPM_ALL;
	return c->multipart.only == OFPM_ALL || has_meter(c, c->multipart.only) ? OFP_OK
	                                                                        : OFPMMFC_UNKNOWN_METER;
}

static const struct meter_mod *next_of_meter(struct connection *c, struct meter_stats *stats)
{
	struct multipart *m = &c->multipart;
	const struct meter_mod *mm =
	        m->from == OFPM_ALL ? NULL : multipart_ops(c)->meter_next(multipart_ctx(c), m->from, stats);

	if (!mm || (m->only != OFPM_ALL && mm->meter_id != m->only))
		return NULL;
	m->from = m->only == OFPM_ALL ? mm->meter_id + 1 : OFPM_ALL;
	return mm;
}

bool multipart_next_meter_stats(struct connection *c, struct ofp_writer *w)
{
	struct meter_stats stats = {0};

	if (!next_of_meter(c, &stats))
		return false;
	ofp_put_meter_stats(w, &stats);
	return true;
}

bool multipart_next_meter_config(struct connection *c, struct ofp_writer *w)
{
	const struct meter_mod *mm = next_of_meter(c, NULL);

	if (mm)
		ofp_put_meter_config(w, mm);
	return mm;
}

bool multipart_next_meter_features(struct connection *c, struct ofp_writer *w)
{
	struct ofp_meter_features features = {0};

	if (!multipart_first(&c->multipart))
		return false;
	multipart_ops(c)->meter_features(multipart_ctx(c), &features);
	ofp_put_meter_features(w, &features);
	return true;
}
