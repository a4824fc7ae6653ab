# shellcheck shell=bash
# What every shell test starts with: `. tests/lib/base.sh` makes $WORK, cleans everything up at the end, whatever
# happens, and gives: say, fail, skip, need, at_exit, wait_until. Exit status 0 = passed, 77 = skipped, else failed.
set -euo pipefail

# Debian's programs are what is tested, and its python3 starts at once: one that a version manager has put in front of it takes
# longer to be found than what it is asked takes to run.
PATH=/usr/bin:/bin:$PATH

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$ROOT/build/release}
WORK=$(mktemp -d /tmp/weft.XXXXXX) # short: a unix socket's path has at most 107 characters
AT_EXIT=()
AT_FAILURE=()
WHY=''

say() { printf '%7.1f s  %s\n' "$(since_start)" "$*"; }
fail() {
    WHY=$(printf '%7.1f s  FAILED: %s' "$(since_start)" "$*")
    printf '%s\n' "$WHY" >&2
    exit 1
}
skip() {
    echo "skipped: $*"
    exit 77
}

ms_now() { echo $(($(date +%s%N) / 1000000)); }
START_MS=$(ms_now)
since_start() { awk -v a="$START_MS" -v b="$(ms_now)" 'BEGIN {print (b - a) / 1000}'; }

# at_exit COMMAND...: run at the end, the last one first. at_failure: only when the test fails, before that.
at_exit() { AT_EXIT=("$(printf '%q ' "$@")" "${AT_EXIT[@]}"); }
at_failure() { AT_FAILURE+=("$(printf '%q ' "$@")"); }

finish() {
    local status=$? c
    trap - EXIT
    trap '' INT TERM PIPE
    set +eu
    if [ $status -ne 0 ] && [ $status -ne 77 ]; then
        for c in "${AT_FAILURE[@]}"; do eval "$c"; done
        [ -z "$WHY" ] || printf '%s\n' "$WHY" >&2 # once more: after all of that nobody sees the first one
    fi
    for c in "${AT_EXIT[@]}"; do eval "$c"; done
    rm -rf "$WORK"
    exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 141' PIPE

need_root() { [ "$(id -u)" -eq 0 ] || skip "needs root"; }
need() { # need PROGRAM...
    local p
    for p in "$@"; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$p" >/dev/null || skip "needs $p"
    done
}
need_built() { # need_built NAME...: programs of ours
    local p
    for p in "$@"; do [ -x "$BUILD/$p" ] || fail "$BUILD/$p is not built (make)"; done
}

# pause SECONDS: sleep, without a process of its own: where those are dear, waiting would take more than what is waited for.
exec {NOTHING}<> <(:) # that nobody writes to
pause() { read -rt "$1" -u "$NOTHING" || true; }

# wait_until SECONDS COMMAND...: until it succeeds; its output of the last try is shown when the time is over. What takes more
# than a second or two is asked less often.
wait_until() {
    local end=$((SECONDS + $1)) soon=$((SECONDS + 1)) log=$WORK/wait.log
    shift
    until "$@" >"$log" 2>&1; do
        if [ $SECONDS -ge $end ]; then
            tail -n 5 "$log" >&2
            return 1
        fi
        if [ $SECONDS -le $soon ]; then pause 0.05; else pause 0.2; fi
    done
}
