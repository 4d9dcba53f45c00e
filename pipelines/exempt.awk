# SPDX-License-Identifier: BSD-2-Clause
# What is exempt now: from what was known (file 1, exempt.tsv) and what the
# inputs say (file 2: source prefix kind owner reason mtime written ttl until)
# the new exempt.tsv. Needs -F '\t', now, hold (seconds a forgiven source is kept
# clear) and kept, the sources that could not be read: what was known of them stays.
#
# An entry counts from when it was written: as it says itself, else the time its
# file had when it was first seen. So it is known again by its words, not by its file.

function stamp(t) { return t == "-" ? t : sprintf("%.3f", t) }

BEGIN {
	OFS = FS
	n = split(kept, list, " ")
	for (i = 1; i <= n; i++)
		stays[list[i]]
	print "prefix", "kind", "owner", "reason", "written", "until", "seen", "source", "words"
}

FNR == 1 { file++ }
file == 1 && FNR == 1 { next }
file == 1 && ($8 in stays) { print; next }
file == 1 {
	id = $8 FS $1 FS $2 FS $9
	written[id] = $5
	until[id] = $6
	seen[id] = $7
	next
}

{
	words = "written=" $7 " ttl=" $8 " until=" $9
	id = $1 FS $2 FS $3 FS words
	if (id in done)
		next
	done[id]
	is_new = !(id in seen)
	if (is_new) {
		written[id] = $7 != "-" ? $7 : $6 < now ? $6 : now
		seen[id] = now
	}
	end = $9 != "-" ? $9 : $8 != "-" ? written[id] + $8 : "-"
	# Once, for as long as it takes to be seen; not at all when its time was over before.
	if ($3 == "forgive" && !is_new)
		end = until[id]
	else if ($3 == "forgive" && (end == "-" || end > now + hold))
		end = now + hold
	print $2, $3, $4, $5, stamp(written[id]), stamp(end), stamp(seen[id]), $1, words
}
