# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What kernels.sh and toolchains.sh share, as both try Debian's suites: where these come from, where
# what was fetched is kept, and the table of results in a page of docs/.

# The mirror of Debian that apt uses here; Debian's own where there is none.
mirror()
{
	local uri

	if [[ -n ${ECMPER_MIRROR:-} ]]; then
		echo "${ECMPER_MIRROR%/}"
		return
	fi
	# shellcheck disable=SC2016 # apt's own
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		grep -E '^https?://.*/debian/?$' | head -n 1)
	uri=${uri:-http://deb.debian.org/debian}
	echo "${uri%/}"
}

# cache_folder NAME: outside of the tree, so that it lives on.
cache_folder()
{
	if ((EUID == 0)); then
		echo "/var/cache/ecmper/$1"
	else
		echo "${XDG_CACHE_HOME:-$HOME/.cache}/ecmper/$1"
	fi
}

# write_table FILE LINE...: in place of the table that the file has; its other lines stay.
write_table()
{
	local file=$1 page

	shift
	[[ -e $file ]] || : >"$file"
	page=$(printf '%s\n' "$@" | awk '
		NR == FNR { table = table $0 "\n"; next }
		/^\|/ { if (!done) printf "%s", table; done = 1; next }
		{ print }
		END { if (!done) printf "%s", table }' - "$file") && printf '%s\n' "$page" >"$file"
}
