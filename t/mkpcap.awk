# SPDX-License-Identifier: BSD-2-Clause
# mkpcap.awk - lines of text to a capture file
#
#   SECONDS.FRACTION [len=N] [cap=N] HEX...
#
# len: bytes it had on the wire; cap: bytes the file claims to hold of it. Both as
# many as there are. Variables: link (1: Ethernet), big (1: big-endian), nano (1:
# nine digits of fraction; else six).
function byte(n) { printf "%c", n % 256 }
function u16(n) { if (big) { byte(int(n / 256)); byte(n) } else { byte(n); byte(int(n / 256)) } }
function u32(n) { if (big) { u16(int(n / 65536)); u16(n % 65536) } else { u16(n % 65536); u16(int(n / 65536)) } }

BEGIN {
	for (i = 0; i < 256; i++)
		of[sprintf("%02x", i)] = i
	u32(nano ? 2712812621 : 2712847316)
	u16(2); u16(4); u32(0); u32(0); u32(65535); u32(link == "" ? 1 : link)
}

{
	hex = cap = len = ""
	for (i = 2; i <= NF; i++)
		if ($i ~ /^len=/) len = substr($i, 5)
		else if ($i ~ /^cap=/) cap = substr($i, 5)
		else hex = hex $i
	n = length(hex) / 2
	split($1, t, ".")
	u32(t[1]); u32(t[2] + 0); u32(cap == "" ? n : cap); u32(len == "" ? n : len)
	for (i = 1; i <= n; i++)
		byte(of[substr(hex, 2 * i - 1, 2)])
}
