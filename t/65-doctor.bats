#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kliq doctor: on interfaces that are here, and, through an ip, an ethtool and
# a uname that tell of others, on hardware and kernels that are not.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # inner shells expand; bats sets stderr, and has a shell a test
load lib

setup() {
	need_root
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$BATS_TEST_TMPDIR"
	lab_up
	mkdir "$BATS_TEST_TMPDIR/bin"
	export STUBS=$BATS_TEST_TMPDIR/bin RESOLV=$BATS_TEST_TMPDIR/resolv.conf
	: >"$RESOLV"
	unset SSH_CONNECTION
	# The trial takes its time: most tests believe that it went well.
	printf '%s\n' '#!/bin/sh' 'printf "%s\n" "flavour new" "egress yes" "jited 1" "bytes 1048576"' >"$STUBS/unshare"
	chmod +x "$STUBS/unshare"
	in_here bash -c 'cd /proc/sys/net/ipv4 && echo 1 >tcp_syncookies && echo 1 >conf/all/rp_filter'
}

teardown() {
	lab_down
}

# The doctor in the namespace, with this test's resolvers and stand-ins, and
# what MOUNTS lays over other files: WHAT OVER.
doctor() {
	in_here unshare --mount bash -c '
		mount --bind "$RESOLV" "$(readlink -f /etc/resolv.conf)"
		while read -r what over; do
			mount --bind "$what" "$over"
		done <<<"$MOUNTS"
		PATH=$STUBS:$PATH exec ${AS-} kliq doctor "$@"' doctor -p "$PINS" "$@"
}
MOUNTS="/dev/null /dev/null"
export MOUNTS

# stub NAME LINE...: a command that stands in for NAME; the real one is $real.
stub() {
	local name=$1 real
	real=$(command -v "$name")
	shift
	printf '%s\n' '#!/bin/bash' "real=$real" "$@" 'exec "$real" "$@"' >"$STUBS/$name"
	chmod +x "$STUBS/$name"
}

# found STATUS CHECKS ARGUMENT...: runs the doctor, which ends with STATUS and
# says nothing to stderr; prints its rows of these checks, without its machine.
found() {
	local want=$1 checks=$2
	shift 2
	run --separate-stderr doctor "$@"
	if [[ $status != "$want" || -n $stderr ]]; then
		printf '%s\n' "status $status" "$output" "$stderr" >&2
		return 1
	fi
	awk -F'\t' -v checks=" $checks " 'index(checks, " " $1 " ") || checks == " all "' <<<"$output" |
		sed -E "s/[0-9]+ MiB/N MiB/g; s/(^kernel\t)[^\t]*/\1RELEASE/; s|$PINS|PINS|g"
}

# is_row CHECK SUBJECT RESULT DETAIL FIX: the first line on stdin is this.
is_row() { diff - <(printf '%s\t%s\t%s\t%s\t%s\n' "$@"); }

@test "all is well: every row, status 0" {
	rm "$STUBS/unshare"
	found 0 all in0 >"$BATS_TEST_TMPDIR/got"
	diff "$BATS_TEST_TMPDIR/got" - <<-'END'
		check	subject	result	detail	fix
		kernel	RELEASE	ok	5.10 is the oldest that will do	-
		caller	root	ok	may load programs and attach them	-
		bpffs	PINS	ok	mounted, may be written	-
		instance	PINS	ok	none yet	-
		program	host	ok	tried: loads, in the flavour with atomics (kernel 5.12)	-
		jit	host	ok	the program is compiled	-
		egress	host	ok	tried: the outbound program attaches	-
		memory	host	ok	the empty tables take N MiB of N MiB	-
		memlock	host	ok	no limit for maps	-
		btf	host	ok	the kernel tells its types	-
		syncookies	host	ok	on	-
		tool	-	ok	found setpriv flock ip jq tc ethtool bpftool sqlite3 mlr	-
		user	nobody	ok	reaches kl-score	-
		link	in0	ok	up	-
		kind	in0	ok	one end of a veth pair	-
		driver	in0	ok	veth: native mode, since kernel 4.19	-
		mtu	in0	ok	1500 on out0, at most 3506 in native mode	-
		lro	in0	ok	off	-
		gro-hw	in0	ok	off	-
		vlan-offload	in0	note	tags are taken off before the program: it sees none, and judges the packet all the same	-
		xdp	in0	ok	nothing is there	-
		tc	in0	ok	no filters of others	-
		rp_filter	in0	ok	on	-
	END
	# Rows are for awk, and nothing of the trial stays.
	awk -F'\t' 'NF != 5 || /""|\t\t|\t$/ { bad = 1 } END { exit bad }' "$BATS_TEST_TMPDIR/got"
	ip -n "$HERE" -j link show in0 | jq -e '.[0].xdp == null' >/dev/null
	diff <(find "$PINS" -mindepth 1 ! -name '*.debug') /dev/null
}

