/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and the rules of TLS; see tls_context.h. Used by OpenFlow's connections and by socket.c. */
#include "control/net/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/error.h"

const char *tls_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return text ? text : "not usable";
}

static int load(SSL_CTX *ctx, const struct tls_files *files, struct error *e)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, files->certificate) != 1)
		return error_set(e, EINVAL, "certificate: %s: %s", files->certificate, tls_reason());
	if (SSL_CTX_use_PrivateKey_file(ctx, files->private_key, SSL_FILETYPE_PEM) != 1)
		return error_set(e, EINVAL, "private-key: %s: %s", files->private_key, tls_reason());
	if (SSL_CTX_check_private_key(ctx) != 1)
		return error_set(e, EINVAL, "private-key: %s: does not belong to %s", files->private_key,
		                 files->certificate);
	if (SSL_CTX_load_verify_locations(ctx, files->ca, NULL) != 1)
		return error_set(e, EINVAL, "ca-cert: %s: %s", files->ca, tls_reason());
	return 0;
}

int tls_context_create(const struct tls_files *files, struct tls_context **out, struct error *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	int rc;

	if (!ctx)
		return error_set(e, ENOMEM, "out of memory");
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	rc = load(ctx, files, e);
	if (rc)
		SSL_CTX_free(ctx);
	else
		*out = (struct tls_context *)ctx;
	return rc;
}

void tls_context_free(struct tls_context *context)
{
	SSL_CTX_free((SSL_CTX *)context);
}
