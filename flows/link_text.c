/* SPDX-License-Identifier: Apache-2.0 */
/* multipath and bundle as text, both ways: lists of words without keys. Called by the files that parse and
 * print actions. */
#include <stdlib.h>

#include "flows/action_parser.h"

static const char *const hashes[HASH_FIELDS] = {
        [HASH_ETH_SRC] = "eth_src",
        [HASH_SYMMETRIC_L4] = "symmetric_l4",
        [HASH_SYMMETRIC_L3L4] = "symmetric_l3l4",
        [HASH_SYMMETRIC_L3L4_UDP] = "symmetric_l3l4+udp",
        [HASH_NW_SRC] = "nw_src",
        [HASH_NW_DST] = "nw_dst",
        [HASH_SYMMETRIC_L3] = "symmetric_l3",
};

static const char *const algorithms[MULTIPATH_ALGORITHMS] = {
        [MULTIPATH_MODULO_N] = "modulo_n",
        [MULTIPATH_HASH_THRESHOLD] = "hash_threshold",
        [MULTIPATH_HRW] = "hrw",
        [MULTIPATH_ITER_HASH] = "iter_hash",
};

static const char *const bundle_algorithms[BUNDLE_ALGORITHMS] = {
        [BUNDLE_ACTIVE_BACKUP] = "active_backup",
        [BUNDLE_HRW] = "hrw",
};

/* ---- reading ---- */

/* Takes the next word off `rest`; empty at the end. */
static struct slice next_word(struct slice *rest, const char *separators)
{
	struct slice word;
	size_t i = 0;

	while (rest->len && strchr(separators, *rest->p)) {
		rest->p++;
		rest->len--;
	}
	while (i < rest->len && !strchr(separators, rest->p[i]))
		i++;
	word = (struct slice){rest->p, i};
	rest->p += i;
	rest->len -= i;
	return word;
}

static int take_name(struct parser *p, struct slice word, const char *who, const char *what,
                     const char *const *names, unsigned n, uint16_t *out)
{
	for (unsigned i = 0; i < n; i++)
		if (slice_is_nocase(word, names[i])) {
			*out = (uint16_t)i;
			return 0;
		}
	return lex_error(p->lex, word, "%s: unknown %s", who, what);
}

static int take_hash(struct parser *p, const char *who, struct slice fields_word, struct slice basis_word,
                     uint16_t *hashed, uint16_t *basis)
{
	uint64_t n = 0;
	int rc = take_name(p, fields_word, who, "fields", hashes, HASH_FIELDS, hashed);

	if (!rc)
		rc = lex_number(p->lex, basis_word, who, 0xffff, &n);
	*basis = (uint16_t)n;
	return rc;
}

/* FIELDS, BASIS, ALGORITHM, LINKS, ARG, DESTINATION */
int action_parse_multipath(struct parser *p, const struct row *row, const struct item *it)
{
	struct slice rest = it->value, word[7];
	struct action_multipath m = {.fields = 0};
	uint64_t links = 0, arg = 0;
	struct action *a;
	int rc;

	for (unsigned i = 0; i < 7; i++)
		word[i] = next_word(&rest, ", ");
	if (!word[5].len || word[6].len)
		return lex_error(p->lex, it->value,
		                 "multipath: expected (FIELDS,BASIS,ALGORITHM,LINKS,ARG,DESTINATION)");
	rc = take_hash(p, "multipath", word[0], word[1], &m.fields, &m.basis);
	if (!rc)
		rc = take_name(p, word[2], "multipath", "algorithm", algorithms, MULTIPATH_ALGORITHMS,
		               &m.algorithm);
	if (!rc)
		rc = lex_number(p->lex, word[3], "multipath: links", 65536, &links);
	if (!rc && !links)
		rc = lex_error(p->lex, word[3], "multipath: expected 1 to 65536 links");
	if (!rc)
		rc = lex_number(p->lex, word[4], "multipath: argument", 0xffffffff, &arg);
	if (!rc)
		rc = subfield_parse(p->lex, word[5], &m.dst);
	if (rc)
		return rc;
	m.max_link = (uint16_t)(links - 1);
	m.arg = (uint32_t)arg;
	APPEND(p, a, ACTION_MULTIPATH);
	a->multipath = m;
	return 0;
}

