# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154 # set by kliq-doctor and common.bash
# The checks of kliq doctor that ask what is on an interface already.

# Programs in the XDP hook: none, ours, or one that has to go.
check_xdp() {
	local mode id name link fix list
	read -r -a list <<<"${programs#-}"
	[[ ${#list[@]} -gt 0 ]] || row xdp "$iface" ok "nothing is there"
	while [[ ${#list[@]} -ge 3 ]]; do
		mode=${list[0]} id=${list[1]} name=${list[2]}
		list=("${list[@]:3}")
		if [[ ${attached[$iface]-} == *" $id" ]]; then
			row xdp "$iface" ok "program $id, of this instance"
			continue
		fi
		case $mode in
		1) mode=xdpdrv ;;
		3) mode=xdpoffload ;;
		*) mode=xdpgeneric ;;
		esac
		link=$(probe bpftool -j link show |
			jq -r --argjson id "$id" '[.[] | select(.type == "xdp" and .prog_id == $id) | .id][0] // empty') || link=''
		fix="ip link set dev $iface $mode off"
		[[ -z $link ]] || fix="bpftool link detach id $link"
		[[ $name != xdp_dispatcher ]] || fix="xdp-loader unload $iface --all"
		if [[ $name == kl_shield ]]; then
			row xdp "$iface" bad "program $id: another instance of Shield is there" "kl-attach -p DIR --detach $iface, with its DIR"
		else
			row xdp "$iface" bad "program $id ($name) is there, and Shield cannot be beside it" "$fix"
		fi
	done
}

# Filters in the TC hooks: they go on working, before or behind Shield.
check_filters() {
	local hook text all='' own=''
	[[ -z ${attached[$iface]-} ]] || own='bpf kl_egress'
	has tc || return 0
	for hook in ingress egress; do
		text=$(probe tc -j filter show dev "$iface" "$hook" | jq -r --arg own "$own" '
			[.[] | select(.options) | [.kind, .options.prog.name // empty] | join(" ") | select(. != $own)] |
			join(", ")') || continue
		[[ -z $text ]] || all+="; $hook: $text"
	done
	if [[ -z $all ]]; then
		row tc "$iface" ok "no filters of others"
	else
		row tc "$iface" note "${all#; }: they see what Shield passes, and go on working"
	fi
}

check_rp_filter() {
	local all own
	all=$(cat /proc/sys/net/ipv4/conf/all/rp_filter 2>/dev/null) || return 0
	own=$(cat "/proc/sys/net/ipv4/conf/$iface/rp_filter" 2>/dev/null) || return 0
	if [[ $((all > own ? all : own)) == 0 ]]; then
		row rp_filter "$iface" note "off: packets with a forged source reach the sockets" \
			"sysctl -w net/ipv4/conf/$iface/rp_filter=1"
	else
		row rp_filter "$iface" ok "on"
	fi
}
