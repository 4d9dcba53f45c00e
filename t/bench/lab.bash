# SPDX-License-Identifier: BSD-2-Clause
# A namespace, a veth pair and a bpffs for timings; gone when the script ends.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C
TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../build/bench" && pwd)
LAB=klb$$
TMP=$(mktemp -d)
PIN=$TMP/bpf/k
export TMP PIN TOOLS LAB

lab_up() {
	mkdir "$TMP/bpf"
	mount -t bpf bpf "$TMP/bpf"
	ip netns add "$LAB"
	# One queue, so that one thread receives everything.
	ip link add "$LAB" numrxqueues 1 numtxqueues 1 type veth \
		peer name "${LAB}p" numrxqueues 1 numtxqueues 1 netns "$LAB"
	sysctl -qw "net.ipv6.conf.$LAB.disable_ipv6=1"
	ip netns exec "$LAB" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ip link set "$LAB" up
	ip -n "$LAB" link set "${LAB}p" up
}

lab_down() {
	ip link del "$LAB" 2>/dev/null || true
	ip netns del "$LAB" 2>/dev/null || true
	rm -rf "$PIN" 2>/dev/null || true
	umount "$TMP/bpf" 2>/dev/null || true
	rm -rf "$TMP"
}
trap lab_down EXIT

# attach [OPTION...]: a new instance on the lab's interface
attach() {
	kl-attach -p "$PIN" --detach >/dev/null 2>&1 || true
	kl-attach -p "$PIN" "$@" "$LAB" >/dev/null
}

# row WHAT CASE N FIGURE UNIT [MIN MAX]
row() {
	local IFS=$'\t'
	printf '%s\n' "$1	$2	$3	$4	$5	${6:--}	${7:--}"
}
