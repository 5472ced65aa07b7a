# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Helpers for system tests: `. "$(dirname "$0")/../lib/lab.sh"`. A test prints `ok NAME` or `not ok NAME why` per
# fact and ends with `finish`. Everything it starts is ended on exit, by process id; the folder is removed, except
# for the nodes' logs of a failed test (in $KEIZOKU_TEST_LOGS when that is set).
set -u

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
export KEIZOKU_BUILD=${KEIZOKU_BUILD:-$REPO/build}
export PATH="$KEIZOKU_BUILD/client:$KEIZOKU_BUILD/tools:$PATH"
export LC_ALL=C.UTF-8
for name in $(compgen -e); do
    case "$name" in
    KEIZOKU_BUILD | KEIZOKU_TEST_LOGS) ;;
    KEIZOKU_*) unset "$name" ;; # settings of the person who runs this
    esac
done
TEST_NAME=$(basename "$0" .sh)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/keizoku-$TEST_NAME.XXXXXX")
export HOME="$WORK" XDG_CONFIG_HOME="$WORK/.config"
PASSED=0
FAILED=0
LABS=()

lab() { "$REPO/deploy/lab" --dir "${LAB:-$WORK/lab}" "$@"; }

# A cluster in $WORK/lab with the client's environment set. lab_begin [up's options]
lab_begin() {
    LAB=$WORK/lab
    LABS+=("$LAB")
    export XDG_STATE_HOME=$WORK/state # an epoch learned here must not be remembered against the next laboratory
    lab up "$@" >"$WORK/up.log" 2>&1 || {
        cat "$WORK/up.log" >&2
        not_ok "lab-up" "the laboratory did not start"
        finish
    }
    use_user officer
}

use_user() { eval "$(lab env --user "$1")"; } # officer, duty, auditor

address_of() { awk -v site="$1" '$1 == site { print ($4 ? $4 : "127.0.0.1") ":" $3 }' "$LAB/sites"; }

# Runs the rest of the line against one site only: at remote keizoku status
at() { KEIZOKU_NODE=$(address_of "$1") "${@:2}"; }

keep_logs() {
    local log
    [ -n "${KEIZOKU_TEST_LOGS:-}" ] || return 0
    mkdir -p "$KEIZOKU_TEST_LOGS/$TEST_NAME"
    for log in "$WORK"/*/*/keizokud.log "$WORK"/*.log; do
        [ -f "$log" ] || continue
        cp "$log" "$KEIZOKU_TEST_LOGS/$TEST_NAME/$(echo "${log#"$WORK"/}" | tr / -)"
    done
}

# File systems that a test put below its folder.
unmount_all() {
    local place
    while read -r _ place _; do
        case "$place" in "$WORK"/*) umount -l "$place" ;; esac
    done </proc/self/mounts
}

clean_up() {
    local dir site
    for dir in "${LABS[@]+"${LABS[@]}"}"; do
        [ -f "$dir/sites" ] || continue
        while read -r site _; do
            "$REPO/deploy/lab" --dir "$dir" kill "$site" >/dev/null 2>&1 || true # it may be down already
        done <"$dir/sites"
    done
    if [ "$FAILED" -gt 0 ]; then keep_logs; fi
    unmount_all
    rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

ok() {
    PASSED=$((PASSED + 1))
    printf 'ok %s\n' "$1"
}

not_ok() { # NAME WHY
    FAILED=$((FAILED + 1))
    printf 'not ok %s %s\n' "$1" "$(printf '%s' "${2:-}" | tr '\n' ' ' | cut -c 1-400)"
}

# A node that a sanitizer or an assertion ended has failed the test, whatever the client saw.
check_logs() {
    local found
    found=$(grep -hE 'assert\.failed|runtime error:|(Address|Thread|Leak)Sanitizer' "$WORK"/*/*/keizokud.log 2>/dev/null | head -n 3)
    if [ -n "$found" ]; then not_ok "$TEST_NAME-logs-are-clean" "$found"; fi
}

finish() {
    check_logs
    if [ "$((PASSED + FAILED))" = 0 ]; then not_ok "$TEST_NAME" "it checked nothing"; fi
    [ "$FAILED" = 0 ]
    exit
}

# check NAME COMMAND…: ok when the command succeeds
check() {
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "($*) $out"; fi
}

# expect_exit CODE COMMAND…: prints what the command printed when the status differs
expect_exit() {
    local wanted=$1 got=0 out
    shift
    out=$("$@" 2>&1) || got=$?
    [ "$got" = "$wanted" ] && return 0
    printf 'exit %s, not %s: %s\n' "$got" "$wanted" "$out"
    return 1
}

# expect_text TEXT COMMAND…: standard output and error together hold TEXT
expect_text() {
    local wanted=$1 out
    shift
    out=$("$@" 2>&1) || true
    case "$out" in *"$wanted"*) return 0 ;; esac
    printf 'no "%s" in: %s\n' "$wanted" "$out"
    return 1
}

expect_equal() { # WANTED GOT
    [ "$1" = "$2" ] && return 0
    printf 'wanted "%s", got "%s"\n' "$1" "$2"
    return 1
}

# wait_until SECONDS COMMAND…: tries until it succeeds; its last output when it never does
wait_until() {
    local until_seconds=$((SECONDS + $1)) out
    shift
    while :; do
        if out=$("$@" 2>&1); then return 0; fi
        if [ "$SECONDS" -ge "$until_seconds" ]; then
            printf 'still not after the wait: %s: %s\n' "$*" "$out"
            return 1
        fi
        sleep 0.1
    done
}

json() { json-get "$1"; } # PATH, JSON on standard input

# The leader's name as the reached node says; fails when it knows none.
leader() {
    local name
    name=$(keizoku status -o json --read local 2>/dev/null | json meta.leader) && [ "$name" != null ] && printf '%s\n' "$name"
}

# "INDEX HASH" of the site's own copy.
state_of() { # SITE
    local answer
    answer=$(at "$1" keizoku status -o json --read local 2>/dev/null) || return 1
    printf '%s %s\n' "$(printf '%s' "$answer" | json meta.applied_index)" "$(printf '%s' "$answer" | json state_hash)"
}

# Index and hash equal on all the given sites.
same_state() { # SITE…
    local site wanted='' got
    for site in "$@"; do
        got=$(state_of "$site") || return 1
        [ -n "$wanted" ] || wanted=$got
        expect_equal "$wanted" "$got" || return 1
    done
}
