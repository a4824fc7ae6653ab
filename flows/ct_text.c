/* SPDX-License-Identifier: Apache-2.0 */
/* ct and nat as text, both ways. Called by the files that parse and print actions. */
#include <arpa/inet.h>
#include <ctype.h>

#include "flows/action_parser.h"

static const struct {
	const char *name;
	uint16_t alg;
} algs[] = {{"ftp", CT_ALG_FTP}, {"tftp", CT_ALG_TFTP}};

/* ---- reading: nat ---- */

static void skip(struct slice *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

/* The longest start of `s` that is made of such characters. */
static struct slice span(struct slice s, const char *characters)
{
	size_t n = 0;

	while (n < s.len && s.p[n] && strchr(characters, s.p[n]))
		n++;
	return (struct slice){s.p, n};
}

static bool is_address(struct slice s, int family, struct ip_addr *out)
{
	char text[IP_TEXT_MAX];
	uint32_t v4;

	if (!slice_copy(s, text, sizeof(text)))
		return false;
	if (family == AF_INET6) /* IPv4 inside of IPv6 is how IPv4 is kept */
		return inet_pton(AF_INET6, text, out->b) == 1 && !ip_is_v4(out);
	if (inet_pton(AF_INET, text, &v4) != 1)
		return false;
	*out = ip_from_v4(v4);
	return true;
}

/* "1.2.3.4", "fe80::1" or "[fe80::1]". A colon behind one of IPv4, or behind brackets, belongs to a port. */
static bool take_address(struct slice *rest, struct ip_addr *out)
{
	bool brackets = rest->len && *rest->p == '[';
	struct slice word;

	if (!brackets) {
		word = span(*rest, "0123456789.");
		if (!is_address(word, AF_INET, out)) {
			word = span(*rest, "0123456789abcdefABCDEF:.");
			if (!is_address(word, AF_INET6, out))
				return false;
		}
		skip(rest, word.len);
		return true;
	}
	skip(rest, 1);
	word = span(*rest, "0123456789abcdefABCDEF:.");
	skip(rest, word.len);
	if (!rest->len || *rest->p != ']' || !is_address(word, AF_INET6, out))
		return false;
	skip(rest, 1);
	return true;
}

static bool take_port(struct slice *rest, uint16_t *out)
{
	struct slice word = span(*rest, "0123456789");
	uint64_t n = 0;

	for (size_t i = 0; i < word.len && n <= UINT16_MAX; i++)
		n = n * 10 + (uint64_t)(word.p[i] - '0');
	skip(rest, word.len);
	*out = (uint16_t)n;
	return n && n <= UINT16_MAX;
}

static bool take_sign(struct slice *rest, char sign)
{
	if (!rest->len || *rest->p != sign)
		return false;
	skip(rest, 1);
	return true;
}

/* ADDRESS[-ADDRESS][:PORT[-PORT]] */
static bool take_range(struct slice s, struct nat_range *nat)
{
	if (!take_address(&s, &nat->addr_min))
		return false;
	nat->addr_max = nat->addr_min;
	if (take_sign(&s, '-') && !take_address(&s, &nat->addr_max))
		return false;
	if (take_sign(&s, ':')) {
		if (!take_port(&s, &nat->port_min))
			return false;
		nat->port_max = nat->port_min;
		if (take_sign(&s, '-') && !take_port(&s, &nat->port_max))
			return false;
	}
	return !s.len;
}

static int parse_nat_item(struct parser *p, const struct item *it, struct nat_range *nat)
{
	static const struct {
		const char *name;
		uint16_t flag;
	} words[] = {{"src", NAT_SRC},
	             {"dst", NAT_DST},
	             {"persistent", NAT_PERSISTENT},
	             {"hash", NAT_HASH},
	             {"random", NAT_RANDOM}};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!slice_is(it->key, words[i].name))
			continue;
		nat->flags |= words[i].flag;
		if (!it->value.len)
			return 0;
		if (words[i].flag & ~(NAT_SRC | NAT_DST))
			return lex_error(p->lex, it->value, "nat: %s: expected no argument", words[i].name);
		return take_range(it->value, nat)
		               ? 0
		               : lex_error(p->lex, it->value,
		                           "nat: expected ADDRESS[-ADDRESS][:PORT[-PORT]]");
	}
	return lex_error(p->lex, it->key, "nat: expected src, dst, persistent, hash or random");
}

int action_parse_nat(struct parser *p, const struct row *row, const struct item *it)
{
	struct nat_range nat = {.flags = 0};
	struct slice rest = it->value;
	struct action *a;
	struct item sub;
	int rc;

	while ((rc = lex_next(p->lex, &rest, &sub)) > 0) {
		rc = parse_nat_item(p, &sub, &nat);
		if (rc)
			return rc;
	}
	if (rc)
		return rc;
	if (!nat_range_is_valid(&nat))
		return lex_error(p->lex, it->value,
		                 "nat: expected src or dst, not hash and random both, ranges in order");
	APPEND(p, a, ACTION_NAT);
	a->nat = nat;
	return 0;
}

/* ---- reading: ct ---- */

static int parse_zone(struct parser *p, const struct item *it, struct action_ct *ct)
{
	uint64_t n = 0;
	int rc;

	if (!it->value.len || !isdigit((unsigned char)*it->value.p))
		return subfield_parse(p->lex, it->value, &ct->zone_src);
	rc = lex_number(p->lex, it->value, "ct: zone", UINT16_MAX, &n);
	ct->zone = (uint16_t)n;
	return rc;
}

