/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS between a connection and its socket, by OpenSSL.
 *
 * Design: a session owns no socket. Bytes from the peer go in, plain text and bytes for the peer come out, so
 * the loop, the limits and the queue stay those of connection.c. The names in certificates are not compared,
 * as in Open vSwitch.
 * Thread-safety: that of their context.
 */
#ifndef CONTROL_OPENFLOW_TLS_H
#define CONTROL_OPENFLOW_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "control/net/tls_context.h"
#include "control/openflow/buffer.h"

struct error;
struct tls_session;

/* NULL: no memory. */
struct tls_session *tls_session_create(struct tls_context *context, bool client);
void tls_session_free(struct tls_session *session);

/* Takes `n` bytes that came from the peer (none: starts the handshake of a client). Appends what they say to
 * `plain` and what is to be sent to `wire`. 0, or -EPROTO with `e`; `wire` may then hold a last alert. */
int tls_receive(struct tls_session *session, const void *bytes, size_t n, struct ofp_writer *plain,
                struct ofp_writer *wire, struct error *e);
/* Is the handshake done, the peer's certificate checked? Nothing can be sent before. */
bool tls_ready(const struct tls_session *session);
/* Encrypts `n` bytes to `wire`. 0 or -EPROTO. */
int tls_send(struct tls_session *session, const void *bytes, size_t n, struct ofp_writer *wire);

#endif
