#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A runbook from draft to approval by two people; and one begun at main is finished at remote after main was killed -9.
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

sheet() { keizoku runbook show "$RUN" -o json; }
sheet_of() { at "$1" keizoku runbook show "$RUN" -o json --read local 2>/dev/null | json "items.0.$2"; } # SITE PATH

test_start() {
    local said
    check what-nobody-approved-is-not-started expect_exit 1 keizoku runbook start fukkyu-flow
    check unless-it-is-said expect_exit 0 keizoku runbook start fukkyu-flow --unapproved
    check a-reader-does-not-start expect_exit 5 as duty keizoku runbook start "$ID"
    INCIDENT=$(keizoku incident open --type 大規模災害 --mode EXERCISE --title 首都直下地震)
    RUN=$(at main keizoku runbook start "$ID" --by 緑川 2>"$WORK/said") || RUN=''
    check a-run-is-known-by-its-id test -n "$RUN"
    said=$(sheet) || said=''
    check it-belongs-to-the-open-incident expect_equal "$INCIDENT" "$(printf '%s' "$said" | json items.0.incident)"
    check it-carries-out-the-approved-revision expect_equal "$(field_of runbook "$ID" approved_rev)" \
        "$(printf '%s' "$said" | json items.0.revision)"
    edited さらに次の版 | keizoku apply -q -f - || true
    check a-later-draft-does-not-change-it expect_equal 6 "$(sheet | json 'items.0.steps.#')"
}

test_rules_of_ticks() {
    check a-decision-point-needs-a-decision expect_exit 9 keizoku runbook tick "$RUN" 1
    check it-says-what-to-give expect_text '(--permission)' keizoku runbook tick "$RUN" 1
    check the-old-command-needs-it-too expect_exit 9 keizoku tick "$ID" 1 DONE
    check a-step-out-of-order-is-refused expect_exit 1 keizoku runbook tick "$RUN" 3
    check a-step-that-is-not-there-is-refused expect_exit 2 keizoku runbook tick "$RUN" 7
    check another-runs-id-is-refused expect_exit 3 keizoku runbook tick nosuch-1.1 1
    check options-of-other-verbs-are-refused expect_exit 2 keizoku runbook tick "$RUN" 1 --incident "$INCIDENT"
    check evidence-comes-first expect_exit 9 keizoku runbook tick "$SECURED" 1
    check with-its-place-it-is-taken expect_exit 0 keizoku runbook tick "$SECURED" 1 --evidence '証拠保全箱 3番'
}

# A runbook of one step at which evidence comes first.
make_secured() {
    printf 'kind: runbook\nid: shoko\ntitle: 証拠の保全\nphase: INITIAL\nstate: REVIEW\nauthor: hoshino\nsteps:\n- title: ログを写す\n  evidence_first: true\n' |
        keizoku apply -q -f -
    as approver keizoku runbook approve -q shoko >/dev/null
    SECURED=$(keizoku runbook start shoko 2>/dev/null)
}

is_on_first_step() { expect_equal "BEGUN $1" "$(sheet_of remote steps.0.state) $(sheet_of remote steps.0.by)"; } # NAME

test_at_main() {
    at main keizoku runbook begin "$RUN" 1 --by 緑川 >/dev/null 2>&1
    check who-is-on-a-step-is-seen-elsewhere wait_until "$WAIT" is_on_first_step 緑川
    check main-ticks-the-first expect_text 'next: 2' at main keizoku runbook tick "$RUN" 1 --permission '部長決定 切替' --by 緑川
    check main-ticks-the-second-by-the-runbooks-id expect_exit 0 at main keizoku runbook tick "$ID" 2
    check main-begins-the-third expect_exit 0 at main keizoku runbook begin "$RUN" 3 --by 星野
    check the-board-tells-it-everywhere wait_until "$WAIT" expect_text 星野 at alternate keizoku runbook board --read local
    wait_until "$WAIT" same_state main alternate remote >/dev/null
}

