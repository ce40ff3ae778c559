// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and fragments of both families: later parts go where the first one went, by what it
 * left behind; one that comes before it is hashed on addresses and protocol, and noted.
 */
#include <netinet/in.h>
#include "harness.h"

#define DATAGRAMS 24

static int four_servers(void **state)
{
	router_dscp(state);
	for (int i = 1; i <= 4; i++)
		lab_edit(*state, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(i),
			 server_addr(i));
	return 0;
}

/* One part of datagram `n`, whose ports nothing but its first part shows. */
static void build_part(struct frame *frame, bool is_ipv6, uint8_t proto, int n, uint16_t fragment)
{
	if (is_ipv6)
		frame_make6(frame, .proto = proto, .sport = 1000 + n, .payload = 64,
			    EXT({EXT_FRAGMENT, .fragment = fragment, .id = 0xabcd0000 + n}));
	else
		frame_make(frame, .proto = proto, .sport = 1000 + n, .payload = 64,
			   .fragment = fragment, .id = 0x7000 + n);
}

static int owner_of_datagram(struct lab *lab, bool is_ipv6, uint8_t proto, int n)
{
	struct frame whole;

	if (is_ipv6)
		frame_make6(&whole, .proto = proto, .sport = 1000 + n);
	else
		frame_make(&whole, .proto = proto, .sport = 1000 + n);
	return owner_of(lab, &whole);
}

static void send_part(struct lab *lab, bool is_ipv6, uint8_t proto, int n, uint16_t fragment)
{
	int owner = owner_of_datagram(lab, is_ipv6, proto, n);
	struct frame in;

	lab_case(lab, "IPv6 %d, protocol %d, datagram %d, fragment %04x", is_ipv6, proto, n,
		 fragment);
	build_part(&in, is_ipv6, proto, n, fragment);
	lab_send(lab, &in, want_forward(&in, owner, ROUTER_forward));
}

/* One whose first part was not seen. */
static void send_unknown(struct lab *lab, bool is_ipv6, uint8_t proto, int n, uint16_t fragment)
{
	struct frame in;

	lab_case(lab, "IPv6 %d, protocol %d, datagram %d, fragment %04x, not known", is_ipv6, proto,
		 n, fragment);
	build_part(&in, is_ipv6, proto, n, fragment);
	lab_send(
		lab, &in,
		want_noted(want_forward(&in, owner_of(lab, &in), ROUTER_forward), ROUTER_fragment));
}

static void after_the_first_part_the_others_follow_in_any_order(void **state)
{
	static const uint16_t later[] = {FRAGMENT_AT(300), MORE_FRAGMENTS | FRAGMENT_AT(9),
					 MORE_FRAGMENTS | FRAGMENT_AT(200),
					 MORE_FRAGMENTS | FRAGMENT_AT(1), FRAGMENT_AT(0x1fff)};
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_GRE};
	unsigned int owners = 0;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
		for (int n = 0; n < DATAGRAMS; n++) {
			uint8_t proto = protos[n % ARRAY_SIZE(protos)];

			send_part(*state, is_ipv6, proto, n, MORE_FRAGMENTS);
			for (unsigned int i = 0; i < ARRAY_SIZE(later); i++)
				send_part(*state, is_ipv6, proto, n,
					  later[(i + n) % ARRAY_SIZE(later)]);
			owners |= BIT(owner_of_datagram(*state, is_ipv6, proto, n));
		}
	lab_settle(*state);
	assert_int_equal(owners, BIT(1) | BIT(2) | BIT(3) | BIT(4));
}

static void a_part_before_the_first_one_is_hashed_on_addresses_and_noted(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
		for (int n = 0; n < DATAGRAMS; n++) {
			uint8_t proto = protos[n % 2];

			send_unknown(*state, is_ipv6, proto, n, FRAGMENT_AT(185));
			send_unknown(*state, is_ipv6, proto, n, MORE_FRAGMENTS | FRAGMENT_AT(9));
			send_part(*state, is_ipv6, proto, n, MORE_FRAGMENTS);
			send_part(*state, is_ipv6, proto, n, FRAGMENT_AT(185));
		}
	lab_settle(*state);
}

