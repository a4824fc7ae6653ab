# shellcheck shell=bash
# os-ken applications as controllers for shell tests; comes after base.sh.

CONTROLLER_PID=

controllers_need() {
    need osken-manager ovs-ofctl
    [ -x /usr/bin/python3 ] || skip "needs /usr/bin/python3" # os-ken is Debian's, so is its Python
}

# free_port: a TCP port of 127.0.0.1 that nobody listens on now
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# controller_start APP PORT [OPTION...]: tests/controller/apps/APP.py listens on 127.0.0.1:PORT when it returns.
controller_start() {
    local app=$1 port=$2
    shift 2
    [ -e "$WORK/controller.log" ] || { at_exit controller_stop && at_failure controller_explain; }
    PYTHONDONTWRITEBYTECODE=1 osken-manager --ofp-listen-host 127.0.0.1 --ofp-tcp-listen-port "$port" --verbose \
        "$@" "$ROOT/tests/controller/apps/$app.py" >>"$WORK/controller.log" 2>&1 </dev/null &
    CONTROLLER_PID=$!
    wait_until 30 controller_listens "$port" || fail "the controller $app does not come up"
}

controller_listens() {
    kill -0 "$CONTROLLER_PID" || return 1
    ss -Hltn "sport = :$1" | grep -q .
}

controller_stop() {
    [ -n "$CONTROLLER_PID" ] || return 0
    kill -KILL "$CONTROLLER_PID" 2>/dev/null || true
    wait "$CONTROLLER_PID" 2>/dev/null || true
    CONTROLLER_PID=
}

controller_explain() {
    echo "---- controller"
    tail -n 40 "$WORK/controller.log"
}

# controller_state SWITCH [MEMBER]: a member of the first controller's state, by default whether it is connected
controller_state() {
    "$BUILD/weft" --rundir "$WORK/$1" -o json controller show | python3 -c '
import json, sys
print(str(json.load(sys.stdin)["controllers"][0][sys.argv[1]]).lower())' "${2:-connected}"
}

connected() { [ "$(controller_state "$1")" = true ]; }    # connected SWITCH
disconnected() { [ "$(controller_state "$1")" = false ]; } # disconnected SWITCH

# standalone SWITCH: does it forward on its own?
standalone() { "$BUILD/weft" --rundir "$WORK/$1" -o json controller show | grep -q '"standalone": *true'; }
not_standalone() { ! standalone "$1"; }
