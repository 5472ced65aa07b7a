#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How an answer is asked for and shown: read modes, ages, unreachable nodes, forms of output, languages, completion.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

SYSTEMS=38
KINDS='site org contact role function system component runbook'

read_is() { expect_equal "$1" "$(keizoku list system -o json "${@:2}" 2>/dev/null | json meta.read)"; }
exit_and_text() { expect_exit "$1" "${@:3}" && expect_text "$2" "${@:3}"; }

test_read_modes() {
    check auto-is-linearizable read_is linearizable
    check linearizable read_is linearizable --read linearizable
    check local read_is local --read local
    KEIZOKU_READ=local check from-the-environment read_is local
    KEIZOKU_READ=local check the-flag-beats-the-environment read_is linearizable --read linearizable
    check read-own-write-everywhere reads_own_writes
}

# What one node acknowledged is read at once from each other one.
reads_own_writes() {
    local n writer reader
    for n in 1 2 3; do
        for writer in main alternate remote; do
            at "$writer" put_site echo "$n $writer" || return 1
            for reader in remote alternate main; do
                expect_equal "$n $writer" "$(at "$reader" keizoku get site echo -o json --read linearizable | json items.0.name)" || return 1
            done
        done
    done
}

test_ages() {
    check fresh-enough keizoku list system --max-age 1h
    check too-old-exits-seven exit_and_text 7 'max-age' keizoku list system --read local --max-age 1ms
    check and-shows-it-all-the-same expect_equal "$SYSTEMS" "$(keizoku list system -o csv --no-headers --read local --max-age 1ms 2>/dev/null | wc -l)"
    check and-says-since-when expect_text 'complete to' keizoku list system --read local --max-age 1ms
}

test_unreachable() {
    local closed
    closed=$("$KEIZOKU_BUILD/tools/free-ports" 1)
    check nobody-listens exit_and_text 6 "127.0.0.1:$closed: TCP: connection refused" keizoku --node "127.0.0.1:$closed" list system
    check no-such-host exit_and_text 6 'nowhere.invalid:7400: DNS:' keizoku --node nowhere.invalid:7400 list system
    check each-node-is-named exit_and_text 6 "127.0.0.1:$closed: TCP:" keizoku --node "nowhere.invalid:7400,127.0.0.1:$closed" list system
    check a-dead-node-is-passed-by keizoku --node "127.0.0.1:$closed,$(address_of main)" list system
}

test_outputs() {
    local form
    for form in table wide; do
        check "$form-has-a-line-a-record" expect_equal $((SYSTEMS + 1)) "$(keizoku list system -o "$form" | wc -l)"
        check "$form-without-headers" expect_equal "$SYSTEMS" "$(keizoku list system -o "$form" --no-headers | wc -l)"
    done
    check json-has-them-all expect_equal "$SYSTEMS" "$(count_of system)"
    check yaml-has-them-all expect_equal "$SYSTEMS" "$(keizoku list system -o yaml | grep -c '^kind: system')"
    check csv-has-them-all expect_equal $((SYSTEMS + 1)) "$(keizoku list system -o csv | wc -l)"
    check csv-begins-with-a-mark expect_equal 'efbbbf' "$(keizoku list system -o csv | head -c 3 | od -An -tx1 | tr -d ' \n')"
    check data-and-warnings-are-apart expect_equal '' "$(keizoku list system -o json 2>&1 >/dev/null)"
    check status-in-json expect_equal lab "$(keizoku status -o json | json meta.cluster)"
    check schema-of-each-kind schema_of_each
    check quiet-is-quiet expect_equal '' "$(keizoku verify site echo -q 2>&1 >/dev/null)"
}

schema_of_each() {
    local kind
    for kind in $KINDS; do keizoku schema "$kind" | grep -q '^id ' || return 1; done
}

