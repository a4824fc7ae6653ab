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

/* Reads only the four (experimenter: eight) bytes of a header, as NXM actions carry it. FIELD_NONE when
 * unknown or when its length is not the field's. */
enum field_id oxm_read_header(uint32_t header);

/* Writes one field, with the mask unless it is NULL. */
void oxm_put(struct ofp_writer *w, enum field_id id, const struct field_value *value,
             const struct field_value *mask);

/* The 32-bit header with `len` the bytes that follow. NXM is preferred with `nxm`, as Nicira's actions need
 * it. */
uint32_t oxm_header(enum field_id id, bool masked, bool nxm);

/* A struct ofp_match: type, length, fields, padding to 8 bytes. Fields must come after their prerequisites
 * and once each; the value has no bit outside the mask. */
enum ofp_error oxm_read_match(struct ofp_reader *r, struct match *match);
void oxm_put_match(struct ofp_writer *w, const struct match *match);

#endif
