/* SPDX-License-Identifier: Apache-2.0 */
/* Debian's ovs-ofctl as a client of a fake switch, for tests of the OpenFlow endpoint. One at a time: set_up
 * and tear_down are a suite's init and fini; the test is skipped when ovs-ofctl is not installed. */
#ifndef TESTS_LIB_OFCTL_CLIENT_H
#define TESTS_LIB_OFCTL_CLIENT_H

#include <stdbool.h>

struct fake_switch;

void ofctl_set_up(void);
void ofctl_tear_down(void);
struct fake_switch *ofctl_switch(void);
const char *ofctl_dir(void);  /* for files, removed with what `ofctl_write` made */
const char *ofctl_path(void); /* of the switch's socket */

/* Options that come first in every command, such as "-O OpenFlow13"; "" at first. Borrowed. */
void ofctl_protocol(const char *options);

/* Runs "ovs-ofctl OPTIONS VERB unix:PATH REST"; its exit status. */
int ofctl(const char *verb, const char *rest);
/* What the last one printed, on both streams. */
const char *ofctl_output(void);

void ofctl_ok(const char *verb, const char *rest);      /* must end well, without OFPT_ERROR */
void ofctl_refused(const char *verb, const char *rest); /* must not end well */
void ofctl_prints(const char *wanted);
void ofctl_prints_not(const char *unwanted);

/* A file of lines; returns its path, valid until the next call. */
const char *ofctl_write(const char *text);

/* "ovs-ofctl OPTIONS monitor unix:PATH REST" in the background: returns once it has set up what it asks for.
 */
void ofctl_monitor_start(const char *rest);
/* Waits until it has printed `wanted`; fails after 10 s. */
void ofctl_monitor_prints(const char *wanted);
void ofctl_monitor_stop(void);

#endif
