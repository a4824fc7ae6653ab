/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of shared files; see file.h. Called by memory.c and dirty.c. */
#include "ports/vhost/file.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/vfs.h>

/* A page of a file system that somebody else serves (FUSE, which any user can, or a network's) may come when
 * he likes, and the worker that touches it waits. */
static bool is_kernels_own(int fd)
{
	static const uint32_t own[] = {TMPFS_MAGIC,      HUGETLBFS_MAGIC, RAMFS_MAGIC,
	                               EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC};
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if ((uint32_t)fs.f_type == own[i])
			return true;
	return false;
}

int file_check(int fd, uint64_t offset, uint64_t size, const char *what, struct stat *st, struct error *e)
{
	if (fstat(fd, st))
		return error_set(e, errno, "%s: fstat failed", what);
	if (!S_ISREG(st->st_mode))
		return error_set(e, EINVAL, "%s: its fd is not a file", what);
	if (!is_kernels_own(fd))
		return error_set(e, EINVAL,
		                 "%s: its file lies on none of tmpfs (memfd), hugetlbfs, ext4, xfs and btrfs",
		                 what);
	if (!size || offset + size < offset || offset + size > (uint64_t)st->st_size)
		return error_set(e, EINVAL, "%s of %llu bytes at %llu in a file of %llu", what,
		                 (unsigned long long)size, (unsigned long long)offset,
		                 (unsigned long long)st->st_size);
	return 0;
}
