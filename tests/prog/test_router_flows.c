// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and what makes a flow: addresses, protocol and ports, of later fragments those of the
 * first one; nothing else in a packet moves it to another server.
 */
#include <netinet/in.h>
#include "harness.h"

static int four_servers(void **state)
{
	router_dscp(state);
	lab_edit(*state, "add " VIP " via %s via %s via %s via %s", server_addr(1), server_addr(2),
		 server_addr(3), server_addr(4));
	return 0;
}

static void every_protocol_goes_to_the_owner_of_its_flow(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP,  IPPROTO_ICMP,    IPPROTO_GRE,
					 IPPROTO_ESP, IPPROTO_SCTP, IPPROTO_UDPLITE, 253};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(protos); i++)
		for (uint16_t port = 1000; port < 1032; port++) {
			lab_case(*state, "protocol %d, port %d", protos[i], port);
			frame_make(&in, .proto = protos[i], .sport = port, .payload = 32);
			lab_send(*state, &in,
				 want_forward(&in, owner_of(*state, &in), ROUTER_forward));
		}
	lab_settle(*state);
}

static void tcp_flags_and_numbers_do_not_move_a_flow(void **state)
{
	static const uint8_t flags[] = {SYN, SYN | ACK, ACK, PSH | ACK, FIN | ACK, RST, 0, 0xff};
	struct frame in;
	int owner;

	frame_tcp(&in);
	owner = owner_of(*state, &in);
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		lab_case(*state, "flags %02x", flags[i]);
		frame_tcp(&in, .flags = flags[i], .seq = i * 77777, .ack = i * 99999, .id = i,
			  .payload = i * 100, .ttl = 10 + i);
		lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
	}
	lab_settle(*state);
}

static void ip_options_do_not_move_a_flow(void **state)
{
	struct frame in;
	int owner;

	for (uint16_t port = 1000; port < 1016; port++) {
		frame_tcp(&in, .sport = port);
		owner = owner_of(*state, &in);
		for (uint8_t ihl = 6; ihl <= 15; ihl++) {
			lab_case(*state, "port %d, ihl %d", port, ihl);
			frame_tcp(&in, .sport = port, .ihl = ihl, .payload = 10);
			lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
		}
	}
	lab_settle(*state);
}

static struct want want_fragment(const struct frame *in, int server)
{
	struct want want = want_forward(in, server, ROUTER_forward);

	want.reasons |= BIT(ROUTER_fragment);
	return want;
}

static void all_fragments_of_a_datagram_go_to_one_server(void **state)
{
	static const uint16_t fragments[] = {
		MORE_FRAGMENTS,                  /* first */
		MORE_FRAGMENTS | FRAGMENT_AT(1), /* inside the TCP header (RFC 1858) */
		MORE_FRAGMENTS | FRAGMENT_AT(0x1fff),
		FRAGMENT_AT(185), /* last */
		DONT_FRAGMENT | FRAGMENT_AT(185),
	};
	static const char *const clients[] = {"10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4",
					      "10.0.1.5", "10.0.1.6", "10.0.1.7", "10.0.1.8"};
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	struct frame in;

	for (unsigned int c = 0; c < ARRAY_SIZE(clients) * ARRAY_SIZE(protos); c++) {
		uint8_t proto = protos[c % ARRAY_SIZE(protos)];
		int owner = 0;

		for (unsigned int i = 0; i < ARRAY_SIZE(fragments); i++) {
			lab_case(*state, "client %u, fragment %04x", c, fragments[i]);
			frame_make(&in, .proto = proto, .src = clients[c / ARRAY_SIZE(protos)],
				   .fragment = fragments[i], .sport = 1000 + i, .payload = 64);
			owner = owner ?: owner_of(*state, &in); /* the first part's */
			lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
		}
	}
	lab_settle(*state);
}

static void a_fragment_may_be_as_short_as_its_header(void **state)
{
	struct frame in;

	frame_tcp(&in, .fragment = FRAGMENT_AT(8), .cut = ETH_HLEN + 20, .total_length = 20);
	lab_expect(*state, &in, want_fragment(&in, owner_of(*state, &in)));
}

static void flags_that_make_no_fragment_do_not_matter(void **state)
{
	static const uint16_t flags[] = {0, DONT_FRAGMENT, 0x8000, 0xc000};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		lab_case(*state, "flags %04x", flags[i]);
		frame_tcp(&in, .fragment = flags[i]);
		lab_expect(*state, &in, want_forward(&in, owner_of(*state, &in), ROUTER_forward));
	}
}

#define with_four(test) cmocka_unit_test_setup_teardown(test, four_servers, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_four(every_protocol_goes_to_the_owner_of_its_flow),
		with_four(tcp_flags_and_numbers_do_not_move_a_flow),
		with_four(ip_options_do_not_move_a_flow),
		with_four(all_fragments_of_a_datagram_go_to_one_server),
		with_four(a_fragment_may_be_as_short_as_its_header),
		with_four(flags_that_make_no_fragment_do_not_matter),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
