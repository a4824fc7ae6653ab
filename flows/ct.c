/* SPDX-License-Identifier: Apache-2.0 */
/* See ct.h. */
#include "flows/ct.h"

static bool in_order(const struct nat_range *nat)
{
	bool none = ip_is_none(&nat->addr_min);

	if (none != ip_is_none(&nat->addr_max) || ip_is_v4(&nat->addr_min) != ip_is_v4(&nat->addr_max))
		return false;
	if (!nat->port_min != !nat->port_max || (none && nat->port_min))
		return false;
	return memcmp(&nat->addr_min, &nat->addr_max, sizeof(nat->addr_min)) <= 0 &&
	       nat->port_min <= nat->port_max;
}

bool nat_range_is_valid(const struct nat_range *nat)
{
	bool src = nat->flags & NAT_SRC, dst = nat->flags & NAT_DST;

	if (nat->flags & ~NAT_FLAGS || (src && dst) ||
	    (nat->flags & (NAT_HASH | NAT_RANDOM)) == (NAT_HASH | NAT_RANDOM))
		return false;
	if (!src && !dst && (nat->flags || !ip_is_none(&nat->addr_min)))
		return false;
	return in_order(nat);
}
