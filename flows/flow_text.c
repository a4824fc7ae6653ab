/* SPDX-License-Identifier: Apache-2.0 */
/* Whole flows as text, both ways: flow mods, filters of dumps, lines of dump-flows. Called by weft-ofctl and
 * by tests. */
#include <ctype.h>
#include <errno.h>

#include "flows/lex.h"

struct flow_parser {
	struct lex lex;
	struct flow_mod *fm;
	bool filter; /* of a dump: what delete allows */
};

static bool is_delete(enum flow_command c)
{
	return c == FLOW_DELETE || c == FLOW_DELETE_STRICT;
}

static const struct {
	const char *name;
	uint16_t flag;
} flag_names[] = {
        {"send_flow_rem", FLOW_SEND_REM},        {"check_overlap", FLOW_CHECK_OVERLAP},
        {"reset_counts", FLOW_RESET_COUNTS},     {"no_packet_counts", FLOW_NO_PACKET_COUNTS},
        {"no_byte_counts", FLOW_NO_BYTE_COUNTS},
};

/* cookie=VALUE sets, cookie=VALUE/MASK selects; in a delete or a dump it always selects. */
static int parse_cookie(struct flow_parser *p, struct slice value)
{
	struct slice left = value, right;
	bool masked = slice_split(value, '/', &left, &right), selects;
	uint64_t cookie, mask = UINT64_MAX;
	int rc = 0;

	selects = masked || is_delete(p->fm->command);
	if (slice_is(left, "-1"))
		cookie = UINT64_MAX;
	else
		rc = lex_number(&p->lex, left, "cookie", UINT64_MAX, &cookie);
	if (!rc && masked && slice_is(right, "-1"))
		mask = UINT64_MAX;
	else if (!rc && masked)
		rc = lex_number(&p->lex, right, "cookie", UINT64_MAX, &mask);
	if (rc)
		return rc;
	if (masked && p->fm->command == FLOW_ADD)
		return lex_error(&p->lex, right, "cookie: expected no mask when a flow is added");
	if (selects) {
		p->fm->match_cookie = cookie & mask;
		p->fm->cookie_mask = mask;
	} else {
		p->fm->cookie = cookie;
		p->fm->modify_cookie = true;
	}
	return 0;
}

static int parse_out(struct flow_parser *p, const struct item *it, bool port)
{
	uint64_t n;
	char text[64];
	int rc;

	if (!is_delete(p->fm->command) && !p->filter)
		return lex_error(&p->lex, it->key,
		                 "expected out_port and out_group only to delete or dump flows");
	if (!port) {
		rc = lex_number(&p->lex, it->value, "out_group", 0xffffffff, &n);
		if (!rc)
			p->fm->out_group = (uint32_t)n;
		return rc;
	}
	if (!slice_copy(it->value, text, sizeof(text)) || port_parse(text, p->lex.names, &p->fm->out_port))
		return lex_error(&p->lex, it->value, "out_port: expected a port number or name");
	return 0;
}

/* A filter has no priority, a delete without "strict" neither; what is deleted gets no timeouts. */
static bool takes_number(const struct flow_parser *p, bool priority)
{
	if (p->filter)
		return false;
	return !is_delete(p->fm->command) || (priority && p->fm->command == FLOW_DELETE_STRICT);
}

/* Numbers that belong to the flow and not to its match. 1: it was one, 0: not one. */
static int parse_number(struct flow_parser *p, const struct item *it)
{
	struct flow_mod *fm = p->fm;
	struct {
		const char *name;
		uint16_t *to;
	} numbers[] = {
	        {"priority", &fm->priority},
	        {"idle_timeout", &fm->idle_timeout},
	        {"hard_timeout", &fm->hard_timeout},
	        {"importance", &fm->importance},
	};
	uint64_t n;
	int rc;

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!slice_is(it->key, numbers[i].name))
			continue;
		if (!takes_number(p, i == 0))
			return lex_error(&p->lex, it->key, "%s: expected only where a flow is named or made",
			                 numbers[i].name);
		rc = lex_number(&p->lex, it->value, numbers[i].name, 0xffff, &n);
		if (rc)
			return rc;
		*numbers[i].to = (uint16_t)n;
		return 1;
	}
	if (!slice_is(it->key, "table"))
		return 0;
	rc = lex_number(&p->lex, it->value, "table", 255, &n);
	if (rc)
		return rc;
	fm->table_id = (uint8_t)n;
	return 1;
}

