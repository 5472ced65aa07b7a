#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A majority lost for good: who may recover, what happens when the survivor dies in the middle, and the whole drill.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

epoch_of() { at "$1" keizoku status -o json --read local | json meta.epoch; } # SITE
is_of_epoch() { expect_equal "$2" "$(epoch_of "$1")"; }                       # SITE EPOCH
plan() { at remote keizoku cluster recover plan "$@"; }
digest() { plan -o json 2>/dev/null | json items.0.digest; }
apply() { at remote timeout 8 keizoku cluster recover apply "$@"; }
is_dead() { ! kill -0 "$(pid_of_site remote)" 2>/dev/null; }
archives() { find "$LAB/remote/data/archive" -mindepth 1 -maxdepth 1 ! -name '*.partial' 2>/dev/null | wc -l; }

test_guards() {
    use_user approver
    check a-majority-is-not-recovered expect_exit 4 plan
    lab kill main >/dev/null
    lab kill alternate >/dev/null
    check the-survivor-makes-a-plan wait_until "$WAIT" plan
    DIGEST=$(digest)
    check silent-nodes-are-named-with-the-layer expect_text TCP keizoku cluster recover plan
    check a-wrong-number-is-refused expect_exit 4 apply 0123456789abcdef
    check one-person-is-not-enough expect_exit 1 apply "$DIGEST"
    check alone-needs-the-name expect_exit 2 apply "$DIGEST" --alone
    check alone-needs-the-right-name expect_exit 2 apply "$DIGEST" --alone --confirm other
    use_user officer
    check an-operator-does-not-approve expect_exit 5 at remote keizoku cluster recover approve "$DIGEST"
    check an-operator-may-look plan
    use_user approver
    check the-first-approves at remote keizoku cluster recover approve "$DIGEST"
    check approving-twice-is-still-one-person expect_exit 1 apply "$DIGEST"
    check nothing-has-changed is_of_epoch remote 1
}

# The survivor dies at each point: the old epoch or the new one, never something in between; apply again goes on.
die_at() { # POINT EPOCH
    lab stop remote >/dev/null
    KEIZOKU_FAILPOINT=$1 lab start remote >/dev/null
    wait_until "$WAIT" plan >/dev/null
    apply "$DIGEST" >/dev/null 2>&1
    check "it-died-at-$1" wait_until "$WAIT" is_dead
    lab start remote >/dev/null
    check "after-$1-it-is-of-epoch-$2" wait_until "$WAIT" is_of_epoch remote "$2"
    check "after-$1-it-reads" at remote keizoku list site --read local
}

test_killed() {
    use_user deputy # the approver's approval outlives each of these deaths
    die_at recover.archived 1
    die_at recover.stopped 1
    die_at recover.prepared 1
    check the-approval-was-kept expect_equal 1 "$(plan -o json | json 'items.0.approvals.#')"
    die_at recover.committed 2
    check apply-again-says-that-it-is-done apply "$DIGEST"
    check each-try-kept-an-archive expect_equal 4 "$(archives)"
    use_user officer
    check it-takes-writes wait_until "$WAIT" is_writable before
    check the-timeline-tells-who-decided wait_until "$WAIT" expect_text deputy at remote keizoku list incident -o json
}

# An old majority that is left behind stops, and a client that knows better does not ask it.
test_fenced() {
    keizoku-ca backup-key --out "$WORK/keys" >/dev/null
    lab stop remote >/dev/null
    lab start main >/dev/null
    check who-knows-better-is-warned wait_until "$WAIT" expect_text 'left behind' at main keizoku status
    check who-knows-better-backs-nothing-up expect_exit 8 at main keizoku snapshot save -f "$WORK/old.kzb" --recipient "$WORK/keys/backup.pub"
    lab start remote >/dev/null
    lab start alternate >/dev/null
    for site in main alternate; do
        check "$site-is-fenced" wait_until "$WAIT" expect_text '"fenced": 2' at "$site" keizoku status -o json --read local
        check "$site-takes-no-write" expect_exit 8 at "$site" keizoku verify site before
        check "$site-takes-no-event" expect_exit 8 at "$site" keizoku incident open --title x --type OTHER --mode TEST --state ALERT
        check "$site-does-not-answer-as-the-registry" expect_exit 8 at "$site" keizoku list site
        check "$site-still-shows-its-copy" expect_text 'left behind' at "$site" keizoku list site --read local
    done
    lab stop main >/dev/null
    lab start main >/dev/null
    check a-fence-outlives-a-restart expect_exit 8 at main keizoku verify site before
    check a-fenced-node-is-not-recovered expect_text FENCED at main keizoku cluster recover plan
    check the-client-finds-the-new-cluster wait_until "$WAIT" is_writable before
}

test_drill() {
    LABS+=("$WORK/second.drill")
    check the-drill env XDG_STATE_HOME="$WORK/drill-state" "$REPO/deploy/lab" --dir "$WORK/second" drill recover
    check who-ran-the-drill-remembers-no-epoch-of-it expect_equal '' "$(find "$WORK/drill-state" -type f 2>/dev/null)"
    check the-drill-speaks-japanese expect_text 'すでにあります' env LC_ALL=ja_JP.UTF-8 "$REPO/deploy/drill" "$WORK"
}

lab_begin --nodes 3
check prepared put_site before before
wait_until "$WAIT" all_equal >/dev/null
test_guards
test_killed
test_fenced
test_drill
finish
