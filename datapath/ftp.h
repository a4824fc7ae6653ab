/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an FTP control connection says of data connections: PORT and the reply 227 (RFC 959), EPRT and the
 * reply 229 (RFC 2428). Text is read as it lies in one packet. Any thread; keeps nothing.
 */
#ifndef DATAPATH_FTP_H
#define DATAPATH_FTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/wire.h"

enum { FTP_TEXT_MAX = 128 }; /* bytes at the start of a packet's payload that are looked at */

enum ftp_kind {
	FTP_OTHER,     /* nothing about data connections */
	FTP_ANNOUNCES, /* a port at which a data connection is awaited */
	FTP_BROKEN,    /* begins like that, but is not as it should be, or not all there */
};

struct ftp_text {
	struct ip_addr addr; /* none: not said (229) */
	be16 port;           /* not 0 */
	uint8_t at, len;     /* where in the text the address stands */
	bool commas;         /* its numbers are separated by commas */
};

/* Reads `len` bytes (more than FTP_TEXT_MAX are not looked at) that come over IPv4 or IPv6; `out` is valid
 * with FTP_ANNOUNCES. */
enum ftp_kind ftp_read(const uint8_t *text, uint32_t len, bool ipv4, struct ftp_text *out);

/* How another address would stand there; the length. */
uint32_t ftp_address(const struct ftp_text *t, const struct ip_addr *addr, char out[IP_TEXT_MAX]);

#endif
