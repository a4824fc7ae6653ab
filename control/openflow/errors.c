/* SPDX-License-Identifier: Apache-2.0 */
/* Names of OpenFlow errors, for log lines and for the text a client shows. */
#include "control/openflow/errors.h"

#include <stddef.h>

const char *ofp_error_name(enum ofp_error e)
{
	switch (e) {
	case OFP_OK:
		return "OK";
#define X(name, type, code)                                                                                  \
	case name:                                                                                           \
		return #name;
		OFP_ERRORS(X)
#undef X
	}
	return NULL;
}
