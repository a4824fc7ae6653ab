/* SPDX-License-Identifier: Apache-2.0 */
/* Codec of Nicira's ct and nat: what stands behind the subtype. Called by nx_actions.c and nx_put_actions.c.
 */
#include "control/openflow/nx_actions.h"
#include "control/openflow/oxm.h"

enum { /* NX_NAT_RANGE_*: what follows, in this order */
       RANGE_IPV4_MIN = 1 << 0,
       RANGE_IPV4_MAX = 1 << 1,
       RANGE_IPV6_MIN = 1 << 2,
       RANGE_IPV6_MAX = 1 << 3,
       RANGE_PORT_MIN = 1 << 4,
       RANGE_PORT_MAX = 1 << 5,
};

/* ---- reading ---- */

/* A number, or 16 bits of the field whose header comes first. */
static enum ofp_error read_zone(struct ofp_reader *r, struct action_ct *ct)
{
	struct ofp_reader look = *r;
	uint32_t header = ofp_get_u32(&look);
	enum field_id id;
	uint16_t n;

	if (header >> 16 == FIELD_ONF) /* there is no room for a header of 8 bytes */
		return OFPBAC_BAD_SET_TYPE;
	if (!header) {
		ofp_skip(r, 4);
		ct->zone = ofp_get_u16(r);
		return OFP_OK;
	}
	id = oxm_read_header(r);
	n = ofp_get_u16(r);
	if (r->failed)
		return OFPBAC_BAD_LEN;
	if (id == FIELD_NONE)
		return OFPBAC_BAD_SET_TYPE;
	ct->zone_src = (struct subfield){id, n >> 6, (n & 63) + 1};
	if (ct->zone_src.offset + ct->zone_src.bits > fields[id].bits || ct->zone_src.bits != 16)
		return OFPBAC_BAD_SET_LEN;
	return OFP_OK;
}

enum ofp_error nx_read_ct(struct ofp_reader *r, struct action_list *out, unsigned depth)
{
	struct action *a = action_list_append(out, ACTION_CT);
	enum ofp_error error;

	if (!a)
		return OFPFMFC_UNKNOWN;
	a->ct.flags = ofp_get_u16(r);
	if (a->ct.flags & ~(CT_COMMIT | CT_FORCE) || a->ct.flags == CT_FORCE)
		return OFPBAC_BAD_ARGUMENT;
	error = read_zone(r, &a->ct);
	a->ct.table_id = ofp_get_u8(r);
	ofp_skip(r, 3);
	a->ct.alg = ofp_get_u16(r);
	if (r->failed)
		return OFPBAC_BAD_LEN;
	return error ? error : ofp_read_nested_actions(r, &a->ct.exec, depth + 1);
}

static bool read_address(struct ofp_reader *r, bool ipv6, struct ip_addr *out)
{
	const uint8_t *p = ofp_get(r, ipv6 ? 16 : 4);
	uint32_t v4;

	if (!p)
		return false;
	if (ipv6) {
		memcpy(out->b, p, sizeof(out->b));
		return !ip_is_none(out) && !ip_is_v4(out); /* IPv4 inside of IPv6 is how IPv4 is kept */
	}
	memcpy(&v4, p, sizeof(v4));
	*out = ip_from_v4(v4);
	return v4;
}

/* Of a range's end, without which it is its begin. */
static bool read_addresses(struct ofp_reader *r, uint16_t present, struct nat_range *nat)
{
	uint16_t ipv4 = present & (RANGE_IPV4_MIN | RANGE_IPV4_MAX);
	uint16_t ipv6 = present & (RANGE_IPV6_MIN | RANGE_IPV6_MAX);

	if (!ipv4 && !ipv6)
		return true;
	if ((ipv4 && ipv6) || ipv4 == RANGE_IPV4_MAX || ipv6 == RANGE_IPV6_MAX ||
	    !read_address(r, ipv6, &nat->addr_min))
		return false;
	nat->addr_max = nat->addr_min;
	return !(present & (RANGE_IPV4_MAX | RANGE_IPV6_MAX)) || read_address(r, ipv6, &nat->addr_max);
}

static bool read_ports(struct ofp_reader *r, uint16_t present, struct nat_range *nat)
{
	if (!(present & (RANGE_PORT_MIN | RANGE_PORT_MAX)))
		return true;
	if (!(present & RANGE_PORT_MIN))
		return false;
	nat->port_min = nat->port_max = ofp_get_u16(r);
	if (present & RANGE_PORT_MAX)
		nat->port_max = ofp_get_u16(r);
	return !r->failed && nat->port_min;
}

enum ofp_error nx_read_nat(struct ofp_reader *r, struct action *a)
{
	uint16_t present;

	ofp_skip(r, 2);
	a->nat.flags = ofp_get_u16(r);
	present = ofp_get_u16(r);
	if (r->failed)
		return OFPBAC_BAD_LEN;
	if (!read_addresses(r, present, &a->nat) || !read_ports(r, present, &a->nat) ||
	    !nat_range_is_valid(&a->nat))
		return OFPBAC_BAD_ARGUMENT;
	return OFP_OK;
}

/* ---- writing ---- */

void nx_put_ct(struct ofp_writer *w, const struct action_ct *ct)
{
	const struct subfield *src = &ct->zone_src;

	ofp_put_u16(w, ct->flags);
	if (src->bits) {
		oxm_put_header(w, src->field);
		ofp_put_u16(w, (uint16_t)(src->offset << 6 | (src->bits - 1)));
	} else {
		ofp_put_zero(w, 4);
		ofp_put_u16(w, ct->zone);
	}
	ofp_put_u8(w, ct->table_id);
	ofp_put_zero(w, 3);
	ofp_put_u16(w, ct->alg);
	ofp_put_actions(w, &ct->exec);
}

static void put_address(struct ofp_writer *w, const struct ip_addr *address)
{
	bool ipv4 = ip_is_v4(address);

	ofp_put_bytes(w, address->b + (ipv4 ? 12 : 0), ipv4 ? 4 : 16);
}

/* Ends of ranges are said when they differ from the begin. */
void nx_put_nat(struct ofp_writer *w, const struct nat_range *nat)
{
	bool ipv4 = ip_is_v4(&nat->addr_min), address = !ip_is_none(&nat->addr_min);
	bool addresses = !ip_equal(&nat->addr_min, &nat->addr_max), ports = nat->port_max != nat->port_min;
	unsigned present = 0;

	if (address)
		present |= ipv4 ? RANGE_IPV4_MIN : RANGE_IPV6_MIN;
	if (addresses)
		present |= ipv4 ? RANGE_IPV4_MAX : RANGE_IPV6_MAX;
	present |= (nat->port_min ? RANGE_PORT_MIN : 0u) | (ports ? RANGE_PORT_MAX : 0u);
	ofp_put_zero(w, 2);
	ofp_put_u16(w, nat->flags);
	ofp_put_u16(w, (uint16_t)present);
	if (address)
		put_address(w, &nat->addr_min);
	if (addresses)
		put_address(w, &nat->addr_max);
	if (nat->port_min)
		ofp_put_u16(w, nat->port_min);
	if (ports)
		ofp_put_u16(w, nat->port_max);
}
