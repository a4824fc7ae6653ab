/* SPDX-License-Identifier: Apache-2.0 */
/* Field values as text, both ways, by the text form that the field table names. Called by match_text and the
 * action parsers. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "flows/lex.h"

struct flag_name {
	const char *name;
	uint32_t bit;
};

static const struct flag_name tcp_flag_names[] = {
        {"fin", 1},       {"syn", 2},       {"rst", 4},    {"psh", 8},    {"ack", 0x10},
        {"urg", 0x20},    {"ece", 0x40},    {"cwr", 0x80}, {"ns", 0x100}, {"[200]", 0x200},
        {"[400]", 0x400}, {"[800]", 0x800}, {NULL, 0}};
static const struct flag_name tun_flag_names[] = {{"oam", 1}, {NULL, 0}};
static const struct flag_name ct_state_names[] = {{"new", 1},     {"est", 2},     {"rel", 4},
                                                  {"rpl", 8},     {"inv", 0x10},  {"trk", 0x20},
                                                  {"snat", 0x40}, {"dnat", 0x80}, {NULL, 0}};

static const struct flag_name *flag_names(enum field_text text)
{
	return text == FIELD_TEXT_TCP_FLAGS   ? tcp_flag_names
	       : text == FIELD_TEXT_TUN_FLAGS ? tun_flag_names
	                                      : ct_state_names;
}

/* nw_frag has words for the useful combinations of its two bits. */
static const struct {
	const char *name;
	uint8_t value, mask;
} frag_names[] = {
        {"no", 0, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
        {"yes", FLOW_FRAG_ANY, FLOW_FRAG_ANY},
        {"first", FLOW_FRAG_ANY, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
        {"later", FLOW_FRAG_ANY | FLOW_FRAG_LATER, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
        {"not_later", 0, FLOW_FRAG_LATER},
};

/* ---- parsing ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'                     ? c - '0'
	       : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
	                                                : -1;
}

/* Six numbers of one or two digits. */
static bool parse_mac(struct slice s, struct field_value *v)
{
	uint8_t bytes[6] = {0};
	unsigned n = 0, digits = 0;

	for (size_t i = 0; i < s.len; i++) {
		int digit = hex_digit(s.p[i]);

		if (s.p[i] == ':' && digits && n < 5) {
			n++;
			digits = 0;
		} else if (digit >= 0 && digits < 2) {
			bytes[n] = (uint8_t)(bytes[n] << 4 | digit);
			digits++;
		} else {
			return false;
		}
	}
	*v = value_from_bytes(bytes, 6);
	return n == 5 && digits;
}

static bool parse_ip(struct slice s, int family, struct field_value *v)
{
	uint8_t bytes[16];
	char text[64];

	if (!slice_copy(s, text, sizeof(text)) || inet_pton(family, text, bytes) != 1)
		return false;
	*v = value_from_bytes(bytes, family == AF_INET ? 4 : 16);
	return true;
}

/* Decimal up to 64 bits, hex up to 128. */
static bool parse_integer(struct slice s, struct field_value *v)
{
	uint64_t n;

	if (slice_number(s, &n)) {
		*v = value_from_u64(n);
		return true;
	}
	if (s.len < 3 || s.len > 34 || s.p[0] != '0' || (s.p[1] | 0x20) != 'x')
		return false;
	memset(v, 0, sizeof(*v));
	for (size_t i = 0; i < s.len - 2; i++) {
		char c = s.p[s.len - 1 - i];
		unsigned digit =
		        isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);

		if (!isxdigit((unsigned char)c))
			return false;
		v->b[15 - i / 2] |= (uint8_t)(i % 2 ? digit << 4 : digit);
	}
	return true;
}

/* A word up to the next sign or bar; moves on behind it. */
static bool take_flag(struct slice *s, const struct flag_name *names, uint32_t *bit)
{
	size_t len = 0;

	while (len < s->len && !strchr("+-|", s->p[len]))
		len++;
	for (; names->name; names++) {
		if (slice_is((struct slice){s->p, len}, names->name)) {
			*bit = names->bit;
			s->p += len;
			s->len -= len;
			return true;
		}
	}
	return false;
}

/* "+syn-ack" sets a mask; "syn|ack" is exact. */
static bool parse_flags(enum field_id id, struct slice s, struct field_value *v, struct field_value *mask)
{
	const struct flag_name *names = flag_names(fields[id].text);
	bool is_signed = s.len && (*s.p == '+' || *s.p == '-');
	uint32_t value = 0, seen = 0, bit;

	while (s.len) {
		char sign = is_signed ? *s.p : '+';

		if (is_signed || seen) {
			if (is_signed ? !strchr("+-", *s.p) : *s.p != '|')
				return false;
			s.p++;
			s.len--;
		}
		if (!take_flag(&s, names, &bit) || (seen & bit))
			return false;
		seen |= bit;
		if (sign == '+')
			value |= bit;
	}
	*v = value_from_u64(value);
	if (is_signed)
		*mask = value_from_u64(seen);
	return seen != 0;
}

static const char *expectation(enum field_text text)
{
	switch (text) {
	case FIELD_TEXT_MAC:
		return "an Ethernet address";
	case FIELD_TEXT_IPV4:
		return "an IPv4 address";
	case FIELD_TEXT_IPV6:
		return "an IPv6 address";
	case FIELD_TEXT_PORT:
		return "a port number or name";
	case FIELD_TEXT_FRAG:
		return "no, yes, first, later or not_later";
	case FIELD_TEXT_TCP_FLAGS:
		return "flags as in +syn-ack or syn|ack, or a number";
	case FIELD_TEXT_TUN_FLAGS:
		return "+oam, -oam or a number";
	case FIELD_TEXT_CT_STATE:
		return "flags as in +trk-new, or a number";
	default:
		return "a number";
	}
}

static bool parse_one(struct lex *lex, enum field_id id, struct slice s, struct field_value *v)
{
	char text[64];
	uint32_t port;

	switch (fields[id].text) {
	case FIELD_TEXT_MAC:
		return parse_mac(s, v);
	case FIELD_TEXT_IPV4:
		return parse_ip(s, AF_INET, v);
	case FIELD_TEXT_IPV6:
		return parse_ip(s, AF_INET6, v);
	case FIELD_TEXT_PORT:
		if (!slice_copy(s, text, sizeof(text)) || port_parse(text, lex->names, &port))
			return false;
		*v = value_from_u64(fields[id].bits == 16 ? port & 0xffff : port);
		return true;
	default:
		return parse_integer(s, v);
	}
}

static int parse_mask(struct lex *lex, enum field_id id, struct slice s, struct field_value *mask)
{
	const struct field *f = &fields[id];
	bool address = f->text == FIELD_TEXT_IPV4 || f->text == FIELD_TEXT_IPV6;
	uint64_t prefix;

	if (address && slice_number(s, &prefix)) {
		if (prefix > f->bits)
			return lex_error(lex, s, "%s: expected a prefix length from 0 to %u", f->name,
			                 f->bits);
		*mask = value_ones(f->bits - (unsigned)prefix, (unsigned)prefix);
		return 0;
	}
	if (!parse_one(lex, id, s, mask))
		return lex_error(lex, s, "%s: expected a mask (%s)", f->name, expectation(f->text));
	return 0;
}

/* VLAN ids are written with (vlan_vid) or without (dl_vlan) room for the presence bit; of ct_state's 32 bits
 * eight mean something. */
unsigned field_text_bits(enum field_id id)
{
	return id == FIELD_VLAN_VID   ? 13
	       : id == FIELD_DL_VLAN  ? 16
	       : id == FIELD_CT_STATE ? 8
	                              : fields[id].bits;
}

static int check_width(struct lex *lex, enum field_id id, struct slice s, const struct field_value *v)
{
	unsigned bits = field_text_bits(id);

	if (value_fits(v, bits) &&
	    !(id == FIELD_DL_VLAN && value_to_u64(v) > 0xfff && value_to_u64(v) != 0xffff))
		return 0;
	return lex_error(lex, s, "%s: value too large, expected at most %u bits", fields[id].name,
	                 fields[id].bits);
}

static int parse_words(struct lex *lex, enum field_id id, struct slice s, struct field_value *v,
                       struct field_value *mask)
{
	for (unsigned i = 0; i < sizeof(frag_names) / sizeof(frag_names[0]); i++) {
		if (slice_is(s, frag_names[i].name)) {
			*v = value_from_u64(frag_names[i].value);
			*mask = value_from_u64(frag_names[i].mask);
			return 0;
		}
	}
	return lex_error(lex, s, "%s: expected %s", fields[id].name, expectation(FIELD_TEXT_FRAG));
}

static int parse_masked(struct lex *lex, enum field_id id, struct slice s, struct field_value *v,
                        struct field_value *mask)
{
	const struct field *f = &fields[id];
	struct slice left = s, right;
	bool masked = slice_split(s, '/', &left, &right);
	int rc;

	if (masked && f->text == FIELD_TEXT_PORT)
		return lex_error(lex, right, "%s: expected no mask", f->name);
	if (!parse_one(lex, id, left, v))
		return lex_error(lex, left, "%s: expected %s", f->name, expectation(f->text));
	rc = check_width(lex, id, left, v);
	if (rc || !masked)
		return rc;
	rc = parse_mask(lex, id, right, mask);
	if (!rc)
		rc = check_width(lex, id, right, mask);
	if (!rc && !f->maskable) {
		struct field_value full = value_ones(0, 8u * f->bytes);

		/* All or nothing, and all means every bit of the wire's value, more than some fields have. */
		if (memcmp(mask, &full, sizeof(full)) && !value_is_zero(mask))
			rc = lex_error(lex, right, "%s: expected no mask", f->name);
	}
	return rc;
}

int field_parse(struct lex *lex, enum field_id id, struct slice s, struct field_value *v,
                struct field_value *mask)
{
	enum field_text text = fields[id].text;
	int rc;

	*mask = value_ones(0, field_text_bits(id));
	if (slice_is(s, "*") || slice_is(s, "ANY")) {
		memset(v, 0, sizeof(*v));
		memset(mask, 0, sizeof(*mask));
		return 0;
	}
	if (text == FIELD_TEXT_FRAG) {
		rc = parse_words(lex, id, s, v, mask);
	} else if ((text == FIELD_TEXT_TCP_FLAGS || text == FIELD_TEXT_TUN_FLAGS ||
	            text == FIELD_TEXT_CT_STATE) &&
	           s.len && !isdigit((unsigned char)*s.p)) {
		rc = parse_flags(id, s, v, mask)
		             ? 0
		             : lex_error(lex, s, "%s: expected %s", fields[id].name, expectation(text));
	} else {
		rc = parse_masked(lex, id, s, v, mask);
	}
	for (unsigned i = 0; i < 16 && !rc; i++)
		v->b[i] &= mask->b[i];
	return rc;
}

/* ---- formatting ---- */

void value_format_hex(struct text *out, const struct field_value *v)
{
	unsigned i = 0;

	while (i < 15 && !v->b[i])
		i++;
	if (value_is_zero(v)) {
		text_add(out, "0");
		return;
	}
	text_add(out, "0x%x", v->b[i]);
	while (++i < 16)
		text_add(out, "%02x", v->b[i]);
}

static void format_mac(struct text *out, const struct field_value *v)
{
	const uint8_t *b = v->b + 10;

	text_add(out, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

static void format_ip(struct text *out, int family, const struct field_value *v)
{
	char text[INET6_ADDRSTRLEN];

	text_add(out, "%s", inet_ntop(family, v->b + (family == AF_INET ? 12 : 0), text, sizeof(text)));
}

/* The number of leading ones of an address mask, or -1 when it is not a prefix. */
static int prefix_of(const struct field_value *mask, unsigned bits)
{
	for (unsigned n = 0; n <= bits; n++) {
		struct field_value m = value_ones(bits - n, n);

		if (!memcmp(&m, mask, sizeof(m)))
			return (int)n;
	}
	return -1;
}

static void format_address(struct text *out, enum field_id id, const struct field_value *v,
                           const struct field_value *mask, bool full)
{
	int family = fields[id].text == FIELD_TEXT_IPV4 ? AF_INET : AF_INET6;
	int prefix = prefix_of(mask, fields[id].bits);

	format_ip(out, family, v);
	if (full)
		return;
	if (prefix >= 0) {
		text_add(out, "/%d", prefix);
	} else {
		text_add(out, "/");
		format_ip(out, family, mask);
	}
}

static void format_flags(struct text *out, enum field_id id, uint32_t value, uint32_t mask, bool full)
{
	const struct flag_name *names = flag_names(fields[id].text);
	bool exact = full && fields[id].text != FIELD_TEXT_TUN_FLAGS;

	if (exact && !value) {
		text_add(out, "0");
		return;
	}
	for (; names->name; names++) {
		if (exact && (value & names->bit))
			text_add(out, "%s|", names->name);
		else if (!exact && (mask & names->bit))
			text_add(out, "%c%s", value & names->bit ? '+' : '-', names->name);
	}
	text_chomp(out, '|');
}

void tun_flags_format(struct text *out, const struct field_value *v)
{
	text_add(out, value_is_zero(v) ? "0" : "oam");
}

static void format_frag(struct text *out, uint8_t value, uint8_t mask)
{
	const char *name = "<error>";

	for (unsigned i = 0; i < sizeof(frag_names) / sizeof(frag_names[0]); i++) {
		if (frag_names[i].value == value && frag_names[i].mask == mask)
			name = frag_names[i].name;
	}
	if (mask == FLOW_FRAG_ANY && !value)
		name = "no";
	else if (mask == FLOW_FRAG_LATER && value)
		name = "later";
	text_add(out, "%s", name);
}

void field_format(struct text *out, enum field_id id, const struct field_value *v,
                  const struct field_value *mask, const struct port_names *names)
{
	struct field_value ones = value_ones(0, field_text_bits(id));
	bool full = !memcmp(mask, &ones, sizeof(ones));

	switch (fields[id].text) {
	case FIELD_TEXT_MAC:
		format_mac(out, v);
		if (!full) {
			text_add(out, "/");
			format_mac(out, mask);
		}
		return;
	case FIELD_TEXT_IPV4:
	case FIELD_TEXT_IPV6:
		format_address(out, id, v, mask, full);
		return;
	case FIELD_TEXT_PORT: {
		uint32_t port = (uint32_t)value_to_u64(v);

		port_format(out, fields[id].bits == 16 && port >= 0xff00 ? port | 0xffff0000u : port, names);
		return;
	}
	case FIELD_TEXT_FRAG:
		format_frag(out, v->b[15], mask->b[15]);
		return;
	case FIELD_TEXT_TCP_FLAGS:
	case FIELD_TEXT_TUN_FLAGS:
	case FIELD_TEXT_CT_STATE:
		format_flags(out, id, (uint32_t)value_to_u64(v), (uint32_t)value_to_u64(mask), full);
		return;
	case FIELD_TEXT_DECIMAL:
		if (full) {
			text_add(out, "%llu", (unsigned long long)value_to_u64(v));
			return;
		}
		text_add(out, "0x%llx/0x%llx", (unsigned long long)value_to_u64(v),
		         (unsigned long long)value_to_u64(mask));
		return;
	case FIELD_TEXT_HEX:
		break;
	}
	value_format_hex(out, v);
	if (!full) {
		text_add(out, "/");
		value_format_hex(out, mask);
	}
}
