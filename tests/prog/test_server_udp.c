// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program and UDP: a connected socket owns its flow, one that is not connected takes
 * what comes, and what no socket takes is bounced.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server.h"

#define DNS 53

static const struct family {
	const char *vip, *other_vip, *client, *other_client, *any;
	bool is_ipv6;
} families[] = {
	{VIP, IN_VIP_NET, CLIENT, GHOST, "0.0.0.0", false},
	{VIP6, IN_VIP6, CLIENT6, GHOST6, "::", true},
};

/* The datagram, with and without a mark, reaches a socket: SERVER_bounce: it does not. */
static void expect(struct lab *lab, const struct family *family, const char *src, uint16_t sport,
		   const char *dst, uint16_t dport, uint32_t reason)
{
	struct headers headers = HEADERS(), headers6 = HEADERS6();
	struct headers *it = family->is_ipv6 ? &headers6 : &headers;
	struct frame in;

	lab_case(lab, "%s %d to %s %d", src, sport, dst, dport);
	it->to = server_mac(1);
	it->from = way_out_mac(1);
	it->proto = IPPROTO_UDP;
	it->src = src;
	it->dst = dst;
	it->sport = sport;
	it->dport = dport;
	for (uint16_t payload = 0; payload < 2000; payload += 999) {
		bool is_taken = reason != SERVER_bounce;

		it->payload = payload;
		it->tos = 0;
		frame_build(&in, it);
		lab_send(lab, &in,
			 is_taken ? want_pass(&in, reason) : want_bounce(&in, DSCP_MARK(1, 0)));
		frame_set_tos(&in, DSCP_MARK(2, 1));
		lab_send(lab, &in,
			 is_taken ? want_cleared(&in, reason, 1)
				  : want_bounce(&in, DSCP_MARK(3, 1)));
		frame_set_tos(&in, DSCP_MARK(LAST, 3));
		lab_send(lab, &in, want_cleared(&in, is_taken ? reason : SERVER_last, 3));
	}
	lab_settle(lab);
}

static void without_a_socket_a_datagram_is_bounced(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(families); i++) {
		const struct family *it = &families[i];
		int tcp = listen_at(it->vip, DNS);

		expect(*state, it, it->client, 40000, it->vip, DNS, SERVER_bounce);
		expect(*state, it, it->client, 40000, it->other_vip, DNS, SERVER_bounce);
		close(tcp);
	}
}

static void an_unconnected_socket_takes_what_comes_to_its_address(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(families); i++) {
		const struct family *it = &families[i];
		int fd = socket_at(SOCK_DGRAM, it->vip, DNS);

		expect(*state, it, it->client, 40000, it->vip, DNS, SERVER_udp);
		expect(*state, it, it->other_client, 1, it->vip, DNS, SERVER_udp);
		expect(*state, it, it->client, 40000, it->vip, DNS + 1, SERVER_bounce);
		expect(*state, it, it->client, 40000, it->other_vip, DNS, SERVER_bounce);
		close(fd);
		expect(*state, it, it->client, 40000, it->vip, DNS, SERVER_bounce);
	}
}

static void a_socket_on_any_address_takes_what_comes_to_all_vips(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(families); i++) {
		const struct family *it = &families[i];
		int fd = socket_at(SOCK_DGRAM, it->any, DNS);

		expect(*state, it, it->client, 40000, it->vip, DNS, SERVER_udp);
		expect(*state, it, it->client, 40000, it->other_vip, DNS, SERVER_udp);
		expect(*state, it, it->client, 40000, it->other_vip, DNS + 1, SERVER_bounce);
		close(fd);
	}
}

