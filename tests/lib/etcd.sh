# shellcheck shell=bash
# etcd for shell tests; comes after base.sh. Members are m0, m1, ...; each has a directory, a log and a pid file's worth
# of memory here. Where nothing else is said they listen on 127.0.0.1 of a namespace of their own, so that tests that run
# at the same time do not meet.

declare -A ETCD_PID=()
ETCD_N=0 ETCD_DATA='' ETCD_NS='' ETCD_ADDRESS='' ETCD_ENDPOINTS=''

# etcd_start N NETNS ADDRESS: a cluster with TLS and client certificates, listening on ADDRESS (of a device in NETNS);
# returns when it has a leader. Sets ETCD_ENDPOINTS, for etcdctl and for --store etcd://$ETCD_ENDPOINTS.
etcd_start() {
    local i
    ETCD_N=$1 ETCD_NS=$2 ETCD_ADDRESS=$3
    need etcd etcdctl openssl
    ETCD_DATA=$(mktemp -d /dev/shm/weft.XXXXXX) # in memory: a busy disk would hold up all
    at_exit rm -r "$ETCD_DATA"
    mkdir -p "$WORK/etcd"
    "$ROOT/tests/lib/certificates" "$WORK/etcd" "$ETCD_ADDRESS" server root operator
    ETCD_ENDPOINTS=$(for ((i = 0; i < ETCD_N; i++)); do printf '%s%s:%d' "${i:+,}" "$ETCD_ADDRESS" $((2379 + i)); done)
    ETCD_ENDPOINTS=${ETCD_ENDPOINTS#,}
    at_exit etcd_stop
    at_failure etcd_explain
    for ((i = 0; i < ETCD_N; i++)); do etcd_run "$i"; done
    wait_until 120 etcd_leader || fail "etcd has no leader"
}

# etcd_run MEMBER: starts it, with the data that it has.
etcd_run() {
    local i=$1 k peers=''
    for ((k = 0; k < ETCD_N; k++)); do peers+=",m$k=http://127.0.0.1:$((2479 + k))"; done
    ip netns exec "$ETCD_NS" etcd --name "m$i" --data-dir "$ETCD_DATA/m$i" \
        --listen-client-urls "https://$ETCD_ADDRESS:$((2379 + i))" \
        --advertise-client-urls "https://$ETCD_ADDRESS:$((2379 + i))" \
        --listen-peer-urls "http://127.0.0.1:$((2479 + i))" \
        --initial-advertise-peer-urls "http://127.0.0.1:$((2479 + i))" --initial-cluster "${peers#,}" \
        --client-cert-auth --trusted-ca-file "$WORK/etcd/ca.pem" --cert-file "$WORK/etcd/server.pem" \
        --key-file "$WORK/etcd/server.key" --heartbeat-interval 200 --election-timeout 2000 --log-level error \
        </dev/null >>"$WORK/etcd/m$i.log" 2>&1 &
    ETCD_PID[$i]=$!
}

# etcd_kill MEMBER: kill -9
etcd_kill() {
    local pid=${ETCD_PID[$1]:-}
    [ -n "$pid" ] || return 0
    unset "ETCD_PID[$1]"
    kill -KILL "$pid" 2>/dev/null || true
    { wait "$pid" || true; } 2>/dev/null
}

etcd_stop() {
    local i
    for i in "${!ETCD_PID[@]}"; do etcd_kill "$i"; done
}

etcd_explain() { tail -n 5 "$WORK"/etcd/m*.log; }

# etcd_ctl ARGS...: etcdctl as root
etcd_ctl() {
    ETCDCTL_API=3 ip netns exec "$ETCD_NS" etcdctl --endpoints "$ETCD_ENDPOINTS" --cacert "$WORK/etcd/ca.pem" \
        --cert "$WORK/etcd/root.pem" --key "$WORK/etcd/root.key" "$@"
}

# etcd_roles ARGS...: control/etcd/weft-etcd-roles as root
etcd_roles() {
    ETCDCTL_ENDPOINTS=$ETCD_ENDPOINTS ETCDCTL_CACERT=$WORK/etcd/ca.pem ETCDCTL_CERT=$WORK/etcd/root.pem \
        ETCDCTL_KEY=$WORK/etcd/root.key ip netns exec "$ETCD_NS" "$ROOT/control/etcd/weft-etcd-roles" "$@" >/dev/null
}

# etcd_leader: the number of the member that leads
etcd_leader() {
    etcd_ctl --command-timeout 2s endpoint status 2>/dev/null |
        awk -F', ' '$5 == "true" {split($1, a, ":"); print a[2] - 2379; found = 1} END {exit !found}'
}

# etcd_user NAME: a certificate for it; etcd_options NAME: the options with which a program is that user.
etcd_user() { "$ROOT/tests/lib/certificates" "$WORK/etcd" "$ETCD_ADDRESS" "$1"; }
etcd_options() {
    echo "--store etcd://$ETCD_ENDPOINTS --cert $WORK/etcd/$1.pem --key $WORK/etcd/$1.key --ca $WORK/etcd/ca.pem"
}
