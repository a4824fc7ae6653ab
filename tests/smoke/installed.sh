#!/bin/bash
# What `make install` leaves works by itself: the units name programs that are there, weftd reads its file, and tells systemd
# that it is ready when its sockets are there and not before.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"

need_root
need python3 make
prefix=/opt/weft
root=$WORK/root
make -s -C "$ROOT" MODE="${MODE:-release}" PREFIX=$prefix DESTDIR="$root" install >"$WORK/install.log" 2>&1 ||
    fail "make install: $(tail -n 5 "$WORK/install.log")"
for unit in weftd weft-agent; do
    file=$root/lib/systemd/system/$unit.service
    program=$(sed -nE 's/^ExecStart=([^ ]+).*/\1/p' "$file")
    [ "$program" = $prefix/sbin/$unit ] || fail "$unit.service starts $program"
    [ -x "$root$program" ] || fail "$program was not installed"
    page=$(sed -nE 's/^Documentation=file:(.*)/\1/p' "$file")
    [ -s "$root$page" ] || fail "$unit.service points to $page, which was not installed"
done
[ -s "$root/etc/weft/weftd.conf" ] || fail "no weftd.conf"
[ -x "$root$prefix/share/weft/vmm-glue/guest/build" ] || fail "weft-vm misses its parts"
[[ $("$root$prefix/bin/weft-vm" args --socket /run/vm1.sock) == *vhost-user* ]] || fail "weft-vm args"

cat >"$WORK/notify.py" <<'EOF'
import os, socket, sys
path, run = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(path)
print("listening", flush=True)
while True:
    text = s.recv(4096).decode()
    if "READY=1" in text.split("\n"):
        there = [os.path.exists(os.path.join(run, f)) for f in ("weftd.sock", "br7.mgmt")]
        print("ready", *there, flush=True)
        break
EOF
mkdir "$WORK/run"
python3 "$WORK/notify.py" "$WORK/notify" "$WORK/run" >"$WORK/told" &
listener=$!
at_exit kill_listener
kill_listener() { kill $listener 2>/dev/null || true; }
wait_until 20 grep -q listening "$WORK/told" || fail "cannot listen for the notice"
printf '%s\n' '# ours' "rundir = $WORK/run" '' 'bridge=br7' >"$WORK/weftd.conf"
NOTIFY_SOCKET=$WORK/notify "$root$prefix/sbin/weftd" --config "$WORK/weftd.conf" </dev/null >"$WORK/s.log" 2>&1 &
# shellcheck disable=SC2034,SC2154 # for switch_stop
SWITCH_PID[s]=$!
at_exit switch_stop s
wait_until 60 grep -q ready "$WORK/told" || fail "weftd did not tell that it is ready: $(cat "$WORK/s.log")"
grep -q "ready True True" "$WORK/told" || fail "told ready without its sockets: $(cat "$WORK/told")"
for socket in weftd.sock br7.mgmt; do
    [ "$(stat -c %a "$WORK/run/$socket")" = 660 ] || fail "$socket: mode $(stat -c %a "$WORK/run/$socket")"
done
"$root$prefix/bin/weft" --rundir "$WORK/run" version | grep -q "bridge: br7" || fail "weft version"
"$root$prefix/bin/weft-ofctl" --rundir "$WORK/run" dump-flows br7 | grep -q "actions=NORMAL" || fail "weft-ofctl dump-flows"
switch_stop s || fail "not a clean end: $(cat "$WORK/s.log")"
say "passed"
