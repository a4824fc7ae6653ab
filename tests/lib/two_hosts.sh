# shellcheck shell=bash
# Two hosts with Weft for shell tests; comes after switch.sh and hosts.sh.
#
#   hv1 [weftd, uplink nic0] 192.0.2.1 ====== fabric: a namespace with a kernel bridge ====== 192.0.2.2 [nic0, weftd] hv2

# hosts_join [HOST:DEV...]: the namespaces hv1, hv2 and fabric with their cables, and one to each further host.
hosts_join() {
    local n
    for n in 1 2; do host_new hv$n; done
    fabric_new fabric hv1:nic0 hv2:nic0 "$@"
}

# host_up N: an address for hvN and a weftd of that name, which carries VXLAN over AF_XDP.
host_up() {
    address "hv$1" nic0 "192.0.2.$1/24"
    switch_start "hv$1" "$NS-hv$1"
    weft "hv$1" if add up0 type=afxdp dev=nic0 >/dev/null
}
