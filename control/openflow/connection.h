/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of the endpoint, shared by the files of the server only.
 *
 * What: bytes in, whole messages out to dispatch.c; replies gather in `out` and go to the socket when a
 * message is done. Design: connection_run() is the only loop. It goes on while the client has a complete
 * message, no reply is awaited (`waiting`) and the output is not too long; otherwise reading stops, and
 * whoever ends the wait calls it again. A dump (multipart.c) sends one message per turn of the event loop.
 * Life cycle: made on accept; connection_close() at any time; freed when its handle is closed and no op of
 * the switch owes it a `done`.
 */
#ifndef CONTROL_OPENFLOW_CONNECTION_H
#define CONTROL_OPENFLOW_CONNECTION_H

#include <sys/queue.h>
#include <uv.h>

#include "control/openflow/messages.h"
#include "control/openflow/server.h"

enum { OFP_OUTPUT_HIGH = 256 * 1024, OFP_OUTPUT_LOW = 64 * 1024 };

enum ofp_role { OFPCR_NOCHANGE, OFPCR_EQUAL, OFPCR_MASTER, OFPCR_SLAVE };

struct connection;
struct bundle;

/* A multipart reply under way. */
struct multipart {
	const struct multipart_kind *kind; /* NULL: none */
	uint32_t xid;
	uint32_t from, only; /* position, and what was asked for, in ports, groups, tables */
	bool started;
	struct flow_filter filter;
	struct ofp_dump *cursor;
	struct ofp_writer carry; /* an entry that did not fit the last message */
};

struct async_config { /* index 0: master or equal, 1: slave */
	uint32_t packet_in[2], port_status[2], flow_removed[2];
};

struct connection {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	};
	struct ofp_server *server;
	LIST_ENTRY(connection) link;
	struct ofp_writer in;  /* what was read and not handled yet */
	struct ofp_writer out; /* what was said and not handed to the socket yet */
	bool greeted, closing, last_words, running, reading, waiting, closed;
	void (*then)(struct connection *c); /* what to do when the wait is over */
	uint32_t wait_xid;
	bool service; /* a management client: no asynchronous messages until it asks */
	uint16_t miss_send_len;
	enum ofp_role role;
	struct async_config async;
	struct multipart multipart;
	LIST_HEAD(, bundle) bundles;
	unsigned n_bundles;
};

struct listener {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	};
	struct ofp_server *server;
	LIST_ENTRY(listener) link;
	char *path; /* of a unix socket, else NULL */
};

struct ofp_server {
	uv_loop_t *loop;
	const struct ofp_switch_ops *ops;
	void *ctx;
	LIST_HEAD(, connection) connections;
	LIST_HEAD(, listener) listeners;
	bool has_generation;
	uint64_t generation; /* of the last role request */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
	uint8_t read_buffer[65536]; /* shared: bytes are taken out before the next read */
};

/* connection.c */
void connection_accept(struct listener *listener);
void connection_close(struct connection *c);
/* Goes on with what the client sent, until something must be waited for. */
void connection_run(struct connection *c);
/* Hands what is in c->out to the socket. */
void connection_flush(struct connection *c);
/* Suspends the connection until connection_done(c) was called, then calls `then`. */
void connection_wait(struct connection *c, uint32_t xid, void (*then)(struct connection *c));
void connection_done(void *c);
size_t connection_queued(const struct connection *c);
/* Frees the server when nothing is left of it. server.c */
void server_release(struct ofp_server *server);

/* dispatch.c: one whole message. */
void dispatch(struct connection *c, const uint8_t *message, size_t len);
void reply_error(struct connection *c, const uint8_t *message, size_t len, enum ofp_error error);

/* multipart.c */
enum ofp_error multipart_request(struct connection *c, uint32_t xid, struct ofp_reader *body);
/* Produces the next message of the reply. */
void multipart_step(struct connection *c);
void multipart_end(struct connection *c);

/* bundle.c; `body` starts at the experimenter's type. `len` bytes of `message` are the whole. */
enum ofp_error bundle_control(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error bundle_add(struct connection *c, uint32_t xid, struct ofp_reader *body);
void bundles_free(struct connection *c);

#endif
