// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program and ICMP errors: one about a flow is judged by the socket that the flow has
 * here, and sent back when it has none; what is no such error is delivered.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server.h"

#define PORT 50000

static const char *const vips[] = {VIP, VIP6}, *const clients[] = {CLIENT, CLIENT6};

/* An error about what was sent from the VIP's port to the client's. */
static void build(struct frame *frame, bool is_ipv6, uint8_t proto, const char *client,
		  uint16_t client_port, uint16_t port)
{
	if (is_ipv6)
		frame_error6(frame, .to = server_mac(1), .from = way_out_mac(1),
			     .quote = REPLY6(.dst = client, .proto = proto, .dport = client_port,
					     .sport = port));
	else
		frame_error(frame, .to = server_mac(1), .from = way_out_mac(1),
			    .quote = REPLY(.dst = client, .proto = proto, .dport = client_port,
					   .sport = port));
}

static void expect_delivered(struct lab *lab, struct frame *in, uint32_t reason)
{
	lab_send(lab, in, want_pass(in, reason));
	frame_set_tos(in, DSCP_MARK(2, 1));
	lab_send(lab, in, want_cleared(in, reason, 1));
	frame_set_tos(in, DSCP_MARK(LAST, 3));
	lab_send(lab, in, want_cleared(in, reason, 3));
	lab_settle(lab);
}

static void expect_bounced(struct lab *lab, struct frame *in)
{
	lab_send(lab, in, want_bounce(in, DSCP_MARK(1, 0)));
	frame_set_tos(in, DSCP_MARK(2, 1));
	lab_send(lab, in, want_bounce(in, DSCP_MARK(3, 1)));
	frame_set_tos(in, DSCP_MARK(LAST, 3));
	lab_send(lab, in, want_cleared(in, SERVER_last, 3));
	lab_settle(lab);
}

static void about_an_established_connection_it_is_owned(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		int listener = listen_at(vips[is_ipv6], HTTP);
		struct connection it = connection_open(listener, 0);
		const char *client = clients[is_ipv6];

		lab_case(*state, "IPv6 %d", is_ipv6);
		build(&in, is_ipv6, IPPROTO_TCP, client, it.port, HTTP);
		expect_delivered(*state, &in, SERVER_owned);
		lab_case(*state, "IPv6 %d, its neighbours", is_ipv6);
		build(&in, is_ipv6, IPPROTO_TCP, client, it.port ^ 1, HTTP);
		expect_bounced(*state, &in);
		build(&in, is_ipv6, IPPROTO_TCP, client, it.port, HTTP + 1);
		expect_bounced(*state, &in);
		build(&in, is_ipv6, IPPROTO_TCP, is_ipv6 ? GHOST6 : GHOST, it.port, HTTP);
		expect_bounced(*state, &in);
		build(&in, is_ipv6, IPPROTO_UDP, client, it.port, HTTP);
		expect_bounced(*state, &in);
		connection_close(&it);
		close(listener);
	}
}

static void about_a_listeners_port_it_is_bounced(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		int listener = listen_at(is_ipv6 ? "::" : "0.0.0.0", HTTP);

		lab_case(*state, "IPv6 %d", is_ipv6);
		build(&in, is_ipv6, IPPROTO_TCP, clients[is_ipv6], 40000, HTTP);
		expect_bounced(*state, &in);
		close(listener);
		lab_case(*state, "IPv6 %d, nobody listens", is_ipv6);
		build(&in, is_ipv6, IPPROTO_TCP, clients[is_ipv6], 40000, HTTP);
		expect_bounced(*state, &in);
	}
}

