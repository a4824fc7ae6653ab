/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message that weft-ofctl prints: what a switch sends is not trusted. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text out = {0};
	struct printer p = {.out = &out, .verbosity = 3};
	uint8_t *message;

	if (size < OFP_HEADER_LEN || size > OFP_MESSAGE_MAX)
		return 0;
	message = malloc(size); /* of its own, so that a byte too far is seen */
	if (!message)
		return 0;
	memcpy(message, data, size);
	message[0] = OFP_VERSION_13;
	message[2] = (uint8_t)(size >> 8);
	message[3] = (uint8_t)size;
	message_print(&p, message, size);
	free(message);
	text_free(&out);
	return 0;
}
