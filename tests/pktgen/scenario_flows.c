/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of a scenario that set flows and check what they do to packets. Called by scenario.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "tests/pktgen/scenario_private.h"

/* "switch PATH": its management socket. The controller's end is the port "controller". */
static int do_switch(struct scenario *s, char *path, char *rest, struct error *e)
{
	if (s->controller)
		return error_set(e, EEXIST, "there is a switch already");
	s->controller = controller_open(path, e);
	if (!s->controller)
		return -EINVAL;
	if (scenario_add_port(s, "controller", endpoint_of_controller(s->controller), e))
		return -EINVAL;
	return controller_clear(s->controller, e);
}

static int need_switch(const struct scenario *s, struct error *e)
{
	return s->controller ? 0 : error_set(e, EINVAL, "expected a switch line before");
}

/* The words of a flow or group may have blanks between them. */
static const char *joined(char *first, char *rest, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", first, *rest ? " " : "", rest);
	return out;
}

static int do_flow(struct scenario *s, char *first, char *rest, struct error *e)
{
	char text[4096];

	return need_switch(s, e) ? -EINVAL
	                         : controller_flow(s->controller, joined(first, rest, text, sizeof(text)), e);
}

static int do_group(struct scenario *s, char *first, char *rest, struct error *e)
{
	char text[4096];

	return need_switch(s, e)
	               ? -EINVAL
	               : controller_group(s->controller, joined(first, rest, text, sizeof(text)), e);
}

static int do_meter(struct scenario *s, char *first, char *rest, struct error *e)
{
	char text[4096];

	return need_switch(s, e)
	               ? -EINVAL
	               : controller_meter(s->controller, joined(first, rest, text, sizeof(text)), e);
}

/* "config PORT down|no-recv|no-fwd|no-packet-in|up": that alone. */
static int do_config(struct scenario *s, char *port, char *what, struct error *e)
{
	static const struct {
		const char *name;
		uint32_t bits; /* OFPPC_* */
	} known[] = {{"up", 0}, {"down", 1}, {"no-recv", 4}, {"no-fwd", 32}, {"no-packet-in", 64}};

	if (need_switch(s, e))
		return -EINVAL;
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, what))
			return controller_config(s->controller, (uint32_t)strtoul(port, NULL, 10),
			                         known[i].bits, e);
	return error_set(e, EINVAL, "expected up, down, no-recv, no-fwd or no-packet-in");
}

int scenario_clear(struct scenario *s, char *first, char *rest, struct error *e)
{
	return need_switch(s, e) ? -EINVAL : controller_clear(s->controller, e);
}

/* "way FROM TO NUMBER": between which ports `match` and `act` look; NUMBER is that of TO. */
static int do_way(struct scenario *s, char *from, char *rest, struct error *e)
{
	char to[32];

	if (sscanf(rest, "%31s %u", to, &s->to_number) != 2)
		return error_set(e, EINVAL, "expected FROM TO NUMBER");
	s->from = scenario_port(s, from, e);
	s->to = s->from ? scenario_port(s, to, e) : NULL;
	return s->to ? 0 : -EINVAL;
}

/* A marker goes out of every port and to the controller. When it is the next frame everywhere, nothing came
 * out before it. */
static int quiet(struct scenario *s, struct port_line *from, struct error *e)
{
	static const uint8_t head[14] = {
	        2, 0, 0, 0, 0, 0xfe, 2, 0, 0, 0, 0, 0xff, MARKER_TYPE >> 8, MARKER_TYPE & 0xff};
	uint8_t marker[60] = {0};

	s->markers++;
	memcpy(marker, head, sizeof(head));
	memcpy(marker + sizeof(head), &s->markers, sizeof(s->markers));
	if (scenario_send(s, from, marker, sizeof(marker), e))
		return -EINVAL;
	for (unsigned i = 0; i < s->nports; i++) {
		memcpy(s->want, marker, sizeof(marker));
		if (scenario_expect(s, &s->ports[i], sizeof(marker), e)) {
			error_prefix(e, "something else came out of %s", s->ports[i].name);
			return -EINVAL;
		}
	}
	return 0;
}

