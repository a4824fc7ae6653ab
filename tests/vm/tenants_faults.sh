#!/bin/bash
# Two hosts on a cluster of etcd (three members, TLS, roles) while everything but the guests is killed, in turn, under traffic.
#
#   hv1: web1   hv2: web2 (acme/web)    192.0.2.1 --- [fabric] --- 192.0.2.2     etcd: 192.0.2.9
#
# An agent or etcd: no ping is lost. weftd: traffic returns by itself. After each fault every host has the flows that a
# fresh agent makes on a switch without any. AWAY_SECONDS (60): how long all of etcd is away.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/agent.sh"
. "$ROOT/tests/lib/guest.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/two_hosts.sh"
. "$ROOT/tests/lib/etcd.sh"

need_root
need ip ethtool etcd etcdctl
guests_need
MARK=cookie=0x5765667400000000/0xffffffff00000000

host_new store
hosts_join store:nic0
address store nic0 192.0.2.9/24
etcd_start 3 "$NS-store" 192.0.2.9
etcd_roles host hv1 hv2
etcd_roles init operator
read -ra OPERATOR <<<"$(etcd_options operator)"
operator() { on store "$BUILD/weft" "${OPERATOR[@]}" "$@"; } # weft as the operator
operator store status >/dev/null                             # the first one to come must be he
for h in hv1 hv2; do
    host_up "${h#hv}"
    etcd_user $h
    agent_on_etcd $h $h "$NS-$h" $h
done

cat >"$WORK/tenants.yaml" <<'YAML'
apiVersion: weft/v1
hosts: {hv1: {vtep: 192.0.2.1}, hv2: {vtep: 192.0.2.2}}
tenants:
  acme:
    networks: {web: {vni: 5001, subnets: [{cidr: 10.0.0.0/24}]}, db: {vni: 5002, subnets: [{cidr: 10.0.1.0/24}]}}
    routers: {r0: {interfaces: [web, db]}}
    ports:
      web1: {network: web, ips: [10.0.0.10], mac: '02:00:00:00:0a:01', host: hv1}
      web2: {network: web, ips: [10.0.0.11], mac: '02:00:00:00:0a:02', host: hv2}
YAML
operator apply -f "$WORK/tenants.yaml" --wait 60s >/dev/null
tenant_guest web1 hv1 acme/web1 02:00:00:00:0a:01
tenant_guest web2 hv2 acme/web2 02:00:00:00:0a:02
for g in web1 web2; do guest_ready $g; done
wait_until 60 reaches web1 10.0.0.11 || fail "web1 does not reach web2"
say "two hosts on three members of etcd, a guest on each"

# ---- what must hold ----

traffic_start() { guest web1 'ping -i 0.2 10.0.0.11 >/run/ping 2>&1 & echo $! >/run/ping.pid'; }
# traffic_lost: ends it; how many of how many were lost
traffic_lost() {
    # shellcheck disable=SC2016 # for the guest's shell
    guest web1 'sleep 1; kill -INT $(cat /run/ping.pid); sleep 1; cat /run/ping' >"$WORK/ping.out"
    awk '/packets transmitted/ {print $1 - $4, "of", $1; found = 1} END {exit !found}' "$WORK/ping.out"
}
lossless() { # lossless WHAT
    local lost
    lost=$(traffic_lost) || fail "$1: ping has said nothing"
    # the last question may be unanswered when ping is ended
    [ "${lost%% *}" -le 1 ] || fail "$1: lost $lost pings"
    say "$1: lost $lost pings"
}

# follows: a change of the operator's reaches both hosts (a port that comes, with flows on either side, and goes).
N=0
follows() {
    N=$((N + 1))
    operator port add "acme/p$N" --network db --host hv1 --wait 60s >/dev/null || fail "a port is not added"
    operator port add "acme/q$N" --network db --host hv2 --wait 60s >/dev/null || fail "a port is not added"
}

fresh_flows() { # fresh_flows HOST: what a fresh agent makes of nothing
    agent_stop "$1"
    rm -f "$WORK/$1/agent.json"
    ofctl "$1" del-flows br0 $MARK
    [ -z "$(agent_flows "$1")" ] || fail "flows remain on $1"
    agent_on_etcd "$1" "$1" "$NS-$1" "$1"
}
has_flows() { agent_flows "$1" | cmp -s - "$2"; }
converged() { # converged WHAT: both hosts have the flows of a fresh agent
    local h
    follows
    for h in hv1 hv2; do agent_flows $h >"$WORK/$h.flows"; done
    for h in hv1 hv2; do
        fresh_flows $h
        wait_until 60 has_flows $h "$WORK/$h.flows" || {
            agent_flows $h | diff "$WORK/$h.flows" - || true
            fail "$1: $h has other flows (<) than a fresh agent makes (>)"
        }
    done
    say "$1: both hosts have the flows of a fresh agent ($(wc -l <"$WORK/hv1.flows") and $(wc -l <"$WORK/hv2.flows"))"
}

# ---- the faults ----

traffic_start
agent_stop hv1 KILL
agent_stop hv2 KILL
agent_on_etcd hv1 hv1 "$NS-hv1" hv1
agent_on_etcd hv2 hv2 "$NS-hv2" hv2
follows
lossless "agents killed"
converged "agents killed"

traffic_start
leader=$(etcd_leader)
etcd_kill "$leader"
follows
etcd_run "$leader"
lossless "etcd's leader killed"
converged "etcd's leader killed"

traffic_start
for i in 0 1 2; do etcd_kill $i; done
away=$((SECONDS + ${AWAY_SECONDS:-60}))
for h in hv1 hv2; do agent_flows $h >"$WORK/$h.flows"; done
agent_stop hv1 KILL # its next life knows the state from its file alone
read -ra HV1 <<<"$(etcd_options hv1)"
agent_run hv1 hv1 "$NS-hv1" "${HV1[@]}"
wait_until 30 grep -q 'goes on from revision' "$WORK/hv1.agent.log" || fail "no checkpoint was used"
status=0
operator --timeout 2 port list >/dev/null 2>&1 || status=$?
[ $status -eq 5 ] || fail "weft without etcd: status $status, expected 5"
until [ $SECONDS -ge $away ]; do sleep 1; done
for h in hv1 hv2; do has_flows $h "$WORK/$h.flows" || fail "$h has changed its flows while etcd was away"; done
for i in 0 1 2; do etcd_run $i; done
follows
lossless "all of etcd away, an agent started meanwhile"
converged "all of etcd away"

for h in hv1 hv2; do wait_until 20 test -s "$WORK/$h/agent.json" || fail "no checkpoint on $h"; done
# Without etcd a switch that comes back gets its flows from its agent's memory, and from the file.
for i in 0 1 2; do etcd_kill $i; done
for h in hv1 hv2; do
    agent_flows $h >"$WORK/$h.flows"
    switch_stop $h KILL
done
agent_stop hv2 KILL
for h in hv1 hv2; do switch_start $h "$NS-$h"; done
read -ra HV2 <<<"$(etcd_options hv2)"
agent_run hv2 hv2 "$NS-hv2" "${HV2[@]}"
wait_until 60 reaches web1 10.0.0.11 || fail "traffic does not return after weftd was killed, without etcd"
for h in hv1 hv2; do wait_until 60 has_flows $h "$WORK/$h.flows" || fail "$h has not its flows again"; done
say "weftd killed on both hosts while etcd is away: traffic and flows are back"
for i in 0 1 2; do etcd_run $i; done
converged "weftd killed"
