#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Members come and go while people write: 2 -> 3 -> 5 -> 3 voters, no acknowledged write is lost. A removed node is
# refused and says so, the last voter stays, an observer never counts and reads to the end.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

WRITERS=3
PROGRESS=60s # longest wait of a change without a step forward

# Every site's address, beginning with the Nth: each writer prefers another node.
rotated() { # N
    awk -v first="$1" '{ list[NR - 1] = $1 "=127.0.0.1:" $3 }
        END { for (i = 0; i < NR; i++) printf "%s%s", (i ? "," : ""), list[(first + i) % NR]; print "" }' "$LAB/sites"
}

# Writes records of its own until $WORK/stop is there; "MILLISECONDS ID" per acknowledged one.
write_until_stopped() { # WRITER
    local writer=$1 count=0
    while [ ! -e "$WORK/stop" ]; do
        count=$((count + 1))
        KEIZOKU_NODE=$(rotated $((writer + count))) put_site "w$writer-$count" "$count" 2>>"$WORK/writer$writer.log" &&
            printf '%s w%s-%s\n' "$(date +%s%3N)" "$writer" "$count" >>"$WORK/acknowledged.$writer"
    done
}

start_writers() {
    local writer
    PIDS=()
    for writer in $(seq "$WRITERS"); do
        write_until_stopped "$writer" &
        PIDS+=("$!")
    done
}

stop_writers() {
    touch "$WORK/stop"
    wait "${PIDS[@]}"
    sort -n "$WORK"/acknowledged.* >"$WORK/acknowledged"
}

acknowledged() { cat "$WORK"/acknowledged.* 2>/dev/null | wc -l; }
more_than() { [ "$(acknowledged)" -gt "$1" ]; }
writes_go_on() { # what was written until now is not the last
    local before
    before=$(acknowledged)
    wait_until "$WAIT" more_than $((before + 2 * WRITERS))
}