/* What dump-flows prints and a flow does not have: accepted, so that a dump can be fed back. */
static bool is_statistic(struct slice key)
{
	static const char *const names[] = {"duration", "n_packets", "n_bytes", "idle_age", "hard_age"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (slice_is(key, names[i]))
			return true;
	}
	return false;
}

static int parse_item(struct flow_parser *p, const struct item *it)
{
	int rc;

	for (unsigned i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
		if (!it->delimiter && slice_is(it->key, flag_names[i].name)) {
			p->fm->flags |= flag_names[i].flag;
			return 0;
		}
	}
	rc = match_parse_item(&p->lex, it, &p->fm->match);
	if (rc)
		return rc < 0 ? rc : 0;
	if (it->delimiter != '=' && it->delimiter != ':')
		return lex_error(&p->lex, it->key, "expected a field, a protocol or a flag");
	rc = parse_number(p, it);
	if (rc)
		return rc < 0 ? rc : 0;
	if (slice_is(it->key, "cookie"))
		return parse_cookie(p, it->value);
	if (slice_is(it->key, "out_port"))
		return parse_out(p, it, true);
	if (slice_is(it->key, "out_group"))
		return parse_out(p, it, false);
	if (is_statistic(it->key))
		return 0;
	return lex_error(&p->lex, it->key, "expected the name of a field");
}

/* Moves `head` up to the word "actions=" and gives what follows it. */
static bool cut_actions(struct slice *head, struct slice *actions)
{
	for (size_t i = 0; i + 6 < head->len; i++) {
		size_t end = i + 6;

		if (memcmp(head->p + i, "action", 6) ||
		    (i && !isspace((unsigned char)head->p[i - 1]) && head->p[i - 1] != ','))
			continue;
		if (end < head->len && head->p[end] == 's')
			end++;
		if (end >= head->len || (head->p[end] != '=' && head->p[end] != ':'))
			continue;
		*actions = (struct slice){head->p + end + 1, head->len - end - 1};
		head->len = i;
		return true;
	}
	return false;
}

/* OpenFlow 1.3 says "untagged" and "with this tag" by the id; a priority is matched whole and only with a
 * tag. */
static void settle_vlan(struct match *m)
{
	uint16_t tci = be16toh(m->key.vlan[0].tci), mask = be16toh(m->mask.vlan[0].tci);

	if (mask & 0xe000)
		mask = tci & 0x1fff ? mask | 0xe000 : mask & 0x1fff;
	m->mask.vlan[0].tci = htobe16(mask);
	m->key.vlan[0].tci = htobe16(tci & mask);
}

/* Other fields that the match leaves without their prerequisite are dropped with a notice. Of a connection
 * that would admit what nobody asked for; Open vSwitch's switch refuses it. */
static int check_ct(struct flow_parser *p, struct slice s)
{
	const struct match *m = &p->fm->match;

	for (unsigned id = FIELD_CT_NW_PROTO; id <= FIELD_CT_TP_DST; id++) {
		struct field_value mask;

		field_get(&m->mask, id, &mask);
		if (value_is_zero(&mask) || match_ct_is_void(m, id))
			continue;
		if (!match_meets(m, id))
			return lex_error(&p->lex, s,
			                 "%s: expected a match on a valid connection, as ct_state=+est",
			                 fields[id].name);
	}
	if (!p->filter && !match_ct_family_fits(m))
		return lex_error(&p->lex, s, "expected ip beside ct_nw_*, ipv6 beside ct_ipv6_*");
	return 0;
}