@test "a veth whose peer's MTU is too large: what it says is what happens, and its fix helps" {
	ip -n "$PEER" link set out0 mtu 3507
	# A pair within one namespace: its own MTU does not matter.
	ip -n "$HERE" link add a0 mtu 9000 type veth peer name b0 mtu 1500
	found 1 mtu in0 a0 b0 >"$BATS_TEST_TMPDIR/got"
	diff "$BATS_TEST_TMPDIR/got" - <<-END
		mtu	in0	bad	3507 on out0 is too large for native mode: generic mode, which is slower	ip -n $PEER link set dev out0 mtu 3506
		mtu	a0	ok	1500 on b0, at most 3506 in native mode	-
		mtu	b0	bad	9000 on a0 is too large for native mode: generic mode, which is slower	ip link set dev a0 mtu 3506
	END
	run ! in_here kl-attach -p "$PINS" --sources 4096 --mode native in0
	head -n 1 "$BATS_TEST_TMPDIR/got" | cut -f5 | bash
	found 0 mtu in0 | is_row mtu in0 ok "3506 on out0, at most 3506 in native mode" -
	in_here kl-attach -p "$PINS" --sources 4096 --mode native in0
	# A peer where nobody can look.
	unshare --net sleep 60 3>&- &
	away() { [[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/$$/ns/net)" ]]; }
	until_true away $!
	ip -n "$HERE" link set a0 netns $!
	found 0 mtu b0 | is_row mtu b0 note "that of its peer counts, which is out of sight: at most 3506 in native mode" -
	kill $!
}

@test "another XDP program is in the way: it is named, and the fix takes it off" {
	local id mode
	cat >"$BATS_TEST_TMPDIR/pass.c" <<-'END'
		__attribute__((section("xdp"), used)) int NAME(void *c) { return 2; }
	END
	clang -O2 -target bpf -DNAME=stranger -c -o "$BATS_TEST_TMPDIR/pass.o" "$BATS_TEST_TMPDIR/pass.c"
	clang -O2 -target bpf -DNAME=xdp_dispatcher -c -o "$BATS_TEST_TMPDIR/chain.o" "$BATS_TEST_TMPDIR/pass.c"
	for mode in xdpdrv xdpgeneric; do
		ip -n "$HERE" link set in0 $mode obj "$BATS_TEST_TMPDIR/pass.o" sec xdp
		id=$(ip -n "$HERE" -j link show in0 | jq '.[0].xdp.prog.id')
		found 1 xdp in0 >"$BATS_TEST_TMPDIR/got"
		is_row xdp in0 bad "program $id (stranger) is there, and Shield cannot be beside it" \
			"ip link set dev in0 $mode off" <"$BATS_TEST_TMPDIR/got"
		in_here bash -c "$(cut -f5 "$BATS_TEST_TMPDIR/got")"
		ip -n "$HERE" -j link show in0 | jq -e '.[0].xdp == null' >/dev/null
	done
	ip -n "$HERE" link set in0 xdpdrv obj "$BATS_TEST_TMPDIR/pass.o" sec xdp
	id=$(ip -n "$HERE" -j link show in0 | jq '.[0].xdp.prog.id')
	stub bpftool "case \$* in '-j link show') echo '[{\"id\":7,\"type\":\"xdp\",\"prog_id\":1},{\"id\":8,\"type\":\"xdp\",\"prog_id\":$id}]'; exit ;; esac"
	ip -n "$HERE" link add a0 type veth peer name b0
	ip -n "$HERE" link set a0 xdpgeneric obj "$BATS_TEST_TMPDIR/chain.o" sec xdp
	found 1 xdp in0 a0 | sed 's/program [0-9]*/program N/' | diff - <(cat <<-'END'
		xdp	in0	bad	program N (stranger) is there, and Shield cannot be beside it	bpftool link detach id 8
		xdp	a0	bad	program N (xdp_dispatcher) is there, and Shield cannot be beside it	xdp-loader unload a0 --all
	END
	)
}

@test "another instance of Shield" {
	in_here kl-attach -p "$PINS/other" --sources 4096 in0 >/dev/null
	id=$(ip -n "$HERE" -j link show in0 | jq '.[0].xdp.prog.id')
	found 1 "instance xdp" in0 | tail -n 1 |
		is_row xdp in0 bad "program $id: another instance of Shield is there" "kl-attach -p DIR --detach in0, with its DIR"
}

@test "where the instance runs: its interfaces are looked at without being named" {
	in_here kl-attach -p "$PINS" --sources 4096 --egress in0 >/dev/null
	id=$(ip -n "$HERE" -j link show in0 | jq '.[0].xdp.prog.id')
	found 0 "instance memory driver xdp tc" | diff - <(cat <<-END
		instance	PINS	ok	runs on in0 (native, egress)	-
		memory	host	ok	the instance has taken its memory	-
		driver	in0	ok	veth: attached in native mode	-
		xdp	in0	ok	program $id, of this instance	-
		tc	in0	ok	no filters of others	-
	END
	)
	in_here kl-attach -p "$PINS" --detach
	in_here kl-attach -p "$PINS" --sources 4096 --mode generic in0 >/dev/null
	ip -n "$HERE" link add a0 type veth peer name b0
	in_here kl-attach -p "$PINS" a0 >/dev/null
	ip -n "$HERE" link del a0
	found 0 "instance driver" | diff - <(cat <<-'END'
		instance	kernloom_shield_xdp_link_a0	note	its interface is gone	kl-attach -p PINS IFACE forgets it
		instance	PINS	ok	runs on in0 (generic)	-
		driver	in0	note	veth: attached in generic mode	-
	END
	)
}

@test "an instance these commands do not understand" {
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 77
	found 1 instance in0 >"$BATS_TEST_TMPDIR/got"
	grep -qP '^instance\tPINS\tbad\tkl-set: .*speaks another ABI than version [0-9]+.*\tkl-attach -p PINS --detach, then attach anew$' \
		"$BATS_TEST_TMPDIR/got"
}

@test "without IFACE the interfaces of the default routes, of both families, each once" {
	found 0 link | is_row link - note "no default route, and nothing attached" "kliq doctor IFACE"
	ip -n "$HERE" link add a0 type veth peer name b0
	ip -n "$HERE" addr add 192.0.2.2/24 dev a0
	ip -n "$HERE" link set a0 up
	ip -n "$HERE" link set b0 up
	ip -n "$HERE" route add default nexthop via 10.77.0.1 dev in0 nexthop via 192.0.2.1 dev a0
	ip -n "$HERE" -6 route add default via fd77::1 dev in0
	found 0 "link lockout" | diff - <(cat <<-'END'
		link	in0	ok	up	-
		link	a0	ok	up	-
		lockout	10.77.0.1	note	gateway: not in allow; enforce-allow would cut it off	kl-rule -p PINS add allow 10.77.0.1
		lockout	192.0.2.1	note	gateway: not in allow; enforce-allow would cut it off	kl-rule -p PINS add allow 192.0.2.1
		lockout	fd77::1	note	gateway: not in allow; enforce-allow would cut it off	kl-rule -p PINS add allow fd77::1
	END
	)
}

@test "bridge, macvlan, tap, loopback, a link that is down; tun: bad, and nothing else is said of it" {
	ip -n "$HERE" link add a0 type veth peer name b0
	ip -n "$HERE" link add br0 type bridge
	ip -n "$HERE" link set a0 master br0
	ip -n "$HERE" link add mv0 link b0 type macvlan
	in_here ip tuntap add tap0 mode tap
	ip -n "$HERE" link set tap0 up
	in_here ip tuntap add tun0 mode tun
	found 1 "link kind driver member mtu" br0 a0 mv0 tap0 lo tun0 | diff - <(cat <<-'END'
		link	br0	note	down	ip link set dev br0 up
		kind	br0	note	bridge: generic mode, and sees only what is for this host	attach to its ports: a0
		driver	br0	note	bridge: generic mode, which is slower	-
		mtu	br0	ok	1500	-
		link	a0	note	down	ip link set dev a0 up
		kind	a0	ok	one end of a veth pair	-
		driver	a0	ok	veth: native mode, since kernel 4.19	-
		mtu	a0	ok	1500 on b0, at most 3506 in native mode	-
		link	mv0	note	down	ip link set dev mv0 up
		kind	mv0	note	macvlan on b0: generic mode, and sees only its own part	attach to b0
		driver	mv0	note	macvlan: generic mode, which is slower	-
		mtu	mv0	ok	1500	-
		link	tap0	ok	up	-
		kind	tap0	ok	tap: whole frames of a virtual machine or a VPN	-
		driver	tap0	ok	tun: native mode, since kernel 4.14	-
		mtu	tap0	ok	1500	-
		link	lo	ok	up	-
		kind	lo	note	loopback: nothing from outside comes this way	-
		driver	lo	note	loopback: generic mode, which is slower	-
		mtu	lo	ok	65536	-
		link	tun0	note	down	ip link set dev tun0 up
		kind	tun0	bad	tun: packets without an Ethernet header, which the program would misread	attach to the interface its packets come in by
	END
	)
}

# card NAME DRIVER MTU USED MOST FEATURES [JSON]: an interface that is not here.
# FEATURES: what is on of lro, gro and vlan, with ! when it is fixed.
card() {
	local dir=$BATS_TEST_TMPDIR/cards/$1
	mkdir -p "$dir"
	cat >"$dir/link" <<-END
		[{"ifname":"$1","flags":["UP"],"mtu":$3,"link_type":"ether","parentbus":"none","parentdev":"none"${7-}}]
	END
	echo "driver: $2" >"$dir/-i"
	for pair in lro:large-receive-offload gro:rx-gro-hw vlan:rx-vlan-offload; do
		case " $6 " in
		*" ${pair%:*} "*) echo "${pair#*:}: on" ;;
		*" ${pair%:*}! "*) echo "${pair#*:}: on [fixed]" ;;
		*) echo "${pair#*:}: off [fixed]" ;;
		esac
	done >"$dir/-k"
	printf '%s\n' "Pre-set maximums:" "RX: n/a" "Combined: $5" "Current hardware settings:" "RX: n/a" "Combined: $4" >"$dir/-l"
}

