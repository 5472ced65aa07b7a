#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A verification campaign from start to close: what is left shrinks with every verify, on every node.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

# "CONFIRMED/ASKED"
progress_of() {
    keizoku verify campaign show "$1" -o json >"$WORK/shown" || return 1
    printf '%s/%s' "$(json items.0.confirmed <"$WORK/shown")" "$(json items.0.asked <"$WORK/shown")"
}
progress_is() { expect_equal "$2" "$(progress_of "$1")"; } # ID CONFIRMED/ASKED

lab_begin --nodes 3
keizoku apply -q -f "$REPO/deploy/sample" >/dev/null 2>&1
contacts=$(count_of contact)
check 'it-starts' keizoku verify campaign start autumn --kind contact --due 令和18年12月11日
check 'it-does-not-start-twice' expect_exit 4 keizoku verify campaign start autumn --kind contact --due 2036-12-11
check 'nobody-has-confirmed' progress_is autumn "0/$contacts"
check 'two-are-confirmed' keizoku verify contact hoshino akagi
mapfile -t others < <(followers "$(wait_leader)")
check 'a-follower-counts-them' at "${others[0]}" progress_is autumn "2/$contacts"
check 'who-is-left-is-listed' expect_text amano keizoku verify campaign show autumn --lang en
check 'who-has-confirmed-is-not' expect_equal '' "$(keizoku verify campaign show autumn -o csv | grep hoshino)"
check 'one-owner-alone-is-asked' keizoku verify campaign start --kind 連絡先 --due 2036-12-11 --owner joho-system
check 'the-list-shows-both' expect_text "2/$contacts" keizoku verify campaign list
check 'a-bad-date-is-an-error' expect_exit 2 keizoku verify campaign start x --kind contact --due 2036-02-30
check 'an-unknown-owner-is-an-error' expect_exit 9 keizoku verify campaign start x --kind contact --due 2036-12-11 --owner nobody
check 'events-are-not-confirmed' expect_exit 2 keizoku verify campaign start x --kind incident --due 2036-12-11
check 'an-unknown-one-is-an-error' expect_exit 3 keizoku verify campaign show nothing
check 'a-campaign-is-verified-as-a-record' keizoku verify campaign autumn
check 'it-closes' keizoku verify campaign close autumn
check 'closed-it-says-so' expect_text 'closed on' keizoku verify campaign show autumn --lang en
check 'closing-again-changes-nothing' expect_text 'closed on' keizoku verify campaign close autumn --lang en
finish
