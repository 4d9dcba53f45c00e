# SPDX-License-Identifier: BSD-2-Clause
# The page of kliq why. Needs address.awk, clock.awk, surge.awk, -F '\t', want=ADDR, src6=, the prefix IPv6 sources are counted
# under, and today=; before each file of=WHAT: settings, triggers, exempt, normal, score, state, level.

# The length of a prefix, among those of IPv6.
function length_of(src,	part, n) {
	n = split(src, part, "/")
	return n == 1 ? 128 : part[2] + (part[1] ~ /:/ ? 0 : 96)
}

# Does the source of this row, an address or a prefix, hold the wanted one?
function holds(src,	part, len) {
	split(src, part, "/")
	len = length_of(src)
	return digits(part[1]) != "" && len <= wlen && same(digits(part[1]), key, len)
}

# Is it a prefix of sources, and no source itself?
function is_rolled(src) {
	return length_of(src) < 128 && !(src6 == 64 && src ~ /:.*\/64$/)
}

# Is it what is asked for?
function is_wanted(src) {
	if (want == "*" || wlen < 128 && !(src6 == 64 && src ~ /:.*\/64$/))
		return holds(src) && length_of(src) == wlen
	return holds(src) && !is_rolled(src)
}

function line(name, text) { printf "%-10s %s\n", name, text }

function signal(name, count, dt,	trig, ratio) {
	trig = sprintf("%.15g", row["trig_" name])
	ratio = trig > 0 ? count / dt / trig : 0
	if (ratio > set["sev-cap"])
		ratio = set["sev-cap"]
	line(name, sprintf("%12.1f/s  trigger %-10s ratio %.3f  weight %s", count / dt, trig, ratio, set["w-" name]))
}

function less(n, some) { return some + 0 < n ? n - some : 0 }

# The ports that count as a scan, see --scan of kl-score(1).
function probes(	left, most) {
	if (set["scan"] != "probes")
		return row["ports"]
	left = less(less(less(row["pkts"], row["ack"]), row["icmp"]), row["answers"])
	most = less(less(left, row["syn"]), less(row["udp"], row["answers"]))
	left -= row["rst"] + 0 < most ? row["rst"] : most
	return row["ports"] + 0 > left ? left : row["ports"]
}

# What all of a prefix did together, or the host: no trigger is of that.
function sum(name, count) { line(name, count == "-" ? "           -" : sprintf("%12.1f/s", count / row["dt"])) }

