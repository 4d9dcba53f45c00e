# SPDX-License-Identifier: BSD-2-Clause
# The page of kliq why, from four files: settings, score, state, level. Needs
# address.awk, -F '\t' and want=ADDR.

# Is the source of this row the wanted one, or a prefix (of whole digits) that holds it?
function is_wanted(src,	part, n, len) {
	if (src == want)
		return 1
	n = split(src, part, "/")
	len = n == 1 ? 128 : part[2] + (part[1] ~ /:/ ? 0 : 96)
	return digits(part[1]) != "" && substr(digits(part[1]), 1, len / 4) == substr(key, 1, len / 4)
}

function clock(t,	command, text) {
	if (t == "-" || t == "")
		return "-"
	command = "date -d @" t " '+%F %T'"
	command | getline text
	close(command)
	return text
}

function line(name, text) { printf "%-10s %s\n", name, text }

function signal(name, count, dt,	trig, ratio) {
	trig = set["trig-" name]
	ratio = trig > 0 ? count / dt / trig : 0
	if (ratio > set["sev-cap"])
		ratio = set["sev-cap"]
	line(name, sprintf("%12.1f/s  trigger %-10s ratio %.3f  weight %s", count / dt, trig, ratio, set["w-" name]))
}

BEGIN {
	key = digits(want)
	if (key == "") {
		print "kliq: '" want "' is no address" > "/dev/stderr"
		status = 2
		exit
	}
}

FNR == 1 { file++ }
file == 1 { set[$1] = $2; next }
# A capture may hold several headers.
$1 == "time" { delete at; for (i = 1; i <= NF; i++) at[$i] = i; next }
$at["src"] == "*" { if (file == 2) last = $at["time"]; next }
!is_wanted($at["src"]) { next }

file == 2 {
	for (c in at)
		row[c] = $at[c]
}
file == 3 {
	for (c in at)
		now[c] = $at[c]
}
file == 4 && $at["level"] != $at["from"] {
	history[++changes] = clock($at["time"]) "  " $at["from"] " -> " $at["level"] "  strikes " $at["strikes"] \
		"  severity " $at["sev"] "  " $at["why"]
}

END {
	if (status)
		exit status
	level = "level" in now ? now["level"] : "OBSERVE"
	line("source", "src" in now ? now["src"] : "src" in row ? row["src"] : want)
	line("level", level ("since" in now ? " since " clock(now["since"]) : "") \
		("expires" in now && now["expires"] != "-" ? ", TTL ends " clock(now["expires"]) : ""))
	line("strikes", ("strikes" in now ? now["strikes"] : 0) "  (RATE_SOFT from " set["soft-at"] ", RATE_HARD from " \
		set["hard-at"] ", BLOCK from " set["block-at"] ")")
	if (set["max-level"] != "" && set["max-level"] != "BLOCK")
		line("ceiling", "no level above " set["max-level"])
	if (now["offences"] > 0)
		offences(now["offences"])
	for (i = 1; i <= changes; i++)
		line(i == 1 ? "history" : "", history[i])
	if (!("time" in row)) {
		line("seen", "not in what was looked at, up to " clock(last))
	} else {
		line("seen", clock(row["time"]) ", in " row["dt"] " s")
		signal("pps", row["pkts"], row["dt"])
		signal("syn", row["syn"], row["dt"])
		signal("scan", row["ports"], row["dt"])
		signal("bps", row["bytes"], row["dt"])
		line("limiter", sprintf("%12.1f/s dropped", row["drop_rl"] / row["dt"]))
		line("severity", row["sev"] ", led by " row["why"])
	}
	line("adds", set["sev-delta1"] " strikes a tick from severity " set["sev-step1"] ", " set["sev-delta2"] \
		" from " set["sev-step2"] ", " set["sev-delta3"] " from " set["sev-step3"])
	if (set["block-min-sev"] > 0)
		line("gate", "BLOCK needs severity " set["block-min-sev"] " for " set["block-min-dur"] ": " \
			(now["high_since"] == "" || now["high_since"] == "-" ? "not reached" : \
			"reached since " clock(now["high_since"])))
	ends()
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
			line("ends", "nothing is held against it")
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
