# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Packets as words of hex, for t/mkpcap.awk.

# capture [-v NAME=VALUE]... < LINES: t/mkpcap.awk.
capture() { awk "$@" -f "$BATS_TEST_DIRNAME/mkpcap.awk"; }

# Headers, each printed without a newline; what they carry comes behind them.
ETH=0200000000020200000000010800	# of IPv4
ETH6=02000000000202000000000186dd
# ip4 SOURCE DESTINATION PROTOCOL LENGTH [FLAGS_OFFSET]: LENGTH bytes follow.
ip4() {
	# shellcheck disable=SC2046,SC2183 # eight numbers
	printf '4500%04x0001%04x40%02x0000%02x%02x%02x%02x%02x%02x%02x%02x' \
		$((20 + $4)) "${5-0}" "$3" $(tr . ' ' <<<"$1 $2")
}
# ip6 SOURCE DESTINATION NEXT LENGTH: the last 16 bits of addresses of 2001:db8::/64.
ip6() { printf '60000000%04x%02x4020010db8000000000000000000000%03x20010db8000000000000000000000%03x' "$4" "$3" "$1" "$2"; }
# tcp SOURCE_PORT PORT FLAGS: 20 bytes.
tcp() { printf '%04x%04x000000000000000050%02x000000000000' "$1" "$2" "$3"; }
# udp SOURCE_PORT PORT: 8 bytes.
udp() { printf '%04x%04x00080000' "$1" "$2"; }
# Whole packets, without an Ethernet header.
tcp4() { printf '%s%s' "$(ip4 "$1" "$2" 6 20)" "$(tcp "$3" "$4" "$5")"; }
udp4() { printf '%s%s' "$(ip4 "$1" "$2" 17 8)" "$(udp "$3" "$4")"; }
udp6() { printf '%s%s' "$(ip6 "$1" "$2" 17 8)" "$(udp "$3" "$4")"; }
SYN=2 RST=4 SYNACK=18 ACK=16
export ETH ETH6 SYN RST SYNACK ACK
