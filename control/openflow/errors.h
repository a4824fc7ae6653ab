/* SPDX-License-Identifier: Apache-2.0 */
/* Everything an OpenFlow 1.3 switch can complain about (OpenFlow 1.3.5 section 7.4.4), as one list: the enum
 * and the names are made from it; other versions' numbers follow from it. A value is type << 16 | code, plus
 * one, so that 0 means "no error". */
#ifndef CONTROL_OPENFLOW_ERRORS_H
#define CONTROL_OPENFLOW_ERRORS_H

#include <stdint.h>

/* Bundles of 1.3 have errors of experimenter ONF, and some are Nicira's: type 0xffff on the wire with an
 * experimenter id after the code. Here they have these types. */
enum { OFP_ERROR_ONF = 0x7fff, OFP_ERROR_NX = 0x7ffe };

/* X(name, type, code) */
#define OFP_ERRORS(X)                                                                                        \
	X(OFPHFC_INCOMPATIBLE, 0, 0)                                                                         \
	X(OFPHFC_EPERM, 0, 1)                                                                                \
	X(OFPBRC_BAD_VERSION, 1, 0)                                                                          \
	X(OFPBRC_BAD_TYPE, 1, 1)                                                                             \
	X(OFPBRC_BAD_MULTIPART, 1, 2)                                                                        \
	X(OFPBRC_BAD_EXPERIMENTER, 1, 3)                                                                     \
	X(OFPBRC_BAD_EXP_TYPE, 1, 4)                                                                         \
	X(OFPBRC_EPERM, 1, 5)                                                                                \
	X(OFPBRC_BAD_LEN, 1, 6)                                                                              \
	X(OFPBRC_BUFFER_EMPTY, 1, 7)                                                                         \
	X(OFPBRC_BUFFER_UNKNOWN, 1, 8)                                                                       \
	X(OFPBRC_BAD_TABLE_ID, 1, 9)                                                                         \
	X(OFPBRC_IS_SLAVE, 1, 10)                                                                            \
	X(OFPBRC_BAD_PORT, 1, 11)                                                                            \
	X(OFPBRC_BAD_PACKET, 1, 12)                                                                          \
	X(OFPBRC_MULTIPART_BUFFER_OVERFLOW, 1, 13)                                                           \
	X(OFPBAC_BAD_TYPE, 2, 0)                                                                             \
	X(OFPBAC_BAD_LEN, 2, 1)                                                                              \
	X(OFPBAC_BAD_EXPERIMENTER, 2, 2)                                                                     \
	X(OFPBAC_BAD_EXP_TYPE, 2, 3)                                                                         \
	X(OFPBAC_BAD_OUT_PORT, 2, 4)                                                                         \
	X(OFPBAC_BAD_ARGUMENT, 2, 5)                                                                         \
	X(OFPBAC_EPERM, 2, 6)                                                                                \
	X(OFPBAC_TOO_MANY, 2, 7)                                                                             \
	X(OFPBAC_BAD_QUEUE, 2, 8)                                                                            \
	X(OFPBAC_BAD_OUT_GROUP, 2, 9)                                                                        \
	X(OFPBAC_MATCH_INCONSISTENT, 2, 10)                                                                  \
	X(OFPBAC_UNSUPPORTED_ORDER, 2, 11)                                                                   \
	X(OFPBAC_BAD_TAG, 2, 12)                                                                             \
	X(OFPBAC_BAD_SET_TYPE, 2, 13)                                                                        \
	X(OFPBAC_BAD_SET_LEN, 2, 14)                                                                         \
	X(OFPBAC_BAD_SET_ARGUMENT, 2, 15)                                                                    \
	X(OFPBIC_UNKNOWN_INST, 3, 0)                                                                         \
	X(OFPBIC_UNSUP_INST, 3, 1)                                                                           \
	X(OFPBIC_BAD_TABLE_ID, 3, 2)                                                                         \
	X(OFPBIC_UNSUP_METADATA, 3, 3)                                                                       \
	X(OFPBIC_UNSUP_METADATA_MASK, 3, 4)                                                                  \
	X(OFPBIC_BAD_EXPERIMENTER, 3, 5)                                                                     \
	X(OFPBIC_BAD_EXP_TYPE, 3, 6)                                                                         \
	X(OFPBIC_BAD_LEN, 3, 7)                                                                              \
	X(OFPBIC_EPERM, 3, 8)                                                                                \
	X(OFPBMC_BAD_TYPE, 4, 0)                                                                             \
	X(OFPBMC_BAD_LEN, 4, 1)                                                                              \
	X(OFPBMC_BAD_TAG, 4, 2)                                                                              \
	X(OFPBMC_BAD_DL_ADDR_MASK, 4, 3)                                                                     \
	X(OFPBMC_BAD_NW_ADDR_MASK, 4, 4)                                                                     \
	X(OFPBMC_BAD_WILDCARDS, 4, 5)                                                                        \
	X(OFPBMC_BAD_FIELD, 4, 6)                                                                            \
	X(OFPBMC_BAD_VALUE, 4, 7)                                                                            \
	X(OFPBMC_BAD_MASK, 4, 8)                                                                             \
	X(OFPBMC_BAD_PREREQ, 4, 9)                                                                           \
	X(OFPBMC_DUP_FIELD, 4, 10)                                                                           \
	X(OFPBMC_EPERM, 4, 11)                                                                               \
	X(OFPFMFC_UNKNOWN, 5, 0)                                                                             \
	X(OFPFMFC_TABLE_FULL, 5, 1)                                                                          \
	X(OFPFMFC_BAD_TABLE_ID, 5, 2)                                                                        \
	X(OFPFMFC_OVERLAP, 5, 3)                                                                             \
	X(OFPFMFC_EPERM, 5, 4)                                                                               \
	X(OFPFMFC_BAD_TIMEOUT, 5, 5)                                                                         \
	X(OFPFMFC_BAD_COMMAND, 5, 6)                                                                         \
	X(OFPFMFC_BAD_FLAGS, 5, 7)                                                                           \
	X(OFPGMFC_GROUP_EXISTS, 6, 0)                                                                        \
	X(OFPGMFC_INVALID_GROUP, 6, 1)                                                                       \
	X(OFPGMFC_WEIGHT_UNSUPPORTED, 6, 2)                                                                  \
	X(OFPGMFC_OUT_OF_GROUPS, 6, 3)                                                                       \
	X(OFPGMFC_OUT_OF_BUCKETS, 6, 4)                                                                      \
	X(OFPGMFC_CHAINING_UNSUPPORTED, 6, 5)                                                                \
	X(OFPGMFC_WATCH_UNSUPPORTED, 6, 6)                                                                   \
	X(OFPGMFC_LOOP, 6, 7)                                                                                \
	X(OFPGMFC_UNKNOWN_GROUP, 6, 8)                                                                       \
	X(OFPGMFC_CHAINED_GROUP, 6, 9)                                                                       \
	X(OFPGMFC_BAD_TYPE, 6, 10)                                                                           \
	X(OFPGMFC_BAD_COMMAND, 6, 11)                                                                        \
	X(OFPGMFC_BAD_BUCKET, 6, 12)                                                                         \
	X(OFPGMFC_BAD_WATCH, 6, 13)                                                                          \
	X(OFPGMFC_EPERM, 6, 14)                                                                              \
	X(OFPGMFC_UNKNOWN_BUCKET, 6, 15)                                                                     \
	X(OFPGMFC_BUCKET_EXISTS, 6, 16)                                                                      \
	X(OFPPMFC_BAD_PORT, 7, 0)                                                                            \
	X(OFPPMFC_BAD_HW_ADDR, 7, 1)                                                                         \
	X(OFPPMFC_BAD_CONFIG, 7, 2)                                                                          \
	X(OFPPMFC_BAD_ADVERTISE, 7, 3)                                                                       \
	X(OFPPMFC_EPERM, 7, 4)                                                                               \
	X(OFPTMFC_BAD_TABLE, 8, 0)                                                                           \
	X(OFPTMFC_BAD_CONFIG, 8, 1)                                                                          \
	X(OFPTMFC_EPERM, 8, 2)                                                                               \
	X(OFPQOFC_BAD_PORT, 9, 0)                                                                            \
	X(OFPQOFC_BAD_QUEUE, 9, 1)                                                                           \
	X(OFPQOFC_EPERM, 9, 2)                                                                               \
	X(OFPSCFC_BAD_FLAGS, 10, 0)                                                                          \
	X(OFPSCFC_BAD_LEN, 10, 1)                                                                            \
	X(OFPSCFC_EPERM, 10, 2)                                                                              \
	X(OFPRRFC_STALE, 11, 0)                                                                              \
	X(OFPRRFC_UNSUP, 11, 1)                                                                              \
	X(OFPRRFC_BAD_ROLE, 11, 2)                                                                           \
	X(OFPMMFC_UNKNOWN, 12, 0)                                                                            \
	X(OFPMMFC_METER_EXISTS, 12, 1)                                                                       \
	X(OFPMMFC_INVALID_METER, 12, 2)                                                                      \
	X(OFPMMFC_UNKNOWN_METER, 12, 3)                                                                      \
	X(OFPMMFC_BAD_COMMAND, 12, 4)                                                                        \
	X(OFPMMFC_BAD_FLAGS, 12, 5)                                                                          \
	X(OFPMMFC_BAD_RATE, 12, 6)                                                                           \
	X(OFPMMFC_BAD_BURST, 12, 7)                                                                          \
	X(OFPMMFC_BAD_BAND, 12, 8)                                                                           \
	X(OFPMMFC_BAD_BAND_VALUE, 12, 9)                                                                     \
	X(OFPMMFC_OUT_OF_METERS, 12, 10)                                                                     \
	X(OFPMMFC_OUT_OF_BANDS, 12, 11)                                                                      \
	X(OFPTFFC_BAD_TABLE, 13, 0)                                                                          \
	X(OFPTFFC_BAD_METADATA, 13, 1)                                                                       \
	X(OFPTFFC_BAD_TYPE, 13, 2)                                                                           \
	X(OFPTFFC_BAD_LEN, 13, 3)                                                                            \
	X(OFPTFFC_BAD_ARGUMENT, 13, 4)                                                                       \
	X(OFPTFFC_EPERM, 13, 5)                                                                              \
	X(ONFBFC_UNKNOWN, 0x7fff, 2300)                                                                      \
	X(ONFBFC_BAD_ID, 0x7fff, 2302)                                                                       \
	X(ONFBFC_BUNDLE_EXIST, 0x7fff, 2303)                                                                 \
	X(ONFBFC_BUNDLE_CLOSED, 0x7fff, 2304)                                                                \
	X(ONFBFC_OUT_OF_BUNDLES, 0x7fff, 2305)                                                               \
	X(ONFBFC_BAD_TYPE, 0x7fff, 2306)                                                                     \
	X(ONFBFC_BAD_FLAGS, 0x7fff, 2307)                                                                    \
	X(ONFBFC_MSG_BAD_LEN, 0x7fff, 2308)                                                                  \
	X(ONFBFC_MSG_BAD_XID, 0x7fff, 2309)                                                                  \
	X(ONFBFC_MSG_UNSUP, 0x7fff, 2310)                                                                    \
	X(ONFBFC_MSG_TOO_MANY, 0x7fff, 2312)                                                                 \
	X(ONFBFC_MSG_FAILED, 0x7fff, 2313)                                                                   \
	X(OFPBPC_BAD_EXPERIMENTER, 0x7fff, 4445)                                                             \
	X(NXBRC_MUST_BE_ZERO, 0x7ffe, 4)                                                                     \
	X(NXMOFC_MONITOR_EXISTS, 0x7ffe, 6)                                                                  \
	X(NXMOFC_BAD_FLAGS, 0x7ffe, 7)                                                                       \
	X(NXMOFC_UNKNOWN_MONITOR, 0x7ffe, 8)                                                                 \
	X(NXBRC_UNENCODABLE_ERROR, 0x7ffe, 10)                                                               \
	X(NXFMFC_BAD_TABLE_ID, 0x7ffe, 13)                                                                   \
	X(NXTTMFC_BAD_COMMAND, 0x7ffe, 16)                                                                   \
	X(NXTTMFC_BAD_OPT_LEN, 0x7ffe, 17)                                                                   \
	X(NXTTMFC_BAD_FIELD_IDX, 0x7ffe, 18)                                                                 \
	X(NXTTMFC_TABLE_FULL, 0x7ffe, 19)                                                                    \
	X(NXR_STALE, 0x7ffe, 35)

enum ofp_error {
	OFP_OK = 0,
#define X(name, type, code) name = ((type) << 16 | (code)) + 1,
	OFP_ERRORS(X)
#undef X
};

static inline uint16_t ofp_error_type(enum ofp_error e)
{
	return (uint16_t)(((uint32_t)e - 1) >> 16);
}

static inline uint16_t ofp_error_code(enum ofp_error e)
{
	return (uint16_t)((uint32_t)e - 1);
}

/* How a version of OpenFlow says it. `experimenter` 0: a standard error. 1.0 knows few; it says the others
 * with Nicira's type and code (over 1.0 those are two numbers, from 1.2 on only `code` counts). `version`
 * 0: 1.3. */
struct ofp_error_numbers {
	uint32_t experimenter;
	uint16_t type, code;
};
struct ofp_error_numbers ofp_error_numbers(enum ofp_error e, uint8_t version);

/* "OFPBMC_BAD_PREREQ"; "OK" for 0 and NULL for a value outside the list. */
const char *ofp_error_name(enum ofp_error e);

#endif
