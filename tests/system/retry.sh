#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A write whose reply is lost is sent again under its id and applied once. The write is a verification: it leaves a
# change each time it is applied.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

LEADER=''
FOLLOWERS=()
CLIENT=0
STRANDED=''
TIMEOUT=60s
last_index() { at "$1" keizoku status -o json --read local --timeout 2s 2>/dev/null | json last_index; }
applied_at() { KEIZOKU_NODE=$(nodes "${FOLLOWERS[@]}") keizoku history site "$1" -o json --timeout 5s 2>/dev/null | json 'items.1.op'; }
is_running() { kill -0 "$1" 2>/dev/null; }
has_grown() { local now; now=$(last_index "$1") && [ "$now" -gt "$2" ]; } # SITE INDEX

begin() { # ID: a fresh record, equal nodes, the leader
    wait_until "$WAIT" all_equal >/dev/null && put_site "$1" once || return 1
    LEADER=$(wait_leader) || return 1
    mapfile -t FOLLOWERS < <(followers "$LEADER")
    wait_until "$WAIT" all_equal >/dev/null
}

# The leader has the write in its log and cannot commit it, because the followers are paused. Their sockets hold it.
# Fails when the leader noticed before the write came: then it is tried anew.
strand() { # ID NODES
    local before
    before=$(last_index "$LEADER") || return 1
    lab pause "${FOLLOWERS[0]}" >/dev/null && lab pause "${FOLLOWERS[1]}" >/dev/null || return 1
    KEIZOKU_NODE=$2 keizoku verify site "$1" --timeout "$TIMEOUT" >"$WORK/client" 2>&1 &
    CLIENT=$!
    wait_until 3 has_grown "$LEADER" "$before" >/dev/null && is_running "$CLIENT"
}

let_followers_go() {
    lab resume "${FOLLOWERS[0]}" >/dev/null
    lab resume "${FOLLOWERS[1]}" >/dev/null
}

# Fails when it was not the write that made the log grow, but a beacon.
commit_without_leader() { # ID
    lab pause "$LEADER" >/dev/null || return 1
    let_followers_go
    wait_until 5 applied_at "$1" >/dev/null && is_running "$CLIENT"
}

# Not in a subshell: the client must stay our child.
stranded() { # NAME leader|all: the nodes the client knows
    local try id known
    for try in 1 2 3 4 5; do
        id=$1-$try
        begin "$id" || continue
        known=$(nodes "$LEADER")
        [ "$2" = leader ] || known=$(nodes "$LEADER" "${FOLLOWERS[@]}")
        if strand "$id" "$known" && { [ "$1" = killed ] || commit_without_leader "$id"; }; then
            STRANDED=$id
            ok "the-write-is-in-the-log-of-a-$1-leader"
            return 0
        fi
        lab resume all >/dev/null
        wait "$CLIENT"
    done
    not_ok "the-write-is-in-the-log-of-a-$1-leader" "$(cat "$WORK/client")"
    return 1
}

client_ends() { # NAME STATUS
    local status=0
    wait "$CLIENT" || status=$?
    if [ "$status" = "$2" ]; then ok "$1"; else not_ok "$1" "exit $status, not $2: $(cat "$WORK/client")"; fi
}

once() { expect_equal 2 "$(changes_of site "$STRANDED")"; }
asking_the_others() { KEIZOKU_NODE=$(nodes "${FOLLOWERS[@]}") "$@"; }

# The leader is paused with the reply still to come: the others commit, the client asks them.
test_paused_leader() {
    stranded paused all || return 0
    client_ends the-client-fails-over 0
    check and-it-was-applied-once asking_the_others once
    lab resume "$LEADER" >/dev/null
    check equal-after-the-leader-woke wait_until "$WAIT" all_equal
    check still-once-after-the-leader-woke once
}

test_killed_leader() {
    stranded killed all || return 0
    lab kill "$LEADER" >/dev/null
    let_followers_go
    client_ends the-client-asks-again 0
    check the-write-was-applied-once asking_the_others once
    lab start "$LEADER" >/dev/null
    check equal-after-the-leader-came-back wait_until "$WAIT" all_equal
    check once-after-the-leader-came-back once
}

request_id() { grep -oE '[0-9a-f]{32}' "$WORK/client" | head -n 1; }

# The client knows only the node that is paused: it cannot know, says so, and another node can tell.
test_unknown_outcome() {
    TIMEOUT=6s
    stranded lonely leader || return 0
    client_ends the-client-does-not-know 10
    check it-names-the-command-that-does grep -q 'keizoku outcome' "$WORK/client"
    check another-node-knows asking_the_others keizoku outcome "$(request_id)"
    lab resume "$LEADER" >/dev/null
    check equal-at-the-end wait_until "$WAIT" all_equal
    check the-unknown-was-applied-once once
}

test_unknown_id() {
    check an-id-nobody-knows expect_exit 3 keizoku outcome 00000000000000000000000000000001
    check not-an-id expect_exit 2 keizoku outcome 123
}

lab_begin --nodes 3
check prepared put_site spare begin
test_paused_leader
test_killed_leader
test_unknown_outcome
test_unknown_id
finish
