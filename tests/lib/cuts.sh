# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2317 # called through check
# What must hold while sites are cut off and after it: no acknowledged write is lost and none that was refused appears,
# the side without a quorum refuses registry writes, reads its copy and says how old it is, no linearizable read is
# stale, events written on both sides arrive once, and a watch tells every change once.
# Source after netns.sh, lab.sh, registry.sh and watch.sh.

TRIES=3          # by then a node without a quorum knows it
ELECTION_MS=500  # as deploy/lab configures it
WRITER_PAUSE=0.2
WRITER=''

# --- a client that writes through all of it ----------------------------------------------------------------------

write_on() {
    local n=0
    while [ ! -e "$WORK/enough" ]; do
        if [ -e "$WORK/pause" ]; then
            sleep "$WRITER_PAUSE"
            continue
        fi
        n=$((n + 1))
        if put_site "w$n" "$n" 0 2>>"$WORK/writer.log"; then echo "w$n" >>"$WORK/acknowledged"; fi
        sleep "$WRITER_PAUSE"
    done
}

begin_writer() {
    KEIZOKU_TIMEOUT=60s write_on &
    WRITER=$!
}

end_writer() {
    : >"$WORK/enough"
    wait "$WRITER"
    rm "$WORK/enough"
}

# --- what is written during a cut --------------------------------------------------------------------------------

# ID: kept as acknowledged when the majority took it.
write_noted() {
    put_site "$1" "$1" 0 && echo "$1" >>"$WORK/acknowledged"
}

majority_writes() { # NAME
    local n
    for n in 1 2 3; do write_noted "$1-$n" || return 1; done
}

# The first may find a leader that does not know yet: its fate is open. No try is acknowledged, the last is refused.
minority_refuses() { # SITE NAME
    local try status
    for try in $(seq "$TRIES"); do
        status=0
        KEIZOKU_TIMEOUT=5s at "$1" put_site "$2-refused-$try" no 0 2>/dev/null || status=$?
        case "$status" in
        8)
            echo "$2-refused-$try" >>"$WORK/refused"
            return 0
            ;;
        10) ;;
        *)
            echo "try $try: exit $status"
            return 1
            ;;
        esac
    done
    echo "not refused in $TRIES tries"
    return 1
}

# Fresh or no answer. The write that it would have to see was acknowledged before it began.
linearizable_is_not_stale() { # SITE NAME
    local answer status=0
    answer=$(at "$1" keizoku list site -o json --read linearizable --timeout 4s 2>/dev/null) || status=$?
    [ "$status" = 0 ] || return 0
    printf '%s' "$answer" | json 'items.*.id' | grep -qx "$2-3"
}

linearizable_is_refused() { expect_exit 8 at "$1" keizoku list site --read linearizable --timeout 4s; } # SITE

# The copy of before the cut, and ages that cannot be younger than the cut: a stepped-down leader's is its last contact.
local_read_is_honest() { # SITE CUT-MS
    local answer contact elapsed
    sleep 2
    elapsed=$(($(now_ms) - $2))
    answer=$(at "$1" keizoku get site base -o json 2>/dev/null) || return 1
    expect_equal "base local false" "$(printf '%s' "$answer" | json items.0.id) $(printf '%s' "$answer" | json meta.read) $(printf '%s' "$answer" | json meta.quorum)" || return 1
    contact=$(printf '%s' "$answer" | json meta.leader_contact_ms) || return 1
    # A leader that hears nobody still counts as one for up to two election timeouts; twice that is allowed.
    [ "$contact" -ge $((elapsed - 4 * ELECTION_MS)) ] || {
        echo "leader_contact_ms $contact although it was cut off $elapsed ms ago"
        return 1
    }
    printf '%s' "$answer" | json meta.data_time >/dev/null
}

now_ms() { date +%s%3N; }

# --- events ------------------------------------------------------------------------------------------------------

# Two events by way of SITE; their ids are noted.
events_at() { # SITE NAME
    at "$1" keizoku report-status juki STOPPED --incident "$INCIDENT" --situation "$2 $1" --timeout 20s >>"$WORK/events" 2>>"$WORK/events.log" &&
        at "$1" keizoku entry add --incident "$INCIDENT" --type WORK "$2 $1" --timeout 20s >>"$WORK/events" 2>>"$WORK/events.log"
}

