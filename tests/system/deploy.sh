#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What deploy/ promises: scripts that are sound, a sample configuration and a unit that are accepted, laboratories
# that run side by side and never touch what is not theirs.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"

DEPLOY=$REPO/deploy
SCRIPTS=("$DEPLOY/setup" "$DEPLOY/lab" "$DEPLOY/quickstart" "$REPO/tests/run" "$REPO"/tests/lib/*.sh "$REPO"/tests/system/*.sh)

scripts_are_sound() {
    local script
    for script in "${SCRIPTS[@]}"; do bash -n "$script" || return 1; done
    command -v shellcheck >/dev/null 2>&1 || return 0
    (cd "$REPO" && shellcheck -x -P "$REPO" "${SCRIPTS[@]}")
}

# Mirrors differ from place to place: the one apt uses already is the one to use.
no_host_in() { ! grep -nE '(https?|ftp)://|\.(org|net|com)\b' "$1"; }

unit_is_accepted() {
    command -v systemd-analyze >/dev/null 2>&1 || return 0
    sed "s,/usr/local/bin/keizokud,$KEIZOKU_BUILD/node/keizokud," "$DEPLOY/systemd/keizokud.service" >"$WORK/keizokud.service"
    local out
    out=$(systemd-analyze verify "$WORK/keizokud.service" 2>&1) && [ -z "$out" ] && return 0
    printf '%s\n' "$out"
    return 1
}

test_files() {
    check scripts-are-sound scripts_are_sound
    check setup-names-no-host no_host_in "$DEPLOY/setup"
    check setup-finds-everything expect_exit 0 "$DEPLOY/setup" --check
    check setup-refuses-nonsense expect_exit 2 "$DEPLOY/setup" --frobnicate
    check sample-configuration-is-accepted expect_exit 0 "$KEIZOKU_BUILD/node/keizokud" --config "$DEPLOY/keizokud.conf.sample" --check
    check unit-is-accepted unit_is_accepted
}

test_lab_arguments() {
    check lab-without-a-laboratory expect_exit 1 lab status
    check lab-adds-only-to-a-laboratory expect_exit 1 lab add fourth
    check lab-refuses-four-nodes expect_exit 2 lab up --nodes 4
    check lab-refuses-a-bad-port expect_exit 2 lab up --base-port http
    mkdir -p "$WORK/lab"
    touch "$WORK/lab/precious"
    check lab-refuses-a-foreign-folder expect_exit 1 lab up
    check and-leaves-it-alone ls "$WORK/lab/precious"
    rm -r "$WORK/lab"
}

pid_in() { awk '{ print; exit }' "$1/pid"; }
state_is() { lab status | awk -v site="$1" -v state="$2" '$1 == site && $5 == state { found = 1 } END { exit !found }'; }

test_lab() {
    lab_begin --nodes 3
    check status-shows-three-running expect_equal 3 "$(lab status | grep -c running)"
    check unknown-site expect_exit 2 lab kill nowhere
    check unknown-user expect_exit 2 lab env --user nobody
    check up-again-changes-nothing expect_text 'already' lab up
    check pause lab pause remote
    check paused-is-shown state_is remote paused
    check resume lab resume remote
    check resumed-is-shown state_is remote running
    check kill lab kill main
    check killed-is-shown state_is main stopped
    check kill-of-a-dead-one expect_exit 1 lab kill main
    check the-others-elect-a-leader wait_until 20 has_leader
    check start-again lab start main
    check polite-stop-needs-no-force expect_equal 'main stopped' "$(lab stop main 2>&1)"
    check start-after-stop lab start main
}

has_leader() { KEIZOKU_NODE=$(address_of alternate) leader; }

# A process id may belong to somebody else by the time it is used.
test_foreign_process() {
    local sleeper
    lab kill alternate >/dev/null
    sleep 300 &
    sleeper=$!
    printf '%s\n' "$sleeper" >"$LAB/alternate/pid"
    check a-foreign-process-is-not-killed expect_exit 1 lab kill alternate
    check and-it-lives kill -0 "$sleeper"
    kill "$sleeper"
    check its-site-can-be-started lab start alternate
}

# The cluster is founded once: a wiped node must not found a second one under the same name.
test_wiped_node() {
    lab stop remote >/dev/null
    rm -rf "$LAB/remote/data"
    mkdir "$LAB/remote/data"
    check a-wiped-node-does-not-found-a-cluster expect_text 'did not start' lab start remote
    check and-stays-down state_is remote stopped
}

test_side_by_side() {
    local first=$LAB
    LAB=$WORK/second
    LABS+=("$LAB")
    check second-laboratory lab up --nodes 5
    check it-has-five-sites expect_equal 5 "$(lab status | grep -c running)"
    check it-has-its-own-ports expect_equal 8 "$(cat "$first/sites" "$LAB/sites" | awk '{ print $3 }' | sort -u | wc -l)"
    check down-deletes lab down --delete
    check folder-is-gone expect_exit 2 ls "$LAB"
    LAB=$first
    check the-first-one-goes-on state_is main running
}

test_files
test_lab_arguments
test_lab
test_foreign_process
test_wiped_node
test_side_by_side
finish
