# SPDX-License-Identifier: BSD-2-Clause
# score frames by another hand: reads a src stream, prints time, src, sev and
# why of each row; -v combine=max|sum and the settings' values as t_*, w_*, cap.
BEGIN {
	FS = OFS = "\t"
	split("pps syn scan bps", name, " ")
	split("pkts syn ports bytes", counter, " ")
	t["pps"] = t_pps; t["syn"] = t_syn; t["scan"] = t_scan; t["bps"] = t_bps
	w["pps"] = w_pps; w["syn"] = w_syn; w["scan"] = w_scan; w["bps"] = w_bps
}
$1 == "time" {
	for (i = 1; i <= NF; i++)
		at[$i] = i
	next
}
$at["src"] == "*" { print $1, "*", "-", "-"; next }
{
	sum = top = lead = 0
	why = "-"
	for (i = 1; i <= 4; i++) {
		s = name[i]
		rate = ($at[counter[i]] == "-" ? 0 : $at[counter[i]]) / $at["dt"]
		norm = t[s] > 0 ? rate / t[s] : 0
		if (norm > cap)
			norm = cap
		part = w[s] * norm
		sum = i == 1 ? part : sum + part
		if (norm > top)
			top = norm
		x = combine == "sum" ? part : norm
		if (x > lead) {
			lead = x
			why = s
		}
	}
	printf "%s\t%s\t%.6f\t%s\n", $1, $at["src"], (combine == "max" && top > sum ? top : sum), why
}
