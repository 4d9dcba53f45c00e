#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What a machine can see of the house's rules: scripts, sizes, who includes
# what, pages, options, columns, words.

# shellcheck disable=SC2016 # awk expands those
load lib

setup() {
	cd "$TOP" || return
	local f
	mapfile -t files < <(if git rev-parse 2>/dev/null >&2; then
		git ls-files --cached --others --exclude-standard
	else
		find . -path ./build -prune -o -type f -printf '%P\n'
	fi | while read -r f; do [[ ! -f $f ]] || echo "$f"; done | sort)
	mapfile -t commands < <(for f in cmd/*.c; do basename "$f" .c; done)
}

# Prints the listed files whose name matches a pattern.
some() {
	local f
	for f in "${files[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $f != $1 ]] || echo "$f"
	done
}

# Files whose first line asks for a shell or for bats, or that are sourced by one.
scripts() {
	local f line
	for f in "${files[@]}"; do
		IFS= read -r line <"$f" || true
		[[ $line =~ ^#!.*(sh|bats)$ || $f == *.bash || $f == *.bats ]] && echo "$f"
	done
}

page() { compgen -G "cmd/$1.[18]"; }

# Nothing on standard input: else it is shown, and the test fails.
nothing() {
	local found
	found=$(cat)
	[[ -z $found ]] || { echo "$found"; return 1; }
}

@test "shellcheck on every script and test" {
	mapfile -t list < <(scripts)
	[ "${#list[@]}" -ge 10 ]
	shellcheck -x "${list[@]}"
}

@test "scripts: bash, strict, C locale, no eval" {
	for f in $(scripts); do
		case $f in
		*.bats | *.bash) continue ;;
		.ci/*) head -n 1 "$f" | grep -qx '#!/bin/sh' && grep -q '^set -eu' "$f" ;;
		*)
			# What it sources, beside it, may say so for it.
			head -n 1 "$f" | grep -qx '#!/usr/bin/env bash' &&
				cat "$f" "${f%/*}"/*.bash 2>/dev/null | grep -q '^set -euo pipefail' &&
				cat "$f" "${f%/*}"/*.bash 2>/dev/null | grep -q 'LC_ALL=C'
			;;
		esac || { echo "$f"; return 1; }
	done
	scripts | grep -v '^t/00-style' | xargs grep -nwE 'eval' | nothing
}

@test "every file begins with its licence" {
	printf '%s\n' "${files[@]}" | grep -vE '^(LICENSE|README.md|.gitignore|.clang-format|Makefile|.*\.tsv|t/(data|want)/.*)$' |
		xargs awk '
			FNR == 1 { found = 0 }
			FNR <= 2 && match($0, /SPDX-License-Identifier: .*/) {
				have = substr($0, RSTART + 25)
				sub(/ \*\/$/, "", have)
				both = FILENAME ~ /^bpf\/|\.bpf\.c$/
				found = have == (both ? "BSD-2-Clause OR GPL-2.0" : "BSD-2-Clause")
			}
			FNR == 2 && !found { print FILENAME }' | nothing
}

