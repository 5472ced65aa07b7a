#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many records in one transaction: all or nothing, seen whole, checked before; references and retirement.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

RECORDS=1000 # what one transaction may hold

many() { # NAME [COUNT]
    local n
    for n in $(seq "${2:-$RECORDS}"); do site_record "$(printf 's%04d' "$n")" "$1"; done
}

nothing_changed() { expect_equal "$BEFORE" "$(rev_now) $(count_of site)"; }
remember() {
    wait_until "$WAIT" all_equal >/dev/null
    BEFORE="$(rev_now) $(count_of site)"
}

# refused STATUS TEXT FILE: the given status, a text that holds TEXT, and nothing done
refused() {
    local status=0
    keizoku apply -f "$3" >"$WORK/out" 2>&1 || status=$?
    expect_equal "$1" "$status" || return 1
    grep -q -- "$2" "$WORK/out" || {
        head -c 1000 "$WORK/out"
        return 1
    }
    nothing_changed
}

# The whole transaction stands in one log entry.
one_index() {
    watch_lines "$WORK/changes" "$RECORDS" --from 1 || return 1
    expect_equal 1 "$(grep -o '"index":[0-9]*' "$WORK/changes" | sort -u | wc -l)"
}

test_transaction() {
    many new >"$WORK/many.yaml"
    remember
    check dry-run-says-what-it-would-do expect_text "$RECORDS would change" keizoku apply --dry-run -f "$WORK/many.yaml"
    check dry-run-changes-nothing nothing_changed
    sed 's/^id: s0700$/&\noperator: nobody/' "$WORK/many.yaml" >"$WORK/dangling.yaml"
    check dry-run-finds-a-bad-record expect_exit 9 keizoku apply --dry-run -f "$WORK/dangling.yaml"
    check one-bad-record-refuses-all refused 9 'site/s0700.operator: there is no org/nobody' "$WORK/dangling.yaml"
    check its-line-is-named grep -q "dangling.yaml:$(grep -n nobody "$WORK/dangling.yaml" | cut -d: -f1):" "$WORK/out"
    sed -i 's/^id: s0701$/&\nrev: 5/' "$WORK/many.yaml"
    check one-stale-revision-refuses-all refused 4 'another revision\|no such record\|changed it first' "$WORK/many.yaml"
    many new >"$WORK/many.yaml"
    check a-thousand-are-applied keizoku apply -q -f "$WORK/many.yaml"
    check a-thousand-are-listed expect_equal "$RECORDS" "$(count_of site)"
    check they-are-one-transaction one_index
    check again-they-are-unchanged expect_text "$RECORDS unchanged" keizoku apply -f "$WORK/many.yaml"
    check equal-on-all-nodes wait_until "$WAIT" all_equal
}

test_too_many() {
    many other $((RECORDS + 1)) >"$WORK/more.yaml"
    remember
    check one-more-is-too-many refused 9 'too many for one transaction' "$WORK/more.yaml"
    check split-sends-several keizoku apply -q --split -f "$WORK/more.yaml"
    check all-of-them-are-there expect_equal $((RECORDS + 1)) "$(count_of site)"
    check and-changed expect_equal "other other" "$(field_of site s0001 name) $(field_of site s1001 name)"
}

# Killed while it is under way: afterwards all or nothing. Told by the first and the last record.
test_interrupted() {
    local client name
    many interrupted >"$WORK/interrupted.yaml"
    KEIZOKU_TIMEOUT=60s keizoku apply -q -f "$WORK/interrupted.yaml" >/dev/null 2>&1 &
    client=$!
    kill_sites "$(wait_leader)"
    if wait "$client"; then ok the-client-has-it-done; else not_ok the-client-has-it-done "exit $?"; fi
    check the-whole-is-applied expect_equal "$RECORDS" "$(keizoku list site -o csv --no-headers | grep -c ',interrupted,')"
    # shellcheck disable=SC2046 # names are words
    start_sites $(site_names)
    check equal-after-the-interruption wait_until "$WAIT" all_equal
}

test_references() {
    keizoku apply -q -f "$REPO/deploy/sample/" >/dev/null
    remember
    check retire-with-referrers-is-refused expect_exit 4 keizoku retire org joho-system
    check and-names-them expect_text 'system/juki' keizoku retire org joho-system
    check and-says-how-to-go-on expect_text '--force' keizoku retire org joho-system
    check and-changes-nothing nothing_changed
    check force-retires keizoku retire --force org joho-system
    check the-retired-is-no-longer-listed expect_exit 1 grep -q joho-system <(keizoku list org -o csv | cut -d, -f1)
    check its-history-stays expect_text retire keizoku history org joho-system
    printf 'kind: site\nid: late\nname: late\nrole: OTHER\noperator: joho-system\n' >"$WORK/retired.yaml"
    remember
    check a-reference-to-the-retired-is-refused refused 9 'joho-system' "$WORK/retired.yaml"
    {
        printf 'kind: site\nid: pair\nname: pair\nrole: OTHER\noperator: pair\n---\n'
        printf 'kind: org\nid: pair\nname: pair\ntype: DIVISION\n'
    } >"$WORK/pair.yaml"
    check a-reference-within-the-transaction-holds keizoku apply -q -f "$WORK/pair.yaml"
}

lab_begin --nodes 3
test_transaction
test_too_many
test_interrupted
test_references
finish
