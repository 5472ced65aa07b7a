#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compare-and-set: of several edits of one revision exactly one wins and the others are shown it; a counter that is
# read and written back with its revision loses no increment, also when the leader dies meanwhile.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

ROUNDS=4
EDITORS=8
COUNTERS=4
INCREMENTS=15

# Each editor asks another node first.
edit() { # ROUND EDITOR REV
    local site status=0
    site=$(site_names | sed -n "$(($2 % 3 + 1))p")
    KEIZOKU_NODE=$(address_of "$site"),$KEIZOKU_NODE put_site contested "round $1 editor $2" "$3" 2>"$WORK/editor-$1-$2" || status=$?
    echo "$status $2" >>"$WORK/round-$1"
}

run_editors() { # ROUND REV
    local editor pids=()
    for editor in $(seq "$EDITORS"); do
        edit "$1" "$editor" "$2" &
        pids+=("$!")
    done
    wait "${pids[@]}"
}

losers_see_the_winner() { # ROUND WINNER
    local status editor
    while read -r status editor; do
        [ "$editor" = "$2" ] && continue
        expect_equal 4 "$status" || return 1
        # The other's change and who made it.
        expect_text "round $1 editor $2 -> round $1 editor $editor" cat "$WORK/editor-$1-$editor" || return 1
        expect_text 'changed by officer' cat "$WORK/editor-$1-$editor" || return 1
    done <"$WORK/round-$1"
}

test_editors() {
    local round winner
    for round in $(seq "$ROUNDS"); do
        run_editors "$round" "$(field_of site contested rev)"
        check "round-$round-everyone-answered" expect_equal "$EDITORS" "$(wc -l <"$WORK/round-$round")"
        check "round-$round-exactly-one-wins" expect_equal 1 "$(grep -c '^0 ' "$WORK/round-$round")"
        winner=$(awk '$1 == 0 { print $2 }' "$WORK/round-$round")
        check "round-$round-the-winner-is-stored" expect_equal "round $round editor $winner" "$(field_of site contested name)"
        check "round-$round-the-others-see-its-change" losers_see_the_winner "$round" "$winner"
    done
    check one-change-a-round expect_equal $((ROUNDS + 1)) "$(changes_of site contested)"
}

create() { # N
    put_site born "by $1" 0 2>/dev/null
    echo $? >>"$WORK/creators"
}

test_creators() {
    local n pids=()
    for n in $(seq "$EDITORS"); do
        create "$n" &
        pids+=("$!")
    done
    wait "${pids[@]}"
    check exactly-one-creates expect_equal '1 of 8 wins, 7 of 8 conflict' \
        "$(grep -c '^0$' "$WORK/creators") of 8 wins, $(grep -c '^4$' "$WORK/creators") of 8 conflict"
    check it-is-created-once expect_equal 1 "$(changes_of site born)"
}

# Tries again with what it reads now after each conflict.
increment() { # prints every unexpected failure
    local answer rev value status
    while :; do
        answer=$(keizoku get site counter -o json 2>/dev/null) || continue
        rev=$(printf '%s' "$answer" | json items.0.rev)
        value=$(printf '%s' "$answer" | json items.0.name)
        status=0
        put_site counter $((value + 1)) "$rev" 2>"$WORK/increment.$BASHPID" || status=$?
        case "$status" in
        0) return 0 ;;
        4) ;;
        *)
            echo "exit $status: $(cat "$WORK/increment.$BASHPID")"
            return 1
            ;;
        esac
    done
}

count_up() {
    local n
    for n in $(seq "$INCREMENTS"); do increment >>"$WORK/count-failures" && echo "$n" >>"$WORK/increments"; done
}

has_counted() { [ "$(wc -l <"$WORK/increments")" -ge "$1" ]; }

test_counter() {
    local n victim pids=()
    put_site counter 0
    : >"$WORK/increments"
    export KEIZOKU_TIMEOUT=60s
    for n in $(seq "$COUNTERS"); do
        count_up &
        pids+=("$!")
    done
    check the-counter-runs wait_until "$WAIT" has_counted 10
    victim=$(wait_leader)
    kill_sites "$victim"
    check the-counter-goes-on-without-its-leader wait_until "$WAIT" has_counted 20
    start_sites "$victim"
    wait "${pids[@]}"
    check no-increment-failed expect_equal '' "$(cat "$WORK/count-failures")"
    check no-increment-was-lost expect_equal $((COUNTERS * INCREMENTS)) "$(field_of site counter name)"
    check one-change-an-increment expect_equal $((COUNTERS * INCREMENTS + 1)) "$(changes_of site counter)"
    check equal-at-the-end wait_until "$WAIT" all_equal
}

lab_begin --nodes 3
check prepared put_site contested begin
test_editors
test_creators
test_counter
finish
