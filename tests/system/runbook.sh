#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A runbook from draft to approval by two people.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

ID=daitai-kirikae
BOOK=runbook/$ID

as() { # USER COMMAND…
    use_user "$1"
    local status=0
    "${@:2}" || status=$?
    use_user officer
    return "$status"
}

# The record as YAML with one more line in a step's text.
edited() { keizoku get runbook "$ID" -o yaml | sed "s/^note: .*/note: $1/; /^rev:/d"; } # NOTE

test_life() {
    check written-as-approved-it-waits expect_equal REVIEW "$(field_of runbook "$ID" state)"
    check who-wrote-it-is-known expect_equal officer "$(field_of runbook "$ID" edited_by)"
    check an-operator-does-not-approve expect_exit 5 keizoku runbook approve "$ID"
    check nor-does-a-reader expect_exit 5 as duty keizoku runbook approve "$ID"
    check an-approver-changes-nothing expect_exit 5 as approver keizoku retire "$BOOK" --force
    check an-approver-sends-it-back expect_exit 0 as approver keizoku runbook reject "$BOOK" --reason 時間の見込がない
    check why-is-in-the-history expect_text 時間の見込がない keizoku history runbook "$ID"
    check a-draft-is-not-approved expect_exit 9 as approver keizoku runbook approve "$ID"
    check its-author-submits-it-again expect_exit 0 keizoku runbook submit "$ID"
    check an-approver-approves expect_exit 0 as approver keizoku runbook approve "$ID"
    check the-approver-is-named expect_equal approver "$(field_of runbook "$ID" approved_by)"
    APPROVED=$(field_of runbook "$ID" approved_rev)
    edited 次の版 | keizoku apply -q -f - || true
    check an-edit-is-a-new-draft expect_equal 'DRAFT 2' "$(field_of runbook "$ID" state) $(field_of runbook "$ID" version)"
    check what-is-approved-stays expect_equal "$APPROVED" "$(field_of runbook "$ID" approved_rev)"
}

# An operator who edits and is made an approver afterwards is still who wrote it.
test_new_role() {
    local ca=(env KEIZOKU_CA_DIR="$LAB/ca" keizoku-ca)
    "${ca[@]}" issue user hosa --role operator --out "$LAB/users" >/dev/null
    edited 補佐の版 | as hosa keizoku apply -q -f - || true
    "${ca[@]}" revoke user/hosa >/dev/null
    "${ca[@]}" issue user hosa --role approver --out "$WORK" >/dev/null
    keizoku runbook submit -q "$ID"
    check whoever-wrote-it-does-not-approve-it-in-a-new-role expect_exit 9 \
        env KEIZOKU_CERT="$WORK/hosa.pem" KEIZOKU_KEY="$WORK/hosa.key" keizoku runbook approve "$ID"
    check the-other-person-approves expect_exit 0 as deputy keizoku runbook approve "$ID"
    check now-the-new-version-counts expect_exit 1 test "$(field_of runbook "$ID" approved_rev)" = "$APPROVED"
}

lab_begin --nodes 3
check the-sample-is-applied keizoku apply -q -f "$REPO/deploy/sample/"
test_life
test_new_role
finish
