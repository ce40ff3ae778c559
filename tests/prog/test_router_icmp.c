// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and ICMP errors of both families: one about a flow goes where the flow's packets go,
 * and is noted; one that does not say enough is an ICMP packet as any other.
 */
#include <netinet/in.h>
#include <string.h>
#include "harness.h"

#define PORTS 24 /* so many flows: they do not meet at one server by chance */

static int four_servers(void **state)
{
	router_dscp(state);
	for (int i = 1; i <= 4; i++)
		lab_edit(*state, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(i),
			 server_addr(i));
	return 0;
}

/* An error about the answer to a flow, made from the answer's and the error's headers. */
static struct want want_as(struct lab *lab, const struct frame *in, const struct frame *about)
{
	return want_noted(want_forward(in, owner_of(lab, about), ROUTER_forward),
			  ROUTER_icmp_error);
}

static struct want want_as_any_other(struct lab *lab, const struct frame *in)
{
	return want_forward(in, owner_of(lab, in), ROUTER_forward);
}

static void an_error_goes_to_the_owner_of_the_flow_that_it_is_about(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_GRE, IPPROTO_SCTP};
	static const uint8_t types[] = {3, 4, 11, 12}, types6[] = {1, 2, 3, 4};
	struct frame in, about;

	for (unsigned int p = 0; p < ARRAY_SIZE(protos); p++)
		for (uint16_t port = 0; port < PORTS; port++) {
			uint8_t i = port % ARRAY_SIZE(types);

			lab_case(*state, "protocol %d, port %d", protos[p], port);
			frame_make(&about, .proto = protos[p], .sport = port, .payload = 8);
			frame_error(
				&in, .icmp_type = types[i], .icmp_code = port,
				.quote = REPLY(.proto = protos[p], .dport = port, .payload = 100));
			lab_send(*state, &in, want_as(*state, &in, &about));
			frame_make6(&about, .proto = protos[p], .sport = port, .payload = 8);
			frame_error6(
				&in, .icmp_type = types6[i], .icmp_code = port,
				.quote = REPLY6(.proto = protos[p], .dport = port, .payload = 100));
			lab_send(*state, &in, want_as(*state, &in, &about));
		}
	lab_settle(*state);
}

static void who_sends_it_does_not_matter(void **state)
{
	static const char *const routers[] = {"10.9.0.1", "192.0.2.7", CLIENT, "10.0.1.1"};
	struct frame in, about;

	frame_tcp(&about);
	for (unsigned int i = 0; i < ARRAY_SIZE(routers); i++) {
		lab_case(*state, "from %s", routers[i]);
		frame_error(&in, .src = routers[i], .quote = REPLY(), .tags = {{ETH_P_8021Q, 5}},
			    .ihl = 5 + i);
		lab_expect(*state, &in, want_as(*state, &in, &about));
	}
}

static void other_types_quote_nothing(void **state)
{
	static const uint8_t types[] = {0, 1, 2, 5, 8, 9, 10, 13, 14, 17, 18, 40, 255};
	static const uint8_t types6[] = {0, 5, 100, 127, 128, 129, 138, 142, 144, 255};
	struct frame in;

	for (uint16_t port = 0; port < PORTS; port++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
			lab_case(*state, "type %d, port %d", types[i], port);
			frame_error(&in, .icmp_type = types[i], .quote = REPLY(.dport = port));
			lab_send(*state, &in, want_as_any_other(*state, &in));
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(types6); i++) {
			lab_case(*state, "type %d of IPv6, port %d", types6[i], port);
			frame_error6(&in, .icmp_type = types6[i], .quote = REPLY6(.dport = port));
			lab_send(*state, &in, want_as_any_other(*state, &in));
		}
	}
	lab_settle(*state);
}

static void the_ports_suffice_and_less_does_not(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct frame in, about;

	for (unsigned int p = 0; p < ARRAY_SIZE(protos); p++)
		for (uint16_t port = 0; port < PORTS; port++)
			for (int bytes = 0; bytes <= 8; bytes++) {
				lab_case(*state, "protocol %d, %d bytes, port %d", protos[p], bytes,
					 port);
				frame_make(&about, .proto = protos[p], .sport = port);
				frame_error(&in, .quote_bytes = IP_LENGTH + bytes,
					    .quote = REPLY(.proto = protos[p], .dport = port));
				lab_send(*state, &in,
					 bytes < 4 ? want_as_any_other(*state, &in)
						   : want_as(*state, &in, &about));
				frame_make6(&about, .proto = protos[p], .sport = port);
				frame_error6(&in, .quote_bytes = IP6_LENGTH + bytes,
					     .quote = REPLY6(.proto = protos[p], .dport = port));
				lab_send(*state, &in,
					 bytes < 4 ? want_as_any_other(*state, &in)
						   : want_as(*state, &in, &about));
			}
	lab_settle(*state);
}

