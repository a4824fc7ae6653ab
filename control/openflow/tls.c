/* SPDX-License-Identifier: Apache-2.0 */
/* TLS over memory: OpenSSL reads from and writes to buffers, connection.c moves the bytes. */
#include "control/openflow/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct tls_session {
	SSL *ssl;
	BIO *from_peer, *to_peer; /* owned by ssl */
};

struct tls_session *tls_session_create(struct tls_context *context, bool client)
{
	struct tls_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->ssl = SSL_new((SSL_CTX *)context);
	s->from_peer = BIO_new(BIO_s_mem());
	s->to_peer = BIO_new(BIO_s_mem());
	if (!s->ssl || !s->from_peer || !s->to_peer) {
		BIO_free(s->from_peer);
		BIO_free(s->to_peer);
		SSL_free(s->ssl);
		free(s);
		return NULL;
	}
	SSL_set_bio(s->ssl, s->from_peer, s->to_peer);
	if (client)
		SSL_set_connect_state(s->ssl);
	else
		SSL_set_accept_state(s->ssl);
	return s;
}

void tls_session_free(struct tls_session *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	free(s);
}

static void drain(struct tls_session *s, struct ofp_writer *wire)
{
	char *bytes;
	long n = BIO_get_mem_data(s->to_peer, &bytes);

	if (n > 0)
		ofp_put_bytes(wire, bytes, (size_t)n);
	(void)BIO_reset(s->to_peer);
}

static int fail(struct tls_session *s, struct error *e)
{
	long verdict = SSL_get_verify_result(s->ssl);

	if (verdict != X509_V_OK)
		error_set(e, EPROTO, "TLS: the peer's certificate: %s",
		          X509_verify_cert_error_string(verdict));
	else
		error_set(e, EPROTO, "TLS: %s", tls_reason());
	ERR_clear_error();
	return -EPROTO;
}

int tls_receive(struct tls_session *s, const void *bytes, size_t n, struct ofp_writer *plain,
                struct ofp_writer *wire, struct error *e)
{
	uint8_t text[16384]; /* a record's most */
	int got, why;

	if (n && BIO_write(s->from_peer, bytes, (int)n) != (int)n)
		return error_set(e, EPROTO, "TLS: out of memory");
	ERR_clear_error();
	while ((got = SSL_read(s->ssl, text, sizeof(text))) > 0)
		ofp_put_bytes(plain, text, (size_t)got);
	why = SSL_get_error(s->ssl, got);
	drain(s, wire);
	if (why == SSL_ERROR_WANT_READ)
		return 0;
	if (why == SSL_ERROR_ZERO_RETURN)
		return error_set(e, EPROTO, "the peer closed the connection");
	return fail(s, e);
}

bool tls_ready(const struct tls_session *s)
{
	return SSL_is_init_finished(s->ssl);
}

int tls_send(struct tls_session *s, const void *bytes, size_t n, struct ofp_writer *wire)
{
	int sent;

	ERR_clear_error();
	sent = n ? SSL_write(s->ssl, bytes, (int)n) : 0;
	drain(s, wire);
	return n && sent != (int)n ? -EPROTO : 0;
}
