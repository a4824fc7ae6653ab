/* SPDX-License-Identifier: Apache-2.0 */
/* The connection of weft-ofctl to its switch, and what every command needs of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/cli/ofctl.h"
#include "control/cli/ofctl_print.h"

/* ---- names of ports ---- */

static const char *name_of(void *arg, uint32_t port)
{
	struct ofctl *ctl = arg;

	for (unsigned i = 0; i < ctl->n_ports; i++) {
		if (ctl->ports[i].port_no == port)
			return ctl->ports[i].name;
	}
	return NULL;
}

static int number_of(void *arg, const char *name, uint32_t *port)
{
	struct ofctl *ctl = arg;

	for (unsigned i = 0; i < ctl->n_ports; i++) {
		if (!strcmp(ctl->ports[i].name, name)) {
			*port = ctl->ports[i].port_no;
			return 0;
		}
	}
	return -ENOENT;
}

static int learn_ports(struct ofp_reader *r, void *arg, struct error *e)
{
	struct ofctl *ctl = arg;
	struct ofp_port port;
	int rc;

	while ((rc = reply_port(r, &port, e)) > 0) {
		struct ofp_port *ports = realloc(ctl->ports, (ctl->n_ports + 1) * sizeof(*ports));

		if (!ports)
			return error_set(e, ENOMEM, "out of memory");
		ctl->ports = ports;
		ports[ctl->n_ports++] = port;
	}
	return rc;
}

const struct port_names *ofctl_print_names(struct ofctl *ctl)
{
	if (ctl->show_names < 0)
		ctl->show_names = isatty(STDOUT_FILENO);
	return ctl->show_names ? &ctl->names : NULL;
}

/* ---- the connection ---- */

/* Where a target is: a socket's path, or the target itself when it is tcp:. */
static void path_of(const struct ofctl *ctl, const char *target, const char *socket, char *path, size_t size)
{
	if (!strncmp(target, "unix:", 5))
		snprintf(path, size, "%s", target + 5);
	else if (!strncmp(target, "tcp:", 4) || strchr(target, '/'))
		snprintf(path, size, "%s", target);
	else
		snprintf(path, size, "%s/%s.%s", ctl->rundir, target, socket);
}

static void tell_refusal(const uint8_t *message, size_t len, void *arg)
{
	struct ofctl *ctl = arg;

	ctl->refused = true;
	if (ctl->bundle_sent)
		ofctl_bundle_tell(ctl, message, len);
	else
		ofctl_print_message(ctl, stderr, message, len, ctl->verbosity + 2);
}

/* What a call that failed returns: the text, unless the switch's own answer was printed. */
static int failed(struct ofctl *ctl)
{
	return ctl->refused ? 1 : ofctl_fail("%s: %s", ctl->target, ctl->err.text);
}

int ofctl_connect_to(struct ofctl *ctl, const char *target, const char *socket)
{
	struct stat st;
	char path[256];

	path_of(ctl, target, socket, path, sizeof(path));
	if (strncmp(path, "tcp:", 4) && stat(path, &st))
		return ofctl_fail("%s is not a bridge or a socket (no %s)", target, path);
	ctl->target = target;
	ctl->client = ofp_client_connect(path, ctl->timeout_ms, &ctl->err);
	if (!ctl->client)
		return ofctl_fail("%s: %s", target, ctl->err.text);
	ofp_client_on_error(ctl->client, tell_refusal, ctl);
	ctl->names = (struct port_names){.arg = ctl, .name = name_of, .number = number_of};
	return 0;
}

int ofctl_connect(struct ofctl *ctl, const char *target)
{
	struct ofp_writer w = {0};
	int rc = ofctl_connect_to(ctl, target, "mgmt");

	if (rc)
		return rc;
	request_multipart(&w, OFPMP_PORT_DESC);
	return ofctl_multipart(ctl, &w, learn_ports, ctl);
}

void ofctl_disconnect(struct ofctl *ctl)
{
	ofp_client_close(ctl->client);
	ctl->client = NULL;
	ofp_writer_free(&ctl->bundled);
	free(ctl->ports);
	ctl->ports = NULL;
	ctl->n_ports = 0;
}

static int too_long(struct ofp_writer *w)
{
	ofp_writer_free(w);
	*w = (struct ofp_writer){0};
	return ofctl_fail("the request does not fit an OpenFlow message");
}

