#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A snapshot whose sender or receiver is killed at every named point of its way: afterwards the receiver catches up and
# all are equal. SNAPSHOT_KILL=all goes through all points, and those of a chunk twice; else through one of each stage.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

RECEIVER_SHORT='snapshot.begin.after_commit snapshot.rows.before_commit snapshot.rows.after_commit snapshot.complete
snapshot.install.before_commit snapshot.install.after_commit'
SENDER_SHORT='snapshot.sent snapshot.end'
LATER=''
ABSENT=''
DONE=0

index_of() { at "$1" keizoku status -o json --read local | json "$2"; } # SITE first_index|last_index

# Not even the entry before the first is there: whoever ends at INDEX can only get a snapshot.
compacted_beyond() { [ "$(index_of "$LEADER" first_index)" -gt "$(($1 + 1))" ]; } # INDEX

# One transaction of more than half of what the log may hold before it is compacted. Texts differ, or nothing changes.
write_much() {
    local n text
    DONE=$((DONE + 1))
    text=$(head -c 3000 /dev/zero | tr '\0' x)
    for n in $(seq 200); do
        site_record "big$n" big
        printf 'note: %s %s\n' "$DONE" "$text"
    done | keizoku apply -q -f - >/dev/null
}

write_until_compacted() { # INDEX
    local tries
    for tries in $(seq 10); do
        if compacted_beyond "$1"; then return 0; fi
        write_much || return 1
    done
    printf 'the log still begins before %s after %s large writes\n' "$1" "$tries"
    return 1
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
ended_at() { # SITE POINT
    grep -q "failpoint.reached name=$2" "$LAB/$1/keizokud.log" && return 0
    printf '%s ended otherwise: %s\n' "$1" "$(tail -n 2 "$LAB/$1/keizokud.log")"
    return 1
}

fall_behind() {
    local end
    LEADER=$(wait_leader) || return 1
    ABSENT=$(followers "$LEADER" | tail -n 1)
    end=$(index_of "$ABSENT" last_index) || return 1
    kill_sites "$ABSENT"
    write_until_compacted "$end"
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

# The leader dies while it sends; another one begins anew. The point is armed at the one that will lead. The first
# points it may pass before the receiver is back: a leader offers its snapshot as soon as it sees the need.
kill_sender() { # POINT:PASSAGE
    local armed pid
    armed=$(wait_leader) || return 1
    kill_sites "$armed"
    : >"$LAB/$armed/keizokud.log"
    KEIZOKU_FAILPOINT=$1 start_sites "$armed" || return 1
    wait_until 60 all_equal || return 1
    move_leadership "$armed" || return 1
    pid=$(pid_of_site "$armed")
    fall_behind || dead "$pid" || return 1
    expect_equal "$armed" "$LEADER" || return 1
    start_sites "$ABSENT" || return 1
    wait_until "$WAIT" dead "$pid" || return 1
    ended_at "$armed" "${1%:*}" || return 1
    start_sites "$armed" && wait_until 60 all_equal
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

# Points that every chunk passes are also met at a later one.
passages_of() { # POINT
    case "$1" in
    snapshot.rows.* | snapshot.send | snapshot.sent | snapshot.acked) echo "1$LATER" ;;
    *) echo 1 ;;
    esac
}

sweep() { # receiver|sender POINT…
    local side=$1 point passage
    shift
    for point; do
        for passage in $(passages_of "$point"); do
            # shellcheck disable=SC2046 # names are words
            start_sites $(site_names) # those that a failure left down
            check "$side-killed-at-$point-$passage" "kill_$side" "$point:$passage"
        done
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
    LATER=' 4'
fi
lab_begin --nodes 3
set_raft compact_entries=100 compact_bytes=1MiB # the least that is allowed
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
