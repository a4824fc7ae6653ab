/* SPDX-License-Identifier: Apache-2.0 */
/* Is a ct(...) one that a switch may carry out? Called by action_check.c. */
#include "flows/action_checker.h"

#include <errno.h>

static enum field_id written_by(const struct action *a)
{
	return a->type == ACTION_SET_FIELD ? a->set_field.field
	       : a->type == ACTION_MOVE    ? a->move.dst.field
	                                   : FIELD_NONE;
}

/* One translation, and writes to what the connection carries. */
static int check_exec(struct checker *c, const struct action_ct *ct)
{
	bool commit = ct->flags & CT_COMMIT, translated = false;

	for (unsigned i = 0; i < ct->exec.n; i++) {
		const struct action *a = &ct->exec.items[i];
		enum field_id id = written_by(a);

		if (a->type == ACTION_NAT && translated)
			return checker_fault(c, ACTION_FAULT_ARGUMENT, "ct: expected one nat");
		if (a->type != ACTION_NAT && id == FIELD_NONE)
			return checker_fault(c, ACTION_FAULT_ARGUMENT, "ct: %s is not allowed inside",
			                     action_name(a->type));
		if (a->type != ACTION_NAT && ((unsigned)id >= FIELD_COUNT || !fields[id].in_ct))
			return checker_fault(c, ACTION_FAULT_ARGUMENT,
			                     "ct: expected writes to ct_mark and ct_label alone inside");
		if (!commit && (a->type != ACTION_NAT || a->nat.flags))
			return checker_fault(c, ACTION_FAULT_ARGUMENT,
			                     "ct: expected commit beside what is done to a new connection");
		translated = translated || a->type == ACTION_NAT;
	}
	return 0;
}

static int check_shape(struct checker *c, const struct action_ct *ct)
{
	if (ct->flags & ~(CT_COMMIT | CT_FORCE))
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "ct: unknown flags 0x%x", ct->flags);
	if ((ct->flags & (CT_COMMIT | CT_FORCE)) == CT_FORCE)
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "ct: force expects commit");
	if (ct->alg != CT_ALG_NONE && ct->alg != CT_ALG_FTP && ct->alg != CT_ALG_TFTP)
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "ct: alg=%u, expected ftp or tftp", ct->alg);
	if (ct->zone_src.bits && ct->zone_src.bits != 16)
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "ct: zone: expected 16 bits of a field");
	if (ct->zone_src.bits && fields[ct->zone_src.field].nxm_class == FIELD_CLASS_NONE &&
	    fields[ct->zone_src.field].oxm_class == FIELD_ONF)
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "ct: zone: %s cannot be said in an action",
		                     fields[ct->zone_src.field].name);
	return check_exec(c, ct);
}

/* Only IP has connections. */
static int check_packets(struct checker *c, const struct action_ct *ct)
{
	const struct match *m = &c->known;
	uint8_t proto = m->mask.nw_proto == 0xff ? m->key.nw_proto : 0;

	if (c->any)
		return 0;
	if (m->key.eth_type != htobe16(ETH_TYPE_IPV4) && m->key.eth_type != htobe16(ETH_TYPE_IPV6))
		return checker_fault(c, ACTION_FAULT_PREREQ, "ct: expected a match on ip or ipv6");
	if ((m->key.ct_state & CT_INV) && (ct->flags & CT_COMMIT))
		return checker_fault(c, ACTION_FAULT_PREREQ, "ct: commit: the match is on invalid packets");
	if ((ct->alg == CT_ALG_FTP && proto != IP_PROTO_TCP) ||
	    (ct->alg == CT_ALG_TFTP && proto != IP_PROTO_UDP))
		return checker_fault(c, ACTION_FAULT_PREREQ, "ct: alg: expected a match on %s",
		                     ct->alg == CT_ALG_FTP ? "tcp" : "udp");
	return 0;
}

int checker_ct(struct checker *c, const struct action_ct *ct)
{
	int rc = check_shape(c, ct);

	if (!rc)
		rc = check_packets(c, ct);
	if (!rc && ct->zone_src.bits)
		rc = checker_subfield(c, "ct: zone", &ct->zone_src, false);
	if (rc)
		return rc;
	c->in_ct = true;
	rc = checker_list(c, &ct->exec);
	c->in_ct = false;
	return rc;
}

int checker_nat(struct checker *c, const struct nat_range *nat)
{
	bool none = ip_is_none(&nat->addr_min);
	be16 type = htobe16(ip_is_v4(&nat->addr_min) ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);

	if (!c->in_ct)
		return checker_fault(c, ACTION_FAULT_VALUE, "nat: expected inside of ct alone");
	if (!nat_range_is_valid(nat))
		return checker_fault(c, ACTION_FAULT_ARGUMENT, "nat: flags or ranges contradict each other");
	if (!none && !c->any && c->known.key.eth_type != type)
		return checker_fault(c, ACTION_FAULT_PREREQ,
		                     "nat: expected an address of the family that is matched");
	return 0;
}
