#!/bin/bash
# One host grows into a cluster: the embedded store is exported and imported into etcd (three members, TLS), the agent is
# started again on etcd and finds the same flows to be there; `weft store use` makes the commands follow.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/agent.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/etcd.sh"
need_root

host_new hv1
address hv1 lo 10.99.0.1/32
etcd_start 3 "$NS-hv1" 10.99.0.1

cat >"$WORK/tenants.yaml" <<'YAML'
apiVersion: weft/v1
hosts: {hv1: {vtep: 192.0.2.1}, hv2: {vtep: 192.0.2.2}}
tenants:
  acme:
    networks:
      web: {subnets: [{cidr: 10.0.0.0/24, gateway: 10.0.0.1, dhcp: true}]}
      db: {subnets: [{cidr: 10.0.1.0/24, gateway: 10.0.1.1}]}
    routers: {r0: {interfaces: [web, db]}}
    securityGroups: {web-sg: {ingress: [{proto: tcp, ports: 443}]}}
    ports:
      web1: {network: web, ips: [auto], mac: auto, host: hv1, groups: [web-sg]}
      web2: {network: web, ips: [auto], mac: auto, host: hv2}
      db1: {network: db, ips: [auto], mac: auto, host: hv1}
YAML

switch_start sw "$NS-hv1"
agent_start sw hv1
weft sw apply -f "$WORK/tenants.yaml" >/dev/null # hv2 does not run: nobody waits for it
weft sw port add acme/web4 --network web --host hv1 --wait 60s >/dev/null
agent_flows sw >"$WORK/before"
[ "$(wc -l <"$WORK/before")" -gt 40 ] || fail "only $(wc -l <"$WORK/before") flows"
weft sw store export >"$WORK/export.json"
say "embedded: $(wc -l <"$WORK/before") flows; $(grep -c '/weft/v1/' "$WORK/export.json") keys exported"

read -ra operator <<<"$(etcd_options operator)"
etcd_weft() { ip netns exec "$NS-hv1" "$BUILD/weft" --rundir "$WORK/sw" "$@"; }

etcd_weft "${operator[@]}" store import -f "$WORK/export.json"
etcd_weft "${operator[@]}" store import -f "$WORK/export.json" | grep -q '^0 keys written' || fail "imported twice"
etcd_weft "${operator[@]}" store export >"$WORK/again.json"
python3 - "$WORK/export.json" "$WORK/again.json" <<'PY' || fail "what was imported is not what was exported"
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
assert a["keys"] == b["keys"] and a["keys"] and a["uuid"] != b["uuid"]
PY
sed 's/10\.0\.0\./10.9.9./g' "$WORK/export.json" >"$WORK/other.json"
status=0
etcd_weft "${operator[@]}" store import -f "$WORK/other.json" 2>"$WORK/refused" || status=$?
[ $status -eq 4 ] || fail "an import over other values: status $status, expected 4 (conflict)"
etcd_weft "${operator[@]}" store export | cmp -s - "$WORK/again.json" || fail "a refused import has changed something"
say "etcd: the same keys; a second import changes nothing, one with other values is refused: $(cat "$WORK/refused")"

etcd_ctl put /weft/v1/live/hv2 '{}' >/dev/null # else hv1 would take hv2 off its lists
agent_stop sw
agent_on_etcd sw hv1 "$NS-hv1" operator
weft sw store use agent # nothing was noted yet: fine
etcd_weft store use "etcd://$ETCD_ENDPOINTS" --cert "$WORK/etcd/operator.pem" --key "$WORK/etcd/operator.key" \
    --ca "$WORK/etcd/ca.pem"
etcd_weft store status | grep -q "etcd://$ETCD_ENDPOINTS" || fail "store use has no effect: $(etcd_weft store status)"
etcd_ctl put /weft/v1/h/hv1/wait '"store_move"' >/dev/null # as weft --wait asks
has_reported() { etcd_ctl get /weft/v1/st/hv1/agent | grep -q rev; }
wait_until 60 has_reported || fail "the agent on etcd does not bring its switch over"
agent_flows sw >"$WORK/after"
diff -u "$WORK/before" "$WORK/after" || fail "other flows on etcd"
sed -n '/store etcd:/,$p' "$WORK/sw.agent.log" | grep 'flows; ' && fail "flows were changed when the agent moved to etcd"
say "the agent on etcd finds the flows that it wants; none was touched"

etcd_weft port add acme/web3 --network web --host hv1 --wait 60s >/dev/null
agent_flows sw | diff "$WORK/after" - >/dev/null && fail "a new port makes no flow"
agent_stop sw
wait_until 60 agent_is_gone hv1 || fail "hv1 lives for ever"
say "a port added through etcd is there; the agent's key goes after the agent"
