/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blocking OpenFlow 1.3 client for command-line tools.
 *
 * What: connects to a switch's socket, agrees on a version, sends messages and waits for their replies.
 * Thread-safety: one thread per client. Every wait is bounded by the timeout given at connect.
 * Life cycle: connect -> calls -> close. After a failed call the connection is unusable, but for errors that
 * the switch itself replied with (`-EPROTO`, text from the error message).
 */
#ifndef CONTROL_OPENFLOW_CLIENT_H
#define CONTROL_OPENFLOW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct ofp_client;

/* `path`: a unix socket, or tcp:HOST[:PORT] (6653 when there is none). `timeout_ms`: bound of each wait. NULL
 * with `e` filled when it fails. */
struct ofp_client *ofp_client_connect(const char *path, int timeout_ms, struct error *e);
void ofp_client_close(struct ofp_client *client); /* NULL is legal */

/* Every message starts with the 8-byte OpenFlow header, made by the writers in messages.h; its xid is
 * overwritten here.
 */

/* Sends one message without waiting. Errors the switch replies with surface in the next ofp_client_barrier().
 */
int ofp_client_send(struct ofp_client *client, const void *message, size_t len, struct error *e);

/* Sends a message and waits for the one with the same xid. The reply (`*reply`, `*reply_len`) belongs to the
 * client until its next call. An error reply gives -EPROTO. */
int ofp_client_transact(struct ofp_client *client, const void *message, size_t len, const uint8_t **reply,
                        size_t *reply_len, struct error *e);

/* Waits until the switch has carried out all that was sent before. -EPROTO when it refused one of them. */
int ofp_client_barrier(struct ofp_client *client, struct error *e);

/* The xid that the next message gets: a message inside a bundle has to carry that of the message around it.
 */
uint32_t ofp_client_next_xid(const struct ofp_client *client);

/* Changes as one version or none (ONF extension 230, client_bundle.c). `open` starts a bundle, `add` puts a
 * flow_mod into it, `commit` carries it out; what the switch refuses is told there (-EPROTO). One bundle at a
 * time. */
struct flow_mod;
int ofp_client_bundle_open(struct ofp_client *client, struct error *e);
int ofp_client_bundle_add(struct ofp_client *client, const struct flow_mod *fm, struct error *e);
int ofp_client_bundle_commit(struct ofp_client *client, struct error *e);

/* Sends a message and hands every reply to it, whole, to `each`: one, or those of a multipart until the last,
 * or the error. A negative return of `each` ends it with that value. */
int ofp_client_ask(struct ofp_client *client, const void *message, size_t len,
                   int (*each)(const uint8_t *reply, size_t len, void *arg, struct error *e), void *arg,
                   struct error *e);

/* The next message, whatever it is, however long it takes; valid until the next call. With `answer`, echo
 * requests are answered. */
int ofp_client_hear(struct ofp_client *client, bool answer, const uint8_t **message, size_t *len,
                    struct error *e);

/* `refused` gets the first error message, whole, of those that make a call fail with -EPROTO. */
void ofp_client_on_error(struct ofp_client *client,
                         void (*refused)(const uint8_t *message, size_t len, void *arg), void *arg);

/* Sends a multipart request and hands the body (after the 16-byte multipart header) of each reply message to
 * `each` until the last. A negative return of `each` ends it with that value. */
int ofp_client_multipart(struct ofp_client *client, const void *message, size_t len,
                         int (*each)(const uint8_t *body, size_t len, void *arg, struct error *e), void *arg,
                         struct error *e);

#endif
