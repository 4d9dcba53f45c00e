# SPDX-License-Identifier: BSD-2-Clause
# Times as people read them. They come from files of the unprivileged user, and a
# shell sees them: what is no number of seconds is "-".

function clock(t,	command, text) {
	if (t !~ /^[0-9]+([.][0-9]+)?$/)
		return "-"
	command = "date -d @" t " '+%F %T'"
	command | getline text
	close(command)
	return text
}
