#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Frames of 9 000 bytes, in native and generic mode: moved connections carry 1 MB both ways, and large
# frames are bounced.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# Bytes of the average frame that a server sent back.
bounced_size()
{
	lab_exec "$1" ecmperctl -j stats |
		jq '.reasons[] | select(.reason == "bounce") | if .packets > 0 then .bytes / .packets | floor else 0 end'
}

# run NAME BYTES: bytes that bounced frames have at least, on average.
run()
{
	local name="$1, IPv$LAB_FAMILY:"

	lab_apply 1
	lab_sink ns1 9000
	lab_connection_open "4${LAB_FAMILY}000" 9000
	lab_apply 2
	lab_exec ns2 ecmperctl stats --reset
	check "$name a moved connection's upload of 1 MB arrives" lab_upload ns1
	check "$name server 2 bounced its large frames" test "$(bounced_size ns2)" -gt "$2"
	lab_connection_close
	lab_apply 1
	lab_connection_open "4${LAB_FAMILY}001" 80
	lab_get /
	lab_wait 5 lab_has_hello
	lab_apply 2
	check "$name a moved connection's download of 1 MB arrives" lab_download
	lab_connection_close
}

for mode in "native 9000" "generic 9000" "generic 1500"; do
	export LAB_MODE=${mode% *} LAB_MTU=${mode#* }
	lab_up 2
	for family in 4 6; do
		lab_speak "$family"
		run "$LAB_MODE mode, MTU $LAB_MTU" $((LAB_MTU * 2 / 3))
	done
	check_is "$LAB_MODE mode, MTU $LAB_MTU: nothing failed to be sent" 0 "$(lab_reason tx_error)"
	lab_down
done