# What is seen of all cards, by a machine of eight CPUs: seen STATUS NAME...
seen() {
	local cards=$BATS_TEST_TMPDIR/cards
	stub ip "[[ ! -f $cards/\${!#}/link ]] || exec cat $cards/\${!#}/link"
	stub ethtool "[[ ! -f $cards/\$2/\$1 ]] || exec cat $cards/\$2/\$1"
	stub nproc "echo 8; exit"
	found "$1" "kind member driver mtu lro gro-hw vlan-offload queues" "${@:2}" | cut -f2-
}

@test "cards: native mode, what keeps them from it, bond, member, VLAN, WireGuard" {
	card fine ixgbe 1500 8 8 ''
	card full ixgbe 9000 2 16 'lro vlan'
	card ena8 ena 3499 8 8 ''
	card ena4 ena 3498 4 8 ''
	card strange e1000e 4000 8 8 'lro! gro'
	card bnxt bnxt_en 1500 8 8 gro
	card virt virtio_net 1500 1 1 'gro!'
	card bond0 bonding 9000 0 0 '' ',"linkinfo":{"info_kind":"bond"}'
	card slave i40e 1500 8 8 '' ',"master":"bond0","linkinfo":{"info_slave_kind":"bond"}'
	card fine.5 "802.1Q VLAN Support" 9000 0 0 '' ',"link":"fine","linkinfo":{"info_kind":"vlan"}'
	card wg0 wireguard 1420 0 0 '' ',"linkinfo":{"info_kind":"wireguard"}'
	sed -i 's/"ether"/"none"/' "$BATS_TEST_TMPDIR/cards/wg0/link"
	seen 1 fine full ena8 ena4 strange bnxt virt bond0 slave fine.5 wg0 >"$BATS_TEST_TMPDIR/got"
	awk -F'\t' '$1 == "fine" || $2 != "ok"' "$BATS_TEST_TMPDIR/got" | diff - <(cat <<-'END'
		fine	ok	Ethernet	-
		fine	ok	ixgbe: native mode, since kernel 4.12	-
		fine	ok	1500 on fine, at most 3050 in native mode	-
		fine	ok	off	-
		fine	ok	off	-
		fine	ok	off: tags are read	-
		fine	ok	channels: 8, CPUs: 8	-
		full	bad	9000 on full is too large for native mode: generic mode, which is slower	ip link set dev full mtu 3050
		full	bad	on: merged packets count as one, and native mode is refused	ethtool -K full large-receive-offload off
		full	note	tags are taken off before the program: it sees none, and judges the packet all the same	-
		full	note	channels: 2 of 16, CPUs: 8	ethtool -L full combined 8
		ena8	bad	3499 on ena8 is too large for native mode: generic mode, which is slower	ip link set dev ena8 mtu 3498
		ena8	bad	8 of 8 channels are used: native mode needs half of them free	ethtool -L ena8 combined 4
		ena4	note	channels: 4, CPUs: 8, and it takes no more	-
		strange	note	e1000e: not known here; native mode if it has XDP, else generic	-
		strange	note	4000: many drivers take at most 3498 in native mode	-
		strange	note	on, and cannot be changed: merged packets count as one	-
		strange	bad	on: merged packets count as one, and native mode is refused	ethtool -K strange rx-gro-hw off
		bnxt	note	on: the driver has to end it in native mode	ethtool -K bnxt rx-gro-hw off
		virt	note	virtio_net: generic mode, for the hypervisor merges packets and takes no order not to	in the hypervisor: guest_tso4=off guest_tso6=off guest_csum=off
		virt	note	on, and cannot be changed: merged packets count as one	-
		virt	note	channels: 1, CPUs: 8, and it takes no more	-
		bond0	note	bond: native mode only if all its members have it	-
		slave	note	a member of bond0, which takes no program beside those of its members	attach to bond0
		fine.5	note	vlan on fine: generic mode, and sees only its own part	attach to fine
		fine.5	note	802.1Q VLAN Support: generic mode, which is slower	-
		wg0	bad	wireguard: packets without an Ethernet header, which the program would misread	attach to the interface its packets come in by
	END
	)
	awk -F'\t' '$1 == "bond0" && $2 == "ok"' "$BATS_TEST_TMPDIR/got" | head -n 2 | diff - <(cat <<-'END'
		bond0	ok	bonding: native mode, since kernel 5.15	-
		bond0	ok	9000	-
	END
	)
}

