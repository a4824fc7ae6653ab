#!/bin/bash
# Live migration of a tenant's guest from host to host under traffic; the state is in etcd.
#
#   hv1: web1, web2    ->    hv1: web1    hv2: web2    ->    hv1: web1, web2     (COUNT moves, 2 unless said)
#
# web1 sends web2 numbered, checksummed blocks over TCP and UDP: none may come out changed, TCP may lose none. Both are in
# security groups: web2 is let nothing but that, web1 nothing but answers. After each move every host's flows say where web2 is
# and nothing else, and a broadcast is sent once to where it is needed.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/agent.sh"
. "$ROOT/tests/lib/guest.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/two_hosts.sh"
. "$ROOT/tests/lib/etcd.sh"

need_root
need ip ethtool tcpdump tshark
guests_need
count=${COUNT:-2}
WEB1=02:00:00:00:0a:01 WEB2=02:00:00:00:0a:02
cat >"$WORK/tenants.yaml" <<EOF
apiVersion: weft/v1
hosts: {hv1: {vtep: 192.0.2.1}, hv2: {vtep: 192.0.2.2}}
tenants:
  acme:
    networks: {web: {vni: 5001, subnets: [{cidr: 10.0.0.0/24}]}, db: {vni: 5002, subnets: [{cidr: 10.0.1.0/24}]}}
    routers: {r0: {interfaces: [web, db]}}
    securityGroups:
      client: {}
      server: {ingress: [{proto: icmp}, {proto: tcp, ports: 7000}, {proto: udp, ports: 7000, from: {group: client}}]}
    ports:
      web1: {network: web, ips: [10.0.0.10], mac: '$WEB1', host: hv1, groups: [client]}
      web2: {network: web, ips: [10.0.0.11], mac: '$WEB2', host: hv1, groups: [server]}
      db1: {network: db, ips: [10.0.1.10], host: hv2}
EOF

hosts_join
address fabric bridge 192.0.2.100/24
for h in 1 2; do host_up $h; done
etcd_start 1 "$NS-fabric" 192.0.2.100
read -ra operator <<<"$(etcd_options operator)"
tenants() { ip netns exec "$NS-fabric" "$BUILD/weft" --rundir "$WORK/none" --timeout 60 "${operator[@]}" "$@"; }
for h in 1 2; do agent_on_etcd hv$h hv$h "$NS-hv$h" operator; done
tenants apply -f "$WORK/tenants.yaml" --wait 60s >/dev/null
tenant_guest web1 hv1 acme/web1 $WEB1
tenant_guest web2-0 hv1 acme/web2 $WEB2
guest_ready web1
guest_ready web2-0
wait_until 60 reaches web1 10.0.0.11 || fail "web1 does not reach web2"
say "two hosts on etcd, two guests on hv1"

field() { guest "$3" "cat /tmp/$2" | grep -o "$1=[0-9]*" | cut -d= -f2; } # field NAME tcp|udp GUEST
more_than() { [ "$(field blocks "$1" "$2")" -gt "$3" ]; }
guest web2-0 'stream recv tcp 7000 /tmp/tcp >/tmp/tcp.log 2>&1 & stream recv udp 7000 /tmp/udp >/tmp/udp.log 2>&1 &'
guest web1 'stream send tcp 10.0.0.11 7000 100 >/tmp/tcp.log 2>&1 & stream send udp 10.0.0.11 7000 100 >/tmp/udp.log 2>&1 &'
wait_until 60 more_than tcp web2-0 100 || fail "the stream does not run"
say "the stream runs"

# ways HOST: the actions by which that host sends to web2, from its network and from the router
ways() { agent_flows "$1" | grep -E "table=(40|54),.*(dl_dst=$WEB2|nw_dst=10.0.0.11) " | sed 's/.*actions=//'; }
leads() { # leads HOST HERE: is web2 reached on HOST (its own port), or in the other host's tunnel, and in no other way?
    local there=192.0.2.2 want n=2
    [ "$1" = hv1 ] || there=192.0.2.1
    [ "$1 $2" != "hv2 no" ] || n=1 # without a guest of the network only the router's way is left
    if [ "$2" = yes ]; then want='reg3,goto_table:80'; else want="set_field:$there->tun_dst,goto_table:70"; fi
    [ "$(ways "$1" | wc -l)" -eq $n ] && ! ways "$1" | grep -vqF -- "$want"
}
floods() { # floods WHAT: how often three multicasts of web1 are on the fabric
    fabric_watch fabric hv1 "$WORK/$1.pcap"
    guest web1 'ping -c 3 -W 1 224.0.0.1' >/dev/null || true
    fabric_stop
    tshark -r "$WORK/$1.pcap" -Y 'vxlan && eth.dst == 01:00:5e:00:00:01' 2>/dev/null | wc -l
}

host=hv1
for ((i = 1; i <= count; i++)); do
    from=$host
    if [ $host = hv1 ]; then host=hv2; else host=hv1; fi
    tcp=$(field blocks tcp web2-$((i - 1))) udp=$(field blocks udp web2-$((i - 1)))
    tenant_move web2-$((i - 1)) web2-$i $from $host acme/web2 $WEB2 tenants
    wait_until 60 more_than tcp web2-$i $((tcp + 100)) || fail "move $i: the TCP stream does not go on"
    wait_until 60 more_than udp web2-$i $((udp + 100)) || fail "move $i: the UDP stream does not go on"
    tcp_report=$(guest web2-$i 'cat /tmp/tcp') udp_report=$(guest web2-$i 'cat /tmp/udp')
    say "move $i, $from to $host: $MOVED"
    say "    TCP $tcp_report"
    say "    UDP $udp_report"
    [[ $tcp_report == *" bad=0 lost=0 "* ]] || fail "the TCP stream was changed"
    [[ $udp_report == *" bad=0 "* ]] || fail "a UDP block was changed"
    wait_until 20 leads $host yes || fail "$host does not know its own guest: $(ways $host)"
    wait_until 20 leads $from no || fail "$from has another way to web2: $(ways $from)"
    [ ! -S "$WORK/$from/ports/acme.web2.sock" ] || fail "$from keeps the port's socket"
    want=0
    [ $host = hv1 ] || want=3
    [ "$(floods move$i)" -eq $want ] || fail "3 multicasts of web1 are $(floods again$i) on the fabric, expected $want"
done
guest web1 'cat /tmp/tcp.log /tmp/udp.log' | grep . && fail "the sender stumbled"
say "passed: $count moves; every host knows one way to the guest; broadcasts go where it is, once"
