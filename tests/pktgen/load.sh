#!/bin/bash
# weft-pktgen load through a switch, two guests and both ways: every kind of traffic arrives whole, at its own
# receiver, and in order; a third guest that only listens gets nothing. The fourth port is an uplink, whose fabric is played
# as well: into VXLAN and out of it.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
need_root
need ip
need_built weft-pktgen

host_new hv
switch_start s "$NS-hv"
for p in 1 2 3; do weft s if add "p$p" type=vhost-user "socket=$WORK/p$p.sock" role=server >"$WORK/add.log"; done
ofctl s del-flows br0
ofctl s add-flow br0 in_port=1,actions=output:2
ofctl s add-flow br0 in_port=2,actions=output:1
weft s if add up0 type=vhost-user "socket=$WORK/p4.sock" role=server mtu=1600 exception=up0k >"$WORK/add.log"
ip -n "$NS-hv" link set up0k address 02:00:00:00:00:fe up
address hv up0k 172.31.0.1/24
ip -n "$NS-hv" neigh add 172.31.0.2 lladdr 02:00:00:00:00:fd dev up0k
weft s if add vx0 type=vxlan local=172.31.0.1 remote=172.31.0.2 vni=42 ofport=6 >"$WORK/add.log"
ofctl s add-flow br0 in_port=3,actions=output:6
ofctl s add-flow br0 in_port=6,actions=output:3

# load_of NAME OPTION...: runs and checks; at a rate that any machine can do nothing may be lost.
load_of() {
    local name=$1
    shift
    "$BUILD/weft-pktgen" load --seconds 0.5 --warm 0.1 --verify all "$@" \
        connect:"$WORK"/p{1,2,3,4}.sock >"$WORK/$name.json" ||
        fail "$name: the load did not run"
    python3 - "$WORK/$name.json" "$name" <<'EOF' || fail "$name: see above"
import json, sys
r = json.load(open(sys.argv[1]))
bad = []
for i, p in enumerate(r["ports"]):
    bad += ["port %d: %s %d" % (i, k, p[k]) for k in ("corrupt", "reordered", "leaked") if p[k]]
    bad += ["port %d: %d with wrong outer headers" % (i, p["outer"]["bad"])] * (p["outer"]["bad"] > 0)
for s in r["streams"]:
    p = r["ports"][s["to"]]
    if s["total"] < 100 or p["looked_at"] != s["total"]:
        bad.append("tenant %d: %d sent, %d arrived" % (s["tenant"], s["total"], p["looked_at"]))
for i, p in enumerate(r["ports"]):
    if p["looked_at"] and all(s["to"] != i for s in r["streams"]):
        bad.append("port %d got something" % i)
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
tunnel=from=2,to=3,arrives=vxlan,vni=42,remote=172.31.0.1,local=172.31.0.2,outer-dst=02:00:00:00:00:fe
tunnel+=,outer-src=02:00:00:00:00:fd,rate=20000
load_of vxlan --both --stream "$tunnel,flows=1000,size=imix"
python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))["ports"][3]["outer"]
sys.exit(not (o["ports"] > 500 and o["lowest_port"] >= 49152))' "$WORK/vxlan.json" ||
    fail "1000 flows do not spread over the source ports of RFC 7348"
if "$BUILD/weft-pktgen" load --seconds 0.2 --warm 0 --verify all --stream "${tunnel/vni=42/vni=43}" \
    connect:"$WORK"/p{1,2,3,4}.sock | python3 -c 'import json, sys
sys.exit(json.load(sys.stdin)["ports"][3]["outer"]["bad"] > 0)'; then fail "a wrong VNI is not noticed"; fi
load_of latency --stream rate=5000 --latency
python3 -c 'import json, sys
l = json.load(open(sys.argv[1]))["latency_ns"]
sys.exit(not 0 < l["p50"] <= l["p99"] <= l["max"] < 10e9)' "$WORK/latency.json" || fail "impossible latencies"
say "all arrived"