static void padding_is_not_taken_for_what_is_quoted(void **state)
{
	struct frame in;

	for (uint16_t port = 0; port < PORTS; port++) {
		lab_case(*state, "port %d", port);
		frame_error(&in, .quote = REPLY(.dport = port), .total_length = 20 + 8 + 20 + 3);
		in.counted = ETH_HLEN + 51;
		lab_send(*state, &in, want_as_any_other(*state, &in));
		frame_error6(&in, .quote = REPLY6(.dport = port), .total_length = 8 + 40 + 3);
		in.counted = IP6_END + 51;
		lab_send(*state, &in, want_as_any_other(*state, &in));
	}
	lab_settle(*state);
}

static void a_quoted_header_that_is_cut_off_says_nothing(void **state)
{
	struct frame in;

	for (int bytes = 0; bytes < IP_LENGTH; bytes++) {
		lab_case(*state, "%d bytes", bytes);
		frame_error(&in, .quote = REPLY(), .quote_bytes = bytes);
		lab_send(*state, &in, want_as_any_other(*state, &in));
	}
	for (int bytes = 0; bytes < IP6_LENGTH; bytes++) {
		lab_case(*state, "%d bytes of IPv6", bytes);
		frame_error6(&in, .quote = REPLY6(), .quote_bytes = bytes);
		lab_send(*state, &in, want_as_any_other(*state, &in));
	}
	for (int bytes = 0; bytes < 8; bytes++) {
		lab_case(*state, "%d bytes of the ICMP header", bytes);
		frame_error(&in, .total_length = IP_LENGTH + bytes, .cut = IP_END + bytes);
		lab_send(*state, &in, want_as_any_other(*state, &in));
		frame_error6(&in, .total_length = bytes, .cut = IP6_END + bytes);
		lab_send(*state, &in, want_as_any_other(*state, &in));
	}
	lab_settle(*state);
}

static void what_the_quoted_packet_may_have_and_what_not(void **state)
{
	static const struct {
		const char *name;
		bool counts;
		struct headers headers;
	} cases[] = {
#define OF(...)  HEADERS(.src = VIP, .dst = CLIENT, .sport = HTTP, ##__VA_ARGS__)
#define OF6(...) HEADERS6(.src = VIP6, .dst = CLIENT6, .sport = HTTP, ##__VA_ARGS__)
		{"IP options", true, OF(.ihl = 15)},
		{"the first part", true, OF(.fragment = MORE_FRAGMENTS)},
		{"a wrong checksum and TTL 0", true, OF(.check = 0x1234, .ttl = 0)},
		{"a mark", true, OF(.tos = DSCP_MARK(3, 3))},
		{"a total length that is longer", true, OF(.total_length = 1500)},
		{"a later part", false, OF(.fragment = FRAGMENT_AT(1))},
		{"a later part, not the last", false, OF(.fragment = MORE_FRAGMENTS | 185)},
		{"version 6", false, OF(.version = 6)},
		{"ihl 4", false, OF(.ihl = 4)},
		{"another source", false, OF(.src = "10.0.10.1")},
		{"the client as its source", false, OF(.src = CLIENT, .dst = VIP)},
		{"extension headers", true, OF6(EXT({EXT_HOP}, {EXT_DEST, .size = 24}))},
		{"AH", true, OF6(EXT({EXT_AUTH, .size = 20}))},
		{"an atomic fragment", true, OF6(EXT({EXT_FRAGMENT}))},
		{"the first part, IPv6", true,
		 OF6(EXT({EXT_FRAGMENT, .fragment = MORE_FRAGMENTS}))},
		{"a longer payload length", true, OF6(.total_length = 1440)},
		{"a later part, IPv6", false, OF6(EXT({EXT_FRAGMENT, .fragment = FRAGMENT_AT(1)}))},
		{"version 4", false, OF6(.version = 4)},
		{"another source, IPv6", false, OF6(.src = "fd00:10::11")},
		{"nine extension headers", false,
		 OF6(EXT({EXT_HOP}, {60}, {60}, {60}, {60}, {60}, {60}, {60}, {60}))},
	};
	struct frame in, about;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++)
		for (uint16_t port = 0; port < PORTS; port++) {
			struct headers quote = cases[i].headers;

			lab_case(*state, "%s, port %d", cases[i].name, port);
			quote.dport = port;
			if (quote.is_ipv6) {
				frame_tcp6(&about, .sport = port);
				frame_error6(&in, .quote = &quote);
			} else {
				frame_tcp(&about, .sport = port);
				frame_error(&in, .quote = &quote);
			}
			lab_send(*state, &in,
				 cases[i].counts ? want_as(*state, &in, &about)
						 : want_as_any_other(*state, &in));
		}
	lab_settle(*state);
}

