#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The rooms of lib/ (see CONTRIBUTING.md) call only what is below them. Include paths see to what a
# room's own headers declare; this sees to what ecmper.h declares to all. Run by make for each
# libecmper.a. Usage: SEES="ROOM: lib/ROOM lib/ROOM; ROOM: ..." check-rooms.sh OBJECT...
# Exit status 1 when a room calls one that it must not see.
set -euo pipefail

"${NM:-nm}" -A "$@" | awk -v sees="$SEES" '
	BEGIN {
		count = split(sees, lines, ";")
		for (i = 1; i <= count; i++) {
			words = split(lines[i], word, " ")
			room = "lib/" word[1]
			sub(":", "", room)
			may[room, room]
			for (j = 2; j <= words; j++)
				may[room, word[j]]
		}
	}
	{ # FILE.o:[VALUE] TYPE NAME
		split($1, part, ".o:")
		source = part[1]
		sub(".*/lib/", "lib/", source)
		room = source
		sub("/[^/]*$", "", room)
		if ($(NF - 1) == "U")
			users[$NF] = users[$NF] " " source
		else if ($(NF - 1) ~ /^[A-Z]$/)
			home[$NF] = room
	}
	END {
		for (name in home) {
			count = split(users[name], user, " ")
			for (i = 1; i <= count; i++) {
				room = user[i]
				sub("/[^/]*$", "", room)
				if ((room, home[name]) in may)
					continue
				printf "%s.c: %s() is of %s/, which %s/ must not see\n", user[i], name,
					home[name], room
				failed = 1
			}
		}
		exit failed
	}' >&2
