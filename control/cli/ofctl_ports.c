/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: the switch as a whole, its ports and how it treats fragments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"

static int ask(struct ofctl *ctl, enum ofp_type type)
{
	struct ofp_writer w = {0};

	request_empty(&w, type);
	return ofctl_print_replies(ctl, &w);
}

int ofctl_show(struct ofctl *ctl, int argc, char **argv)
{
	struct ofp_writer w = {0};
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc)
		rc = ask(ctl, OFPT_FEATURES_REQUEST);
	if (!rc) {
		request_multipart(&w, OFPMP_PORT_DESC);
		rc = ofctl_print_replies(ctl, &w);
	}
	return rc ? rc : ask(ctl, OFPT_GET_CONFIG_REQUEST);
}

int ofctl_queue_get_config(struct ofctl *ctl, int argc, char **argv)
{
	struct ofp_writer w = {0};
	uint32_t port = OFPP_ANY;
	int rc = ofctl_connect(ctl, argv[1]);
	size_t start;

	if (!rc && argc > 2 && strcasecmp(argv[2], "any"))
		rc = ofctl_port(ctl, argv[2], &port);
	if (rc)
		return rc;
	start = ofp_begin(&w, OFPT_QUEUE_GET_CONFIG_REQUEST, 0);
	ofp_put_u32(&w, port);
	ofp_put_zero(&w, 4);
	ofp_end(&w, start);
	return ofctl_print_replies(ctl, &w);
}

int ofctl_needs_later(struct ofctl *ctl, int argc, char **argv)
{
	return ofctl_fail("%s: OpenFlow 1.3 has no message for it", argv[0]);
}

/* ---- mod-port ---- */

/* "up", "no-flood"...: sets a bit of OFPPC_*, or clears it. The spanning tree's mean nothing after 1.0. */
static const struct {
	const char *name;
	uint32_t config, mask;
} actions[] = {
        {"up", 0, 1},         {"down", 1, 1},           {"stp", 0, 0},         {"no-stp", 0, 0},
        {"receive", 0, 4},    {"no-receive", 4, 4},     {"receive-stp", 0, 0}, {"no-receive-stp", 0, 0},
        {"flood", 0, 0},      {"no-flood", 0, 0},       {"forward", 0, 32},    {"no-forward", 32, 32},
        {"packet-in", 0, 64}, {"no-packet-in", 64, 64},
};

int ofctl_mod_port(struct ofctl *ctl, int argc, char **argv)
{
	struct ofp_port_mod mod = {0};
	struct ofp_writer w = {0};
	unsigned a = 0, port = 0;
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc)
		rc = ofctl_port(ctl, argv[2], &mod.port_no);
	if (rc)
		return rc;
	while (port < ctl->n_ports && ctl->ports[port].port_no != mod.port_no)
		port++;
	if (port == ctl->n_ports)
		return ofctl_fail("%s: couldn't find port `%s'", argv[1], argv[2]);
	while (a < sizeof(actions) / sizeof(actions[0]) && strcasecmp(actions[a].name, argv[3]))
		a++;
	if (a == sizeof(actions) / sizeof(actions[0]))
		return ofctl_fail("unknown mod-port command '%s'", argv[3]);
	mod.hw_addr = ctl->ports[port].hw_addr;
	mod.config = actions[a].config;
	mod.mask = actions[a].mask;
	ofp_put_port_mod(&w, 0, &mod);
	rc = ofctl_send(ctl, &w);
	ofp_writer_free(&w);
	return rc ? rc : ofctl_barrier(ctl);
}

/* ---- fragments ---- */

static const char *const modes[] = {"normal", "drop", "reassemble", "nx-match"};

static int get_config(struct ofctl *ctl, uint16_t *flags, uint16_t *miss_send_len)
{
	struct ofp_writer w = {0};
	struct ofp_reader r;
	int rc;

	request_empty(&w, OFPT_GET_CONFIG_REQUEST);
	rc = ofctl_transact(ctl, &w, &r);
	if (rc)
		return rc;
	*flags = ofp_get_u16(&r);
	*miss_send_len = ofp_get_u16(&r);
	return r.failed ? ofctl_fail("%s: malformed configuration", ctl->target) : 0;
}

int ofctl_set_config(struct ofctl *ctl, int mode, int miss_send_len)
{
	uint16_t flags, miss;
	struct ofp_writer w = {0};
	int rc = get_config(ctl, &flags, &miss);
	size_t start;

	if (rc)
		return rc;
	start = ofp_begin(&w, OFPT_SET_CONFIG, 0);
	ofp_put_u16(&w, mode < 0 ? flags : (uint16_t)mode);
	ofp_put_u16(&w, miss_send_len < 0 ? miss : (uint16_t)miss_send_len);
	ofp_end(&w, start);
	rc = ofctl_send(ctl, &w);
	ofp_writer_free(&w);
	return rc ? rc : ofctl_barrier(ctl);
}

int ofctl_get_frags(struct ofctl *ctl, int argc, char **argv)
{
	uint16_t flags, miss;
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc)
		rc = get_config(ctl, &flags, &miss);
	if (!rc)
		puts(modes[flags & 3]);
	return rc;
}

int ofctl_set_frags(struct ofctl *ctl, int argc, char **argv)
{
	uint16_t flags, miss;
	int mode = 0, rc;

	while (mode < 4 && strcasecmp(modes[mode], argv[2]))
		mode++;
	if (mode == 4)
		return ofctl_fail("%s: unknown fragment handling mode", argv[2]);
	rc = ofctl_connect(ctl, argv[1]);
	if (!rc)
		rc = ofctl_set_config(ctl, mode, -1);
	if (!rc)
		rc = get_config(ctl, &flags, &miss);
	if (!rc && (flags & 3) != mode)
		rc = ofctl_fail("%s: setting fragment handling mode failed (this switch probably doesn't "
		                "support mode \"%s\")",
		                argv[1], argv[2]);
	return rc;
}
