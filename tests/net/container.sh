# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A container for tests with a systemd that runs: over this machine's root file system (its writes
# go to memory), with namespaces of its own and nothing of sysinit started. Sourced behind lib.sh by
# tests that call make_root, put files into $root, and then start_container.

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
	mkdir -p "$dir"
	mount -t tmpfs ecmper "$dir"
	mkdir "$dir/upper" "$dir/work" "$root"
	mount -t overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" overlay "$root"
	rm -rf "$root"/usr/lib/systemd/system/*.wants "$root"/etc/systemd/system/*
	: >"$root/etc/fstab"
}

# install_files: by `make install`, with the folders of a distribution.
install_files()
{
	make -s -C "$LAB_ROOT" B="$LAB_BUILD" PREFIX=/usr UNITDIR=/lib/systemd/system DESTDIR="$root" install
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
		cd "$root" || exit
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

# With its own programs, not those that were built.
inside()
{
	PATH=/usr/sbin:/usr/bin:/sbin:/bin nsenter --target "$init" --all -- "$@"
}

# The mode of the XDP program on a device: 1 is native, null is none.
xdp_mode()
{
	inside ip -j link show dev "$1" | jq -c '.[0].xdp.mode'
}

# Its id, to tell one program from the next.
xdp_id()
{
	inside ip -j -d link show dev "$1" | jq -c '.[0].xdp.prog.id'
}

# Two devices of the router, whose other ends are a client's and a server's: namespaces within.
make_links()
{
	local i

	cp "$LAB_BUILD/stub.bpf.o" "$root"
	for i in 0 1; do
		inside ip netns add "peer$i"
		inside ip link add "eth$i" address "02:00:00:00:01:0$i" type veth \
			peer name "peer$i" netns "peer$i" address "02:00:00:00:00:0$i"
		inside ip link set "eth$i" up
		# The passing stub, because redirected frames need a NAPI at the other end of a veth.
		inside ip netns exec "peer$i" ip link set dev "peer$i" xdpdrv object /stub.bpf.o section xdp.frags
		inside ip -n "peer$i" link set "peer$i" up
		inside ip -n "peer$i" link set lo up
		inside ip -n "peer$i" address add "192.0.2.1$i/24" dev "peer$i"
		inside ip -n "peer$i" neigh add 192.0.2.1 lladdr "02:00:00:00:01:0$i" dev "peer$i"
	done
	inside ip -n peer0 route add 198.51.100.1 via 192.0.2.1
	inside ip -n peer1 address add 198.51.100.1/32 dev lo
	inside ip -n peer1 neigh add 192.0.2.10 lladdr 02:00:00:00:01:01 dev peer1
}

# router_conf LINES: devices, a server, the way back, and these.
router_conf()
{
	mkdir -p "$root/etc/ecmper"
	cat >"$root/etc/ecmper/router.conf" <<CONF
# devices and options
dev eth0
dev eth1
mode native
hash-key 00112233445566778899aabbccddeeff

# state
neigh add 192.0.2.10 lladdr 02:00:00:00:00:00 dev eth0
neigh add 192.0.2.11 lladdr 02:00:00:00:00:01 dev eth1
neigh add 192.0.2.12 lladdr 02:00:00:00:00:01 dev eth1
add 192.0.2.10/32 connected
$1
CONF
}

# Echo requests of the client to the VIP, one every 2 ms, until pings_end.
pings_begin()
{
	: >"$dir/pings"
	inside ip netns exec peer0 stdbuf -oL ping -i 0.002 198.51.100.1 >"$dir/pings" &
	pings=$!
	lab_wait 5 pings_reach 50
}

# pings_reach N: have there been N answers?
pings_reach()
{
	(($(grep -c 'bytes from' "$dir/pings") >= $1))
}

# pings_end: after 200 more, the numbers that are missing between the first answer and the last.
pings_end()
{
	lab_wait 5 pings_reach $(($(grep -c 'bytes from' "$dir/pings") + 200)) || true
	kill -INT "$(pgrep -P "$pings")"
	wait "$pings" 2>/dev/null || true
	sed -nE 's/.*icmp_seq=([0-9]+) .*/\1/p' "$dir/pings" |
		awk '!seen[$1]++ { n++; if (!first || $1 < first) first = $1; if ($1 > last) last = $1 }
			END { print n ? last - first + 1 - n : "no answer" }'
}
