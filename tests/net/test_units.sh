#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The systemd units, in a systemd that runs: a container over this machine's root file system (its
# writes go to memory), with namespaces of its own and nothing of sysinit started.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

dir=/run/ecmper-$LAB-container
root=$dir/root
cgroups=/sys/fs/cgroup
[[ $(stat -f -c %T "$cgroups") == cgroup2fs ]] || cgroups=$cgroups/unified
cgroup=$cgroups/ecmper-$LAB
outer= # unshare, whose end ends the container
init=  # systemd, as seen from here

finish()
{
	if [[ -n $outer ]]; then
		kill -KILL "$outer"
		wait "$outer"
	fi 2>/dev/null
	[[ -z $init ]] || lab_wait 10 lab_is_gone "$init"
	! mountpoint -q "$root" || umount "$root"
	! mountpoint -q "$dir" || umount "$dir"
	[[ ! -d $dir ]] || rmdir "$dir"
	[[ ! -d $cgroup ]] || find "$cgroup" -depth -type d -exec rmdir {} \;
}
lab_on_exit finish

# A copy of this machine's files that knows of no service but ours.
make_root()
{
	local unit

	mkdir -p "$dir"
	mount -t tmpfs ecmper "$dir"
	mkdir "$dir/upper" "$dir/work" "$root"
	mount -t overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" overlay "$root"
	rm -rf "$root"/usr/lib/systemd/system/*.wants "$root"/etc/systemd/system/*
	: >"$root/etc/fstab"
	mkdir -p "$root/etc/ecmper"
	cp "$LAB_BUILD/ecmper-loader" "$LAB_BUILD/ecmperctl" "$root/usr/sbin"
	for unit in "$LAB_ROOT"/systemd/*.service; do
		sed 's|@SBINDIR@|/usr/sbin|g; s|@SYSCONFDIR@|/etc|g' "$unit" \
			>"$root/etc/systemd/system/${unit##*/}"
	done
}

# Runs inside, as process 1: the file systems that systemd needs, nothing of ours writable but
# bpffs and the control groups.
# shellcheck disable=SC2016 # expanded inside
boot='
set -e
mount -t proc proc proc
mount -o bind,ro proc/sys proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf bpf sys/fs/bpf
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for device in null zero full random urandom tty; do
	touch dev/$device
	mount --bind /dev/$device dev/$device
done
mkdir tmp/outside
pivot_root . tmp/outside
cd /
umount -l /tmp/outside
export container=other
exec /lib/systemd/systemd --unit=basic.target --log-target=console </dev/null >/run/boot.log 2>&1
'

start_container()
{
	mkdir -p "$cgroup"
	(
		echo "$BASHPID" >"$cgroup/cgroup.procs"
		cd "$root"
		exec unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child \
			--propagation private bash -c "$boot"
	) &
	outer=$!
	lab_wait 10 find_init
	lab_wait 20 inside systemctl is-active basic.target >/dev/null 2>&1
}

find_init()
{
	init=$(pgrep -P "$outer") && [[ $(cat "/proc/$init/comm") == systemd ]]
}

inside()
{
	nsenter --target "$init" --all -- "$@"
}

# The mode of the XDP program on a device: 1 is native, null is none.
xdp_mode()
{
	inside ip -j link show dev "$1" | jq -c '.[0].xdp.mode'
}

buckets()
{
	inside ecmperctl -j show 198.51.100.1/32 | jq -c '[.[0].servers[] | [.address, .weight]]'
}

is_down()
{
	[[ $(xdp_mode eth0) == null && $(xdp_mode eth1) == null && ! -e /proc/$init/root/sys/fs/bpf/ecmper ]]
}

router_conf()
{
	cat >"$root/etc/ecmper/router.conf" <<CONF
# devices and options
dev eth0
mode native
hash-key 00112233445566778899aabbccddeeff

# state
neigh add 192.0.2.11 lladdr 02:00:00:00:00:11 dev eth0
neigh add 192.0.2.12 lladdr 02:00:00:00:00:12 dev eth0
$1
CONF
}

make_root
start_container
inside ip link add eth0 type veth peer name peer0
inside ip link add eth1 type veth peer name peer1
router_conf "add 198.51.100.1/32 via 192.0.2.11"
printf 'dev eth1\nvip 198.51.100.1/32\n' >"$root/etc/ecmper/server.conf"

check "the router starts" inside systemctl start ecmper-router
check_is "and is attached" 1 "$(xdp_mode eth0)"
check_is "with what the file says" '[["192.0.2.11",1]]' "$(buckets)"
router_conf "add 198.51.100.1/32 via 192.0.2.11 via 192.0.2.12 weight 2"
check "the router reloads" inside systemctl reload ecmper-router
check_is "and has what the file says now" '[["192.0.2.11",1],["192.0.2.12",2]]' "$(buckets)"
router_conf "add nonsense"
check_fails "a wrong file is refused by reload" quietly inside systemctl reload ecmper-router
check_is "which changes nothing" '[["192.0.2.11",1],["192.0.2.12",2]]' "$(buckets)"
check "the router stays active" quietly inside systemctl is-active ecmper-router
check "the server starts" inside systemctl start ecmper-server
check_is "and is attached" 1 "$(xdp_mode eth1)"
check "the server reloads" inside systemctl reload ecmper-server
check "the server stops" inside systemctl stop ecmper-server
check_is "and is detached" null "$(xdp_mode eth1)"
check "the router stops" inside systemctl stop ecmper-router
check "and nothing is left" is_down