static int parse_alg(struct parser *p, const struct item *it, struct action_ct *ct)
{
	for (unsigned i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		if (slice_is(it->value, algs[i].name)) {
			ct->alg = algs[i].alg;
			return 0;
		}
	}
	return lex_error(p->lex, it->value, "ct: alg: expected ftp or tftp");
}

static int parse_exec(struct parser *p, const struct item *it, struct action_ct *ct)
{
	int rc;

	if (++p->lex->depth > ACTION_NESTING_MAX)
		return lex_error(p->lex, it->key, "ct: expected at most %u levels", ACTION_NESTING_MAX);
	rc = action_list_parse(p->lex, it->value, p->match, &ct->exec);
	p->lex->depth--;
	return rc;
}

static int parse_flag(struct parser *p, const struct item *it, struct action_ct *ct)
{
	bool commit = slice_is(it->key, "commit");

	if (!commit && !slice_is(it->key, "force"))
		return lex_error(p->lex, it->key,
		                 "ct: expected commit, force, zone, table, alg, nat or exec");
	if (it->value.len)
		return lex_error(p->lex, it->value, "ct: %s: expected no argument",
		                 commit ? "commit" : "force");
	ct->flags |= commit ? CT_COMMIT : CT_FORCE;
	return 0;
}

static int parse_ct_item(struct parser *p, const struct row *row, const struct item *it, struct action_ct *ct)
{
	struct parser inside = *p;
	uint64_t table = 0;
	int rc;

	if (slice_is(it->key, "zone"))
		return parse_zone(p, it, ct);
	if (slice_is(it->key, "alg"))
		return parse_alg(p, it, ct);
	if (slice_is(it->key, "exec"))
		return parse_exec(p, it, ct);
	if (slice_is(it->key, "nat")) {
		inside.out = &ct->exec;
		return action_parse_nat(&inside, row, it);
	}
	if (!slice_is(it->key, "table"))
		return parse_flag(p, it, ct);
	rc = lex_number(p->lex, it->value, "ct: table", 254, &table);
	ct->table_id = (uint8_t)table;
	return rc;
}

int action_parse_ct(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice rest = it->value;
	struct action *a;
	struct item sub;
	int rc;

	APPEND(p, a, ACTION_CT);
	a->ct.table_id = 0xff;
	while ((rc = lex_next(p->lex, &rest, &sub)) > 0) {
		rc = parse_ct_item(p, row, &sub, &a->ct);
		if (rc)
			return rc;
	}
	if (a->ct.zone_src.bits)
		a->ct.zone = 0;
	return rc;
}

/* ---- printing ---- */

static void format_address(struct text *out, const struct ip_addr *address, bool brackets)
{
	char text[IP_TEXT_MAX];

	text_add(out, brackets ? "[%s]" : "%s", ip_format(address, text));
}

static void format_range(struct text *out, const struct nat_range *nat)
{
	bool brackets = nat->port_min && !ip_is_v4(&nat->addr_min);

	text_add(out, "=");
	format_address(out, &nat->addr_min, brackets);
	if (!ip_equal(&nat->addr_min, &nat->addr_max)) {
		text_add(out, "-");
		format_address(out, &nat->addr_max, brackets);
	}
	if (nat->port_min)
		text_add(out, ":%u", nat->port_min);
	if (nat->port_max != nat->port_min)
		text_add(out, "-%u", nat->port_max);
	text_add(out, "%s%s%s", nat->flags & NAT_PERSISTENT ? ",persistent" : "",
	         nat->flags & NAT_HASH ? ",hash" : "", nat->flags & NAT_RANDOM ? ",random" : "");
}

void nat_format(struct text *out, const struct nat_range *nat)
{
	text_add(out, "nat");
	if (!(nat->flags & (NAT_SRC | NAT_DST)))
		return;
	text_add(out, nat->flags & NAT_SRC ? "(src" : "(dst");
	if (!ip_is_none(&nat->addr_min)) /* the other flags are about a range */
		format_range(out, nat);
	text_add(out, ")");
}

static void format_alg(struct text *out, uint16_t alg)
{
	for (unsigned i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		if (algs[i].alg == alg) {
			text_add(out, "alg=%s,", algs[i].name);
			return;
		}
	}
	if (alg)
		text_add(out, "alg=%u,", alg);
}

void ct_format(struct text *out, const struct action_ct *ct, const struct port_names *names)
{
	struct action_list rest = ct->exec; /* borrowed */

	text_add(out, "ct(%s%s", ct->flags & CT_COMMIT ? "commit," : "",
	         ct->flags & CT_FORCE ? "force," : "");
	if (ct->table_id != 0xff)
		text_add(out, "table=%u,", ct->table_id);
	if (ct->zone_src.bits) {
		text_add(out, "zone=");
		subfield_format(out, &ct->zone_src);
		text_add(out, ",");
	} else if (ct->zone) {
		text_add(out, "zone=%u,", ct->zone);
	}
	if (rest.n && rest.items->type == ACTION_NAT) {
		nat_format(out, &rest.items->nat);
		text_add(out, ",");
		rest.items++;
		rest.n--;
	}
	if (rest.n) {
		text_add(out, "exec(");
		actions_format(out, &rest, names);
		text_add(out, "),");
	}
	format_alg(out, ct->alg);
	text_chomp(out, ',');
	text_add(out, ")");
}
