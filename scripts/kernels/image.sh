# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Part of kernels.sh: what the guest boots. A kernel out of its packages, and an initramfs of this
# machine's programs, the project's build and the tests, laid out as in the source tree.

MODULES="veth dummy ipv6 sch_ingress 8021q"
# What the tests call that busybox has not, or not well enough.
PROGRAMS="bash ip tc ethtool nsenter"

# unpack FOLDER DEB...: without dpkg, which is not everywhere. Modules are in FOLDER/lib then.
unpack()
{
	local folder=$1 deb data

	shift
	mkdir -p "$folder"
	for deb in "$@"; do
		data=$(ar t "$deb" | grep '^data\.tar') || return 1
		ar p "$deb" "$data" >"$folder/$data" && tar -xf "$folder/$data" -C "$folder" || return 1
		rm "$folder/$data"
	done
	if [[ -d $folder/usr/lib/modules && ! -d $folder/lib ]]; then
		mv "$folder/usr/lib" "$folder/lib"
	fi
}

# kernel_unpack FOLDER DEB...: sets KERNEL_RELEASE and KERNEL_IMAGE.
kernel_unpack()
{
	unpack "$@" || return 1
	KERNEL_IMAGE=$(find "$1" -type f -name 'vmlinuz*' | head -n 1)
	KERNEL_RELEASE=$(find "$1/lib/modules" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | head -n 1)
	if [[ -z $KERNEL_IMAGE || -z $KERNEL_RELEASE ]]; then
		echo "kernels: no vmlinuz or no modules in ${*:2}" >&2
		return 1
	fi
}

# add_program ROOT FOLDER PATH...: with the libraries that they need.
add_program()
{
	local root=$1 folder=$2 path library

	shift 2
	mkdir -p "$root$folder"
	for path in "$@"; do
		cp -L "$path" "$root$folder/" || return 1
		for library in $(ldd "$path" 2>/dev/null | grep -oE '/[^ ]+'); do
			[[ ! -e $root$library ]] || continue
			mkdir -p "$root${library%/*}"
			cp -L "$library" "$root$library"
		done
	done
}

# add_modules ROOT KERNEL_FOLDER: and a list of them, in the order of loading. What a kernel has built in is none.
add_modules()
{
	local root=$1 folder=$2 module path

	mkdir -p "$root/lib"
	if ! depmod -b "$folder" "$KERNEL_RELEASE" 2>"$root.depmod"; then # it misses lists that no package has
		cat "$root.depmod" >&2
		return 1
	fi
	for module in $MODULES; do
		modprobe -d "$folder" -S "$KERNEL_RELEASE" --show-depends "$module" 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$root/paths"
	while read -r path; do
		cp "$path" "$root/lib/"
		module=$root/lib/${path##*/}
		case $module in
		*.xz) xz -d "$module" ;;
		*.zst) zstd -dq --rm "$module" ;;
		esac
		module=${path##*/}
		echo "/lib/${module%.ko*}.ko"
	done <"$root/paths" >"$root/modules"
	rm "$root/paths"
}

# make_image ROOT KERNEL_FOLDER TEST...: ROOT.cpio, not compressed, which the guest would have to undo slowly.
make_image()
{
	local root=$1 folder=$2 program

	shift 2
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,etc,usr/bin,lib,ecmper/{tests,build/net,scripts}}
	for program in $(busybox --list); do
		ln -s busybox "$root/bin/$program"
	done
	for program in busybox $PROGRAMS; do
		rm -f "$root/bin/$program"
		add_program "$root" /bin "$(PATH=$PATH:/usr/sbin:/sbin type -P "$program")" || return 1
	done
	rm -f "$root/bin/sh"
	add_program "$root" /bin /bin/sh
	add_program "$root" /ecmper/build "$BUILD"/ecmper{-loader,ctl}
	add_program "$root" /ecmper/build/net "$BUILD"/net/{transfer,held}
	add_program "$root" /ecmper/build/prog "$BUILD"/prog/test_*[a-z0-9]
	cp -r tests/kernel "$root/ecmper/tests/"
	cp scripts/run-tests.sh "$root/ecmper/scripts/"
	cp scripts/kernels/guest.sh "$root/init"
	echo "$*" >"$root/tests"
	add_modules "$root" "$folder" || return 1
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$root.cpio"
}
