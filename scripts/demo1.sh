# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Demo 1, sourced by demo.sh: a connection that is open when a server is added, and a request on
# it afterwards. Without the server program the new server answers RST; with it, the request
# reaches the old server.

DEMO1_PORT=

# The client port whose bucket moves from server 1 to server 2 when server 2 is added.
demo1_choose_port()
{
	local port owner

	lab_apply 1 2
	for ((port = 40000; port < 40100; port++)); do
		owner=$(lab_owner tcp "$(lab_endpoint "$LAB_CLIENT" "$port")" "$(lab_endpoint "$LAB_VIP" 80)")
		[[ $owner != "$(lab_server_addr 2)" ]] || break
	done
	lab_ctl clear
	lab_apply 1
	DEMO1_PORT=$port
}

demo1_is_connected()
{
	[[ -n $(lab_exec ns99 ss -Htn state established "sport = :$DEMO1_PORT") ]]
}

# An answer, or the end of the connection.
demo1_is_over()
{
	[[ -s $LAB_DIR/answer ]] || lab_is_gone "$1"
}

# Side by side: a column for each device of the router. "in" is into the router.
demo1_table()
{
	lab_frames | awk '
	BEGIN {
		width = 30
		printf "%9s  %-*s%-*s%s\n", "ms", width, "veth100 (client)", width, "veth101 (ns1)",
			"veth102 (ns2)"
	}
	function hex(text,    i, n) {
		for (i = 3; i <= length(text); i++)
			n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
		return n + 0
	}
	# DSCP of Pool 2 (xxxx11): how many servers were tried, 0 is LAST
	function mark(tos,    value) {
		value = hex(tos)
		if (int(value / 4) % 4 != 3)
			return ""
		return int(value / 16) ? " mark " int(value / 16) : " mark LAST"
	}
	{
		start = start ? start : $1
		bytes = $7 > 0 ? " " $7 " B" : ""
		cell = sprintf("%-3s %-2s ttl %s%s%s", $3, $6, $4, mark($5), bytes)
		column = substr($2, 5) - 100
		printf "%9.2f  %*s%s\n", ($1 - start) * 1000, column * width, "", cell
	}'
}

# Open, add a server, ask. The first line of the answer goes to `answer`.
demo1_connection()
{
	local client

	printf 'GET / HTTP/1.1\r\nHost: demo\r\n\r\n' >"$LAB_DIR/get"
	mkfifo "$LAB_DIR/request"
	lab_exec ns99 nc -p "$DEMO1_PORT" "$LAB_VIP" 80 <"$LAB_DIR/request" >"$LAB_DIR/answer" 2>"$LAB_DIR/nc.log" &
	client=$!
	lab_record "$client"
	exec 9>"$LAB_DIR/request"
	lab_wait 5 demo1_is_connected
	say "connection open: $(lab_endpoint "$LAB_CLIENT" "$DEMO1_PORT") to $(lab_endpoint "$LAB_VIP" 80), with ns1"
	lab_ctl add "$LAB_VIP_NET" via "$(lab_server_addr 2)"
	say "server ns2 added; the connection's bucket is now ns2's"
	cat "$LAB_DIR/get" >&9
	lab_wait 5 demo1_is_over "$client" || true
	exec 9>&-
	lab_kill "$client"
}

demo1_run()
{
	fresh_lab 2 LAB_WIRE=1 LAB_RATE= LAB_ACTIVE=1 LAB_SERVER_PROG="$1"
	demo1_choose_port
	lab_capture_start
	demo1_connection
	lab_capture_stop
	say ""
	say "frames on the router's devices (in: into the router; flags as tcpdump's):"
	demo1_table
	say ""
}

demo1_answer()
{
	if [[ -s $LAB_DIR/answer ]]; then
		head -n 1 "$LAB_DIR/answer" | tr -d '\r'
	else
		echo "none, the connection was reset"
	fi
}

demo1()
{
	heading "Demo 1, plain ECMP: servers without the server program"
	demo1_run 0
	say "answer on the open connection: $(demo1_answer)"

	heading "Demo 1, ECMP-ER: servers with the server program"
	demo1_run 1
	say "answer on the open connection: $(demo1_answer)"
	if [[ $(demo1_answer) == "HTTP/1.1 200 OK" ]] && grep -q '^X-Server: ns1' "$LAB_DIR/answer"; then
		say "ns1 answered: the request was bounced by ns2 and reached the connection's owner"
	else
		say "NO ANSWER from ns1"
		# shellcheck disable=SC2034 # read by demo.sh
		ER_BROKE=1
	fi
}
