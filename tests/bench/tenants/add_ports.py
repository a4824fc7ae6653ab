#!/usr/bin/env python3
"""add_ports.py AGENT_SOCKET HOST BEFORE AFTER: adds the ports that the store's export AFTER has and BEFORE has not, one
after the other, as `weft` does: a transaction, and a wait until the agent of HOST says that its switch is so far. Prints
for each how long that took from the request on, in ms. No command is started and nothing is read: the time is the agent's
(and weftd's)."""
import json
import socket
import sys
import time


class Rpc:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rw")

    def send(self, method, **params):
        self.file.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
        self.file.flush()

    def receive(self):
        answer = json.loads(self.file.readline())
        if "result" not in answer:
            sys.exit(f"refused: {answer}")
        return answer["result"]


path, host, before, after = sys.argv[1:5]
old, new = (json.load(open(f))["keys"] for f in (before, after))
ports = {}
for key, value in new.items():
    if key not in old and "/gen/" not in key:
        name = next(n for n in (key.split("/")[-1], json.loads(value)) if isinstance(n, str) and ".x" in n)
        ports.setdefault(name.split(":")[-1], []).append([key, value])

writer, waiter = Rpc(path), Rpc(path)
for ops in ports.values():
    writer.send("store.range", prefixes=[f"/weft/v1/st/{host}/agent"])
    rev = writer.receive()["rev"]
    ops.append([f"/weft/v1/h/{host}/wait", str(time.time())])
    waiter.send("store.wait", prefix=f"/weft/v1/st/{host}/agent", after=rev, timeout_ms=20000)
    begin = time.monotonic()
    writer.send("store.txn", compares=[], ops=ops)
    writer.receive()
    if not waiter.receive()["changed"]:
        sys.exit("the agent has not answered")
    print(f"{(time.monotonic() - begin) * 1000:.2f}", flush=True)
