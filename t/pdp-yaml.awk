# SPDX-License-Identifier: BSD-2-Clause
# A table of keys (dotted, those of a section together), the settings they are,
# and values, a column a file -> the YAML of the PDPConfig of the column -v name=NAME.
BEGIN { FS = "\t" }
NR == 1 {
	for (i = 3; i <= NF; i++)
		if ($i == name)
			at = i
	if (!at) {
		print "no column " name > "/dev/stderr"
		exit 1
	}
	print "apiVersion: kernloom.io/v1alpha1\nkind: PDPConfig\nmetadata:\n  name: " name "\nspec:"
	next
}
$at == "-" { next }
{
	n = split($1, part, ".")
	for (i = 1; i < n && part[i] == open[i]; i++)
		;
	for (; i < n; i++) {
		printf "%*s%s:\n", 2 * i, "", part[i]
		open[i] = part[i]
		open[i + 1] = ""
	}
	open[n] = ""
	printf "%*s%s: %s\n", 2 * n, "", part[n], $at
}
