# SPDX-License-Identifier: BSD-2-Clause
# Addresses, for the scripts of kliq.

# An address as 32 hexadecimal digits, IPv4 as ::ffff:a.b.c.d; "" when it is none.
function digits(text,	n, part, i, half, left, right, out) {
	if (text ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/) {
		split(text, part, ".")
		out = "00000000000000000000ffff"
		for (i = 1; i <= 4; i++) {
			if (part[i] > 255)
				return ""
			out = out sprintf("%02x", part[i])
		}
		return out
	}
	if (text !~ /^[0-9a-f:]+$/ || text !~ /:/)
		return ""
	n = split(text, half, "::")
	if (n > 2)
		return ""
	left = hextets(half[1])
	right = n == 2 ? hextets(half[2]) : ""
	if (left == "bad" || right == "bad" || (n == 1 && length(left) != 32) || length(left) + length(right) > 32)
		return ""
	while (length(left) + length(right) < 32)
		left = left "0"
	return left right
}

function hextets(text,	n, part, i, out) {
	n = split(text, part, ":")
	for (i = 1; i <= n; i++) {
		if (part[i] !~ /^[0-9a-f][0-9a-f]?[0-9a-f]?[0-9a-f]?$/)
			return "bad"
		out = out substr("000" part[i], length(part[i]))
	}
	return out
}

# Are the first len bits of two addresses in digits the same?
function same(a, b, len,	whole, rest) {
	whole = int(len / 4)
	rest = 2 ^ (4 - len % 4)
	return substr(a, 1, whole) == substr(b, 1, whole) &&
		int(value(a, whole + 1) / rest) == int(value(b, whole + 1) / rest)
}

function value(text, i) { return index("0123456789abcdef", substr(text, i, 1)) - 1 }