static int do_quiet(struct scenario *s, char *from, char *rest, struct error *e)
{
	struct port_line *p = scenario_port(s, from, e);

	return p ? quiet(s, p, e) : -EINVAL;
}

/* `out`: "none", "PORT:PACKET" or a packet at the end of the way. */
static int check(struct scenario *s, const char *in, const char *out, struct error *e)
{
	struct port_line *to = s->to;
	const char *colon = strchr(out, ':');
	char name[32];

	if (scenario_send_text(s, s->from, in, e))
		return -EINVAL;
	if (!strcmp(out, "none"))
		return quiet(s, s->from, e);
	if (colon && strcspn(out, "(") > (size_t)(colon - out)) {
		snprintf(name, sizeof(name), "%.*s", (int)(colon - out), out);
		to = scenario_port(s, name, e);
		out = colon + 1;
	}
	if (!to || scenario_expect_text(s, to, out, e))
		return -EINVAL;
	return quiet(s, s->from, e);
}

/* Cuts the part in front of the next '|' off, without the blanks around it; NULL when there is nothing left.
 */
static char *part(char **rest)
{
	char *p = *rest, *end;

	if (!p)
		return NULL;
	p += strspn(p, " \t");
	end = strchr(p, '|');
	*rest = end ? end + 1 : NULL;
	if (!end)
		end = p + strlen(p);
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = 0;
	return *p ? p : NULL;
}

/* "match MATCH | PACKET | OTHER ...": a flow with the match sends the packet out unchanged, and lets no other
 * through. */
static int do_match(struct scenario *s, char *first, char *rest, struct error *e)
{
	char text[8192], flow[4096], *left = text, *match, *packet, *other;

	joined(first, rest, text, sizeof(text));
	match = part(&left);
	packet = part(&left);
	if (!s->to || !packet)
		return error_set(e, EINVAL, "expected a way before, and MATCH | PACKET | OTHER ...");
	snprintf(flow, sizeof(flow), "%s,actions=output:%u", match, s->to_number);
	if (controller_clear(s->controller, e) || controller_flow(s->controller, flow, e) ||
	    check(s, packet, packet, e))
		return -EINVAL;
	while ((other = part(&left)))
		if (check(s, other, "none", e))
			return -EINVAL;
	return 0;
}

/* "act FLOW [& FLOW] ... | PACKET | RESULT ...": what the flows make of packets. */
static int do_act(struct scenario *s, char *first, char *rest, struct error *e)
{
	char text[8192], *left = text, *flows, *in, *out;

	joined(first, rest, text, sizeof(text));
	flows = part(&left);
	if (!s->to || !flows || !left)
		return error_set(e, EINVAL,
		                 "expected a way before, and FLOW & FLOW ... | PACKET | RESULT ...");
	if (controller_clear(s->controller, e))
		return -EINVAL;
	for (char *flow = strtok(flows, "&"); flow; flow = strtok(NULL, "&"))
		if (controller_flow(s->controller, flow + strspn(flow, " "), e))
			return -EINVAL;
	while ((in = part(&left))) {
		out = part(&left);
		if (!out)
			return error_set(e, EINVAL, "expected a RESULT for each PACKET");
		if (check(s, in, out, e))
			return -EINVAL;
	}
	return 0;
}

/* "pass PACKET | RESULT ...": through the flows that are there. */
static int do_pass(struct scenario *s, char *first, char *rest, struct error *e)
{
	char text[8192], *left = text, *in, *out;

	joined(first, rest, text, sizeof(text));
	if (!s->to)
		return error_set(e, EINVAL, "expected a way before");
	while ((in = part(&left))) {
		out = part(&left);
		if (!out)
			return error_set(e, EINVAL, "expected a RESULT for each PACKET");
		if (check(s, in, out, e))
			return -EINVAL;
	}
	return 0;
}

const struct verb scenario_flow_verbs[] = {
        {"switch", false, do_switch}, {"flow", false, do_flow},   {"group", false, do_group},
        {"meter", true, do_meter},    {"way", true, do_way},      {"clear", false, scenario_clear},
        {"config", true, do_config},  {"quiet", false, do_quiet}, {"match", true, do_match},
        {"act", true, do_act},        {"pass", true, do_pass},    {0},
};
