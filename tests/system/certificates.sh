#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who is let in: expired, revoked, foreign, of the wrong kind or role, missing and unreadable certificates, each with
# its exit code and a sentence that says what is wrong.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

CERTS=$WORK/certs
ca() { keizoku-ca --dir "$LAB/ca" "$@" >/dev/null; }

as() { # NAME COMMAND…: with another certificate
    KEIZOKU_CERT=$CERTS/$1.pem KEIZOKU_KEY=$CERTS/$1.key "${@:2}"
}

# refused STATUS TEXT COMMAND…: both; and standard output stays empty
refused() {
    local status=0 wanted=$1 text=$2
    shift 2
    "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
    expect_equal "$wanted" "$status" || return 1
    grep -q -- "$text" "$WORK/err" || {
        cat "$WORK/err"
        return 1
    }
    grep -q 'why: ' "$WORK/err" && grep -q 'do: ' "$WORK/err" && [ ! -s "$WORK/out" ]
}

make() {
    ca issue user expired --role operator --from 2024-01-01 --until 2024-02-01 --out "$CERTS" &&
        ca issue user early --role operator --from 2090-01-01 --until 2091-01-01 --out "$CERTS" &&
        ca issue user revoked --role operator --out "$CERTS" &&
        ca issue user good --role operator --out "$CERTS" &&
        ca issue node nobody --address 127.0.0.1 --out "$CERTS" &&
        ca issue user backup --role backup --out "$CERTS"
}

foreign() { # DIR CLUSTER
    keizoku-ca --dir "$WORK/$1-ca" init --cluster "$2" >/dev/null &&
        keizoku-ca --dir "$WORK/$1-ca" issue user officer --role operator --out "$WORK/$1" >/dev/null &&
        keizoku-ca --dir "$WORK/$1-ca" issue node main --address 127.0.0.1,localhost --out "$WORK/$1" >/dev/null &&
        cp "$WORK/$1/officer.pem" "$CERTS/$1.pem" && cp "$WORK/$1/officer.key" "$CERTS/$1.key"
}

test_dates() {
    check a-good-one-is-let-in as good keizoku list site
    check expired-is-refused refused 6 'our certificate has expired' as expired keizoku list site
    check and-told-to-get-a-new-one grep -q 'keizoku-ca' "$WORK/err"
    check not-yet-valid-is-refused refused 6 'our certificate is not yet valid' as early keizoku list site
    check expired-writes-nothing refused 6 'expired' as expired keizoku verify site spare
}

test_foreign() {
    check other-authority-is-refused refused 6 'issuer\|not signed' as stranger keizoku list site
    check other-cluster-is-refused refused 6 'cluster' as neighbour keizoku list site
    check a-node-of-another-authority-is-not-believed refused 6 'not signed by our CA' \
        as stranger env "KEIZOKU_CA=$WORK/stranger/ca.pem" "KEIZOKU_CRL=$WORK/stranger/crl.pem" keizoku list site
    # Several CA certificates in one file: the other cluster's chain is known, its identity is another.
    cat "$LAB/users/ca.pem" "$WORK/neighbour/ca.pem" >"$WORK/both.pem"
    cat "$LAB/users/crl.pem" "$WORK/neighbour/crl.pem" >"$WORK/both-crl.pem"
    cp "$WORK/both.pem" "$LAB/main/tls/ca.pem"
    cp "$WORK/both-crl.pem" "$LAB/main/tls/crl.pem"
    kill -HUP "$(pid_of_site main)"
    check a-known-chain-of-another-cluster-is-refused wait_until "$WAIT" refused 6 'another cluster' \
        as neighbour env "KEIZOKU_NODE=$(address_of main)" "KEIZOKU_CA=$WORK/both.pem" "KEIZOKU_CRL=$WORK/both-crl.pem" keizoku list site
    cp "$LAB/users/ca.pem" "$LAB/main/tls/ca.pem"
}

test_revoked() {
    local site
    check before-it-is-revoked-it-works as revoked keizoku list site
    ca revoke revoked
    for site in $(site_names); do
        cp "$LAB/ca/crl.pem" "$LAB/$site/tls/crl.pem"
        kill -HUP "$(pid_of_site "$site")"
    done
    check revoked-is-refused wait_until "$WAIT" refused 6 'our certificate is revoked' as revoked keizoku list site
    check others-are-not as good keizoku list site
    check the-nodes-still-agree wait_until "$WAIT" put_site spare revoked
}

test_roles() {
    use_user duty
    check a-reader-reads keizoku list site
    check a-reader-does-not-write refused 5 'not allowed' put_site spare reader
    check and-reads-which-role-it-needs grep -q 'needs the role operator' "$WORK/err"
    check a-reader-does-not-verify refused 5 'not allowed' keizoku verify site spare -q
    check a-reader-does-not-retire refused 5 'not allowed' keizoku retire site spare -q
    use_user auditor
    check an-auditor-does-not-write refused 5 'not allowed' put_site spare auditor
    use_user officer
    check nothing-was-written expect_equal revoked "$(field_of site spare name)"
}

