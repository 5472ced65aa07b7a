#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A follower that was away while the others compacted their log gets a snapshot, ends equal, and the leader leads on.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

COMPACT_ENTRIES=100 # the least that is allowed
BATCH=50
ABSENT=''

index_of() { at "$1" keizoku status -o json --read local | json "$2"; } # SITE first_index|last_index

# Until the leader's log begins after the absent node's end.
compacted_beyond() { [ "$(index_of "$LEADER" first_index)" -gt "$1" ]; } # INDEX
write_until_compacted() { # INDEX
    local n tries=0
    until compacted_beyond "$1"; do
        tries=$((tries + 1))
        [ "$tries" -le 40 ] || return 1
        for n in $(seq "$BATCH"); do put_site "c$n" "try $tries" || return 1; done
    done
}

# Records enough for several chunks, with texts and history.
write_much() {
    local n text
    text=$(head -c 3000 /dev/zero | tr '\0' x)
    for n in $(seq 250); do
        site_record "big$n" big
        printf 'note: %s\n' "$text"
    done | keizoku apply -q -f - >/dev/null
}

same_content() { # SITE
    expect_equal "$(at "$LEADER" keizoku list site -o json --read local | json items | sha256sum)" \
        "$(at "$1" keizoku list site -o json --read local | json items | sha256sum)"
}

test_catch_up() { # NAME
    local end term
    LEADER=$(wait_leader)
    ABSENT=$(followers "$LEADER" | tail -n 1)
    end=$(index_of "$ABSENT" last_index)
    kill_sites "$ABSENT"
    check "$1-writes" write_much
    check "$1-the-log-is-compacted-beyond-it" write_until_compacted "$end"
    LEADER=$(wait_leader)
    term=$(term_of "$LEADER")
    start_sites "$ABSENT"
    check "$1-it-catches-up-equal" wait_until "$WAIT" all_equal
    check "$1-by-a-snapshot" expect_equal yes "$([ "$(index_of "$ABSENT" first_index)" -gt "$end" ] && echo yes)"
    check "$1-its-records-are-the-same" same_content "$ABSENT"
    check "$1-its-history-is-there" expect_equal "$(at "$LEADER" changes_of site c1)" "$(at "$ABSENT" changes_of site c1)"
    check "$1-the-leader-led-on" expect_equal "$LEADER $term" "$(wait_leader) $(term_of "$LEADER")"
    check "$1-writes-go-on" put_site after "$1"
    check "$1-equal-after-it" wait_until "$WAIT" all_equal
}

test_restart_after_snapshot() {
    kill_sites "$ABSENT"
    start_sites "$ABSENT"
    check restarted-after-the-snapshot-it-is-equal wait_until "$WAIT" all_equal
}

lab_begin --nodes 3
set_raft "compact_entries=$COMPACT_ENTRIES" compact_bytes=1MiB
put_site first first
test_catch_up once
test_catch_up again
test_restart_after_snapshot
finish
