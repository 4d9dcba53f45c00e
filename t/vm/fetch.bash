# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A suite's kernel: downloaded by an apt that has its configuration, lists and
# package state below $CACHE, and unpacked there. The machine's own apt and
# packages stay as they are.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# mirror SUITE: where this machine's apt gets Debian, or its security updates, from.
mirror() {
	local ending=/debian/
	[[ $1 != *-security ]] || ending=/debian-security/
	# shellcheck disable=SC2016 # apt-get expands it
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 "$ending\$"
}

# private_apt SUITE: makes such an apt that knows this suite alone; its configuration is $APT_CONFIG.
private_apt() {
	local dir=$CACHE/apt/$1 uri
	uri=$(mirror "$1") || fail "no mirror of Debian among apt's sources"
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	echo "deb [signed-by=$KEYRING] $uri $1 main" >"$dir/sources.list"
	: >"$dir/status"
	cat >"$dir/apt.conf" <<-END
		Dir::Etc::main "/dev/null";
		Dir::Etc::parts "/dev/null";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State "$dir";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir";
		Dir::Cache::archives "$dir/archives";
		Acquire::Languages "none";
		Acquire::Check-Valid-Until "false";
		Acquire::Retries "2";
		APT::Sandbox::User "";
	END
	export APT_CONFIG=$dir/apt.conf
	apt-get -qq update || fail "apt-get update of $1"
}

# kernel_packages: the image that linux-image-amd64 stands for, and its parts when it comes in several.
kernel_packages() {
	apt-cache depends --recurse --no-{recommends,suggests,conflicts,breaks,replaces,enhances} linux-image-amd64 |
		grep -E '^linux-(image|base|binary|modules)-[0-9].*-amd64$'
}

# fetch SUITE: prints the directory its newest kernel is unpacked in. Runs in a shell of its own.
fetch() {
	local names image tree deb
	private_apt "$1" >&2
	mapfile -t names < <(kernel_packages | sort)
	image=$(printf '%s\n' "${names[@]}" | grep -m1 '^linux-image-') || fail "no linux-image-amd64 in $1"
	deb=$(apt-get download --print-uris "$image" | awk '{ print $2 }')
	tree=$CACHE/${deb%.deb}
	if [[ ! -e $tree/complete ]]; then
		rm -rf "$tree"
		mkdir -p "$tree/debs"
		(cd "$tree/debs" && apt-get -qq download "${names[@]}") >&2 || fail "download of ${names[*]}"
		for deb in "$tree"/debs/*.deb; do
			dpkg-deb -x "$deb" "$tree" || fail "unpacking ${deb##*/}"
		done
		rm -r "$tree/debs"
		touch "$tree/complete"
	fi
	echo "$tree"
}
