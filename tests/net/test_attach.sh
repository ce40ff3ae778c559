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

# A server whose `up` fails keeps its VIPs and its mark.
vips()
{
	lab_exec ns1 bpftool -j map dump pinned "$(lab_pin ns1)/server/vips" | jq -c '[.[].formatted.key.addr | join(".")] | sort'
}

server_up()
{
	lab_exec ns1 ecmper-loader server up "$@" >"$LAB_DIR/out.log" 2>&1
}

lab_stub_detach ns1 veth1
check "a server comes up" server_up --dev veth1 --vip 10.0.10.0/32
lab_exec ns1 ip link add br0 up type bridge
check_fails "with a device without native XDP, it is refused" \
	server_up --dev veth1 --dev br0 --mode native --mark tos --vip 10.0.11.0/32
check "and keeps the VIP that it has" grep -q '"10.0.10.0"' <<<"$(vips)"
check "up without a mark keeps the format, too" server_up --dev veth1 --vip 10.0.10.0/32
check_is "and now has the VIPs that it is given" '["10.0.10.0"]' "$(vips)"
check_is "and marks as before" 0 \
	"$(lab_exec ns1 bpftool -j map dump pinned "$(lab_pin ns1)/server/config" | jq '.[0].formatted.value.mark')"

check_fails "all of a bpffs is refused as an instance" router_up --dev br0 --pin "$LAB_DIR/bpf"
check "with the advice to name a folder in it" says "name a folder below it"
lab_exec ns1 bpftool map create "$LAB_DIR/bpf/counters" type array key 4 value 4 entries 1 name others
check_fails "and down does not take it for one" quietly lab_exec router ecmper-loader router down --pin "$LAB_DIR/bpf"
check "so that another's pin there stays" test -e "$LAB_DIR/bpf/counters"
rm "$LAB_DIR/bpf/counters"

# Another namespace's device of the same index, and the same instance.
index=$(lab_exec ns1 ip -j link show dev veth1 | jq '.[0].ifindex')
lab_exec ns2 ip link show | grep -q "^$index:" || lab_exec ns2 ip link add twin index "$index" type bridge
twin=$(lab_exec ns2 ip -j link show | jq -r --argjson i "$index" '.[] | select(.ifindex == $i).ifname')
lab_stub_detach ns2 "$twin" 2>/dev/null || true
check_fails "an instance is not shared with another network namespace" \
	lab_exec ns2 env ECMPER_PIN="$(lab_pin ns1)" ecmper-loader server up --dev "$twin" --vip 10.0.10.0/32 \
	2>"$LAB_DIR/out.log"
check "and says so" says "used in another network namespace"