static int parse_actions(struct flow_parser *p, struct slice s)
{
	struct flow_mod *fm = p->fm;
	struct error why;
	int rc = action_list_parse(&p->lex, s, &fm->match, &fm->actions);

	if (rc)
		return rc;
	rc = action_list_check(&fm->actions, &fm->match, fm->table_id, NULL, &why);
	if (rc)
		error_set(p->lex.err, EINVAL, "column %zu: actions: %s", (size_t)(s.p - p->lex.start) + 1,
		          why.text);
	return rc;
}

static int parse_flow(struct flow_parser *p, struct slice s, struct flow_notes *notes)
{
	struct slice actions = {s.p + s.len, 0};
	bool has_actions = !p->filter && cut_actions(&s, &actions);
	enum field_id dropped;
	struct slice match = s;
	struct item it;
	int rc;

	while ((rc = lex_next(&p->lex, &s, &it)) > 0) {
		rc = parse_item(p, &it);
		if (rc)
			return rc;
	}
	if (rc)
		return rc;
	rc = check_ct(p, match);
	if (rc)
		return rc;
	settle_vlan(&p->fm->match);
	dropped = match_normalize(&p->fm->match);
	if (notes)
		notes->normalized = dropped;
	if (p->filter)
		return 0;
	if (is_delete(p->fm->command) && has_actions)
		return lex_error(&p->lex, actions, "expected no actions when flows are deleted");
	if (!is_delete(p->fm->command) && !has_actions)
		return lex_error(&p->lex, actions, "expected actions=ACTIONS");
	return has_actions ? parse_actions(p, actions) : 0;
}

static int parse_mod(const char *start, const char *text, enum flow_command command,
                     const struct port_names *names, struct flow_mod *fm, struct flow_notes *notes,
                     struct error *err)
{
	struct flow_parser p = {.lex = {.start = start, .names = names, .err = err}, .fm = fm};
	int rc;

	flow_mod_init(fm);
	fm->command = command;
	rc = parse_flow(&p, slice_of(text), notes);
	if (rc)
		flow_mod_free(fm);
	return rc;
}

int flow_mod_parse(const char *text, enum flow_command command, const struct port_names *names,
                   struct flow_mod *fm, struct flow_notes *notes, struct error *err)
{
	return parse_mod(text, text, command, names, fm, notes, err);
}

int flow_line_parse(const char *line, const struct port_names *names, struct flow_mod *fm,
                    struct flow_notes *notes, struct error *err)
{
	static const struct {
		const char *word;
		enum flow_command command;
	} commands[] = {
	        {"add", FLOW_ADD},
	        {"modify", FLOW_MODIFY},
	        {"modify_strict", FLOW_MODIFY_STRICT},
	        {"delete", FLOW_DELETE},
	        {"delete_strict", FLOW_DELETE_STRICT},
	};
	const char *text = line + strspn(line, " \t\r\n");
	size_t len = strcspn(text, " \t\r\n,=");

	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (slice_is((struct slice){text, len}, commands[i].word) && text[len] != '=')
			return parse_mod(line, text + len, commands[i].command, names, fm, notes, err);
	}
	return parse_mod(line, line, FLOW_ADD, names, fm, notes, err);
}

int flow_filter_parse(const char *text, const struct port_names *names, struct flow_filter *filter,
                      struct error *err)
{
	struct flow_mod fm;
	struct flow_parser p = {
	        .lex = {.start = text, .names = names, .err = err}, .fm = &fm, .filter = true};
	int rc;

	flow_mod_init(&fm);
	fm.command = FLOW_DELETE;
	rc = parse_flow(&p, slice_of(text), NULL);
	*filter = (struct flow_filter){.table_id = fm.table_id,
	                               .out_port = fm.out_port,
	                               .out_group = fm.out_group,
	                               .cookie = fm.match_cookie,
	                               .cookie_mask = fm.cookie_mask,
	                               .match = fm.match};
	flow_mod_free(&fm);
	return rc;
}

