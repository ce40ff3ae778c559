#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The systemd units: start, reload, restart, stop, with files that are right, wrong and missing, with
# devices that come late, and under traffic.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/container.sh
. "$(dirname "$0")/container.sh"

buckets()
{
	inside ecmperctl -j show 198.51.100.1/32 | jq -c '[.[0].servers[] | [.address, .weight]]'
}

is_down()
{
	[[ $(xdp_mode eth0) == null && $(xdp_mode eth1) == null && ! -e /proc/$init/root/sys/fs/bpf/ecmper ]]
}

ctl()
{
	quietly inside systemctl "$@"
}

# What the journal would have of a unit, of the last run of it.
says()
{
	grep -q -- "$1" "$root/run-log"
}

# is_refused ROLE DEVICE WHY: of one that is up, with a file, or programs, that cannot be had. A restart
# leaves it up and active, which is what a reload and a stop go by.
is_refused()
{
	local unit=ecmper-$1 before

	before=$(xdp_id "$2")
	: >"$root/run-log"
	check "a restart of the $1 leaves it active ($3)" ctl restart "$unit"
	check "and says why" says "$3"
	check "and what to do" says "the $1 is up and stays as it is"
	check "and that it is active" ctl is-active "$unit"
	: >"$root/run-log"
	check_fails "a reload fails" ctl reload "$unit"
	check "and says why" says "$3"
	check "the $1 stays active" ctl is-active "$unit"
	check_is "with the same program" "$before" "$(xdp_id "$2")"
}

# stops ROLE DEVICE: down, and not only inactive.
stops()
{
	check "the $1 stops" ctl stop "ecmper-$1"
	check_fails "and is inactive" ctl is-active "ecmper-$1"
	check_is "and detached" null "$(xdp_mode "$2")"
}

is_detached()
{
	[[ $(xdp_mode "$1") == null ]]
}

# is_in UNIT STATE: see `systemctl --state=help`.
is_in()
{
	[[ $(inside systemctl show -P SubState "$1") == "$2" ]]
}

# is_overtaken ROLE DEVICE: a restart whose stop has left the program alone, then a stop before its start.
is_overtaken()
{
	local unit=ecmper-$1

	mkfifo "$root/hold"
	inside systemctl --no-block restart "$unit"
	check "a restart of the $1 begins" lab_wait 5 is_in "$unit" stop-post
	inside systemctl --no-block stop "$unit"
	inside sh -c 'echo >/hold'
	rm "$root/hold"
	check "is overtaken by a stop" lab_wait 5 is_in "$unit" dead
	check "which takes the $1 down" lab_wait 5 is_detached "$2"
}

has_retried()
{
	(($(inside systemctl show -P NRestarts "$1") >= 3))
}

# is_broken ROLE DEVICE: a restart whose start comes to no end of its own, as when it is killed.
is_broken()
{
	local unit=ecmper-$1 before

	before=$(xdp_id "$2")
	: >"$root/broken"
	check_fails "a restart of the $1 fails half-way" ctl restart "$unit"
	check "and is tried again" lab_wait 5 has_retried "$unit"
	check_is "while the program stays" "$before" "$(xdp_id "$2")"
	check "a stop ends that" ctl stop "$unit"
	check "and takes the $1 down" lab_wait 5 is_detached "$2"
	rm "$root/broken"
}

# change_abi FOLDER: as if another ABI version had brought the instance up.
change_abi()
{
	local value

	value=$(inside bpftool -j map lookup pinned "$1/config" key 0 0 0 0 | jq -r '.value | .[0] = "0xfe" | join(" ")')
	# shellcheck disable=SC2086 # bytes
	inside bpftool map update pinned "$1/config" key 0 0 0 0 value $value
}

