/* SPDX-License-Identifier: Apache-2.0 */
/* TCP and TLS without waiting; see socket.h. Used by control/etcd. */
#include "control/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "control/net/tls_context.h"

struct net_socket {
	int fd;
	SSL *ssl; /* NULL: plain TCP */
	bool connected, ready;
	bool read_waits, write_waits; /* for POLLOUT; reading may, in TLS */
};

/* ---- connecting ---- */

static int open_fd(const char *host, const char *port, unsigned turn, struct error *e)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list, *a;
	int rc = getaddrinfo(host, port, &hints, &list), fd, on = 1;
	unsigned n = 1;

	if (rc)
		return error_set(e, EHOSTUNREACH, "%s", gai_strerror(rc));
	for (a = list->ai_next; a; a = a->ai_next)
		n++;
	a = list;
	for (turn %= n; turn; turn--)
		a = a->ai_next;
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	rc = 0;
	if (fd < 0 || (connect(fd, a->ai_addr, a->ai_addrlen) && errno != EINPROGRESS))
		rc = error_set(e, errno, "%s", strerror(errno));
	freeaddrinfo(list);
	if (!rc) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static int start_tls(struct net_socket *s, const char *host, struct tls_context *tls)
{
	static const unsigned char alpn[] = "\2h2";
	struct in6_addr any;

	s->ssl = SSL_new((SSL_CTX *)tls);
	if (!s->ssl)
		return -ENOMEM;
	SSL_set_mode(s->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1) {
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), host);
	} else {
		SSL_set1_host(s->ssl, host);
		SSL_set_tlsext_host_name(s->ssl, host);
	}
	SSL_set_alpn_protos(s->ssl, alpn, sizeof(alpn) - 1);
	SSL_set_connect_state(s->ssl);
	return SSL_set_fd(s->ssl, s->fd) == 1 ? 0 : -ENOMEM;
}

int socket_connect(const char *host, const char *port, unsigned turn, struct tls_context *tls,
                   struct net_socket **out, struct error *e)
{
	struct net_socket *s = calloc(1, sizeof(*s));
	int fd;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	fd = open_fd(host, port, turn, e);
	if (fd < 0) {
		free(s);
		return fd;
	}
	s->fd = fd;
	if (tls && start_tls(s, host, tls)) {
		socket_close(s);
		return error_set(e, ENOMEM, "TLS: %s", tls_reason());
	}
	*out = s;
	return 0;
}

void socket_close(struct net_socket *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	close(s->fd);
	free(s);
}

int socket_fd(const struct net_socket *s)
{
	return s->fd;
}

short socket_wants(const struct net_socket *s)
{
	if (!s->connected)
		return POLLOUT;
	return s->read_waits || s->write_waits ? POLLIN | POLLOUT : POLLIN;
}

/* ---- TLS's many ways to say "not now" ---- */

/* 0: later; or -errno. `rc` is what an SSL function gave. */
static int tls_later(struct net_socket *s, int rc, bool *waits, struct error *e)
{
	int why = SSL_get_error(s->ssl, rc), code = errno;
	long verdict = SSL_get_verify_result(s->ssl);

	*waits = why == SSL_ERROR_WANT_WRITE;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return 0;
	if (why == SSL_ERROR_ZERO_RETURN || (why == SSL_ERROR_SYSCALL && !code))
		error_set(e, ECONNRESET, "the peer closed the connection");
	else if (why == SSL_ERROR_SYSCALL)
		error_set(e, ECONNRESET, "%s", strerror(code));
	else if (verdict != X509_V_OK)
		error_set(e, ECONNRESET, "TLS: the peer's certificate: %s",
		          X509_verify_cert_error_string(verdict));
	else
		error_set(e, ECONNRESET, "TLS: %s", tls_reason());
	ERR_clear_error();
	return -ECONNRESET;
}

static int shake_hands(struct net_socket *s, struct error *e)
{
	const unsigned char *protocol;
	unsigned n;
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_do_handshake(s->ssl);
	if (rc != 1)
		return tls_later(s, rc, &s->write_waits, e);
	s->write_waits = false;
	SSL_get0_alpn_selected(s->ssl, &protocol, &n);
	if (n != 2 || memcmp(protocol, "h2", 2) != 0)
		return error_set(e, EPROTO, "TLS: the peer does not speak HTTP/2");
	return 1;
}

int socket_progress(struct net_socket *s, struct error *e)
{
	struct pollfd p = {.fd = s->fd, .events = POLLOUT};
	int code = 0, rc = 1;
	socklen_t n = sizeof(code);

	if (s->ready)
		return 1;
	if (!s->connected) {
		if (!poll(&p, 1, 0))
			return 0;
		if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &code, &n) || code)
			return error_set(e, code ? code : EIO, "%s", strerror(code ? code : EIO));
		s->connected = true;
	}
	if (s->ssl)
		rc = shake_hands(s, e);
	s->ready = rc == 1;
	return rc;
}

/* ---- bytes ---- */

ssize_t socket_read(struct net_socket *s, void *to, size_t n, struct error *e)
{
	ssize_t got;

	errno = 0;
	if (s->ssl) {
		size_t done = 0;

		ERR_clear_error();
		if (SSL_read_ex(s->ssl, to, n, &done) == 1) {
			s->read_waits = false;
			return (ssize_t)done;
		}
		return tls_later(s, 0, &s->read_waits, e);
	}
	got = recv(s->fd, to, n, 0);
	if (got > 0)
		return got;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return error_set(e, ECONNRESET, "%s", got ? strerror(errno) : "the peer closed the connection");
}

ssize_t socket_write(struct net_socket *s, const void *from, size_t n, struct error *e)
{
	ssize_t sent;

	errno = 0;
	if (s->ssl) {
		size_t done = 0;

		ERR_clear_error();
		if (SSL_write_ex(s->ssl, from, n, &done) == 1) {
			s->write_waits = false;
			return (ssize_t)done;
		}
		return tls_later(s, 0, &s->write_waits, e);
	}
	sent = send(s->fd, from, n, MSG_NOSIGNAL);
	s->write_waits = sent < (ssize_t)n;
	if (sent >= 0)
		return sent;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return error_set(e, ECONNRESET, "%s", strerror(errno));
}
