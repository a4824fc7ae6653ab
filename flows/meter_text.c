/* SPDX-License-Identifier: Apache-2.0 */
/* Meters as text, both ways, in the grammar of ovs-ofctl. Called by weft-ofctl. */
#include <errno.h>

#include "flows/lex.h"

static const struct {
	const char *name;
	uint16_t flag;
} flag_names[] = {
        {"kbps", METER_KBPS}, {"pktps", METER_PKTPS}, {"burst", METER_BURST}, {"stats", METER_STATS}};

static void format_id(struct text *out, uint32_t id, char between)
{
	if (id == METER_ALL)
		text_add(out, "meter%call ", between);
	else
		text_add(out, "meter%c%u ", between, id);
}

void meter_format(struct text *out, const struct meter_mod *mm)
{
	format_id(out, mm->meter_id, '=');
	for (unsigned i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
		if (mm->flags & flag_names[i].flag)
			text_add(out, "%s ", flag_names[i].name);
	}
	text_add(out, "bands=");
	for (unsigned i = 0; i < mm->n_bands; i++) {
		const struct meter_band *b = &mm->bands[i];

		text_add(out, "\ntype=%s rate=%u", b->type == METER_DROP ? "drop" : "dscp_remark", b->rate);
		if (mm->flags & METER_BURST)
			text_add(out, " burst_size=%u", b->burst);
		if (b->type == METER_DSCP_REMARK)
			text_add(out, " prec_level=%u", b->prec_level);
	}
	text_add(out, "\n");
}

void meter_stats_format(struct text *out, const struct meter_stats *ms)
{
	format_id(out, ms->meter_id, ':');
	text_add(out, "flow_count:%u packet_in_count:%llu byte_in_count:%llu duration:", ms->flow_count,
	         (unsigned long long)ms->n_packets, (unsigned long long)ms->n_bytes);
	duration_format(out, ms->duration_ns);
	text_add(out, " bands:\n");
	for (unsigned i = 0; i < ms->n_bands; i++)
		text_add(out, "%u: packet_count:%llu byte_count:%llu\n", i,
		         (unsigned long long)ms->bands[i].n_packets,
		         (unsigned long long)ms->bands[i].n_bytes);
}

/* ---- parsing ---- */

static int parse_type(struct lex *lex, const struct item *it, struct meter_mod *mm)
{
	struct meter_band *band;

	if (mm->n_bands == METER_BANDS_MAX)
		return lex_error(lex, it->key, "expected at most %u bands", METER_BANDS_MAX);
	band = &mm->bands[mm->n_bands];
	*band = (struct meter_band){.type = METER_DROP};
	if (slice_is(it->value, "dscp_remark"))
		band->type = METER_DSCP_REMARK;
	else if (!slice_is(it->value, "drop"))
		return lex_error(lex, it->value, "type: expected drop or dscp_remark");
	mm->n_bands++;
	return 0;
}

/* What stands behind a band's type. */
static int parse_of_band(struct lex *lex, const struct item *it, struct meter_mod *mm)
{
	struct meter_band *band = mm->n_bands ? &mm->bands[mm->n_bands - 1] : NULL;
	uint64_t n;
	int rc;

	if (!band)
		return lex_error(lex, it->key, "expected meter, a flag or band=type=...");
	if (slice_is(it->key, "rate") || slice_is(it->key, "burst_size")) {
		rc = lex_number(lex, it->value, "rate or burst_size", 0xffffffff, &n);
		if (!rc)
			*(slice_is(it->key, "rate") ? &band->rate : &band->burst) = (uint32_t)n;
		return rc;
	}
	if (!slice_is(it->key, "prec_level"))
		return lex_error(lex, it->key, "expected type, rate, burst_size or prec_level");
	rc = lex_number(lex, it->value, "prec_level", 255, &n);
	if (!rc)
		band->prec_level = (uint8_t)n;
	return rc;
}

static int parse_id(struct lex *lex, struct slice value, struct meter_mod *mm)
{
	uint64_t n;
	int rc;

	if (slice_is(value, "all")) {
		mm->meter_id = METER_ALL;
		return mm->command == METER_DELETE ? 0
		                                   : lex_error(lex, value, "meter: \"all\" is for deleting");
	}
	rc = lex_number(lex, value, "meter", METER_MAX, &n);
	if (!rc && !n)
		rc = lex_error(lex, value, "meter: expected 1 to %u", METER_MAX);
	mm->meter_id = (uint32_t)n;
	return rc;
}

static int parse_item(struct lex *lex, const struct item *it, struct meter_mod *mm)
{
	struct item band = *it;

	for (unsigned i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
		if (!it->delimiter && slice_is(it->key, flag_names[i].name)) {
			mm->flags |= flag_names[i].flag;
			return 0;
		}
	}
	if (slice_is(it->key, "meter"))
		return parse_id(lex, it->value, mm);
	if (slice_is(it->key, "band") || slice_is(it->key, "bands")) { /* band=type=drop */
		if (!slice_split(it->value, '=', &band.key, &band.value) &&
		    !slice_split(it->value, ':', &band.key, &band.value))
			return lex_error(lex, it->value, "band: expected type=drop or type=dscp_remark");
		return slice_is(band.key, "type") ? parse_type(lex, &band, mm)
		                                  : lex_error(lex, band.key, "band: expected type=");
	}
	if (slice_is(it->key, "type"))
		return parse_type(lex, it, mm);
	return parse_of_band(lex, it, mm);
}

int meter_mod_parse(const char *text, enum meter_command command, struct meter_mod *mm, struct error *err)
{
	struct lex lex = {.start = text, .err = err};
	struct slice rest = slice_of(text);
	struct item it;
	int rc;

	*mm = (struct meter_mod){.command = command};
	while ((rc = lex_next(&lex, &rest, &it)) > 0) {
		rc = parse_item(&lex, &it, mm);
		if (rc)
			return rc;
	}
	if (rc)
		return rc;
	if (!mm->meter_id && command == METER_DELETE)
		mm->meter_id = METER_ALL;
	if (!mm->meter_id)
		return error_set(err, EINVAL, "expected meter=ID");
	if (command == METER_DELETE)
		return 0;
	if (!(mm->flags & METER_KBPS) == !(mm->flags & METER_PKTPS))
		return error_set(err, EINVAL, "expected either kbps or pktps");
	if (!mm->n_bands)
		return error_set(err, EINVAL, "expected at least one band=type=...");
	return 0;
}