longest_gap() { awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { print gap + 0 }' "$WORK/acknowledged"; }

holds_all() { # SITE: the ids acknowledged that its own copy lacks
    at "$1" keizoku list site -o json --read local 2>/dev/null | json 'items.*.id' | sort >"$WORK/held"
    awk '{ print $2 }' "$WORK/acknowledged" | sort >"$WORK/wanted"
    local missing
    missing=$(comm -13 "$WORK/held" "$WORK/wanted")
    [ -s "$WORK/wanted" ] && [ -z "$missing" ] && return 0
    printf 'missing: %s\n' "$missing"
    return 1
}

field_of_members() { keizoku cluster members -o json | json "items.*.$1"; } # FIELD
voters_are() { expect_equal "$1" "$(field_of_members voter | grep -c true)"; }
refresh() { use_user officer; }

add_voter() { # SITE
    check "$1-is-added" lab add "$1"
    refresh
    check "$1-gets-a-vote" keizoku cluster promote "$1" --timeout "$PROGRESS"
}

test_growing() {
    add_voter remote
    check three-vote voters_are 3
    check writes-go-on-with-three writes_go_on
    add_voter fourth
    add_voter fifth
    check five-vote voters_are 5
    check writes-go-on-with-five writes_go_on
}

test_shrinking() {
    GONE=$(leader)
    check the-leader-is-removed keizoku cluster remove "$GONE" --confirm lab --timeout "$PROGRESS"
    # shellcheck disable=SC2046 # names are words
    KEIZOKU_NODE=$(nodes $(followers "$GONE"))
    check another-leads wait_leader
    check repeating-it-says-so expect_text 'nothing to do' keizoku cluster remove "$GONE" --confirm lab
    check and-is-no-failure expect_exit 0 keizoku cluster remove "$GONE" --confirm lab
    OTHER=$(followers "$(leader)" | grep -vx "$GONE" | tail -n 1)
    check a-follower-is-removed keizoku cluster remove "$OTHER" --confirm lab --timeout "$PROGRESS"
    check three-vote-again voters_are 3
    check writes-go-on-with-three-again writes_go_on
}

log_says() { lab logs "$1" | grep -q "$2"; } # SITE TEXT

test_removed() {
    check the-removed-one-says-why wait_until "$WAIT" log_says "$GONE" 'was removed from the cluster'
    check its-status-says-why wait_until "$WAIT" expect_text 'it was removed from the cluster' at "$GONE" keizoku status --read local
    check it-takes-no-write expect_exit 8 at "$GONE" keizoku verify site w1-1 --timeout 5s
    check it-takes-no-event expect_exit 8 at "$GONE" keizoku incident open --type EQUIPMENT --mode TEST --title x --timeout 5s
    check its-copy-is-not-taken-for-the-registry expect_exit 8 at "$GONE" keizoku get site w1-1 --timeout 5s
    check its-copy-is-shown-as-old expect_text 'was removed from the cluster' at "$GONE" keizoku get site w1-1 --read local
    check who-names-it-first-is-answered-by-another env KEIZOKU_NODE="$(address_of "$GONE"),$KEIZOKU_NODE" keizoku get site w1-1
    lab stop "$GONE" >/dev/null
    lab start "$GONE" >/dev/null
    check nor-after-a-restart expect_exit 8 at "$GONE" keizoku verify site w1-1 --timeout 5s
    check its-id-is-not-given-again expect_exit 4 keizoku cluster add again 127.0.0.1:9 --id 1
    lab remove "$GONE" >/dev/null 2>&1
    lab remove "$OTHER" >/dev/null 2>&1
    refresh
}

test_nothing_lost() {
    local site
    check all-copies-are-equal wait_until "$WAIT" all_equal
    for site in $(site_names); do check "$site-holds-every-acknowledged-write" holds_all "$site"; done
    printf '# %s writes acknowledged by %s writers, longest gap %s ms\n' "$(wc -l <"$WORK/acknowledged")" "$WRITERS" "$(longest_gap)"
}

test_arguments() {
    check an-unknown-name expect_exit 3 keizoku cluster promote nobody
    check a-name-that-is-taken expect_exit 4 keizoku cluster add "$(leader)" 127.0.0.1:9 --id 90
    check an-address-that-is-taken expect_exit 4 keizoku cluster add tenth "$(address_of "$(leader)")" --id 90
    check an-address-that-is-none expect_exit 2 keizoku cluster add tenth nowhere --id 90
    check a-name-that-is-none expect_exit 2 keizoku cluster add 'Tenth!' 127.0.0.1:9 --id 90
    check an-id-that-is-missing expect_exit 2 keizoku cluster add tenth 127.0.0.1:9
    check removing-needs-a-confirmation expect_exit 2 keizoku cluster remove "$(leader)" --no-input
    check of-this-cluster expect_exit 2 keizoku cluster remove "$(leader)" --confirm another
    use_user duty
    check a-reader-changes-nothing expect_exit 5 keizoku cluster demote "$(leader)"
    check a-reader-sees-the-members expect_text voter keizoku cluster members
    use_user officer
    check nothing-was-changed voters_are 3
}

leads() { expect_equal "$1" "$(leader)"; }

test_transfer() {
    local target
    target=$(followers "$(leader)" | head -n 1)
    check leadership-goes-where-it-is-wanted keizoku cluster transfer "$target"
    check and-stays wait_until "$WAIT" leads "$target"
    check there-already expect_text 'nothing to do' keizoku cluster transfer "$target"
}

test_votes() {
    local member
    member=$(followers "$(leader)" | head -n 1)
    check a-voter-becomes-a-standby keizoku cluster demote "$member"
    check two-vote voters_are 2
    check a-standby-becomes-a-voter keizoku cluster promote "$member" --timeout "$PROGRESS"
    check all-vote voters_are 3
}

reads_as_before() { expect_exit 0 at watcher keizoku get site w1-1 --read local && expect_text 'no quorum' at watcher keizoku get site w1-1; }

# Three voters become two, and one: what the observer holds then is all that is left.
test_observer() {
    local first second third
    check an-observer-is-added lab add watcher --observer
    refresh
    check it-never-votes expect_exit 9 keizoku cluster promote watcher
    check nor-leads expect_exit 9 keizoku cluster transfer watcher
    first=$(leader)
    second=$(followers "$first" | grep -vx watcher | head -n 1)
    third=$(followers "$first" | grep -vx watcher | tail -n 1)
    check it-has-everything wait_until "$WAIT" all_equal
    lab remove "$third" >/dev/null 2>&1
    refresh
    check two-voters-and-it-are-left voters_are 2
    lab kill "$second" >/dev/null
    check it-does-not-count-for-a-majority wait_until "$WAIT" expect_exit 8 keizoku verify site w1-1 --timeout 5s
    check one-that-is-needed-cannot-be-removed expect_exit 8 keizoku cluster remove "$first" --confirm lab --timeout 5s
    lab start "$second" >/dev/null
    check with-two-voters-it-goes-on wait_until "$WAIT" is_writable w1-1
    lab remove "$second" >/dev/null 2>&1
    refresh
    check one-is-left voters_are 1
    check the-last-voter-stays expect_exit 9 keizoku cluster remove "$first" --confirm lab
    check and-says-why expect_text 'last voter' keizoku cluster remove "$first" --confirm lab
    check nor-is-it-demoted expect_exit 9 keizoku cluster demote "$first"
    check one-writes-alone is_writable w1-1
    check the-observer-follows wait_until "$WAIT" all_equal
    lab kill "$first" >/dev/null
    check the-observer-reads-when-all-are-dead wait_until "$WAIT" reads_as_before
    check it-holds-every-acknowledged-write holds_all watcher
    check it-takes-no-write expect_exit 8 at watcher keizoku verify site w1-1 --timeout 5s
}

lab_begin --nodes 2
start_writers
check two-vote voters_are 2
check writers-write writes_go_on
test_growing
test_shrinking
stop_writers
test_removed
test_nothing_lost
test_arguments
test_transfer
test_votes
test_observer
finish
