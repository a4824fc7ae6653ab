#!/bin/bash
# Debian's ovs-ofctl against Open vSwitch and against Weft, and weft-ofctl against both: every verb, by the default
# protocol and by OpenFlow 1.3, must print the same and end with the same status (normalise() in pair.bash says what may
# differ). The lines of cases/* are the list: shell commands in which `O` is the client; "13 ..." runs over OpenFlow 1.3
# only, "10 ..." by the default protocol only, "ovs ..." with ovs-ofctl only. CASES=REGEX picks files; KEEP=DIR keeps what was printed.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/ofctl/pair.bash"
need_root
need ovs-ofctl ovs-vswitchd ovsdb-server ovs-vsctl
need_built weftd weft weft-ofctl

# play SWITCH PROTOCOL CLIENT...: runs the cases and prints for each "=== file:line text", what it printed, its status.
play() {
    local side=$1 protocol=$2 file text only n rc
    shift 2
    CLIENT=("$@" -t 60)
    export OVS_RUNDIR=$WORK/$side WEFT_RUNDIR=$WORK/$side HOST=$side
    mkdir -p "$WORK/$side.files"
    cd "$WORK/$side.files" || exit 2
    for file in "$ROOT"/tests/ofctl/cases/*; do
        [[ $file =~ ${CASES:-.} ]] || continue
        n=0
        while IFS= read -r text; do
            n=$((n + 1))
            only=
            case $text in
            '' | '#'*) continue ;;
            '13 '* | '10 '* | 'ovs '*)
                [[ $text = $protocol* || ($text = ovs* && $1 = ovs-ofctl) ]] || continue
                [[ $text != ovs* ]] || only='ovs '
                text=${text#* }
                ;;
            esac
            echo "=== $only${file##*/}:$n $text"
            rc=0
            (eval "$text") </dev/null 2>&1 || rc=$?
            echo "status $rc"
        done <"$file"
    done
}
O() { "${CLIENT[@]}" "$@"; }
# sorted COMMAND...: the lines of the output in order, for what comes out of hash tables; not by what may differ
sorted() { "$@" 2>&1 | normalise | sort; return "${PIPESTATUS[0]}"; }

# own_words: what weft-ofctl itself complains of it says in its own words.
own_words() {
    awk '/^=== /{own = !/^=== ovs /} own' | sed -E 's/^ovs-ofctl: .*/ovs-ofctl: .../; /^TIME\|/d
        s/([rt]x) pkts=[0-9]+, bytes=[0-9]+/\1 of all runs/; s/(bytes from br0: xid=)[0-9a-f]+/\1X/'
}
# inject PORT HEX: a frame comes in.
inject() {
    on "$HOST" python3 -c '
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
s.send(bytes.fromhex(sys.argv[2]))' "q$1" "$2"
}

# capture FILE "FROM TO SEQUENCE HEX"...: a capture file of TCP segments between these ports.
capture() {
    python3 -c '
import struct, sys
out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
for at, text in enumerate(sys.argv[1:]):
    source, target, sequence, data = text.split()
    tcp = struct.pack("!HHIIBBHHH", int(source), int(target), int(sequence), 0, 0x50, 24, 9, 0, 0) + bytes.fromhex(data)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)))
    frame = bytes(12) + b"\x08\x00" + ip + tcp
    out += struct.pack("<IIII", 1700000000 + at, 123456, len(frame), len(frame)) + frame
sys.stdout.buffer.write(out)' "${@:2}" >"$1"
}

# with_controller COMMAND...: while the switch has a controller (controller.py); says HEX makes that one say something.
with_controller() {
    local pid
    rm -f says && mkfifo says
    on "$HOST" python3 "$ROOT/tests/ofctl/controller.py" <>says >connected &
    pid=$!
    wait_until 30 grep -q listening connected
    if [ "$HOST" = ovs ]; then
        vsctl set-controller br0 tcp:127.0.0.1:6653 -- set controller br0 connection-mode=out-of-band
    else
        weft weft controller set --fail-mode secure tcp:127.0.0.1:6653 >/dev/null
    fi
    wait_until 30 grep -q connected connected && "$@"
    if [ "$HOST" = ovs ]; then vsctl del-controller br0; else weft weft controller del; fi
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null || true # it ends by itself, too, when its switch leaves
}
says() { echo "$1" >says; }

