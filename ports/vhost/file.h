/* SPDX-License-Identifier: Apache-2.0 */
/* What must be true of a file that a front end shares before any of it is mapped. */
#ifndef PORTS_VHOST_FILE_H
#define PORTS_VHOST_FILE_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

/* Whether `fd` is a regular file of a file system of this kernel's own, with `size` (> 0) bytes at `offset`;
 * `st` is filled. 0 or -errno with the reason, which starts with `what`. Control thread. */
int file_check(int fd, uint64_t offset, uint64_t size, const char *what, struct stat *st, struct error *e);

#endif
