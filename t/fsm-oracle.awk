# SPDX-License-Identifier: BSD-2-Clause
# A second, plain state machine to hold kl-fsm against:
#   awk -f fsm-oracle.awk settings.tsv violation.tsv score.tsv
# It keeps every source for ever. Prints time src level from since until strikes
# sev of the rows kl-fsm prints, since as - in OBSERVE; star rows too.
function at(t) { return t == "" ? "-" : sprintf("%.3f", t / 1000) }
function milli(text) { return int(text * 1000 + 0.5) }
function more(s, n,    sum) {
	sum = strikes[s] + n
	if (C["max-strikes"] > 0 && sum > C["max-strikes"])
		sum = strikes[s] > C["max-strikes"] ? strikes[s] : C["max-strikes"]
	strikes[s] = sum
}
function enter(s, l) {
	level[s] = l; since[s] = now; cool[s] = now + C["cooldown"]
	expires[s] = l == 0 ? "" : now + (l == 1 ? C["soft-ttl"] : l == 2 ? C["hard-ttl"] : C["block-ttl"])
}
function may_fall(s, hold) {
	return expires[s] != "" && now > expires[s] && down[s] >= C["down-need"] &&
		(cool[s] == "" || now > cool[s]) && (trigger[s] == "" || now - trigger[s] >= hold)
}
function violate(s, n, f) {
	if (!(s in level)) meet(s)
	if (f) { if (strikes[s] < C["block-at"] + 1) strikes[s] = C["block-at"] + 1; force[s] = 1 }
	else more(s, n)
	if (up[s] < C["up-need"]) up[s] = C["up-need"]
	down[s] = 0; trigger[s] = now; hurt[s] = 1
}
function meet(s) {
	order[++sources] = s; level[s] = strikes[s] = up[s] = down[s] = non[s] = force[s] = hurt[s] = 0
	expires[s] = cool[s] = trigger[s] = highsince[s] = ""
}
function step(s, v, d,    high, low, delta, target) {
	from[s] = level[s]
	if (C["block-min-sev"] > 0 && v >= C["block-min-sev"]) { if (highsince[s] == "") highsince[s] = now }
	else highsince[s] = ""

	high = v >= C["sev-step1"] || (C["noncomp-drop"] > 0 && d >= C["noncomp-drop"])
	low = v < C["sev-decay-below"] && d == 0 && !hurt[s]
	if (high) { up[s]++; down[s] = 0 }
	else if (low) { down[s]++; up[s] = 0 }
	else if (!hurt[s]) { if (up[s] > 0) up[s]--; if (down[s] > 0) down[s]-- }

	delta = 0
	if (v >= C["sev-step3"]) delta = C["sev-delta3"]
	else if (v >= C["sev-step2"]) delta = C["sev-delta2"]
	else if (v >= C["sev-step1"]) delta = C["sev-delta1"]
	else if (strikes[s] > 0 && low && down[s] >= C["down-need"]) strikes[s]--
	if (delta > 0) { more(s, delta); trigger[s] = now }

	if (level[s] >= 1 && C["noncomp-at"] > 0) {
		if ((C["noncomp-drop"] > 0 && d >= C["noncomp-drop"]) || (C["noncomp-sev"] > 0 && v >= C["noncomp-sev"]))
			non[s]++
		else if (v < C["noncomp-reset-below"] && d == 0) non[s] = 0
	} else non[s] = 0

	if (level[s] == 3 && may_fall(s, C["min-hold-hard"])) enter(s, 2)
	if (level[s] == 1 && may_fall(s, C["min-hold-soft"])) enter(s, 0)
	if (level[s] == 2 && may_fall(s, C["min-hold-hard"])) enter(s, 1)

	if (level[s] == 2 && C["noncomp-at"] > 0 && non[s] >= C["noncomp-at"]) target = 3
	else {
		target = strikes[s] >= C["block-at"] ? 3 : strikes[s] >= C["hard-at"] ? 2 : strikes[s] >= C["soft-at"] ? 1 : 0
		if (target > level[s] && up[s] < C["up-need"] && !force[s]) target = level[s]
	}
	if (level[s] == 3 && expires[s] != "" && now < expires[s] && target < 3) target = 3
	if (target == 3 && target > level[s] && C["block-min-sev"] > 0 && !force[s])
		if (highsince[s] == "" || (C["block-min-dur"] > 0 && now - highsince[s] < C["block-min-dur"])) target = 2
	if (target != level[s] && (cool[s] == "" || now > cool[s])) { enter(s, target); force[s] = 0 }
	hurt[s] = 0
	# What is left of a source without strikes, streak and timers is forgotten.
	if (level[s] == 0 && strikes[s] == 0 && up[s] == 0 && highsince[s] == "" && (cool[s] == "" || now > cool[s]))
		force[s] = 0
}
BEGIN { FS = OFS = "\t"; split("OBSERVE RATE_SOFT RATE_HARD BLOCK", NAME, " ") }
FNR == 1 { file++; next }
file == 1 { C[$1] = $2 + 0; next }
file == 2 && $3 != "*" {
	vtime[++violations] = milli($1); vsrc[violations] = $3; vforce[violations] = $9
	vstrikes[violations] = $8 != "-" ? $8 : $7 >= 90 ? 3 : $7 >= 75 ? 2 : 1
}
file == 3 && $3 != "*" { if (!($3 in level)) meet($3); sev[$3] = $5 + 0; drop[$3] = $4 / $2 }
file == 3 && $3 == "*" {
	now = milli($1)
	for (; done < violations && vtime[done + 1] <= now; done++)
		violate(vsrc[done + 1], vstrikes[done + 1], vforce[done + 1])
	for (i = 1; i <= sources; i++) {
		s = order[i]
		step(s, sev[s] + 0, drop[s] + 0)
		if (level[s] > 0 || from[s] != level[s] || strikes[s] > 0)
			print $1, s, NAME[1 + level[s]], NAME[1 + from[s]], level[s] ? at(since[s]) : "-",
				at(expires[s]), strikes[s], sprintf("%.6f", sev[s])
	}
	print $1, "*", "-", "-", "-", "-", "-", "-"
	split("", sev); split("", drop)
}