int ofctl_send(struct ofctl *ctl, struct ofp_writer *w)
{
	int rc;

	if (ctl->read_only)
		return ofctl_fail("this changes the switch, and --read-only was given");
	if (ctl->in_bundle)
		ofctl_bundle_wrap(ctl, w);
	if (w->failed)
		return too_long(w);
	rc = ofp_client_send(ctl->client, w->data, w->len, &ctl->err);
	ofp_writer_cut(w, 0);
	return rc ? failed(ctl) : 0;
}

int ofctl_barrier(struct ofctl *ctl)
{
	return ofp_client_barrier(ctl->client, &ctl->err) ? failed(ctl) : 0;
}

struct each_body {
	int (*each)(struct ofp_reader *r, void *arg, struct error *e);
	void *arg;
};

static int give_body(const uint8_t *body, size_t len, void *arg, struct error *e)
{
	struct ofp_reader r = ofp_reader_of(body, len);
	struct each_body *each = arg;

	return each->each(&r, each->arg, e);
}

int ofctl_multipart(struct ofctl *ctl, struct ofp_writer *w,
                    int (*each)(struct ofp_reader *r, void *arg, struct error *e), void *arg)
{
	struct each_body body = {each, arg};
	int rc;

	if (w->failed)
		return too_long(w);
	rc = ofp_client_multipart(ctl->client, w->data, w->len, give_body, &body, &ctl->err);
	ofp_writer_free(w);
	return rc ? failed(ctl) : 0;
}

void ofctl_print_message(struct ofctl *ctl, FILE *to, const uint8_t *message, size_t len, int verbosity)
{
	struct text out = {0};
	struct printer p = {.out = &out, .names = ofctl_print_names(ctl), .verbosity = verbosity};

	message_print(&p, message, len);
	if (ctl->color)
		ofctl_put_colored(to, text_get(&out));
	else
		fputs(text_get(&out), to);
	text_free(&out);
}

static int print_reply(const uint8_t *reply, size_t len, void *arg, struct error *e)
{
	struct ofctl *ctl = arg;

	ofctl_print_message(ctl, stdout, reply, len, ctl->verbosity + 1);
	return 0;
}

int ofctl_print_replies(struct ofctl *ctl, struct ofp_writer *w)
{
	int rc;

	if (w->failed)
		return too_long(w);
	rc = ofp_client_ask(ctl->client, w->data, w->len, print_reply, ctl, &ctl->err);
	ofp_writer_free(w);
	return rc ? failed(ctl) : 0;
}

int ofctl_transact(struct ofctl *ctl, struct ofp_writer *w, struct ofp_reader *reply)
{
	const uint8_t *bytes;
	size_t len;
	int rc;

	if (w->failed)
		return too_long(w);
	rc = ofp_client_transact(ctl->client, w->data, w->len, &bytes, &len, &ctl->err);
	ofp_writer_free(w);
	if (rc)
		return failed(ctl);
	*reply = ofp_reader_of(bytes + 8, len - 8);
	return 0;
}

int ofctl_port(struct ofctl *ctl, const char *text, uint32_t *port)
{
	if (!port_parse(text, &ctl->names, port))
		return 0;
	return ofctl_fail("%s: unknown port `%s'", ctl->target, text);
}

/* ---- files ---- */

int ofctl_read_lines(const char *file, int (*line)(const char *text, const char *where, void *arg), void *arg)
{
	bool std = !strcmp(file, "-");
	FILE *f = std ? stdin : fopen(file, "r");
	char where[300], *text = NULL;
	size_t size = 0;
	unsigned n = 0;
	int rc = 0;

	if (!f)
		return ofctl_fail("%s: open (%s)", file, strerror(errno));
	while (!rc && getline(&text, &size, f) >= 0) {
		n++;
		text[strcspn(text, "#\r\n")] = '\0';
		if (!text[strspn(text, " \t,")])
			continue;
		snprintf(where, sizeof(where), "%s:%u", std ? "<stdin>" : file, n);
		rc = line(text, where, arg);
	}
	if (!rc && ferror(f))
		rc = ofctl_fail("%s: read (%s)", file, strerror(errno));
	free(text);
	if (!std)
		fclose(f);
	return rc;
}
