# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Part of faults.sh: faults that need a router instance of their own, beside the lab's. It lives in
# the router's namespace, on a pair of links that lead nowhere, and goes with the lab.

SPARE=$LAB_DIR/bpf/spare

# The links that the spare instance is attached to.
spare_links()
{
	lab_pair router spare0 router spare1
	lab_exec router ip link set dev spare0 up
	lab_exec router ip link set dev spare1 up
}

spare_ctl()
{
	lab_exec router ecmperctl --pin "$SPARE" "$@"
}

spare_loader()
{
	lab_exec router ecmper-loader router "$1" --pin "$SPARE" "${@:2}"
}

spare_up()
{
	spare_loader up --dev spare0 --mode native "$@"
}

# No trace of it, neither in bpffs nor on the device.
spare_is_gone()
{
	[[ ! -e $SPARE ]] && ! lab_exec router ip link show dev spare0 | grep -q 'prog/xdp'
}

# refused WORD COMMAND...: the command fails, with this word in a clear message, and changes nothing.
refused()
{
	local word=$1 status=0 before

	shift
	CASE_TRIES=$((CASE_TRIES + 1))
	before=$(spare_ctl dump)
	"$@" >"$LAB_DIR/refused.log" 2>&1 || status=$?
	if ((status == 0)); then
		bad "'$*' was not refused"
		return
	fi
	CASE_HIT=$((CASE_HIT + 1))
	if ! is_clear_failure "$status" "$LAB_DIR/refused.log" || ! grep -q -- "$word" "$LAB_DIR/refused.log"; then
		bad "'$*': exit status $status, message without '$word': $(head -c 300 "$LAB_DIR/refused.log")"
	fi
	[[ $(spare_ctl dump) == "$before" ]] || bad "'$*' was refused, but something changed"
}

# Neighbours 10.9.0.1.. of the spare instance.
spare_neighs()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		spare_ctl neigh add "10.9.0.$i" lladdr "$(printf '02:03:04:09:00:%02x' "$i")" dev spare0 >/dev/null
	done
}

# full OPTION VALUE FUNCTION: an instance of that size; the function fills it and sees it refuse.
full()
{
	spare_up "--$1" "$2" >/dev/null
	"$3" "--$1"
	spare_loader down >/dev/null
}

full_prefixes()
{
	local i

	spare_neighs 1
	for ((i = 1; i <= 16; i++)); do
		spare_ctl add "10.8.0.$i" buckets 16 via 10.9.0.1 >/dev/null
	done
	refused "$1" spare_ctl add 10.8.0.17 buckets 16 via 10.9.0.1
}

full_next_hops()
{
	spare_neighs 15
	refused "$1" spare_ctl neigh add 10.9.0.16 lladdr 02:03:04:09:00:10 dev spare0
	refused "$1" spare_ctl add 10.8.0.1 via 10.9.0.16
}

full_buckets()
{
	spare_neighs 3
	spare_ctl add 10.8.0.1 buckets 4096 via 10.9.0.1 >/dev/null
	refused "$1" spare_ctl add 10.8.0.2 buckets 8192 via 10.9.0.2
	refused "$1" spare_ctl add 10.8.0.1 buckets 8192 via 10.9.0.2 via 10.9.0.3
}

full_history()
{
	local i

	spare_neighs 4
	spare_ctl add 10.8.0.1 buckets 4096 depth 4 via 10.9.0.1 >/dev/null
	for i in 1 2; do
		spare_ctl add 10.8.0.1 via "10.9.0.$((i + 1))" >/dev/null
	done
	refused "$1" spare_ctl add 10.8.0.2 buckets 4096 via 10.9.0.1 via 10.9.0.2 via 10.9.0.3 via 10.9.0.4
}

full_members()
{
	spare_neighs 15
	refused "$1" spare_ctl add 10.8.0.1 buckets 64 via 10.9.0.1 via 10.9.0.2 via 10.9.0.3
}

case_full()
{
	full max-prefixes 16 full_prefixes
	full max-next-hops 16 full_next_hops
	full max-buckets 4096 full_buckets
}

# A router that is killed while it comes up, or goes down: the next command puts everything right.
case_spare_kill()
{
	local call n status up=(ecmper-loader router up --pin "$SPARE" --dev spare0 --mode native)

	own_calls '!read' "${up[@]}" | awk -v step="$(eval_pick 20 1)" 'NR % step == 1 || step == 1' >"$LAB_DIR/each"
	own_calls all ecmper-loader router down --pin "$SPARE" >"$LAB_DIR/each.down"
	while read -r call n; do
		CASE_TRIES=$((CASE_TRIES + 1)) status=0
		struck signal=KILL "$call" "$n" "${up[@]}" || status=$?
		((status == 0)) || CASE_HIT=$((CASE_HIT + 1))
		must "up again after $call $n" spare_up
		must "a prefix after $call $n" spare_ctl add 10.8.0.0/24 connected
		must "down after $call $n" spare_loader down
		spare_is_gone || bad "down after $call $n left something"
	done <"$LAB_DIR/each"
	awk -v step="$(eval_pick 6 1)" 'NR % step == 1 || step == 1' "$LAB_DIR/each.down" >"$LAB_DIR/each"
	while read -r call n; do
		spare_up >/dev/null
		CASE_TRIES=$((CASE_TRIES + 1)) status=0
		struck signal=KILL "$call" "$n" ecmper-loader router down --pin "$SPARE" || status=$?
		((status == 0)) || CASE_HIT=$((CASE_HIT + 1))
		spare_is_gone || must "down again after $call $n" spare_loader down
		spare_is_gone || bad "down again after $call $n left something"
	done <"$LAB_DIR/each"
}

# The version is the first word of config's only element.
case_version()
{
	local value status=0

	spare_up >/dev/null
	value=$(bpftool -j map dump pinned "$SPARE/config" | jq -r '.[0].value | map(sub("^0x"; "")) | .[1:] | join(" ")')
	# shellcheck disable=SC2086 # bytes
	bpftool map update pinned "$SPARE/config" key hex 00 00 00 00 value hex 63 $value
	for command in "ecmperctl show" "ecmperctl dump" "ecmperctl add 10.8.0.1 via 10.9.0.1" \
		"ecmperctl stats" "ecmper-loader router up --dev spare0 --mode native"; do
		CASE_TRIES=$((CASE_TRIES + 1)) status=0
		# shellcheck disable=SC2086 # words
		lab_exec router env ECMPER_PIN="$SPARE" $command >"$LAB_DIR/version.log" 2>&1 || status=$?
		((status == 0)) || CASE_HIT=$((CASE_HIT + 1))
		if ! is_clear_failure "$status" "$LAB_DIR/version.log" || ! grep -q version "$LAB_DIR/version.log"; then
			bad "'$command': exit status $status, message '$(head -c 200 "$LAB_DIR/version.log")'"
		fi
	done
	must "down works on any version" spare_loader down
	[[ ! -e $SPARE ]] || bad "down left $(ls "$SPARE")"
}

# In a mount namespace of its own, which takes the mount with it.
case_read_only()
{
	local line

	while read -r line; do
		CASE_TRIES=$((CASE_TRIES + 1)) CASE_HIT=$((CASE_HIT + 1))
		[[ $line == ok* ]] || bad "$line"
	done < <(lab_exec router unshare -m "$LAB_ROOT/scripts/eval/faults-read-only.sh" "$LAB_DIR/readonly")
	((CASE_TRIES == 5)) || bad "only $CASE_TRIES of 5 commands were tried"
}