static void about_a_half_open_or_a_closed_connection_it_is_owned(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		int listener = listen_at(vips[is_ipv6], HTTP);
		int tap = tap_open_for("eth0-end", is_ipv6 ? ETH_P_IPV6 : ETH_P_IP);
		struct connection it = connection_open(listener, 0);

		lab_case(*state, "IPv6 %d, half open", is_ipv6);
		(is_ipv6 ? open_half6 : open_half)(*state, tap, PORT, 7000);
		build(&in, is_ipv6, IPPROTO_TCP, is_ipv6 ? GHOST6 : GHOST, PORT, HTTP);
		expect_delivered(*state, &in, SERVER_owned);
		lab_case(*state, "IPv6 %d, TIME_WAIT", is_ipv6);
		connection_end_in_time_wait(&it);
		build(&in, is_ipv6, IPPROTO_TCP, clients[is_ipv6], it.port, HTTP);
		expect_delivered(*state, &in, SERVER_owned);
		close(tap);
		close(listener);
	}
}

static void about_udp_it_goes_by_the_socket(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		int connected = socket_at(SOCK_DGRAM, vips[is_ipv6], 53), open;

		connect_to(connected, clients[is_ipv6], 40000);
		lab_case(*state, "IPv6 %d, connected", is_ipv6);
		build(&in, is_ipv6, IPPROTO_UDP, clients[is_ipv6], 40000, 53);
		expect_delivered(*state, &in, SERVER_owned);
		lab_case(*state, "IPv6 %d, none", is_ipv6);
		build(&in, is_ipv6, IPPROTO_UDP, clients[is_ipv6], 40001, 53);
		expect_bounced(*state, &in);
		lab_case(*state, "IPv6 %d, not connected", is_ipv6);
		open = socket_at(SOCK_DGRAM, vips[is_ipv6], 53);
		build(&in, is_ipv6, IPPROTO_UDP, clients[is_ipv6], 40001, 53);
		expect_delivered(*state, &in, SERVER_udp);
		close(open);
		close(connected);
	}
}

static void eight_quoted_bytes_are_enough_and_four_too(void **state)
{
	int listener = listen_at(VIP, HTTP), listener6 = listen_at(VIP6, HTTP);
	struct connection it = connection_open(listener, 0), it6 = connection_open(listener6, 0);
	struct frame in;

	for (int bytes = 0; bytes <= 8; bytes++)
		for (int is_mine = 0; is_mine < 2; is_mine++) {
			uint32_t reason = is_mine ? SERVER_owned : SERVER_bounce;

			lab_case(*state, "%d bytes, owned %d", bytes, is_mine);
			frame_error(&in, .quote_bytes = IP_LENGTH + bytes,
				    .quote = REPLY(.dport = is_mine ? it.port : it.port ^ 1));
			lab_send(*state, &in,
				 bytes < 4 ? want_pass(&in, SERVER_other)
				 : reason  ? want_pass(&in, reason)
					   : want_bounce(&in, DSCP_MARK(1, 0)));
			frame_error6(&in, .quote_bytes = IP6_LENGTH + bytes,
				     .quote = REPLY6(.dport = is_mine ? it6.port : it6.port ^ 1));
			lab_send(*state, &in,
				 bytes < 4 ? want_pass(&in, SERVER_other)
				 : reason  ? want_pass(&in, reason)
					   : want_bounce(&in, DSCP_MARK(1, 0)));
		}
	lab_settle(*state);
	connection_close(&it);
	connection_close(&it6);
	close(listener);
	close(listener6);
}

static void what_is_not_about_tcp_or_udp_is_delivered(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
#define OF(...)  HEADERS(.src = VIP, .dst = CLIENT, .sport = HTTP, .dport = 40000, ##__VA_ARGS__)
#define OF6(...) HEADERS6(.src = VIP6, .dst = CLIENT6, .sport = HTTP, .dport = 40000, ##__VA_ARGS__)
		{"GRE", OF(.proto = IPPROTO_GRE, .payload = 8)},
		{"SCTP", OF(.proto = IPPROTO_SCTP, .payload = 8)},
		{"an echo reply", OF(.proto = 1, .icmp_type = 0)},
		{"a later part", OF(.fragment = FRAGMENT_AT(1))},
		{"another source", OF(.src = "10.0.10.1")},
		{"version 5", OF(.version = 5)},
		{"ESP, IPv6", OF6(.proto = IPPROTO_ESP, .payload = 8)},
		{"a later part, IPv6", OF6(EXT({EXT_FRAGMENT, .fragment = FRAGMENT_AT(1)}))},
		{"another source, IPv6", OF6(.src = IN_VIP6)},
		{"version 4", OF6(.version = 4)},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		if (cases[i].headers.is_ipv6)
			frame_error6(&in, .quote = &cases[i].headers);
		else
			frame_error(&in, .quote = &cases[i].headers);
		expect_delivered(*state, &in, SERVER_other);
	}
}

