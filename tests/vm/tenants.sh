#!/bin/bash
# Tenants' guests with ordinary Linux kernels on two hosts: what a network owes them, seen from inside.
#
#   hv1: web1 (acme/web), db1 (acme/db)    hv2: web2 (acme/web)          r0 routes between web and db
#        192.0.2.1 --------- [fabric: a kernel bridge, where packets are counted; etcd] --------- 192.0.2.2
#
# Addresses by DHCPv4, router advertisement and DHCPv6; ping, traceroute, neighbours; the fabric sees no ARP and no ND.
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

WEB1=02:00:00:00:0a:01 WEB2=02:00:00:00:0a:02 DB1=02:00:00:00:0d:01
ROUTER_WEB=0e:57:00:00:13:89 ROUTER_DB=0e:57:00:00:13:8a # VNI 5001 and 5002
cat >"$WORK/tenants.yaml" <<EOF
apiVersion: weft/v1
hosts: {hv1: {vtep: 192.0.2.1}, hv2: {vtep: 192.0.2.2}}
tenants:
  acme:
    networks:
      web: {vni: 5001, subnets: [{cidr: 10.0.0.0/24, dns: [9.9.9.9]}, {cidr: 'fd00:1::/64', dns: ['fd00:9::9']}]}
      db: {vni: 5002, subnets: [{cidr: 10.0.1.0/24}, {cidr: 'fd00:2::/64'}]}
    routers: {r0: {interfaces: [web, db]}}
    securityGroups: {asks: {}} # who is in it gets answers, and errors, alone
    ports:
      web1: {network: web, ips: [10.0.0.10, 'fd00:1::10'], mac: '$WEB1', host: hv1, groups: [asks]}
      web2: {network: web, ips: [10.0.0.11, 'fd00:1::11'], mac: '$WEB2', host: hv2}
      db1: {network: db, ips: [10.0.1.10, 'fd00:2::10'], mac: '$DB1', host: hv1}
EOF

hosts_join
address fabric bridge 192.0.2.100/24
for h in 1 2; do host_up $h; done
etcd_start 1 "$NS-fabric" 192.0.2.100
read -ra operator <<<"$(etcd_options operator)"
for h in 1 2; do agent_on_etcd hv$h hv$h "$NS-hv$h" operator; done
ip netns exec "$NS-fabric" "$BUILD/weft" --timeout 60 "${operator[@]}" apply -f "$WORK/tenants.yaml" --wait 60s >/dev/null
fabric_watch fabric hv1 "$WORK/fabric.pcap"
for g in web1:hv1:$WEB1 db1:hv1:$DB1 web2:hv2:$WEB2; do
    IFS=: read -r name host mac <<<"$g"
    tenant_guest "$name" "$host" "acme/$name" "$mac"
done
for g in web1 db1 web2; do guest_ready "$g"; done
say "two hosts on etcd, three guests are up"

has() { GUEST_SECONDS=10 guest "$1" "$2" | grep -qF -- "$3"; } # has GUEST COMMAND TEXT
expect() { wait_until 60 has "$@" || fail "$1: '$2' does not show $3: $(guest "$1" "$2")"; }

expect web1 'ip -4 addr show eth0' '10.0.0.10/24'
expect web1 'ip -4 route' 'default via 10.0.0.1'
expect web1 'cat /etc/resolv.conf' 9.9.9.9
expect db1 'ip -4 addr show eth0' '10.0.1.10/24'
expect web2 'ip -4 addr show eth0' '10.0.0.11/24'
expect web1 'cat /run/leases' 'new_interface_mtu=1450'
say "DHCP: addresses, routes, DNS, MTU"
for g in web1:fd00:1::10 web2:fd00:1::11 db1:fd00:2::10; do
    expect ${g%%:*} 'ip -6 addr show eth0' "${g#*:}/"
    expect ${g%%:*} 'ip -6 route' 'default via fe80::c57:ff:fe00:138'
done
expect web1 'cat /etc/resolv.conf' fd00:9::9
say "router advertisements and DHCPv6: addresses, routes, DNS"

ping_all() { # ping_all FROM WHAT ADDRESS...
    local out a size
    for a in "${@:3}"; do
        out=$(pings "$1" "$a" 3) || fail "$1 to $2, $a: $out"
        size=1422; [[ $a != *:* ]] || size=1402
        out=$(pings "$1" "$a" 2 $size) || fail "$1 to $2, $a, full size: $out"
    done
    say "ping $1 -> $2: ${*:3}, small and full size"
}
# The first packet from host to host may be lost, as its next hop is not resolved: nothing that web1's kernel says to all by
# itself (MLD) passes its group and goes before ours.
wait_until 60 reaches web1 10.0.0.11 || fail "web1 does not reach web2"
ping_all web1 'web2, its network, another host' 10.0.0.11 fd00:1::11
ping_all web1 'db1, across the router' 10.0.1.10 fd00:2::10
ping_all web2 'db1, across the router and hosts' 10.0.1.10 fd00:2::10
ping_all web1 "the router's own addresses" 10.0.0.1 10.0.1.1 fd00:1::1

hops() { guest "$1" "traceroute$2 -n -q 1 -w 5 -m 5 $3" | awk '$1 ~ /^[0-9]+$/ {print $2}' | paste -sd' '; }
[ "$(hops web1 '' 10.0.1.10)" = "10.0.0.1 10.0.1.10" ] || fail "traceroute: $(hops web1 '' 10.0.1.10)"
[ "$(hops web2 6 fd00:2::10)" = "fd00:1::1 fd00:2::10" ] || fail "traceroute6: $(hops web2 6 fd00:2::10)"
say "traceroute shows the router, over IPv4 and IPv6"
for a in 10.0.0.10 fd00:1::10; do
    if reaches web2 $a >/dev/null; then fail "web2 is let into web1, at $a"; fi
done
say "web1's group lets nobody in but with answers: web2's pings are lost"

neighbour() { # neighbour GUEST ADDRESS MAC
    guest "$1" 'ip neigh' | grep -qiE "^$2 .*$3" || fail "$1 knows $2 as: $(guest "$1" 'ip neigh' | grep "^$2 ")"
}
neighbour web1 10.0.0.11 $WEB2
neighbour web1 fd00:1::11 $WEB2
neighbour web1 10.0.0.1 $ROUTER_WEB
neighbour web2 10.0.0.10 $WEB1
neighbour db1 10.0.1.1 $ROUTER_DB
say "ip neigh: the right MAC addresses, the routers' too"

fabric_stop
on_fabric() { tshark -r "$WORK/fabric.pcap" -Y "vxlan && ($1)" 2>/dev/null | wc -l; }
[ "$(on_fabric 'icmp || icmpv6.type == 128')" -gt 10 ] || fail "the fabric's capture saw no traffic of guests"
[ "$(on_fabric 'arp || icmpv6.type == 135 || icmpv6.type == 136')" -eq 0 ] || fail "ARP or ND left a host"
[ "$(on_fabric 'dhcp || dhcpv6 || icmpv6.type == 133 || icmpv6.type == 134')" -eq 0 ] || fail "DHCP or RA left a host"
say "on the fabric: $(on_fabric 'icmp || icmpv6.type == 128') pings, no ARP, no ND, no DHCP"
say passed
