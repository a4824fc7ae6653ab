/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of the endpoint, shared by the files of the server only.
 *
 * What: bytes in, whole messages out to dispatch.c; replies gather in `out` and go to the socket when a
 * message is done. Design: connection_run() is the only loop. It goes on while the client has a complete
 * message, no reply is awaited (`waiting`) and the output is not too long; otherwise reading stops, and
 * whoever ends the wait calls it again. A dump (multipart.c) sends one message per turn of the event loop.
 * With TLS the bytes pass through tls.c on their way, both ways.
 * Thread-safety: the control thread.
 * Life cycle: made on accept or for a controller (controllers.c); connection_close() at any time; freed when
 * its handle is closed and no op of the switch owes it a `done`.
 */
#ifndef CONTROL_OPENFLOW_CONNECTION_H
#define CONTROL_OPENFLOW_CONNECTION_H

#include <sys/queue.h>
#include <uv.h>

#include "base/error.h"
#include "control/openflow/messages.h"
#include "control/openflow/server.h"
#include "control/openflow/target.h"

enum { OFP_OUTPUT_HIGH = 256 * 1024, OFP_OUTPUT_LOW = 64 * 1024, OFP_CONNECTIONS_MAX = 256 };
enum { OFP_GREETING_MS = 10000 }; /* a peer that has not said HELLO by then is dropped */

enum ofp_role { OFPCR_NOCHANGE, OFPCR_EQUAL, OFPCR_MASTER, OFPCR_SLAVE };

enum connection_kind {
	CONNECTION_SERVICE,    /* a management client on the unix socket */
	CONNECTION_CONTROLLER, /* over TCP or TLS, whoever connected */
	CONNECTION_SNOOP,      /* gets copies of what is said on those */
};

struct bundle;
struct monitor;
struct connection;
struct controller;
struct tls_session;

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

/* A multipart request that comes in several messages. */
struct pieces {
	bool open;
	uint16_t type;
	uint32_t xid;
	struct ofp_writer body;
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
	enum connection_kind kind;
	struct controller *controller; /* that we connected to, or NULL */
	struct tls_session *tls;       /* NULL: plain */
	uv_connect_t connecting;
	struct ofp_writer in;                  /* what was read and not handled yet */
	struct ofp_writer out;                 /* what was said and not handed to the socket yet */
	uint64_t since;                        /* ms of the loop: when it came to `doubt` */
	enum { HEARD, PROBED, DOUBTED } doubt; /* it spoke; was sent an echo request; has not answered */
	bool greeted;                          /* out.version was agreed on */
	bool resting;                          /* had its share of this turn of the loop */
	bool open, closing, last_words, running, reading, waiting, closed;
	void (*then)(struct connection *c); /* what to do when the wait is over */
	uint32_t wait_xid;
	uint16_t miss_send_len, controller_id;
	bool nxm;                      /* 1.0: matches are told in NXM (NXT_SET_FLOW_FORMAT) */
	bool table_id_in_command;      /* 1.0: FLOW_MOD has a table in the high byte of its command */
	uint8_t packet_in_format;      /* of NXT_SET_PACKET_IN_FORMAT */
	uint64_t tokens, tokens_at;    /* thousandths of a packet-in; ms of the loop */
	uint64_t lost_full, lost_rate; /* messages that found the queue full; packet-ins above the rate */
	enum ofp_role role;
	struct async_config async;
	struct multipart multipart;
	struct pieces pieces;
	LIST_HEAD(, bundle) bundles;
	unsigned n_bundles;
	/* monitor.c */
	LIST_HEAD(, monitor) monitors;
	unsigned n_monitors;
	struct ofp_writer updates; /* of the change under way */
	bool abbreviated;          /* they say so already that the client's own change did something */
	bool refreshing, missed;   /* the walk after a pause; something went untold meanwhile */
	uint64_t paused_at;        /* 0: not paused; number of the last change that was told */
	uint64_t refreshed_to;
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
	enum connection_kind kind;
	bool tls;
	char *path; /* of a unix socket, else NULL */
};

/* A controller that we connect to; see controllers.c. */
struct controller {
	struct ofp_server *server;
	LIST_ENTRY(controller) link;
	struct ofp_target target;
	char text[OFP_TARGET_TEXT_MAX];
	uv_getaddrinfo_t lookup;
	bool looking_up, removed;
	struct connection *connection; /* NULL: waits for `next_try` */
	uint64_t next_try;             /* ms of the loop */
	uint32_t backoff;              /* ms; 0: the next failure is the first */
	uint64_t since;                /* ms of the loop: when it was connected, or lost */
	uint64_t attempts;
	struct error why; /* of the last failure */
};

struct ofp_server {
	uv_loop_t *loop;
	const struct ofp_switch_ops *ops;
	void *ctx;
	LIST_HEAD(, connection) connections;
	LIST_HEAD(, listener) listeners;
	LIST_HEAD(, controller) controllers;
	unsigned n_connections, n_snoops;
	uv_timer_t timer; /* the next thing to do by time: probe, reconnect, fail over to standalone */
	uint64_t wake_at; /* ms of the loop; what the timer is set to */
	bool timer_closed;
	struct tls_context *tls; /* NULL: no certificate is set */
	struct ofp_controllers_config config;
	uint64_t unreachable_since; /* ms of the loop; by no controller */
	bool reachable, standalone;
	uint64_t random; /* state of the jitter */
	bool has_generation;
	uint64_t generation; /* of the last role request */
	unsigned n_monitors;
	bool misses_told;           /* ops->tell_misses */
	uint64_t last_change;       /* number of the last change of a flow that was seen */
	struct connection *changer; /* whose change is being applied, or NULL */
	uint32_t changer_xid;
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
	uint8_t read_buffer[65536]; /* shared: bytes are taken out before the next read */
};

