# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # used or set by its siblings and common.bash
# The checks of kliq doctor on one interface: its kind, its driver and what
# keeps that from native mode.

# Drivers with native XDP (Linux 6.12), as ethtool names them; the kernel since
# which; the largest MTU their ndo_bpf() takes from a program without fragments
# (negative: so much less than a page; where it depends on the card, about as
# much; -: no limit of its own); channels: half (only half may be in use), cpus
# (before 5.13 one for each CPU had to be free), - (as they are).
DRIVERS='
atlantic 5.19 2048 -
bnxt_en 4.11 -594 -
bonding 5.15 - -
ena 5.6 -598 half
fsl_dpa 5.11 -594 -
fsl_dpaa2_eth 5.0 -594 -
fsl_enetc 5.13 -594 -
gve 6.4 2032 half
hv_netvsc 5.6 -590 -
i40e 4.13 3046 -
ice 5.5 3046 -
igb 5.10 3046 -
igc 5.13 1500 -
ixgbe 4.12 3050 -
ixgbevf 4.17 3050 -
mana 5.17 -590 -
mlx4_en 4.8 -598 -
mlx5_core 4.9 -598 -
mvneta 5.5 -594 -
mvpp2 5.9 -594 -
nfp 4.10 -598 -
nicvf 4.12 1508 -
qede 4.10 -598 -
rvu_nicpf 5.16 1508 -
sfc 5.5 -598 -
st_gmac 5.13 1500 -
tun 4.14 - -
veth 4.19 -590 -
vif 5.9 -256 -
virtio_net 4.10 -590 cpus
vmxnet3 6.6 -602 -
'
USUAL_LIMIT=-598

# check_link IFACE: the rows of one interface. programs is mode, id and name of
# each XDP program that is there, one behind the other.
check_link() {
	local iface=$1 json driver native=unknown limit=- channels=- features=''
	local type kind up mtu master slave parent parentdev peer nsid programs
	json=$(probe ip -d -j link show dev "$iface") || { row link "$iface" bad "ip cannot show it" && return; }
	read -r type kind up mtu master slave parent parentdev peer nsid programs < <(jq -r '.[0] |
		[.link_type, .linkinfo.info_kind, (.flags | index("UP") != null), .mtu, .master, .linkinfo.info_slave_kind, .link,
		(.parentbus + "/" + .parentdev), .link_index, .link_netnsid,
		([.xdp // empty | (.attached // [.])[] | "\(.mode) \(.prog.id) \(.prog.name // "-")"] | join(" "))] |
		map(if . == null or . == "" then "-" else tostring end) | join(" ")' <<<"$json")
	if [[ $up == true ]]; then
		row link "$iface" ok "up"
	else
		row link "$iface" note "down" "ip link set dev $iface up"
	fi
	check_kind || return 0
	if has ethtool; then
		features=$(probe ethtool -k "$iface") || true
	fi
	check_driver
	check_mtu
	check_merging
	check_vlan
	check_queues
	check_xdp
	check_filters
	check_rp_filter
}

# What it is; 1 when the program cannot read its frames, so that nothing else matters.
check_kind() {
	local ports
	case $type:$kind in
	loopback:*) row kind "$iface" note "loopback: nothing from outside comes this way" ;;
	ether:veth) row kind "$iface" ok "one end of a veth pair" ;;
	ether:tun) row kind "$iface" ok "tap: whole frames of a virtual machine or a VPN" ;;
	ether:bridge)
		ports=$(probe ip -j link show master "$iface" | jq -r '[.[].ifname] | join(" ")') || ports=''
		row kind "$iface" note "bridge: generic mode, and sees only what is for this host" \
			"attach to its ports${ports:+: $ports}"
		;;
	ether:bond | ether:team)
		row kind "$iface" note "$kind: native mode only if all its members have it" ;;
	ether:vlan | ether:macvlan | ether:macvtap | ether:ipvlan)
		row kind "$iface" note "$kind on $parent: generic mode, and sees only its own part" "attach to $parent" ;;
	ether:-) row kind "$iface" ok "Ethernet" ;;
	ether:*) row kind "$iface" note "virtual ($kind): generic mode" ;;
	*)
		row kind "$iface" bad "${kind/#-/$type}: packets without an Ethernet header, which the program would misread" \
			"attach to the interface its packets come in by"
		return 1
		;;
	esac
	[[ $slave != bond && $slave != team ]] ||
		row member "$iface" note "a member of $master, which takes no program beside those of its members" "attach to $master"
}

driver_name() {
	[[ $type != loopback ]] || { echo loopback && return; }
	if has ethtool && probe ethtool -i "$iface" | sed -n 's/^driver: //p' | grep .; then
		return
	fi
	case $kind in
	veth | tun) echo "$kind" ;;
	bond) echo bonding ;;
	-) basename "$(readlink "/sys/bus/${parentdev%%/*}/devices/${parentdev#*/}/driver" ||
		readlink "/sys/class/net/$iface/device/driver" || echo -)" ;;
	*) echo "$kind" ;;
	esac
}

