#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Both families at once: prefixes of one with next hops of the other, and servers that are next hops
# by an address of each, with one MAC.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# config NUMBER: each VIP has this server as its only one, by the address of the other family.
config()
{
	lab_base_config
	echo "add $(lab_vip 4) via $(lab_addr 6 "$1")"
	echo "add $(lab_vip 6) via $(lab_addr 4 "$1")"
}

apply()
{
	config "$1" | lab_ctl apply - >"$LAB_DIR/apply.log"
}

# moved APPLY PORT: a connection with server 1, moved to server 2 by that function.
moved()
{
	"$1" 1
	lab_connection_open "$2" 80
	lab_get /
	lab_wait 5 lab_has_hello
	"$1" 2
}

lab_up 2
for family in 4 6; do
	lab_speak "$family"
	moved apply "4${family}000"
	check "IPv$family by next hops of the other family: a moved connection transfers 1 MB" lab_download
	check "IPv$family by next hops of the other family: by server 1" grep -q '^X-Server: ns1' "$LAB_DIR/answer"
	lab_connection_close
done

for family in 4 6; do
	lab_speak "$family"
	moved lab_apply "4${family}001"
	lab_ctl purge "$(lab_addr $((10 - family)) 2)" >/dev/null
	cleared=$(lab_reason mark_cleared) history=$(lab_reason history)
	check "IPv$family, the server's other address is purged: a moved connection transfers 1 MB" lab_download
	check_is "IPv$family, the server's other address is purged: its marks still count" "$cleared" "$(lab_reason mark_cleared)"
	check "IPv$family, the server's other address is purged: its packets are sent on" test "$(lab_reason history)" -gt "$history"
	lab_connection_close
done
