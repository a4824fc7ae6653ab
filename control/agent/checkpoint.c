/* SPDX-License-Identifier: Apache-2.0 */
/* The view as JSON; see checkpoint.h. Called by agent.c. */
#include "control/agent/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- save ---- */

static int add_part(const char *prefix, int64_t from, void *parts)
{
	return json_object_set_new(parts, prefix, json_integer((json_int_t)from));
}

static int add_key(const struct view_key *k, void *keys)
{
	json_object_set_new(keys, k->key,
	                    json_string(k->value)); /* not UTF-8: it would not be understood later */
	return 0;
}

/* Not flushed to the disk, which may take long: after a power failure the file may be useless, and all is
 * read anew. */
static int write_file(const json_t *document, const char *path)
{
	char fresh[4096];
	int fd, rc = 0;
	FILE *f;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	f = fd < 0 ? NULL : fdopen(fd, "w"); /* buffered: each word would be a system call */
	if (!f) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if (json_dumpf(document, f, JSON_COMPACT))
		rc = errno ? -errno : -EIO;
	if (fclose(f) && !rc)
		rc = -errno;
	if (!rc && rename(fresh, path))
		rc = -errno;
	if (rc)
		unlink(fresh);
	return rc;
}

int checkpoint_save(const struct view *v, const char *host, const char *path, struct error *e)
{
	json_t *parts = json_object(), *keys = json_object(), *document;
	int rc;

	view_each_part(v, add_part, parts);
	view_each(v, add_key, keys);
	document = json_pack("{s:s, s:s, s:I, s:o, s:o}", "host", host, "uuid", view_uuid(v), "rev",
	                     (json_int_t)view_rev(v), "parts", parts, "keys", keys);
	rc = document ? write_file(document, path) : -ENOMEM;
	json_decref(document);
	return rc ? error_set(e, -rc, "%.150s: %s", path, strerror(-rc)) : 0;
}

/* ---- load ---- */

static int restore(struct view *v, json_t *parts, json_t *keys, struct error *e)
{
	const char *name;
	json_t *value;
	int rc = 0;

	json_object_foreach(parts, name, value) if (!rc) rc =
	        view_restore_part(v, name, json_integer_value(value), e);
	json_object_foreach(keys, name, value) if (!rc && json_is_string(value)) rc =
	        view_restore_key(v, name, json_string_value(value));
	return rc;
}

int checkpoint_load(struct view *v, const char *host, const char *path, struct error *e)
{
	const char *of, *uuid;
	json_t *document, *parts, *keys;
	json_error_t why;
	json_int_t rev;
	int rc;

	if (access(path, F_OK))
		return -ENOENT;
	document = json_load_file(path, 0, &why);
	if (json_unpack(document, "{s:s, s:s, s:I, s:o, s:o}", "host", &of, "uuid", &uuid, "rev", &rev,
	                "parts", &parts, "keys", &keys))
		rc = error_set(e, EINVAL, "%.100s: not a checkpoint: %.100s", path, why.text);
	else if (strcmp(of, host))
		rc = error_set(e, EINVAL, "%.100s: is of host %.60s", path, of);
	else
		rc = restore(v, parts, keys, e);
	if (!rc)
		view_restored(v, uuid, rev);
	json_decref(document);
	return rc;
}
