#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# keizoku-ca with real files; every certificate and CRL is judged by openssl as well when it is installed.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"

CA=$WORK/ca
ca() { keizoku-ca --dir "$CA" "$@"; }
has_openssl() { command -v openssl >/dev/null 2>&1; }

# Chain and CRLs of a leaf, as an outside implementation sees them.
outside_accepts() { # PEM
    has_openssl || return 0
    openssl verify -x509_strict -CAfile "$CA/ca.pem" -CRLfile "$CA/crl.pem" -crl_check_all "$1"
}

outside_rejects() { # REASON PEM
    local out
    has_openssl || return 0
    out=$(openssl verify -x509_strict -CAfile "$CA/ca.pem" -CRLfile "$CA/crl.pem" -crl_check_all "$2" 2>&1) && return 1
    case "$out" in *"$1"*) return 0 ;; esac
    printf '%s\n' "$out"
    return 1
}

mode_is() { expect_equal "$1" "$(stat -c %a "$2")"; } # MODE PATH
serial_of() { ca show "$1" | awk '$1 == "serial" { print $2; exit }'; }
key_of() { openssl x509 -in "$1" -noout -pubkey; }

test_init() {
    check init ca init --cluster lab
    check init-refuses-a-second-authority expect_exit 4 ca init --cluster lab
    check init-needs-a-cluster expect_exit 2 keizoku-ca --dir "$WORK/other" init
    check init-refuses-a-bad-cluster-id expect_exit 2 keizoku-ca --dir "$WORK/other" init --cluster 'La b'
    check private-folder-is-closed mode_is 700 "$CA/private"
    check private-keys-are-closed mode_is 600 "$CA/private/root.key"
    check root-is-named-root expect_text 'OU=root' ca show "$CA/private/root.pem"
    check node-authority-is-named-nodes expect_text 'OU=nodes' ca show "$CA/private/nodes.pem"
    check user-authority-is-named-users expect_text 'OU=users' ca show "$CA/private/users.pem"
    check three-authorities-are-handed-out expect_equal 3 "$(grep -c BEGIN "$CA/ca.pem")"
    check three-crls-are-handed-out expect_equal 3 "$(grep -c BEGIN "$CA/crl.pem")"
}

test_issue() {
    check issue-node ca issue node main --address 127.0.0.1,::1,main.example.jp
    check issue-user ca issue user officer --role operator
    check node-chain-verifies outside_accepts "$CA/nodes/main.pem"
    check user-chain-verifies outside_accepts "$CA/users/officer.pem"
    check node-key-is-closed mode_is 600 "$CA/nodes/main.key"
    check node-name-is-a-uri expect_text 'spiffe://keizoku/cluster/lab/node/main' ca show main
    check user-name-is-a-uri expect_text 'spiffe://keizoku/cluster/lab/user/officer' ca show officer
    check node-has-its-addresses expect_text 'main.example.jp' ca show main
    check node-may-serve expect_text 'server client' ca show main
    check user-may-not-serve expect_exit 1 grep -q 'server' <(ca show officer)
    check role-stands-in-the-subject expect_text 'OU=operator' ca show officer
    check issue-refuses-a-second-key expect_exit 4 ca issue node main --address 127.0.0.1
    check issue-refuses-an-unknown-role expect_exit 2 ca issue user x --role king
    check issue-refuses-a-node-without-address expect_exit 2 ca issue node x
    check issue-refuses-a-bad-address expect_exit 2 ca issue node x --address 300.1.1.1
    check issue-refuses-a-name-with-a-comma expect_exit 2 ca issue user 'a,OU=node' --role reader
    check a-refused-issue-leaves-no-file expect_exit 2 ls "$CA/users/x.pem"
}

test_out() {
    check issue-into-a-folder ca issue node alternate --address 127.0.0.1 --out "$WORK/out"
    check folder-has-all-a-node-needs ls "$WORK/out/alternate.pem" "$WORK/out/alternate.key" "$WORK/out/ca.pem" "$WORK/out/crl.pem"
    check authority-keeps-no-copy-of-that-key expect_exit 2 ls "$CA/nodes/alternate.key"
    printf 'precious\n' >"$WORK/out/remote.key"
    check a-foreign-key-is-not-overwritten expect_exit 4 ca issue node remote --address 127.0.0.1 --out "$WORK/out"
    check and-it-is-still-there expect_equal precious "$(cat "$WORK/out/remote.key")"
}

test_times() {
    ca issue user gone --role reader --from 2024-01-01 --until 2024-02-01 >/dev/null
    ca issue user later --role reader --from 2090-01-01T09:00:00Z --until 2091-01-01 >/dev/null
    check an-expired-certificate-can-be-made outside_rejects 'expired' "$CA/users/gone.pem"
    check expired-is-shown expect_text expired ca show gone
    check a-leaf-does-not-outlive-its-issuer expect_exit 2 ca issue user y --role reader --from 2090-01-01 --until 2089-01-01
    check days-are-checked expect_exit 2 ca issue user y --role reader --days 0
}