# Services log to a file: there is no journal here. It is emptied by whoever looks. Their stop waits at its
# end while there is a pipe named hold, and their start fails while there is a file named broken.
log_to_file()
{
	local unit

	for unit in ecmper-router ecmper-server; do
		mkdir -p "$root/etc/systemd/system/$unit.service.d"
		printf '[Service]\nStandardError=append:/run-log\nReadWritePaths=-/run-log\nRestartSec=200ms\n%s\n%s\n' \
			'ExecStartPre=/bin/sh -c "[ ! -e /broken ]"' \
			'ExecStopPost=/bin/sh -c "[ ! -p /hold ] || read -r line </hold"' \
			>"$root/etc/systemd/system/$unit.service.d/test.conf"
	done
}

make_root
install_files
log_to_file
: >"$root/run-log"
start_container
make_links
inside ip link add eth2 type veth peer name peer2
one="add 198.51.100.1/32 via 192.0.2.11"
two="$one via 192.0.2.12 weight 2"

# --- files that are missing or wrong ---
check_fails "a start without router.conf fails" ctl start ecmper-router
check "and names the file" says "cannot open /etc/ecmper/router.conf"
check "and is not tried again" ctl is-failed ecmper-router
router_conf "neigh add 192.0.2.13 lladdr 02:00:00:00:00:03 dev eth9
$one"
: >"$root/run-log"
check_fails "a start whose state cannot be had fails" ctl start ecmper-router
check "and says why" says "eth9"
check "and nothing is half up" is_down
inside systemctl stop ecmper-router

# --- start, reload ---
inside umount /sys/fs/bpf
router_conf "$one"
check "the router starts, also where no bpffs is mounted" inside systemctl start ecmper-router
check_is "which is mounted then" bpf_fs "$(inside stat -f -c %T /sys/fs/bpf)"
check_is "and is attached" 1 "$(xdp_mode eth0)"
check_is "with what the file says" '[["192.0.2.11",1]]' "$(buckets)"
pings_begin
before=$(xdp_id eth0)
check "the router reloads" inside systemctl reload ecmper-router
check "with another program in place of the one before" test "$(xdp_id eth0)" != "$before"
router_conf "$two"
check "the router reloads another state" inside systemctl reload ecmper-router
check_is "and has what the file says now" '[["192.0.2.11",1],["192.0.2.12",2]]' "$(buckets)"
router_conf "add nonsense"
check_fails "a wrong file is refused by reload" ctl reload ecmper-router
check_is "which changes nothing" '[["192.0.2.11",1],["192.0.2.12",2]]' "$(buckets)"
check "the router stays active" ctl is-active ecmper-router

# --- restart ---
router_conf "$one"
check "the router restarts" inside systemctl restart ecmper-router
generation=$(inside ecmperctl -j show | jq -c '[.[].generation]')
before=$(xdp_id eth0)
check "and restarts" inside systemctl restart ecmper-router
check "with another program" test "$(xdp_id eth0)" != "$before"
check_is "and the tables as they were" "$generation" "$(inside ecmperctl -j show | jq -c '[.[].generation]')"
router_conf "add nonsense"
is_refused router eth0 "router.conf:[0-9]"
check_is "and its state" "$generation" "$(inside ecmperctl -j show | jq -c '[.[].generation]')"
mv "$root/etc/ecmper/router.conf" "$root/etc/ecmper/gone"
is_refused router eth0 "cannot open /etc/ecmper/router.conf"
mv "$root/etc/ecmper/gone" "$root/etc/ecmper/router.conf"
router_conf "$one"
check "the right file is reloaded then" ctl reload ecmper-router
change_abi /sys/fs/bpf/ecmper
is_refused router eth0 "was made by ABI version 254 of ecmper"
check_is "no packet was lost in all of that" 0 "$(pings_end)"
stops router eth0
check "another ABI version begins by a start" ctl start ecmper-router
sed -i 's/^hash-key .*/hash-key ffeeddccbbaa99887766554433221100/' "$root/etc/ecmper/router.conf"
is_refused router eth0 "--hash-key is fixed"
stops router eth0
check "and begins with another hash key" ctl start ecmper-router
router_conf "add nonsense"
check "after a restart that is refused" ctl restart ecmper-router
stops router eth0
check_fails "the wrong file starts no router that is down" ctl start ecmper-router
check "and nothing is half up" is_down
router_conf "$one"
check "the right one does" ctl start ecmper-router
is_overtaken router eth0
check "the router starts again" ctl start ecmper-router
is_broken router eth0
check "the router starts again" ctl start ecmper-router