# All noted events, each once, none marked, in SITE's own copy.
events_are_in() { # SITE
    local kind answer all=''
    for kind in status entry; do
        answer=$(at "$1" keizoku list "$kind" -o json --read local 2>/dev/null) || return 1
        expect_equal 0 "$(printf '%s' "$answer" | json meta.provisional 2>/dev/null || echo 0)" || return 1
        all="$all$(printf '%s' "$answer" | json 'items.*.id')"$'\n'
    done
    expect_equal "$(sort "$WORK/events")" "$(printf '%s' "$all" | sed '/^$/d' | sort)"
}

# --- one cut and its healing -------------------------------------------------------------------------------------

healed() { # NAME
    local site
    heal_all
    : >"$WORK/pause" # while all are written to, no two copies are asked at the same index
    check "$1-healed-all-are-equal" wait_until 60 all_equal
    rm "$WORK/pause"
    for site in $(site_names); do check "$1-healed-$site-has-each-event-once" wait_until "$WAIT" events_are_in "$site"; done
}

# NAME MINORITY…: the cut is made already; these sites have no quorum, the others have.
test_minority() {
    local name=$1 cut_ms majority site
    shift
    cut_ms=$(now_ms)
    majority=$(site_names | grep -vxF "$(printf '%s\n' "$@")")
    # shellcheck disable=SC2086 # names are words
    KEIZOKU_NODE=$(nodes $majority) check "$name-the-majority-writes" majority_writes "$name"
    for site; do
        check "$name-$site-gives-no-stale-linearizable-read" linearizable_is_not_stale "$site" "$name"
        check "$name-$site-refuses-a-write" minority_refuses "$site" "$name-$site"
        check "$name-$site-refuses-a-linearizable-read" linearizable_is_refused "$site"
        check "$name-$site-reads-its-copy-with-honest-ages" local_read_is_honest "$site" "$cut_ms"
        check "$name-$site-takes-events" events_at "$site" "$name"
    done
    # shellcheck disable=SC2086
    check "$name-the-majority-takes-events" events_at "$(echo $majority | cut -d' ' -f1)" "$name"
    healed "$name"
}

# Everybody reaches a quorum through somebody: written with all endpoints, read fresh or not at all anywhere.
test_patchy() { # NAME
    local site
    check "$1-is-written" majority_writes "$1"
    for site in $(site_names); do
        check "$1-$site-gives-no-stale-linearizable-read" linearizable_is_not_stale "$site" "$1"
        check "$1-$site-takes-events" events_at "$site" "$1"
    done
    healed "$1"
}

# --- what must hold at the end -----------------------------------------------------------------------------------

ids_of_sites() { keizoku list site -o json --read linearizable 2>/dev/null | json 'items.*.id' | sort; }
no_acknowledged_write_is_lost() { expect_equal '' "$(comm -23 <(sort "$WORK/acknowledged") <(sort "$WORK/ids"))"; }
no_refused_write_is_there() { expect_equal '' "$(comm -12 <(sort "$WORK/refused") <(sort "$WORK/ids"))"; }

# The live watch told what a watch that asks for the whole past tells: each revision once, in order.
watch_told_all() {
    local count
    count=$(told "$WORK/sites.told" | wc -l)
    [ "$count" -gt 0 ] || return 1
    watch_lines "$WORK/again.told" "$count" site --from "$(told "$WORK/sites.told" | head -n 1 | cut -d' ' -f1)" || return 1
    diff <(told "$WORK/again.told") <(told "$WORK/sites.told") && expect_equal '' "$(told "$WORK/sites.told" | cut -d' ' -f2,3 | sort | uniq -d)"
}

last_is_told() { told "$WORK/sites.told" | tail -n 1 | grep -q ' site/last '; }

begin_cuts() { # NODES
    net_begin "$1"
    : >"$WORK/acknowledged"
    : >"$WORK/refused"
    : >"$WORK/events"
    check the-sample-is-applied keizoku apply -q -f "$REPO/deploy/sample/"
    INCIDENT=$(keizoku incident open --type 大規模災害 --mode EXERCISE --title 訓練 --occurred-at '2026-01-17 05:46')
    begin_watch sites site
    wait_until "$WAIT" is_connected sites >/dev/null
    write_noted base
    begin_writer
}

finish_cuts() {
    end_writer
    check the-last-write put_site last last
    check the-watch-tells-the-last wait_until "$WAIT" last_is_told
    ids_of_sites >"$WORK/ids"
    check no-acknowledged-write-is-lost no_acknowledged_write_is_lost
    check the-writer-went-on has_lines "$WORK/acknowledged" 20
    check no-refused-write-is-there no_refused_write_is_there
    check the-watch-told-each-change-once-in-order watch_told_all
    end_watches
    finish
}
