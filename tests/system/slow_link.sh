#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A snapshot over a 1 Mbit/s link to a site that fell behind: heartbeats share that link, and still nobody stands for
# election; halfway the link is cut and the receiver killed, and the transfer goes on. SLOW_LINK_KIB sets its size.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

KIB=${SLOW_LINK_KIB:-2048}
COMPACT_ENTRIES=100
LONG=$((60 + KIB / 20)) # a generous time for the transfer

index_of() { at "$1" keizoku status -o json --read local | json "$2"; } # SITE first_index|last_index

# Texts that no link and no page makes smaller: half of it is the record, half its history.
write_much() { # KIB
    local n
    for n in $(seq $(($1 / 16))); do
        site_record "big$n" big
        printf 'note: %s\n' "$(head -c 6000 /dev/urandom | base64 -w 0 | head -c 8000)"
    done | keizoku apply -q -f - >/dev/null
}

compacted_beyond() { [ "$(index_of "$LEADER" first_index)" -gt "$1" ]; } # INDEX
write_until_compacted() { # INDEX
    local n round
    for round in $(seq 40); do
        if compacted_beyond "$1"; then return 0; fi
        for n in $(seq 60); do put_site "c$n" "round $round" || return 1; done
    done
    return 1
}

began() { grep -q 'snapshot.resume' "$LAB/$ABSENT/keizokud.log"; }
elections() { cat "$LAB"/*/keizokud.log | grep -c 'raft.role role=candidate' || true; }

net_begin 3
set_raft "compact_entries=$COMPACT_ENTRIES" compact_bytes=1MiB
put_site first first
LEADER=$(wait_leader)
ABSENT=$(followers "$LEADER" | tail -n 1)
end=$(index_of "$ABSENT" last_index)
kill_sites "$ABSENT"
check writes write_much "$KIB"
check the-log-is-compacted-beyond-it write_until_compacted "$end"
LEADER=$(wait_leader)
term=$(term_of "$LEADER")
before=$(elections)
check the-link-is-slow slow "$ABSENT" 1mbit
start_sites "$ABSENT"
sleep 4 # into the transfer
check the-leader-leads-on-during-it expect_equal "$LEADER $term" "$(wait_leader) $(term_of "$LEADER")"
kill_sites "$ABSENT"
start_sites "$ABSENT"
check the-killed-receiver-goes-on wait_until "$WAIT" began
check it-catches-up-equal wait_until "$LONG" all_equal
check the-same-leader-in-the-same-term expect_equal "$LEADER $term" "$(wait_leader) $(term_of "$LEADER")"
check nobody-stood-for-election expect_equal "$before" "$(elections)"
check writes-go-on put_site after slow
finish
