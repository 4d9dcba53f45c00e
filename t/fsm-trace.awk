# SPDX-License-Identifier: BSD-2-Clause
# Makes random traces of 30 sources for kl-fsm and its oracle: awk -v seed=N -v dir=DIR writes
# DIR/settings.tsv, DIR/score.tsv and DIR/violation.tsv. Settings are small and
# times step on their grid, so that every comparison is met at equality.
function pick(n) { return int(rand() * n) }
function of(list,    a) { return a[1 + pick(split(list, a, " "))] }
function set(key, value) { cfg[key] = value; printf "%s\t%s\n", key, value > settings }
function ms(n) { return n "ms" }
function at(t) { return sprintf("%.3f", t / 1000) }

BEGIN {
	srand(seed)
	settings = dir "/settings.tsv"
	score = dir "/score.tsv"
	violation = dir "/violation.tsv"
	print "key\tvalue" > settings
	soft = pick(4); hard = soft + pick(4); block = hard + pick(6)
	set("soft-at", soft); set("hard-at", hard); set("block-at", block)
	set("up-need", pick(4)); set("down-need", pick(4))
	set("sev-step1", of("0.5 1 1")); set("sev-step2", of("1 2")); set("sev-step3", of("2 3"))
	set("sev-delta1", pick(3)); set("sev-delta2", 1 + pick(3)); set("sev-delta3", pick(5))
	set("sev-decay-below", of("0.25 0.3 1.2"))
	set("block-min-sev", of("0 2.5 2 0.5")); set("block-min-dur", ms(1000 * pick(5)))
	set("min-hold-soft", ms(1000 * pick(8))); set("min-hold-hard", ms(1000 * pick(8)))
	set("cooldown", ms(of("0 500 1000 3000 5000")))
	set("soft-ttl", ms(1000 * pick(10))); set("hard-ttl", ms(1000 * pick(10)))
	set("block-ttl", ms(1000 * pick(12)))
	set("noncomp-at", pick(4)); set("noncomp-drop", of("0 5 5 2.5"))
	set("noncomp-sev", of("0 2 0.5")); set("noncomp-reset-below", of("0 0.3"))
	set("max-strikes", of("0 0 7 40"))

	nsev = split("0 0 0 0.1 0.249999 0.25 0.3 0.5 0.999999 1 1.2 1.999999 2 2.499999 2.5 3 9", sev, " ")
	now = 1700000000000
	print "time\tdt\tsrc\tdrop_rl\tsev\twhy" > score
	print "time\tdir\tsrc\tport\tproto\tkind\tscore\tstrikes\tforce" > violation
	for (i = 0; i < 90; i++) {
		dt = of("500 1000 1000 1000 2000")
		now += dt
		calm = i % 30 >= 14
		for (k = 1; k <= 30; k++) {
			if (rand() < (calm ? 0.7 : 0.2))
				continue
			hot = !calm || rand() < 0.05
			printf "%s\t%.3f\t10.0.0.%d\t%d\t%.6f\tpps\n", at(now), dt / 1000, k,
				hot ? of("0 0 0 1 5 10") : 0, sev[1 + pick(hot ? nsev : 4)] > score
		}
		printf "%s\t%.3f\t*\t0\t-\t-\n", at(now), dt / 1000 > score
		if (!noisy || rand() > 0.15)
			continue
		for (k = 1 + pick(8); k > 0; k--)
			printf "%s\tin\t10.0.0.%d\t22\ttcp\tnew-edge\t%d\t%s\t%d\n", at(now), 1 + pick(34),
				pick(101), of("- - 0 2 9"), rand() < 0.3 > violation
		printf "%s\t-\t*\t-\t-\t-\t-\t-\t-\n", at(now) > violation
	}
}