BEGIN {
	wlen = want == "*" ? 0 : length_of(want)
	if (want == "*")
		key = digits("::")
	else {
		split(want, half, "/")
		key = digits(half[1])
		if (key == "" || want ~ /\/.*[^0-9]|\/$/ || wlen > 128 || wlen < (half[1] ~ /:/ ? 1 : 97)) {
			print "kliq: '" want "' is no address" (want ~ /\// ? " or prefix" : "") > "/dev/stderr"
			status = 2
			exit
		}
	}
}

of == "settings" { set[$1] = $2; next }
of == "triggers" { if (FNR > 1) tuned[$1] = $2; next }
of == "exempt" {
	if (FNR > 1 && want != "*" && ($6 == "-" || $6 > today) && holds($1))
		exempt[++exempts] = $1 " (" $2 ")" ($6 == "-" ? "" : ", ends " clock($6)) \
			($3 == "-" ? "" : ", owner " $3) ($4 == "-" ? "" : ": " $4)
	next
}
# A capture may hold several headers.
$1 == "time" { delete at; for (i = 1; i <= NF; i++) at[$i] = i; next }
$at["src"] == "*" {
	if (of == "score")
		last = $at["time"]
	if (want != "*" || of == "state" || of == "normal")
		next
}
of == "score" && $at["src"] ~ /:.*\/64$/ && (!("members" in at) || $at["members"] == "-") { src6 = 64 }
# The surge is the source that holds all others.
$at["src"] == "::/0" {
	for (c in at)
		surge[c] = $at[c]
	next
}
want == "*" {
	if ($at["src"] != "*")
		next
	if (of == "score")
		for (c in at)
			row[c] = $at[c]
	else if ($at["level"] != was) {
		if (was != "" || $at["level"] != "-")
			history[++changes] = clock($at["time"]) "  " (was == "" ? "-" : was) " -> " $at["level"] \
				"  strikes " $at["strikes"] "  severity " $at["sev"] "  " $at["why"]
		was = $at["level"]
	}
	next
}
of == "state" && holds($at["src"]) && is_rolled($at["src"]) && length_of($at["src"]) < wlen {
	if ($at["level"] != "OBSERVE" && !($at["src"] in wider))
		wider_src[++widers] = $at["src"]
	wider[$at["src"]] = $at["level"] == "OBSERVE" ? "" : $at["level"] " since " clock($at["since"]) \
		", TTL ends " clock($at["expires"])
}
!is_wanted($at["src"]) { next }

of == "normal" {
	for (c in at)
		normal[c] = $at[c]
}
of == "score" {
	for (c in at)
		row[c] = $at[c]
}
of == "state" {
	for (c in at)
		now[c] = $at[c]
}
of == "level" && $at["level"] != $at["from"] {
	history[++changes] = clock($at["time"]) "  " $at["from"] " -> " $at["level"] "  strikes " $at["strikes"] \
		"  severity " $at["sev"] "  " $at["why"]
}

END {
	if (status)
		exit status
	if (want == "*") {
		whole()
		exit
	}
	level = "level" in now ? now["level"] : "OBSERVE"
	line("source", "src" in now ? now["src"] : "src" in row ? row["src"] : want)
	line("level", level ("since" in now ? " since " clock(now["since"]) : "") \
		("expires" in now && now["expires"] != "-" ? ", TTL ends " clock(now["expires"]) : ""))
	for (i = 1; i <= widers; i++)
		if (wider[wider_src[i]] != "")
			line("caught", "by its prefix " wider_src[i] ": " wider[wider_src[i]])
	if ("level" in surge && surge["level"] != "OBSERVE") {
		line("surge", surge["level"] " since " clock(surge["since"]) ": " surge_does(surge["level"]))
		line("", "who has a history passes; another is dropped at first and let in when it comes again")
	}
	strikes(now)
	for (i = 1; i <= exempts; i++)
		line(i == 1 ? "exempt" : "", exempt[i])
	if (now["offences"] > 0)
		offences(now["offences"])
	for (i = 1; i <= changes; i++)
		line(i == 1 ? "history" : "", history[i])
	learned()
	seen()
	line("adds", set["sev-delta1"] " strikes a tick from severity " set["sev-step1"] ", " set["sev-delta2"] \
		" from " set["sev-step2"] ", " set["sev-delta3"] " from " set["sev-step3"])
	if (set["block-min-sev"] > 0)
		line("gate", "BLOCK needs severity " set["block-min-sev"] " for " set["block-min-dur"] ": " \
			(now["high_since"] == "" || now["high_since"] == "-" ? "not reached" : \
			"reached since " clock(now["high_since"])))
	ends()
}

function strikes(state) {
	line("strikes", ("strikes" in state ? state["strikes"] : 0) "  (RATE_SOFT from " set["soft-at"] ", RATE_HARD from " \
		set["hard-at"] ", BLOCK from " set["block-at"] ")")
	if (set["max-level"] != "" && set["max-level"] != "BLOCK")
		line("ceiling", "no level above " set["max-level"])
}

function seen() {
	if (!("time" in row)) {
		line("seen", "not in what was looked at, up to " clock(last))
		if (wlen < 128)
			line("", "a prefix has a row when " set["rollup-members"] " of its addresses or more misbehave")
		return
	}
	line("seen", clock(row["time"]) ", in " row["dt"] " s")
	if (is_rolled(row["src"])) {
		sum("pps", row["pkts"])
		sum("syn", row["syn"])
		sum("bps", row["bytes"])
		line("members", row["members"] " addresses misbehave (severity from " set["rollup-sev"] "), or are new in a /64")
		line("clean", row["clean_srcs"] " others, with " row["clean_pkts"] " packets: share " row["share"] \
			(row["why"] == "refused" ? ", above " : ", at most ") set["rollup-max-clean"] " may be hit")
		line("severity", row["why"] == "refused" ? "0, refused: its addresses are judged one by one" : \
			row["sev"] ", held against " set["rollup-factor"] " times the triggers")
		return
	}
	signal("pps", row["pkts"], row["dt"])
	signal("syn", row["syn"], row["dt"])
	signal("scan", probes(), row["dt"])
	signal("bps", row["bytes"], row["dt"])
	line("limiter", sprintf("%12.1f/s dropped", row["drop_rl"] / row["dt"]))
	line("severity", row["sev"] ", led by " row["why"])
}

# The host as a whole.
function whole(	level, i) {
	level = "level" in surge && surge["level"] != "OBSERVE" ? surge["level"] : "-"
	line("source", "*, the host as a whole")
	line("surge", level == "-" ? "none" : level " since " clock(surge["since"]) ", TTL ends " clock(surge["expires"]))
	if (level != "-")
		line("budget", surge_does(level))
	strikes(surge)
	for (i = 1; i <= changes; i++)
		line(i == 1 ? "history" : "", history[i])
	if ("time" in row) {
		line("seen", clock(row["time"]) ", in " row["dt"] " s")
		sum("pps", row["pkts"])
		sum("syn", row["syn"])
		sum("new", "new" in row ? row["new"] : "-")
		line("severity", row["sev"] ", led by " row["why"])
	}
	line("judged", set["total-trig-new"] == 0 ? "no stranger is counted (total-trig-new 0)" : "strangers against " \
		set["total-trig-new"] "/s, or " set["total-factor"] " times what is usual when that is more")
	if (level != "-")
		line("ends", surge_ends(surge["down"]))
}

# Four rates as text, those of 0 left out.
function rates(from, before,	i, n, name, text) {
	n = split("pps syn scan bps", name, " ")
	for (i = 1; i <= n; i++)
		if (from[before name[i]] > 0)
			text = text (text == "" ? "" : "  ") name[i] " " sprintf("%.15g", from[before name[i]])
	return text
}

# The triggers that were learned for all, and what this source alone may do.
function learned(	text) {
	text = rates(tuned, "trig-")
	if (text != "")
		line("learned", text "  (given: " rates(set, "trig-") ")")
	if (!("time" in normal))
		return
	line("normal", rates(normal, "mean_") "  (" normal["obs"] " rows since " clock(normal["first_seen"]) ")")
	line("own", normal["base_pps"] == "-" ? "not yet" : rates(normal, "base_") "  (counts where it is more)")
}

# What is remembered of a known offender.
function offences(n,	times) {
	times = 2 ^ n < set["offence-max"] ? 2 ^ n : set["offence-max"]
	line("offences", n "  (the next block lasts " times " x " set["block-ttl"] "; RATE_SOFT from strikes " \
		(set["soft-at"] > n ? set["soft-at"] - n : set["soft-at"] > 0 ? 1 : 0) ", after one high tick)")
	line("", level == "BLOCK" ? "one less for every " set["offence-window"] " out of BLOCK" : \
		"one less " set["offence-window"] " after " clock(now["offended"]))
}

# What the machine needs to see before it lets go.
function ends(	quiet, hold, to) {
	quiet = set["down-need"] " quiet ticks in a row (severity below " set["sev-decay-below"] \
		", nothing dropped by the limiter; now " ("down" in now ? now["down"] : 0) ")"
	if (level == "OBSERVE") {
		if (now["strikes"] > 0)
			line("ends", "after " quiet " each one takes a strike back")
		else
			line("ends", "nothing is held against it" (widers ? " itself" : ""))
		return
	}
	hold = level == "RATE_SOFT" ? set["min-hold-soft"] : set["min-hold-hard"]
	to = level == "BLOCK" ? "RATE_HARD" : level == "RATE_HARD" ? "RATE_SOFT" : "OBSERVE"
	line("ends", "to " to " after its TTL, with " quiet)
	line("", "and no strike for " hold (now["last_trigger"] == "-" ? "" : " (the last at " clock(now["last_trigger"]) ")"))
	if (level != "BLOCK")
		line("", "or when quiet ticks take its strikes below " (level == "RATE_SOFT" ? set["soft-at"] : set["hard-at"]))
	line("", "or at once when it is whitelisted")
}
