# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # names shared with kliq-demo
# The world of kliq demo: nodes on a wire, a server, a client, five attacks.
# Sourced by kliq-demo in the namespaces and the folder it made for it.
SERVER4=192.0.2.1 SERVER6=2001:db8::1
declare -A ADDRESS=(
	[client4]=203.0.113.10 [client6]=2001:db8:c::10
	[syn]=198.51.100.66 [udp]=198.51.100.77 [scan]=2001:db8:bad::66
	[rotate]=2001:db8:66::/64 [spoof]='*'	# a network of many; all of them
)

inside() { nsenter --net="/run/netns/$1" "${@:2}"; }

# node NAME PREFIX...: a namespace on the wire. All addresses are on the link.
node() {
	local name=$1 address
	shift
	ip netns add "$name"
	ip link add "to-$name" type veth peer name net0 netns "$name"
	ip link set "to-$name" master wire up
	# shellcheck disable=SC2016 # the inner shell expands it
	inside "$name" sh -c 'cd /proc/sys/net/ipv6/conf
		for c in all default net0; do
			echo 0 >$c/accept_dad; echo 0 >$c/accept_ra; echo 0 >$c/router_solicitations
		done'
	for address in "$@"; do
		ip -n "$name" addr add "$address" dev net0
	done
	ip -n "$name" link set lo up
	ip -n "$name" link set net0 up
	ip -n "$name" route add default dev net0
	ip -n "$name" -6 route add default dev net0
}

build_world() {
	ip link set lo up
	echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
	ip link add wire type bridge forward_delay 0 mcast_snooping 0
	ip link set wire up
	node server $SERVER4/32 $SERVER6/128
	node client "${ADDRESS[client4]}/32" "${ADDRESS[client6]}/128"
	node syn "${ADDRESS[syn]}/32"
	node udp "${ADDRESS[udp]}/32"
	node scan "${ADDRESS[scan]}/128"
	node rotate 2001:db8:bad::67/128
	node spoof 198.51.100.88/32
	# Answers to whom nobody is would only be questions for neighbours.
	ip -n server route replace blackhole default
	ip -n server route add 203.0.113.0/24 dev net0
	ip -n server route add 198.51.100.0/24 dev net0
	ip -n server -6 route add blackhole "${ADDRESS[rotate]}"
}

serve() {
	mkdir www
	head -c 20000 /dev/zero | tr '\0' k >www/index.html
	: >tcpdump.log
	nsenter --net=/run/netns/server busybox httpd -f -p 80 -h "$PWD/www" >httpd.log 2>&1 &
	nsenter --net=/run/netns/server tcpdump -i net0 -Q in -n -s 64 -B 32768 -w reached.pcap 'ip or ip6' >/dev/null 2>tcpdump.log &
	tcpdump_pid=$!
	for _ in {1..50}; do
		grep -q listening tcpdump.log && inside server curl -s -o /dev/null "http://$SERVER4/" && return
		sleep 0.1
	done
	die 4 "the server does not answer"
}

# Ten pages a second, in turn over IPv4 and IPv6; a line each: code and seconds.
fetch() {
	local next=${EPOCHREALTIME/./} url now
	while :; do
		for url in "http://$SERVER4/" "http://[$SERVER6]/"; do
			curl -s -o page -m 3 -w '%{http_code} %{size_download} %{time_total}\n' "$url" || true
			next=$((next + 100000)) now=${EPOCHREALTIME/./}
			[[ $next -le $now ]] || sleep "$(printf '0.%06d' $((next - now)))"
		done
	done
}

# The attacks: some seconds of it mildly, then at full strength; all of them bounded.
attack_syn() {
	timeout 5 hping3 -q -S -p 80 -i u4000 -c 1000 $SERVER4
	exec timeout "$limit" hping3 -q -S -p 80 -i u500 -c 200000 $SERVER4
}
attack_udp() {
	timeout 5 hping3 -q --udp -p 53 -d 64 -i u3500 -c 1500 $SERVER4
	exec timeout "$limit" hping3 -q --udp -p 53 -d 64 -i u400 -c 250000 $SERVER4
}
attack_scan() {
	timeout 5 nmap -6 -n -Pn -sS -p 1-400 --min-rate 28 --max-rate 28 --max-retries 0 $SERVER6
	exec timeout "$limit" nmap -6 -n -Pn -sS -p 1-65535 --min-rate 300 --max-rate 300 --max-retries 0 $SERVER6
}
# A hundred addresses of its network for eight seconds, three of them beside the next; each asks for a few ports.
attack_rotate() {
	local i k decoys
	sleep 5
	for ((i = 1; 5 * i < limit; i++)); do
		decoys=''
		for ((k = 1; k <= 100; k++)); do printf -v decoys '%s2001:db8:66::%x:%x,' "$decoys" "$i" "$k"; done
		timeout 8 nmap -6 -n -Pn -sS -p 1-1000 -D "${decoys}ME" --min-rate 1000 --max-rate 1000 --max-retries 0 $SERVER6 &
		sleep 5
	done
}
# A packet from each address, and never again one from it.
attack_spoof() { exec timeout "$limit" hping3 -q -S -p 80 --rand-source -i u400 -c 300000 $SERVER4; }

# attack NAME...: begins.
attack() {
	local name
	for name; do
		inside "$name" bash -c "attack_$name" >"$name.log" 2>&1 &
	done
}

# Packets the interface of a node has sent.
sent_by() { ip -n "$1" -s -j link show net0 | jq '.[0].stats64.tx.packets'; }

# What runs in a node is a function of this file in a shell of its own.
export -f fetch attack_syn attack_udp attack_scan attack_rotate attack_spoof
export SERVER4 SERVER6
