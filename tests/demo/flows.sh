# shellcheck shell=bash
# The flows of one host of the demo, in the form that the control plane will give them later. Read by tests/demo/demo.
# reg0 = VNI, reg1 = 1 when the packet came through the tunnel (it is never sent into one again: split horizon).
# Ports: 2 = vx0, 11 = acme's guest, 12 = globex's guest.

# host_flows SELF PEER: numbers of this host and of the other one
host_flows() {
    cat <<EOF
# 0: classify. A local port belongs to a network; from the tunnel come only known VTEPs and networks.
table=0,priority=0 actions=drop
# 10: port security. A guest speaks with its own MAC and IP address only.
table=10,priority=0 actions=drop
# 40: L2. Every MAC is known, so an unknown one is dropped.
table=40,priority=0 actions=drop
table=60,priority=0 actions=drop
table=70,priority=0 actions=drop
table=80,priority=0 actions=drop
EOF
    network_flows 5001 11 acme "$1" "$2"
    network_flows 6001 12 globex "$1" "$2"
}

# network_flows VNI PORT TENANT SELF PEER
network_flows() {
    local vni=$1 port=$2 tenant=$3 self=$4 peer=$5 ip
    local mac=${MAC[$tenant-web$self]} remote=${MAC[$tenant-web$peer]} vtep=192.0.2.$peer
    local encap="set_field:$vni->tun_id,set_field:$vtep->tun_dst,output:2"
    local multicast=01:00:00:00:00:00/01:00:00:00:00:00

    echo "# $tenant, VNI $vni: the guest on port $port, the other one at $vtep"
    echo "table=0,priority=100,in_port=$port actions=load:$vni->NXM_NX_REG0[],goto_table:10"
    echo "table=0,priority=100,in_port=2,tun_id=$vni,tun_src=$vtep actions=load:$vni->NXM_NX_REG0[],load:1->NXM_NX_REG1[],goto_table:40"
    for ip in $(guest_addresses "$tenant-web$self"); do
        echo "table=10,priority=90,in_port=$port,dl_src=$mac,arp,arp_sha=$mac,arp_spa=$ip actions=goto_table:40"
        echo "table=10,priority=90,in_port=$port,dl_src=$mac,ip,nw_src=$ip actions=goto_table:40"
    done
    echo "table=40,priority=50,reg0=$vni,dl_dst=$mac actions=goto_table:80"
    echo "table=40,priority=40,reg0=$vni,reg1=0,dl_dst=$remote actions=goto_table:70"
    echo "table=40,priority=30,reg0=$vni,dl_dst=$multicast actions=goto_table:60"
    echo "# 60: flood. From a guest to every host that has the network (head-end replication); from the tunnel to guests."
    echo "table=60,priority=20,reg0=$vni,reg1=0 actions=$encap"
    echo "table=60,priority=20,reg0=$vni,reg1=1 actions=output:$port"
    echo "# 70: encap, 80: deliver"
    echo "table=70,priority=20,reg0=$vni,dl_dst=$remote actions=$encap"
    echo "table=80,priority=20,reg0=$vni,dl_dst=$mac actions=output:$port"
}

guest_addresses() {
    echo "${IP[$1]}"
    [ "$1" != globex-web2 ] || echo 10.0.0.20
}
