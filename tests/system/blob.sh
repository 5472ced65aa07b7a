#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The largest attachment, sent through a follower while the leader is killed, is read from every node and from a lone
# survivor; an upload whose client is killed goes on from where it was.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/registry.sh
. "$(dirname "$0")/../lib/registry.sh"

is_same() { at "$1" keizoku blob get zu -f "$WORK/got" --read local -q && cmp "$WORK/big" "$WORK/got"; } # SITE
sent_now() { sed -n 's/.* \([0-9]*\) of them sent now/\1/p' "$1"; } # LOG

lab_begin --nodes 3
head -c 33554432 /dev/urandom >"$WORK/big"
head -c 20000000 /dev/urandom >"$WORK/other"
LEADER=$(wait_leader)
FOLLOWER=$(followers "$LEADER" | head -n 1)

KEIZOKU_NODE=$(nodes "$FOLLOWER" "$LEADER") keizoku blob put zu "$WORK/big" --timeout 60s >/dev/null 2>"$WORK/put.log" &
PUT=$!
sleep 1
lab kill "$LEADER" >/dev/null
wait "$PUT"
check the-upload-survives-the-loss-of-the-leader expect_equal 0 $?
start_sites "$LEADER"
check all-nodes-are-equal wait_until "$WAIT" all_equal
for site in $(site_names); do check "$site-has-the-content" is_same "$site"; done

keizoku blob put other "$WORK/other" >/dev/null 2>&1 &
PUT=$!
sleep 1
kill -9 "$PUT"
wait "$PUT" 2>/dev/null
check a-record-without-its-content-is-not-there expect_exit 3 keizoku get attachment other
keizoku blob put other "$WORK/other" --lang en >/dev/null 2>"$WORK/again.log"
check the-upload-goes-on expect_equal 0 $?
SENT=$(sent_now "$WORK/again.log")
check only-the-rest-is-sent test "${SENT:-77}" -lt 77

head -c 33554433 /dev/zero >"$WORK/large"
check too-much-is-refused expect_exit 9 keizoku blob put large "$WORK/large"
check an-unwritable-target-is-refused expect_exit 1 keizoku blob get zu -f "$WORK/none/zu"

for site in $(followers "$(wait_leader)"); do lab kill "$site" >/dev/null; done
SURVIVOR=''
for site in $(site_names); do [ -f "$LAB/$site/pid" ] && SURVIVOR=$site; done
check a-lone-survivor-has-the-content is_same "$SURVIVOR"
check nothing-is-left-behind test -z "$(find "$WORK" -name 'got.*')"
finish
