/* SPDX-License-Identifier: Apache-2.0 */
/* OXM and NXM: match fields as type-length-value (OpenFlow 1.3 section 7.2.3), driven by the field table. */
#ifndef CONTROL_OPENFLOW_OXM_H
#define CONTROL_OPENFLOW_OXM_H

#include "control/openflow/buffer.h"
#include "control/openflow/errors.h"
#include "flows/match.h"

/* Reads one field. `mask` is all ones over the field when the wire has none, and `*masked` false. */
enum ofp_error oxm_read(struct ofp_reader *r, enum field_id *id, struct field_value *value,
                        struct field_value *mask, bool *masked);

/* Only the header of a field (4 bytes, 8 for an experimenter's), as Nicira's actions name fields. FIELD_NONE
 * when unknown or when its length is not the field's. */
enum field_id oxm_read_header(struct ofp_reader *r);
void oxm_put_header(struct ofp_writer *w, enum field_id id);

/* Writes one field, with the mask unless it is NULL. */
void oxm_put(struct ofp_writer *w, enum field_id id, const struct field_value *value,
             const struct field_value *mask);

/* The 32-bit header. NXM is preferred with `nxm`. */
uint32_t oxm_header(enum field_id id, bool masked, bool nxm);

/* A struct ofp_match: type, length, fields, padding to 8 bytes. Fields must come after their prerequisites
 * and once each; the value has no bit outside the mask. */
enum ofp_error oxm_read_match(struct ofp_reader *r, struct match *match);
/* Returns the length without the padding. */
uint16_t oxm_put_match(struct ofp_writer *w, const struct match *match);

/* The fields only, as NXM (Nicira's for 1.0): what `r` holds, and what is put, has no header or padding. The
 * pseudo-field NXM_NX_COOKIE is not of the match: it goes to *cookie and *cookie_mask, untouched without it.
 */
enum ofp_error nxm_read_fields(struct ofp_reader *r, struct match *match, uint64_t *cookie,
                               uint64_t *cookie_mask);
void nxm_put_fields(struct ofp_writer *w, const struct match *match);

#endif
