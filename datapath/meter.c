/* SPDX-License-Identifier: Apache-2.0 */
/* A packet meets a meter. Called by actions.c. */
#include "flows/dp/meter.h"

#include "base/wire.h"
#include "datapath/actions.h"
#include "datapath/rewrite.h"
#include "ports/segment.h"

enum { DSCP_SHIFT = 2, AF_LOWEST = 1, AF_HIGHEST = 4, PRECEDENCE_MAX = 3 };

static uint8_t tos_of(const struct packet *p)
{
	if (p->l3_kind == L3_IPV4)
		return ((const struct ipv4_header *)(p->head + p->l3))->tos;
	return (uint8_t)(be32toh(((const struct ipv6_header *)(p->head + p->l3))->version_tc_flow) >> 20);
}

/* Drop precedence is something that Assured Forwarding has (RFC 2597 section 6: AFxy is 8 x + 2 y): y grows,
 * to 3 at most. Other code points say nothing about it and stay, and so does what is not IP. */
static void remark(struct packet *p, uint8_t levels)
{
	struct field_value value, mask = value_from_u64(0x3f);
	unsigned dscp, class, precedence;

	if ((p->l3_kind != L3_IPV4 && p->l3_kind != L3_IPV6) || !tags_show_l3(p))
		return;
	dscp = tos_of(p) >> DSCP_SHIFT;
	class = dscp >> 3;
	precedence = dscp >> 1 & 3;
	if (class < AF_LOWEST || class > AF_HIGHEST || !precedence || (dscp & 1))
		return;
	precedence = precedence + levels < PRECEDENCE_MAX ? precedence + levels : PRECEDENCE_MAX;
	value = value_from_u64(class << 3 | precedence << 1);
	rewrite_field(p, FIELD_IP_DSCP, &value, &mask);
}

enum drop_reason meter_packet(struct worker *w, struct packet *p, uint32_t slot)
{
	uint8_t levels;

	switch (meter_run(w->dp->config.tables, slot, w->id, segment_count(p), p->len, w->now, &levels)) {
	case METER_REFUSE:
		return DROP_METER;
	case METER_REMARK:
		remark(p, levels);
		break;
	case METER_PASS:
		break;
	}
	return DROP_REASON_COUNT;
}
