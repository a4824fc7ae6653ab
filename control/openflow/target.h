/* SPDX-License-Identifier: Apache-2.0 */
/* The texts that say where an OpenFlow peer is, in the grammar of ovs-vswitchd. */
#ifndef CONTROL_OPENFLOW_TARGET_H
#define CONTROL_OPENFLOW_TARGET_H

#include <stdbool.h>
#include <stdint.h>

struct error;

enum { OFP_TCP_PORT = 6653, OFP_TARGET_TEXT_MAX = 280, OFP_HOST_MAX = 254 };

struct ofp_target {
	bool tls;
	uint16_t port;           /* host order */
	char host[OFP_HOST_MAX]; /* an address or a name; to listen, an address ("0.0.0.0" when none is given)
	                          */
};

/* "tcp:HOST[:PORT]" or "ssl:HOST[:PORT]"; an IPv6 address stands in brackets. 0 or -EINVAL with `e`. */
int ofp_target_parse_active(const char *text, struct ofp_target *out, struct error *e);
/* "ptcp:[PORT][:ADDRESS]" or "pssl:[PORT][:ADDRESS]". 0 or -EINVAL with `e`. */
int ofp_target_parse_passive(const char *text, struct ofp_target *out, struct error *e);

#endif