/* connection.c */
void connection_accept(struct listener *listener);
/* Starts to connect to a controller; NULL and `e` when not even that works. */
struct connection *connection_dial(struct controller *to, const struct sockaddr *address, struct error *e);
/* Closes; `why` (a format, or NULL) is what `weft controller show` says of it. */
void connection_close(struct connection *c, const char *why, ...) __attribute__((format(printf, 2, 3)));
/* What is due by time. Returns the ms of the loop at which to ask again. */
uint64_t connection_check(struct connection *c, uint64_t now);
/* Goes on with what the client sent, until something must be waited for. */
void connection_run(struct connection *c);
/* Hands what is in c->out to the socket. */
void connection_flush(struct connection *c);
/* Suspends the connection until connection_done(c) was called, then calls `then`. */
void connection_wait(struct connection *c, uint32_t xid, void (*then)(struct connection *c));
void connection_done(void *c);
size_t connection_queued(const struct connection *c);

/* server.c: frees the server when nothing is left of it. */
void server_release(struct ofp_server *server);
/* Looks at what is due at `at` (ms of the loop; 0: on the loop's next turn) or earlier. */
void server_wake(struct ofp_server *server, uint64_t at);

/* controllers.c */
void controller_connected(struct controller *to);
void controller_lost(struct controller *to, const struct error *why);
uint64_t controllers_check(struct ofp_server *server, uint64_t now);
void controllers_close(struct ofp_server *server);

/* A row of the tables in dispatch.c. `body` is what follows the header (and the experimenter's two numbers).
 * `changes`: not for a slave. `len`: how long it has to be, in bytes, or BODY_ANY. */
struct handler {
	enum ofp_error (*handle)(struct connection *c, uint32_t xid, struct ofp_reader *body);
	bool changes;
	uint16_t len;
};
enum { BODY_ANY = 0xffff };

/* What the client's message `xid` changes; goes through here so that its flow monitors know their own.
 * monitor.c */
enum ofp_error connection_apply(struct connection *c, uint32_t xid, const struct ofp_change *changes,
                                unsigned n, unsigned *failed);

/* Has the switch a port of this number? multipart.c */
bool connection_has_port(const struct connection *c, uint32_t port_no);

/* dispatch.c: one whole message. */
void dispatch(struct connection *c, const uint8_t *message, size_t len);
void reply_error(struct connection *c, const uint8_t *message, size_t len, enum ofp_error error);

/* async.c: requests of Nicira's that say how packets are to be sent. */
enum ofp_error async_set_packet_in_format(struct connection *c, uint32_t xid, struct ofp_reader *body);
/* What the client wants to be told of may have changed. */
void async_changed(struct connection *c);
enum ofp_error async_set_controller_id(struct connection *c, uint32_t xid, struct ofp_reader *body);

/* snoop.c: copies whole messages to those who listen in. */
void snoop(struct ofp_server *server, const void *messages, size_t n);

/* multipart.c */
enum ofp_error multipart_request(struct connection *c, uint32_t xid, struct ofp_reader *body);
/* Produces the next message of the reply. */
void multipart_step(struct connection *c);
void multipart_end(struct connection *c);
/* Starts the walk that finds what a paused monitor missed. */
void multipart_refresh(struct connection *c);
/* The next flow of the dump under way; false at the end. */
bool multipart_walk(struct connection *c, struct flow_stats *fs);
/* Starts a FLOW_MONITOR reply that nobody asked for just now. */
size_t multipart_begin_monitor(struct ofp_writer *w);

/* multipart_pieces.c: keeps the body of a piece; with the last one `body` becomes a reader over all of them,
 * until pieces_free(). */
enum ofp_error pieces_take(struct connection *c, uint32_t xid, uint16_t type, bool more,
                           struct ofp_reader *body);
void pieces_free(struct connection *c);

/* bundle.c; `body` starts at the experimenter's type. `len` bytes of `message` are the whole. */
enum ofp_error bundle_control(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error bundle_add(struct connection *c, uint32_t xid, struct ofp_reader *body);
void bundles_free(struct connection *c);

/* session.c */
enum ofp_error session_role(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error session_nx_role(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error session_get_async(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error session_set_async(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error session_nx_set_async(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error session_get_async_14(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error session_set_async_14(struct connection *c, uint32_t xid, struct ofp_reader *body);

/* nx_handlers.c */
enum ofp_error nx_flush_zone(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error nx_flush(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error nx_options_mod(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error nx_options_request(struct connection *c, uint32_t xid, struct ofp_reader *body);

/* of10_handlers.c: what 1.0 has of its own, and Nicira's messages for it. */
enum ofp_error of10_features(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error of10_flow_mod(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error of10_queue_config(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error of10_set_flow_format(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error of10_nx_flow_mod(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error of10_group_mod(struct connection *c, uint32_t xid, struct ofp_reader *body);
enum ofp_error of10_flow_mod_table_id(struct connection *c, uint32_t xid, struct ofp_reader *body);

#endif
