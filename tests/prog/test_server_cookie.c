// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program and SYN cookies (tcp_syncookies=2: always): the server has no socket until
 * the ACK comes, so that the cookie alone says whose the connection is.
 */
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "server.h"

#define PORT 50000
#define SEQ  7000

static int listener, tap;
static uint32_t cookie;

static int with_cookie(void **state)
{
	server_dscp(state);
	sysctl_set("ipv4/tcp_syncookies", "2");
	listener = listen_at(VIP, HTTP);
	tap = tap_open("eth0-end");
	cookie = open_half(*state, tap, PORT, SEQ);
	return 0;
}

static int without_cookie(void **state)
{
	close(tap);
	close(listener);
	return lab_down(state);
}

/* The segment that completes the connection. */
#define frame_completing(frame, ...)                                                               \
	frame_to_server(frame, .src = GHOST, .sport = PORT, .seq = SEQ + 1, .ack = cookie + 1,     \
			##__VA_ARGS__)

static void the_ack_of_a_cookie_is_delivered(void **state)
{
	static const uint8_t flags[] = {ACK, PSH | ACK, FIN | ACK};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		lab_case(*state, "flags %02x", flags[i]);
		frame_completing(&in, .flags = flags[i], .payload = 100 * i);
		lab_expect(*state, &in, want_pass(&in, SERVER_cookie));
	}
}

static void whatever_its_mark_which_is_cleared(void **state)
{
	struct frame in;

	for (int m = 0; m <= 15; m++) {
		lab_case(*state, "mark %d", m);
		frame_completing(&in, .tos = DSCP_MARK(m, m & 3));
		lab_send(*state, &in, want_cleared(&in, SERVER_cookie, m & 3));
	}
	lab_settle(*state);
}

static void with_any_ip_options(void **state)
{
	struct frame in;

	for (uint8_t ihl = 5; ihl <= 15; ihl++) {
		lab_case(*state, "ihl %d", ihl);
		frame_completing(&in, .ihl = ihl);
		lab_send(*state, &in, want_pass(&in, SERVER_cookie));
		frame_completing(&in, .ihl = ihl, .tos = DSCP_MARK(1, 0), .payload = 10);
		lab_send(*state, &in, want_cleared(&in, SERVER_cookie, 0));
	}
	lab_settle(*state);
}

/* Numbers near the right one could be cookies, too: they hold the MSS in their low bits. */
static void another_number_is_no_cookie(void **state)
{
	static const uint32_t away[] = {0x00010000, 0x00800000, 0x12345678, 0x80000000, 0xffff0000};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(away); i++) {
		lab_case(*state, "ACK number %x away", away[i]);
		frame_completing(&in, .ack = cookie + 1 + away[i]);
		lab_send(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
		frame_completing(&in, .ack = cookie + 1 + away[i], .tos = DSCP_MARK(4, 3));
		lab_send(*state, &in, want_bounce(&in, DSCP_MARK(5, 3)));
		frame_completing(&in, .ack = cookie + 1 + away[i], .tos = DSCP_MARK(LAST, 3));
		lab_send(*state, &in, want_cleared(&in, SERVER_last, 3));
		lab_case(*state, "sequence number %x away", away[i]);
		frame_completing(&in, .seq = SEQ + 1 + away[i]);
		lab_send(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	}
	lab_settle(*state);
}

static void a_cookie_is_good_for_its_own_flow_only(void **state)
{
	static const struct {
		const char *name, *src, *dst;
		uint16_t sport, dport;
	} cases[] = {
		{"another port of the client", GHOST, VIP, PORT + 1, HTTP},
		{"another client", CLIENT, VIP, PORT, HTTP},
		{"another VIP", GHOST, IN_VIP_NET, PORT, HTTP},
		{"a port without a listener", GHOST, VIP, PORT, HTTP + 1},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_completing(&in, .src = cases[i].src, .dst = cases[i].dst,
				 .sport = cases[i].sport, .dport = cases[i].dport);
		lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	}
}

static void segments_that_complete_nothing_are_not_judged_by_a_cookie(void **state)
{
	static const uint8_t flags[] = {RST, RST | ACK, SYN | ACK, FIN, 0};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		lab_case(*state, "flags %02x", flags[i]);
		frame_completing(&in, .flags = flags[i]);
		lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	}
}

static void once_delivered_the_connection_is_owned(void **state)
{
	struct frame in;
	struct want want;
	int fd;

	frame_completing(&in, .tos = DSCP_MARK(1, ECN_CE));
	want = want_cleared(&in, SERVER_cookie, ECN_CE);
	lab_send_live(*state, &in, &want);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	lab_settle(*state);
	frame_completing(&in, .flags = PSH | ACK, .payload = 10);
	lab_expect(*state, &in, want_pass(&in, SERVER_owned));
	close(fd);
}

static void any_of_several_listeners_on_a_port_takes_it(void **state)
{
	int more[3];
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(more); i++)
		more[i] = listen_at(VIP, HTTP);
	for (uint16_t port = PORT + 1; port < PORT + 9; port++) {
		cookie = open_half(*state, tap, port, SEQ);
		lab_case(*state, "port %d", port);
		frame_completing(&in, .sport = port);
		lab_expect(*state, &in, want_pass(&in, SERVER_cookie));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(more); i++)
		close(more[i]);
}

static void without_cookies_an_ack_that_opens_nothing_is_bounced(void **state)
{
	struct frame in;

	sysctl_set("ipv4/tcp_syncookies", "0");
	frame_completing(&in);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
}

/*
 * A listener takes cookies for two minutes after it last had to send one; one that never did so has
 * that at jiffies 0, which is five minutes after the boot: from a second before, it counts, too.
 */
static bool is_never_recent(void)
{
	struct timespec up;

	clock_gettime(CLOCK_MONOTONIC, &up);
	return up.tv_sec >= 299 && up.tv_sec < 420;
}

static void a_listener_that_sent_no_cookie_accepts_none(void **state)
{
	struct frame in;

	close(listener);
	listener = listen_at(VIP, HTTP);
	frame_completing(&in);
	lab_expect(*state, &in,
		   is_never_recent() ? want_pass(&in, SERVER_cookie)
				     : want_bounce(&in, DSCP_MARK(1, 0)));
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, with_cookie, without_cookie)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_server(the_ack_of_a_cookie_is_delivered),
		with_server(whatever_its_mark_which_is_cleared),
		with_server(with_any_ip_options),
		with_server(another_number_is_no_cookie),
		with_server(a_cookie_is_good_for_its_own_flow_only),
		with_server(segments_that_complete_nothing_are_not_judged_by_a_cookie),
		with_server(once_delivered_the_connection_is_owned),
		with_server(any_of_several_listeners_on_a_port_takes_it),
		with_server(without_cookies_an_ack_that_opens_nothing_is_bounced),
		with_server(a_listener_that_sent_no_cookie_accepts_none),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
