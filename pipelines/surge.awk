# SPDX-License-Identifier: BSD-2-Clause
# The surge, for the scripts of kliq. Needs the settings in set. In the state it is
# the row of ::/0.

# Packets a second of strangers that pass untested at that level, of each class of protocols.
function budget(level) {
	return int(set["surge-rate"] / (level == "BLOCK" ? 20 : level == "RATE_HARD" ? 5 : 1))
}

function surge_does(level) {
	return "of strangers " budget(level) " packets/s each of TCP, UDP, ICMP and others pass untested"
}

function surge_ends(down) {
	return "level by level after its TTL, with " set["down-need"] " quiet ticks in a row (severity of all below " \
		set["sev-decay-below"] "; now " down + 0 ")"
}
