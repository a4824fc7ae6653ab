#!/bin/bash
# OpenFlow over TLS, both ways: ovs-ofctl connects to pssl:, os-ken is connected to by ssl:. A peer whose certificate
# another CA signed gets nowhere. On the way: ovs-ofctl snoop.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/controller.sh"

controllers_need
need openssl

# certificate CA NAME: CA.pem signs NAME.pem, whose key is NAME.key; CA is made when it is not there.
certificate() {
    local ca=$WORK/$1 name=$WORK/$2
    [ -e "$ca.pem" ] || openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -days 2 -keyout "$ca.key" -out "$ca.pem"
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$name.key" -out "$name.csr"
    openssl x509 -req -in "$name.csr" -CA "$ca.pem" -CAkey "$ca.key" -CAcreateserial -days 2 -out "$name.pem"
}
for name in switch client; do
    certificate ca $name
done 2>"$WORK/openssl.log"
certificate other stranger 2>>"$WORK/openssl.log" || fail "$(cat "$WORK/openssl.log")"
say "certificates are made"

port=$(free_port)
switch_start s '' --private-key "$WORK/switch.key" --certificate "$WORK/switch.pem" --ca-cert "$WORK/ca.pem" \
    --listen "pssl:$port:127.0.0.1"
# ofctl_as NAME CA COMMAND...
ofctl_as() {
    timeout 10 ovs-ofctl -O OpenFlow13 -p "$WORK/$1.key" -c "$WORK/$1.pem" -C "$WORK/$2.pem" "$3" "ssl:127.0.0.1:$port" "${@:4}"
}
ofctl_as client ca dump-flows >"$WORK/flows" || fail "no TLS: $(cat "$WORK/flows")"
grep -q 'actions=NORMAL' "$WORK/flows" || fail "not the flows: $(cat "$WORK/flows")"
for i in {1..3000}; do # more than a TLS record, more than a socket takes at once
    echo "priority=$i,ip,nw_src=10.0.$((i / 256)).$((i % 256)),actions=output:1"
done >"$WORK/many"
ofctl_as client ca add-flows "$WORK/many"
n=$(ofctl_as client ca dump-flows | grep -c 'priority=.*nw_src')
[ "$n" = 3000 ] || fail "$n of 3000 flows came back over TLS"
ofctl_as stranger ca dump-flows && fail "a certificate of another CA was taken"
ofctl_as client other dump-flows && fail "ovs-ofctl took us for another's"
timeout 10 ovs-ofctl -O OpenFlow13 dump-flows "tcp:127.0.0.1:$port" && fail "plain TCP was taken on a TLS port"
ofctl_as client ca dump-aggregate | grep -q 'flow_count=3001' || fail "the port does not serve any more"
say "pssl: good and bad certificates"

port=$(free_port)
weft s controller set --fail-mode secure --max-backoff 0.5 "ssl:127.0.0.1:$port"
# os_ken_as NAME: listens for TLS with that certificate, asks for one that the CA signed
os_ken_as() {
    controller_start learning_switch "$port" --ofp-ssl-listen-port "$port" --ctl-privkey "$WORK/$1.key" \
        --ctl-cert "$WORK/$1.pem" --ca-certs "$WORK/ca.pem"
}
os_ken_as stranger
refused() { [[ $(controller_state s error) == *certificate* ]]; }
wait_until 15 refused || fail "a stranger as controller: $(weft s controller show)"
connected s && fail "connected to a stranger"
controller_stop
os_ken_as client
wait_until 15 connected s || fail "not connected over TLS: $(weft s controller show)"
miss_flow() { ofctl s dump-flows br0 | grep -q 'CONTROLLER'; }
wait_until 30 miss_flow || fail "the controller's flow did not come: $(ofctl s dump-flows br0)"
say "ssl: a controller with a good and one with a bad certificate"

# Who listens in sees what the controller asks in clear.
OVS_RUNDIR=$WORK/s timeout 20 ovs-ofctl snoop br0 >"$WORK/snoop" 2>&1 &
snooper=$!
snooped() { grep -q "$1" "$WORK/snoop"; }
weft s controller set --probe 1 >/dev/null # so that there is something to be said
wait_until 15 snooped OFPT_ECHO_REQUEST || fail "nothing is snooped: $(cat "$WORK/snoop")"
wait_until 15 snooped OFPT_ECHO_REPLY || fail "no answer is snooped: $(cat "$WORK/snoop")"
kill "$snooper"
say "passed"
