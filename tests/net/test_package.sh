#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The Debian package, built twice as two versions: installed, upgraded under traffic, removed,
# purged, in a systemd that runs. Needs what debian/control lists to build it.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/container.sh
. "$(dirname "$0")/container.sh"

if ! command -v dpkg-buildpackage >/dev/null || ! command -v dh >/dev/null; then
	echo "ok the Debian package # SKIP no dpkg-buildpackage and debhelper here"
	exit 0
fi

old=0.0.1~old-1
new=0.0.1~test-2
builds=$(mktemp -d)

finish_package()
{
	finish
	rm -rf "$builds"
}
lab_on_exit finish_package

# copy_source FOLDER: as git knows it.
copy_source()
{
	mkdir -p "$1"
	git -C "$LAB_ROOT" ls-files --cached --others --exclude-standard -z |
		(cd "$LAB_ROOT" && xargs -0 cp --parents -t "$1")
}

# build FOLDER VERSION: the package lies beside the folder then.
build()
{
	copy_source "$builds/$1"
	sed -i "1s/(.*)/($2)/" "$builds/$1/debian/changelog"
	(cd "$builds/$1" && DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=2" \
		dpkg-buildpackage -b -us -uc >"$builds/log" 2>&1) || {
		sed 's/^/# /' "$builds/log"
		return 1
	}
}

package()
{
	echo "$builds/ecmper_${1}_$(dpkg --print-architecture).deb"
}

# install VERSION: what it says is in out.log, also when it fails.
install_package()
{
	cp "$(package "$1")" "$root/tmp.deb"
	inside dpkg --force-unsafe-io --force-downgrade -i /tmp.deb >"$dir/out.log" 2>&1
}

says()
{
	grep -q -- "$1" "$dir/out.log"
}

attached_version()
{
	inside ecmperctl -V | sed -n 's/^router in .*: //p'
}

# Links that only an `up` that detached and attached again would change.
link_ids()
{
	local pin

	for pin in "/proc/$init/root/sys/fs/bpf/ecmper"/link_*; do
		inside bpftool -j link show pinned "/sys/fs/bpf/ecmper/${pin##*/}" | jq .id
	done
}

is_down()
{
	[[ $(xdp_mode eth0) == null && $(xdp_mode eth1) == null && ! -e /proc/$init/root/sys/fs/bpf/ecmper ]]
}

# Every link of the pages to a file is to one that is installed.
links_work()
{
	local page target broken=0

	while read -r page; do
		while read -r target; do
			[[ $target == http* || -e $(dirname "$page")/${target%%#*} ]] || {
				echo "# $page: $target"
				broken=1
			}
		done < <(grep -oE '\]\([^)#]+' "$page" | cut -c3-)
	done < <(find "$root/usr/share/doc/ecmper" -name '*.md')
	((broken == 0))
}

check "the package builds" build a "$old"
check "and its next version" build another-folder "$new"
readelf -d "$builds/a/build/ecmper-loader" >"$builds/dynamic"
check "programs resolve their symbols at the start" grep -qE 'BIND_NOW|FLAGS_1.*NOW' "$builds/dynamic"
readelf -s --wide "$builds/a/build/ecmper-loader" >"$builds/symbols"
check "and check their buffers" grep -q '__[a-z]*printf_chk' "$builds/symbols"

for file in router.bpf.o server.bpf.o; do
	check "$file is the same from two folders" cmp "$builds/a/build/$file" "$builds/another-folder/build/$file"
done
check_fails "no program names the folder that it was built in" grep -qF "$builds" "$builds"/a/build/ecmper*

make_root
rm -f "$root/usr/sbin/policy-rc.d"
start_container
make_links
one="add 198.51.100.1/32 via 192.0.2.11"

# --- install ---
check "the package is installed" install_package "$old"
check_is "the tool tells the package's version" "ecmperctl $old" "$(inside ecmperctl -V)"
check_is "as does the loader" "ecmper-loader $old" "$(inside ecmper-loader -V)"
check "nothing runs before it is configured" is_down
check "the pages' links lead to files" links_work
router_conf "$one"
check "the service starts" inside systemctl start ecmper-router
check_is "and the program is of that version" "$old" "$(attached_version)"

# --- upgrade ---
pings_begin
inside ecmperctl add 198.51.100.1/32 via 192.0.2.12
inside ecmperctl del 198.51.100.1/32 via 192.0.2.12
history=$(inside ecmperctl tables prv_nh | md5sum)
before=$(xdp_id eth0)
links=$(link_ids)
check "the package is upgraded under traffic" install_package "$new"
check "which says the version that runs" says "the router runs version $new"
check_is "which is the new one" "$new" "$(attached_version)"
check "by another program" test "$(xdp_id eth0)" != "$before"
check_is "on the same links" "$links" "$(link_ids)"
check_is "with the history of before" "$history" "$(inside ecmperctl tables prv_nh | md5sum)"
check "the service is active" inside systemctl is-active --quiet ecmper-router
check_is "show has nothing to say about versions" "" "$(inside ecmperctl show 2>&1 >/dev/null)"

router_conf "add nonsense"
check "with a wrong file, another version is installed, too" install_package "$old"
check "which says what still runs" says "the router goes on with the program of $new"
check_is "and it does" "$new" "$(attached_version)"
inside ecmperctl show >"$dir/out.log" 2>&1
check "as show says" says "note: the router's program is that of $new, this is $old"
router_conf "$one"
check "a reload with the right file replaces it" inside systemctl reload ecmper-router
check_is "then" "$old" "$(attached_version)"
check_is "no packet was lost in all of that" 0 "$(pings_end)"
check_is "on the same links" "$links" "$(link_ids)"

# --- remove, purge ---
check "the package is removed while the router is up" quietly inside dpkg -r ecmper
check "which takes it down" is_down
check_is "and leaves no unit behind" "" \
	"$(inside systemctl list-units --all --no-legend 'ecmper-*')"
check "the configuration stays" test -e "$root/etc/ecmper/router.conf"
: >"$root/etc/ecmper/mine"
check "a purge is done" quietly inside dpkg -P ecmper
check_fails "and takes the file with the hash key away" test -e "$root/etc/ecmper/router.conf"
check_fails "and the examples" test -e "$root/etc/ecmper/router.conf.example"
check "but not what others put there" test -e "$root/etc/ecmper/mine"
rm "$root/etc/ecmper/mine"
check "the package is installed again" install_package "$new"
check "a router is brought up by hand" quietly inside ecmper-loader router up --dev eth0
check "the package is purged" quietly inside dpkg -P ecmper
check "which takes that down, too" is_down
check_fails "and leaves no folder" test -e "$root/etc/ecmper"