test_kinds() {
    check a-node-is-no-person refused 6 "not a person's" as nobody keizoku list site
    # A person's certificate in a node's place.
    cp -r "$LAB/remote" "$WORK/impostor"
    cp "$CERTS/good.pem" "$WORK/impostor/tls/remote.pem"
    cp "$CERTS/good.key" "$WORK/impostor/tls/remote.key"
    check a-person-is-no-node starts_not "user 'good', not of node 'remote'"
    cp "$CERTS/nobody.pem" "$WORK/impostor/tls/remote.pem"
    cp "$CERTS/nobody.key" "$WORK/impostor/tls/remote.key"
    check a-node-of-another-name-is-not-this-one starts_not 'nobody'
    cp "$WORK/neighbour/main.pem" "$WORK/impostor/tls/remote.pem"
    cp "$WORK/neighbour/main.key" "$WORK/impostor/tls/remote.key"
    check a-node-of-another-cluster-does-not-start starts_not 'neighbour'
    rm "$WORK/impostor/tls/remote.key"
    check a-node-without-its-key-does-not-start starts_not 'tls/remote.key: cannot be opened: No such file'
    rm "$WORK/impostor/tls/crl.pem"
    cp "$LAB/remote/tls/remote.pem" "$LAB/remote/tls/remote.key" "$WORK/impostor/tls/"
    check a-node-without-crl-does-not-start starts_not 'crl.pem'
}

starts_not() { # TEXT
    local status=0
    timeout 20 "$KEIZOKU_BUILD/node/keizokud" --config "$WORK/impostor/keizokud.conf" >"$WORK/node.out" 2>&1 || status=$?
    expect_equal 1 "$status" || expect_equal 2 "$status" || return 1
    expect_text "$1" cat "$WORK/node.out"
}

log_says() { lab logs "$1" | grep -q "$2"; } # SITE TEXT

# A connection without a certificate is dropped, and the node goes on.
test_none() {
    command -v openssl >/dev/null 2>&1 || return 0
    timeout 10 openssl s_client -connect "$(address_of main)" -alpn keizoku/1 -CAfile "$LAB/users/ca.pem" </dev/null >/dev/null 2>&1
    check no-certificate-is-no-entry wait_until "$WAIT" log_says main 'net.refused.*shows no certificate'
    check and-the-node-goes-on at main keizoku list site
}

test_files() {
    printf 'not a certificate\n' >"$WORK/text.pem"
    : >"$WORK/empty.pem"
    check no-certificate-named refused 2 'cert' env -u KEIZOKU_CERT keizoku list site
    check missing-certificate refused 6 'the certificate .*/nowhere.pem cannot be used' keizoku --cert "$WORK/nowhere.pem" list site
    check missing-key refused 6 'the key .*/nowhere.key cannot be used' keizoku --key "$WORK/nowhere.key" list site
    check missing-ca refused 6 'the CA file .*/nowhere.ca cannot be used' keizoku --ca "$WORK/nowhere.ca" list site
    check missing-crl refused 6 'the revocation list .*/nowhere.crl cannot be used' keizoku --crl "$WORK/nowhere.crl" list site
    check a-folder-is-no-certificate refused 6 'it is a folder' keizoku --cert "$WORK" list site
    check text-is-no-certificate refused 6 'in PEM form' keizoku --cert "$WORK/text.pem" list site
    check text-is-no-key refused 6 'in PEM form' keizoku --key "$WORK/text.pem" list site
    check text-is-no-ca refused 6 'in PEM form' keizoku --ca "$WORK/text.pem" list site
    check an-empty-file-is-no-certificate refused 6 'empty.pem' keizoku --cert "$WORK/empty.pem" list site
    check a-key-of-another refused 6 'does not belong to' keizoku --key "$CERTS/good.key" list site
    check in-japanese expect_text '理由:' keizoku --lang ja --cert "$WORK/nowhere.pem" list site
    unreadable
}

# Root reads everything.
unreadable() {
    [ "$(id -u)" != 0 ] || return 0
    cp "$CERTS/good.key" "$WORK/closed.key"
    chmod 000 "$WORK/closed.key"
    check unreadable-key refused 6 'the permissions do not allow it' keizoku --key "$WORK/closed.key" list site
}

lab_begin --nodes 3
check prepared put_site spare begin
mkdir "$CERTS"
check certificates-are-made make
check other-authority-is-made foreign stranger lab
check other-cluster-is-made foreign neighbour neighbour
test_dates
test_foreign
test_revoked
test_roles
test_kinds
test_none
test_files
finish
