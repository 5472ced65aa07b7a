# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sites in network namespaces of their own, joined by a bridge whose links can be cut, slowed and made lossy.
# Source it before lab.sh; net_begin takes the place of lab_begin. The test itself runs in the namespace "clients".
#
# The script starts itself again in a private network and mount namespace, where the names of its namespaces and its
# addresses are seen by nobody else: runs do not meet, and when the last process ends the kernel removes everything,
# also after a kill -9. lab.sh's trap ends the nodes.
#
#   site "main" ── eth0 ═ port "main" ─┐
#   site "remote" ─ eth0 ═ port "remote" ─ bridge, in namespace "wan" ─ port "clients" ═ eth0 ── this script
#
# KEIZOKU_TESTS_WITHOUT_ROOT=1 leaves these tests out where namespaces cannot be made; without it they fail there.

NET_LEFT_OUT=77 # the exit status that tests/run counts as left out
NET_PREFIX=10.77.0

net_refuse() { # WHY
    local name
    name=$(basename "$0" .sh)
    if [ -n "${KEIZOKU_TESTS_WITHOUT_ROOT:-}" ]; then
        printf 'left out %s: %s\n' "$name" "$1"
        exit "$NET_LEFT_OUT"
    fi
    printf 'not ok %s %s; run it as root, or leave such tests out with KEIZOKU_TESTS_WITHOUT_ROOT=1\n' "$name" "$1"
    exit 1
}

# Root makes namespaces; anybody else is root in a user namespace, where the kernel allows that.
net_enter() {
    local options=(--net --mount) why
    [ "$(id -u)" = 0 ] || options+=(--map-root-user)
    why=$(unshare "${options[@]}" mount -t tmpfs tmpfs /run 2>&1) || net_refuse "cannot make a network namespace: $why"
    for why in ip tc nft; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "$why" >/dev/null || net_refuse "there is no $why (iproute2, nftables)"
    done
    NET_INSIDE=$(readlink /proc/self/ns/net) exec unshare "${options[@]}" "$BASH" "$0" "$@"
}

# The variable alone could be inherited: it names the namespace that was left.
if [ -z "${NET_INSIDE:-}" ] || [ "$NET_INSIDE" = "$(readlink /proc/self/ns/net)" ]; then net_enter "$@"; fi
PATH="$PATH:/usr/sbin:/sbin"

# A namespace and its port on the bridge. net_join NAME ADDRESS [NAMESPACE-OR-PID]
net_join() {
    local name=$1 address=$2 inside=(ip)
    if [ -n "${3:-}" ]; then
        ip -n wan link add "$name" type veth peer name eth0 netns "$3"
    else
        ip netns add "$name"
        inside=(ip -n "$name")
        ip -n wan link add "$name" type veth peer name eth0 netns "$name"
    fi &&
        ip -n wan link set "$name" master wan up &&
        "${inside[@]}" link set lo up &&
        "${inside[@]}" addr add "$address/24" dev eth0 &&
        "${inside[@]}" link set eth0 up
}

# The bridge hook sees both directions of a link apart, and ARP as well: nothing at all gets through a cut.
net_make() { # SITE…
    local site number=0
    mount -t tmpfs tmpfs /run &&
        ip netns add wan &&
        ip -n wan link add wan type bridge &&
        ip -n wan link set wan up || return 1
    : >"$WORK/places"
    for site; do
        number=$((number + 1))
        net_join "$site" "$NET_PREFIX.$number" || return 1
        printf '%s.%s %s\n' "$NET_PREFIX" "$number" "$site" >>"$WORK/places"
    done
    net_join clients "$NET_PREFIX.254" "$$" || return 1
    ip netns exec wan nft -f - <<'TABLE'
table bridge net {
    set cut { type ifname . ifname; }
    chain loss { }
    chain forward {
        type filter hook forward priority 0;
        iifname . oifname @cut drop
        jump loss
    }
}
TABLE
}

# A cluster whose sites are apart. net_begin 3|5 [up's options]
net_begin() {
    local nodes=$1 sites=(main alternate remote fourth fifth)
    shift
    net_make "${sites[@]:0:$nodes}" >"$WORK/net.log" 2>&1 || {
        not_ok net-begin "the network was not made: $(tail -n 3 "$WORK/net.log")"
        finish
    }
    lab_begin --nodes "$nodes" --places "$WORK/places" "$@"
}

net_nft() { ip netns exec wan nft "$@"; }

# --- cuts: packets are dropped, nobody is told -------------------------------------------------------------------

# From FROM to TO only; replies still pass the other way. Either may be "clients".
cut_one_way() { net_nft add element bridge net cut "{ \"$1\" . \"$2\" }"; }       # FROM TO
heal_one_way() { net_nft delete element bridge net cut "{ \"$1\" . \"$2\" }"; }   # FROM TO: it must be cut
heal_all() { net_nft flush set bridge net cut; }

cut_both() { cut_one_way "$1" "$2" && cut_one_way "$2" "$1"; } # SITE SITE
heal_both() { heal_one_way "$1" "$2" && heal_one_way "$2" "$1"; } # SITE SITE

# No site of the first list and site of the second hear each other; clients reach all. halves "main remote" "alternate"
halves() {
    local one other
    for one in $1; do
        for other in $2; do cut_both "$one" "$other" || return 1; done
    done
}

# SITE alone; the clients reach it.
isolate() { halves "$1" "$(followers "$1" | tr '\n' ' ')"; }

# --- bad links ---------------------------------------------------------------------------------------------------

# Both directions of a site's link at RATE as tc writes it: slow remote 1mbit
slow() {
    tc -n wan qdisc replace dev "$1" root tbf rate "$2" burst 16kb latency 400ms &&
        tc -n "$1" qdisc replace dev eth0 root tbf rate "$2" burst 16kb latency 400ms
}

full_speed() { tc -n wan qdisc del dev "$1" root && tc -n "$1" qdisc del dev eth0 root; } # SITE

# Of each 100 packets from and to SITE, PERCENT are lost in each direction.
lose() { # SITE PERCENT
    net_nft add rule bridge net loss iifname "$1" numgen random mod 100 '<' "$2" drop &&
        net_nft add rule bridge net loss oifname "$1" numgen random mod 100 '<' "$2" drop
}

lose_nothing() { net_nft flush chain bridge net loss; }
