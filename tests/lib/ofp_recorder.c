/* SPDX-License-Identifier: Apache-2.0 */
/* A switch that only writes down the FLOW_MODs it gets. For tests of what clients send. */
#include "tests/lib/ofp_recorder.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/openflow/messages.h"

struct ofp_recorder {
	char path[108];
	int listener;
	pthread_t thread;
	uint8_t *bytes; /* FLOW_MODs, one after the other */
	size_t len, capacity, read;
};

static bool take(int fd, uint8_t *to, size_t n)
{
	while (n) {
		ssize_t got = read(fd, to, n);

		if (got <= 0)
			return false;
		to += got;
		n -= (size_t)got;
	}
	return true;
}

static void keep(struct ofp_recorder *r, const uint8_t *message, size_t len)
{
	if (r->len + len > r->capacity) {
		r->capacity = 2 * (r->len + len);
		r->bytes = realloc(r->bytes, r->capacity);
		cr_assert(r->bytes);
	}
	memcpy(r->bytes + r->len, message, len);
	memset(r->bytes + r->len + 4, 0, 4); /* xid */
	r->len += len;
}

static void answer_multipart(struct ofp_writer *w, const struct ofp_header *h, const uint8_t *message)
{
	enum ofp_multipart type = (enum ofp_multipart)(message[8] << 8 | message[9]);
	size_t start = ofp_begin_multipart(w, false, type, h->xid);

	if (type == OFPMP_TABLE_FEATURES)
		ofp_put_table_features(w, 0, "", 1, 1);
	ofp_end(w, start);
}

static void answer(struct ofp_recorder *r, int fd, const struct ofp_header *h, const uint8_t *message)
{
	struct ofp_writer w = {0};

	switch (h->type) {
	case OFPT_HELLO:
		ofp_put_hello(&w, h->xid, 1u << OFP_VERSION_13);
		break;
	case OFPT_FLOW_MOD:
		keep(r, message, h->length);
		break;
	case OFPT_BARRIER_REQUEST:
		ofp_put_message(&w, OFPT_BARRIER_REPLY, h->xid, NULL, 0);
		break;
	case OFPT_MULTIPART_REQUEST:
		answer_multipart(&w, h, message);
		break;
	default:
		break;
	}
	if (w.len && write(fd, w.data, w.len) < 0)
		perror("recorder");
	ofp_writer_free(&w);
}

static void *serve(void *arg)
{
	struct ofp_recorder *r = arg;
	static uint8_t message[OFP_MESSAGE_MAX];
	int fd;

	while ((fd = accept(r->listener, NULL, NULL)) >= 0) {
		while (take(fd, message, OFP_HEADER_LEN)) {
			struct ofp_header h = ofp_read_header(message);

			if (h.length < OFP_HEADER_LEN ||
			    !take(fd, message + OFP_HEADER_LEN, h.length - OFP_HEADER_LEN))
				break;
			answer(r, fd, &h, message);
		}
		close(fd);
	}
	return NULL;
}

struct ofp_recorder *ofp_recorder_start(const char *path)
{
	struct ofp_recorder *r = calloc(1, sizeof(*r));
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	cr_assert(r && strlen(path) < sizeof(to.sun_path));
	strcpy(to.sun_path, path);
	strcpy(r->path, path);
	r->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(r->listener, (struct sockaddr *)&to, sizeof(to)), 0);
	cr_assert_eq(listen(r->listener, 5), 0);
	cr_assert_eq(pthread_create(&r->thread, NULL, serve, r), 0);
	return r;
}

void ofp_recorder_stop(struct ofp_recorder *r)
{
	shutdown(r->listener, SHUT_RDWR);
	pthread_join(r->thread, NULL);
	close(r->listener);
	unlink(r->path);
	free(r->bytes);
	free(r);
}

const uint8_t *ofp_recorder_next(struct ofp_recorder *r, size_t *len)
{
	const uint8_t *message = r->bytes + r->read;

	if (r->read == r->len)
		return NULL;
	*len = ofp_read_header(message).length;
	r->read += *len;
	return message;
}
