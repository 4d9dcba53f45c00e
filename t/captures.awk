# SPDX-License-Identifier: BSD-2-Clause
# From the levels of one capture: for each source that was ever above a trigger, or
# above OBSERVE, the signal, the frame in which its severity first reached 1
# and those in which it came to each level; - never.
BEGIN { FS = "\t"; frame = 1 }
$1 == "time" { for (i = 1; i <= NF; i++) at[$i] = i; next }
$at["src"] == "*" { frame++; next }
{ src = $at["src"] }
$at["sev"] >= 1 && !(src in crossed) {
	crossed[src] = frame
	why[src] = $at["why"]
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
