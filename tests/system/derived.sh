#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is derived from a whole ministry on three real nodes: a made-up registry is taken in part by part, and asked what
# needs what, what falls, whom to call, also as of the past.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

SYSTEMS=60
CONTACTS=80

made() { # DIR
    keizoku-sample --systems "$SYSTEMS" --contacts "$CONTACTS" --seed 7 --out "$1"
}

apply_all() { # DIR
    local file
    for file in "$1"/*.yaml; do keizoku apply -q -f "$file" --split >/dev/null || return 1; done
}

# says TEXT EXIT COMMAND…
says() {
    local wanted=$2
    expect_text "$1" "${@:3}" && expect_exit "$wanted" "${@:3}"
}

in_order() { keizoku system order -o json | json 'items.*.system'; }

test_a_made_up_ministry() {
    made "$WORK/data"
    check it-is-not-written-over says 'it is there already' 1 made "$WORK/data"
    check every-part-is-taken-in apply_all "$WORK/data"
    check all-systems-are-there expect_equal "$SYSTEMS" "$(count_of system)"
    check all-contacts-are-there expect_equal "$CONTACTS" "$(count_of contact)"
    check the-network-comes-first expect_equal kikan-network "$(in_order | head -1)"
    check everything-is-in-the-order expect_equal "$SYSTEMS" "$(in_order | wc -l)"
}

test_what_needs_what() {
    check what-the-platform-needs expect_text kikan-network keizoku system deps ninsho-kiban
    check as-a-graph expect_text '"ninsho-kiban" -> "kikan-network"' keizoku system deps ninsho-kiban -o dot
    check the-nearest-name says 'did you mean ninsho-kiban?' 3 keizoku system deps ninsho-kibn
    check the-main-site-switches expect_text 'switches over' keizoku site impact honchosha
    check the-same-by-area expect_equal "$(keizoku site impact honchosha -o csv | tail -n +2)" \
        "$(keizoku site impact --area '首都直下（見本）' -o csv | tail -n +2)"
    check areas-are-named says '内陸北部（見本）' 3 keizoku site impact --area 東京
    check a-vendor expect_text madoguchi-1 keizoku org impact itaku-1
}

test_whom_to_call() {
    check by-day expect_text 'office phone' keizoku role who csirt --at 2026-01-13T10:00
    check on-a-holiday expect_text 'mobile phone' keizoku role who csirt --at 2026-01-12T10:00
    check the-holiday-is-named expect_text '成人の日' keizoku role who csirt --at 2026-01-12T10:00 --lang ja
    check the-call-tree expect_text 'role/network-fukkyu' keizoku contact tree zencho
}

test_the_past() {
    local before
    before=$(rev_now)
    keizoku retire system ninsho-kiban --force -q
    check it-is-gone-now says 'there is no system ninsho-kiban' 3 keizoku system deps ninsho-kiban
    check it-was-there-then expect_text 職員認証基盤 keizoku system deps ninsho-kiban --as-of "$before"
    check the-order-of-then expect_equal "$SYSTEMS" \
        "$(keizoku system order --as-of "$before" -o json 2>/dev/null | json 'items.#')"
}

lab_begin --nodes 3
test_a_made_up_ministry
test_what_needs_what
test_whom_to_call
test_the_past
finish
