#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Three sites: the leader alone, a follower alone, a leader that hears or is heard by nobody, a follower that hears
# nobody, two that reach each other only through the third. tests/lib/cuts.sh says what is checked.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"
# shellcheck source=tests/lib/watch.sh
. "$(dirname "$0")/../lib/watch.sh"
# shellcheck source=tests/lib/cuts.sh
. "$(dirname "$0")/../lib/cuts.sh"

# The leader and the followers of this moment.
look() {
    LEADER=$(wait_leader)
    mapfile -t OTHERS < <(followers "$LEADER")
}

test_alone() {
    look
    isolate "$LEADER"
    test_minority leader-alone "$LEADER"
    look
    isolate "${OTHERS[0]}"
    test_minority follower-alone "${OTHERS[0]}"
}

test_one_way() {
    look
    cut_one_way "${OTHERS[0]}" "$LEADER" && cut_one_way "${OTHERS[1]}" "$LEADER"
    test_patchy leader-hears-nobody
    look
    cut_one_way "$LEADER" "${OTHERS[0]}" && cut_one_way "$LEADER" "${OTHERS[1]}"
    test_patchy leader-is-heard-by-nobody
    look
    cut_one_way "$LEADER" "${OTHERS[1]}"
    test_patchy follower-does-not-hear-the-leader
}

test_bridge() {
    look
    cut_both "$LEADER" "${OTHERS[0]}"
    test_patchy bridge
}

begin_cuts 3
test_alone
test_one_way
test_bridge
finish_cuts
