/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl --color: flows as dump-flows prints them, with the colours of ovs-ofctl. The text is coloured
 * word by word when it is all there, so that what makes it knows nothing of colours. */
#include <ctype.h>
#include <string.h>

#include "control/cli/ofctl.h"

enum color { PLAIN, ACTIONS, DROP, LEARN, PARAMETER, PAREN, SPECIAL, VALUE };

static void put(FILE *to, enum color color, const char *text, size_t n)
{
	static const char *const codes[] = {
	        [ACTIONS] = "1;31", [DROP] = "34",    [LEARN] = "31", [PARAMETER] = "36",
	        [PAREN] = "35",     [SPECIAL] = "33", [VALUE] = "32",
	};

	if (color == PLAIN)
		fprintf(to, "%.*s", (int)n, text);
	else
		fprintf(to, "\033[%sm\033[K%.*s\033[m\033[K", codes[color], (int)n, text);
}

static bool is_one_of(const char *const *words, const char *text, size_t n)
{
	for (; *words; words++)
		if (strlen(*words) == n && !memcmp(*words, text, n))
			return true;
	return false;
}

/* "table=", "in_port=" */
static enum color color_of_key(const char *text, size_t n)
{
	static const char *const special[] = {"table", "priority", NULL};

	return is_one_of(special, text, n) ? SPECIAL : PARAMETER;
}

/* "output:", "meter:" */
static enum color color_of_action(const char *text, size_t n)
{
	static const char *const special[] = {"output", "load",     "set_field", "move",
	                                      "group",  "resubmit", NULL};

	if (isupper((unsigned char)*text))
		return PLAIN;
	return is_one_of(special, text, n) ? SPECIAL : PARAMETER;
}

/* "exit", "pop_vlan", "NORMAL", "NXM_OF_ETH_DST[]" of a learn */
static enum color color_of_word(const char *text, size_t n)
{
	static const char *const special[] = {"exit", NULL}, *const drop[] = {"drop", NULL};
	static const char *const paren[] = {"dec_ttl", NULL};

	if (text[n - 1] == ']')
		return PARAMETER;
	if (!islower((unsigned char)*text))
		return PLAIN;
	return is_one_of(special, text, n) ? SPECIAL
	       : is_one_of(drop, text, n)  ? DROP
	       : is_one_of(paren, text, n) ? PAREN
	                                   : VALUE;
}

/* What stands behind a key: to the next of `ends`, an arrow coloured. */
static const char *put_value(FILE *to, const char *at, const char *end, const char *ends)
{
	const char *start = at;

	while (at < end && !strchr(ends, *at)) {
		if (at + 1 < end && at[0] == '-' && at[1] == '>') {
			put(to, PLAIN, start, (size_t)(at - start));
			put(to, SPECIAL, at, 2);
			start = at += 2;
		} else {
			at++;
		}
	}
	put(to, PLAIN, start, (size_t)(at - start));
	return at;
}

static const char *put_list(FILE *to, const char *at, const char *end);

/* "multipath(" and "bundle(" from behind the "(" on: of their words only "members:" has a colour. */
static const char *put_words(FILE *to, const char *at, const char *end)
{
	static const char members[] = "members:";
	const char *list = strstr(at, members);

	if (list && list < end && list < at + strcspn(at, ")")) {
		put(to, PLAIN, at, (size_t)(list - at));
		put(to, PARAMETER, list, sizeof(members) - 1);
		at = list + sizeof(members) - 1;
	}
	at = put_value(to, at, end, ")");
	if (at < end)
		put(to, PAREN, at++, 1);
	return at;
}

/* "check_pkt_larger(1500)->NXM_NX_REG0[0]" */
static const char *put_check(FILE *to, const char *word, const char *paren, const char *end)
{
	const char *at = paren + 1;

	while (at < end && *at != ')')
		at++;
	for (at += at < end; at < end && *at != ',' && *at != ')';)
		at++;
	put(to, PARAMETER, word, (size_t)(paren + 1 - word));
	put(to, PLAIN, paren + 1, (size_t)(at - paren - 1));
	return at;
}

/* "learn(...)" from its "(" on, and the word in front. */
static const char *put_nested(FILE *to, const char *word, const char *paren, const char *end)
{
	bool learn = !strncmp(word, "learn(", 6);
	const char *at;

	if (!strncmp(word, "output(", 7)) { /* as ovs-ofctl has it */
		put(to, SPECIAL, word, (size_t)(paren - word));
		at = put_value(to, paren, end, ")");
		put(to, PLAIN, at, at < end);
		return at + (at < end);
	}
	if (!strncmp(word, "check_pkt_larger(", 17))
		return put_check(to, word, paren, end);
	put(to, learn ? LEARN : PAREN, word, (size_t)(paren + 1 - word));
	if (!strncmp(word, "multipath(", 10) || !strncmp(word, "bundle", 6))
		return put_words(to, paren + 1, end);
	at = put_list(to, paren + 1, end);
	if (at < end)
		put(to, learn ? LEARN : PAREN, at++, 1);
	return at;
}

/* Actions, or what a learn is made of, up to the ")" that ends them. */
static const char *put_list(FILE *to, const char *at, const char *end)
{
	while (at < end && *at != ')') {
		const char *word = at;
		size_t n;

		while (at < end && !strchr(",:=()", *at))
			at++;
		n = (size_t)(at - word);
		if (at < end && *at == '(') {
			at = put_nested(to, word, at, end);
		} else if (at < end && *at == ':') {
			put(to, color_of_action(word, n), word, n + 1);
			at = put_value(to, at + 1, end, ",)");
		} else if (at < end && *at == '=') {
			if (n && word[n - 1] == ']') { /* two fields of a learn */
				put(to, PARAMETER, word, n);
				put(to, PARAMETER, at, 1);
			} else {
				put(to, color_of_key(word, n), word, n + 1);
			}
			at = put_value(to, at + 1, end, ",)");
		} else if (n) {
			put(to, color_of_word(word, n), word, n);
		}
		if (at < end && *at == ',')
			put(to, PLAIN, at++, 1);
	}
	return at;
}

/* Counters, flags and the match. */
static void put_head(FILE *to, const char *at, const char *end)
{
	static const char *const flags[] = {"send_flow_rem",    "check_overlap",  "reset_counts",
	                                    "no_packet_counts", "no_byte_counts", NULL};

	while (at < end) {
		const char *word = at;
		size_t n;

		while (at < end && !strchr(", =", *at))
			at++;
		n = (size_t)(at - word);
		if (at < end && *at == '=') {
			put(to, color_of_key(word, n), word, n + 1);
			at = put_value(to, at + 1, end, ", ");
		} else if (n) {
			put(to, is_one_of(flags, word, n) ? PLAIN : VALUE, word, n);
		}
		if (at < end)
			put(to, PLAIN, at++, 1);
	}
}

void ofctl_put_colored(FILE *to, const char *text)
{
	static const char actions[] = " actions=";

	while (*text) {
		const char *end = text + strcspn(text, "\n"), *at = strstr(text, actions);

		if (*text == ' ' && at && at < end) {
			put_head(to, text, at + 1);
			put(to, ACTIONS, at + 1, sizeof(actions) - 2);
			at = put_list(to, at + sizeof(actions) - 1, end);
			put(to, PLAIN, at, (size_t)(end - at));
		} else {
			put(to, PLAIN, text, (size_t)(end - text));
		}
		text = end;
		if (*text)
			put(to, PLAIN, text++, 1);
	}
}
