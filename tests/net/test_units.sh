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

# Services log to a file: there is no journal here. It is emptied by whoever looks.
log_to_file()
{
	local unit

	for unit in ecmper-router ecmper-server; do
		mkdir -p "$root/etc/systemd/system/$unit.service.d"
		printf '[Service]\nStandardError=append:/run-log\nReadWritePaths=-/run-log\nRestartSec=200ms\n' \
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
check_fails "a wrong file is refused by restart" ctl restart ecmper-router
check_is "and the router goes on as it was" 1 "$(xdp_mode eth0)"
check_is "with its state" "$generation" "$(inside ecmperctl -j show | jq -c '[.[].generation]')"
router_conf "$one"
check "it starts when the file is right" inside systemctl start ecmper-router
check_is "no packet was lost in all of that" 0 "$(pings_end)"

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
check_fails "a wrong file is refused by restart" ctl restart ecmper-server
check_is "and the server goes on" 1 "$(xdp_mode eth2)"
printf 'dev eth2\nvip 198.51.100.1/32\n' >"$root/etc/ecmper/server.conf"
check "it starts when the file is right" inside systemctl start ecmper-server
check "the server stops" inside systemctl stop ecmper-server
check_is "and is detached" null "$(xdp_mode eth2)"
check "the router stops" inside systemctl stop ecmper-router
check "and nothing is left" is_down
