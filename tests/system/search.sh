#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Search at any node: through a follower what was just written, by a snapshot what a node missed, alone after a restart.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

# KIND/ID of what is found, best first, in one line.
found() {
    local answer i
    answer=$(keizoku search "$@" -o json) || return 1
    for ((i = 0; i < $(printf '%s' "$answer" | json 'items.#'); i++)); do
        printf '%s/%s ' "$(printf '%s' "$answer" | json "items.$i.kind")" "$(printf '%s' "$answer" | json "items.$i.id")"
    done
}

finds() { # WANTED SEARCH-ARGUMENTS…
    local wanted=$1
    shift
    expect_equal "$wanted" "$(found "$@" 2>/dev/null)"
}

put_contact() { # ID NAME KANA PHONE
    printf 'kind: contact\nid: %s\nname: %s\nkana: %s\norg: kiki-kanri\nchannels:\n- type: MOBILE\n  value: %s\n' "$@" |
        keizoku apply -q -f - >/dev/null
}

rewinds() { # REV
    keizoku undo --to "$1" --kind contact --confirm "$(keizoku status -o json | json meta.cluster)" -q >/dev/null
}

lab_begin --nodes 3
keizoku apply -q -f "$REPO/deploy/sample" >/dev/null 2>&1
mapfile -t others < <(followers "$(wait_leader)")
FOLLOWER=${others[0]}
OTHER=${others[1]}
before=$(rev_now)

check 'a-contact-is-put' put_contact tsuji '﨑田 髙志' 'サキタ タカシ' '０９０－７７７７－１２３４'
check 'a-follower-finds-it-at-once-by-its-name' at "$FOLLOWER" finds 'contact/tsuji ' 崎田 高志 --read linearizable
check 'by-its-kana-typed-half-width' at "$FOLLOWER" finds 'contact/tsuji ' ｻｷﾀ
check 'by-a-part-of-its-number' at "$FOLLOWER" finds 'contact/tsuji ' 7777-12
check 'by-words-of-several-fields' at "$FOLLOWER" finds 'contact/tsuji ' 崎 0907777 さき
check 'of-another-kind-it-is-not-found' at "$FOLLOWER" finds '' 崎田 --kind system
check 'the-field-is-told-in-japanese' expect_text '連絡手段 1 / 番号・アドレス' keizoku search 77771234 --lang ja
check 'the-field-is-told-in-english' expect_text 'channels 1 / number or address' keizoku search 77771234 --lang en
check 'more-than-fits-is-said' expect_text 'shown, the best first' keizoku search 0 --lang en
check 'nothing-is-said-to-be-nothing' expect_text 'nothing found' keizoku search 該当しないはずの語 --lang en
check 'no-word-is-an-error' expect_exit 9 keizoku search ー
check 'an-unknown-kind-is-an-error' expect_exit 2 keizoku search 崎田 --kind nonsense

keizoku retire contact tsuji -q >/dev/null
check 'retired-it-is-not-found' at "$FOLLOWER" finds '' 崎田 --read linearizable
check 'unless-asked-for' at "$FOLLOWER" finds 'contact/tsuji ' 崎田 --retired --read linearizable
check 'a-rewind-is-followed' put_contact tsuji '塔田 一' 'トウダ' 03-1
check 'undo' rewinds "$before"
check 'after-the-undo-it-is-not-found' at "$FOLLOWER" finds '' 塔田 --read linearizable

index_of() { at "$1" keizoku status -o json --read local | json "$2"; } # SITE PATH
compacted_beyond() { # INDEX
    put_site spare "before compaction" && [ "$(index_of "$FOLLOWER" first_index)" -gt "$1" ]
}
last_name() { put_site spare 'the last name'; }

# One that was away gets a snapshot, because the log it needs is gone.
set_raft compact_entries=100
end=$(index_of "$OTHER" last_index)
kill_sites "$OTHER"
check 'the-log-is-compacted' wait_until 60 compacted_beyond "$end"
check 'a-name-changes' last_name
check 'meanwhile-a-contact-is-put' put_contact asai '浅井' 'アサイ' 03-8888-0001
start_sites "$OTHER"
check 'the-node-that-was-away-is-equal-again' wait_until "$WAIT" all_equal
check 'by-a-snapshot' test "$(index_of "$OTHER" first_index)" -gt "$end"
check 'it-finds-what-it-missed' at "$OTHER" finds 'contact/asai ' 88880001 --read linearizable
check 'and-what-changed-since' at "$OTHER" finds '' 'before compaction'
check 'by-its-last-text' at "$OTHER" finds 'site/spare ' 'the last name' --kind site

# A lone survivor, right after its start.
mapfile -t dead < <(site_names | grep -vx "$OTHER")
kill_sites "${dead[@]}" "$OTHER"
start_sites "$OTHER"
alone_finds() {
    keizoku search あさい 浅 -o json 2>"$WORK/banner" >"$WORK/found" || return 1
    expect_equal "local $OTHER asai" "$(json meta.read <"$WORK/found") $(json meta.node <"$WORK/found") $(json items.0.id <"$WORK/found")"
}
check 'a-lone-survivor-finds-right-after-its-start' alone_finds
check 'and-warns' grep -q 'no quorum' "$WORK/banner"
finish