static void quoted_extension_headers_that_are_cut_off_say_nothing(void **state)
{
	struct frame in, about;

	frame_tcp6(&about);
	for (int bytes = 0; bytes <= 24 + 8 + 4; bytes++) {
		lab_case(*state, "%d bytes", bytes);
		frame_error6(&in, .quote_bytes = IP6_LENGTH + bytes,
			     .quote = REPLY6(EXT({EXT_DEST, .size = 24}, {EXT_HOP})));
		lab_send(*state, &in,
			 bytes < 24 + 8 + 4 ? want_as_any_other(*state, &in)
					    : want_as(*state, &in, &about));
	}
	lab_settle(*state);
}

static void an_error_behind_extension_headers_counts_and_a_fragment_of_one_does_not(void **state)
{
	struct frame in, about;

	for (uint16_t port = 0; port < PORTS; port++) {
		lab_case(*state, "port %d", port);
		frame_tcp6(&about, .sport = port);
		frame_error6(&in, .quote = REPLY6(.dport = port),
			     EXT({EXT_HOP}, {EXT_DEST}, {EXT_FRAGMENT}));
		lab_send(*state, &in, want_as(*state, &in, &about));
		frame_error6(&in, .quote = REPLY6(.dport = port),
			     EXT({EXT_FRAGMENT, .fragment = MORE_FRAGMENTS, .id = port}));
		lab_send(*state, &in, want_as_any_other(*state, &in));
		frame_error(&in, .quote = REPLY(.dport = port), .fragment = MORE_FRAGMENTS,
			    .id = port);
		lab_send(*state, &in, want_as_any_other(*state, &in));
	}
	lab_settle(*state);
}

static void a_bounced_error_follows_the_history_of_its_flow(void **state)
{
	struct frame in, about;

	lab_edit(*state, "del " VIP " via %s\ndel " VIP6 " via %s", server_addr(1), server_addr(2));
	lab_edit(*state, "del " VIP " via %s\ndel " VIP6 " via %s", server_addr(3), server_addr(4));
	for (uint16_t port = 0; port < 2 * PORTS; port++)
		for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
			struct chain chain;
			struct want want;

			frame_build(&about, &(struct headers)HEADERS(.sport = port));
			frame_error(&in, .quote = REPLY(.dport = port), .tos = DSCP_MARK(1, 2));
			if (is_ipv6) {
				frame_tcp6(&about, .sport = port);
				frame_error6(&in, .quote = REPLY6(.dport = port),
					     .tos = DSCP_MARK(1, 2));
			}
			chain = chain_of(*state, &about);
			lab_case(*state, "IPv6 %d, port %d, chain of %u", is_ipv6, port,
				 chain.length);
			frame_set_macs(&in, INGRESS_MAC, server_mac(chain.server[0]));
			want = want_forward(&in, chain.server[chain.length > 1 ? 1 : 0],
					    chain.length > 1 ? ROUTER_history : ROUTER_chain_end);
			want = want_tos(want, DSCP_MARK(chain.length > 2 ? 1 : LAST, 2));
			lab_send(*state, &in, want_noted(want, ROUTER_icmp_error));
		}
	lab_settle(*state);
}

#define with_four(test) cmocka_unit_test_setup_teardown(test, four_servers, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_four(an_error_goes_to_the_owner_of_the_flow_that_it_is_about),
		with_four(who_sends_it_does_not_matter),
		with_four(other_types_quote_nothing),
		with_four(the_ports_suffice_and_less_does_not),
		with_four(padding_is_not_taken_for_what_is_quoted),
		with_four(a_quoted_header_that_is_cut_off_says_nothing),
		with_four(what_the_quoted_packet_may_have_and_what_not),
		with_four(quoted_extension_headers_that_are_cut_off_say_nothing),
		with_four(an_error_behind_extension_headers_counts_and_a_fragment_of_one_does_not),
		with_four(a_bounced_error_follows_the_history_of_its_flow),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
