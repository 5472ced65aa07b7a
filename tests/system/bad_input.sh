#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bad input of every sort: one clear error with its place, the right exit code, nothing half-applied. Configuration
# with file, line and allowed range. Garbage on a node's port leaves the node serving, in bounded memory.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

GARBAGE_CONNECTIONS=30
GROWTH_KIB=$((32 * 1024)) # what a node may grow by under garbage
SANITIZED_TIMES=8         # allocators of the sanitizers keep what is freed

# says STATUS TEXT COMMAND…: the status, TEXT in one of the lines, nothing written
says() {
    local status=0 wanted=$1 text=$2
    shift 2
    "$@" >"$WORK/out" 2>"$WORK/err" </dev/null || status=$?
    if [ "$status" != "$wanted" ] || ! grep -qE -- "$text" "$WORK/err"; then
        printf 'exit %s, not %s, or no "%s" in: %s\n' "$status" "$wanted" "$text" "$(head -c 600 "$WORK/err")"
        return 1
    fi
    expect_equal "$REV" "$(rev_now)"
}

# Writes the standard input to FILE and applies it. file_says FILE STATUS TEXT
file_says() {
    cat >"$WORK/$1"
    says "$2" "$3" keizoku apply -f "$WORK/$1"
}

letters() { head -c "$1" /dev/zero | tr '\0' a; } # COUNT
site() { printf 'kind: site\nid: bad\nname: %s\nrole: OTHER\n' "${1:-bad}"; }

test_syntax() {
    check yaml-not-closed file_says a.yaml 9 'a\.yaml:[45]:[0-9]+: not valid YAML' < <(printf 'kind: site\nid: bad\nhazards: [\nrole: OTHER\n')
    check yaml-tab file_says b.yaml 9 'b\.yaml:2:1: not valid YAML' < <(printf 'kind: site\n\tid: bad\n')
    check yaml-second-document file_says c.yaml 9 'c\.yaml:[67]:[0-9]+: ' < <(site; printf -- '---\nkind: site\nid: "x\n')
    check yaml-anchor-bomb file_says bomb.yaml 9 'bomb\.yaml:[0-9]+:[0-9]+: ' < <(bomb)
    check yaml-too-deep file_says deep.yaml 9 'deep\.yaml:[0-9]+:[0-9]+: ' < <(printf 'kind: site\nid: bad\nname: '; head -c 20000 /dev/zero | tr '\0' '[')
    check json-stray-comma file_says d.json 9 'd\.json:2:[0-9]+: not valid JSON' < <(printf '{"kind": "site",\n "id": "bad",,}\n')
    check json-cut-short file_says e.json 9 'e\.json:[0-9]+:[0-9]+: not valid JSON' < <(printf '{"kind": "site", "id": "ba')
    check json-key-twice file_says f.json 9 'f\.json:1:[0-9]+: ' < <(printf '{"kind":"site","id":"bad","name":"a","name":"b","role":"OTHER"}')
    check not-a-record file_says g.yaml 9 'g\.yaml:1:1: a record is a mapping' < <(echo 5)
    check from-standard-input says 9 '<stdin>:2:5: ' bash -c 'printf "kind: site\nid: A B\nname: x\nrole: OTHER\n" | keizoku apply -f -'
    check empty-file file_says empty.yaml 2 'no record' </dev/null
    check missing-file says 2 'nowhere.yaml cannot be read' keizoku apply -f "$WORK/nowhere.yaml"
}

bomb() {
    local n
    echo 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
    for n in 1 2 3 4 5 6 7 8 9; do
        printf 'a%s: &a%s [' "$n" "$n"
        for _ in 1 2 3 4 5 6 7 8; do printf '*a%s, ' $((n - 1)); done
        printf '*a%s]\n' $((n - 1))
    done
}

