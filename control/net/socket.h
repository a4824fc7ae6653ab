/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a server, over TCP, perhaps with TLS; nothing in it waits.
 *
 * With TLS the server must show a certificate of the CA's that names the host as it was given, be it a name
 * or an address, and must speak HTTP/2 (ALPN, RFC 7301). Thread-safety: one thread. Life cycle:
 * socket_connect -> socket_progress until ready -> read, write -> socket_close.
 */
#ifndef CONTROL_NET_SOCKET_H
#define CONTROL_NET_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

struct error;
struct net_socket;
struct tls_context;

/* Starts to connect to HOST (a name is looked up first; `turn` picks among its addresses) and PORT. `tls`:
 * NULL for plain TCP. 0 or -errno with `e`. */
int socket_connect(const char *host, const char *port, unsigned turn, struct tls_context *tls,
                   struct net_socket **out, struct error *e);
void socket_close(struct net_socket *s); /* NULL is legal */

int socket_fd(const struct net_socket *s);
/* POLLIN, POLLOUT or both: what the connection or the last read or write waits for. */
short socket_wants(const struct net_socket *s);

/* Goes on with connecting: 1 ready, 0 not yet, -errno with `e`. */
int socket_progress(struct net_socket *s, struct error *e);
/* Bytes read or written; 0: none now; -errno with `e`, -ECONNRESET when the peer has closed. */
ssize_t socket_read(struct net_socket *s, void *to, size_t n, struct error *e);
ssize_t socket_write(struct net_socket *s, const void *from, size_t n, struct error *e);

#endif