# shows TEXT FILTER: waits until the flows that the filter selects have the text.
shows() { wait_until 30 has_text "$@" || true; }
has_text() { O dump-flows br0 "$2" | grep -q "$1"; }

# inject_until PORT HEX TEXT FILTER: and waits for what it does.
inject_until() { inject "$1" "$2" && shows "$3" "$4"; }

# size FILE: sets SIZE. settled FILE: has it stopped growing? grown FILE SIZE: is it longer now?
size() {
    local text=
    IFS= read -r -d '' text <"$1" || true
    SIZE=${#text}
}
settled() {
    local before
    size "$1"
    before=$SIZE
    pause 0.05
    size "$1"
    [ "$SIZE" -eq "$before" ]
}
# asleep PID: does it wait for the switch to speak, three looks in a row?
asleep() {
    local state
    for _ in 1 2 3; do
        pause 0.05
        read -r _ _ state _ <"/proc/$1/stat" || return 1
        [ "$state" = S ] || return 1
    done
}
grown() {
    size "$1"
    [ "$SIZE" -gt "$2" ]
}

# watch CLIENT-COMMAND... -- COMMAND...: starts the first, which goes on until it is ended; when it listens, runs the
# second, and prints what both say once something was heard.
watch() {
    local -a first=()
    local pid before
    while [ "$1" != -- ]; do first+=("$1") && shift; done
    shift
    "${CLIENT[@]}" "${first[@]}" >heard 2>&1 &
    pid=$!
    [[ ${first[*]} != *watch:* ]] || wait_until 30 grown heard 0
    wait_until 30 asleep "$pid" && wait_until 30 settled heard
    size heard
    before=$SIZE
    "$@"
    wait_until 30 grown heard "$before"
    wait_until 30 settled heard
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    cat heard
}

differences=0
# compare WHAT EXPECTED GOT [FILTER]: FILTER is for both
compare() {
    local d
    d=$(diff -U 1000 <("${4:-cat}" <"$2") <("${4:-cat}" <"$3") | awk '
        /^[ ]=== / {if (bad) printf "%s", block; block = ""; bad = 0}
        /^(---|\+\+\+|@@)/ {next}
        {block = block $0 "\n"}
        /^[+-]/ {bad = 1}
        END {if (bad) printf "%s", block}') || true # diff's status
    cases=$(grep -c '^=== ' "$2")
    if [ -n "$d" ]; then
        printf -- '---- %s: "-" is what ovs-ofctl prints with Open vSwitch\n%s\n' "$1" "$d"
        differences=$((differences + $(grep -c '^ ===' <<<"$d")))
    fi
    say "$1: $cases cases"
}

# Every verb has a case, or the README says why not.
for verb in $(ovs-ofctl list-commands | awk 'NR > 1 {print $1}'); do
    grep -qE "(O|watch) (.* )?$verb( |$)" "$ROOT"/tests/ofctl/cases/* || grep -q "\`$verb\`" "$ROOT/tests/ofctl/README.md" ||
        fail "$verb has no case and no reason in README.md"
done
pair_start_ovs
pair_start_weft
out=${KEEP:-$WORK/out}
mkdir -p "$out"
# both NAME PROTOCOL CLIENT...: the cases against both switches at once, into $out/{ovs,weft}.NAME
both() {
    local a b
    play ovs "${@:2}" | normalise >"$out/ovs.$1" &
    a=$!
    play weft "${@:2}" | normalise >"$out/weft.$1" &
    b=$!
    wait "$a" && wait "$b"
}
both 13 13 ovs-ofctl -O OpenFlow13
both 10 10 ovs-ofctl
both own 13 "$BUILD/weft-ofctl"
compare 'ovs-ofctl -O OpenFlow13 to Weft' "$out/ovs.13" "$out/weft.13"
compare 'ovs-ofctl to Weft' "$out/ovs.10" "$out/weft.10"
compare 'weft-ofctl to Open vSwitch' "$out/ovs.13" "$out/ovs.own" own_words
compare 'weft-ofctl to Weft' "$out/ovs.13" "$out/weft.own" own_words
[ "$differences" -eq 0 ] || fail "$differences differences"
