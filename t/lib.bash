# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the tests share. A live test calls lab_up in setup() and lab_down in
# teardown(): two namespaces joined by a veth pair, and a bpffs of its own.
#
#   peer: out0 10.77.0.1 fd77::1 02:00:00:00:00:0a  ->  here: in0 10.77.0.2 fd77::2 02:00:00:00:00:0b
#
# $PINS is the bpffs. Enter with in_peer and in_here: they change the network
# only, so that the pins stay in sight. build/t/send and build/t/recv are the
# sender and the counter behind XDP.

# shellcheck disable=SC2034 # used by the tests
bats_require_minimum_version 1.5.0
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
HELPERS=$TOP/build/t

# Skips the test unless it may make namespaces and mount a bpffs.
need_root() {
	[[ $EUID == 0 ]] || skip "needs root"
	local d
	d=$(mktemp -d)
	if ! mount -t bpf bpf "$d" 2>/dev/null; then
		rmdir "$d"
		skip "cannot mount a bpffs here"
	fi
	umount "$d" && rmdir "$d"
}

# lab_up [no6]: no6 leaves IPv6 off on the wire, so that nothing but the test's packets is on it.
lab_up() {
	LAB=kl$$-${BATS_TEST_NUMBER:-0}-$RANDOM
	PEER=$LAB-peer HERE=$LAB-here PINS=$BATS_TEST_TMPDIR/bpf
	mkdir -p "$PINS"
	mount -t bpf bpf "$PINS"
	local ns key
	for ns in "$PEER" "$HERE"; do
		ip netns add "$ns"
		for key in all default; do
			ns_sysctl "$ns" "conf/$key/disable_ipv6" "$([[ ${1-} == no6 ]] && echo 1 || echo 0)"
			ns_sysctl "$ns" "conf/$key/accept_ra" 0
			ns_sysctl "$ns" "conf/$key/router_solicitations" 0
			ns_sysctl "$ns" "conf/$key/accept_dad" 0
			ns_sysctl "$ns" "conf/$key/addr_gen_mode" 1
		done
		ip -n "$ns" link set lo up
	done
	ip -n "$PEER" link add out0 address 02:00:00:00:00:0a type veth \
		peer name in0 address 02:00:00:00:00:0b netns "$HERE"
	ip -n "$PEER" addr add 10.77.0.1/24 dev out0
	ip -n "$HERE" addr add 10.77.0.2/24 dev in0
	if [[ ${1-} != no6 ]]; then
		ip -n "$PEER" addr add fd77::1/64 dev out0 nodad
		ip -n "$HERE" addr add fd77::2/64 dev in0 nodad
	fi
	ip -n "$PEER" link set out0 up
	ip -n "$HERE" link set in0 up
	# Known neighbours: no ARP and no solicitation among the test's packets.
	ip -n "$PEER" neigh replace 10.77.0.2 lladdr 02:00:00:00:00:0b dev out0
	ip -n "$HERE" neigh replace 10.77.0.1 lladdr 02:00:00:00:00:0a dev in0
	if [[ ${1-} != no6 ]]; then
		ip -n "$PEER" neigh replace fd77::2 lladdr 02:00:00:00:00:0b dev out0
		ip -n "$HERE" neigh replace fd77::1 lladdr 02:00:00:00:00:0a dev in0
	fi
}

# Removes whatever lab_up made; safe to call when it made nothing or a part. When the test failed, what was
# said in $ERR stands behind it.
lab_down() {
	[[ -n ${BATS_TEST_COMPLETED-} || ! -s ${ERR-} ]] || tail -n 20 "$ERR"
	[[ -n ${LAB-} ]] || return 0
	local ns pid
	for ns in "$PEER" "$HERE"; do
		for pid in $(ip netns pids "$ns" 2>/dev/null); do
			kill -KILL "$pid" 2>/dev/null || true
		done
		ip netns del "$ns" 2>/dev/null || true
	done
	if mountpoint -q "$PINS"; then
		find "$PINS" -mindepth 1 -type f -delete 2>/dev/null || true
		umount "$PINS"
	fi
}

# ns_sysctl NAMESPACE KEY VALUE: under net/ipv6 of that namespace.
ns_sysctl() {
	# shellcheck disable=SC2016 # the inner shell expands them
	nsenter --net="/run/netns/$1" sh -c 'echo "$2" > "/proc/sys/net/ipv6/$1"' sh "$2" "$3"
}

in_peer() { nsenter --net="/run/netns/$PEER" "$@"; }
in_here() { nsenter --net="/run/netns/$HERE" "$@"; }

# peer_send [-c N] [-r PPS] KEY=VALUE...: the words of t/send/frame.c, sent by the peer.
peer_send() {
	local opts=()
	while [[ $1 == -* ]]; do
		opts+=("$1" "$2")
		shift 2
	done
	in_peer "$HELPERS/send" "${opts[@]}" out0 "$@"
}

# got SOURCE COMMAND...: runs COMMAND and prints how many frames of SOURCE came
# through in0, past XDP, meanwhile.
got() {
	local want=$1
	shift
	export PEER HELPERS
	export -f peer_send in_peer
	in_here "$HELPERS/recv" in0 bash -c '"$@"' bash "$@" |
		awk -F'\t' -v want="$want" '$1 == want { n = $2 } END { print n + 0 }'
}

# until_true COMMAND...: until it succeeds; two minutes, which is more than a busy machine needs.
until_true() {
	local end=$((SECONDS + 120))
	until "$@"; do
		[[ $SECONDS -lt $end ]] || { echo "never: $*"; cat "${ERR-/dev/null}"; return 1; }
		sleep 0.05
	done
}

# A child of this shell that is gone for sure after its limit: bounded SECONDS COMMAND...
bounded() { timeout --kill-after=1 "$@"; }

# columns FILE NAME...: those columns of a stream, by name, for comparing.
columns() {
	local file=$1
	shift
	awk -F'\t' -v OFS='\t' -v names="$*" '
		$1 == "time" { n = split(names, want, " "); for (i = 1; i <= NF; i++) at[$i] = i }
		{ line = ""; for (i = 1; i <= n; i++) line = line (i > 1 ? OFS : "") $at[want[i]]; print line }' "$file"
}
