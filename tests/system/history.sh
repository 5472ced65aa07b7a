#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The past: read as of a revision or a time, one record put back, and a mass deletion by a valid operator undone with
# one command, also when the leader dies in the middle of it.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

RECORDS=1000 # in one transaction
PARTS=5      # of the larger deletion

many() { # LETTER NAME
    local n
    for n in $(seq "$RECORDS"); do site_record "$(printf '%s%04d' "$1" "$n")" "$2 $n"; done
}

ids() { seq -f "$1%04.0f" 1 "$RECORDS"; } # LETTER

# What a person would compare: everything but who changed it last, when, why and in which revision.
contents() { # LIST-ARGUMENTS…
    local kind
    for kind in site org contact system; do
        keizoku list "$kind" -o json "$@" 2>/dev/null | json items |
            sed -E 's/"(rev|updated_at|updated_by|reason)":("[^"]*"|[0-9]+|null),?//g; s/,}/}/g'
    done | sha256sum
}

retire_all() { # LETTER
    # shellcheck disable=SC2046 # ids are words
    keizoku retire site --force -q --confirm "$RECORDS" $(ids "$1") >/dev/null 2>&1
}

# says TEXT EXIT COMMAND…
says() {
    local wanted=$2
    expect_text "$1" "${@:3}" && expect_exit "$wanted" "${@:3}"
}

nothing_changed() { expect_equal "$1" "$(rev_now)"; }

test_the_past() {
    local first second at
    put_site spare first
    first=$(rev_now)
    at=$(keizoku history site spare -o json | json items.0.time)
    sleep 1.1 # the next change is of a later second
    put_site spare second
    second=$(rev_now)
    keizoku retire site spare -q >/dev/null
    check as-of-a-revision expect_text '"first"' keizoku get site spare --as-of "$first" -o json
    check as-of-a-time expect_text '"first"' keizoku get site spare --as-of "$at" -o json
    check the-past-says-that-it-is-past expect_text "[past] as it stood just after rev $first" keizoku get site spare --as-of "$first"
    check the-past-is-in-meta expect_equal "$second" "$(keizoku get site spare --as-of "$second" -o json 2>/dev/null | json meta.as_of_rev)"
    check a-list-shows-what-is-retired-now expect_text second keizoku list site --as-of "$second"
    check what-was-not-there-then-is-not-found says 'did not exist then' 3 keizoku get site spare --as-of "$((first - 1))"
    check a-revision-to-come-is-refused says 'no such revision yet' 3 keizoku list site --as-of 99999999
    check nonsense-is-refused says 'neither a revision nor a time' 2 keizoku list site --as-of yesterday

    check revert-shows-before-it-does expect_text 'first' keizoku revert site spare --to "$first" --dry-run
    check a-dry-run-of-revert-changes-nothing nothing_changed "$((second + 1))"
    check revert-brings-back keizoku revert site spare --to "$first" -q
    check it-is-as-it-was expect_equal first "$(field_of site spare name)"
    check its-history-says-so expect_equal revert "$(keizoku history site spare -o json | json items.0.op)"
    check revert-to-before-it-was-retires keizoku revert site spare --to "$((first - 1))" -q
    check it-is-gone expect_exit 1 grep -q spare <(keizoku list site -o csv | cut -d, -f1)
    check an-event-is-not-reverted says 'events are only added' 2 keizoku undo --to 1 --kind entry --dry-run
}

test_mass_deletion() {
    local good bad cluster
    many z- first | keizoku apply -q -f - >/dev/null
    many z- second | keizoku apply -q -f - >/dev/null
    good=$(rev_now)
    contents >"$WORK/before"
    # shellcheck disable=SC2046 # ids are words
    check a-mass-deletion-is-asked-for-twice says 'must be confirmed with 1000' 2 keizoku retire site --force $(ids z-)
    # shellcheck disable=SC2046 # ids are words
    check a-wrong-number-does-not-do says 'is not 1000' 2 keizoku retire site --force --confirm 100 $(ids z-)
    check nothing-was-deleted nothing_changed "$good"
    check a-valid-operator-deletes retire_all z-
    check they-are-gone expect_equal 0 "$(keizoku list site -o csv --no-headers | grep -c '^z-')"
    bad=$(rev_now)
    cluster=$(keizoku status -o json | json meta.cluster)
    check there-is-something-to-compare expect_exit 1 expect_equal "$(cat "$WORK/before")" "$(contents)"
    check the-past-is-whole expect_equal "$(cat "$WORK/before")" "$(contents --as-of "$good")"
    check undo-shows-what-it-would-do expect_text 'and 995 more' keizoku undo --to "$good" --dry-run
    check undo-counts-for-programs expect_equal 1000 "$(keizoku undo --to "$good" --dry-run -o json 2>/dev/null | json kinds.0.bring_back)"
    check undo-must-be-confirmed says "must be confirmed with $cluster" 2 keizoku undo --to "$good"
    check only-showing-changes-nothing nothing_changed "$bad"
    check one-command-brings-all-back keizoku undo --to "$good" --confirm "$cluster"
    check all-is-as-before expect_equal "$(cat "$WORK/before")" "$(contents)"
    check equal-on-all-nodes wait_until "$WAIT" all_equal
    check again-there-is-nothing-to-undo expect_text 'nothing has changed' keizoku undo --to "$(rev_now)" --confirm "$cluster"
    check the-undo-is-undone-too keizoku undo --to "$bad" --confirm "$cluster"
    check they-are-gone-again expect_equal 0 "$(keizoku list site -o csv --no-headers | grep -c '^z-')"
    keizoku undo --to "$good" --confirm "$cluster" -q >/dev/null 2>&1
    check a-kind-alone-is-undone expect_text 'nothing has changed' keizoku undo --to "$good" --kind site --dry-run
}

has_reviewed() { grep -q 'brought back' "$WORK/undo.err"; }

# The review is on the screen, the command is on its way: the leader dies.
test_leader_dies() {
    local part good leader undo cluster
    for part in $(seq "$PARTS"); do many "p$part-" kept | keizoku apply -q -f - >/dev/null; done
    good=$(rev_now)
    contents >"$WORK/before"
    for part in $(seq "$PARTS"); do retire_all "p$part-"; done
    cluster=$(keizoku status -o json | json meta.cluster)
    leader=$(wait_leader)
    keizoku undo --to "$good" --confirm "$cluster" >"$WORK/undo.out" 2>"$WORK/undo.err" &
    undo=$!
    wait_until "$WAIT" has_reviewed >/dev/null
    kill_sites "$leader"
    wait "$undo"
    check the-undo-survives-its-leader expect_equal 0 $?
    check all-is-as-before-without-the-leader expect_equal "$(cat "$WORK/before")" "$(contents --read linearizable)"
    check it-was-done-once expect_equal 3 "$(changes_of site p1-0001)"
    start_sites "$leader"
    check all-nodes-are-equal-after-it wait_until "$WAIT" all_equal
}

lab_begin --nodes 3
check the-sample-is-applied keizoku apply -f "$REPO/deploy/sample/"
test_the_past
test_mass_deletion
test_leader_dies
finish
