#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 200 writes while leaders are killed at random: each acknowledged one is there afterwards, once. Half of them are
# verifications, which leave a change each time they are applied: one applied twice would show.
# KEIZOKU_SEED=N tests/system/acknowledged.sh repeats a run.
# shellcheck disable=SC2317 # called through check
SEED=${KEIZOKU_SEED:-20260117}
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

WRITERS=4
WRITES_EACH=50
KILLS=8
RANDOM=$SEED

prepare() {
    local writer n
    for writer in $(seq "$WRITERS"); do
        for n in $(seq 2 2 "$WRITES_EACH"); do site_record "v-$writer-$n" before; done
    done | keizoku apply -q -f - >/dev/null
}

# Odd: a new record. Even: a verification.
write_one() { # WRITER N
    if [ $(($2 % 2)) = 1 ]; then
        put_site "n-$1-$2" new 0
    else
        keizoku verify site "v-$1-$2" -q >/dev/null
    fi
}

writer() { # WRITER
    local n status
    for n in $(seq "$WRITES_EACH"); do
        status=0
        write_one "$1" "$n" 2>"$WORK/error-$1" || status=$?
        if [ "$status" = 0 ]; then
            echo "$1 $n" >>"$WORK/acknowledged-$1"
        else
            echo "$1 $n exit $status $(tr '\n' ' ' <"$WORK/error-$1")" >>"$WORK/failed-$1"
        fi
    done
}

acknowledged() { cat "$WORK"/acknowledged-* 2>/dev/null | wc -l; }
has_acknowledged() { [ "$(acknowledged)" -ge "$1" ]; }

# After a random number of further writes; at times a second node dies with the leader, so that nobody can write.
kill_leaders() {
    local kill victims next=0
    for kill in $(seq "$KILLS"); do
        next=$((next + 5 + RANDOM % 20))
        wait_until 60 has_acknowledged "$next" >/dev/null || return 1
        victims=$(wait_leader) || return 1
        if [ $((RANDOM % 3)) = 0 ]; then victims="$victims $(followers "$victims" | sed -n "$((RANDOM % 2 + 1))p")"; fi
        # shellcheck disable=SC2086 # names are words
        kill_sites $victims || return 1
        sleep "0.$((RANDOM % 10))"
        # shellcheck disable=SC2086
        start_sites $victims || return 1
        KILLED=$kill
    done
}

# Each record has exactly the changes it was given.
each_once() {
    local writer n id expected got wrong=''
    while read -r writer n; do
        if [ $((n % 2)) = 1 ]; then id=n-$writer-$n expected=1; else id=v-$writer-$n expected=2; fi
        got=$(changes_of site "$id") || got=none
        [ "$got" = "$expected" ] || wrong="$wrong $id:$got"
    done < <(cat "$WORK"/acknowledged-*)
    expect_equal '' "$wrong"
}

lab_begin --nodes 3
check prepared prepare
export KEIZOKU_TIMEOUT=60s
KILLED=0
PIDS=()
for w in $(seq "$WRITERS"); do
    writer "$w" &
    PIDS+=("$!")
done
kill_leaders
check "leaders-were-killed-under-load" expect_equal "$KILLS" "$KILLED"
for pid in "${PIDS[@]}"; do wait "$pid"; done
check "every-write-was-acknowledged-seed-$SEED" expect_equal '' "$(cat "$WORK"/failed-* 2>/dev/null)"
check all-writes-are-accounted-for expect_equal $((WRITERS * WRITES_EACH)) "$(acknowledged)"
check every-record-is-listed expect_equal $((WRITERS * WRITES_EACH)) "$(count_of site)"
check each-write-is-there-once each_once
check all-nodes-are-equal wait_until "$WAIT" all_equal
finish
