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
