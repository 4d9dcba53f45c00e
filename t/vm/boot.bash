# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A kernel unpacked below a directory, started under QEMU. The guest's root is
# this machine's, read-only through 9p, with a tmpfs laid over it for what it
# writes. One directory is shared for writing: there it leaves its results.

# shellcheck disable=SC2154 # $work is set by who sources this

# What the initramfs needs to get at that root.
ROOT_MODULES=(virtio_pci 9pnet_virtio 9p overlay)

# find_kernel TREE: sets $modules (the directory) and $image.
find_kernel() {
	local found
	found=("$1"/lib/modules/*/kernel "$1"/usr/lib/modules/*/kernel)
	modules=
	for modules in "${found[@]}"; do
		[[ ! -d $modules ]] || break
	done
	modules=${modules%/kernel}
	image=$1/boot/vmlinuz-${modules##*/}
	[[ -e $image ]] || image=$modules/vmlinuz
	[[ -e $image ]] || fail "no kernel image in its package"
}

# make_initramfs FILE: a busybox, the modules in the order they depend on each other, and an init.
make_initramfs() {
	local dir=$work/initramfs release=${modules##*/} base=${modules%/lib/modules/*} file n=100
	mkdir -p "$dir"/{bin,dev,proc,host,over,new,modules}
	cp "$(command -v busybox)" "$dir/bin/"
	# A busybox that is not static brings its libraries.
	{ ldd "$(command -v busybox)" || true; } 2>/dev/null | grep -o '/[^ ]*' |
		xargs -r cp --parents -L -t "$dir"
	[[ -e $modules/modules.dep ]] || depmod -b "$base" "$release" || fail "depmod"
	modprobe -d "$base" -S "$release" -a --show-depends "${ROOT_MODULES[@]}" >"$work/order" ||
		fail "its package lacks one of ${ROOT_MODULES[*]}"
	while read -r file; do
		n=$((n + 1))
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -dcq "$file" ;;
		*) cat "$file" ;;
		esac >"$dir/modules/$n.ko"
	done < <(awk '$1 == "insmod" && !seen[$2]++ { print $2 }' "$work/order")
	cat >"$dir/init" <<-END
		#!/bin/busybox sh
		die() { echo "init: \$1 failed"; busybox poweroff -f; }
		busybox mount -t devtmpfs dev /dev
		busybox mount -t proc proc /proc
		for m in /modules/*; do busybox insmod \$m || die \$m; done
		busybox mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose top /host || die root
		busybox mount -t tmpfs over /over
		busybox mkdir /over/upper /over/work
		busybox mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work over /new || die overlay
		busybox mkdir -p /new/lib/modules/$release
		busybox mount -o bind /host$modules /new/lib/modules/$release || die modules
		busybox umount /proc
		exec busybox switch_root /new $TOP/t/vm/guest
	END
	chmod +x "$dir/init"
	(cd "$dir" && find . | busybox cpio -o -H newc 2>/dev/null) >"$1"
	rm -rf "$dir"
}

# boot TREE: runs the guest with $work/shared as what it may write to. The
# kernel's messages are in $work/console. What it may use is processor time, of
# which a busy machine gives it little; by the clock it ends all the same.
boot() {
	local modules image args
	find_kernel "$1"
	make_initramfs "$work/initrd"
	mkdir "$work/shared"
	args=(
		-accel tcg -cpu max -smp 1 -m 1024 -machine pc
		-nodefaults -no-user-config -no-reboot -display none
		-kernel "$image" -initrd "$work/initrd" -serial "file:$work/console"
		-append "console=ttyS0 panic=-1 mitigations=off no5lvl nokaslr audit=0 apparmor=0 random.trust_cpu=on tsc=reliable no_timer_check"
		-device virtio-rng-pci
		-virtfs "local,path=/,mount_tag=top,security_model=none,readonly=on,multidevs=remap"
		-virtfs "local,path=$work/shared,mount_tag=shared,security_model=none"
	)
	setpriv --pdeathsig TERM timeout --kill-after=5 "$GUEST_SECONDS" prlimit --cpu="$GUEST_CPU_SECONDS" \
		qemu-system-x86_64 "${args[@]}" </dev/null >"$work/qemu" 2>&1
}
