/* SPDX-License-Identifier: Apache-2.0 */
/* What the user has set, on disk; see state.h. */
#include "control/switchd/state.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_VERSION = 1 };

int state_lock_rundir(const char *rundir, struct error *e)
{
	char path[128];
	int fd;

	if (mkdir(rundir, 0750) && errno != EEXIST)
		return error_set(e, errno, "rundir: %s: %s", rundir, strerror(errno));
	snprintf(path, sizeof(path), "%s/weftd.lock", rundir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return error_set(e, errno, "rundir: %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return error_set(e, EBUSY, "rundir: another weftd uses %s", rundir);
	}
	return fd;
}

json_t *state_load(const char *path, struct error *e)
{
	json_error_t why;
	json_t *file;

	if (access(path, F_OK))
		return json_pack("{s:i}", "version", STATE_VERSION);
	file = json_load_file(path, 0, &why);
	if (!file) {
		error_set(e, EINVAL, "state: %s:%d: %s", path, why.line, why.text);
		return NULL;
	}
	if (json_integer_value(json_object_get(file, "version")) == STATE_VERSION)
		return file;
	error_set(e, EINVAL, "state: %s: expected version %d", path, STATE_VERSION);
	json_decref(file);
	return NULL;
}

/* The directory of `path` is made if it is missing (one level), and synced after the rename. */
static int sync_directory(const char *path, bool make)
{
	char copy[300], *dir;
	int fd, rc = 0;

	snprintf(copy, sizeof(copy), "%s", path);
	dir = dirname(copy);
	if (make && mkdir(dir, 0750) && errno != EEXIST)
		return -errno;
	if (make)
		return 0;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int write_file(const char *path, json_t *file)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640), rc = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w"); /* buffered: each word would be a system call */

	if (!f) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if (json_dumpf(file, f, JSON_INDENT(2)) || fflush(f) || fsync(fd))
		rc = errno ? -errno : -EIO;
	if (fclose(f) && !rc)
		rc = -errno;
	return rc;
}

int state_save(const char *path, json_t *state, const char *name, json_t *section, struct error *e)
{
	char fresh[300];
	int rc;

	if (json_object_set_new(state, name, section))
		return error_set(e, ENOMEM, "out of memory");
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	rc = sync_directory(path, true);
	if (!rc)
		rc = write_file(fresh, state);
	if (!rc && rename(fresh, path))
		rc = -errno;
	if (!rc)
		rc = sync_directory(path, false);
	return rc ? error_set(e, -rc, "state: %s: %s", path, strerror(-rc)) : 0;
}
