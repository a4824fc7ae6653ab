# shellcheck shell=bash
# QEMU guests for shell tests; comes after base.sh. A guest's card is at $WORK/NAME.sock.

export WEFT_VM_RUN=$WORK/vm
VM=$ROOT/vmm-glue/weft-vm

guests_need() {
    need qemu-system-x86_64 busybox cpio lz4 iperf3 ethtool dhcpcd python3
    "$VM" image || fail "the test guest could not be built"
}

# guest_start NAME [OPTION of weft-vm start...]
guest_start() {
    "$VM" start "$1" --socket "$WORK/$1.sock" "${@:2}"
    if [ ! -e "$WORK/$1.seen" ]; then
        touch "$WORK/$1.seen"
        at_exit "$VM" stop "$1"
        at_failure guest_explain "$1"
    fi
}

guest_ready() { "$VM" wait "$1" 180 || fail "guest $1 does not come up"; }
guest_stop() { "$VM" stop "$1"; }
guest() { "$VM" exec "$1" -t "${GUEST_SECONDS:-60}" -- "${@:2}"; } # guest NAME COMMAND
guest_explain() {
    echo "---- guest $1: console, QEMU, addresses and what DHCP said"
    tail -n 15 "$WORK/vm/$1.log" "$WORK/vm/$1.qemu" 2>/dev/null
    GUEST_SECONDS=10 guest "$1" 'ip addr show eth0; ip neigh; tail -n 15 /run/dhcpcd.out' || true
}

# pings GUEST ADDRESS [COUNT [SIZE]]: every one must be answered. The first may wait for an address to be resolved.
pings() {
    guest "$1" "ping -c ${3:-5} -i 0.2 -W 5 -s ${4:-56} $2" | tee "$WORK/ping.out" | tail -n 2 | head -n 1
    grep -q ' 0% packet loss' "$WORK/ping.out"
}

# reaches GUEST ADDRESS: one ping is answered (for wait_until, whose time no single try may use up).
reaches() { GUEST_SECONDS=10 guest "$1" "ping -c 1 -W 1 $2"; }

# tcp FROM TO_ADDRESS [iperf3 OPTION...]: prints what arrived; the server must run there.
tcp() {
    guest "$1" "iperf3 -c $2 -J ${*:3}" >"$WORK/iperf.json" || {
        grep -a error "$WORK/iperf.json" >&2
        return 1
    }
    python3 -c '
import json, sys
end = json.load(open(sys.argv[1]))["end"]
mbit = end["sum_received"]["bits_per_second"] / 1e6 if "sum_received" in end else 0
print("%.1f Mbit/s (%d retransmitted)" % (mbit, end.get("sum_sent", {}).get("retransmits", 0)))
sys.exit(mbit <= 0)' "$WORK/iperf.json"
}

# udp FROM TO_ADDRESS [iperf3 OPTION...]: prints "SENT datagrams, LOST lost"; fails when nothing came.
udp() {
    guest "$1" "iperf3 -u -c $2 -J ${*:3}" >"$WORK/iperf.json" || {
        grep -a error "$WORK/iperf.json" >&2
        return 1
    }
    python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))["end"]["sum"]
print("%d datagrams, %d lost" % (s["packets"], s["lost_packets"]))
sys.exit(s["packets"] == 0 or s["lost_packets"] == s["packets"])' "$WORK/iperf.json"
}