@test "cards on an older kernel" {
	card virt virtio_net 1500 1 1 ''
	card vmx vmxnet3 9000 8 8 ''
	stub uname "echo 5.12.0-9-amd64; exit"
	seen 0 virt vmx | awk -F'\t' '$2 != "ok"' | diff - <(cat <<-'END'
		virt	note	1 of 1 channels are used: before kernel 5.13 native mode needs 8 free ones	in the hypervisor: queues=9
		vmx	note	vmxnet3: generic mode, which is slower	kernel 6.6 or newer
	END
	)
}

@test "bpffs: not one, not there, read-only" {
	mkdir "$BATS_TEST_TMPDIR/plain"
	found 1 bpffs -p "$BATS_TEST_TMPDIR/plain" in0 |
		is_row bpffs "$BATS_TEST_TMPDIR/plain" bad "not on a bpffs" "mount -t bpf bpf $BATS_TEST_TMPDIR/plain"
	found 1 bpffs -p "$BATS_TEST_TMPDIR/no/where" in0 |
		is_row bpffs "$BATS_TEST_TMPDIR/no/where" bad "neither it nor the directory above is there" \
			"mkdir -p $BATS_TEST_TMPDIR/no; mount -t bpf bpf $BATS_TEST_TMPDIR/no"
	found 0 bpffs -p "$PINS/new" in0 | is_row bpffs PINS/new ok "mounted, may be written" -
	mount -o remount,ro "$PINS"
	found 1 bpffs in0 |
		is_row bpffs PINS bad "mounted, but not to be written" "run it as root, or mount -o remount,rw PINS"
	mount -o remount,rw "$PINS"
}

