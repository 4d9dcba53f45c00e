# SPDX-License-Identifier: BSD-2-Clause
# What the graph has to say of a source, for the page of kliq why. Needs address.awk, clock.awk, -F '\t', want=ADDR and
# before each file what=baseline, violations or rules.

# Does the address or prefix hold the wanted one?
function holds(src,	part, n) {
	n = split(src, part, "/")
	return digits(part[1]) != "" && same(digits(part[1]), key, n == 1 ? 128 : part[2] + (part[1] ~ /:/ ? 0 : 96))
}

function line(name, text) { printf "%-10s %s\n", name, text }

BEGIN { key = digits(want) }

what == "baseline" {
	if ($0 ~ /^(in|out) /) {
		lines++
		split($0, word, " ")
		if (holds(word[2]))
			edge[++edges] = $0
	}
	next
}
$1 == "time" { delete at; for (i = 1; i <= NF; i++) at[$i] = i; next }
what == "violations" && holds($at["src"]) {
	name = $at["dir"] " " $at["port"] "/" $at["proto"] "  " $at["kind"]
	if (!(name in ticks)) {
		order[++violations] = name
		first[name] = $1
	}
	ticks[name]++
	last[name] = $1
	score[name] = $at["score"]
}
what == "rules" && $at["table"] ~ /^edge-(deny|allow)$/ && holds($at["key"]) {
	rule[++rules] = sprintf("%s %s/%s, of %s", $at["table"], $at["port"], $at["proto"], $at["owner"])
	if ($at["hits"] > 0)
		rule[rules] = rule[rules] ", " $at["hits"] " packets dropped"
}

END {
	if (lines && !edges)
		line("edges", "none in the frozen baseline")
	for (i = 1; i <= edges; i++)
		line(i == 1 ? "edges" : "", edge[i])
	for (i = violations > 20 ? violations - 19 : 1; i <= violations; i++) {
		name = order[i]
		line(shown++ ? "" : "violates", sprintf("%s  score %s, in %d ticks, %s to %s", name, score[name], \
			ticks[name], clock(first[name]), clock(last[name])))
	}
	if (violations > 20)
		line("", violations - 20 " more")
	for (i = 1; i <= rules && i <= 20; i++)
		line(i == 1 ? "kernel" : "", rule[i])
	if (rules > 20)
		line("", rules - 20 " more")
}
