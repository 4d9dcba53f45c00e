# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154 # set by kliq-doctor and common.bash
# The check of kliq doctor that asks whom enforce-allow would lock out.

# The peer of the SSH session this runs in: sudo hides it, an ancestor knows it.
ssh_peer() {
	local pid=$$ key value found=${SSH_CONNECTION-} parent
	while [[ -z $found && $pid -gt 1 ]]; do
		parent=0
		while read -r key value; do
			[[ $key != PPid: ]] || parent=$value
		done <"/proc/$pid/status" || break
		pid=$parent
		found=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=//p' | head -n 1) || found=''
	done 2>/dev/null
	[[ -z $found ]] || printf 'SSH peer\t%s\n' "${found%% *}"
}

# Whom this host cannot do without: what it is, and the address. Neighbours on
# the link itself speak by neighbour discovery, which always passes. The
# environment may hold anything: only what looks like an address gets into a fix.
lifelines() {
	local conf=/etc/resolv.conf
	[[ ! -r /run/systemd/resolve/resolv.conf ]] || conf=/run/systemd/resolve/resolv.conf
	{
		ssh_peer
		awk -F'\t' 'NF && $2 != "-" { print "gateway\t" $2 }' <<<"$routes"
		awk '$1 == "nameserver" { print "resolver\t" $2 }' "$conf" 2>/dev/null || true
	} | sed 's/%.*//' | awk -F'\t' '$2 ~ /^[0-9A-Fa-f:.]+$/ && tolower($2) !~ /^(127\.|::1$|fe80:)/ && !seen[$2]++'
}

check_lockout() {
	local what addr on=''
	[[ $settings != *$'enforce-allow\ton'* ]] || on=yes
	while IFS=$'\t' read -r what addr; do
		if [[ -n $settings ]] && probe kl-rule -p "$pins" list allow |
			awk -F'\t' -v want="${addr,,}" -f "$here/address.awk" -f "$here/allowed.awk"; then
			row lockout "$addr" ok "$what: in allow"
		elif [[ -n $on ]]; then
			row lockout "$addr" bad "$what: not in allow, and enforce-allow is on" "kl-rule -p $pins add allow $addr"
		else
			row lockout "$addr" note "$what: not in allow; enforce-allow would cut it off" "kl-rule -p $pins add allow $addr"
		fi
	done < <(lifelines)
}