@test "not root" {
	export AS="setpriv --reuid=65534 --regid=65534 --clear-groups"
	found 1 "caller program jit user link" in0 | diff - <(cat <<-'END'
		caller	nobody	bad	lacks CAP_BPF or CAP_NET_ADMIN	run it as root
		program	host	note	not tried: that needs root	sudo kliq doctor
		user	nobody	note	not tried: that needs root	-
		link	in0	ok	up	-
	END
	)
	# Root in name only, and one who may do just enough.
	AS="setpriv --bounding-set -net_admin"
	found 1 caller in0 | is_row caller root bad "lacks CAP_BPF or CAP_NET_ADMIN" "run it as root"
	AS="setpriv --bounding-set -sys_admin"
	found 0 "caller program" in0 | head -n 1 | is_row caller root ok "may load programs and attach them" -
}

@test "kernels: too old, and before the memory of maps was free" {
	stub uname "echo 5.4.0-1; exit"
	found 1 kernel in0 | is_row kernel RELEASE bad "older than 5.10" "install a newer kernel"
	stub uname "echo 5.10.0-1; exit"
	ulimit -l 64
	# Not every root may raise the limit.
	if setpriv --dump | grep -q '^Capability bounding set:.*sys_resource'; then
		found 0 "kernel memlock" in0 | diff - <(cat <<-'END'
			kernel	RELEASE	ok	5.10 is the oldest that will do	-
			memlock	host	ok	64 KiB, which kl-attach may raise	-
		END
		)
	fi
	export AS="setpriv --bounding-set -sys_resource"
	found 1 memlock in0 | is_row memlock host bad "64 KiB, too little before kernel 5.11" "ulimit -l unlimited"
	stub uname "echo 5.11.0; exit"
	found 0 memlock in0 | is_row memlock host ok "no limit for maps" -
}

