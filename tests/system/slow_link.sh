#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A snapshot over a 1 Mbit/s link to a site that fell behind: heartbeats share that link, and nobody stands for
# election. On its way the receiver is killed, the link to the leader cut, and the receiver killed again: it is one
# transfer that goes on. SLOW_LINK_KIB sets its size.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

KIB=${SLOW_LINK_KIB:-3072}
COMPACT_ENTRIES=100
LONG=$((60 + KIB / 20)) # a generous time for the transfer

index_of() { at "$1" keizoku status -o json --read local | json "$2"; } # SITE first_index|last_index

# Texts that no link and no page makes smaller: half of it is the record, half its history.
write_much() { # KIB
    local n
    for n in $(seq $(($1 / 16))); do
        site_record "big$n" big
        printf 'note: %s\n' "$(head -c 6000 /dev/urandom | base64 -w 0 | head -c 8000)"
    done | keizoku apply -q --split -f - >/dev/null
}

# Not even the entry before the first is there: whoever ends at INDEX can only get a snapshot.
compacted_beyond() { [ "$(index_of "$LEADER" first_index)" -gt "$(($1 + 1))" ]; } # INDEX
write_until_compacted() { # INDEX
    local n round
    for round in $(seq 40); do
        if compacted_beyond "$1"; then return 0; fi
        for n in $(seq 60); do put_site "c$n" "round $round" || return 1; done
    done
    return 1
}

hears_the_leader() { expect_equal "$LEADER" "$(at "$ABSENT" leader)"; }
elections() { cat "$LAB"/*/keizokud.log | grep -c 'raft.role role=candidate' || true; }
somebody_stood_since() { [ "$(elections)" -gt "$1" ]; } # ELECTIONS

resumes() { sed -n 's/.*snapshot.resume .*transfer=\([^ ]*\) .*chunks=\([0-9]*\)$/\1 \2/p' "$LAB/$ABSENT/keizokud.log"; }
resumed() { [ "$(resumes | wc -l)" -ge "$1" ]; } # TIMES
kill_receiver() { # TIMES it will have resumed
    kill_sites "$ABSENT"
    start_sites "$ABSENT"
    wait_until "$WAIT" resumed "$1"
}

# "TRANSFER CHUNKS" twice: the same transfer, further on.
one_transfer_that_went_on() {
    local transfer=() chunks=() number count
    while read -r number count; do
        transfer+=("$number")
        chunks+=("$count")
    done < <(resumes)
    expect_equal "${transfer[0]}" "${transfer[1]}" && [ "${chunks[1]}" -gt "${chunks[0]}" ] && return 0
    resumes
    return 1
}

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
check the-link-is-slow slow "$ABSENT" 1mbit
before=$(elections)
start_sites "$ABSENT"
sleep 3 # into the transfer
check the-killed-receiver-goes-on kill_receiver 1
check nobody-stood-for-election expect_equal "$before" "$(elections)"
check the-link-to-the-leader-is-cut cut_both "$LEADER" "$ABSENT"
# Who hears no leader stands: the count above and below would have told.
check cut-off-it-stands-for-election wait_until "$WAIT" somebody_stood_since "$before"
check the-link-heals heal_both "$LEADER" "$ABSENT"
check it-hears-the-leader-again wait_until "$WAIT" hears_the_leader
before=$(elections)
check killed-again-it-goes-on kill_receiver 2
check it-was-one-transfer one_transfer_that_went_on
check it-catches-up-equal wait_until "$LONG" all_equal
check nobody-stood-after-the-cut expect_equal "$before" "$(elections)"
check the-same-leader-in-the-same-term expect_equal "$LEADER $term" "$(wait_leader) $(term_of "$LEADER")"
check writes-go-on put_site after slow
finish
