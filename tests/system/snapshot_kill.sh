#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A snapshot whose sender or receiver is killed at every named point of its way: afterwards the receiver catches up and
# all are equal. SNAPSHOT_KILL=all goes through all points and several passages; else through one of each stage.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

COMPACT_ENTRIES=100 # the least that is allowed
BATCH=60
PASSAGES=1
RECEIVER_SHORT='snapshot.begin.after_commit snapshot.rows.before_commit snapshot.rows.after_commit snapshot.complete
snapshot.install.before_commit snapshot.install.after_commit'
SENDER_SHORT='snapshot.sent snapshot.end'
ABSENT=''
DONE=0

index_of() { at "$1" keizoku status -o json --read local | json "$2"; } # SITE first_index|last_index

compacted_beyond() { [ "$(index_of "$LEADER" first_index)" -gt "$1" ]; } # INDEX
write_until_compacted() { # INDEX
    local n tries=0
    until compacted_beyond "$1"; do
        tries=$((tries + 1))
        [ "$tries" -le 40 ] || return 1
        DONE=$((DONE + 1))
        for n in $(seq "$BATCH"); do put_site "c$n" "round $DONE" || return 1; done
    done
}

write_much() {
    local n text
    text=$(head -c 3000 /dev/zero | tr '\0' x)
    for n in $(seq 200); do
        site_record "big$n" big
        printf 'note: %s\n' "$text"
    done | keizoku apply -q -f - >/dev/null
}

# Without arguments: all points that the daemon has and that a snapshot passes, at the side they belong to.
points() { # receiver|sender
    local all
    all=$("$KEIZOKU_BUILD/node/keizokud" --failpoints | grep '^snapshot\.')
    case "$1" in
    sender) grep -E '^snapshot\.(offer|send|sent|acked|send_last|end)$' <<<"$all" ;;
    receiver) grep -vE '^snapshot\.(offer|send|sent|acked|send_last|end)$' <<<"$all" ;;
    esac
}

dead() { ! kill -0 "$1" 2>/dev/null; } # PID
ended_at() { grep -q "failpoint.reached name=$2" "$LAB/$1/keizokud.log"; } # SITE POINT

fall_behind() {
    local end
    LEADER=$(wait_leader) || return 1
    ABSENT=$(followers "$LEADER" | tail -n 1)
    end=$(index_of "$ABSENT" last_index) || return 1
    kill_sites "$ABSENT"
    write_until_compacted "$end" || return 1
    LEADER=$(wait_leader)
}

# The node is killed by itself at the point; started again without one, it catches up.
kill_receiver() { # POINT:PASSAGE
    local pid
    fall_behind || return 1
    : >"$LAB/$ABSENT/keizokud.log"
    KEIZOKU_FAILPOINT=$1 start_sites "$ABSENT" || true # it may be dead before it is seen to listen
    pid=$(pid_of_site "$ABSENT")
    wait_until "$WAIT" dead "$pid" || return 1
    ended_at "$ABSENT" "${1%:*}" || return 1
    start_sites "$ABSENT" && wait_until 60 all_equal
}

# The leader dies while it sends; another one begins anew. The point is armed at the one that will lead.
kill_sender() { # POINT:PASSAGE
    local end pid
    LEADER=$(wait_leader) || return 1
    kill_sites "$LEADER"
    : >"$LAB/$LEADER/keizokud.log"
    KEIZOKU_FAILPOINT=$1 start_sites "$LEADER" || return 1
    wait_until 60 all_equal || return 1
    move_leadership "$LEADER" || return 1
    pid=$(pid_of_site "$LEADER")
    fall_behind || return 1
    start_sites "$ABSENT" || return 1
    wait_until "$WAIT" dead "$pid" || return 1
    ended_at "$LEADER" "${1%:*}" || return 1
    start_sites "$LEADER" && wait_until 60 all_equal
}

move_leadership() { # SITE
    local tries
    for tries in $(seq 20); do
        [ "$(wait_leader)" != "$1" ] || return 0
        keizoku cluster transfer "$1" >/dev/null 2>&1 || true # asked again until it leads
        sleep 0.5
    done
    printf '%s does not lead after %s tries\n' "$1" "$tries"
    return 1
}

sweep() { # receiver|sender POINT…
    local side=$1 point passage
    shift
    for point; do
        for passage in $PASSAGES; do check "$side-killed-at-$point-$passage" "kill_$side" "$point:$passage"; done
    done
}

"$KEIZOKU_BUILD/node/keizokud" --failpoints | grep -q . || {
    not_ok failpoints "this build has no failpoints: meson configure -Dfailpoints=true"
    finish
}
receiver_points=$RECEIVER_SHORT
sender_points=$SENDER_SHORT
if [ "${SNAPSHOT_KILL:-}" = all ]; then
    receiver_points=$(points receiver)
    sender_points=$(points sender)
fi
lab_begin --nodes 3
set_raft "compact_entries=$COMPACT_ENTRIES" compact_bytes=1MiB
put_site first first
check writes write_much
# shellcheck disable=SC2086 # names are words
sweep receiver $receiver_points
# Only a later chunk proves that a transfer is gone on from.
check receiver-goes-on kill_receiver snapshot.rows.after_commit:4
check it-was-resumed grep -qE 'snapshot.resume from=.* chunks=([4-9]|[1-9][0-9]+)$' "$LAB"/*/keizokud.log
# shellcheck disable=SC2086
sweep sender $sender_points
check a-name-with-a-slip-is-refused expect_text 'there is no point' \
    env KEIZOKU_FAILPOINT=snapshot.sned:1 "$KEIZOKU_BUILD/node/keizokud" --config /dev/null
finish
