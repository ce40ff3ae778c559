// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program and IPv6: the sockets of every state, cookies, marks and headers, as the other
 * test_server_*.c files have them for IPv4.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server.h"

#define PORT 50000

static const uint8_t segments[] = {ACK, PSH | ACK, FIN | ACK, RST, RST | ACK, SYN | ACK, 0, FIN};

/* What every kind of segment but a SYN is, plain and behind extension headers. */
static void expect(struct lab *lab, const struct headers *headers, bool is_owned)
{
	struct headers it = *headers;
	struct frame in;

	it.to = server_mac(1);
	it.from = way_out_mac(1);
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(segments); i++) {
		it.flags = segments[i / 2];
		it.ext[0] = (struct ext){EXT_ROUTING, .size = 24};
		it.ext[1] = (struct ext){EXT_AUTH, .size = 20};
		it.ext_count = i % 2 * 2;
		it.payload = i % 2 * 1000;
		frame_build(&in, &it);
		lab_send(lab, &in,
			 is_owned ? want_pass(&in, SERVER_owned)
				  : want_bounce(&in, DSCP_MARK(1, 0)));
		frame_set_tos(&in, DSCP_MARK(2, 1));
		lab_send(lab, &in,
			 is_owned ? want_cleared(&in, SERVER_owned, 1)
				  : want_bounce(&in, DSCP_MARK(3, 1)));
		frame_set_tos(&in, DSCP_MARK(LAST, 1));
		lab_send(lab, &in, want_cleared(&in, is_owned ? SERVER_owned : SERVER_last, 1));
	}
	it.flags = SYN;
	frame_build(&in, &it);
	lab_send(lab, &in, want_pass(&in, SERVER_syn));
	lab_settle(lab);
}

#define expect_owned(lab, ...)   expect(lab, &(const struct headers)HEADERS6(__VA_ARGS__), true)
#define expect_unowned(lab, ...) expect(lab, &(const struct headers)HEADERS6(__VA_ARGS__), false)

static void an_established_connection_is_owned_and_its_neighbours_are_not(void **state)
{
	int listener = listen_at(VIP6, HTTP);
	struct connection connection = connection_open(listener, 0);

	expect_owned(*state, of_connection(connection));
	expect_unowned(*state, of_connection(connection), .sport = connection.port ^ 1);
	expect_unowned(*state, of_connection(connection), .src = GHOST6);
	expect_unowned(*state, of_connection(connection), .dst = IN_VIP6);
	expect_unowned(*state, of_connection(connection), .dport = HTTP + 1);
	expect_unowned(*state, of_connection(connection), .seq = connection.seq + (1U << 30));
	expect_unowned(*state, of_connection(connection), .seq = connection.seq - (1U << 30));
	connection_close(&connection);
	close(listener);
}

static void a_listener_owns_only_syns(void **state)
{
	int listener = listen_at("::", HTTP);

	expect_unowned(*state);
	expect_unowned(*state, .dst = IN_VIP6);
	close(listener);
	expect_unowned(*state);
}

static void a_half_open_connection_is_owned_by_who_answered_its_syn(void **state)
{
	int listener = listen_at(VIP6, HTTP), tap = tap_open_for("eth0-end", ETH_P_IPV6), fd;
	uint32_t answered = open_half6(*state, tap, PORT, 7000);
	struct connection it = {.port = PORT, .seq = 7001, .ack = answered + 1};
	struct frame in;
	struct want want;

	frame_to_server6(&in, .src = GHOST6, of_connection(it), .ack = it.ack + 1);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_to_server6(&in, .src = GHOST6, of_connection(it), .tos = DSCP_MARK(2, 3));
	want = want_cleared(&in, SERVER_owned, 3);
	lab_send_live(*state, &in, &want);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	lab_settle(*state);
	expect_owned(*state, .src = GHOST6, of_connection(it));
	close(fd);
	close(tap);
	close(listener);
}

static void time_wait_owns_the_late_packets_of_its_connection(void **state)
{
	int listener = listen_at(VIP6, HTTP);
	struct connection it = connection_open(listener, 0);
	struct frame in;

	connection_end_in_time_wait(&it);
	frame_to_server6(&in, of_connection(it));
	lab_expect(*state, &in, want_pass(&in, SERVER_owned));
	frame_to_server6(&in, of_connection(it), .flags = RST);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_to_server6(&in, of_connection(it), .seq = it.seq + (2U << 20));
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	close(listener);
}

