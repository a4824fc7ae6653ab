/* SPDX-License-Identifier: Apache-2.0 */
/* Runs an action program on a wide key instead of a packet, and writes down what leaves as the model does. */
#ifndef TESTS_DIFFERENTIAL_EXECUTE_H
#define TESTS_DIFFERENTIAL_EXECUTE_H

#include "flows/dp/program.h"
#include "tests/differential/model.h"

unsigned execute_program(const struct program *p, const struct flow_key *key,
                         struct model_event events[MODEL_EVENTS_MAX]);

#endif
