#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What must not cost a connection its history: changes that overlap, changes of other prefixes, the
# same configuration applied again. LONG_SECONDS: how long the transfers take (10).
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

OTHER_VIP=10.0.20.0/32
seconds=${LONG_SECONDS:-10}

# Eight transfers at a time, each as long as asked for.
long_transfers()
{
	lab_transfers transfers.json -c 8 -n 8 -p "/1m.bin?rate=$((1024 / seconds))k"
	pid=$LAB_PID
	lab_wait 5 lab_is_established
}

lab_up 4
lab_apply 1 2
long_transfers
lab_ctl add "$LAB_VIP_NET" via 10.0.0.3 >/dev/null
lab_ctl add "$LAB_VIP_NET" via 10.0.0.4 >/dev/null
lab_ctl add "$OTHER_VIP" via 10.0.0.1 via 10.0.0.2 >/dev/null
lab_ctl del "$LAB_VIP_NET" via 10.0.0.1 >/dev/null &
first=$!
lab_ctl del "$LAB_VIP_NET" via 10.0.0.2 >/dev/null &
second=$!
check "two changes at the same time: the first is made" wait "$first"
check "and the second" wait "$second"
check_is "both servers are drained" '["10.0.0.3","10.0.0.4"]' \
	"$(lab_ctl -j show "$LAB_VIP_NET" | jq -c '[.[0].servers[] | select(.weight > 0) | .address]')"
lab_ctl del "$OTHER_VIP" >/dev/null
check "the transfers still run" lab_is_established
report=$(lab_transfers_end "$pid" transfers.json)
echo "# overlapping changes: $report"
check_unbroken "overlapping changes break no transfer" "$report"
check_is "of eight" 8 "$(jq .ok <<<"$report")"

lab_apply 1 2 3 4
lab_config 1 2 3 4 >"$LAB_DIR/same.conf"
long_transfers
before=$(lab_generations)
for ((i = 0; i < 100; i++)); do
	lab_ctl apply "$LAB_DIR/same.conf" >>"$LAB_DIR/same.log"
done
check_is "the same file applied 100 times changes no generation" "$before" "$(lab_generations)"
check_is "and reports no change" "# no change" "$(sort -u "$LAB_DIR/same.log")"
lab_ctl dump >"$LAB_DIR/dump.conf"
lab_ctl apply "$LAB_DIR/dump.conf" >>"$LAB_DIR/same.log"
check_is "nor does what dump prints" "$before" "$(lab_generations)"
report=$(lab_transfers_end "$pid" transfers.json)
echo "# the same file: $report"
check_unbroken "and no transfer is broken" "$report"
