#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A backup of a real cluster: saved while writes go on, refused when anything about it is wrong, killed at every point,
# and restored on a fresh node of a new cluster after everything was wiped: same state hash, same records.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

KEYS=$WORK/keys STORE=$WORK/backups NEW=$WORK/new
FILE=$WORK/one.kzb

make_keys() {
    mkdir -p "$STORE" "$NEW"
    keizoku-ca backup-key --out "$KEYS" >/dev/null && keizoku-ca backup-key --out "$WORK/other" >/dev/null &&
        KEIZOKU_CA_DIR="$LAB/ca" keizoku-ca issue user keeper --role backup --out "$LAB/users" >/dev/null
}

as_keeper() { KEIZOKU_CERT=$LAB/users/keeper.pem KEIZOKU_KEY=$LAB/users/keeper.key "$@"; }
save() { as_keeper keizoku snapshot save --recipient "$KEYS/backup.pub" "$@"; }
verify() { keizoku snapshot verify "$1" --backup-key "$KEYS/backup.key" "${@:2}"; }
restore() { # FILE DIR [OPTION…]
    keizoku snapshot restore "$1" --backup-key "$KEYS/backup.key" --data "$2" --cluster fresh --node-name first \
        --node-id 1 --address "127.0.0.1:$PORT" "${@:3}"
}

# --- saving -----------------------------------------------------------------------------------------------------

key_is_private() { expect_equal 600 "$(stat -c %a "$KEYS/backup.key")"; }

saves_what_status_shows() {
    local try index hash
    for try in 1 2 3 4 5; do # a beacon moves the index every ten seconds
        rm -f "$FILE"
        save -q -f "$FILE" >/dev/null || return 1
        index=$(keizoku snapshot list "$WORK" -o json | json items.0.index)
        hash=$(keizoku snapshot list "$WORK" -o json | json items.0.state_hash)
        [ "$index $hash" != "$(state_of "$(keizoku snapshot list "$WORK" -o json | json items.0.node)")" ] || return 0
    done
    echo "never at the same index after $try tries"
    return 1
}

saves_under_writes() {
    local writer status
    (while :; do put_site busy "now $RANDOM" || exit 1; done) &
    writer=$!
    save -q -f "$WORK/busy.kzb" >/dev/null && verify "$WORK/busy.kzb" -q >/dev/null
    status=$?
    kill "$writer" 2>/dev/null
    wait "$writer" 2>/dev/null
    return "$status"
}

generations_are_kept() {
    local n
    for n in 1 2 3 4; do
        save -q --dir "$STORE" --keep 2 >/dev/null || return 1
        sleep 1.1 # the name holds the second
    done
    expect_equal 2 "$(find "$STORE" -name '*.kzb' | wc -l)"
}

result_is_noted() {
    save -q --dir "$STORE" --record juki-db-ichiji >/dev/null || return 1
    expect_equal SUCCESS "$(field_of backup juki-db-ichiji last_result)" &&
        expect_equal "$(sha256sum <"$STORE/$(field_of backup juki-db-ichiji last_file)" | cut -d' ' -f1)" \
            "$(field_of backup juki-db-ichiji last_sha256)"
}

failure_is_noted() {
    touch "$WORK/taken.kzb"
    save -q -f "$WORK/taken.kzb" --record juki-db-ichiji >/dev/null 2>&1 && return 1
    rm -f "$WORK/taken.kzb"
    expect_equal FAILED "$(field_of backup juki-db-ichiji last_result)"
}

keeper_writes_nothing_else() { site_record keeper no | as_keeper expect_exit 5 keizoku apply -f -; }
reader_saves_nothing() {
    KEIZOKU_CERT=$LAB/users/duty.pem KEIZOKU_KEY=$LAB/users/duty.key \
        expect_exit 5 keizoku snapshot save --recipient "$KEYS/backup.pub" -f "$WORK/no.kzb"
}

# --- refusals ---------------------------------------------------------------------------------------------------

