/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of Nicira's multipath: what stands behind the subtype. Called by nx_actions.c and nx_put_actions.c.
 */
#include "control/openflow/nx_actions.h"
#include "control/openflow/oxm.h"

/* A destination by its NXM header and (offset << 6 | width - 1). */
static enum ofp_error read_dst(struct ofp_reader *r, uint16_t ofs_nbits, struct subfield *out)
{
	enum field_id id = oxm_read_header(r);
	struct subfield dst = {id, ofs_nbits >> 6, (ofs_nbits & 63) + 1};

	if (r->failed)
		return OFPBAC_BAD_LEN;
	if (id == FIELD_NONE)
		return OFPBAC_BAD_SET_TYPE;
	if (dst.offset + dst.bits > fields[id].bits)
		return OFPBAC_BAD_SET_LEN;
	*out = dst;
	return OFP_OK;
}

static uint16_t ofs_nbits_of(const struct subfield *s)
{
	return (uint16_t)(s->offset << 6 | (s->bits - 1));
}

enum ofp_error nx_read_multipath(struct ofp_reader *r, struct action *a)
{
	struct action_multipath *m = &a->multipath;

	m->fields = ofp_get_u16(r);
	m->basis = ofp_get_u16(r);
	ofp_skip(r, 2);
	m->algorithm = ofp_get_u16(r);
	m->max_link = ofp_get_u16(r);
	m->arg = ofp_get_u32(r);
	ofp_skip(r, 2);
	if (m->fields >= HASH_FIELDS || m->algorithm >= MULTIPATH_ALGORITHMS)
		return OFPBAC_BAD_ARGUMENT;
	return read_dst(r, ofp_get_u16(r), &m->dst);
}

void nx_put_multipath(struct ofp_writer *w, const struct action_multipath *m)
{
	ofp_put_u16(w, m->fields);
	ofp_put_u16(w, m->basis);
	ofp_put_zero(w, 2);
	ofp_put_u16(w, m->algorithm);
	ofp_put_u16(w, m->max_link);
	ofp_put_u32(w, m->arg);
	ofp_put_zero(w, 2);
	ofp_put_u16(w, ofs_nbits_of(&m->dst));
	oxm_put_header(w, m->dst.field);
}