int actions_parse(const char *text, const struct port_names *names, struct action_list *out,
                  struct error *err)
{
	struct lex lex = {.start = text, .names = names, .err = err};
	int rc;

	action_list_init(out);
	rc = action_list_parse(&lex, slice_of(text), NULL, out);
	if (!rc)
		rc = action_list_check(out, NULL, TABLE_ALL, NULL, err);
	if (rc)
		action_list_free(out);
	return rc;
}

/* ---- formatting ---- */

static void format_flags(struct text *out, uint16_t flags)
{
	for (unsigned i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
		if (flags & flag_names[i].flag)
			text_add(out, "%s ", flag_names[i].name);
	}
}

/* The match and the blank after it, if there is anything. */
static void format_match(struct text *out, const struct match *m, int priority,
                         const struct port_names *names)
{
	size_t before = out->len;

	match_format(out, m, priority, names);
	if (out->len > before)
		text_add(out, " ");
}

void flow_stats_format(struct text *out, const struct flow_stats *fs, bool show_stats,
                       const struct port_names *names)
{
	text_add(out, " ");
	if (show_stats || fs->cookie)
		text_add(out, "cookie=0x%llx, ", (unsigned long long)fs->cookie);
	if (show_stats) {
		text_add(out, "duration=");
		duration_format(out, fs->duration_ns);
		text_add(out, ", table=%u, n_packets=%llu, n_bytes=%llu, ", fs->table_id,
		         (unsigned long long)fs->n_packets, (unsigned long long)fs->n_bytes);
	} else if (fs->table_id) {
		text_add(out, "table=%u, ", fs->table_id);
	}
	if (fs->idle_timeout)
		text_add(out, "idle_timeout=%u, ", fs->idle_timeout);
	if (fs->hard_timeout)
		text_add(out, "hard_timeout=%u, ", fs->hard_timeout);
	format_flags(out, fs->flags);
	if (fs->importance)
		text_add(out, "importance=%u, ", fs->importance);
	if (show_stats && fs->idle_age >= 0)
		text_add(out, "idle_age=%d, ", fs->idle_age);
	if (show_stats && fs->hard_age >= 0)
		text_add(out, "hard_age=%d, ", fs->hard_age);
	format_match(out, &fs->match, fs->priority, names);
	text_add(out, "actions=");
	actions_format(out, &fs->actions, names);
}

void flow_mod_format(struct text *out, const struct flow_mod *fm, const struct port_names *names)
{
	static const char *const commands[] = {"ADD", "MOD", "MOD_STRICT", "DEL", "DEL_STRICT"};

	text_add(out, "%s ", commands[fm->command]);
	if (fm->table_id && fm->table_id != TABLE_ALL)
		text_add(out, "table:%u ", fm->table_id);
	format_match(out, &fm->match, fm->priority, names);
	if (fm->cookie || fm->cookie_mask)
		text_add(out, fm->cookie_mask ? "cookie:0x%llx/0x%llx " : "cookie:0x%llx ",
		         (unsigned long long)(fm->cookie_mask ? fm->match_cookie : fm->cookie),
		         (unsigned long long)fm->cookie_mask);
	if (fm->idle_timeout)
		text_add(out, "idle:%u ", fm->idle_timeout);
	if (fm->hard_timeout)
		text_add(out, "hard:%u ", fm->hard_timeout);
	if (fm->out_port != PORT_ANY) {
		text_add(out, "out_port:");
		port_format(out, fm->out_port, names);
		text_add(out, " ");
	}
	if (fm->out_group != GROUP_ANY)
		text_add(out, "out_group:%u ", fm->out_group);
	format_flags(out, fm->flags);
	text_add(out, "actions=");
	actions_format(out, &fm->actions, names);
}
