/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of protocols that say nothing of their state: UDP, ICMP queries and all others. Called for
 * every packet of one. */
#include "datapath/ct/state.h"

static void prolong(struct conntrack *ct, struct ct_conn *c, uint64_t now)
{
	static const uint8_t other[] = {[CT_TALK_FIRST] = CT_TIMEOUT_OTHER_FIRST,
	                                [CT_TALK_SINGLE] = CT_TIMEOUT_OTHER_SINGLE,
	                                [CT_TALK_BOTH] = CT_TIMEOUT_OTHER_BOTH};
	static const uint8_t icmp[] = {[CT_TALK_FIRST] = CT_TIMEOUT_ICMP_FIRST,
	                               [CT_TALK_SINGLE] = CT_TIMEOUT_ICMP_FIRST,
	                               [CT_TALK_BOTH] = CT_TIMEOUT_ICMP_REPLY};

	ct_expire_at(c, now + ct->timeout[(ct_key_is_icmp(&c->orig) ? icmp : other)[c->talk]]);
}

void ct_talk_begin(struct conntrack *ct, struct ct_conn *c, uint64_t now)
{
	c->talk = CT_TALK_FIRST;
	prolong(ct, c, now);
}

enum ct_verdict ct_talk_update(struct conntrack *ct, struct ct_conn *c, bool reply, uint64_t now)
{
	if (reply)
		c->talk = CT_TALK_BOTH;
	else if (c->talk == CT_TALK_FIRST)
		c->talk = CT_TALK_SINGLE;
	prolong(ct, c, now);
	return c->talk == CT_TALK_BOTH ? CT_IS_ESTABLISHED : CT_IS_NEW;
}

const char *ct_talk_state_name(const struct ct_conn *c)
{
	static const char *const names[] = {
	        [CT_TALK_FIRST] = "FIRST", [CT_TALK_SINGLE] = "SINGLE", [CT_TALK_BOTH] = "MULTIPLE"};

	return names[c->talk];
}