# What get prints is what apply takes: unchanged as it is, and as the record when nothing is stored.
test_round_trip() {
    local kind ids
    for kind in $KINDS; do
        mapfile -t ids < <(keizoku list "$kind" -o json | json 'items.*.id')
        keizoku get "$kind" "${ids[@]}" -o yaml >"$WORK/$kind.yaml" 2>/dev/null
        check "$kind-as-yaml-is-unchanged" expect_text "0 changed, ${#ids[@]} unchanged" keizoku apply -f "$WORK/$kind.yaml"
        keizoku get "$kind" "${ids[@]}" -o json >"$WORK/$kind.json" 2>/dev/null
        check "$kind-as-json-is-unchanged" expect_text "0 changed, ${#ids[@]} unchanged" keizoku apply -f "$WORK/$kind.json"
    done
    keizoku get system juki -o yaml | sed 's/^name: .*/name: 改名/' >"$WORK/edited.yaml"
    check an-edited-copy-is-applied keizoku apply -q -f "$WORK/edited.yaml"
    check and-once-more-it-conflicts expect_exit 4 keizoku apply -f <(sed 's/改名/再改名/' "$WORK/edited.yaml")
    check edit-sends-what-the-editor-wrote env EDITOR="sed -i s/改名/編集/" keizoku edit system juki
    check and-it-is-stored expect_equal 編集 "$(field_of system juki name)"
    check edit-of-nothing-sends-nothing env EDITOR=true keizoku edit system juki
    check two-changes-since expect_equal 3 "$(changes_of system juki)"
}

test_languages() {
    check english expect_text 'quorum' keizoku status --lang en
    check japanese expect_text '過半数' keizoku status --lang ja
    check japanese-headers expect_text '優先' keizoku list system --lang ja
    check japanese-errors exit_and_text 3 '対処:' keizoku get system nowhere --lang ja
    check japanese-by-locale expect_text '過半数' env LC_ALL=ja_JP.UTF-8 keizoku status
    check json-is-the-same-in-both expect_equal "$(keizoku list system -o json --lang en | json items | sha256sum)" \
        "$(keizoku list system -o json --lang ja | json items | sha256sum)"
}

completes() { # WANTED WORDS…: the last word is being typed
    local wanted=$1
    shift
    # shellcheck disable=SC2016 # for the inner shell
    bash -c 'eval "$(keizoku completion bash)"; wanted=$1; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _keizoku
        printf "%s\n" "${COMPREPLY[@]}" | grep -qx -- "$wanted"' bash "$wanted" "$@"
}

test_completion() {
    check bash-completion-is-bash bash -n <(keizoku completion bash)
    if command -v zsh >/dev/null 2>&1; then check zsh-completion-is-zsh zsh -n <(keizoku completion zsh); fi
    check zsh-completion-parses bash -n <(keizoku completion zsh)
    check commands-are-completed completes history keizoku hist
    check kinds-are-completed completes runbook keizoku list run
    check ids-are-completed completes togo-kasou-server keizoku get system togo
    check choices-are-completed completes linearizable keizoku list system --read lin
    check no-other-shell expect_exit 2 keizoku completion fish
    check version expect_text 0.1 keizoku version
}

# No quorum: local with its warning, linearizable refused, and the age says so.
test_alone() {
    lab kill main >/dev/null
    lab kill alternate >/dev/null
    check alone-auto-is-local wait_until "$WAIT" read_is local
    check alone-linearizable-is-refused exit_and_text 8 'latest state cannot be known' keizoku list system --read linearizable
    check alone-it-warns expect_text '[warning] no quorum' keizoku list system
    check alone-it-warns-in-japanese expect_text '最終リーダ交信' keizoku list system --lang ja
    check alone-it-is-too-old wait_until "$WAIT" expect_exit 7 keizoku list system --max-age 1s
    check alone-status-names-the-dead expect_text 'node main does not answer' keizoku status
    lab kill remote >/dev/null
    check all-are-named expect_equal 3 "$(keizoku list system 2>&1 | grep -o 'TCP: connection refused' | wc -l)"
}

lab_begin --nodes 3
check the-sample keizoku apply -q -f "$REPO/deploy/sample/"
put_site echo begin
test_read_modes
test_ages
test_unreachable
test_outputs
test_round_trip
test_languages
test_completion
test_alone
finish
