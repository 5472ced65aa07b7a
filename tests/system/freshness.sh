#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How old an answer is and how fresh it can be: three ages on every answer, also after a cold start alone; --max-age;
# `auto` where packets are dropped; silent endpoints; a leader that slept through the election of another.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

SLEEPS=5 # how often a leader sleeps through an election

look() {
    LEADER=$(wait_leader)
    mapfile -t OTHERS < <(followers "$LEADER")
}

ages_of() { # SITE READ: "data time, last contact, last verification" of an answer; fails without one of them
    local answer
    answer=$(at "$1" keizoku get site base -o json --read "$2" 2>/dev/null) || return 1
    DATA_TIME=$(printf '%s' "$answer" | json meta.data_time) &&
        CONTACT_MS=$(printf '%s' "$answer" | json meta.leader_contact_ms) &&
        VERIFIED=$(printf '%s' "$answer" | json items.0.verified_at) &&
        HOW=$(printf '%s' "$answer" | json meta.read)
}

has_ages() { # SITE READ EXPECTED-READ
    ages_of "$1" "$2" || return 1
    [ "$DATA_TIME" != null ] && [ "$CONTACT_MS" != null ] && [ "$VERIFIED" != null ] && expect_equal "$3" "$HOW"
}

# Others are told apart by seconds: every answer's data time is at least that of the write that it shows.
test_ages() {
    local site
    keizoku verify site base -q >/dev/null
    wait_until "$WAIT" all_equal >/dev/null
    for site in $(site_names); do
        check "$site-says-three-ages-of-the-latest" has_ages "$site" linearizable linearizable
        check "$site-says-three-ages-of-its-copy" has_ages "$site" local local
    done
    check every-answer-of-a-list-says-them expect_equal "data_time leader_contact_ms" \
        "$(keizoku list site -o json --read local | json meta | grep -oE 'data_time|leader_contact_ms' | sort | tr '\n' ' ' | sed 's/ $//')"
}

now_ms() { date +%s%3N; }

# SITE CUT-MS: the contact is at least as old as the loss, save two election timeouts, and the data time not younger.
ages_reach_back() {
    local elapsed data_s
    elapsed=$(($(now_ms) - $2))
    ages_of "$1" auto || return 1
    expect_equal local "$HOW" || return 1
    [ "$CONTACT_MS" -ge $((elapsed - 2000)) ] || {
        echo "last contact $CONTACT_MS ms ago, lost $elapsed ms ago"
        return 1
    }
    data_s=$(date -d "$DATA_TIME" +%s)
    [ "$data_s" -le $(($2 / 1000 + 2)) ] || {
        echo "data time $DATA_TIME, lost at $(date -d "@$(($2 / 1000))" -Is)"
        return 1
    }
}

test_cold_start_alone() {
    local lost_ms site
    look
    site=${OTHERS[0]}
    # What was contact last is noted as often as data time moves.
    wait_until "$WAIT" has_ages "$site" local local >/dev/null
    sleep 11
    kill_sites "$LEADER" "${OTHERS[1]}"
    lost_ms=$(now_ms)
    sleep 3
    check a-survivor-says-how-old-its-copy-is wait_until "$WAIT" ages_reach_back "$site" "$lost_ms"
    kill_sites "$site"
    sleep 1
    start_sites "$site"
    check started-alone-it-says-so-too wait_until "$WAIT" ages_reach_back "$site" "$lost_ms"
    check started-alone-the-table-says-so expect_text 'last leader contact' at "$site" keizoku list site
    check started-alone-its-copy-is-too-old expect_exit 7 at "$site" keizoku list site --max-age 1s
    check it-is-shown-all-the-same expect_text base at "$site" keizoku list site --max-age 1s
    start_sites "$LEADER" "${OTHERS[1]}"
    check together-again wait_until "$WAIT" all_equal
}

reads() { expect_equal "$1" "$(keizoku list site -o json 2>/dev/null | json meta.read)"; } # local|linearizable

# Dropped packets: no connection is refused, nothing says that the others are gone.
test_black_hole() {
    look
    isolate "$LEADER" && cut_both "${OTHERS[0]}" "${OTHERS[1]}"
    check nobody-has-a-quorum-and-auto-answers reads local
    check it-warns expect_text 'no quorum' keizoku list site
    check linearizable-does-not-answer expect_exit 8 keizoku list site --read linearizable --timeout 8s
    heal_all
    check healed-it-is-the-latest wait_until "$WAIT" reads linearizable
    wait_until "$WAIT" all_equal >/dev/null
}

test_silent_endpoint() {
    look
    cut_one_way clients "${OTHERS[0]}"
    KEIZOKU_NODE=$(nodes "${OTHERS[0]}" "$LEADER" "${OTHERS[1]}") check a-first-node-that-drops-packets-is-passed-by reads linearizable
    heal_all
    lab pause "${OTHERS[0]}" >/dev/null
    KEIZOKU_NODE=$(nodes "${OTHERS[0]}" "$LEADER" "${OTHERS[1]}") check a-first-node-that-accepts-and-is-silent-is-passed-by reads linearizable
    KEIZOKU_NODE=$(nodes "${OTHERS[0]}" "$LEADER" "${OTHERS[1]}") check a-write-passes-it-by-as-well put_site silent silent
    lab resume "${OTHERS[0]}" >/dev/null
    wait_until "$WAIT" all_equal >/dev/null
}

# Asked while it sleeps, so that it finds the read before any news of its successor: it must not answer from before.
asleep_and_asked() { # NUMBER
    local reader answer status=0
    look
    lab pause "$LEADER" >/dev/null
    KEIZOKU_NODE=$(nodes "${OTHERS[@]}") put_site woken "$1" || return 1
    at "$LEADER" keizoku get site woken -o json --read linearizable --timeout 4s >"$WORK/woken" 2>/dev/null &
    reader=$!
    sleep 0.2
    lab resume "$LEADER" >/dev/null
    wait "$reader" || status=$?
    answer=$(json items.0.name <"$WORK/woken" 2>/dev/null)
    [ "$status" = 8 ] || expect_equal "0 $1" "$status $answer" || return 1
    # And right after it woke.
    status=0
    answer=$(at "$LEADER" keizoku get site woken -o json --read linearizable --timeout 4s 2>/dev/null) || status=$?
    [ "$status" = 8 ] || expect_equal "0 $1" "$status $(printf '%s' "$answer" | json items.0.name)"
}

test_sleep() {
    local n
    put_site woken 0
    for n in $(seq "$SLEEPS"); do
        check "woken-leader-$n-gives-no-stale-read" asleep_and_asked "$n"
        wait_until "$WAIT" all_equal >/dev/null
    done
    check equal-at-the-end wait_until "$WAIT" all_equal
}

net_begin 3
check prepared put_site base base
test_ages
test_cold_start_alone
test_black_hole
test_silent_endpoint
test_sleep
finish
