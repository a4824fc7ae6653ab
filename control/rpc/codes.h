/* SPDX-License-Identifier: Apache-2.0 */
/* The codes of errors on our JSON-RPC sockets: those of JSON-RPC 2.0 (section 5.1), then ours, which commands
 * turn into their exit status. */
#ifndef CONTROL_RPC_CODES_H
#define CONTROL_RPC_CODES_H

enum rpc_code {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_PARAMS = -32602,
	RPC_UNKNOWN_METHOD = -32601,
	RPC_INVALID_REQUEST = -32600,
	RPC_FAILED = -32000,
	RPC_NOT_FOUND = -32001,
	RPC_CONFLICT = -32002,
};

#endif