test_renew() {
    local old_serial old_key
    old_serial=$(serial_of main)
    old_key=$(has_openssl && key_of "$CA/nodes/main.pem")
    check renew ca renew main --days 100
    check renew-changes-the-serial expect_exit 1 test "$old_serial" = "$(serial_of main)"
    if has_openssl; then check renew-keeps-the-key expect_equal "$old_key" "$(key_of "$CA/nodes/main.pem")"; fi
    check renewed-chain-verifies outside_accepts "$CA/nodes/main.pem"
    check renew-keeps-the-addresses expect_text 'main.example.jp' ca show main
    check renew-authority ca renew ca/nodes
    check leaf-verifies-under-the-renewed-authority outside_accepts "$CA/nodes/main.pem"
    check renew-unknown expect_exit 3 ca renew nobody
}

test_revoke() {
    local serial
    serial=$(serial_of officer)
    check revoke-by-name ca revoke officer
    check revoked-is-refused outside_rejects 'revoked' "$CA/users/officer.pem"
    check others-are-not-refused outside_accepts "$CA/nodes/main.pem"
    check crl-names-the-serial expect_text "revoked  $serial" ca show "$CA/crl.pem"
    check revoke-twice expect_exit 4 ca revoke officer
    check renew-of-a-revoked-one expect_exit 4 ca renew officer
    check the-root-is-not-revoked expect_exit 2 ca revoke ca/root
    check revoke-by-serial ca revoke "$(serial_of alternate)"
    check revoked-by-serial-is-refused outside_rejects 'revoked' "$CA/nodes/alternate.pem"
    check crl-again ca crl --days 7
    check revocations-stay outside_rejects 'revoked' "$CA/users/officer.pem"
    mv "$CA/users/officer.key" "$WORK/officer.old"
    check a-new-key-after-revocation ca issue user officer --role operator
    check the-new-one-is-accepted outside_accepts "$CA/users/officer.pem"
    check revoke-an-authority ca revoke ca/users
    check all-its-leaves-are-refused outside_rejects 'revoked' "$CA/users/officer.pem"
    check node-leaves-are-not outside_accepts "$CA/nodes/main.pem"
}

test_same_name() {
    ca issue user main --role auditor >/dev/null
    check a-name-of-both-kinds-must-be-qualified expect_exit 2 ca show main
    check qualified-name expect_text 'user/main' ca show user/main
}

test_p384() {
    CA=$WORK/ca384
    check init-p384 ca init --cluster big --curve p384 --trust example.jp
    check issue-p384 ca issue node main --address 127.0.0.1
    check p384-verifies outside_accepts "$CA/nodes/main.pem"
    check p384-is-used expect_text 'EC 384 bit' ca show main
    check trust-domain-is-used expect_text 'spiffe://example.jp/cluster/big/node/main' ca show main
}

test_bad_input() {
    CA=$WORK/bad
    check no-authority expect_exit 3 ca show
    check unknown-command expect_exit 2 ca frobnicate
    check no-command expect_exit 2 keizoku-ca
    check unknown-option expect_exit 2 ca show --frobnicate
    ca init --cluster lab >/dev/null
    printf 'garbage\n' >>"$CA/index"
    check a-damaged-index-is-named expect_text 'line 5 of the index' ca show
    printf 'not a certificate\n' >"$WORK/x.pem"
    check not-a-certificate expect_exit 1 ca show "$WORK/x.pem"
    : >"$WORK/empty.pem"
    check an-empty-file-is-named expect_text 'is empty' ca show "$WORK/empty.pem"
    check japanese expect_text '使い方' env LC_ALL=ja_JP.UTF-8 keizoku-ca --help
}

# Each CRL has another length: every one must be readable.
test_many_revocations() {
    local i readable=0
    CA=$WORK/many
    ca init --cluster lab >/dev/null
    for i in $(seq 1 40); do
        ca issue user "u$i" --role reader >/dev/null
        ca revoke "u$i" >/dev/null
        [ "$(ca show "$CA/crl.pem" | grep -c '^  revoked  [0-9a-f]')" = "$i" ] && readable=$((readable + 1))
    done
    check crls-of-every-length-are-readable expect_equal 40 "$readable"
    check the-last-of-many-is-refused outside_rejects revoked "$CA/users/u40.pem"
    check the-first-of-many-is-refused outside_rejects revoked "$CA/users/u1.pem"
}

# Two at once must not lose a line of the index: it is locked.
test_parallel() {
    local i
    CA=$WORK/parallel
    ca init --cluster lab >/dev/null
    for i in 1 2 3 4 5 6 7 8; do
        ca issue user "u$i" --role reader >/dev/null &
    done
    wait
    check parallel-issues-are-all-listed expect_equal 8 "$(ca show | grep -c '^user/')"
}

test_init
test_issue
test_out
test_times
test_renew
test_revoke
test_same_name
test_p384
test_bad_input
test_many_revocations
test_parallel
finish
