/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart requests with OFPMPF_REQ_MORE: a connection gathers one at a time, up to a limit. Called by
 * multipart.c. */
#include "control/openflow/connection.h"

enum { PIECES_MAX = 1 << 19 }; /* bytes; TABLE_FEATURES of 254 tables are 400 KB */

void pieces_free(struct connection *c)
{
	ofp_writer_free(&c->pieces.body);
	c->pieces.open = false;
}

enum ofp_error pieces_take(struct connection *c, uint32_t xid, uint16_t type, bool more,
                           struct ofp_reader *body)
{
	struct pieces *p = &c->pieces;
	size_t n = ofp_left(body);

	if (p->open && (p->xid != xid || p->type != type))
		return more ? OFPBRC_MULTIPART_BUFFER_OVERFLOW
		            : OFP_OK; /* a second one; a whole one in between */
	if (!p->open && !more)
		return OFP_OK;
	p->open = true;
	p->xid = xid;
	p->type = type;
	ofp_put_bytes(&p->body, ofp_get(body, n), n);
	if (p->body.failed || p->body.len > PIECES_MAX) {
		pieces_free(c);
		return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
	}
	p->open = more;
	if (!more && p->body.len) {
		body->at = p->body.data;
		body->end = p->body.data + p->body.len;
	}
	return OFP_OK;
}
