#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `up` as services say it: a file with all devices and the state, checked before anything changes,
# and done as a whole or not at all.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

conf=$LAB_DIR/router.conf

xdp_of()
{
	lab_exec "$1" ip -j -d link show dev "$2" | jq -c '.[0].xdp | if . == null then null else .prog.id end'
}

is_attached()
{
	[[ $(xdp_of "$1" "$2") != null ]]
}

# loader NAME WORDS...: what it says is in out.log.
loader()
{
	lab_exec "$1" ecmper-loader "${@:2}" >"$LAB_DIR/out.log" 2>&1
}

says()
{
	grep -q -- "$1" "$LAB_DIR/out.log"
}

# write_conf DEVICES STATE: with the neighbours, and the way back to the client.
write_conf()
{
	# shellcheck disable=SC2086 # words
	printf 'dev %s\n' $1 >"$conf"
	printf '%s\n' "$2" "neigh add 10.0.0.1 lladdr $(lab_end_mac 1) dev veth101" \
		"neigh add 10.0.0.2 lladdr $(lab_end_mac 2) dev veth102" \
		"neigh add 10.0.1.99 lladdr $(lab_end_mac 99) dev veth100" "add 10.0.1.0/24 connected" >>"$conf"
}

up_by_file()
{
	loader router router up --config "$conf" --apply "$conf" "$@"
}

version_of()
{
	readlink "$(lab_pin "$1")/version"
}

state_is()
{
	lab_ctl dump | grep '^add 10.0.10' | cmp -s - <(printf '%s\n' "$1")
}

pin=$(lab_pin router)
one="add 10.0.10.0/32 hash maglev buckets 4096 depth 4 via 10.0.0.1 weight 1"
two="$one via 10.0.0.2 weight 1"
lab_up 2
lab_exec router ecmper-loader router down

write_conf "veth100 veth101 veth102" "$one"
check "a check of a file that is right passes" up_by_file --check
check_is "and attaches nothing" null "$(xdp_of router veth100)"
check_fails "and leaves no instance" test -e "$pin"
write_conf "veth100 veth101 veth102" "add 10.0.10.0/32 buckets 17 via 10.0.0.1"
check_fails "a check of a wrong state fails" up_by_file --check
check_fails "as does up" up_by_file
check "with the file and the line" says "$conf:4"
write_conf "veth100 veth101 veth102" "neigh add 10.0.0.3 lladdr 02:00:00:00:00:03 dev nonsense0"
check_fails "a router whose state cannot be had does not come up" up_by_file
check "and says why" says nonsense0
check_is "nothing is attached" null "$(xdp_of router veth100)"
check_fails "and no instance is left" test -e "$pin"

write_conf "veth100 veth101 veth102" "$one"
check "a router comes up with its state" up_by_file
check "which is that of the file" state_is "$one"
check_is "the version of what is attached is noted" "$(ecmperctl --pin /none -V)" "ecmperctl $(version_of router)"
check "packets are forwarded" lab_exec ns99 curl -sf -m 5 -o /dev/null "$LAB_URL/"

before=$(xdp_of router veth100)
write_conf "veth100 veth101" "$two"
check "a check on a router that is up passes" up_by_file --check
check "and says what would change" says "^add 10.0.10.0/32 via 10.0.0.2"
check_is "but replaces no program" "$before" "$(xdp_of router veth100)"
check "and changes no state" state_is "$one"
check "and detaches nothing" is_attached router veth102
lab_ctl apply --check "$conf" >"$LAB_DIR/out.log"
check "ecmperctl apply --check says the same" says "^add 10.0.10.0/32 via 10.0.0.2"
check "and changes nothing either" state_is "$one"

write_conf "veth100 veth101 nonsense0" "$two"
check_fails "up is refused when one device is missing" up_by_file
check_is "and replaces no program" "$before" "$(xdp_of router veth100)"
check "and changes no state" state_is "$one"
check "with --stay-up, this is no failure" up_by_file --stay-up
check "and says why" says nonsense0
check "and what it means" says "the router is up and stays as it is"
check_fails "a check is one all the same" up_by_file --stay-up --check
check_fails "as is what is down" loader router router up --config "$conf" --stay-up --pin "$pin-none"
write_conf "veth100" "add 10.0.10.0/32 buckets 16 via 10.0.0.1"
check_fails "up is refused when the state cannot be had" up_by_file
check_is "and replaces no program" "$before" "$(xdp_of router veth100)"
check "and detaches nothing" is_attached router veth102

