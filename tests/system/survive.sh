#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of each site, of every two, of all: what is left serves the registry, a lone survivor also after a restart.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

SYSTEMS=38
BEFORE=''

records_of() { keizoku list system -o json 2>/dev/null | json items | sha256sum; }

# All systems, unchanged, by the given kind of read.
shows_all() { # local|linearizable
    local answer
    answer=$(keizoku list system -o json 2>"$WORK/banner") || return 1
    expect_equal "$SYSTEMS $1" "$(printf '%s' "$answer" | json 'items.#') $(printf '%s' "$answer" | json meta.read)" || return 1
    expect_equal "$BEFORE" "$(printf '%s' "$answer" | json items | sha256sum)"
}

meta_is_whole() {
    local name answer
    answer=$(keizoku list system -o json 2>/dev/null) || return 1
    for name in read rev node quorum data_time leader_contact_ms; do
        printf '%s' "$answer" | json "meta.$name" >/dev/null || {
            printf 'no meta.%s\n' "$name"
            return 1
        }
    done
}

test_one() { # SITE
    kill_sites "$1"
    check "without-$1-the-registry-is-whole" wait_until "$WAIT" shows_all linearizable
    check "without-$1-it-is-written" wait_until "$WAIT" put_site spare "without $1"
    check "without-$1-the-write-is-read" expect_equal "without $1" "$(field_of site spare name)"
    start_sites "$1"
    check "$1-comes-back-equal" wait_until "$WAIT" all_equal
}

alone() { # SITE TEST-NAME
    check "$2-shows-all-from-its-copy" wait_until "$WAIT" shows_all local
    check "$2-warns" grep -q 'no quorum' "$WORK/banner"
    check "$2-names-its-node" expect_equal "$1 false" "$(keizoku list system -o json 2>/dev/null | json meta.node) $(keizoku list system -o json 2>/dev/null | json meta.quorum)"
}

write_is_refused() {
    put_site spare refused 2>"$WORK/refusal"
    expect_equal 8 $? || return 1
    grep -q 'no quorum' "$WORK/refusal" && grep -q 'do: .*bring another site back' "$WORK/refusal"
}

test_two() { # SURVIVOR
    local dead
    mapfile -t dead < <(followers "$1")
    kill_sites "${dead[@]}"
    alone "$1" "$1-alone"
    kill_sites "$1"
    start_sites "$1"
    alone "$1" "$1-restarted-alone"
    check "$1-alone-has-whole-meta" meta_is_whole
    check "$1-alone-refuses-a-write" write_is_refused
    start_sites "${dead[@]}"
    check "three-again-after-$1" wait_until "$WAIT" all_equal
    check "the-refused-write-left-nothing-after-$1" expect_equal 'without remote' "$(field_of site spare name)"
}

test_all() {
    # shellcheck disable=SC2046 # names are words
    kill_sites $(site_names)
    check nobody-answers expect_exit 6 keizoku list system
    # shellcheck disable=SC2046
    start_sites $(site_names)
    check all-come-back wait_until "$WAIT" shows_all linearizable
    check all-are-equal wait_until "$WAIT" all_equal
    check all-is-written-again wait_until "$WAIT" put_site spare 'after all'
}

lab_begin --nodes 3
check the-sample-is-applied keizoku apply -f "$REPO/deploy/sample/"
put_site spare begin
BEFORE=$(records_of)
check the-sample-holds-the-systems shows_all linearizable
check meta-is-whole meta_is_whole
for site in main alternate remote; do test_one "$site"; done
for site in remote alternate main; do test_two "$site"; done
test_all
finish