# main is gone, then alternate too: the last site goes on by itself, and nobody has to wait for a quorum.
test_at_remote() {
    kill_sites main
    check remote-ticks-the-third expect_exit 0 at remote keizoku runbook tick "$RUN" 3 --timeout 20s
    kill_sites alternate
    check remote-skips-the-fourth-alone expect_exit 0 at remote keizoku runbook skip "$RUN" 4 --evidence 停止中 --timeout 20s
    check it-is-marked-provisional expect_equal true "$(sheet_of remote steps.3.provisional)"
    check in-japanese-too expect_text 未確定 at remote keizoku --lang ja runbook show "$RUN" --read local
    check the-fifth-failed-at-first expect_exit 0 at remote keizoku runbook fail "$RUN" 5 --evidence 容量不足 --timeout 20s
    check what-failed-stays-next expect_equal 5 "$(sheet_of remote next)"
    check a-stop-point-is-confirmed expect_exit 0 at remote keizoku runbook tick "$RUN" 5 --permission 作業実施責任者 --timeout 20s
    check notes-are-kept expect_exit 0 at remote keizoku runbook note "$RUN" 余震あり --timeout 20s
    check the-last-one-finishes-it expect_text 'all steps' at remote keizoku runbook tick "$RUN" 6 --timeout 20s
    check it-is-finished expect_equal true "$(sheet_of remote finished)"
}

STATES='DONE DONE DONE SKIPPED DONE DONE '
is_complete() { # SITE
    expect_equal "$STATES 0 true" "$(sheet_of "$1" 'steps.*.state' | tr '\n' ' ') $(sheet_of "$1" provisional) $(sheet_of "$1" finished)"
}

test_together() {
    local site
    start_sites main alternate
    for site in $(site_names); do
        check "$site-has-every-tick-confirmed" wait_until "$WAIT" is_complete "$site"
    done
    check the-board-is-done-with-it expect_exit 1 grep -q "$RUN" <(keizoku runbook board)
    check of-the-incident-it-is-there expect_text "$RUN" keizoku runbook board --incident "$INCIDENT"
    check the-timeline-has-the-ticks expect_text 余震あり keizoku incident timeline "$INCIDENT"
    check all-have-the-same-state wait_until "$WAIT" all_equal
}

# Every sample leaves and comes back as it was; a file that somebody changed meanwhile is not written over.
test_files() {
    local id same=0 count=0
    for id in $(keizoku list runbook -o json | json 'items.*.id'); do
        count=$((count + 1))
        keizoku runbook export "$id" -q -f "$WORK/$id.md" || continue
        expect_text unchanged keizoku runbook import "$WORK/$id.md" && same=$((same + 1))
    done
    check every-runbook-comes-back-as-it-was expect_equal "$count" "$same"
    check there-were-some test "$count" -gt 10
    sed -i 's/^## 2\. .*/## 2. 回線の切替/' "$WORK/$ID.md"
    check a-dry-run-changes-nothing expect_exit 0 keizoku runbook import "$WORK/$ID.md" --dry-run
    check an-edited-file-is-imported expect_exit 0 keizoku runbook import "$WORK/$ID.md"
    check the-diff-names-the-step expect_text 回線の切替 keizoku runbook diff "$ID"
    check an-old-file-is-a-conflict expect_exit 4 keizoku runbook import "$WORK/$ID.md"
    sed -i 's/^- expected_time: .*/- expected_time: すぐ/; /^rev:/d' "$WORK/$ID.md"
    check a-bad-value-has-its-line expect_text "$ID.md:$(grep -n すぐ "$WORK/$ID.md" | head -n 1 | cut -d: -f1):" keizoku runbook import "$WORK/$ID.md"
    check other-files-are-for-apply expect_exit 2 keizoku runbook import "$WORK/said"
}

lab_begin --nodes 3
check the-sample-is-applied keizoku apply -q -f "$REPO/deploy/sample/"
test_life
test_new_role
test_start
make_secured
test_rules_of_ticks
test_at_main
test_at_remote
test_together
test_files
finish
