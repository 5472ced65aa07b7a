#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A watch lives through the death of the node it watches and of the leader, and resumes at any revision: no change is
# missed, doubled or reordered, compared with the history of every record.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"
# shellcheck source=tests/lib/watch.sh
. "$(dirname "$0")/../lib/watch.sh"

RECORDS=20
# What a watch should tell, from the history of each record, in the order of revisions.
history_of_all() { # FROM KIND/ID-PATTERN
    local id n
    for n in $(seq "$RECORDS"); do
        for id in "site w$n" "org o$n"; do
            # shellcheck disable=SC2086 # kind and id
            keizoku history $id -o json 2>/dev/null | json items >"$WORK/one" || continue
            paste -d ' ' <(json '*.rev' <"$WORK/one") <(yes "${id/ //}" | head -n "$(json '#' <"$WORK/one")") <(json '*.op' <"$WORK/one")
        done
    done | awk -v from="$1" '$1 >= from' | grep -E "^[0-9]+ $2 " | sort -n
}

# Creates, changes, verifies and retires sites and, in between, organisations.
write_some() { # FROM TO
    local n
    for n in $(seq "$1" "$2"); do
        put_site "w$n" one || return 1
        printf 'kind: org\nid: o%s\nname: o\ntype: DIVISION\n' "$n" | keizoku apply -q -f - >/dev/null || return 1
        keizoku verify site "w$n" -q >/dev/null || return 1
        put_site "w$n" two || return 1
        [ $((n % 4)) != 0 ] || keizoku retire site "w$n" -q >/dev/null || return 1
    done
}

told_everything() { # NAME FROM PATTERN
    told "$WORK/$1.told" >"$WORK/$1.list"
    history_of_all "$2" "$3" >"$WORK/$1.history"
    [ -s "$WORK/$1.history" ] || return 1
    diff "$WORK/$1.history" "$WORK/$1.list"
}

fail_node() { # SITE NAME FROM TO
    kill_sites "$1"
    check "writes-go-on-without-the-$2" write_some "$3" "$4"
    start_sites "$1"
}

test_fail_over() {
    local last from
    begin_watch all
    begin_watch sites site
    begin_watch one site/w3
    for name in all sites one; do check "watch-of-$name-begins" wait_until "$WAIT" is_connected "$name"; done
    # A watch has no beginning that can be seen but its first change.
    check first-change wait_until "$WAIT" first_is_told
    from=$(($(told "$WORK/sites.told" | head -n 1 | cut -d' ' -f1) + 1))
    check writes write_some 1 4
    fail_node "$(watched_by all)" watched-node 5 8
    fail_node "$(wait_leader)" leader 9 12
    # The watch may have moved on to another node by now.
    fail_node "$(watched_by all)" next-watched-node 13 16
    lab pause "$(watched_by all)" >/dev/null
    check writes-go-on-beside-a-paused-node write_some 17 "$RECORDS"
    lab resume all >/dev/null 2>&1
    last=$(keizoku list site -o json | json meta.rev)
    put_site end end
    for name in all sites; do check "watch-of-$name-tells-the-last" wait_until "$WAIT" has_told "$name" $((last + 1)); done
    check watch-tells-every-change-once-in-order told_everything_but_marks all "$from" '[a-z]+/[wo][0-9]+'
    check watch-of-a-kind-tells-its-changes told_everything_but_marks sites "$from" 'site/w[0-9]+'
    check watch-of-a-record-tells-its-changes told_everything one "$from" 'site/w3'
}

# The sites that mark begin and end are no part of the history compared.
told_everything_but_marks() {
    sed -i '/"id":"\(begin\|end\)"/d' "$WORK/$1.told"
    told_everything "$@"
}

first_is_told() {
    put_site begin "$RANDOM" && [ -s "$WORK/all.told" ] && [ -s "$WORK/sites.told" ]
}

test_resume() {
    local from lines
    from=$(sed -n 20p "$WORK/all.list" | cut -d' ' -f1)
    lines=$(($(wc -l <"$WORK/all.list") - 19))
    check from-a-revision-on-all-is-told watch_lines "$WORK/again.told" $((lines + 1)) --from "$from"
    check from-a-revision-on-it-is-the-same expect_equal "$(tail -n +20 "$WORK/all.list")" "$(told "$WORK/again.told" | grep -v ' site/end ')"
}

# One line is all that is read, and no change follows that would show the watch that its reader is gone.
test_reader_leaves() {
    check a-watch-ends-with-its-reader timeout "$WAIT" bash -c 'keizoku watch site/w1 --from 1 | head -n 1'
}

lab_begin --nodes 3
export KEIZOKU_TIMEOUT=60s
test_fail_over
test_resume
test_reader_leaves
end_watches
finish
