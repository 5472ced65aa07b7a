# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Records, histories and nodes as several system tests see them. Source after lab.sh.

WAIT=30 # seconds a cluster may take to become what is awaited; generous, because machines are slow at times

# One site record as YAML. site_record ID NAME [REV]: without REV whatever is stored is replaced; 0: must not exist
site_record() {
    printf -- '---\nkind: site\nid: %s\nname: %s\nrole: OTHER\n' "$1" "$2"
    if [ -n "${3:-}" ]; then printf 'rev: %s\n' "$3"; fi
}

put_site() { site_record "$@" | keizoku apply -q -f - >/dev/null; } # ID NAME [REV]

field_of() { keizoku get "$1" "$2" -o json | json "items.0.$3"; } # KIND ID FIELD
count_of() { keizoku list "$1" -o json | json 'items.#'; }        # KIND
changes_of() { keizoku history "$1" "$2" -o json | json 'items.#'; } # KIND ID
term_of() { at "$1" keizoku status -o json --read local | json meta.term; } # SITE
rev_now() { keizoku list component -o json --read linearizable | json meta.rev; } # a copy may be a moment behind
site_names() { awk '{ print $1 }' "$LAB/sites"; }
pid_of_site() { cat "$LAB/$1/pid"; }

# The endpoints of the given sites, in this order: KEIZOKU_NODE=$(nodes remote main) keizoku …
nodes() {
    local site list=''
    for site; do list="$list,$(address_of "$site")"; done
    printf '%s\n' "${list#,}"
}

# A write is accepted: the cluster has a leader that all agree on.
is_writable() { keizoku verify site "$1" -q --timeout 5s >/dev/null; } # ID of any site record

# The leader's name once one answers.
wait_leader() {
    wait_until "$WAIT" leader >/dev/null || return 1
    leader
}

followers() { # of LEADER
    local site
    for site in $(site_names); do [ "$site" = "$1" ] || printf '%s\n' "$site"; done
}

# Every node has applied the same and says so: asked one by one, and as one node tells it of all.
all_equal() {
    # shellcheck disable=SC2046 # names are words
    same_state $(site_names) && members_equal
}

members_equal() {
    local answer hashes
    answer=$(keizoku status -o json --read local) || return 1
    hashes=$(printf '%s' "$answer" | json 'members.*.state_hash') || return 1
    expect_equal "$(wc -l <"$LAB/sites") $(printf '%s' "$answer" | json state_hash)" \
        "$(printf '%s\n' "$hashes" | wc -l) $(printf '%s\n' "$hashes" | sort -u)"
}

start_sites() { # SITE…: those that run already are left alone
    local site
    for site; do lab start "$site" >/dev/null || return 1; done
}

kill_sites() { # SITE…
    local site
    for site; do lab kill "$site" >/dev/null || return 1; done
}

# Writes KEY=VALUE lines below [raft] of every node and restarts them all.
set_raft() {
    local site line
    lab stop all >/dev/null
    for site in $(site_names); do
        for line; do sed -i "s/^\[raft\]\$/&\n$line/" "$LAB/$site/keizokud.conf"; done
    done
    lab start all >/dev/null
    wait_leader >/dev/null
}

# What a watch tells, one JSON line each, into FILE; ends it itself when COUNT lines are there.
watch_lines() { # FILE COUNT WATCH-ARGUMENTS…
    local file=$1 count=$2 pid status=0
    shift 2
    : >"$file"
    keizoku watch "$@" -o json >"$file" 2>"$file.errors" &
    pid=$!
    wait_until "$WAIT" has_lines "$file" "$count" || status=1
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    return "$status"
}

has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; } # FILE COUNT
