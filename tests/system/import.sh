#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tables from Excel and back: bad cells by address and nothing imported, every kind and form without loss, what both
# sides changed, the municipal forms, too many at once.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

MANY=1200 # more than one transaction may hold

kinds() { basename -s .csv "$1"/*.csv; } # FOLDER
to_cp932() { iconv -f UTF-8 -t CP932; }

# says STATUS TEXT COMMAND…: the status, and a line that matches
says() {
    local status=0 wanted=$1 text=$2
    shift 2
    "$@" >"$WORK/out" 2>&1 </dev/null || status=$?
    if [ "$status" != "$wanted" ] || ! grep -qE -- "$text" "$WORK/out"; then
        printf 'exit %s, not %s, or no "%s" in: %s\n' "$status" "$wanted" "$text" "$(head -c 800 "$WORK/out")"
        return 1
    fi
}

refused() { # STATUS TEXT COMMAND…: and nothing changed
    local before
    before=$(rev_now)
    says "$@" && expect_equal "$before" "$(rev_now)"
}

unchanged() { says 0 'nothing to change' keizoku import csv "$1" --kind "$2"; } # FILE KIND

# ---- as Excel writes it ----

# Three contacts; the first phone, the second division and the third review are given.
contacts() { # PHONE DIVISION DATE
    printf '識別子,氏名,所属,連絡手段[1].手段,連絡手段[1].番号・アドレス,次回見直し\r\n'
    printf 'mihon-1,見本 一郎,情報システム課,携帯電話,%s,2027/1/17\r\n' "$1"
    printf 'mihon-2,﨑山 ①子,%s,職場電話,０３ー００００ー０００２,45674\r\n' "$2"
    printf 'mihon-3,見本 三郎,危機管理課,メール,saburo@example.jp,%s\r\n' "$3"
}

exactly_two_bad_cells() {
    refused 9 'bad\.csv:E2: .*phone' keizoku import csv "$WORK/bad.csv" --kind contact || return 1
    grep -q 'bad\.csv:C3: .*存在しない課' "$WORK/out" || return 1
    expect_equal 2 "$(grep -c 'bad\.csv:[A-Z]*[0-9]' "$WORK/out")"
}

test_excel() {
    contacts 090-0000-00O1 存在しない課 令和9年1月17日 | to_cp932 >"$WORK/bad.csv"
    contacts 090-0000-0001 情報システム課 令和9年1月17日 | to_cp932 >"$WORK/good.csv"
    check exactly-the-two-bad-cells-are-told-and-nothing-is-imported exactly_two_bad_cells
    check none-of-them-is-there expect_exit 3 keizoku get contact mihon-3
    check a-dry-run-shows-each-difference refused 0 'review_due: .* -> 2027-01-17' keizoku import csv "$WORK/good.csv" --kind contact --dry-run
    check corrected-everything-is-imported says 0 '3 changed' keizoku import csv "$WORK/good.csv" --kind contact
    check the-era-was-understood expect_equal 2027-01-17 "$(field_of contact mihon-3 review_due)"
    check the-serial-was-understood expect_equal 2025-01-17 "$(field_of contact mihon-2 review_due)"
    check the-dashes-were-understood expect_equal 03-0000-0002 "$(field_of contact mihon-2 channels.0.value)"
    check the-division-was-found-by-name expect_equal joho-system "$(field_of contact mihon-1 org)"
    check characters-of-windows-are-kept expect_equal '﨑山 ①子' "$(field_of contact mihon-2 name)"
    check again-there-is-nothing-to-do unchanged "$WORK/good.csv" contact
}

# ---- there and back ----

all_come_back() { # FOLDER
    local kind
    [ "$(kinds "$1" | wc -l)" -ge 19 ] || return 1
    for kind in $(kinds "$1"); do unchanged "$1/$kind.csv" "$kind" || return 1; done
}

test_forms() {
    local encoding form
    for encoding in utf8-bom utf8 utf16; do
        check "csv-$encoding-comes-back" eval "keizoku export csv -q --dir '$WORK/$encoding' --encoding $encoding && all_come_back '$WORK/$encoding'"
    done
    check csv-in-japanese-comes-back eval "keizoku export csv -q --dir '$WORK/ja' --lang ja && all_come_back '$WORK/ja'"
    check csv-has-a-bom expect_equal 'efbbbf' "$(head -c 3 "$WORK/ja/site.csv" | od -An -tx1 | tr -d ' ')"
    for form in json yaml; do
        keizoku export "$form" -f "$WORK/all.$form" 2>/dev/null
        check "$form-comes-back" says 0 '(^|[^0-9])0 would change|would change: 0|0 changed|changed: 0' keizoku apply --dry-run -f "$WORK/all.$form"
    done
    check only-its-owner-may-read-it expect_equal 600 "$(stat -c %a "$WORK/all.json")"
    check events-are-not-imported refused 9 'append|event' keizoku import csv "$WORK/utf8/site.csv" --kind incident
    check csv-of-many-kinds-needs-a-folder refused 2 'one with --kind' keizoku export csv
}

test_xlsx() {
    mkdir -p "$WORK/xlsx" "$WORK/xlsx-ja"
    check xlsx-is-written keizoku export xlsx -q -f "$WORK/all.xlsx"
    "$REPO/tests/lib/xlsx2csv" "$WORK/all.xlsx" "$WORK/xlsx" >"$WORK/sheets"
    check a-sheet-per-kind expect_equal 19 "$(wc -l <"$WORK/sheets")"
    check headers-are-frozen-and-revisions-hidden expect_equal 19 "$(grep -c 'frozen=yes hidden=2 ' "$WORK/sheets")"
    check choices-drop-down grep -qE '^contact .* drop-downs=[6-9] ' "$WORK/sheets"
    check phones-are-text grep -qE '^contact .* text=[2-9][0-9]' "$WORK/sheets"
    check a-workbook-is-refused-with-what-to-do refused 9 'CSV UTF-8' keizoku import csv "$WORK/all.xlsx" --kind contact
    check xlsx-saved-as-csv-comes-back all_come_back "$WORK/xlsx"
    keizoku export xlsx -q -f "$WORK/ja.xlsx" --kind 連絡先 --lang ja
    "$REPO/tests/lib/xlsx2csv" "$WORK/ja.xlsx" "$WORK/xlsx-ja" >/dev/null
    check in-japanese-too unchanged "$WORK/xlsx-ja/連絡先.csv" contact
}

# ---- two people at once ----

server_changes() { # ID FIELD VALUE
    keizoku get contact "$1" -o yaml >"$WORK/one.yaml"
    sed -i "/^$2:/d" "$WORK/one.yaml"
    printf '%s: %s\n' "$2" "$3" >>"$WORK/one.yaml"
    keizoku apply -q -f "$WORK/one.yaml" >/dev/null
}

test_merge() {
    keizoku export csv -q --kind contact --encoding utf8 -f "$WORK/edit.csv"
    sed -i 's/見本 三郎/見本 三四郎/; s/見本 一郎/見本 一太郎/' "$WORK/edit.csv"
    server_changes mihon-3 title 課長
    server_changes mihon-1 name '見本 市朗'
    check what-both-changed-is-told-by-cell refused 4 'edit\.csv:C[0-9]+: .*一太郎.*市朗.*一郎' keizoku import csv "$WORK/edit.csv" --kind contact
    check and-only-that expect_equal 1 "$(grep -c 'edit\.csv:[A-Z]*[0-9]' "$WORK/out")"
    check the-server-is-taken-when-told-so says 0 '1 changed' keizoku import csv "$WORK/edit.csv" --kind contact --take server
    check theirs-stays expect_equal '見本 市朗' "$(field_of contact mihon-1 name)"
    check ours-is-merged-into-theirs expect_equal '見本 三四郎 課長' "$(field_of contact mihon-3 name) $(field_of contact mihon-3 title)"
    check the-file-is-taken-when-told-so says 0 '1 changed' keizoku import csv "$WORK/edit.csv" --kind contact --take file
    check ours-stands expect_equal '見本 一太郎' "$(field_of contact mihon-1 name)"
    REV=$(rev_now)
    keizoku export csv -q --kind contact --encoding utf8 -f "$WORK/then.csv"
    server_changes mihon-2 title 係長
    check the-past-is-exported-as-it-was eval "keizoku export csv -q --kind contact --encoding utf8 --as-of $REV | cmp - '$WORK/then.csv'"
    cut -d, -f1,3 "$WORK/then.csv" | sed 's/﨑山 ①子/﨑山 ②子/' >"$WORK/norev.csv"
    check a-file-without-revisions-is-merged-by-base-rev says 0 '1 changed' keizoku import csv "$WORK/norev.csv" --kind contact --base-rev "$REV"
    check and-the-other-change-stays expect_equal '﨑山 ②子 係長' "$(field_of contact mihon-2 name) $(field_of contact mihon-2 title)"
    keizoku retire contact mihon-3 -q >/dev/null
    check a-record-retired-meanwhile-is-a-conflict refused 4 'edit\.csv:A[0-9]+: .*retired' keizoku import csv "$WORK/edit.csv" --kind contact
}

# ---- CP932 cannot hold everything ----

test_cp932() {
    server_changes mihon-1 note '𠮷野さん'
    check a-character-outside-is-refused-by-cell refused 9 '<stdout>:[A-Z]+[0-9]+: .*mihon-1.*𠮷.*CP932' keizoku export csv --kind contact --encoding cp932
    check no-file-is-left eval "! keizoku export csv -q --kind contact --encoding cp932 -f '$WORK/x.csv' 2>/dev/null && [ ! -e '$WORK/x.csv' ]"
    server_changes mihon-1 note '=1+1 〜 −'
    check others-are-written keizoku export csv -q --kind org --encoding cp932 -f "$WORK/org.csv"
    check and-come-back unchanged "$WORK/org.csv" org
    check a-formula-is-neutral grep -q "'=1+1" <(keizoku export csv --kind contact --encoding utf8)
}

# ---- other people's tables ----

municipal() { # CSV MAPPING TEXT
    says 0 "$3" keizoku import csv "$REPO/deploy/sample/import/$1" --mapping "$REPO/deploy/sample/import/$2"
}

test_municipal() {
    check the-survey-form-is-read municipal hyo29.csv hyo29.yaml '2 changed'
    check its-division-is-found expect_equal shokuin "$(field_of system chosa-01 owner)"
    check the-inventory-adds-to-systems municipal tanaoroshi.csv tanaoroshi-system.yaml '2 changed'
    check the-inventory-makes-backups municipal tanaoroshi.csv tanaoroshi-backup.yaml '1 changed'
    check its-words-are-translated expect_equal 30d "$(field_of backup tanaoroshi-chosa-01 interval)"
    check again-there-is-nothing-new municipal hyo29.csv hyo29.yaml '(nothing to change|changed)'
}

# ---- too many at once, and files that are none ----

test_broken() {
    : >"$WORK/empty.csv"
    check an-empty-file-is-refused refused 9 'empty\.csv:A1: ' keizoku import csv "$WORK/empty.csv" --kind site
    head -c 20000 "$KEIZOKU_BUILD/client/keizoku" >"$WORK/noise.csv"
    check noise-is-refused refused 9 'noise\.csv:[A-Z]+[0-9]+: ' keizoku import csv "$WORK/noise.csv" --kind site
    printf 'id,name,role\nx,"open\n' >"$WORK/open.csv"
    check an-open-quote-is-refused refused 9 'open\.csv:B2: ' keizoku import csv "$WORK/open.csv" --kind site
    check a-missing-file-is-refused refused 2 'nowhere' keizoku import csv "$WORK/nowhere.csv" --kind site
    check an-unknown-kind-is-refused refused 2 'no such kind' keizoku import csv "$WORK/open.csv" --kind nothing
    sed -i 's/拠点/場所/' "$WORK/many.csv"
    use_user auditor
    check who-may-only-read-imports-nothing refused 5 'role' keizoku import csv "$WORK/many.csv" --kind site --split
    use_user officer
}

test_many() {
    {
        printf 'id,name,role\n'
        seq -f 'many-%04g,拠点,OTHER' "$MANY"
    } >"$WORK/many.csv"
    check too-many-are-refused-with-what-to-do refused 9 '--split' keizoku import csv "$WORK/many.csv" --kind site
    check with-split-they-are-imported keizoku import csv -q "$WORK/many.csv" --kind site --split
    check all-of-them unchanged "$WORK/many.csv" site
    check equal-on-all-nodes wait_until "$WAIT" all_equal
}

lab_begin --nodes 3
wait_leader >/dev/null
keizoku apply -q -f "$REPO/deploy/sample/" >/dev/null || not_ok sample "the sample was not applied"
keizoku blob put renrakuhyo "$REPO/deploy/sample/files/renrakuhyo.txt" -q >/dev/null || not_ok sample "its attachment was not stored"
test_excel
test_forms
test_xlsx
test_merge
test_cp932
test_municipal
test_many
test_broken
finish
