// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every reason of ECMPER_SERVER_REASONS, once, in its plainest form: a reason without a test here
 * does not compile. The other test_server_*.c files have the corners.
 */
#include <unistd.h>
#include "server.h"

static void reason_bounce(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct frame in;

	frame_to_server(&in);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	close(listener);
}

static void reason_owned(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	struct frame in;

	frame_to_server(&in, of_connection(connection));
	lab_expect(*state, &in, want_pass(&in, SERVER_owned));
	connection_close(&connection);
	close(listener);
}

static void reason_syn(void **state)
{
	struct frame in;

	frame_to_server(&in, .flags = SYN);
	lab_expect(*state, &in, want_pass(&in, SERVER_syn));
}

static void reason_cookie(void **state)
{
	int listener = listen_at(VIP, HTTP), tap = tap_open("eth0-end");
	struct frame in;
	uint32_t cookie;

	sysctl_set("ipv4/tcp_syncookies", "2");
	cookie = open_half(*state, tap, 50000, 7000);
	frame_to_server(&in, .src = GHOST, .sport = 50000, .seq = 7001, .ack = cookie + 1);
	lab_expect(*state, &in, want_pass(&in, SERVER_cookie));
	close(tap);
	close(listener);
}

static void reason_last(void **state)
{
	struct frame in;

	frame_to_server(&in, .tos = DSCP_MARK(LAST, ECN_CE));
	lab_expect(*state, &in, want_cleared(&in, SERVER_last, ECN_CE));
}

static void reason_not_mine(void **state)
{
	struct frame in;

	frame_tcp(&in, .to = FOREIGN_MAC);
	lab_expect(*state, &in, want_pass(&in, SERVER_not_mine));
}

static void reason_raced(void **state)
{
	struct frame in;

	frame_to_server(&in, .tos = DSCP_MARK(QUIET, ECN_CE));
	lab_expect(*state, &in, want_drop(&in, SERVER_raced));
}

static void reason_not_vip(void **state)
{
	struct frame in;

	frame_to_server(&in, .dst = "10.0.0.1");
	lab_expect(*state, &in, want_pass(&in, SERVER_not_vip));
}

static void reason_udp(void **state)
{
	int fd = socket_at(SOCK_DGRAM, VIP, 53);
	struct frame in;

	frame_udp(&in, .dport = 53);
	lab_expect(*state, &in, want_pass(&in, SERVER_udp));
	close(fd);
}

static void reason_other(void **state)
{
	struct frame in;

	frame_icmp(&in);
	lab_expect(*state, &in, want_pass(&in, SERVER_other));
}

static void reason_fragment(void **state)
{
	struct frame in;

	frame_to_server(&in, .fragment = FRAGMENT_AT(185));
	lab_expect(*state, &in, want_pass(&in, SERVER_fragment));
}

static void reason_bad_header(void **state)
{
	struct frame in;

	frame_to_server(&in, .ihl = 4);
	lab_expect(*state, &in, want_pass(&in, SERVER_bad_header));
}

static void reason_mark_cleared(void **state)
{
	struct frame in;

	frame_to_server(&in, .flags = SYN, .tos = DSCP_MARK(3, ECN_ECT1));
	lab_expect(*state, &in, want_cleared(&in, SERVER_syn, ECN_ECT1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define X(name, action, text) {#name ": " text, reason_##name, server_dscp, lab_down, NULL},
		ECMPER_SERVER_REASONS(X)
#undef X
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
