#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The programs, their help, the man pages and the completion must name the same things: commands,
# their words, options, and the reasons of bpf/ecmper_abi.h. Prints what is missing where; exit
# status 1 when something is. Needs the built programs and mandoc, but no root.
#
# Environment: BUILD, the folder that was built into (default build/)
set -uo pipefail

cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
failed=0

complain()
{
	echo "check-docs: $*" >&2
	failed=1
}

# same WHAT NAME_A LIST_A NAME_B LIST_B: each line of one list must stand in the other.
same()
{
	local line

	[[ $3 && $5 ]] || complain "no $1 found in $2 or $4: this script needs a look"
	while read -r line; do
		[[ -z $line ]] || complain "$1 '$line' is in $2, but not in $4"
	done < <(comm -23 <(sort -u <<<"$3") <(sort -u <<<"$5"))
	while read -r line; do
		[[ -z $line ]] || complain "$1 '$line' is in $4, but not in $2"
	done < <(comm -13 <(sort -u <<<"$3") <(sort -u <<<"$5"))
}

# section PAGE HEADING: its lines in the source of a man page.
section()
{
	sed -n "/^\.S[hs] $2\$/,/^\.S[hs] /p" "man/$1"
}

# The value of a variable in one function of the completion, one word a line.
completion_words()
{
	sed -n "/^$1()/,/^}/p" cli/completion.bash |
		grep -oE "\b$2\+?=\"[^\"]*\"" | sed 's/[^"]*"//; s/"//' | tr ' ' '\n' | grep .
}

long_options()
{
	grep -oE -- '--[a-z][a-z-]*' | sort -u
}

# Fl macros are written without the first dash.
man_options()
{
	grep -oE '\bFl -[a-z][a-z-]*' "man/$1" | sed 's/Fl /-/' | sort -u
}

check_commands()
{
	local table help man completion

	table=$(sed -nE 's/^\t\{(CHANGE|WHOLE|LOOK), "([a-z]+)".*/\2/p' cli/main.c)
	help=$("$BUILD/ecmperctl" --help | sed -n '/^Options:/q; s/^  \([a-z]\+\) .*/\1/p')
	man=$(section ecmperctl.8 SYNOPSIS | sed -nE 's/^\.Cm ([a-z]+).*/\1/p' |
		grep -vxE 'hash|buckets|depth|via')
	completion=$(completion_words _ecmperctl commands)
	same command cli/main.c "$table" "ecmperctl --help" "$help"
	same command cli/main.c "$table" man/ecmperctl.8 "$man"
	same command cli/main.c "$table" cli/completion.bash "$completion"
	check_words "$table"
}

# Every fixed word of a command's synopsis is explained and completed.
check_words()
{
	local command synopsis word page

	page=$(mandoc -Tutf8 man/ecmperctl.8 | col -b)
	for command in $1; do
		synopsis=$("$BUILD/ecmperctl" help "$command" | sed '/^$/q')
		[[ $synopsis == "Usage: ecmperctl $command"* ]] ||
			complain "'ecmperctl help $command' does not begin with its usage"
		while read -r word; do
			grep -qw -- "$word" <<<"$page" ||
				complain "word '$word' of '$command' is not in man/ecmperctl.8"
			grep -qw -- "$word" cli/completion.bash ||
				complain "word '$word' of '$command' is not in cli/completion.bash"
		done < <(grep -oE '\b[a-z][a-z_]+\b' <<<"${synopsis//ecmperctl/}")
	done
}

check_options()
{
	local table help

	table=$(sed -n '/long_options\[\]/,/};/p' cli/main.c |
		grep -oE '\{"[a-z-]+"' | sed 's/{"\(.*\)"/--\1/')
	help=$({ "$BUILD/ecmperctl" --help && "$BUILD/ecmperctl" help stats && "$BUILD/ecmperctl" help apply; } | long_options)
	same option cli/main.c "$table" "ecmperctl --help" "$help"
	same option cli/main.c "$table" man/ecmperctl.8 "$(man_options ecmperctl.8)"
	same option cli/main.c "$table" cli/completion.bash \
		"$(completion_words _ecmperctl '(stats_|apply_)?options' | grep -e --)"
}

check_loader()
{
	local help

	help=$("$BUILD/ecmper-loader" --help | long_options)
	same option "ecmper-loader --help" "$help" man/ecmper-loader.8 \
		"$(man_options ecmper-loader.8)"
	same option "ecmper-loader --help" "$help" cli/completion.bash \
		"$(sed -n '/^_ecmper_loader()/,/^}/p' cli/completion.bash |
			grep -vE '^\s--|-\*\)' | long_options)"
}

# reasons ROLE: the names in the list ECMPER_ROLE_REASONS.
reasons()
{
	sed -n "/define ECMPER_$1_REASONS(X)/,/[^\\\\]\$/p" bpf/ecmper_abi.h |
		sed -nE 's/^\s*X\(([a-z_0-9]+),.*/\1/p'
}

check_reasons()
{
	local role

	for role in Router Server; do
		same "${role,,} reason" bpf/ecmper_abi.h "$(reasons "${role^^}")" \
			"man/ecmper.8 ($role)" \
			"$(section ecmper.8 "$role" | sed -n 's/^\.It Sy //p')"
	done
}

for needed in "$BUILD/ecmperctl" "$BUILD/ecmper-loader" mandoc; do
	command -v "$needed" >/dev/null || complain "$needed is missing"
done
((failed == 0)) || exit 1
check_commands
check_options
check_loader
check_reasons
for page in man/*.8; do
	lint=$(mandoc -Tlint -W warning "$page") || complain "$lint"
done
((failed == 0)) || exit 1
echo "check-docs: commands, options, reasons and man pages agree"
