#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Attaching to devices: other people's XDP programs are left alone, devices without native XDP
# work in generic mode, and down leaves no trace.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

xdp_of()
{
	lab_exec router ip -j -d link show dev "$1" | jq -c '.[0].xdp | if . == null then null else [.mode, .prog.id] end'
}

router_up()
{
	lab_exec router ecmper-loader router up "$@" >"$LAB_DIR/out.log" 2>&1
}

says()
{
	grep -q -- "$1" "$LAB_DIR/out.log"
}

pin=$(lab_pin router)
export LAB_SERVER_PROG=0
lab_up 2
lab_exec router ecmper-loader router down
check_fails "router down leaves no pin" test -e "$pin"
check_is "router down detaches from the client's device" null "$(xdp_of veth100)"
check_is "router down detaches from a server's device" null "$(xdp_of veth102)"
check_fails "a second router down fails" lab_exec router ecmper-loader router down 2>/dev/null

lab_stub_attach router veth101
before=$(xdp_of veth101)
check_fails "up is refused where another XDP program is attached" router_up --dev veth100 --dev veth101
check "and says on which device" says veth101
check "and by which program" says lab_stub
check_is "which is still there" "$before" "$(xdp_of veth101)"
check_is "and the other device is as before" null "$(xdp_of veth100)"
check_fails "and nothing is pinned" test -e "$pin"
lab_stub_detach router veth101

check_fails "up on a device that does not exist is refused" router_up --dev veth100 --dev nonsense0
check_is "with nothing attached" null "$(xdp_of veth100)"
check_fails "and nothing pinned" test -e "$pin"

lab_exec router ip link add br0 up type bridge
check_fails "native mode is refused on a device without native XDP" router_up --dev br0 --mode native
check_is "with nothing attached" null "$(xdp_of br0)"
check "auto mode falls back to generic" router_up --dev br0 --mode auto
check "and says so" says generic
check_is "and is attached in generic mode" 2 "$(xdp_of br0 | jq '.[0]')"
lab_exec router ecmper-loader router down
check_is "router down detaches a generic program too" null "$(xdp_of br0)"

check "generic mode can be asked for" router_up --dev veth100 --dev veth101 --dev veth102 --mode generic
lab_apply 1 2
check "and forwards" lab_exec ns99 curl -sf -m 5 -o /dev/null "$LAB_URL/"
lab_speak 6
check "IPv6, too" lab_exec ns99 curl -sgf -m 5 -o /dev/null "$LAB_URL/"