@test "the trial: an older flavour, a refusal, no outbound hook, an interpreter, too little memory" {
	rm "$STUBS/unshare"
	stub kl-attach 'case $* in *"--flavour new"*) echo "kl-attach: cannot load: new" >&2; exit 4 ;; *--egress*) echo "kl-attach: no hook" >&2; exit 4 ;; esac'
	stub ip 'case $* in "-d -j link show dev lo") "$real" "$@" | sed s/\"jited\":1/\"jited\":0/; exit ;; esac'
	free=$BATS_TEST_TMPDIR/meminfo
	sed 's/^\(MemAvailable: *\)[0-9]*/\120480/' /proc/meminfo >"$free"
	MOUNTS="$free /proc/meminfo"
	found 1 "program jit egress memory" in0 | diff - <(cat <<-'END'
		program	host	note	tried: loads, in the flavour with locks, a little slower	kernel 5.12 or newer
		jit	host	bad	the program is interpreted	sysctl -w net.core.bpf_jit_enable=1
		egress	host	note	no outbound program: kl-attach: no hook	modprobe -a sch_ingress cls_bpf
		memory	host	bad	the empty tables take N MiB, and N MiB are free	kl-attach --sources N, with a smaller N
	END
	)
	stub kl-attach 'case $* in *--flavour*) printf "kl-attach: cannot load: \"maps\"\n" >&2; exit 4 ;; esac'
	found 1 "program jit egress memory" in0 | is_row program host bad "kl-attach: cannot load: 'maps'" -
}

@test "tools that are missing are named with their package; nothing crashes" {
	MOUNTS="/dev/null $(readlink -f "$(command -v ethtool)")
/dev/null $(readlink -f "$(command -v mlr)")"
	found 0 "tool kind driver offloads lro queues mtu" in0 | diff - <(cat <<-'END'
		tool	ethtool	note	missing: offloads and queues are not looked at	apt-get install ethtool
		tool	mlr	note	missing: handy for reading streams	apt-get install miller
		tool	-	ok	found setpriv flock ip jq tc bpftool sqlite3	-
		kind	in0	ok	one end of a veth pair	-
		driver	in0	ok	veth: native mode, since kernel 4.19	-
		mtu	in0	ok	1500 on out0, at most 3506 in native mode	-
		offloads	in0	note	not looked at: ethtool did not tell	-
	END
	)
	MOUNTS="/dev/null $(readlink -f "$(command -v bpftool)")
/dev/null $(readlink -f "$(command -v tc)")
/dev/null $(readlink -f "$(command -v sqlite3)")"
	rm "$STUBS/unshare"
	found 0 "memory tool tc" in0 | diff - <(cat <<-'END'
		memory	host	note	not measured: bpftool did not say	apt-get install bpftool
		tool	tc	note	missing: filters are not looked at	apt-get install iproute2
		tool	bpftool	note	missing: memory is not measured	apt-get install bpftool
		tool	sqlite3	note	missing: nothing is learnt	apt-get install sqlite3
		tool	-	ok	found setpriv flock ip jq ethtool mlr	-
	END
	)
	MOUNTS="/dev/null $(readlink -f "$(command -v jq)")
/dev/null $(readlink -f "$(command -v setpriv)")"
	found 1 "tool jit link user" in0 | diff - <(cat <<-'END'
		jit	host	note	not looked at: ip or jq did not say	-
		tool	setpriv	bad	missing: kliq run needs it	apt-get install util-linux
		tool	jq	note	missing: interfaces are not looked at	apt-get install jq
		tool	-	ok	found flock ip tc ethtool bpftool sqlite3 mlr	-
		link	-	bad	not looked at: missing jq	apt-get install iproute2 jq
	END
	)
}

