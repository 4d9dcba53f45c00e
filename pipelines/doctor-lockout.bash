# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154 # set by kliq-doctor and common.bash
# The check of kliq doctor that asks whom enforce-allow would lock out, and edge-mode allow does.

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
	[[ -z $found ]] || awk -v OFS='\t' '{ print "SSH peer", $1, $4 + 0 }' <<<"$found"
}

# Whom this host cannot do without: what it is, the address, and to which port it came. Neighbours on
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

# held TABLE ADDRESS [PORT]: does that table hold it?
held() {
	[[ -n $settings ]] && probe kl-rule -p "$pins" list "$1" |
		awk -F'\t' -v want="${2,,}" -v port="${3-}" -f "$here/address.awk" -f "$here/allowed.awk"
}

# of_edges WHAT ADDRESS PORT: in edge-mode allow. Who is asked by this host answers it, as far as that is seen.
of_edges() {
	if [[ $1 != "SSH peer" && ${#blind[@]} == 0 ]]; then
		row lockout "$2" ok "$1: its answers pass"
	elif [[ $1 != "SSH peer" ]]; then
		row lockout "$2" bad "$1: edge-mode is allow, and its answers are dropped on ${blind[*]}: what is sent there is not seen" \
			"kl-attach -p $pins --egress ${blind[*]}"
	elif held edge-allow "$2" "$3"; then
		row lockout "$2" ok "$1: in edge-allow"
	else
		row lockout "$2" bad "$1: not in edge-allow for $3/tcp, and edge-mode is allow" \
			"kl-rule -p $pins add edge-allow $2 $3/tcp"
	fi
}

check_lockout() {
	local what addr port
	while IFS=$'\t' read -r what addr port; do
		if held allow "$addr"; then
			row lockout "$addr" ok "$what: in allow"
		elif [[ $settings == *$'enforce-allow\ton'* ]]; then
			row lockout "$addr" bad "$what: not in allow, and enforce-allow is on" "kl-rule -p $pins add allow $addr"
		elif [[ $settings == *$'edge-mode\tallow'* ]]; then
			of_edges "$what" "$addr" "$port"
		else
			row lockout "$addr" note "$what: not in allow; enforce-allow would cut it off" "kl-rule -p $pins add allow $addr"
		fi
	done < <(lifelines)
}