: >"$LAB_DIR/out.log"
JOURNAL_STREAM=$(stat -c %d:%i "$LAB_DIR/out.log") loader router router up --config "$conf" --apply "$conf" --stay-up
check "the journal gets complaints as errors" says "^<3>ecmper-loader: the router is up"
JOURNAL_STREAM=$(stat -c %d:%i "$LAB_DIR") loader router router up --config "$conf" --apply "$conf" --stay-up
check "others get them as they are" says "^ecmper-loader: the router is up"

write_conf "veth100 veth101" "$two"
check "up with fewer devices and another state is done" up_by_file
check "the program is another one" test "$(xdp_of router veth100)" != "$before"
check "the state is the file's" state_is "$two"
check_fails "the device that left the file is detached" is_attached router veth102
check "which is said" says "router taken off veth102"
check "up with --dev adds one" loader router router up --dev veth102
check "the others stay" is_attached router veth101
check "packets are forwarded" lab_exec ns99 curl -sf -m 5 -o /dev/null "$LAB_URL/"

# What fails late: the program that counts failed redirects has no place to be pinned.
mkdir "$pin/new"
before=$(xdp_of router veth100)
write_conf "veth100 veth101 veth102" "$one"
printf 'flight-time 5s\n' >>"$conf"
check_fails "an up that fails late fails" up_by_file
check_is "and has replaced no program" "$before" "$(xdp_of router veth100)"
check "and changed no state" state_is "$two"
flight_time()
{
	lab_exec router bpftool -j map dump pinned "$pin/config" | jq '.[0].formatted.value.flight_ms'
}
check_is "and no option" 1000 "$(flight_time)"
check "and packets are forwarded" lab_exec ns99 curl -sf -m 5 -o /dev/null "$LAB_URL/"
rmdir "$pin/new"
check "without the obstacle it is done" up_by_file
check "with the state" state_is "$one"
check_is "and the option" 5000 "$(flight_time)"
write_conf "veth100 veth101 veth102" "$two"
check "an option that left the file" up_by_file
check_is "is as at first" 1000 "$(flight_time)"

# What a `down` leaves that is killed in its middle: no devices, some maps, and config.
rm "$pin/version" "$pin"/link_* "$pin/lpm" "$pin/own_macs"
check "after a down that was killed, up begins anew" up_by_file
check "packets are forwarded" lab_exec ns99 curl -sf -m 5 -o /dev/null "$LAB_URL/"

# Links of another network namespace are none of ours, whatever their devices' indices.
printf 'dev veth1\n' >"$LAB_DIR/other.conf"
check_fails "a file in another network namespace takes no device away here" \
	loader ns1 router up --pin "$pin" --config "$LAB_DIR/other.conf"
check "and says so" says "another network namespace"
check "all stay attached" is_attached router veth100
check_fails "down takes no option of up" loader router router down --max-buckets 5
check "and names it" says "no option --max-buckets"
check "and takes nothing down" is_attached router veth100

vips()
{
	lab_exec ns1 bpftool -j map dump pinned "$(lab_pin ns1)/server/vips" |
		jq -c '[.[].formatted.key.addr | map(tonumber? // .) | join(".")] | sort'
}

vips_before=$(vips)
lab_exec ns1 ip link add br0 up type bridge
check_fails "a server that cannot have a device is refused" \
	loader ns1 server up --dev veth1 --dev br0 --mode native --vip 10.0.11.0/32
check_is "and no VIP of that command is in force" "$vips_before" "$(vips)"

index=$(lab_exec ns1 ip -j link show dev veth1 | jq '.[0].ifindex')
lab_exec ns2 ip link show | grep -q "^$index:" || lab_exec ns2 ip link add twin index "$index" type bridge
twin=$(lab_exec ns2 ip -j link show | jq -r --argjson i "$index" '.[] | select(.ifindex == $i).ifname')
check_fails "server down spares the device of the same index in another network namespace" \
	lab_exec ns2 env ECMPER_PIN="$(lab_pin ns1)" ecmper-loader server down --dev "$twin" 2>"$LAB_DIR/out.log"
check "and says so" says "another network namespace"
check "it stays attached" is_attached ns1 veth1
check "server down of its own device is done" loader ns1 server down --dev veth1
check_fails "which has no program then" is_attached ns1 veth1
