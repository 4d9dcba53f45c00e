# SPDX-License-Identifier: BSD-2-Clause
# Does a list of kl-rule cover the address want, of edges with that port of TCP?
# The status says so. Needs address.awk and -F '\t'; port is empty of lists without.

BEGIN { key = digits(want); covered = 0 }

$1 == "time" { for (i = 1; i <= NF; i++) at[$i] = i; next }
$at["key"] != "*" && key != "" {
	n = split($at["key"], part, "/")
	len = n == 1 ? 128 : part[2] + (part[1] ~ /:/ ? 0 : 96)
	if (same(digits(part[1]), key, len) && (port == "" || ($at["port"] == port && $at["proto"] == "tcp")))
		covered = 1
}

END { exit !covered }

# Are the first len bits of two addresses in digits the same?
function same(a, b, len,	whole, rest) {
	whole = int(len / 4)
	rest = 2 ^ (4 - len % 4)
	return substr(a, 1, whole) == substr(b, 1, whole) &&
		int(value(a, whole + 1) / rest) == int(value(b, whole + 1) / rest)
}

function value(text, i) { return index("0123456789abcdef", substr(text, i, 1)) - 1 }