@test "sizes: commands 250 lines, main 60, headers 100, parts of the packet path 250" {
	{
		wc -l cmd/*.c bpf/*.bpf.h | awk '$2 != "total" && $1 > 250'
		wc -l lib/*/*.h | awk '$2 != "total" && $1 > 100'
		for f in $(scripts | grep '^pipelines/'); do wc -l "$f"; done | awk '$1 > 250'
		for f in cmd/*.c; do
			awk -v f="$f" '/^int main\(/ { from = NR } from && /^}/ { if (NR - from + 1 > 60) print f ": main() has " NR - from + 1; from = 0 }' "$f"
		done
	} | nothing
}

@test "the product's C is 110 columns wide, tabs 8 wide, no blank at the end of a line" {
	mapfile -t list < <(some '*.[ch]')
	[ "${#list[@]}" -ge 20 ]
	printf '%s\n' "${list[@]}" | grep -v '^t/' | xargs awk '
		/ $/ { print FILENAME ":" FNR ": blank at the end" }
		{
			n = split($0, part, "\t")
			for (width = i = 0; i++ < n; width += length(part[i]))
				if (i > 1)
					width += 8 - width % 8
			if (width > 110) print FILENAME ":" FNR ": " width " columns"
		}' | nothing
}

@test "layers: nobody includes what is above it" {
	includes() { # DIR PATTERN: includes in DIR that match
		grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" -r "$1" --include='*.[ch]' || true
	}
	{
		includes bpf '.*(lib/|base/|core/|kern/)'
		includes lib/base '.*(core/|kern/|bpf/)|bpf|linux/bpf'
		includes lib/core '.*(kern/|base/(tsv|file|die|opt))|stdio|time\.h|unistd|fcntl|sys/|bpf'
		includes lib/conf '.*(kern/|base/tsv|bpf)'
		includes lib/graph '.*(kern/|bpf)'
		includes lib/kern '.*(core/|base/(tsv|opt|file|die))'
		for c in kl-conf kl-fsm kl-graph kl-graph-record kl-recall kl-rollup kl-score; do
			grep -nHE '^#include "(\.\./)*(lib/)?kern/|<bpf/' "cmd/$c.c" || true
		done
		for c in kl-attach kl-dump-flow kl-dump-src kl-dump-total kl-events kl-rule kl-set; do
			grep -nHE '^#include ".*core/' "cmd/$c.c" || true
		done
		grep -nHE '^#include ".*core/(score|fsm|baseline|tune|edge)' cmd/kl-apply.c || true
		grep -rnE 'include[[:space:]]*[<"](bpf/|.*libbpf)' cmd lib/base lib/core || true
		grep -rnwE 'time\(|clock_gettime\(|getenv\(|printf\(|fopen\(' lib/core --include='*.[ch]' || true
	} | nothing
}

@test "the pure filters cannot reach the kernel: neither linked to libbpf nor calling bpf()" {
	for c in kl-conf kl-fsm kl-graph kl-graph-record kl-recall kl-rollup kl-score; do
		ldd "build/bin/$c" | grep -E 'libbpf|libelf' | nothing
		nm -D --undefined-only "build/bin/$c" | grep -wE '(bpf.*|syscall|ioctl|socket)' | nothing
	done
	ldd build/bin/kl-apply | grep -q libbpf
}

@test "no second copy of the kernel's layouts" {
	grep -rlE 'struct kl_(src|cold|cfg|totals|rule|limit) \{' --include='*.[ch]' . | grep -v '^./build' |
		diff - <(echo ./bpf/kl_abi.h)
}

@test "no section of the packet path's objects is a map value kernels before 6.1 refuse: 4 MiB" {
	for o in build/kl_xdp.bpf.o build/kl_xdp_old.bpf.o; do
		readelf -SW "$o" >"$BATS_TEST_TMPDIR/sections"
		grep -q ' \.bss ' "$BATS_TEST_TMPDIR/sections"
		sed 's/^ *\[ *[0-9]*\] //' "$BATS_TEST_TMPDIR/sections" | awk '$1 ~ /^\.(bss|data|rodata)/ { print $1, $5 }' |
			while read -r name size; do ((16#$size <= 4 << 20)) || echo "$o: $name: $size"; done | nothing
	done
}

@test "every command has a page, and every page is clean mdoc with its sections" {
	[ "${#commands[@]}" -ge 8 ]
	for c in "${commands[@]}"; do
		page "$c" >/dev/null || echo "no page: $c"
	done | nothing
	mapfile -t pages < <(some '*.[158]')
	mandoc -T lint -W warning "${pages[@]}"
	for p in "${pages[@]}"; do
		case $p in
		*.5) sections='NAME DESCRIPTION EXAMPLES SEE.ALSO' ;;
		*) sections='NAME SYNOPSIS DESCRIPTION OPTIONS FILES EXIT.STATUS EXAMPLES SEE.ALSO' ;;
		esac
		for s in $sections; do
			grep -qE "^\.Sh $s\$" "$p" || echo "$p: no section $s"
		done
	done | nothing
}

# A page's SYNOPSIS and a --help's usage, as one bag of words each.
bag() { tr -s ' \n\t' '\n' | tr -d '[]' | sed -e 's/…/.../g' -e '/^$/d' -e 's/^usage://' -e '/^$/d' | sort -u; }

@test "--help tells the page's synopsis" {
	for c in "${commands[@]}" kliq; do
		p=$(page "$c" || compgen -G "pipelines/$c.8")
		MANWIDTH=500 mandoc -T utf8 -O width=500 "$p" | col -b | sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' |
			grep -vE '^(SYNOPSIS|DESCRIPTION)' | bag >"$BATS_TEST_TMPDIR/page"
		"$c" --help | sed -n '1,/^$/p' | bag >"$BATS_TEST_TMPDIR/help"
		diff "$BATS_TEST_TMPDIR/page" "$BATS_TEST_TMPDIR/help" || { echo "$c: page < > help"; return 1; }
	done
}

@test "every option of --help is in the page, and every option of the page in --help" {
	for c in "${commands[@]}"; do
		"$c" --help | grep -E '^ {2,6}-' | grep -oE -- '^ *(-[A-Za-z0-9], )?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' | sort >"$BATS_TEST_TMPDIR/help"
		mandoc -T utf8 "$(page "$c")" | col -b | sed -n '/^OPTIONS/,/^FILES/p' | grep -E '^ {5}-' |
			grep -oE -- '--[a-z0-9-]+' | sort -u >"$BATS_TEST_TMPDIR/page"
		[ -s "$BATS_TEST_TMPDIR/help" ]
		diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/page" || { echo "$c: help < > page"; return 1; }
	done
}

@test "every settings key is an option of the commands it names, with the same default" {
	{
		for c in "${commands[@]}"; do "$c" --help | grep -oE -- '--[a-z0-9-]+' | sed "s/^--/$c /"; done
		grep -oE 'setting [a-z0-9-]+\)' pipelines/kliq-run | sed 's/^setting/kliq/; s/)$//'
	} | sort -u >"$BATS_TEST_TMPDIR/have"
	awk -F'\t' 'NR > 1 { n = split($2, c, " "); for (i = 1; i <= n; i++) print c[i], $1 }' schemas/setting.tsv |
		sort -u | comm -23 - "$BATS_TEST_TMPDIR/have" | sed 's/ / has no --/' | nothing
	printf 'key\tvalue\n' >"$BATS_TEST_TMPDIR/none.tsv"
	kl-score "$TOP/t/data/day.tsv" >"$BATS_TEST_TMPDIR/a"
	awk -F'\t' -v OFS='\t' 'NR == 1 { print "key", "value" } $2 == "kl-score" || $2 ~ /^kl-score / { print $1, $4 }' \
		schemas/setting.tsv >"$BATS_TEST_TMPDIR/all.tsv"
	kl-score -c "$BATS_TEST_TMPDIR/all.tsv" "$TOP/t/data/day.tsv" | cmp - "$BATS_TEST_TMPDIR/a"
	awk -F'\t' -v OFS='\t' 'NR == 1 { print "key", "value" } $2 == "kl-fsm" && $4 !~ /^-|x/ { print $1, $4 }' \
		schemas/setting.tsv >"$BATS_TEST_TMPDIR/all.tsv"
	kl-fsm "$BATS_TEST_TMPDIR/a" >"$BATS_TEST_TMPDIR/b"
	kl-fsm -c "$BATS_TEST_TMPDIR/all.tsv" "$BATS_TEST_TMPDIR/a" | cmp - "$BATS_TEST_TMPDIR/b"
}

@test "schemas: five cells a line, time first, one meaning for each name" {
	for f in schemas/*.tsv; do
		awk -F'\t' -v f="$f" '
			NF != 5 { print f ":" NR ": " NF " cells" }
			/"/ { print f ":" NR ": a quote" }
			NR == 2 && f !~ /setting/ && $1 != "time" { print f ": time is not first" }
			seen[$1]++ { print f ":" NR ": " $1 " twice" }' "$f"
	done | nothing
	# A column that several streams carry has one type.
	awk -F'\t' 'FNR > 1 && FILENAME !~ /setting/ { k = $2
		if (($1 in was) && was[$1] != k) print FILENAME ": " $1 " is " k " here, " was[$1] " elsewhere"
		was[$1] = k }' schemas/*.tsv | nothing
}

@test "every stream's columns are those of its schema, and every one is documented in a page" {
	# The capture is older than its last column.
	awk -F'\t' -v OFS='\t' '{ print $0, NR == 1 ? "answers\tnew" : $3 == "*" ? "-\t0" : "0\t0" }' t/data/day.tsv | kl-score >"$BATS_TEST_TMPDIR/score"
	kl-fsm "$BATS_TEST_TMPDIR/score" >"$BATS_TEST_TMPDIR/level"
	for s in score level; do
		diff <(head -n 1 "$BATS_TEST_TMPDIR/$s" | tr '\t' '\n') <(awk -F'\t' 'NR > 1 { print $1 }' "schemas/$s.tsv")
	done
	tr -cs 'a-z0-9_' '\n' <<<"$(cat cmd/*.[18] schemas/*.5)" | sort -u >"$BATS_TEST_TMPDIR/words"
	for f in schemas/*.tsv; do
		[[ $f == */setting.tsv ]] || awk -F'\t' 'NR > 1 { print $1 }' "$f"
	done | sort -u | comm -23 - "$BATS_TEST_TMPDIR/words" | sed 's/$/ is in no page/' | nothing
}