static void other_types_are_delivered(void **state)
{
	static const uint8_t types[] = {0, 5, 8, 13, 14, 255},
			     types6[] = {0, 5, 128, 129, 135, 136};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		lab_case(*state, "types %d, %d", types[i], types6[i]);
		frame_error(&in, .icmp_type = types[i], .quote = REPLY());
		expect_delivered(*state, &in, SERVER_other);
		frame_error6(&in, .icmp_type = types6[i], .quote = REPLY6());
		expect_delivered(*state, &in, SERVER_other);
	}
	for (int type = 1; type <= 12; type++) {
		lab_case(*state, "type %d", type);
		frame_error(&in, .icmp_type = type, .quote = REPLY());
		if (type == 3 || type == 4 || type == 11 || type == 12)
			expect_bounced(*state, &in);
		frame_error6(&in, .icmp_type = type, .quote = REPLY6());
		if (type <= 4)
			expect_bounced(*state, &in);
	}
}

static void an_error_that_is_itself_in_parts_is_delivered(void **state)
{
	struct frame in;

	frame_error(&in, .quote = REPLY(), .fragment = MORE_FRAGMENTS);
	expect_delivered(*state, &in, SERVER_other);
	frame_error6(&in, .quote = REPLY6(), EXT({EXT_FRAGMENT, .fragment = MORE_FRAGMENTS}));
	expect_delivered(*state, &in, SERVER_other);
	lab_case(*state, "an atomic fragment is whole");
	frame_error6(&in, .quote = REPLY6(), EXT({EXT_FRAGMENT}));
	expect_bounced(*state, &in);
}

static void quoted_options_and_extension_headers_hide_no_connection(void **state)
{
	int listener = listen_at(VIP, HTTP), listener6 = listen_at(VIP6, HTTP);
	struct connection it = connection_open(listener, 0), it6 = connection_open(listener6, 0);
	struct frame in;

	frame_error(&in, .ihl = 7, .quote = REPLY(.dport = it.port, .ihl = 15),
		    .tags = {{ETH_P_8021Q, 1}});
	expect_delivered(*state, &in, SERVER_owned);
	frame_error6(&in, EXT({EXT_HOP}),
		     .quote = REPLY6(.dport = it6.port, EXT({EXT_DEST}, {EXT_FRAGMENT})));
	expect_delivered(*state, &in, SERVER_owned);
	lab_case(*state, "whatever the quoted numbers are");
	frame_error(&in, .quote = REPLY(.dport = it.port, .seq = it.ack + 0x80000000));
	expect_delivered(*state, &in, SERVER_owned);
	connection_close(&it);
	connection_close(&it6);
	close(listener);
	close(listener6);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, server_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_server(about_an_established_connection_it_is_owned),
		with_server(about_a_listeners_port_it_is_bounced),
		with_server(about_a_half_open_or_a_closed_connection_it_is_owned),
		with_server(about_udp_it_goes_by_the_socket),
		with_server(eight_quoted_bytes_are_enough_and_four_too),
		with_server(what_is_not_about_tcp_or_udp_is_delivered),
		with_server(other_types_are_delivered),
		with_server(an_error_that_is_itself_in_parts_is_delivered),
		with_server(quoted_options_and_extension_headers_hide_no_connection),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