refused() { # TEXT COMMAND…
    local wanted=$1 out
    shift
    out=$("$@" 2>&1) && {
        echo "it was accepted"
        return 1
    }
    case "$out" in *"$wanted"*"do: "*) return 0 ;; esac
    printf 'no "%s" with a way out in: %s\n' "$wanted" "$out"
    return 1
}

damaged() { # NAME SHELL-COMMANDS: a copy, changed
    cp "$FILE" "$WORK/$1.bad"
    (cd "$WORK" && eval "$2")
}

flip() { printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; } # FILE OFFSET

test_refusals() {
    local size
    size=$(stat -c %s "$FILE")
    damaged head "flip head.bad 100"
    damaged content "flip content.bad $((size - 100))"
    damaged cut "truncate -s $((size - 1)) cut.bad"
    damaged longer "printf x >>longer.bad"
    damaged newer "printf '\\002' | dd of=newer.bad bs=1 seek=11 conv=notrunc status=none"
    check a-changed-manifest-is-refused refused 'not the one that was signed' verify "$WORK/head.bad"
    check a-changed-content-is-refused refused 'not what was signed' verify "$WORK/content.bad"
    check a-cut-file-is-refused refused 'cut short' verify "$WORK/cut.bad"
    check added-bytes-are-refused refused 'bytes were added' verify "$WORK/longer.bad"
    check a-newer-version-is-refused refused 'format version' verify "$WORK/newer.bad"
    check a-wrong-key-is-refused refused 'does not open it' keizoku snapshot verify "$FILE" --backup-key "$WORK/other/backup.key"
    check a-public-key-does-not-open refused 'only encrypts' keizoku snapshot verify "$FILE" --backup-key "$KEYS/backup.pub"
    KEIZOKU_CA_DIR="$WORK/foreign" keizoku-ca init --cluster lab >/dev/null
    check a-foreign-signature-is-refused refused 'not of the CA' verify "$FILE" --ca "$WORK/foreign/ca.pem" --crl ''
    check the-same-cluster-id-is-refused refused 'id of its own' keizoku snapshot restore "$FILE" --backup-key \
        "$KEYS/backup.key" --data "$NEW/same" --cluster lab --node-name a --node-id 1 --address h:1
    check a-refused-backup-makes-no-folder expect_equal '' "$(ls "$NEW")"
}

# --- killed -----------------------------------------------------------------------------------------------------

killed_saves_leave_no_backup() {
    local point n=0
    for point in $("$KEIZOKU_BUILD/node/keizokud" --failpoints | grep '^backup\.'); do
        n=$((n + 1))
        KEIZOKU_FAILPOINT=$point expect_exit 137 save -q -f "$WORK/killed-$n.kzb" || return 1
        if [ "$point" = backup.renamed ]; then
            verify "$WORK/killed-$n.kzb" -q >/dev/null || return 1
        else
            [ ! -e "$WORK/killed-$n.kzb" ] || return 1
            save -q -f "$WORK/killed-$n.kzb" >/dev/null || return 1 # takes the part file over
        fi
    done
    [ "$n" -ge 5 ] && expect_equal '' "$(find "$WORK" -name '*.partial')"
}

killed_restores_start_nowhere() {
    local point n=0
    for point in $("$KEIZOKU_BUILD/node/keizokud" --failpoints | grep '^restore\.'); do
        n=$((n + 1))
        KEIZOKU_FAILPOINT=$point expect_exit 137 restore "$FILE" "$WORK/half-$n" || return 1
        if [ "$point" = restore.renamed ]; then continue; fi # the rename was the last step: it is whole
        [ ! -e "$WORK/half-$n/data.mdb" ] || return 1
        restore "$FILE" "$WORK/half-$n" >/dev/null || return 1
    done
    [ "$n" -ge 6 ]
}

# --- restoring --------------------------------------------------------------------------------------------------

