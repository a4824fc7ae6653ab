/* SPDX-License-Identifier: Apache-2.0 */
/* multipath as text, both ways: a list of words without keys. Called by the files that parse and print
 * actions. */
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

/* ---- reading ---- */

/* Takes the next word off `rest`; empty at the end. */
static struct slice next_word(struct slice *rest)
{
	static const char separators[] = ", ";
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
		word[i] = next_word(&rest);
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

/* ---- printing ---- */

void multipath_format(struct text *out, const struct action_multipath *m)
{
	text_add(out, "multipath(%s,%u,%s,%u,%u,", hashes[m->fields], m->basis, algorithms[m->algorithm],
	         m->max_link + 1u, m->arg);
	subfield_format(out, &m->dst);
	text_add(out, ")");
}
