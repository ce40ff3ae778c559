# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Demo 2, sourced by demo.sh: transfers of 1 MB by ApacheBench while servers 2, 3 and 4 are added
# and removed, each server limited to 100 Mbit/s.

DEMO2_REQUESTS=360
DEMO2_PARALLEL=12
DEMO2_STEP=2 # seconds from one change to the next
DEMO2_CHANGES=("add 2" "add 3" "add 4" "del 4" "del 3" "del 2")

# A counter of the client's kernel.
demo2_counter()
{
	lab_exec ns99 nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

# What it has received, over both families.
demo2_bytes()
{
	lab_exec ns99 nstat -asz IpExtInOctets Ip6InOctets | awk '{ sum += $2 } END { printf "%.0f", sum }'
}

# demo2_open 'CONDITION': connections of the client, in lines of ss that match.
demo2_open()
{
	lab_exec ns99 ss -HOtni state established "dst $LAB_VIP_NET" | grep -c "$1" || true
}

# A figure of ab's report: the first number behind the label, or 0.
demo2_figure()
{
	local figure

	figure=$(sed -nE "s|^ *$1 +([0-9.]+).*|\1|p" "$LAB_DIR/ab.log" | head -n 1)
	echo "${figure:-0}"
}

# One of the parts of "(Connect: 0, Receive: 40, Length: 40, Exceptions: 40)", or 0.
demo2_failed()
{
	local figure

	figure=$(sed -nE "s|.*[(, ]$1: ([0-9]+).*|\1|p" "$LAB_DIR/ab.log" | head -n 1)
	echo "${figure:-0}"
}

# When nothing moves any more: what hangs. Connections without a request are ab's own fault: after
# a reset it may open one and forget it, then it waits for it in vain.
demo2_take_stock()
{
	DEMO2_RESETS=$(demo2_counter TcpEstabResets)
	DEMO2_HANGING=$(demo2_open ' data_segs_out:')
	DEMO2_FORGOTTEN=$(($(demo2_open '') - DEMO2_HANGING))
}

# Broken transfers, each once: by the client's kernel, those reset and those that hang. Of one that
# is reset, ab counts a failed receive, a wrong length and an exception; but when the reset comes
# together with data, an exception only, and the request never completes. So, by its figures:
# those of a wrong length, and those that never completed.
demo2_broken()
{
	local by_ab by_kernel

	by_ab=$((DEMO2_SENT - $(demo2_figure 'Complete requests:') + $(demo2_failed Length)))
	by_kernel=$((DEMO2_RESETS + DEMO2_HANGING))
	((by_ab == by_kernel)) ||
		echo "(ab's figures make $by_ab broken transfers, the client's kernel's $by_kernel)" >&2
	echo $((by_ab > by_kernel ? by_ab : by_kernel))
}

demo2_change()
{
	local verb=$1 server=$2 finished

	lab_ctl "$verb" "$LAB_VIP_NET" via "$(lab_server_addr "$server")" >/dev/null
	finished=$(cat "$LAB_DIR"/ns*/access.log | wc -l)
	printf '%4d s  %s server %d   (%d transfers so far)\n' $((SECONDS - DEMO2_START)) "$verb" "$server" "$finished"
}

# Seconds since the run began, with three decimals.
demo2_time()
{
	awk -v now="$EPOCHREALTIME" -v start="$DEMO2_BEGIN" 'BEGIN { printf "%.3f", now - start }'
}

# Until SECONDS is this, or ab is done, or nothing has moved for two seconds.
demo2_pause()
{
	local until=$1 ab=$2 bytes

	while ((SECONDS < until)); do
		sleep 0.1
		! lab_is_gone "$ab" || return 1
		bytes=$(demo2_bytes)
		if ((bytes - DEMO2_BYTES > 100000)); then
			DEMO2_BYTES=$bytes DEMO2_STILL=0 DEMO2_TIME=$(demo2_time)
		else
			DEMO2_STILL=$((DEMO2_STILL + 1))
		fi
		((DEMO2_STILL < 20)) || return 1
	done
}

# A change every step, round and round, until ab is done or hangs.
demo2_churn()
{
	local ab=$1 next=0

	DEMO2_START=$SECONDS DEMO2_BEGIN=$EPOCHREALTIME DEMO2_BYTES=0 DEMO2_STILL=0 DEMO2_TIME=0
	while demo2_pause $((DEMO2_START + DEMO2_STEP * (next + 1))) "$ab"; do
		# shellcheck disable=SC2086 # two words
		demo2_change ${DEMO2_CHANGES[next % ${#DEMO2_CHANGES[@]}]}
		next=$((next + 1))
	done
	if lab_is_gone "$ab"; then
		DEMO2_TIME=$(demo2_time)
	fi
	demo2_take_stock
	kill -INT "$ab" 2>/dev/null || true # it reports when interrupted
}

# Packets that the servers bounced and the router sent on by its history.
demo2_bounced()
{
	lab_ctl -j stats |
		jq '[.reasons[] | select(.reason == "history" or .reason == "chain_end") | .packets] | add'
}

demo2_row()
{
	printf '%-12s %8s %8s %8s %10s %8s %8s %9s\n' "$@"
}

# demo2_run NAME 0|1: one row of the table, into DEMO2_ROW.
demo2_run()
{
	local ab complete rate

	heading "Demo 2, $1: $DEMO2_REQUESTS transfers of 1 MB, $DEMO2_PARALLEL at a time"
	fresh_lab 4 LAB_WIRE=0 LAB_RATE=100mbit LAB_ACTIVE=1 LAB_SERVER_PROG="$2"
	lab_spawn ns99 ab.log ab -r -s 60 -n "$DEMO2_REQUESTS" -c "$DEMO2_PARALLEL" "$LAB_URL/1m.bin"
	ab=$LAB_PID
	demo2_churn "$ab"
	wait "$ab" || true # 1 when interrupted
	grep -q '^Complete requests:' "$LAB_DIR/ab.log" || {
		cat "$LAB_DIR/ab.log"
		say "ApacheBench failed"
		return 1
	}
	complete=$(demo2_figure 'Complete requests:')
	DEMO2_SENT=$((DEMO2_REQUESTS - DEMO2_FORGOTTEN))
	DEMO2_BROKEN=$(demo2_broken)
	rate=$(awk -v n="$complete" -v t="$DEMO2_TIME" 'BEGIN { printf "%.1f", n / t }')
	DEMO2_ROW=$(demo2_row "$1" "$DEMO2_SENT" "$DEMO2_BROKEN" "$DEMO2_TIME s" "$rate/s" \
		"$(demo2_figure '50%') ms" "$(demo2_figure '99%') ms" "$(demo2_bounced)")
}

demo2()
{
	local plain_row plain_broken

	demo2_run "plain ECMP" 0
	plain_row=$DEMO2_ROW plain_broken=$DEMO2_BROKEN
	demo2_run "ECMP-ER" 1
	say ""
	demo2_row "" requests broken time rate p50 p99 bounced
	say "$plain_row"
	say "$DEMO2_ROW"
	# shellcheck disable=SC2034 # read by demo.sh
	((DEMO2_BROKEN == 0)) || ER_BROKE=1
	((plain_broken > 0)) || say "Plain ECMP broke no transfer this time: the run shows nothing."
}
