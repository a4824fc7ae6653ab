/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario: lines that open endpoints, send frames and say what must come out.
 *
 *	port NAME WHERE             WHERE as in endpoint.h
 *	send NAME PACKET            a packet as in packet_text.h
 *	send NAME gso=SIZE PACKET   TCP or UDP to be cut into segments of SIZE bytes
 *	                            (TSO, USO), as a guest sends it
 *	send NAME pcap:FILE         every packet of a capture
 *	expect NAME PACKET [ignore=FROM-TO,...]
 *	                            the next frame, byte by byte but for those named
 *	expect NAME pcap:FILE       the next frames
 *	expect NAME none            nothing, for 200 ms after everything sent before was delivered or dropped
 *	capture NAME FILE           what is received at NAME from here on is also written as pcap
 *	drain NAME                  forget what has come so far (waits until nothing comes for 200 ms)
 *	timeout SECONDS             how long an expect waits (default 5)
 *	run COMMAND...              a shell command that must succeed
 *	let NAME TEXT               $NAME stands for TEXT from here on (capitals, digits, _)
 *
 * and for a switch under test, once its management socket is given:
 *
 *	switch PATH                 the port "controller" gets packet-ins, and sends packet-outs to the tables
 *	flow FLOW | group GROUP     in the grammar of weft-ofctl
 *	meter ID pktps|kbps RATE BURST drop|remark LEVEL
 *	config PORT up|down|no-recv|no-fwd|no-packet-in
 *	clear                       takes flows, groups and meters away
 *	way FROM TO NUMBER          the ports of what follows; NUMBER is the OpenFlow number of TO
 *	match MATCH | PACKET | OTHER ...
 *	                            a flow with MATCH lets PACKET through unchanged,
 *	                            and none of the others
 *	act FLOW & ... | PACKET | RESULT ...
 *	                            what these flows alone make of packets: a packet
 *	                            at TO, PORT:PACKET, none
 *	pass PACKET | RESULT ...    the same with the flows that are there
 *	quiet FROM                  nothing more comes out anywhere: a marker sent at
 *	                            FROM is next at every port
 *
 * '#' starts a comment. The first line that fails ends the scenario.
 */
#ifndef TESTS_PKTGEN_SCENARIO_H
#define TESTS_PKTGEN_SCENARIO_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

/* Runs the lines of `in`; `verbose` prints each before it runs. 0, or -errno with "NAME:LINE: what" in `e`.
 */
int scenario_run(FILE *in, const char *name, bool verbose, struct error *e);

#endif
