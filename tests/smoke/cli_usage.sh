#!/bin/bash
# weft without a switch: what it says of its own words, and its exit statuses (2 usage, 5 unreachable).
set -euo pipefail
cd "$(dirname "$0")/../.."
weft=${BUILD:-$PWD/build/release}/weft
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# expect STATUS TEXT ARGUMENT...: weft ends with STATUS and prints TEXT.
expect() {
    local want=$1 text=$2 rc=0
    shift 2
    "$weft" --rundir "$work" "$@" >"$work/out" 2>&1 || rc=$?
    if [ "$rc" -ne "$want" ] || ! grep -qF -- "$text" "$work/out"; then
        echo "weft $*: status $rc, expected $want and '$text':"
        cat "$work/out"
        exit 1
    fi
}

expect 0 "Usage: weft" --help
expect 0 "storm-broadcast=N" --help
expect 0 "weft " --version
expect 2 "expected a command"
expect 2 "unknown command 'ports'" ports
expect 2 "if: expected add set del list show, not 'make'" if make
expect 2 "fdb: expected show flush" fdb
expect 2 "ct: expected list flush stats" ct
expect 2 "expected zone=NUMBER, not 'zone=x'" ct flush zone=x
expect 2 "expected zone=NUMBER, not 'limit=1'" ct flush limit=1
expect 2 "usage: weft if add NAME" if add vm1
expect 2 "usage: weft if del NAME" if del a b
expect 2 "usage: weft if list" if list --watch
expect 2 "usage: weft controller del" controller del --probe 3
expect 2 "expected a target or an option" controller set
expect 2 "probe: expected a number, not 'soon'" controller set --probe soon tcp:192.0.2.1
expect 2 "NAME: expected an interface's name" if add type=tap dev=t0
expect 2 "type: missing" if add t0 dev=t0
expect 2 "ofport: expected 1 to" if add t0 type=tap ofport=none
expect 2 "-o: expected table, json or yaml" -o xml if list
expect 2 "--timeout: expected seconds" --timeout never if list
expect 2 "try weft --help" --nonsense
expect 5 "cannot reach $work/weftd.sock" if list
expect 5 "cannot reach" stats --watch
