#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Five sites: three against two, a ring in which everybody reaches two neighbours, two halves that reach each other only
# through the fifth site. KEIZOKU_LONG=1 goes on with ROUNDS random cuts; KEIZOKU_SEED=N repeats them.
# tests/lib/cuts.sh says what is checked.
# shellcheck disable=SC2317 # called through check
LONG=${KEIZOKU_LONG:-}
SEED=${KEIZOKU_SEED:-20260117}
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

ROUNDS=20   # of the long run
HELD_SECONDS=4 # how long a random cut stays
RANDOM=$SEED

test_halves() {
    local leader other
    leader=$(wait_leader)
    other=$(followers "$leader" | head -n 1)
    # shellcheck disable=SC2046 # names are words
    halves "$leader $other" "$(followers "$leader" | tail -n +2 | tr '\n' ' ')"
    test_minority three-to-two "$leader" "$other"
}

test_ring() {
    halves main "remote fourth" && halves alternate "fourth fifth" && halves remote fifth
    test_patchy ring-of-majorities
}

test_bridge() {
    halves "main alternate" "fourth fifth"
    test_patchy bridge
}

# Any ordered pair with one chance in three; what can be written then depends on the cut, what holds after it does not.
test_random() {
    local round from to site
    for round in $(seq "$ROUNDS"); do
        for from in $(site_names); do
            for to in $(site_names); do
                if [ "$from" != "$to" ] && [ $((RANDOM % 3)) = 0 ]; then cut_one_way "$from" "$to"; fi
            done
        done
        for site in $(site_names); do
            check "random-$round-$site-takes-events-seed-$SEED" events_at "$site" "random-$round"
        done
        sleep "$HELD_SECONDS"
        healed "random-$round"
    done
}

begin_cuts 5
test_halves
test_ring
test_bridge
[ -z "$LONG" ] || test_random
finish_cuts
