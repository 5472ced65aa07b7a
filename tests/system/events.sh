#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Events need no quorum: what a lone survivor was told, it shows as provisional, and after the others return it is in
# every node's state exactly once. Who may report, and what is refused.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

SURVIVOR=remote
REPORTS=10
INCIDENT=''

make_reporter() {
    KEIZOKU_CA_DIR="$LAB/ca" keizoku-ca issue user reporter --role reporter --out "$LAB/users" >/dev/null
}

report() { keizoku report-status juki STOPPED --incident "$INCIDENT" --situation "$1" --timeout 20s; } # TEXT

# Sorted ids of the status reports of this outage, as the given site's own copy has them; a ! marks a provisional one.
reports_at() { # SITE
    local answer ids i
    answer=$(at "$1" keizoku list status -o json --read local 2>/dev/null) || return 1
    ids=$(printf '%s' "$answer" | json 'items.#')
    for ((i = 0; i < ids; i++)); do
        case $(printf '%s' "$answer" | json "items.$i.situation" 2>/dev/null) in
        alone-*)
            printf '%s%s\n' "$(printf '%s' "$answer" | json "items.$i.id")" \
                "$(printf '%s' "$answer" | json "items.$i.provisional" 2>/dev/null | grep -q true && echo '!')"
            ;;
        esac
    done | sort
}

provisional_in() { at "$1" keizoku list status -o json --read local 2>/dev/null | json meta.provisional 2>/dev/null || echo 0; }

shows_reports() { # SITE MARK
    expect_equal "$(sed "s/\$/$2/" "$WORK/ids" | sort)" "$(reports_at "$1")"
}

settled_at() { # SITE
    shows_reports "$1" '' && expect_equal 0 "$(provisional_in "$1")"
}

test_with_quorum() {
    INCIDENT=$(keizoku incident open --type 大規模災害 --mode EXERCISE --title 首都直下地震 --occurred-at '2026-01-17 05:46') || INCIDENT=''
    check an-incident-is-opened test -n "$INCIDENT"
    check its-id-is-alone-on-stdout expect_equal 1 "$(printf '%s\n' "$INCIDENT" | wc -w)"
    check a-status-is-reported-with-quorum expect_exit 0 keizoku report-status juki 停止 --occurred-at '2026-01-17 05:46' --confirmed
    check the-open-incident-is-meant expect_equal "$INCIDENT" "$(keizoku list status -o json | json items.0.incident)"
    check the-board-shows-it expect_text 'MISSED by' keizoku board
    check the-board-speaks-japanese expect_text '超過' keizoku --lang ja board
    check the-log-takes-an-entry expect_exit 0 keizoku entry add --type 判断 代替拠点へ切替
    check the-incident-is-activated expect_exit 0 keizoku incident activate "$INCIDENT" --decided-by 部長
    check the-board-shows-the-state expect_equal ACTIVATED "$(keizoku board -o json | json items.0.state)"
    check the-timeline-has-all expect_equal 4 "$(keizoku incident timeline "$INCIDENT" -o json | json 'items.#')"
    check history-says-append expect_text append keizoku history incident "$INCIDENT"
}

test_refusals() {
    check a-dangling-system-is-refused expect_exit 9 keizoku report-status nosuch STOPPED
    check a-state-that-does-not-exist-is-refused expect_exit 9 keizoku report-status juki STOPED
    check its-choices-are-named expect_text DEGRADED keizoku report-status juki STOPED
    check an-unknown-incident-is-not-shown expect_exit 3 keizoku incident show main-0000.99
    check an-option-of-another-kind-is-refused expect_exit 2 keizoku report-status juki STOPPED --title x
    check apply-takes-no-events expect_exit 9 keizoku apply -f - <<<"{\"kind\": \"status\", \"id\": \"x\", \"system\": \"juki\", \"state\": \"NORMAL\"}"
    make_reporter
    use_user reporter
    check a-reporter-may-report expect_exit 0 keizoku report-status juki DEGRADED
    put_site spare reporter 2>/dev/null
    check a-reporter-may-not-apply expect_equal 5 $?
    use_user duty
    check a-reader-may-not-report expect_exit 5 keizoku report-status juki DEGRADED
    use_user officer
}

# NUMBER: one report at the survivor; its id is noted, and that it is provisional must have been said.
report_alone() {
    at "$SURVIVOR" report "alone-$1" >>"$WORK/ids" 2>"$WORK/said" || return 1
    grep -q provisional "$WORK/said" && grep -q 'keizoku get status/' "$WORK/said"
}

test_alone() {
    local i dead
    mapfile -t dead < <(followers "$SURVIVOR")
    : >"$WORK/ids"
    kill_sites "${dead[@]}"
    for ((i = 1; i <= REPORTS; i++)); do
        check "report-$i-is-taken-alone" report_alone "$i"
        [ "$i" = 5 ] || continue
        kill_sites "$SURVIVOR"
        start_sites "$SURVIVOR"
        check restarted-alone-it-answers wait_until "$WAIT" at "$SURVIVOR" keizoku status --read local
        check restarted-alone-it-has-the-first-five shows_reports "$SURVIVOR" '!'
    done
    check each-has-its-own-id expect_equal "$REPORTS" "$(sort -u "$WORK/ids" | wc -l)"
    check all-are-shown-as-provisional shows_reports "$SURVIVOR" '!'
    check they-are-counted expect_equal "$REPORTS" "$(provisional_in "$SURVIVOR")"
    check the-timeline-marks-them expect_equal "$REPORTS" \
        "$(at "$SURVIVOR" keizoku incident timeline "$INCIDENT" --read local 2>/dev/null | grep -c provisional)"
    check the-board-marks-them expect_equal true \
        "$(at "$SURVIVOR" keizoku board -o json --read local 2>/dev/null | json items.0.systems.0.provisional)"
    check the-id-can-be-followed expect_text alone-1 at "$SURVIVOR" keizoku get status "$(head -n 1 "$WORK/ids")" --read local
    start_sites "${dead[@]}"
}

test_together() {
    local site
    for site in $(site_names); do
        check "$site-has-each-once-and-unmarked" wait_until "$WAIT" settled_at "$site"
    done
    check all-have-the-same-state wait_until "$WAIT" all_equal
    check nothing-is-marked-on-the-board expect_exit 1 grep -q provisional <(keizoku board)
    check the-incident-is-closed expect_exit 0 keizoku incident close "$INCIDENT" --decided-by 部長
    check nothing-is-open expect_text 'no incident is open' keizoku board
}

lab_begin --nodes 3
check the-sample-is-applied keizoku apply -q -f "$REPO/deploy/sample/"
test_with_quorum
test_refusals
test_alone
test_together
finish
