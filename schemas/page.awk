# SPDX-License-Identifier: BSD-2-Clause
# kl-tsv.5 -> kl-tsv.5 with its lists of columns made anew from schemas/*.tsv:
#   awk -f schemas/page.awk schemas/kl-tsv.5
/^\.\\" columns / {
	print
	cmd = "awk -v page=1 -f schemas/schema.awk schemas/" $3 ".tsv"
	while ((cmd | getline line) > 0)
		print line
	if (close(cmd))
		exit 1
	skip = 1
}
/^\.\\" end$/ { skip = 0 }
!skip
