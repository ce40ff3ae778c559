# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Part of kernels.sh: Debian's newest cloud kernel of a suite, as files in the cache folder, fetched
# from apt's own mirror when the list names a newer one. Nothing is installed. What was fetched is
# compared with the sums of the list, and the list with those of the suite's InRelease; the latter's
# signature is not looked at, as the kernel runs in an emulator that has no network and no disk.

CACHE=${ECMPER_KERNELS:-$(cache_folder kernels)}

# download URL FILE: whole or not at all.
download()
{
	if curl -sSfL --retry 2 --connect-timeout 15 --speed-limit 1000 --speed-time 30 \
		-o "$2.part" "$1"; then
		mv "$2.part" "$2"
	else
		rm -f "$2.part"
		return 1
	fi
}

# has_sum FILE SHA256
has_sum()
{
	[[ -e $1 && $(sha256sum <"$1") == "$2 "* ]]
}

# update_list SUITE: the suite's list of packages is as new as the mirror's. When the mirror cannot
# be reached, a list from before does.
update_list()
{
	local folder=$CACHE/$1 name=main/binary-amd64/Packages.xz base sum

	base=$(mirror)/dists/$1
	mkdir -p "$folder"
	if ! download "$base/InRelease" "$folder/InRelease"; then
		[[ -e $folder/Packages.xz ]] || return 1
		echo "kernels: $base cannot be reached: what was fetched before is used" >&2
		return 0
	fi
	sum=$(awk -v name="$name" '/^SHA256:/ { in_sums = 1; next } /^[^ ]/ { in_sums = 0 }
		in_sums && $3 == name { print $1; exit }' "$folder/InRelease")
	has_sum "$folder/Packages.xz" "$sum" || download "$base/$name" "$folder/Packages.xz" || return 1
	has_sum "$folder/Packages.xz" "$sum" && return 0
	echo "kernels: $base/$name is not what InRelease says (SHA256 $sum)" >&2
	rm -f "$folder/Packages.xz"
	return 1
}

# From a list of packages, those of cloud kernels: a line "NAME FILE SHA256 DEPENDS..." for each.
list_kernels()
{
	awk '
	/^Package: /  { name = $2 }
	/^Filename: / { file = $2 }
	/^SHA256: /   { sum = $2 }
	/^Depends: /  { needs = $0 }
	/^$/ {
		if (name ~ /^linux-(image|binary|modules)-[0-9].*-cloud-amd64$/)
			print name, file, sum, needs
		name = file = sum = needs = ""
	}'
}

# The lines of the packages that have this kernel's files: the image's, and since 6.19 or so, where
# it is empty, those that it depends on.
needed_for()
{
	awk -v image="$1" '
	{ line[$1] = $0 }
	END {
		print line[image]
		count = split(line[image], word, /[ ,]+/)
		for (i = 5; i <= count; i++)
			if (word[i] ~ /^linux-(binary|modules)-/ && word[i] in line)
				print line[word[i]]
	}'
}

# Kernels of a suite that a newer one has replaced.
forget_others()
{
	local path wanted

	for path in "$1"/*.deb; do
		for wanted in "${KERNEL_DEBS[@]}"; do
			[[ $path != "$wanted" ]] || continue 2
		done
		rm -f "$path"
	done
}

# kernel_fetch SUITE: sets KERNEL_DEBS to the files of its newest kernel, or fails and says why.
kernel_fetch()
{
	local suite=$1 folder=$CACHE/$1 image lines file sum path base

	KERNEL_DEBS=()
	update_list "$suite" || return 1
	lines=$(xz -dc "$folder/Packages.xz" | list_kernels)
	image=$(awk '{ print $1 }' <<<"$lines" | grep '^linux-image-' | sort -V | tail -n 1)
	if [[ -z $image ]]; then
		echo "kernels: the list of $suite names no linux-image-*-cloud-amd64" >&2
		return 1
	fi
	base=$(mirror)
	while read -r _ file sum _; do
		path=$folder/${file##*/}
		has_sum "$path" "$sum" || download "$base/$file" "$path" || return 1
		if ! has_sum "$path" "$sum"; then
			echo "kernels: $base/$file is not what the list says (SHA256 $sum)" >&2
			rm -f "$path"
			return 1
		fi
		KERNEL_DEBS+=("$path")
	done < <(needed_for "$image" <<<"$lines")
	forget_others "$folder"
}
