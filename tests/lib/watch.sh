# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Watches that run beside a test, and what they told. Source after lab.sh; end_watches at the end.

WATCHERS=()

begin_watch() { # NAME ARGUMENTS…
    local name=$1
    shift
    keizoku watch "$@" -o json -v >"$WORK/$name.told" 2>"$WORK/$name.err" &
    WATCHERS+=("$!")
}

end_watches() {
    local pid
    for pid in "${WATCHERS[@]+"${WATCHERS[@]}"}"; do kill "$pid" 2>/dev/null; done
    WATCHERS=()
}

is_connected() { grep -q 'connected to' "$WORK/$1.err"; } # NAME
# The node that a watch listens to: the last one it connected to.
watched_by() { sed -n 's/.*connected to node \([a-z]*\).*/\1/p' "$WORK/$1.err" | tail -n 1; } # NAME

# REV KIND/ID OP of each line
told() { # FILE
    local rev kind id op
    paste -d ' ' <(grep -o '^{"rev":[0-9]*' "$1" | cut -d: -f2) <(grep -oE '"op":"[a-z]*","kind":"[a-z]*","id":"[^"]*"' "$1" |
        sed 's/"op":"\([a-z]*\)","kind":"\([a-z]*\)","id":"\([^"]*\)"/\2 \3 \1/') |
        while read -r rev kind id op; do printf '%s %s/%s %s\n' "$rev" "$kind" "$id" "$op"; done
}

has_told() { [ "$(told "$WORK/$1.told" | tail -n 1 | cut -d' ' -f1)" -ge "$2" ]; } # NAME REV