static void datagrams_under_way_at_once_are_told_apart(void **state)
{
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		for (int n = 0; n < DATAGRAMS; n++)
			send_part(*state, is_ipv6, IPPROTO_UDP, n, MORE_FRAGMENTS);
		for (int n = DATAGRAMS - 1; n >= 0; n--)
			send_part(*state, is_ipv6, IPPROTO_UDP, n, FRAGMENT_AT(9));
		send_unknown(*state, is_ipv6, IPPROTO_UDP, DATAGRAMS, FRAGMENT_AT(9));
	}
	lab_settle(*state);
}

static void addresses_and_of_ipv4_the_protocol_tell_datagrams_apart(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
		{"another client", HEADERS(.src = "10.0.1.1", .proto = 17)},
		{"another protocol", HEADERS(.proto = 6)},
		{"another id", HEADERS(.id = 0x3412, .proto = 17)},
		{"another client, IPv6", HEADERS6(.src = "fd00:1::1", .proto = 17)},
		{"another client in the first word", HEADERS6(.src = "fd01:1::99", .proto = 17)},
	};
	struct frame in;

	lab_edit(*state, "add 10.0.10.1 via %s\nadd fd00:10::11 via %s", server_addr(7),
		 server_addr(7));
	frame_udp(&in, .fragment = MORE_FRAGMENTS, .payload = 8);
	lab_send(*state, &in, want_forward(&in, owner_of(*state, &in), ROUTER_forward));
	frame_udp6(&in, .payload = 8,
		   EXT({EXT_FRAGMENT, .fragment = MORE_FRAGMENTS, .id = 0x1234}));
	lab_send(*state, &in, want_forward(&in, owner_of(*state, &in), ROUTER_forward));
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct headers headers = cases[i].headers;

		lab_case(*state, "%s", cases[i].name);
		headers.fragment = FRAGMENT_AT(2);
		headers.ext[0] = (struct ext){EXT_FRAGMENT, .fragment = 2, .id = 0x1234};
		headers.ext_count = headers.is_ipv6;
		frame_build(&in, &headers);
		lab_send(*state, &in,
			 want_noted(want_forward(&in, owner_of(*state, &in), ROUTER_forward),
				    ROUTER_fragment));
		lab_case(*state, "%s, to another VIP", cases[i].name);
		headers.dst = headers.is_ipv6 ? "fd00:10::11" : "10.0.10.1";
		frame_build(&in, &headers);
		lab_send(*state, &in,
			 want_noted(want_forward(&in, 7, ROUTER_forward), ROUTER_fragment));
	}
	lab_settle(*state);
}

static void an_id_that_is_used_again_is_that_of_the_new_datagram(void **state)
{
	struct frame in;
	int owner;

	for (uint16_t port = 1; port <= 2 * DATAGRAMS; port++) {
		lab_case(*state, "port %d", port);
		frame_udp(&in, .sport = port, .fragment = MORE_FRAGMENTS, .payload = 64);
		owner = owner_of(*state, &in);
		lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
		frame_udp(&in, .fragment = FRAGMENT_AT(9));
		lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
	}
	lab_settle(*state);
}

/* The first part begins with destination options, in front of UDP: the others name these. */
static void later_ipv6_parts_may_name_another_next_header(void **state)
{
	static const uint8_t firsts[] = {EXT_DEST, EXT_ROUTING, EXT_AUTH};
	struct frame in;
	int owner;

	for (unsigned int i = 0; i < ARRAY_SIZE(firsts); i++)
		for (int n = 0; n < DATAGRAMS; n++) {
			uint32_t id = i << 8 | n;

			lab_case(*state, "next header %d, datagram %d", firsts[i], n);
			frame_udp6(&in, .sport = 1000 + n, .payload = 64,
				   EXT({EXT_HOP},
				       {EXT_FRAGMENT, .fragment = MORE_FRAGMENTS, .id = id},
				       {firsts[i]}));
			owner = owner_of(*state, &in);
			lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
			frame_make6(&in, .proto = firsts[i],
				    EXT({EXT_HOP},
					{EXT_FRAGMENT, .fragment = FRAGMENT_AT(9), .id = id}));
			lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
		}
	lab_settle(*state);
}

