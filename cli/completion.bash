# bash completion for ecmperctl(8) and ecmper-loader(8)                      -*- shell-script -*-
# Words only: nothing is asked of a running instance, so that it works without root.
# scripts/check-docs.sh compares the commands and options below with the programs.

# Offer those of the words in $1 that begin with the word being typed.
_ecmper_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_ecmper_devices() {
	_ecmper_words "$(cd /sys/class/net 2>/dev/null && echo *)"
}

# fe80::1%: the devices that the link-local address may be on. The word begins behind the last colon.
_ecmper_scopes() {
	local cur=${COMP_WORDS[COMP_CWORD]}

	_ecmper_words "$(cd /sys/class/net 2>/dev/null && printf "${cur%%%*}%%%s " *)"
}

_ecmper_files() {
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
}

_ecmper_folders() {
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")
}

# After `add PREFIX`: options, then servers.
_ecmperctl_add() {
	case $1 in
	hash) _ecmper_words "maglev modulo" ;;
	hash-on) _ecmper_words "5tuple src src-dst" ;;
	buckets) _ecmper_words "16 32 64 128 256 512 1024 2048 4096 8192 16384 32768 65536" ;;
	depth) _ecmper_words "$(echo {0..15})" ;;
	via | weight | connected) ;;
	*)
		if [[ " ${COMP_WORDS[*]} " == *" via "* ]]; then
			_ecmper_words "via weight"
		else
			_ecmper_words "hash hash-on buckets depth via connected"
		fi
		;;
	esac
}

_ecmperctl_neigh() {
	case $1 in
	neigh) _ecmper_words "add del" ;;
	dev) _ecmper_devices ;;
	add | del | lladdr | vlan) ;;
	*) [[ " ${COMP_WORDS[*]} " == *" add "* ]] && _ecmper_words "lladdr dev vlan" ;;
	esac
}

# The words of one command: its name, how many stand before this one, and the last of them.
_ecmperctl_command() {
	local name=$1 place=$2 prev=$3

	case $name in
	add) ((place > 1)) && _ecmperctl_add "$prev" ;;
	del) ((place > 1)) && [[ $prev != via ]] && _ecmper_words via ;;
	neigh) _ecmperctl_neigh "$prev" ;;
	batch | apply) ((place == 1)) && _ecmper_files ;;
	tables) ((place == 1)) && _ecmper_words "lpm cur_nh prv_nh neigh" ;;
	stats) ((place == 1)) && _ecmper_words "router server" ;;
	trace) ((place == 1)) && _ecmper_words "tcp udp icmp icmp6" ;;
	help) ((place == 1)) && _ecmper_words "$commands" ;;
	purge | clear | dump | show) ;;
	esac
}

_ecmperctl() {
	local commands="add del purge neigh clear batch apply dump show tables stats trace help"
	local options="--pin --json --version --help"
	local stats_options="--interval --count --verbose --reset" apply_options="--check"
	local cur=${COMP_WORDS[COMP_CWORD]} name="" place=0 i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--pin | -i | --interval | -c | --count) ((i++)) ;;
		-*) ;;
		*)
			[[ $name ]] || name=${COMP_WORDS[i]}
			((place++))
			;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--pin) _ecmper_folders && return ;;
	-i | --interval | -c | --count) return ;;
	esac
	if [[ $cur == -* ]]; then
		[[ $name == stats ]] && options+=" $stats_options"
		[[ $name == apply ]] && options+=" $apply_options"
		_ecmper_words "$options"
	elif [[ $name && $cur == *%* ]]; then
		_ecmper_scopes
	elif [[ $name ]]; then
		_ecmperctl_command "$name" "$place" "${COMP_WORDS[COMP_CWORD - 1]}"
	else
		_ecmper_words "$commands"
	fi
}

_ecmper_loader() {
	local role=${COMP_WORDS[1]} action=${COMP_WORDS[2]}
	local both="--dev --mode --mark --also-mac --config --check --stay-up --pin --help --version"
	local sizes="--max-prefixes --max-next-hops --max-buckets --max-history --max-members"

	COMPREPLY=()
	sizes+=" --max-ports --max-fragments"
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--dev) _ecmper_devices && return ;;
	--mode) _ecmper_words "auto native generic" && return ;;
	--mark) _ecmper_words "dscp tos" && return ;;
	--config | --apply) _ecmper_files && return ;;
	--pin) _ecmper_folders && return ;;
	--vip | --also-mac | --flight-time | --icmp-* | --hash-key | --max-*) return ;;
	esac
	case $COMP_CWORD in
	1) _ecmper_words "router server --help --version" ;;
	2) _ecmper_words "up down" ;;
	*)
		case "$role $action" in
		"router up") _ecmper_words "$both --apply --flight-time --icmp-source --icmp-rate --hash-key $sizes" ;;
		"server up") _ecmper_words "$both --vip --max-fragments" ;;
		"router down") _ecmper_words "--pin" ;;
		"server down") _ecmper_words "--pin --dev" ;;
		esac
		;;
	esac
}

complete -F _ecmperctl ecmperctl
complete -F _ecmper_loader ecmper-loader
