#!/bin/bash
# weft-pktgen load through a switch, two guests and both ways: every kind of traffic arrives whole, at its own
# receiver, and in order; a third guest that only listens gets nothing.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
need_built weft-pktgen

switch_start s
for p in 1 2 3; do weft s if add "p$p" type=vhost-user "socket=$WORK/p$p.sock" role=server >"$WORK/add.log"; done
ofctl s del-flows br0
ofctl s add-flow br0 in_port=1,actions=output:2
ofctl s add-flow br0 in_port=2,actions=output:1

# load_of NAME OPTION...: runs and checks; at a rate that any machine can do nothing may be lost.
load_of() {
    local name=$1
    shift
    "$BUILD/weft-pktgen" load --seconds 0.5 --warm 0.1 --verify all "$@" \
        "connect:$WORK/p1.sock" "connect:$WORK/p2.sock" "connect:$WORK/p3.sock" >"$WORK/$name.json" ||
        fail "$name: the load did not run"
    python3 - "$WORK/$name.json" "$name" <<'EOF' || fail "$name: see above"
import json, sys
r = json.load(open(sys.argv[1]))
bad = []
for i, p in enumerate(r["ports"]):
    bad += ["port %d: %s %d" % (i, k, p[k]) for k in ("corrupt", "reordered", "leaked") if p[k]]
for s in r["streams"]:
    p = r["ports"][s["to"]]
    if s["total"] < 100 or p["looked_at"] != s["total"]:
        bad.append("tenant %d: %d sent, %d arrived" % (s["tenant"], s["total"], p["looked_at"]))
if r["ports"][2]["looked_at"]:
    bad.append("port 2 got something")
print("%-10s" % sys.argv[2], *["%.3f Mpps" % s["mpps"] for s in r["streams"]], *bad)
sys.exit(bool(bad))
EOF
}

load_of one --both --stream rate=20000
load_of uniform --both --stream rate=20000,flows=1000,size=imix
load_of zipf --both --stream rate=20000,flows=1000,pattern=zipf,size=512
load_of once --both --stream rate=20000,pattern=once
load_of churn --both --stream rate=20000,flows=100,churn=1000,pattern=churn,size=1500,fresh=1
load_of scan --both --stream rate=20000,pattern=scan
load_of tso --both --offload --stream rate=500,kind=tso,size=64000
load_of latency --stream rate=5000 --latency
python3 -c 'import json, sys
l = json.load(open(sys.argv[1]))["latency_ns"]
sys.exit(not 0 < l["p50"] <= l["p99"] <= l["max"] < 10e9)' "$WORK/latency.json" || fail "impossible latencies"
say "all arrived"