test_fields() {
    check unknown-field file_says a.yaml 9 'a\.yaml:5:1: .*did you mean disaster_area' < <(site; echo 'disaster_aera: x')
    check unknown-nested-field file_says a.yaml 9 'a\.yaml:6:5: .*did you mean bandwidth_mbps' < <(site; printf 'lines:\n- {bandwith_mbps: 5, carrier: a}\n' | sed 's/- {bandwith_mbps: 5, carrier: a}/  - bandwith_mbps: 5\n    carrier: a/')
    check unknown-kind file_says a.yaml 9 'a\.yaml:1:7: unknown kind sitex; did you mean site' < <(site | sed 's/kind: site/kind: sitex/')
    check not-a-number file_says a.yaml 9 'a\.yaml:6:[0-9]+: .*not a whole number' < <(site; printf 'lines:\n- {bandwidth_mbps: abc, carrier: a}\n')
    check out-of-range file_says a.yaml 9 'a\.yaml:5:[0-9]+: .*1 to 3' < <(site; echo 'confidentiality: 9')
    check not-a-choice file_says a.yaml 9 'OHTER.*MAIN, ALTERNATE' < <(site | sed 's/OTHER/OHTER/')
    check not-a-duration file_says a.yaml 9 'a\.yaml:5:[0-9]+: ' < <(site; echo 'generator: long')
    check not-a-date file_says a.yaml 9 'a\.yaml:5:[0-9]+: ' < <(site; echo 'review_due: 2026-02-30')
    check a-list-for-a-text file_says a.yaml 9 'a\.yaml:5:[0-9]+: ' < <(site; echo 'address: [a, b]')
    check a-text-for-a-list file_says a.yaml 9 'a\.yaml:5:[0-9]+: ' < <(site; echo 'hazards: fire')
    check required-is-missing file_says a.yaml 9 'a\.yaml:1:1: site/bad.name: is required' < <(site | grep -v '^name')
    check bad-id file_says a.yaml 9 'a\.yaml:2:5: .*not an id' < <(site | sed 's/id: bad/id: Bad One/')
    check the-same-record-twice file_says a.yaml 9 'stands twice' < <(site; echo ---; site)
    check every-fault-at-once file_says a.yaml 9 '3 to correct' < <(site | sed 's/OTHER/NOWHERE/'; printf 'generator: long\nfoo: 1\n')
}

test_sizes() {
    check a-text-too-long file_says a.yaml 9 'a\.yaml:5:[0-9]+: site/bad.disaster_area: .*at most 128' < <(site; echo "disaster_area: $(letters 129)")
    check a-kanji-counts-three file_says a.yaml 9 'at most 128' < <(site; printf 'disaster_area: %s\n' "$(yes 東 | head -n 43 | tr -d '\n')")
    check a-record-too-big file_says a.yaml 9 'a\.yaml:[0-9]+:[0-9]+: .*(at most|bigger than)' < <(site; echo "note: $(letters 300000)")
    check an-apply-too-big file_says big.yaml 9 'one transaction holds at most' < <(big)
    check a-text-at-its-limit is_applied < <(site; echo "disaster_area: $(letters 128)")
}

is_applied() { keizoku apply -f - && expect_equal bad "$(field_of site bad name)"; }

big() { # many valid records, together more than a frame
    local n text
    text=$(letters 8000)
    for n in $(seq 200); do printf -- '---\nkind: site\nid: b%s\nname: b\nrole: OTHER\nnote: %s\n' "$n" "$text"; done
}

test_text() {
    check broken-utf8-yaml file_says a.yaml 9 'a\.yaml:3:8: byte 0xFF is not UTF-8' < <(site "$(printf 'a\xff')")
    check broken-utf8-json file_says a.json 9 'a\.json:1:[0-9]+: byte 0xFF is not UTF-8' < <(printf '{"kind":"site","id":"bad","name":"a\xff","role":"OTHER"}')
    check surrogate-is-not-utf8 file_says a.yaml 9 'a\.yaml:3:[0-9]+: .*not UTF-8' < <(site "$(printf 'a\xed\xa0\x80')")
    check control-character file_says a.yaml 9 'a\.yaml:3:[0-9]+: ' < <(printf 'kind: site\nid: bad\nname: "a\\u0007b"\nrole: OTHER\n')
    check random-bytes file_says random.yaml 9 'not UTF-8' < <(head -c 100000 /dev/urandom)
    check shift-jis-is-named file_says sjis.yaml 9 'save the file as UTF-8' < <(site "$(printf '\x96\x7b\x92\xa1')")
}

test_references() {
    check dangling-reference file_says a.yaml 9 'a\.yaml:5:[0-9]+: .*there is no org/nobody' < <(site; echo 'operator: nobody')
    put_site edited one
    put_site edited two
    remember
    check stale-revision file_says a.yaml 4 'changed by officer' < <(site_record edited mine 1)
    check and-shows-the-other-change grep -q 'two -> mine' "$WORK/err"
    check a-revision-of-nothing file_says a.yaml 4 'site/never|another revision|no such record' < <(site_record never mine 5)
}

test_names() {
    check unknown-id says 3 'site/mian' keizoku get site mian
    check near-id-is-suggested grep -q 'did you mean main' "$WORK/err"
    check unknown-id-of-history says 3 'site/mian' keizoku history site mian
    check unknown-id-to-verify says 3 'site/mian' keizoku verify site mian
    check unknown-id-to-retire says 3 'site/mian' keizoku retire site mian
    check unknown-kind-is-suggested says 2 'did you mean system' keizoku list sytem
    check unknown-command-is-suggested says 2 'did you mean list' keizoku lst site
    check unknown-option-is-suggested says 2 'did you mean --output' keizoku list site --outptu json
    check bad-choice says 2 'auto\|linearizable\|local' keizoku list site --read often
    check bad-duration says 2 'max-age' keizoku list site --max-age soon
    check bad-node says 2 'HOST:PORT' keizoku --node nowhere list site
    check missing-argument says 2 'usage: keizoku get' keizoku get site
    check error-in-json expect_equal '"INVALID"' "$(keizoku apply -f "$WORK/sjis.yaml" -o json 2>&1 >/dev/null | grep -o '"INVALID"')"
}

