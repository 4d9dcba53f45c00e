# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154 # set by kliq-doctor and common.bash
# The checks of kliq doctor that are trials: the program is loaded and attached
# in namespaces and on a bpffs of their own, and goes with them.

# In namespaces of its own: loads the program as kl-attach does, and prints what came of it.
rehearsal() {
	local flavour text='' prog dir=$1
	mount -t bpf bpf "$dir" || { echo "failed no bpffs can be mounted" && return; }
	for flavour in new old; do
		if text=$(kl-attach -p "$dir/try" --flavour "$flavour" --mode generic lo 2>&1 >/dev/null); then
			echo "flavour $flavour"
			break
		fi
		[[ $flavour == new ]] || { echo "failed ${text##*$'\n'}" && return; }
	done
	if text=$(kl-attach -p "$dir/try" --egress lo 2>&1 >/dev/null); then
		echo "egress yes"
	else
		echo "refused ${text##*$'\n'}"
	fi
	prog=$(ip -d -j link show dev lo | jq -c '.[0].xdp.prog')
	jq -r '"jited \(.jited)"' <<<"$prog"
	prog=$(bpftool -j prog show id "$(jq .id <<<"$prog")" | jq -c .map_ids)
	bpftool -j map show | jq -r --argjson ids "$prog" \
		'"bytes \([.[] | select(.id as $i | $ids | index($i)) | .bytes_memlock] | add)"'
} 2>/dev/null

# The surest answer to what the kernel takes: it is given the program, out of sight.
check_rehearsal() {
	local dir key value
	local -A got=()
	if ! can "$CAP_NET_ADMIN" || ! can "$CAP_SYS_ADMIN"; then
		row program host note "not tried: that needs root" "sudo kliq doctor"
		return
	fi
	dir=$(mktemp -d)
	# shellcheck disable=SC2064 # now
	trap "rmdir '$dir'" EXIT
	export -f rehearsal
	# shellcheck disable=SC2016 # the inner shell expands it
	while read -r key value; do
		got[$key]=$value
	done < <(PROBE_SECONDS=30 probe unshare --net --mount bash -c 'rehearsal "$1"' rehearsal "$dir" || true)
	rmdir "$dir"
	trap - EXIT
	if [[ -z ${got[flavour]-} ]]; then
		row program host bad "${got[failed]:-no namespace to try it in}"
		return
	fi
	case ${got[flavour]} in
	new) row program host ok "tried: loads, in the flavour with atomics (kernel 5.12)" ;;
	old) row program host note "tried: loads, in the flavour with locks, a little slower" "kernel 5.12 or newer" ;;
	esac
	case ${got[jited]-} in
	1) row jit host ok "the program is compiled" ;;
	0 | null) row jit host bad "the program is interpreted" "sysctl -w net.core.bpf_jit_enable=1" ;;
	*) row jit host note "not looked at: ip or jq did not say" ;;
	esac
	if [[ -n ${got[egress]-} ]]; then
		row egress host ok "tried: the outbound program attaches"
	else
		row egress host note "no outbound program: ${got[refused]-}" "modprobe -a sch_ingress cls_bpf"
	fi
	check_memory "${got[bytes]-}"
}

check_memory() {
	local bytes=$1 key free=0 rest need
	if [[ ${#attached[@]} -gt 0 ]]; then
		row memory host ok "the instance has taken its memory"
		return
	fi
	while read -r key rest; do
		[[ $key != MemAvailable: ]] || free=$((${rest% kB} / 1024))
	done </proc/meminfo
	if [[ ! $bytes =~ ^[0-9]+$ ]]; then
		row memory host note "not measured: bpftool did not say" "apt-get install bpftool"
		return
	fi
	need=$((bytes / 1048576 + 1))
	if [[ $need -le $((free / 2)) ]]; then
		row memory host ok "the empty tables take $need MiB of $free MiB"
	else
		row memory host bad "the empty tables take $need MiB, and $free MiB are free" \
			"kl-attach --sources N, with a smaller N"
	fi
}