start_fresh() {
    export KEIZOKU_CA_DIR="$NEW/ca"
    keizoku-ca init --cluster fresh >/dev/null
    keizoku-ca issue node first --address 127.0.0.1 --out "$NEW/tls" >/dev/null
    keizoku-ca issue user officer --role operator --out "$NEW/users" >/dev/null
    printf '[node]\nname=first\nid=1\nlisten=127.0.0.1:%s\ndata=data\n[cluster]\nid=fresh\n[tls]\ncert=tls/first.pem\nkey=tls/first.key\nca=tls/ca.pem\ncrl=tls/crl.pem\n[raft]\nelection_timeout=500ms\nheartbeat=100ms\n[store]\nmap_size=1GiB\nreserve=16MiB\n[peer.first]\nid=1\naddress=127.0.0.1:%s\n' \
        "$PORT" "$PORT" >"$NEW/keizokud.conf"
    "$KEIZOKU_BUILD/node/keizokud" --config "$NEW/keizokud.conf" >"$WORK/fresh.log" 2>&1 &
    FRESH_PID=$!
    export KEIZOKU_NODE="first=127.0.0.1:$PORT" KEIZOKU_CERT="$NEW/users/officer.pem" \
        KEIZOKU_KEY="$NEW/users/officer.key" KEIZOKU_CA="$NEW/users/ca.pem" KEIZOKU_CRL="$NEW/users/crl.pem"
}

all_records() {
    local kind
    for kind in org contact system function runbook backup site; do
        keizoku list "$kind" -o json --retired 2>/dev/null | json items
    done | sha256sum
}

same_state_hash() {
    expect_equal "$(keizoku snapshot list "$WORK" -o json | json items.0.state_hash)" \
        "$(printf '%s' "$RESTORED" | json items.0.state_hash)"
}

same_records_hash() {
    expect_equal "$(keizoku snapshot list "$WORK" -o json | json items.0.records_hash)" \
        "$(keizoku status -o json | json records_hash)"
}

test_restore() {
    local before history
    before=$(all_records)
    history=$(changes_of backup juki-db-ichiji)
    rm -f "$FILE"
    check the-last-backup-is-saved save -q -f "$FILE"
    # shellcheck disable=SC2046 # names are words
    kill_sites $(site_names)
    rm -rf "$LAB"/*/data
    RESTORED=$(restore "$FILE" "$NEW/data" -o json 2>/dev/null)
    check restored-it-names-the-same-state same_state_hash
    check a-folder-with-data-is-refused refused 'not empty' restore "$FILE" "$NEW/data"
    start_fresh
    check the-new-cluster-has-a-leader wait_until "$WAIT" leader
    check it-holds-the-same-records same_records_hash
    check all-records-are-there expect_equal "$before" "$(all_records)"
    check their-history-is-there expect_equal "$history" "$(changes_of backup juki-db-ichiji)"
    check it-is-written-to put_site fresh fresh
    kill "$FRESH_PID"
    wait "$FRESH_PID" 2>/dev/null
}

schedule_is_accepted() {
    as_keeper keizoku snapshot schedule --dir "$STORE" --recipient "$KEYS/backup.pub" --keep 7d,4w,12m --units "$WORK" -q || return 1
    command -v systemd-analyze >/dev/null || return 0
    systemd-analyze verify "$WORK/keizoku-backup.service" "$WORK/keizoku-backup.timer"
}

lab_begin --nodes 3
PORT=$(free-ports 1)
check the-sample-is-applied keizoku apply -q -f "$REPO/deploy/sample/"
check keys-are-made make_keys
check the-private-key-is-private key_is_private
check a-backup-holds-what-status-shows saves_what_status_shows
check it-restores-to-a-scratch-copy verify "$FILE"
check nothing-is-overwritten refused 'never overwritten' save -f "$FILE"
check it-is-whole-while-writes-go-on saves_under_writes
check generations-are-kept generations_are_kept
check the-result-is-noted result_is_noted
check a-failure-is-noted failure_is_noted
check the-keeper-writes-nothing-else keeper_writes_nothing_else
check a-reader-saves-nothing reader_saves_nothing
check the-schedule-is-accepted schedule_is_accepted
test_refusals
check killed-saves-leave-no-backup killed_saves_leave_no_backup
check killed-restores-start-nowhere killed_restores_start_nowhere
test_restore
finish
