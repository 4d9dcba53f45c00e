# SPDX-License-Identifier: BSD-2-Clause
# The surge and the sources above OBSERVE, from three files: settings, totals, state.
# Needs clock.awk and surge.awk.

FNR == 1 { file++ }
file == 1 { set[$1] = $2; next }
FNR == 1 || $1 == "time" { delete at; for (i = 1; i <= NF; i++) at[$i] = i; next }
file == 2 { drop = $at["drop_surge"] / $at["dt"]; came = $at["surge_came"] / $at["dt"]; next }
$at["src"] == "*" { next }
!($at["src"] in level) { src[++n] = $at["src"] }
{
	level[$at["src"]] = $at["level"]
	since[$at["src"]] = $at["since"]
	expires[$at["src"]] = $at["expires"]
	strikes[$at["src"]] = $at["strikes"]
	down[$at["src"]] = $at["down"]
}
END {
	all = "::/0"
	if (all in level && level[all] != "OBSERVE") {
		print "surge " level[all] " since " clock(since[all]) " until " clock(expires[all]) ": " surge_does(level[all])
		printf "  dropped %.1f/s, let in %.1f/s; it ends %s\n", drop, came, surge_ends(down[all])
	}
	print "src", "level", "since", "until", "strikes"
	for (i = 1; i <= n; i++)
		if ((s = src[i]) != all && level[s] != "OBSERVE")
			print s, level[s], clock(since[s]), clock(expires[s]), strikes[s]
}
