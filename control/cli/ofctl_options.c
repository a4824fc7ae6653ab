/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl: options of tunnels as fields. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"

/* Moves `at` over `word` and the number behind it, in C notation. */
static bool take(const char **at, const char *word, unsigned long max, unsigned long *out)
{
	size_t n = strlen(word);
	char *end;

	if (strncmp(*at, word, n) || (*at)[n] < '0' || (*at)[n] > '9')
		return false;
	*out = strtoul(*at + n, &end, 0);
	*at = end;
	return *out <= max;
}

/* {class=CLASS,type=TYPE,len=LENGTH}->tun_metadataN */
static bool take_option(const char **at, struct nx_option *option)
{
	unsigned long option_class, type, len, index;

	if (!take(at, "{class=", UINT16_MAX, &option_class) || !take(at, ",type=", UINT8_MAX, &type) ||
	    !take(at, ",len=", UINT8_MAX, &len) || !take(at, "}->tun_metadata", UINT16_MAX, &index))
		return false;
	*option = (struct nx_option){(uint16_t)option_class, (uint8_t)type, (uint8_t)len, (uint16_t)index};
	return true;
}

static int put_options(struct ofp_writer *w, const char *text)
{
	while (*text) {
		struct nx_option option;

		text += *text == ',';
		if (!take_option(&text, &option))
			return ofctl_fail("invalid tlv mapping");
		nx_put_option(w, &option);
	}
	return 0;
}

int ofctl_mod_options(struct ofctl *ctl, int argc, char **argv)
{
	bool add = !strcmp(argv[0], "add-tlv-map");
	struct ofp_writer w = {0};
	size_t start = ofp_begin_nicira(&w, NXT_TLV_TABLE_MOD, 0);
	int rc = 0;

	ofp_put_u16(&w, add ? NX_OPTIONS_ADD : argc > 2 ? NX_OPTIONS_DELETE : NX_OPTIONS_CLEAR);
	ofp_put_zero(&w, 6);
	if (argc > 2)
		rc = put_options(&w, argv[2]);
	ofp_end(&w, start);
	if (!rc)
		rc = ofctl_connect(ctl, argv[1]);
	if (!rc)
		rc = ofctl_send(ctl, &w);
	ofp_writer_free(&w);
	return rc ? rc : ofctl_barrier(ctl);
}

int ofctl_dump_options(struct ofctl *ctl, int argc, char **argv)
{
	struct ofp_writer w = {0};
	int rc = ofctl_connect(ctl, argv[1]);

	if (rc)
		return rc;
	ofp_end(&w, ofp_begin_nicira(&w, NXT_TLV_TABLE_REQUEST, 0));
	return ofctl_print_replies(ctl, &w);
}
