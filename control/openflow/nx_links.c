/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of Nicira's multipath and bundle: what stands behind the subtype. Called by nx_actions.c and
 * nx_put_actions.c.
 */
#include <stdlib.h>

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

/* Members of a bundle are ports, said by the header of NXM_OF_IN_PORT. */
enum { MEMBER_TYPE = 0x00000002 };

static enum ofp_error read_members(struct ofp_reader *r, struct action_bundle *b, uint16_t n)
{
	if (ofp_left(r) < n * 2u)
		return OFPBAC_BAD_LEN;
	b->members = calloc(n + 1u, sizeof(*b->members));
	if (!b->members)
		return OFPFMFC_UNKNOWN;
	while (b->n_members < n)
		b->members[b->n_members++] = nx_port_from_16(ofp_get_u16(r));
	return OFP_OK;
}

enum ofp_error nx_read_bundle(struct ofp_reader *r, struct action *a)
{
	struct action_bundle *b = &a->bundle;
	uint16_t n, ofs_nbits;
	uint32_t type, dst;
	enum ofp_error error;

	b->algorithm = ofp_get_u16(r);
	b->fields = ofp_get_u16(r);
	b->basis = ofp_get_u16(r);
	type = ofp_get_u32(r);
	n = ofp_get_u16(r);
	if (r->failed)
		return OFPBAC_BAD_LEN;
	if (b->fields >= HASH_FIELDS || b->algorithm >= BUNDLE_ALGORITHMS || type != MEMBER_TYPE ||
	    n > BUNDLE_MEMBERS_MAX)
		return OFPBAC_BAD_ARGUMENT;
	ofs_nbits = ofp_get_u16(r);
	if (a->type == ACTION_BUNDLE_LOAD) {
		error = read_dst(r, ofs_nbits, &b->dst);
		if (error)
			return error;
	} else {
		dst = ofp_get_u32(r);
		if (ofs_nbits || dst)
			return OFPBAC_BAD_ARGUMENT;
	}
	if (ofp_get_u32(r)) /* reserved */
		return OFPBAC_BAD_ARGUMENT;
	return read_members(r, b, n);
}

void nx_put_bundle(struct ofp_writer *w, const struct action *a)
{
	const struct action_bundle *b = &a->bundle;

	ofp_put_u16(w, b->algorithm);
	ofp_put_u16(w, b->fields);
	ofp_put_u16(w, b->basis);
	ofp_put_u32(w, MEMBER_TYPE);
	ofp_put_u16(w, b->n_members);
	if (a->type == ACTION_BUNDLE_LOAD) {
		ofp_put_u16(w, ofs_nbits_of(&b->dst));
		oxm_put_header(w, b->dst.field);
	} else {
		ofp_put_zero(w, 6);
	}
	ofp_put_zero(w, 4);
	for (unsigned i = 0; i < b->n_members; i++)
		ofp_put_u16(w, nx_port_to_16(b->members[i]));
}