static void an_atomic_fragment_is_a_packet_and_leaves_nothing(void **state)
{
	for (int n = 0; n < DATAGRAMS; n++) {
		send_part(*state, true, IPPROTO_UDP, n, 0);
		send_unknown(*state, true, IPPROTO_UDP, n, FRAGMENT_AT(9));
	}
	lab_settle(*state);
}

static void a_later_part_may_be_as_short_as_its_headers(void **state)
{
	struct frame in;

	frame_tcp6(&in, EXT({EXT_FRAGMENT, .fragment = FRAGMENT_AT(9)}), .cut = IP6_END + 8,
		   .total_length = 8);
	lab_expect(*state, &in,
		   want_noted(want_forward(&in, owner_of(*state, &in), ROUTER_forward),
			      ROUTER_fragment));
	lab_case(*state, "a first part without ports");
	frame_tcp6(&in, EXT({EXT_FRAGMENT, .fragment = MORE_FRAGMENTS}), .cut = IP6_END + 8 + 3,
		   .total_length = 8 + 3);
	lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
	frame_udp(&in, .fragment = MORE_FRAGMENTS, .cut = IP_END + 3, .total_length = 23);
	lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
}

static void tags_and_options_may_differ_from_part_to_part(void **state)
{
	struct frame in;

	for (int n = 0; n < DATAGRAMS; n++) {
		int owner = owner_of_datagram(*state, false, IPPROTO_UDP, n);

		lab_case(*state, "datagram %d", n);
		frame_udp(&in, .sport = 1000 + n, .id = n, .fragment = MORE_FRAGMENTS, .ihl = 10,
			  .payload = 8, .tags = {{ETH_P_8021Q, 1}});
		lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
		frame_udp(&in, .id = n, .fragment = FRAGMENT_AT(2), .tos = DSCP_MARK(2, 1));
		lab_send(*state, &in,
			 want_noted(want_tos(want_forward(&in, owner, ROUTER_forward), 1),
				    ROUTER_mark_cleared));
	}
	lab_settle(*state);
}

static void bounced_parts_follow_the_history_of_their_datagram(void **state)
{
	lab_edit(*state, "del " VIP " via %s\ndel " VIP6 " via %s", server_addr(1), server_addr(1));
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
		for (int n = 0; n < DATAGRAMS; n++) {
			static const uint16_t parts[] = {MORE_FRAGMENTS, FRAGMENT_AT(9)};

			for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++) {
				struct frame in, whole;
				struct chain chain;
				bool is_moved;

				frame_build(&whole, &(struct headers)HEADERS(.proto = 17,
									     .sport = 1000 + n));
				if (is_ipv6)
					frame_udp6(&whole, .sport = 1000 + n);
				chain = chain_of(*state, &whole);
				is_moved = chain.length > 1;
				lab_case(*state, "IPv6 %d, datagram %d, part %u", is_ipv6, n, i);
				build_part(&in, is_ipv6, IPPROTO_UDP, n, parts[i]);
				frame_set_tos(&in, DSCP_MARK(1, 1));
				frame_set_macs(&in, INGRESS_MAC, server_mac(chain.server[0]));
				lab_send(*state, &in,
					 want_tos(want_forward(&in, chain.server[is_moved],
							       is_moved ? ROUTER_history
									: ROUTER_chain_end),
						  DSCP_MARK(chain.length > 2 ? 1 : LAST, 1)));
			}
		}
	lab_settle(*state);
}

#define with_four(test) cmocka_unit_test_setup_teardown(test, four_servers, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_four(after_the_first_part_the_others_follow_in_any_order),
		with_four(a_part_before_the_first_one_is_hashed_on_addresses_and_noted),
		with_four(datagrams_under_way_at_once_are_told_apart),
		with_four(addresses_and_of_ipv4_the_protocol_tell_datagrams_apart),
		with_four(an_id_that_is_used_again_is_that_of_the_new_datagram),
		with_four(later_ipv6_parts_may_name_another_next_header),
		with_four(an_atomic_fragment_is_a_packet_and_leaves_nothing),
		with_four(a_later_part_may_be_as_short_as_its_headers),
		with_four(tags_and_options_may_differ_from_part_to_part),
		with_four(bounced_parts_follow_the_history_of_their_datagram),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
