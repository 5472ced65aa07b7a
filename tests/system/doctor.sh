#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# keizoku doctor on the sample: each planted finding once and nothing else, from three nodes and from a lone survivor.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

TODAY=2026-11-20T18:00 # the day the sample is written for
PLANTED=$REPO/tests/unit/client/sample-findings.txt

# In the form and order of sample-findings.txt. Contacts are unverified or not by this machine's clock: left out.
findings() {
    local status=0 field
    keizoku doctor --at "$TODAY" -q -o json "$@" >"$WORK/findings" || status=$?
    [ "$status" = 1 ] || return 1
    for field in severity rule kind id source; do json "items.*.$field" <"$WORK/findings" >"$WORK/$field" || return 1; done
    paste -d'\t' "$WORK"/{severity,rule,kind,id,source} |
        awk -F'\t' '$2 != "contact.unverified" { print $1, $2, $3 ($4 == "null" ? "" : "/" $4), "|", $5 }' | LC_ALL=C sort
}

planted() { sed '/^#/d; /^$/d; s/  #.*//' "$PLANTED" | LC_ALL=C sort; }

approve_what_waits() {
    local waiting status=0
    keizoku list runbook -o json >"$WORK/runbooks" || return 1
    waiting=$(paste -d' ' <(json 'items.*.id' <"$WORK/runbooks") <(json 'items.*.state' <"$WORK/runbooks") |
        awk '$2 == "REVIEW" { print $1 }')
    use_user approver
    # shellcheck disable=SC2086 # ids are words
    keizoku runbook approve -q $waiting || status=$?
    use_user officer
    return "$status"
}

lab_begin --nodes 3
check the-sample-is-applied keizoku apply -q -f "$REPO/deploy/sample/"
check what-waits-is-approved approve_what_waits
check the-list-of-planted-findings-is-not-empty test "$(planted | wc -l)" -gt 30
check each-planted-finding-once-and-nothing-else expect_equal "$(planted)" "$(findings)"
check findings-are-exit-code-1 expect_exit 1 keizoku doctor --at "$TODAY"
check nothing-to-tell-is-exit-code-0 expect_exit 0 keizoku doctor --at "$TODAY" --kind peer
check errors-alone expect_equal "$(planted | grep '^error')" "$(findings --severity error)"
check of-one-owner-and-those-below expect_equal "$(planted | grep -e system/zumen -e org/doro)" "$(findings --owner org/doro)"
check a-severity-that-does-not-exist expect_exit 2 keizoku doctor --severity grave
check an-owner-that-does-not-exist expect_exit 3 keizoku doctor --owner nobody

# A person leaves: the role is vacant, the card is still out.
check the-mayor-leaves keizoku retire contact midorikawa --force -q
check the-role-is-vacant expect_text 'role/saiko-sekininsha' keizoku doctor --at "$TODAY" --kind role
check the-card-is-to-be-taken-back expect_text 'card.holder_left' keizoku doctor --at "$TODAY" --kind card
check before-that-it-was-not expect_equal "$(planted)" "$(findings --as-of "$(($(rev_now) - 1))")"

BEFORE=$(findings)
kill_sites main alternate
check a-lone-survivor-says-the-same expect_equal "$BEFORE" "$(findings)"
check and-how-old-it-is expect_text 'remote' keizoku doctor --at "$TODAY" --severity error
finish
