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

# libraries PATH: those that a program needs, "FILE PLACE" a line. What toolchains.sh built has them
# in its suite's root ($BUILD/root), and finds them by that root's loader.
libraries()
{
	local root loader folders

	if [[ $1 != "$BUILD"/* || ! -e $BUILD/root ]]; then
		ldd "$1" 2>/dev/null | grep -oE '/[^ ]+' | awk '{ print $1, $1 }'
		return
	fi
	root=$(realpath "$BUILD/root")
	loader=$(echo "$root"/lib64/ld-linux-*.so.2)
	folders=$(printf '%s:' "$root"/usr/lib/*-linux-gnu)
	"$loader" --inhibit-cache --library-path "${folders%:}" --list "$1" |
		awk -v root="$root" 'index($3, root) == 1 {
			place = substr($3, length(root) + 1)
			sub(/^\/usr/, "", place)
			print $3, place
		}'
}

# add_program ROOT FOLDER PATH...: with the libraries that they need.
add_program()
{
	local root=$1 folder=$2 path library place

	shift 2
	mkdir -p "$root$folder"
	for path in "$@"; do
		cp -L "$path" "$root$folder/" || return 1
		while read -r library place; do
			[[ ! -e $root$place ]] || continue
			mkdir -p "$root${place%/*}"
			cp -L "$library" "$root$place"
		done < <(libraries "$path")
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
	local root=$1 folder=$2 program tests

	shift 2
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,etc,usr/bin,lib,ecmper/{tests,build/net,scripts}}
	# First, as the libraries of a newer suite do for this machine's programs, too.
	add_program "$root" /ecmper/build "$BUILD"/ecmper{-loader,ctl} || return 1
	add_program "$root" /ecmper/build/net "$BUILD"/net/{transfer,held} || return 1
	mapfile -t tests < <(find "$BUILD/prog" -name 'test_*' -type f -executable)
	add_program "$root" /ecmper/build/prog "${tests[@]}" || return 1
	for program in $(busybox --list); do
		ln -s busybox "$root/bin/$program"
	done
	for program in busybox $PROGRAMS; do
		rm -f "$root/bin/$program"
		add_program "$root" /bin "$(PATH=$PATH:/usr/sbin:/sbin type -P "$program")" || return 1
	done
	rm -f "$root/bin/sh"
	add_program "$root" /bin /bin/sh
	cp -r tests/kernel "$root/ecmper/tests/"
	cp scripts/run-tests.sh "$root/ecmper/scripts/"
	cp scripts/kernels/guest.sh "$root/init"
	echo "$*" >"$root/tests"
	add_modules "$root" "$folder" || return 1
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$root.cpio"
}
