/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that send a packet somewhere, from text. Rows of the table in action_parse.c. */
#include <ctype.h>
#include <stdlib.h>

#include "flows/action_parser.h"

int parser_append_output(struct parser *p, uint32_t port)
{
	struct action *a;

	APPEND(p, a, ACTION_OUTPUT);
	a->output.port = port;
	a->output.max_len = port == PORT_CONTROLLER ? 0xffff : 0;
	return 0;
}

bool parser_to_port(struct parser *p, struct slice s, uint32_t *port)
{
	char text[64];

	return slice_copy(s, text, sizeof(text)) && !port_parse(text, p->lex->names, port);
}

int parser_take_port(struct parser *p, struct slice s, uint32_t *port)
{
	return parser_to_port(p, s, port) ? 0 : lex_error(p->lex, s, "expected a port number or name");
}

/* output(port=1,max_len=100) */
static int parse_truncated(struct parser *p, const struct item *it)
{
	struct slice rest = it->value;
	uint32_t port = PORT_UNSET;
	uint64_t max_len = 0;
	struct action *a;
	struct item sub;
	int rc;

	while ((rc = lex_next(p->lex, &rest, &sub)) > 0) {
		if (slice_is(sub.key, "port"))
			rc = parser_take_port(p, sub.value, &port);
		else if (slice_is(sub.key, "max_len"))
			rc = lex_number(p->lex, sub.value, "max_len", 0xffffffff, &max_len);
		else
			rc = lex_error(p->lex, sub.key, "output: expected port or max_len");
		if (rc)
			return rc;
	}
	if (rc)
		return rc;
	if (port == PORT_UNSET || max_len < 14)
		return lex_error(p->lex, it->value,
		                 "output: expected port=PORT,max_len=N with N at least 14");
	APPEND(p, a, ACTION_OUTPUT_TRUNC);
	a->output.port = port;
	a->output.max_len = (uint32_t)max_len;
	return 0;
}

int action_parse_output(struct parser *p, const struct row *row, const struct item *it)
{
	struct subfield src;
	struct action *a;
	uint32_t port = 0;

	if (it->delimiter == '(')
		return parse_truncated(p, it);
	if (parser_to_port(p, it->value, &port))
		return parser_append_output(p, port);
	if (it->value.len && isalpha((unsigned char)*it->value.p) &&
	    (memchr(it->value.p, '[', it->value.len) ||
	     field_by_name(it->value.p, it->value.len) != FIELD_NONE)) {
		int rc = subfield_parse(p->lex, it->value, &src);

		if (rc)
			return rc;
		APPEND(p, a, ACTION_OUTPUT_REG);
		a->output_reg.src = src;
		a->output_reg.max_len = 0xffff;
		return 0;
	}
	return lex_error(p->lex, it->value, "output: expected a port number, a port name or a field");
}

static const char *const reasons[] = {"no_match",   "action", "invalid_ttl",
                                      "action_set", "group",  "packet_out"};

int parser_take_hex(struct parser *p, struct slice s, struct action_bytes *out, size_t pad)
{
	uint8_t *data = calloc(1, s.len / 2 + 1 + pad);
	size_t n = 0;

	if (!data)
		return parser_no_memory(p);
	for (size_t i = 0; i < s.len; i += 2) {
		char pair[3] = {s.p[i], i + 1 < s.len ? s.p[i + 1] : 0, 0};

		if (s.p[i] == '.') {
			i--; /* a dot between bytes */
			continue;
		}
		if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1])) {
			free(data);
			return lex_error(p->lex, s, "expected pairs of hex digits");
		}
		data[n++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	if (n > 60000) {
		free(data);
		return lex_error(p->lex, s, "expected fewer bytes");
	}
	out->data = data;
	out->len = (uint16_t)n;
	return 0;
}

static int parse_controller_item(struct parser *p, struct action_controller *c, const struct item *sub)
{
	uint64_t n;
	int rc;

	if (slice_is(sub->key, "max_len")) {
		rc = lex_number(p->lex, sub->value, "max_len", 0xffff, &n);
		c->max_len = rc ? 0 : (uint16_t)n;
	} else if (slice_is(sub->key, "id")) {
		rc = lex_number(p->lex, sub->value, "id", 0xffff, &n);
		c->controller_id = rc ? 0 : (uint16_t)n;
	} else if (slice_is(sub->key, "meter_id")) {
		rc = lex_number(p->lex, sub->value, "meter_id", 0xffffffff, &n);
		c->meter_id = rc ? 0 : (uint32_t)n;
	} else if (slice_is(sub->key, "reason")) {
		rc = lex_error(p->lex, sub->value, "reason: expected no_match, action, invalid_ttl, ...");
		for (unsigned i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
			if (slice_is(sub->value, reasons[i])) {
				c->reason = (uint8_t)i;
				rc = 0;
			}
		}
	} else if (slice_is(sub->key, "userdata")) {
		free(c->userdata.data);
		c->userdata = (struct action_bytes){0};
		rc = parser_take_hex(p, sub->value, &c->userdata, 0);
	} else if (slice_is(sub->key, "pause")) {
		c->pause = true;
		rc = 0;
	} else {
		rc = lex_error(p->lex, sub->key,
		               "controller: expected max_len, reason, id, userdata, meter_id or pause");
	}
	return rc;
}

int action_parse_controller(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice rest = it->value;
	struct action *a;
	struct item sub;
	uint64_t n;
	int rc;

	APPEND(p, a, ACTION_CONTROLLER);
	a->controller.max_len = 0xffff;
	a->controller.reason = 1; /* OFPR_ACTION */
	if (it->delimiter == '(') {
		while ((rc = lex_next(p->lex, &rest, &sub)) > 0) {
			rc = parse_controller_item(p, &a->controller, &sub);
			if (rc)
				return rc;
		}
		if (rc)
			return rc;
	} else if (it->delimiter) {
		rc = lex_number(p->lex, it->value, "controller", 0xffff, &n);
		if (rc)
			return rc;
		a->controller.max_len = (uint16_t)n;
	}
	if (a->controller.reason == 1 && !a->controller.controller_id && !a->controller.pause &&
	    !a->controller.meter_id && !a->controller.userdata.len) { /* a plain output says the same */
		uint16_t max_len = a->controller.max_len;

		free(a->controller.userdata.data);
		a->type = ACTION_OUTPUT;
		memset(&a->controller, 0, sizeof(a->controller));
		a->output.port = PORT_CONTROLLER;
		a->output.max_len = max_len;
	}
	return 0;
}

/* OpenFlow 1.3 has no enqueue: set_queue, output, pop_queue. */
int action_parse_enqueue(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice port_text, queue_text;
	struct action *a;
	uint64_t queue = 0;
	uint32_t port = 0;
	int rc;

	if (!slice_split(it->value, it->delimiter == '(' ? ',' : ':', &port_text, &queue_text))
		return lex_error(p->lex, it->value, "enqueue: expected PORT:QUEUE");
	rc = parser_take_port(p, port_text, &port);
	if (!rc)
		rc = lex_number(p->lex, queue_text, "queue", 0xffffffff, &queue);
	if (rc)
		return rc;
	APPEND(p, a, ACTION_SET_QUEUE);
	a->number = (uint32_t)queue;
	rc = parser_append_output(p, port);
	if (rc)
		return rc;
	p->out->items[p->out->n - 1].output.max_len = 0xffff; /* as ovs-ofctl sends it here, and only here */
	APPEND(p, a, ACTION_POP_QUEUE);
	return 0;
}
