# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # used or set by kliq-doctor and common.bash
# The checks of kliq doctor that are not of one interface: kernel, caller,
# bpffs, the instance, tools.

check_kernel() {
	if at_least 5.10; then
		row kernel "$release" ok "5.10 is the oldest that will do"
	else
		row kernel "$release" bad "older than 5.10" "install a newer kernel"
	fi
}

# can BIT: a capability in force (linux/capability.h).
can() { ((0x$caps >> $1 & 1)); }
CAP_NET_ADMIN=12 CAP_SYS_ADMIN=21 CAP_SYS_RESOURCE=24 CAP_BPF=39

check_caller() {
	local key value
	caps=0
	while read -r key value; do
		[[ $key != CapEff: ]] || caps=$value
	done </proc/self/status
	if can $CAP_NET_ADMIN && { can $CAP_BPF || can $CAP_SYS_ADMIN; }; then
		row caller "$(id -un)" ok "may load programs and attach them"
	else
		row caller "$(id -un)" bad "lacks CAP_BPF or CAP_NET_ADMIN" "run it as root"
	fi
}

check_bpffs() {
	local dir=$pins
	[[ -e $dir ]] || dir=$(dirname "$pins")
	if [[ ! -d $dir ]]; then
		row bpffs "$pins" bad "neither it nor the directory above is there" "mkdir -p $dir; mount -t bpf bpf $dir"
	elif [[ $(stat -f -c %t "$dir") != cafe4a11 ]]; then
		row bpffs "$pins" bad "not on a bpffs" "mount -t bpf bpf $dir"
	elif [[ ! -w $dir ]]; then
		row bpffs "$pins" bad "mounted, but not to be written" "run it as root, or mount -o remount,rw $dir"
	else
		row bpffs "$pins" ok "mounted, may be written"
	fi
}

# The instance under DIR: attached[IFACE] is its mode and program, settings are its settings, blind are the
# interfaces where it does not see what is sent.
check_instance() {
	local text status=0 iface mode prog pin egress list=''
	settings=''
	text=$(timeout "$PROBE_SECONDS" kl-attach -p "$pins" --status 2>&1) || status=$?
	case $status in
	0) ;;
	1) row instance "$pins" ok "none yet" && return ;;
	*) row instance "$pins" bad "${text##*$'\n'}" && return ;;
	esac
	while IFS=$'\t' read -r iface mode prog pin egress; do
		[[ $iface != iface ]] || continue
		if [[ $iface == - ]]; then
			row instance "$pin" note "its interface is gone" "kl-attach -p $pins IFACE forgets it"
			continue
		fi
		attached["$iface"]="$mode $prog"
		[[ $egress == yes ]] || blind+=("$iface")
		list+=" $iface ($mode$([[ $egress != yes ]] || echo ', egress'))"
	done <<<"$text"
	if settings=$(timeout "$PROBE_SECONDS" kl-set -p "$pins" 2>&1); then
		row instance "$pins" ok "runs on${list:- nothing}"
	else
		row instance "$pins" bad "${settings##*$'\n'}" "kl-attach -p $pins --detach, then attach anew"
		settings=''
	fi
}

# From 5.11 on the memory of maps is not held against the limit.
check_memlock() {
	local limit
	limit=$(ulimit -l)
	if at_least 5.11 || [[ $limit == unlimited ]]; then
		row memlock host ok "no limit for maps"
	elif can $CAP_SYS_RESOURCE; then
		row memlock host ok "$limit KiB, which kl-attach may raise"
	else
		row memlock host bad "$limit KiB, too little before kernel 5.11" "ulimit -l unlimited"
	fi
}

check_btf() {
	if [[ -r /sys/kernel/btf/vmlinux ]]; then
		row btf host ok "the kernel tells its types"
	else
		row btf host note "the kernel does not tell its types; Shield does not need them"
	fi
}

check_syncookies() {
	local value
	value=$(cat /proc/sys/net/ipv4/tcp_syncookies 2>/dev/null) || return 0
	if [[ $value == 0 ]]; then
		row syncookies host note "off: a SYN flood below the limits fills the backlog" "sysctl -w net.ipv4.tcp_syncookies=1"
	else
		row syncookies host ok "on"
	fi
}

check_tools() {
	local tool package need found=''
	while read -r tool package need; do
		if has "$tool"; then
			found+=" $tool"
		elif [[ $need == must ]]; then
			row tool "$tool" bad "missing: kliq run needs it" "apt-get install $package"
		else
			row tool "$tool" note "missing: $need" "apt-get install $package"
		fi
	done <<-'END'
		setpriv util-linux must
		flock util-linux must
		ip iproute2 interfaces are not looked at
		jq jq interfaces are not looked at
		tc iproute2 filters are not looked at
		ethtool ethtool offloads and queues are not looked at
		bpftool bpftool memory is not measured
		sqlite3 sqlite3 nothing is learnt
		mlr miller handy for reading streams
	END
	row tool - ok "found${found:- none}"
}

# As kliq run sees it.
check_user() {
	if [[ $EUID != 0 ]]; then
		row user "$user" note "not tried: that needs root"
		return
	fi
	has setpriv || return 0
	# shellcheck disable=SC2016 # the inner shell expands it
	if probe "${pure[@]}" sh -c 'test -x "$(command -v kl-score)"'; then
		row user "$user" ok "reaches kl-score"
	else
		row user "$user" bad "cannot reach kl-score" "install kernloom where every user may enter"
	fi
}