static int take_members(struct parser *p, struct slice rest, const char *who, struct action_bundle *b)
{
	struct slice word, all = rest;
	unsigned room = 1;

	while (next_word(&rest, ", []").len)
		room++;
	if (room - 1 > BUNDLE_MEMBERS_MAX)
		return lex_error(p->lex, all, "%s: expected at most %u members", who, BUNDLE_MEMBERS_MAX);
	b->members = calloc(room, sizeof(*b->members));
	if (!b->members)
		return parser_no_memory(p);
	for (rest = all; (word = next_word(&rest, ", []")).len; b->n_members++) {
		int rc = parser_take_port(p, word, &b->members[b->n_members]);

		if (rc)
			return rc;
	}
	return 0;
}

/* FIELDS, BASIS, ALGORITHM, "ofport", what bundle_load has a destination for, "members:" and the ports. */
int action_parse_bundle(struct parser *p, const struct row *row, const struct item *it)
{
	bool load = row->arg == ACTION_BUNDLE_LOAD;
	struct slice rest = it->value, word[5], members;
	struct action_bundle *b;
	struct action *a;
	int rc;

	for (unsigned i = 0; i < (load ? 5 : 4); i++)
		word[i] = next_word(&rest, ", ");
	members = next_word(&rest, ":, ");
	if (!members.len)
		return lex_error(p->lex, it->value,
		                 "%s: expected (FIELDS,BASIS,ALGORITHM,ofport,%smembers:PORT,...)", row->name,
		                 load ? "DESTINATION," : "");
	APPEND(p, a, row->arg);
	b = &a->bundle;
	rc = take_hash(p, row->name, word[0], word[1], &b->fields, &b->basis);
	if (!rc)
		rc = take_name(p, word[2], row->name, "algorithm", bundle_algorithms, BUNDLE_ALGORITHMS,
		               &b->algorithm);
	if (!rc && !slice_is_nocase(word[3], "ofport"))
		rc = lex_error(p->lex, word[3], "%s: expected ofport", row->name);
	if (!rc && load)
		rc = subfield_parse(p->lex, word[4], &b->dst);
	if (!rc && !slice_is_nocase(members, "members") && !slice_is_nocase(members, "slaves"))
		rc = lex_error(p->lex, members, "%s: expected members:", row->name);
	if (!rc && rest.len) {
		rest.p++; /* the colon */
		rest.len--;
		rc = take_members(p, rest, row->name, b);
	}
	return rc;
}

/* ---- printing ---- */

void multipath_format(struct text *out, const struct action_multipath *m)
{
	text_add(out, "multipath(%s,%u,%s,%u,%u,", hashes[m->fields], m->basis, algorithms[m->algorithm],
	         m->max_link + 1u, m->arg);
	subfield_format(out, &m->dst);
	text_add(out, ")");
}

void bundle_format(struct text *out, const struct action *a, const struct port_names *names)
{
	const struct action_bundle *b = &a->bundle;

	text_add(out, "%s(%s,%u,%s,ofport,", action_name(a->type), hashes[b->fields], b->basis,
	         bundle_algorithms[b->algorithm]);
	if (a->type == ACTION_BUNDLE_LOAD) {
		subfield_format(out, &b->dst);
		text_add(out, ",");
	}
	text_add(out, "members:");
	for (unsigned i = 0; i < b->n_members; i++) {
		if (i)
			text_add(out, ",");
		port_format(out, b->members[i], names);
	}
	text_add(out, ")");
}