# native: yes, no or unknown; with its limits.
check_driver() {
	local name since most ways
	driver=$(driver_name)
	while read -r name since most ways; do
		[[ $name == "$driver" ]] || continue
		limit=$most channels=$ways native=no
		! at_least "$since" || native=yes
		break
	done <<<"$DRIVERS"
	[[ $native != unknown || $kind != - ]] || limit=$USUAL_LIMIT
	[[ $limit != -?* ]] || limit=$(($(getconf PAGE_SIZE) + limit))
	case $kind in
	- | veth | tun | bond) ;;
	*) native=no ;;
	esac
	[[ $type != loopback ]] || native=no
	if [[ -n ${attached[$iface]-} ]]; then
		row driver "$iface" "$([[ ${attached[$iface]} == native* ]] && echo ok || echo note)" \
			"$driver: attached in ${attached[$iface]%% *} mode"
	elif [[ $native == yes && $driver == virtio_net && $(feature rx-gro-hw) == "on fixed" ]]; then
		native=no
		row driver "$iface" note "$driver: generic mode, for the hypervisor merges packets and takes no order not to" \
			"in the hypervisor: guest_tso4=off guest_tso6=off guest_csum=off"
	elif [[ $native == yes ]]; then
		row driver "$iface" ok "$driver: native mode, since kernel $since"
	elif [[ $native == no && $name == "$driver" && -n $since ]] && ! at_least "$since"; then
		row driver "$iface" note "$driver: generic mode, which is slower" "kernel $since or newer"
	elif [[ $native == no ]]; then
		row driver "$iface" note "$driver: generic mode, which is slower"
	else
		row driver "$iface" note "$driver: not known here; native mode if it has XDP, else generic"
	fi
}

# The MTU that counts: its own, of a veth the peer's. A peer in a namespace without a name stays unseen.
check_mtu() {
	local on=$iface there='' ns=''
	if [[ $native == no || $limit == - ]]; then
		row mtu "$iface" ok "$mtu"
		return
	fi
	if [[ $kind == veth && $nsid != - ]]; then
		ns=$(probe ip -j netns list-id | jq -r --argjson id "$nsid" '.[] | select(.nsid == $id) | .name // empty') || ns=''
		there=${ns:+-n $ns }
	fi
	if [[ $kind == veth && ( $nsid == - || -n $ns ) ]]; then
		read -r on mtu < <(probe ip ${ns:+-n "$ns"} -j link show | jq -r --arg name "$parent" --arg index "$peer" \
			'.[] | select(.ifname == $name or "\(.ifindex)" == $index) | "\(.ifname) \(.mtu)"') || return 0
	elif [[ $kind == veth ]]; then
		row mtu "$iface" note "that of its peer counts, which is out of sight: at most $limit in native mode"
		return
	fi
	if [[ $mtu -le $limit ]]; then
		row mtu "$iface" ok "$mtu on $on, at most $limit in native mode"
	elif [[ $native == unknown ]]; then
		row mtu "$iface" note "$mtu: many drivers take at most $limit in native mode"
	else
		row mtu "$iface" bad "$mtu on $on is too large for native mode: generic mode, which is slower" \
			"ip ${there}link set dev $on mtu $limit"
	fi
}

# feature NAME: on, off, with " fixed" when it cannot be changed; nothing when unknown.
feature() {
	if [[ $features =~ (^|[[:space:]])"$1: "(on|off)(" ["(fixed))? ]]; then
		echo "${BASH_REMATCH[2]}${BASH_REMATCH[4]:+ fixed}"
	fi
}

# Packets merged before the program sees them count as one, and few drivers take both.
check_merging() {
	local name key value
	if [[ -z $features ]]; then
		row offloads "$iface" note "not looked at: ethtool did not tell"
		return
	fi
	for key in lro:large-receive-offload gro-hw:rx-gro-hw; do
		name=${key%%:*} key=${key#*:}
		value=$(feature "$key")
		case $name:$value:$native in
		*:"on fixed":*)
			row "$name" "$iface" note "on, and cannot be changed: merged packets count as one" ;;
		gro-hw:on:yes)
			row "$name" "$iface" note "on: the driver has to end it in native mode" "ethtool -K $iface $key off" ;;
		*:on:*)
			row "$name" "$iface" bad "on: merged packets count as one, and native mode is refused" \
				"ethtool -K $iface $key off" ;;
		*) row "$name" "$iface" ok "off" ;;
		esac
	done
}

check_vlan() {
	case $(feature rx-vlan-offload) in
	on*) row vlan-offload "$iface" note "tags are taken off before the program: it sees none, and judges the packet all the same" ;;
	off*) row vlan-offload "$iface" ok "off: tags are read" ;;
	esac
}

check_queues() {
	local most used cpus
	[[ $kind == - && $type == ether && -n $features ]] || return 0
	cpus=$(nproc --all)
	# Combined and receive channels: most, then used.
	read -r most used < <(probe ethtool -l "$iface" | awk '
		/^Current/ { part = 1 }
		/^(RX|Combined):/ { n[part + 0] += $2 }
		END { print n[0] + 0, n[1] + 0 }') || return 0
	[[ $used -gt 0 ]] || return 0
	if [[ $channels == half && $((used * 2)) -gt $most && $most -gt 1 ]]; then
		row queues "$iface" bad "$used of $most channels are used: native mode needs half of them free" \
			"ethtool -L $iface combined $((most / 2))"
	elif [[ $channels == cpus && $((used + cpus)) -gt $most ]] && ! at_least 5.13; then
		row queues "$iface" note \
			"$used of $most channels are used: before kernel 5.13 native mode needs $cpus free ones" \
			"in the hypervisor: queues=$((used + cpus))"
	elif [[ $used -lt $cpus && $used -lt $most && $channels != half ]]; then
		row queues "$iface" note "channels: $used of $most, CPUs: $cpus" \
			"ethtool -L $iface combined $((cpus < most ? cpus : most))"
	elif [[ $used -lt $cpus ]]; then
		row queues "$iface" note "channels: $used, CPUs: $cpus, and it takes no more"
	else
		row queues "$iface" ok "channels: $used, CPUs: $cpus"
	fi
}