@test "the tree speaks of the product alone" {
	printf '%s\n' "${files[@]}" | grep -vE '^(t/00-style\.bats)$' |
		xargs grep -nIwE 'TODO|FIXME|XXX|HACK|not implemented|placeholder' | nothing
	printf '%s\n' "${files[@]}" | grep -vE '^(t/00-style\.bats)$' |
		xargs grep -nIE '(^|[^A-Za-z0-9_.])/(work|farm|root)/|issue #?[0-9]|issues?/[0-9]' | nothing
}

@test "README names every command" {
	for c in "${commands[@]}" kliq; do
		grep -qE "^\| *\`?$c" README.md || echo "$c is not in README's table"
	done | nothing
}

@test "deps: nothing is installed when nothing is missing; what is missing is named" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/apt-get" <<-'END'
		#!/bin/sh
		echo "$*" >>"$APT_LOG"
	END
	printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/bin/nginx"
	chmod +x "$BATS_TEST_TMPDIR"/bin/*
	export APT_LOG=$BATS_TEST_TMPDIR/apt
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run --separate-stderr sh .ci/deps
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${#lines[@]}" -eq 1 ]
	[ ! -e "$APT_LOG" ]

	# A copy that needs something no machine has.
	mkdir "$BATS_TEST_TMPDIR/ci"
	sed 's|^	gcc gcc$|	gcc gcc\n	/no/such/file no-such-package|' .ci/deps >"$BATS_TEST_TMPDIR/ci/deps"
	run ! cmp -s .ci/deps "$BATS_TEST_TMPDIR/ci/deps"
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/ci"
	if [[ $EUID == 0 ]]; then
		PATH=$BATS_TEST_TMPDIR/bin:$PATH run --separate-stderr sh "$BATS_TEST_TMPDIR/ci/deps"
		[ "$status" -eq 0 ]
		[ "${lines[0]}" = "deps: installed no-such-package" ]
		diff "$APT_LOG" - <<-'END'
			update
			install -y --no-install-recommends no-such-package
		END
		printf '#!/bin/sh\necho broken archive; exit 100\n' >"$BATS_TEST_TMPDIR/bin/apt-get"
		PATH=$BATS_TEST_TMPDIR/bin:$PATH run --separate-stderr sh "$BATS_TEST_TMPDIR/ci/deps"
		[ "$status" -eq 4 ]
		[ "$stderr" = "broken archive
deps: apt-get could not install: no-such-package" ]
		run --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups sh - <"$BATS_TEST_TMPDIR/ci/deps"
	else
		run --separate-stderr sh "$BATS_TEST_TMPDIR/ci/deps"
	fi
	[ "$status" -eq 4 ]
	[ "$stderr" = "deps: missing: no-such-package (run 'sudo make deps')" ]
}

@test "deps: nginx is unpacked, once, and never installed; without it the rest goes on" {
	[[ ! -x /usr/sbin/nginx ]] || skip "nginx is installed"
	mkdir -p "$BATS_TEST_TMPDIR"/{bin,.ci,tree/DEBIAN,tree/usr/sbin}
	cp .ci/deps "$BATS_TEST_TMPDIR/.ci"
	printf '#!/bin/sh\necho no network; exit 100\n' >"$BATS_TEST_TMPDIR/bin/apt-get"
	chmod +x "$BATS_TEST_TMPDIR/bin/apt-get"
	deps() { PATH=$BATS_TEST_TMPDIR/bin:$PATH run --separate-stderr sh "$BATS_TEST_TMPDIR/.ci/deps"; }
	deps
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "deps: nginx cannot be had: the test of the graph on real services will be skipped" ]
	[ "${stderr##*$'\n'}" = "no network" ]
	echo here >"$BATS_TEST_TMPDIR/tree/usr/sbin/nginx"
	printf '%s\n' 'Package: nginx' 'Version: 1' 'Architecture: all' 'Maintainer: nobody' 'Description: none' \
		>"$BATS_TEST_TMPDIR/tree/DEBIAN/control"
	dpkg-deb --build "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/deb" >/dev/null
	printf '#!/bin/sh\necho "$*" >>"%s"; cp "%s" nginx_1_all.deb\n' "$BATS_TEST_TMPDIR/log" "$BATS_TEST_TMPDIR/deb" \
		>"$BATS_TEST_TMPDIR/bin/apt-get"
	for _ in 1 2; do
		deps
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
	done
	diff "$BATS_TEST_TMPDIR/log" <(echo download nginx)
	diff "$BATS_TEST_TMPDIR/build/nginx/usr/sbin/nginx" <(echo here)
}

@test "install and uninstall leave nothing of ours behind" {
	root=$BATS_TEST_TMPDIR/root
	make --no-print-directory -s install DESTDIR="$root" PREFIX=/usr >/dev/null
	for c in "${commands[@]}" kliq; do
		[ -x "$root/usr/bin/$c" ]
	done
	[ -f "$root/usr/share/man/man5/kl-tsv.5" ]
	[ -f "$root/usr/share/man/man8/kliq.8" ]
	PATH=$root/usr/bin:$PATH kliq replay --profile nas t/data/day.tsv | cmp - <(kliq replay --profile nas t/data/day.tsv)
	make --no-print-directory -s uninstall DESTDIR="$root" PREFIX=/usr >/dev/null
	find "$root" ! -type d | nothing
}
