/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are in TLS and whom we believe: certificate, key and CA, by OpenSSL. TLS 1.2 or later, no
 * renegotiation; either side must show a certificate that the CA signed.
 *
 * Thread-safety: a context and its sessions belong to one thread. Life cycle: created -> sessions -> freed
 * (sessions keep what they need).
 */
#ifndef CONTROL_NET_TLS_CONTEXT_H
#define CONTROL_NET_TLS_CONTEXT_H

struct error;
struct tls_context; /* an SSL_CTX */

struct tls_files { /* paths of PEM files */
	const char *private_key, *certificate, *ca;
};

/* Reads the files. 0 or -errno with `e` naming the file that is wrong. */
int tls_context_create(const struct tls_files *files, struct tls_context **out, struct error *e);
void tls_context_free(struct tls_context *context); /* NULL is legal */

/* The most telling line of OpenSSL's error queue of this thread, which is emptied. */
const char *tls_reason(void);

#endif
