#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A node whose data is gone neither founds a second cluster nor votes under its old id: it says so, and so do the others.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

node() { timeout 20 "$KEIZOKU_BUILD/node/keizokud" --config "$LAB/remote/keizokud.conf" "$@"; }
log_says() { lab logs "$1" | grep -q "$2"; } # SITE TEXT
wipe() {
    lab kill remote >/dev/null
    rm -rf "$LAB/remote/data"
    mkdir "$LAB/remote/data"
}

test_without_bootstrap() {
    wipe
    check a-wiped-node-does-not-start expect_exit 1 node
    check it-says-why expect_text 'holds no store' node
    check it-names-the-folder expect_text "$LAB/remote/data" node
    check it-names-the-option expect_text '--bootstrap' node
    rm -rf "$LAB/remote/data"
    check nor-without-its-folder expect_exit 1 node
    mkdir "$LAB/remote/data"
}

test_bootstrapped() {
    : >"$LAB/remote/first-start" # the mistake: the option of a first start
    lab start remote >/dev/null
    rm "$LAB/remote/first-start"
    check the-node-says-that-it-is-refused wait_until "$WAIT" log_says remote 'came back with another data directory'
    for site in main alternate; do
        check "$site-says-that-it-refuses" wait_until "$WAIT" log_says "$site" 'we refuse.*remote came back with another data directory'
    done
    check their-status-says-why wait_until "$WAIT" expect_text 'refuses node remote: it came back with another data directory' at main keizoku status
    check its-own-status-says-why wait_until "$WAIT" expect_text 'refuses node remote: it came back with another data directory' at remote keizoku status --read local
    check the-others-are-written put_site other others
    check it-does-not-show-an-empty-registry expect_exit 8 at remote keizoku list site --read local
    check it-says-that-it-holds-no-copy expect_text 'holds no copy yet' at remote keizoku list site
    check it-takes-no-write expect_exit 8 at remote keizoku verify site before
    # Its vote would make a majority.
    lab kill alternate >/dev/null
    check main-has-no-quorum wait_until "$WAIT" is_alone
    check its-vote-does-not-count expect_exit 8 env "KEIZOKU_NODE=$(nodes main remote)" keizoku verify site before
    lab start alternate >/dev/null
    check two-go-on-without-it wait_until "$WAIT" is_writable before
    check nothing-was-lost expect_equal 2 "$(KEIZOKU_NODE=$(nodes main alternate) count_of site)"
}

is_alone() { expect_exit 8 at main keizoku list site --read linearizable && expect_text '"leader": null' at main keizoku status -o json --read local; }

# The client asks a wiped node first: it must not believe an empty registry while others answer.
test_client() {
    check a-client-prefers-the-others expect_equal 2 "$(KEIZOKU_NODE=$(nodes remote main alternate) count_of site 2>/dev/null)"
}

lab_begin --nodes 3
check prepared put_site before before
wait_until "$WAIT" all_equal >/dev/null
test_without_bootstrap
test_bootstrapped
test_client
finish