# --- devices ---
sed -i '/eth1/d; s/^dev eth0/dev eth0\ndev eth9/' "$root/etc/ecmper/router.conf"
sed -i '/192.0.2.11/d' "$root/etc/ecmper/router.conf"
inside systemctl stop ecmper-router
check "the router stops" is_down
check_fails "a start with a device that is not there fails" ctl start ecmper-router
inside ip link add eth9 type veth peer name peer9
check "and is done when the device has come" lab_wait 10 ctl is-active ecmper-router
check_is "so that it is attached" 1 "$(xdp_mode eth9)"
inside /lib/systemd/systemd-udevd --daemon
inside ip link del eth9
inside ip link add eth9 type veth peer name peer9
has_come_back()
{
	[[ $(xdp_mode eth9) == 1 ]]
}
check "a device that is made again is attached to again" lab_wait 10 has_come_back
inside ip link add eth8 type veth peer name peer8
inside udevadm settle
before=$(xdp_id eth0)
inside ip link add eth7 type veth peer name peer7
inside udevadm settle
check_is "other devices are nothing to the service" "$before" "$(xdp_id eth0)"

# --- server ---
check_fails "a start without server.conf fails" ctl start ecmper-server
check "and names the file" says "cannot open /etc/ecmper/server.conf"
printf 'dev eth2\nvip 198.51.100.1/32\n' >"$root/etc/ecmper/server.conf"
check "the server starts" inside systemctl start ecmper-server
check_is "and is attached" 1 "$(xdp_mode eth2)"
before=$(xdp_id eth2)
check "the server reloads" inside systemctl reload ecmper-server
check "the server restarts" inside systemctl restart ecmper-server
check "with another program" test "$(xdp_id eth2)" != "$before"
printf 'dev eth2\nvip nonsense\n' >"$root/etc/ecmper/server.conf"
is_refused server eth2 "server.conf:2"
printf 'dev eth2\nvip 198.51.100.1/32\n' >"$root/etc/ecmper/server.conf"
check "the right file is reloaded then" ctl reload ecmper-server
printf 'dev eth2\nvip nonsense\n' >"$root/etc/ecmper/server.conf"
check "after a restart that is refused" ctl restart ecmper-server
stops server eth2
check_fails "the wrong file starts no server that is down" ctl start ecmper-server
printf 'dev eth2\nvip 198.51.100.1/32\n' >"$root/etc/ecmper/server.conf"
check "the right one does" ctl start ecmper-server
printf 'max-fragments 128\n' >>"$root/etc/ecmper/server.conf"
is_refused server eth2 "--max-fragments is fixed"
stops server eth2
check "and begins with another size" ctl start ecmper-server
is_overtaken server eth2
check "the server starts again" ctl start ecmper-server
for unit in ecmper-router ecmper-server ecmper-down@server; do
	check "$unit may do what it needs" inside systemctl is-active --quiet "$unit"
	check_is "and no more" "cap_net_admin cap_perfmon cap_bpf" "$(inside systemctl show -P CapabilityBoundingSet "$unit")"
done
change_abi /sys/fs/bpf/ecmper/server
is_refused server eth2 "was made by ABI version 254 of ecmper"
stops server eth2
check "the router stops" inside systemctl stop ecmper-router
check "and nothing is left" is_down
# What is not needed any more is stopped behind the services.
for role in router server; do
	check "ecmper-down@$role ends with it" lab_wait 5 is_in "ecmper-down@$role" dead
done
