# shellcheck shell=bash
# Network namespaces as hosts for shell tests; comes after base.sh. Names carry our pid, so that tests do not meet.

NS=weft$$

# host_new NAME: the namespace $NS-NAME
host_new() {
    ip netns add "$NS-$1"
    at_exit ip netns del "$NS-$1"
    ip -n "$NS-$1" link set lo up
}
on() { ip netns exec "$NS-$1" "${@:2}"; } # on HOST COMMAND...

# wire HOST DEV HOST DEV [MTU]: a cable between two hosts. Nothing is left half done for the other side: no
# partial checksums, no merged segments.
wire() {
    local mtu=${5:-1600}
    ip link add "$2" netns "$NS-$1" mtu "$mtu" numrxqueues 1 numtxqueues 1 type veth \
        peer name "$4" netns "$NS-$3" mtu "$mtu" numrxqueues 1 numtxqueues 1
    on "$1" ethtool -K "$2" tx off gro off tso off gso off >/dev/null
    on "$3" ethtool -K "$4" tx off gro off tso off gso off >/dev/null
    ip -n "$NS-$1" link set "$2" up
    ip -n "$NS-$3" link set "$4" up
}

# address HOST DEV ADDRESS/LEN: usable at once (no duplicate address detection)
address() {
    case $3 in
    *:*) ip -n "$NS-$1" addr add "$3" dev "$2" nodad ;;
    *) ip -n "$NS-$1" addr add "$3" dev "$2" ;;
    esac
}

# bad_checksums HOST: how many packets its kernel refused for a wrong checksum
bad_checksums() {
    on "$1" cat /proc/net/snmp /proc/net/snmp6 | awk '
        /^[A-Za-z]+: [A-Z]/ {split($0, names); next}
        /^[A-Za-z]+: / {for (i = 2; i <= NF; i++) if (names[i] ~ /CsumErrors/) sum += $i; next}
        $1 ~ /CsumErrors/ {sum += $2}
        END {print sum + 0}'
}

# fabric_new NAME HOST:DEV...: a namespace with a kernel bridge; a cable to each host. Its end towards HOST is to-HOST.
fabric_new() {
    local name=$1 h
    host_new "$name"
    ip -n "$NS-$name" link add bridge type bridge
    ip -n "$NS-$name" link set bridge mtu 1600 up
    for h in "${@:2}"; do
        wire "${h%%:*}" "${h#*:}" "$name" "to-${h%%:*}"
        ip -n "$NS-$name" link set "to-${h%%:*}" master bridge
    done
}

# fabric_watch NAME HOST FILE: what HOST sends and gets, as pcap, until fabric_stop.
fabric_watch() {
    ip netns exec "$NS-$1" tcpdump -q -U -i "to-$2" -s 200 -w "$3" udp port 4789 >"$WORK/fabric.log" 2>&1 &
    FABRIC_PID=$!
    at_exit fabric_stop
    wait_until 20 grep -q 'listening on' "$WORK/fabric.log" || fail "tcpdump does not start"
}
fabric_stop() {
    [ -n "${FABRIC_PID:-}" ] || return 0
    kill "$FABRIC_PID" 2>/dev/null || true
    wait "$FABRIC_PID" || true
    FABRIC_PID=''
}
