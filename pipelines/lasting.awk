# SPDX-License-Identifier: BSD-2-Clause
# exempt.tsv as a list for the allow table: whom, and until when. An entry under a
# shorter one that lasts as long is left out: the kernel asks the longest alone, so
# that it would end what the other still grants. Needs address.awk, -F '\t' and now.

$2 != "whitelist" || ($6 != "-" && $6 <= now) { next }
{
	prefix[++n] = $1
	end[n] = $6
	parts = split($1, part, "/")
	key[n] = digits(tolower(part[1]))
	len[n] = parts == 1 ? 128 : part[2] + (part[1] ~ /:/ ? 0 : 96)
}

function lasts(a, b) { return end[a] == "-" || (end[b] != "-" && end[a] >= end[b]) }

# Only what ends, and what is there twice, can be in the way of others.
function is_needless(i,	j) {
	if (end[i] == "-") {
		if (prefix[i] in seen)
			return 1
		seen[prefix[i]]
		return 0
	}
	for (j = 1; j <= n; j++)
		if (j != i && len[j] <= len[i] && lasts(j, i) && same(key[j], key[i], len[j]) &&
		    (len[j] < len[i] || !lasts(i, j) || j < i))
			return 1
	return 0
}

END {
	for (i = 1; i <= n; i++)
		if (!is_needless(i))
			print prefix[i], end[i]
}
