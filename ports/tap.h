/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap port and the kernel side it shares with the exception path of uplinks (exception.h): a tap netdev
 * with virtio-net headers, so that offloads pass both ways.
 *
 * Design: one read or write for each packet, no queue of our own: it is for the host's own traffic. The
 * kernel copies straight from where the payload lies.
 *
 * Thread-safety: tap_rx: one worker. tap_tx: any. Open and close: control thread.
 *
 * Life cycle: tap_open -> ... -> tap_close when no worker uses it; the netdev goes with it, also when the
 * process dies.
 */
#ifndef PORTS_TAP_H
#define PORTS_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/dp/packet.h"
#include "base/wire.h"
#include "ports/port.h"

enum { TAP_BURST = 16, TAP_FRAME_MAX = 65536 + 256 };

struct tap {
	int fd;
	uint32_t caps;   /* enum port_cap that the kernel takes */
	uint8_t *frames; /* TAP_BURST frames of TAP_FRAME_MAX bytes: what was received since the last release
	                  */
	char dev[16];
};

/* Creates the netdev `dev` (an error when it exists already) and opens it non-blocking; it goes away with the
 * fd. `mtu` 0 leaves the kernel's default. 0 or -errno. Control thread. */
int tap_open(struct tap *t, const char *dev, uint32_t mtu, struct error *e);
void tap_close(struct tap *t);

/* Of the netdev `dev`. 0 or -errno. Control thread. */
int tap_set_mtu(const char *dev, uint32_t mtu, struct error *e);
int tap_set_mac(const char *dev, struct mac mac, struct error *e);
int tap_get_mac(const char *dev, struct mac *mac, struct error *e);

/* Takes up to min(max, TAP_BURST) frames that the kernel sends; they stay valid until the next call. Refused
 * frames are counted on `port` for `worker`. Worker. */
unsigned tap_rx(struct tap *t, struct port *port, unsigned worker, struct packet **pkts, unsigned max);

/* Gives one packet to the kernel, cut and checksummed if the kernel could not; counts tx or the drop on
 * `port`. Worker; several workers may call it at once. */
void tap_tx(struct tap *t, struct port *port, unsigned worker, struct packet *p);

extern const struct port_type port_type_tap;

#endif