# conf_says SED-EXPRESSION TEXT
conf_says() {
    local status=0
    sed "$1" "$LAB/main/keizokud.conf" >"$LAB/main/bad.conf"
    "$KEIZOKU_BUILD/node/keizokud" --config "$LAB/main/bad.conf" --check >"$WORK/out" 2>&1 || status=$?
    rm "$LAB/main/bad.conf"
    expect_equal 2 "$status" && grep -qE "$2" "$WORK/out" && return 0
    cat "$WORK/out"
    return 1
}

test_configuration() {
    check conf-is-good expect_exit 0 "$KEIZOKU_BUILD/node/keizokud" --config "$LAB/main/keizokud.conf" --check
    check conf-unknown-key conf_says 's/^heartbeat/hartbeat/' 'bad.conf:[0-9]+: unknown key \[raft\] hartbeat; did you mean \[raft\] heartbeat'
    check conf-unknown-section conf_says 's/^\[raft\]/[rft]/' 'bad.conf:[0-9]+: .*did you mean \[raft\]'
    check conf-out-of-range conf_says 's/^heartbeat=.*/heartbeat=5ms/' 'bad.conf:[0-9]+: raft.heartbeat = 5ms is not allowed: give 10ms to 10s'
    check conf-no-unit conf_says 's/^heartbeat=.*/heartbeat=100/' 'bad.conf:[0-9]+: .*10ms to 10s'
    check conf-size conf_says 's/^map_size=.*/map_size=1KiB/' 'bad.conf:[0-9]+: .*give 16MiB to'
    check conf-not-a-number conf_says '0,/^id=/s/^id=.*/id=one/' 'bad.conf:3: node.id = one is not allowed: give 1 to'
    check conf-missing-key conf_says '/^key=/d' 'bad.conf: \[tls\] key is missing'
    check conf-relation conf_says 's/^heartbeat=.*/heartbeat=400ms/' 'at most half of'
    check conf-log-level conf_says 's/^log_level=.*/log_level=loud/' 'error, warn, info or debug'
    check conf-not-a-member conf_says 's/^\[peer.main\]/[peer.other]/' 'peer.main'
    check conf-bad-listen conf_says 's/^listen=.*/listen=nowhere/' 'bad.conf.*listen = nowhere.*host:port'
    check conf-missing-file expect_text 'No such file' "$KEIZOKU_BUILD/node/keizokud" --config "$WORK/nowhere.conf" --check
}

rss_kib() { awk '/^VmRSS:/ { print $2 }' "/proc/$(pid_of_site "$1")/status"; } # SITE
is_sanitized() { grep -qa 'AddressSanitizer\|ThreadSanitizer' "$KEIZOKU_BUILD/node/keizokud"; }

# One connection with the output of the rest of the line; the node ends it when it likes.
throw() { # SITE COMMAND…
    local port
    port=$(address_of "$1")
    shift
    # shellcheck disable=SC2016 # for the inner shell
    timeout 20 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && "$@" >&3' "${port##*:}" "$@" 2>/dev/null
    return 0 # reset is what it deserves
}

record_header() { printf '\x16\x03\x01\x40\x00'; } # a TLS record that promises 16 KiB

test_garbage() {
    local n before allowed=$GROWTH_KIB pids=()
    if is_sanitized; then allowed=$((allowed * SANITIZED_TIMES)); fi
    at main keizoku list site >/dev/null
    before=$(rss_kib main)
    for n in $(seq "$GARBAGE_CONNECTIONS"); do
        throw main head -c 1M /dev/urandom &
        pids+=("$!")
    done
    check served-under-garbage at main keizoku list site
    wait "${pids[@]}"
    throw main printf 'GET / HTTP/1.1\r\nHost: main\r\n\r\n'
    throw main record_header
    throw main head -c 1M /dev/zero
    pids=()
    # Connections that say nothing, held open for a while.
    for n in $(seq "$GARBAGE_CONNECTIONS"); do
        throw main sleep 2 &
        pids+=("$!")
    done
    check served-beside-silent-connections at main keizoku list site
    wait "${pids[@]}"
    check served-after-garbage at main keizoku list site
    check written-after-garbage at main put_site garbage after
    check memory-is-bounded test $(($(rss_kib main) - before)) -le "$allowed"
    check the-node-is-the-same-process kill -0 "$MAIN_PID"
    check equal-after-garbage wait_until "$WAIT" all_equal
}

remember() { # the revision that must not move
    wait_until "$WAIT" all_equal >/dev/null
    REV=$(rev_now)
}

lab_begin --nodes 3
put_site main main
remember
MAIN_PID=$(pid_of_site main)
test_syntax
test_fields
test_text
test_references
test_names
test_sizes
test_configuration
test_garbage
finish