static void an_ipv6_socket_takes_ipv4_unless_it_does_not_want_to(void **state)
{
	int one = 1, both = socket_at(SOCK_DGRAM, "::", DNS), only;

	expect(*state, &families[0], CLIENT, 40000, VIP, DNS, SERVER_udp);
	expect(*state, &families[1], CLIENT6, 40000, VIP6, DNS, SERVER_udp);
	close(both);
	only = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(only, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)), 0);
	assert_int_equal(bind(only,
			      (struct sockaddr *)&(struct sockaddr_in6){.sin6_family = AF_INET6,
									.sin6_port = htons(DNS)},
			      sizeof(struct sockaddr_in6)),
			 0);
	expect(*state, &families[0], CLIENT, 40000, VIP, DNS, SERVER_bounce);
	expect(*state, &families[1], CLIENT6, 40000, VIP6, DNS, SERVER_udp);
	close(only);
}

static void a_connected_socket_owns_its_flow_and_no_other(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(families); i++) {
		const struct family *it = &families[i];
		int fd = socket_at(SOCK_DGRAM, it->vip, DNS), listener;

		connect_to(fd, it->client, 40000);
		expect(*state, it, it->client, 40000, it->vip, DNS, SERVER_owned);
		expect(*state, it, it->client, 40001, it->vip, DNS, SERVER_bounce);
		expect(*state, it, it->other_client, 40000, it->vip, DNS, SERVER_bounce);
		expect(*state, it, it->client, 40000, it->vip, DNS + 1, SERVER_bounce);
		expect(*state, it, it->client, 40000, it->other_vip, DNS, SERVER_bounce);
		listener = socket_at(SOCK_DGRAM, it->vip, DNS);
		expect(*state, it, it->client, 40000, it->vip, DNS, SERVER_owned);
		expect(*state, it, it->client, 40001, it->vip, DNS, SERVER_udp);
		close(listener);
		close(fd);
	}
}

static void the_ports_suffice(void **state)
{
	int fd = socket_at(SOCK_DGRAM, VIP, DNS), fd6 = socket_at(SOCK_DGRAM, VIP6, DNS);
	struct frame in;

	for (int length = 0; length < 8; length++) {
		lab_case(*state, "%d bytes", length);
		frame_udp(&in, .dport = DNS, .total_length = IP_LENGTH + length,
			  .cut = IP_END + length);
		lab_expect(*state, &in,
			   want_pass(&in, length < 4 ? SERVER_bad_header : SERVER_udp));
		frame_udp6(&in, .dport = DNS, .total_length = length, .cut = IP6_END + length);
		lab_expect(*state, &in,
			   want_pass(&in, length < 4 ? SERVER_bad_header : SERVER_udp));
	}
	close(fd);
	close(fd6);
}

static void options_extension_headers_and_tags_hide_no_socket(void **state)
{
	int fd = socket_at(SOCK_DGRAM, VIP, DNS), fd6 = socket_at(SOCK_DGRAM, VIP6, DNS);
	struct frame in;

	frame_udp(&in, .dport = DNS, .ihl = 15, .tags = {{ETH_P_8021Q, 1}});
	lab_expect(*state, &in, want_pass(&in, SERVER_udp));
	frame_udp(&in, .dport = DNS + 1, .ihl = 15, .tags = {{ETH_P_8021Q, 1}});
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_udp6(&in, .dport = DNS, EXT({EXT_HOP}, {EXT_AUTH}), .tags = {{ETH_P_8021Q, 1}});
	lab_expect(*state, &in, want_pass(&in, SERVER_udp));
	frame_udp6(&in, .dport = DNS + 1, EXT({EXT_HOP}, {EXT_AUTH}), .tags = {{ETH_P_8021Q, 1}});
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	close(fd);
	close(fd6);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, server_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_server(without_a_socket_a_datagram_is_bounced),
		with_server(an_unconnected_socket_takes_what_comes_to_its_address),
		with_server(a_socket_on_any_address_takes_what_comes_to_all_vips),
		with_server(an_ipv6_socket_takes_ipv4_unless_it_does_not_want_to),
		with_server(a_connected_socket_owns_its_flow_and_no_other),
		with_server(the_ports_suffice),
		with_server(options_extension_headers_and_tags_hide_no_socket),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
