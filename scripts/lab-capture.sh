# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Part of lab-lib.sh: frames as they are on the links, seen at the wire (LAB_WIRE=1).

lab_capture_runs()
{
	grep -qs 'listening on' "$LAB_DIR/frames.log"
}

# lab_capture_start [FILTER]: from now on, until lab_capture_stop. -s: the ring holds few frames
# of the default size.
lab_capture_start()
{
	lab_spawn wire frames.log tcpdump -i any -nn -tt -v -l --immediate-mode -s 1600 -B 16384 "${1:-tcp}"
	LAB_CAPTURE=$LAB_PID
	lab_wait 5 lab_capture_runs
}

# Stop once nothing has come for 200 ms.
lab_capture_stop()
{
	local size=

	while [[ $size != $(stat -c %s "$LAB_DIR/frames.log") ]]; do
		size=$(stat -c %s "$LAB_DIR/frames.log")
		sleep 0.2
	done
	lab_kill "$LAB_CAPTURE"
}

# The captured TCP frames in order, one a line, from the router's point of view:
#   TIME DEVICE in|out TTL TOS FLAGS LENGTH SOURCE DESTINATION ok|bad
# DEVICE is the router's (veth100..), TTL and TOS are IPv6's hop limit and traffic class, too, FLAGS
# and LENGTH are TCP's, the last word is about the IP and TCP checksums.
lab_frames()
{
	awk '
	function word(line, pattern, skip) {
		return match(line, pattern) ? substr(line, RSTART + skip, RLENGTH - skip) : "-"
	}
	# TTL or hop limit, and ToS or class, of the IP header that tcpdump prints
	function ttl(head) {
		return head ~ / IP6 / ? word(head, "hlim [0-9]+", 5) : word(head, "ttl [0-9]+", 4)
	}
	function tos(head,    class) {
		if (head !~ / IP6 /)
			return word(head, "tos 0x[0-9a-f]+", 4)
		class = word(head, "class 0x[0-9a-f]+", 6)
		sub("0x0", "0x", class) # two digits there, as many as there are in IPv4
		return class == "-" ? "0x0" : class
	}
	/^[0-9]/ { head = $0; time = $1; dev = $2; way = $3 }
	/ Flags / && dev ~ /^wire/ {
		# IPv4 has a line of its own for this, IPv6 goes on behind its header
		sub(/^.* payload length: [0-9]+[)] /, "")
		sub("wire", "veth", dev)
		source = $1; destination = $3
		sub(/:$/, "", destination)
		print time, dev, way == "Out" ? "in" : "out", ttl(head), tos(head),
			word($0, "Flags [[][^]]*", 7), word($0, " length [0-9]+", 8), source, destination,
			(head ~ /bad cksum/ || $0 ~ /incorrect/) ? "bad" : "ok"
	}' "$LAB_DIR/frames.log"
}
