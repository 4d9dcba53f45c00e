# SPDX-License-Identifier: BSD-2-Clause
# From the levels of one capture: for each source that was above a trigger twice
# in a row, or above OBSERVE, the signal, the frames since its severity first
# reached 1 in such a row and at which it came to each level; - never.
BEGIN { FS = "\t"; frame = 1 }
$1 == "time" { for (i = 1; i <= NF; i++) at[$i] = i; next }
$at["src"] == "*" { frame++; next }
{ src = $at["src"] }
$at["sev"] >= 1 {
	if (!(src in last) || last[src] != frame - 1)
		begun[src] = frame
	else if (!(src in crossed))
		crossed[src] = begun[src]
	if (!(src in why))
		why[src] = $at["why"]
	last[src] = frame
}
$at["level"] != "OBSERVE" && !((src, $at["level"]) in reached) { reached[src, $at["level"]] = frame; known[src] }
function cell(v) { return v ? v : "-" }
END {
	for (src in crossed)
		known[src]
	for (src in known)
		print src, cell(why[src]), cell(crossed[src]), cell(reached[src, "RATE_SOFT"]),
			cell(reached[src, "RATE_HARD"]), cell(reached[src, "BLOCK"])
}