@test "the unprivileged user cannot reach the filters" {
	found 0 user --user daemon in0 | is_row user daemon ok "reaches kl-score" -
	mkdir "$BATS_TEST_TMPDIR/hidden"
	MOUNTS="$BATS_TEST_TMPDIR/hidden $(dirname "$(readlink -f "$(command -v kl-score)")")"
	for c in kl-attach kl-set kl-rule kliq; do
		cp -L "$(command -v $c)" "$BATS_TEST_TMPDIR/hidden"
	done
	ln -sf "$TOP/pipelines/kliq" "$BATS_TEST_TMPDIR/hidden/kliq"
	# An installation of this machine is none of theirs.
	PATH=${MOUNTS#* }:/usr/sbin:/usr/bin:/sbin:/bin found 1 user in0 |
		is_row user nobody bad "cannot reach kl-score" "install kernloom where every user may enter"
}

@test "sysctls and filters that are there" {
	in_here bash -c 'cd /proc/sys/net/ipv4 && echo 0 >tcp_syncookies && echo 0 >conf/all/rp_filter && echo 0 >conf/in0/rp_filter'
	in_here tc qdisc add dev in0 clsact
	in_here tc filter add dev in0 ingress bpf bytecode '1,6 0 0 4294967295,'
	in_here tc filter add dev in0 egress bpf bytecode '1,6 0 0 4294967295,'
	found 0 "syncookies tc rp_filter" in0 >"$BATS_TEST_TMPDIR/got"
	diff "$BATS_TEST_TMPDIR/got" - <<-'END'
		syncookies	host	note	off: a SYN flood below the limits fills the backlog	sysctl -w net.ipv4.tcp_syncookies=1
		tc	in0	note	ingress: bpf; egress: bpf: they see what Shield passes, and go on working	-
		rp_filter	in0	note	off: packets with a forged source reach the sockets	sysctl -w net/ipv4/conf/in0/rp_filter=1
	END
	in_here bash -c "$(cut -f5 "$BATS_TEST_TMPDIR/got" | grep sysctl)" >/dev/null
	in_here bash -c 'cd /proc/sys/net/ipv4 && cat tcp_syncookies conf/in0/rp_filter' | diff - <(printf '1\n1\n')
}

@test "whom enforce-allow would lock out: the SSH peer, gateways, resolvers" {
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	ip -n "$HERE" route add default via 10.77.0.1 dev in0
	ip -n "$HERE" -6 route add default via fe80::1 dev in0
	printf 'nameserver 127.0.0.53\nnameserver 198.51.100.53\nnameserver fd77::35\nnameserver fe80::1%%in0\n' >"$RESOLV"
	# shellcheck disable=SC2016 # not for this shell
	printf 'nameserver $(reboot)\n' >>"$RESOLV"
	export SSH_CONNECTION="192.0.2.200 50000 10.77.0.2 22"
	rows() {
		cat <<-END
			lockout	192.0.2.200	$1	SSH peer: $2	$3
			lockout	10.77.0.1	$1	gateway: $2	$4
			lockout	198.51.100.53	$1	resolver: $2	$5
			lockout	fd77::35	$1	resolver: $2	$6
		END
	}
	fixes=()
	for a in 192.0.2.200 10.77.0.1 198.51.100.53 fd77::35; do
		fixes+=("kl-rule -p PINS add allow $a")
	done
	found 0 lockout in0 | diff - <(rows note "not in allow; enforce-allow would cut it off" "${fixes[@]}")
	# Prefixes that just miss each of them.
	printf '%s\n' 192.0.2.0/25 192.0.2.201 10.77.0.2/31 198.51.100.54/31 fd77::36/127 0.0.0.0/8 |
		kl-rule -p "$PINS" load allow
	kl-set -p "$PINS" -f enforce-allow on
	found 1 lockout in0 | diff - <(rows bad "not in allow, and enforce-allow is on" "${fixes[@]}")
	# And that just hold each of them.
	printf '%s\n' 192.0.2.128/25 10.77.0.1 198.51.100.52/31 fd77::34/127 | kl-rule -p "$PINS" load allow
	found 0 lockout in0 | diff - <(rows ok "in allow" - - - -)
	kl-rule -p "$PINS" flush allow
	printf '%s\n' 0.0.0.0/0 ::/0 | kl-rule -p "$PINS" load allow
	found 0 lockout in0 | diff - <(rows ok "in allow" - - - -)
}

@test "whom edge-mode allow locks out: an SSH peer without an edge, whoever answers where nothing sent is seen" {
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	ip -n "$HERE" route add default via 10.77.0.1 dev in0
	echo 'nameserver fd77::35' >"$RESOLV"
	export SSH_CONNECTION="192.0.2.200 50000 10.77.0.2 2222"
	kl-set -p "$PINS" -f edge-mode allow
	# All but the very edge: port, protocol, source.
	edges() { kl-rule -p "$PINS" "$1" edge-allow 192.0.2.200 "$2"; }
	edges add 22/tcp
	edges add 2222/udp
	kl-rule -p "$PINS" add edge-allow 192.0.2.201 2222/tcp
	blind="edge-mode is allow, and its answers are dropped on in0: what is sent there is not seen"
	found 1 lockout in0 | diff - <(cat <<-END
		lockout	192.0.2.200	bad	SSH peer: not in edge-allow for 2222/tcp, and edge-mode is allow	kl-rule -p PINS add edge-allow 192.0.2.200 2222/tcp
		lockout	10.77.0.1	bad	gateway: $blind	kl-attach -p PINS --egress in0
		lockout	fd77::35	bad	resolver: $blind	kl-attach -p PINS --egress in0
	END
	)
	# What it says to do is what helps.
	while read -r fix; do
		in_here bash -c "${fix//PINS/$PINS}" >/dev/null
	done < <(found 1 lockout in0 | cut -f5 | sort -u)
	found 0 lockout in0 | diff - <(cat <<-'END'
		lockout	192.0.2.200	ok	SSH peer: in edge-allow	-
		lockout	10.77.0.1	ok	gateway: its answers pass	-
		lockout	fd77::35	ok	resolver: its answers pass	-
	END
	)
	edges del 2222/tcp
	kl-rule -p "$PINS" add allow 192.0.2.200
	found 0 lockout in0 | head -n 1 | diff - <(echo 'lockout	192.0.2.200	ok	SSH peer: in allow	-')
	kl-rule -p "$PINS" flush allow
	kl-set -p "$PINS" -f enforce-allow on
	found 1 lockout in0 | cut -f3,4 | sed 's/.*: //' | sort -u | diff - <(echo 'not in allow, and enforce-allow is on')
}

@test "sudo hides the SSH session; an ancestor knows it" {
	export HERE PINS
	SSH_CONNECTION="192.0.2.9 50000 10.77.0.2 22" bash -c '
		"$@" | grep "^lockout" >"$0"; exit 0' "$BATS_TEST_TMPDIR/got" \
		env -u SSH_CONNECTION bash -c "$(declare -f doctor in_here); doctor in0"
	cut -f1-3 "$BATS_TEST_TMPDIR/got" | diff - <(printf 'lockout\t192.0.2.9\tnote\n')
}

@test "called wrongly" {
	says() { # STATUS MESSAGE ARGUMENT...
		local want=$1 line=$2
		shift 2
		run --separate-stderr doctor "$@"
		[ "$status" -eq "$want" ]
		diff <(echo "$stderr") <(echo "kliq: $line")
		[ "$output" = "" ]
	}
	says 2 "no interface 'nowhere0'" nowhere0
	says 2 "no interface 'nowhere0'" in0 nowhere0
	says 2 "unknown option '--enforce': 'kliq help' lists them" --enforce in0
	says 2 "no user 'no-such-user'" --user no-such-user in0
	says 2 "'root' is no unprivileged user" --user root in0
	says 2 "-p needs a value" -p
	run bash -c 'kliq doctor lo 2>&1 >/dev/full'
	[ "$status" -eq 4 ]
	[ "$output" = "kliq: cannot write the rows" ]
}
