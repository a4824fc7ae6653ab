/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of outer sources that a VTEP accepts.
 *
 * What: an immutable hash set of addresses, or "any".
 *
 * Thread-safety: built and freed by the control thread, read by workers in between (RCU).
 *
 * Life cycle: vxlan_allow_parse -> published by its VTEP -> another one is published -> free() after a grace
 * period.
 */
#ifndef OVERLAY_VXLAN_ALLOW_H
#define OVERLAY_VXLAN_ALLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/hash.h"

struct vxlan_allow {
	bool any;
	uint32_t n;
	uint32_t mask; /* of slots[] */
	uint64_t seed;
	struct ip_addr slots[]; /* all zero: free */
};

/* Builds the set from "any" or "ADDR,ADDR,...". 0 or -errno, reason in `e`. */
int vxlan_allow_parse(const char *text, struct vxlan_allow **out, struct error *e);

static inline uint32_t vxlan_allow_slot(const struct vxlan_allow *a, const struct ip_addr *ip)
{
	uint64_t words[2];

	memcpy(words, ip->b, 16);
	return (uint32_t)hash_words(words, 2, a->seed) & a->mask;
}

static inline bool vxlan_allow_has(const struct vxlan_allow *a, const struct ip_addr *ip)
{
	if (a->any)
		return true;
	for (uint32_t i = vxlan_allow_slot(a, ip); !ip_is_none(&a->slots[i]); i = (i + 1) & a->mask)
		if (ip_equal(&a->slots[i], ip))
			return true;
	return false;
}

#endif