static void the_ack_of_a_cookie_is_delivered(void **state)
{
	int listener = listen_at(VIP6, HTTP), tap = tap_open_for("eth0-end", ETH_P_IPV6);
	uint32_t cookie;
	struct frame in;

	sysctl_set("ipv4/tcp_syncookies", "2");
	cookie = open_half6(*state, tap, PORT, 7000);
	frame_to_server6(&in, .src = GHOST6, .sport = PORT, .seq = 7001, .ack = cookie + 1);
	lab_expect(*state, &in, want_pass(&in, SERVER_cookie));
	frame_set_tos(&in, DSCP_MARK(3, 2));
	lab_expect(*state, &in, want_cleared(&in, SERVER_cookie, 2));
	lab_case(*state, "behind extension headers");
	frame_to_server6(&in, .src = GHOST6, .sport = PORT, .seq = 7001, .ack = cookie + 1,
			 EXT({EXT_HOP}, {EXT_DEST, .size = 32}));
	lab_expect(*state, &in, want_pass(&in, SERVER_cookie));
	lab_case(*state, "no cookie");
	frame_to_server6(&in, .src = GHOST6, .sport = PORT, .seq = 7001, .ack = cookie + 0x800001);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_to_server6(&in, .src = GHOST6, .sport = PORT + 1, .seq = 7001, .ack = cookie + 1);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	close(tap);
	close(listener);
}

static void a_socket_of_both_families_owns_its_ipv4_connections(void **state)
{
	int listener = listen_at("::", HTTP), tap = tap_open("eth0-end");
	struct connection it = {.client = socket_at(SOCK_STREAM, CLIENT, 0)};
	uint32_t cookie;
	struct frame in;

	connect_to(it.client, VIP, HTTP);
	it.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	it.port = port_of(it.client);
	numbers_of(it.server, &it.seq, &it.ack);
	frame_to_server(&in, of_connection(it));
	lab_expect(*state, &in, want_pass(&in, SERVER_owned));
	frame_to_server(&in, of_connection(it), .seq = it.seq + 0x40000000);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_error(&in, .quote = REPLY(.dport = it.port));
	lab_expect(*state, &in, want_pass(&in, SERVER_owned));
	sysctl_set("ipv4/tcp_syncookies", "2");
	cookie = open_half(*state, tap, PORT, 7000);
	frame_to_server(&in, .src = GHOST, .sport = PORT, .seq = 7001, .ack = cookie + 1);
	lab_expect(*state, &in, want_pass(&in, SERVER_cookie));
	connection_close(&it);
	close(tap);
	close(listener);
}

static void every_class_of_a_bounced_and_of_a_delivered_packet_is_as_it_should_be(void **state)
{
	struct frame in;

	for (int tos = 0; tos < 256; tos++) {
		int m = tos >> 4;

		lab_case(*state, "class %02x", tos);
		frame_to_server6(&in, .tos = tos, .flow = tos & 1 ? 0xfffff : 0);
		if (!IS_DSCP_MARK(tos))
			lab_send(*state, &in, want_bounce(&in, DSCP_MARK(1, tos & 3)));
		else if (m == LAST)
			lab_send(*state, &in, want_cleared(&in, SERVER_last, tos & 3));
		else if (m == QUIET)
			lab_send(*state, &in, want_drop(&in, SERVER_raced));
		else
			lab_send(*state, &in, want_bounce(&in, DSCP_MARK(m + 1, tos & 3)));
		frame_to_server6(&in, .tos = tos, .flags = SYN, .flow = 0xfffff, .ttl = tos);
		lab_send(*state, &in,
			 IS_DSCP_MARK(tos) ? want_cleared(&in, SERVER_syn, tos & 3)
					   : want_pass(&in, SERVER_syn));
		frame_to_server6(&in, .dst = "fd00::1", .tos = tos);
		lab_send(*state, &in, want_pass(&in, SERVER_not_vip));
	}
	lab_settle(*state);
}

