#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One site's disk fills up: it gives leadership away, takes neither writes nor events, serves reads; the others do not
# notice. Room again: it takes part again, equal to them. Its data lies on a small file system in memory of its own.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

DISK=64m    # the laboratory reserves 16 MiB of it
LOW_KIB=12288 # less than the reserve
NONE_KIB=3072 # less than a quarter of it
VICTIM=''
OTHERS=()

# The site's data on a file system of its own. Nodes see mounts of before their start.
give_disk() { # SITE
    local data="$LAB/$1/data"
    lab stop "$1" >/dev/null &&
        mv "$data" "$data.before" && mkdir "$data" &&
        mount -t tmpfs -o "size=$DISK" tmpfs "$data" &&
        cp -a "$data.before/." "$data/" &&
        lab start "$1" >/dev/null
}

fill() { # SITE KIB-LEFT
    local free
    free=$(df --output=avail -k "$LAB/$1/data" | tail -n 1)
    head -c "$(((free - $2) * 1024))" /dev/zero >>"$LAB/$1/data/filler"
}

empty() { rm -f "$LAB/$1/data/filler"; } # SITE

leads_not() { [ "$(KEIZOKU_NODE=$(nodes "${OTHERS[@]}") leader)" != "$1" ]; } # SITE
is_refused_for_space() { expect_text 'space' at "$VICTIM" keizoku "$@"; }
runs() { kill -0 "$(pid_of_site "$1")"; } # SITE

# Leadership goes round until SITE has it: whoever else leads is paused for longer than an election.
make_leader() { # SITE
    local leader
    leader=$(wait_leader) || return 1
    [ "$leader" != "$1" ] || return 0
    lab pause "$leader" >/dev/null
    sleep 2
    lab resume "$leader" >/dev/null
    return 1
}

test_full() {
    check the-disk-is-filled fill "$VICTIM" "$LOW_KIB"
    check it-gives-leadership-away wait_until "$WAIT" leads_not "$VICTIM"
    KEIZOKU_NODE=$(nodes "${OTHERS[@]}") check the-others-are-written wait_until "$WAIT" is_writable before
    check it-serves-reads expect_exit 0 at "$VICTIM" keizoku get site before --read local
    check it-serves-the-latest expect_exit 0 at "$VICTIM" keizoku get site before --read linearizable
    check a-client-of-all-is-written put_site meanwhile meanwhile
    check it-runs runs "$VICTIM"
}

# An event needs room as well: at the full site it is refused, and says why; by way of another it is taken.
test_events() {
    local incident
    incident=$(keizoku incident open --type 大規模災害 --mode EXERCISE --title 訓練 --occurred-at '2026-01-17 05:46')
    check an-event-is-taken-elsewhere test -n "$incident"
    check it-takes-no-event is_refused_for_space entry add --incident "$incident" --type WORK x --timeout 3s
    check a-client-of-all-has-its-event-taken expect_exit 0 \
        env KEIZOKU_NODE="$(nodes "$VICTIM" "${OTHERS[@]}")" keizoku entry add --incident "$incident" --type WORK elsewhere
    check it-is-taken-once expect_equal 1 "$(keizoku list entry -o json | json 'items.#')"
}

log_says() { grep -q "$2" "$LAB/$1/keizokud.log"; } # SITE TEXT

# Not a byte is left: it stores nothing any more, not even what raft would, and serves what it has.
test_not_a_byte() {
    local n
    check the-disk-is-all-but-full fill "$VICTIM" "$NONE_KIB"
    check it-sees-that wait_until "$WAIT" log_says "$VICTIM" store.no_space
    check the-disk-is-full fill "$VICTIM" 0
    check not-a-byte-is-left expect_equal 0 "$(df --output=avail -k "$LAB/$VICTIM/data" | tail -n 1 | tr -d ' ')"
    for n in 1 2 3 4 5; do check "write-$n-goes-on" put_site "full-$n" full; done
    check the-others-lead leads_not "$VICTIM"
    check it-still-runs runs "$VICTIM"
    check it-still-serves-reads expect_text before at "$VICTIM" keizoku get site before
    check it-refuses-a-write expect_exit 8 at "$VICTIM" put_site refused refused
    check it-stays-a-while it_outlives_an_election
    check the-others-have-it-all wait_until "$WAIT" same_state "${OTHERS[@]}"
}

it_outlives_an_election() {
    local leader
    leader=$(KEIZOKU_NODE=$(nodes "${OTHERS[@]}") wait_leader)
    lab pause "$leader" >/dev/null
    sleep 3
    lab resume "$leader" >/dev/null
    runs "$VICTIM"
}

test_room_again() {
    empty "$VICTIM"
    start_sites "$VICTIM" # one that runs is left alone
    check with-room-again-all-are-equal wait_until "$WAIT" all_equal
    check it-takes-an-event-again wait_until "$WAIT" at "$VICTIM" keizoku report-status juki STOPPED --timeout 20s
    check it-takes-a-write-again wait_until "$WAIT" at "$VICTIM" put_site again again
    lab stop "${OTHERS[0]}" >/dev/null
    check it-counts-for-a-majority wait_until "$WAIT" put_site counted counted
    lab start "${OTHERS[0]}" >/dev/null
    check all-are-equal-at-the-end wait_until "$WAIT" all_equal
}

net_begin 3
check the-sample-is-applied keizoku apply -q -f "$REPO/deploy/sample/"
put_site before before
VICTIM=$(wait_leader)
mapfile -t OTHERS < <(followers "$VICTIM")
check it-gets-a-small-disk give_disk "$VICTIM"
check it-leads wait_until 60 make_leader "$VICTIM"
test_full
test_events
test_not_a_byte
test_room_again
finish