static void in_format_tos_the_class_is_the_mark(void **state)
{
	struct frame in;

	for (int tos = 0; tos < 256; tos++) {
		lab_case(*state, "class %02x", tos);
		frame_to_server6(&in, .tos = tos);
		lab_send(*state, &in,
			 tos == TOS_MARK ? want_cleared(&in, SERVER_last, 0)
					 : want_bounce(&in, TOS_MARK));
	}
	lab_settle(*state);
}

static void only_the_vips_are_judged(void **state)
{
	static const char *const vips[] = {VIP6, "fd00:20::", "fd00:20::ffff:ffff:ffff:ffff"};
	static const char *const others[] = {
		"fd00:10::11",      "fd00:10::", "fd00:20:0:1::", "fd00:1f:ffff:ffff:ffff::",
		"::ffff:10.0.10.0", "::",        CLIENT6,         "ff02::1"};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(vips); i++) {
		lab_case(*state, "to %s", vips[i]);
		frame_to_server6(&in, .dst = vips[i]);
		lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		lab_case(*state, "to %s", others[i]);
		frame_to_server6(&in, .dst = others[i], .tos = DSCP_MARK(1, 1));
		lab_expect(*state, &in, want_pass(&in, SERVER_not_vip));
	}
}

static void other_protocols_are_delivered(void **state)
{
	static const uint8_t protos[] = {IPPROTO_ICMPV6, IPPROTO_ICMP, IPPROTO_GRE, IPPROTO_SCTP,
					 IPPROTO_ESP,    NO_NEXT,      253};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(protos); i++) {
		lab_case(*state, "protocol %d", protos[i]);
		frame_make6(&in, .proto = protos[i], .payload = 40);
		lab_expect(*state, &in, want_pass(&in, SERVER_other));
		frame_make6(&in, .proto = protos[i], .tos = DSCP_MARK(2, 1), EXT({EXT_DEST}));
		lab_expect(*state, &in, want_cleared(&in, SERVER_other, 1));
	}
}

static void malformed_headers_go_to_the_kernel_as_they_came(void **state)
{
	struct headers headers = HEADERS6(EXT({EXT_HOP}, {EXT_DEST, .size = 16}, {EXT_AUTH}));
	struct frame in, whole;

	frame_build(&whole, &headers);
	for (uint32_t length = ETH_HLEN; length < whole.length; length++) {
		lab_case(*state, "%u bytes", length);
		headers.cut = length;
		headers.total_length = AS_COMPUTED;
		frame_build(&in, &headers);
		lab_send(*state, &in, want_pass(&in, SERVER_bad_header));
		headers.total_length = length > IP6_END ? length - IP6_END : 0;
		frame_build(&in, &headers);
		lab_send(*state, &in, want_pass(&in, SERVER_bad_header));
	}
	lab_case(*state, "nine extension headers");
	frame_tcp6(&in, EXT({0}, {60}, {60}, {60}, {60}, {60}, {60}, {60}, {60}));
	lab_send(*state, &in, want_pass(&in, SERVER_bad_header));
	lab_case(*state, "version 4");
	frame_tcp6(&in, .version = 4, .tos = DSCP_MARK(1, 1));
	lab_send(*state, &in, want_pass(&in, SERVER_bad_header));
	lab_case(*state, "an IPv4 header");
	frame_tcp(&in, .ethertype = ETH_P_IPV6);
	lab_send(*state, &in, want_pass(&in, SERVER_bad_header));
	lab_case(*state, "to many");
	frame_tcp6(&in, .to = "33:33:00:00:00:01");
	lab_send(*state, &in, want_pass(&in, SERVER_not_vip));
	lab_settle(*state);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, server_dscp, lab_down)
#define with_tos(test)    cmocka_unit_test_setup_teardown(test, server_tos, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_server(an_established_connection_is_owned_and_its_neighbours_are_not),
		with_server(a_listener_owns_only_syns),
		with_server(a_half_open_connection_is_owned_by_who_answered_its_syn),
		with_server(time_wait_owns_the_late_packets_of_its_connection),
		with_server(the_ack_of_a_cookie_is_delivered),
		with_server(a_socket_of_both_families_owns_its_ipv4_connections),
		with_server(every_class_of_a_bounced_and_of_a_delivered_packet_is_as_it_should_be),
		with_tos(in_format_tos_the_class_is_the_mark),
		with_server(only_the_vips_are_judged),
		with_server(other_protocols_are_delivered),
		with_server(malformed_headers_go_to_the_kernel_as_they_came),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
