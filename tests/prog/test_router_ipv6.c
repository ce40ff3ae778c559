// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and IPv6: what test_router_headers.c and test_router_mark.c say of IPv4 holds here,
 * too, and next hops of one family serve prefixes of the other. Extension headers have a file of
 * their own, and so have the tables.
 */
#include <netinet/in.h>
#include "harness.h"

static int with_servers6(void **state)
{
	router_dscp(state);
	servers6_add(*state);
	return 0;
}

static void add_four(struct lab *lab)
{
	lab_edit(lab, "add " VIP6 " via %s via %s via %s via %s", server_addr6(1), server_addr6(2),
		 server_addr6(3), server_addr6(4));
}

static struct want want_history(const struct frame *in, int server, int mark)
{
	return want_tos(want_forward6(in, server, ROUTER_history),
			DSCP_MARK(mark, frame_get_tos(in) & 3));
}

static struct want want_unmarked(const struct frame *in, int server, uint32_t note)
{
	return want_noted(
		want_tos(want_forward6(in, server, ROUTER_forward), frame_get_tos(in) & 3), note);
}

static void every_protocol_goes_to_the_owner_of_its_flow(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP,     IPPROTO_UDP,  IPPROTO_ICMPV6, IPPROTO_GRE,
					 IPPROTO_ESP,     IPPROTO_SCTP, IPPROTO_ICMP,   NO_NEXT,
					 IPPROTO_UDPLITE, 253};
	bool is_met[5] = {};
	struct frame in;

	add_four(*state);
	for (unsigned int i = 0; i < ARRAY_SIZE(protos); i++)
		for (uint16_t port = 1000; port < 1032; port++) {
			lab_case(*state, "protocol %d, port %d", protos[i], port);
			frame_make6(&in, .proto = protos[i], .sport = port, .payload = 32);
			lab_send(*state, &in,
				 want_forward6(&in, owner_of(*state, &in), ROUTER_forward));
			is_met[owner_of(*state, &in)] = true;
		}
	lab_settle(*state);
	assert_true(is_met[1] && is_met[2] && is_met[3] && is_met[4]);
}

static void every_word_of_an_address_is_part_of_the_flow(void **state)
{
	static const char *const addrs[] = {"fd00:1:%x::99", "fd00:1:0:%x::99", "fd00:1::%x:0:99",
					    "fd00:1::%x"};
	struct frame in;

	add_four(*state);
	for (unsigned int i = 0; i < ARRAY_SIZE(addrs); i++) {
		unsigned int owners = 0;

		for (int n = 1; n <= 32; n++) {
			char src[40];

			snprintf(src, sizeof(src), addrs[i], n);
			lab_case(*state, "from %s", src);
			frame_tcp6(&in, .src = src);
			owners |= BIT(owner_of(*state, &in));
			lab_send(*state, &in,
				 want_forward6(&in, owner_of(*state, &in), ROUTER_forward));
		}
		assert_int_equal(owners, BIT(1) | BIT(2) | BIT(3) | BIT(4));
	}
	lab_settle(*state);
}

static void every_hop_limit_above_one_is_decremented(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP6 " via %s", server_addr6(1));
	for (int limit = 0; limit < 256; limit++) {
		lab_case(*state, "hop limit %d", limit);
		frame_tcp6(&in, .ttl = limit);
		lab_send(*state, &in,
			 limit <= 1 ? want_answer(&in, ROUTER_ttl, 0)
				    : want_forward6(&in, 1, ROUTER_forward));
	}
	frame_tcp6(&in, .ttl = 1, .dst = "fd00:10::11");
	lab_send(*state, &in, want_pass(&in, ROUTER_no_route));
	lab_settle(*state);
}

static void every_class_of_a_client_loses_its_mark_and_nothing_else(void **state)
{
	static const uint32_t labels[] = {0, 0x54321, 0xfffff};
	struct frame in;

	lab_make_chain(*state, VIP6, server_addr6, 3);
	for (int tos = 0; tos < 256; tos++)
		for (unsigned int i = 0; i < ARRAY_SIZE(labels); i++) {
			lab_case(*state, "class %02x, label %x", tos, labels[i]);
			frame_tcp6(&in, .tos = tos, .flow = labels[i]);
			lab_send(*state, &in,
				 IS_DSCP_MARK(tos) ? want_unmarked(&in, 3, ROUTER_mark_cleared)
						   : want_forward6(&in, 3, ROUTER_forward));
		}
	lab_settle(*state);
}

static void a_bounced_packet_follows_its_buckets_history_to_the_end(void **state)
{
	enum { N = 5 };
	struct frame in;

	lab_make_chain(*state, VIP6, server_addr6, N);
	for (int k = 1; k <= 15; k++)
		for (int ecn = 0; ecn < 4; ecn++) {
			lab_case(*state, "mark %d, ECN %d", k, ecn);
			frame_tcp6(&in, .from = server_mac(k < N ? N + 1 - k : 1),
				   .tos = DSCP_MARK(k, ecn), .flow = 0xfffff);
			if (k < N)
				lab_send(*state, &in,
					 want_history(&in, N - k, k + 1 < N ? k : LAST));
			else if (k == N)
				lab_send(*state, &in,
					 want_tos(want_forward6(&in, N, ROUTER_chain_end),
						  DSCP_MARK(LAST, ecn)));
			else
				lab_send(*state, &in, want_unmarked(&in, N, ROUTER_restarted));
		}
	lab_case(*state, "not by the server that was tried last");
	frame_tcp6(&in, .from = server_mac(1), .tos = DSCP_MARK(1, 1));
	lab_send(*state, &in, want_unmarked(&in, N, ROUTER_restarted));
	lab_case(*state, "LAST");
	frame_tcp6(&in, .from = server_mac(N), .tos = DSCP_MARK(LAST, 1));
	lab_send(*state, &in, want_unmarked(&in, N, ROUTER_mark_cleared));
	lab_settle(*state);
}

static void in_format_tos_the_class_is_the_mark(void **state)
{
	struct frame in;

	servers6_add(*state);
	lab_make_chain(*state, VIP6, server_addr6, 2);
	for (int tos = 0; tos < 256; tos++) {
		lab_case(*state, "class %02x", tos);
		frame_tcp6(&in, .from = server_mac(2), .tos = tos);
		lab_send(*state, &in,
			 want_forward6(&in, tos == TOS_MARK ? 1 : 2,
				       tos == TOS_MARK ? ROUTER_history : ROUTER_forward));
	}
	frame_tcp6(&in, .tos = TOS_MARK);
	lab_send(*state, &in,
		 want_noted(want_tos(want_forward6(&in, 2, ROUTER_forward), 0),
			    ROUTER_mark_cleared));
	lab_settle(*state);
}

static void a_connected_route_reaches_known_neighbours_only(void **state)
{
	struct frame in;

	lab_edit(*state, "add fd00::/64 connected");
	for (int i = 1; i <= SERVERS_MAX; i++) {
		lab_case(*state, "server %d", i);
		frame_tcp6(&in, .dst = server_addr6(i), .tos = DSCP_MARK(3, 3));
		lab_expect(*state, &in, want_forward6(&in, i, ROUTER_connected));
	}
	lab_case(*state, "unknown");
	frame_tcp6(&in, .dst = "fd00::77", .tos = DSCP_MARK(3, 3));
	lab_expect(*state, &in, want_pass(&in, ROUTER_unresolved));
	frame_tcp6(&in, .dst = "fd00:0:0:1::1");
	lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
}

static void next_hops_of_one_family_serve_prefixes_of_the_other(void **state)
{
	struct frame in;

	lab_case(*state, "IPv4 over IPv6");
	lab_make_chain(*state, VIP, server_addr6, 3);
	frame_tcp(&in);
	lab_expect(*state, &in, want_forward6(&in, 3, ROUTER_forward));
	frame_tcp(&in, .from = server_mac(3), .tos = DSCP_MARK(1, 2));
	lab_expect(*state, &in, want_history(&in, 2, 1));
	lab_case(*state, "IPv6 over IPv4");
	lab_make_chain(*state, VIP6, server_addr, 2);
	frame_tcp6(&in);
	lab_expect(*state, &in, want_forward(&in, 2, ROUTER_forward));
	frame_tcp6(&in, .from = server_mac(2), .tos = DSCP_MARK(1, 2));
	lab_expect(*state, &in, want_tos(want_forward(&in, 1, ROUTER_history), DSCP_MARK(LAST, 2)));
	lab_case(*state, "both in one prefix");
	lab_edit(*state, "add fd00:10::11 via %s via %s", server_addr(5), server_addr6(6));
	for (uint16_t port = 1000; port < 1032; port++) {
		frame_tcp6(&in, .dst = "fd00:10::11", .sport = port);
		lab_send(*state, &in,
			 owner_of(*state, &in) == 5 ? want_forward(&in, 5, ROUTER_forward)
						    : want_forward6(&in, 6, ROUTER_forward));
	}
	lab_settle(*state);
}

static void of_a_drained_prefix_only_old_connections_live_on(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP6 " via %s", server_addr6(1));
	lab_edit(*state, "del " VIP6 " via %s", server_addr6(1));
	frame_tcp6(&in, .flags = SYN);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
	frame_udp6(&in);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
	frame_tcp6(&in, .tos = 0x29, EXT({EXT_DEST}));
	lab_expect(*state, &in, want_history(&in, 1, LAST));
	frame_tcp6(&in, .flags = SYN, EXT({EXT_DEST}));
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
	frame_error6(&in, .quote = REPLY6());
	lab_expect(*state, &in, want_noted(want_history(&in, 1, LAST), ROUTER_icmp_error));
	frame_tcp6(&in, EXT({EXT_FRAGMENT, .fragment = FRAGMENT_AT(9)}));
	lab_expect(*state, &in, want_noted(want_history(&in, 1, LAST), ROUTER_fragment));
}

static void headers_that_contradict_each_other_are_dropped(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
		{"version 0", HEADERS6(.version = 0)},
		{"version 4", HEADERS6(.version = 4)},
		{"version 7", HEADERS6(.version = 7)},
		{"version 14", HEADERS6(.version = 14)},
		{"an IPv4 header", HEADERS(.ethertype = ETH_P_IPV6)},
		{"payload length one too many", HEADERS6(.payload = 9, .total_length = 30)},
		{"payload length 65535", HEADERS6(.total_length = 65535)},
		{"bad as well as hop limit 0", HEADERS6(.version = 4, .ttl = 0)},
		{"bad as well as without a route", HEADERS6(.version = 5, .dst = "fd77::1")},
		{"bad as well as marked", HEADERS6(.version = 5, .tos = DSCP_MARK(1, 0))},
	};
	struct frame in;

	lab_edit(*state, "add " VIP6 " via %s", server_addr6(1));
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_build(&in, &cases[i].headers);
		lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
	}
}

static void ports_that_do_not_fit_the_datagram_are_dropped(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct frame in;

	lab_edit(*state, "add " VIP6 " via %s", server_addr6(1));
	for (unsigned int i = 0; i < ARRAY_SIZE(protos); i++)
		for (int length = 0; length < 4; length++) { /* 0: a jumbogram, too */
			lab_case(*state, "protocol %d, payload length %d", protos[i], length);
			frame_make6(&in, .proto = protos[i], .total_length = length);
			in.counted = IP6_END + length;
			lab_send(*state, &in, want_drop(&in, ROUTER_bad_header));
		}
	lab_settle(*state);
	lab_case(*state, "ports and no more");
	frame_udp6(&in, .total_length = 4, .cut = IP6_END + 4);
	lab_expect(*state, &in, want_forward6(&in, 1, ROUTER_forward));
	lab_case(*state, "a header and no more");
	frame_make6(&in, .proto = NO_NEXT);
	lab_expect(*state, &in, want_forward6(&in, 1, ROUTER_forward));
}

static void frames_to_many_and_padding_and_jumbo_frames_are_as_with_ipv4(void **state)
{
	static const char *const macs[] = {"ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01"};
	static const uint16_t payloads[] = {1440, 3400, 3500, 4000, 8940};
	struct frame in;

	ip_batch("link set %s mtu 9000\n", way_out(1));
	lab_edit(*state, "neigh add %s lladdr %s dev %s\nadd " VIP6 " via %s", server_addr6(1),
		 server_mac(1), way_out(1), server_addr6(1));
	for (unsigned int i = 0; i < ARRAY_SIZE(macs); i++) {
		lab_case(*state, "to %s", macs[i]);
		frame_tcp6(&in, .to = macs[i], .tos = DSCP_MARK(1, 0), .ttl = 1);
		lab_expect(*state, &in, want_pass(&in, ROUTER_not_unicast));
		frame_tcp6(&in, .to = macs[i], .cut = IP6_END - 1);
		lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
	}
	for (uint16_t padding = 0; padding < 64; padding += 6) {
		lab_case(*state, "%d bytes of padding", padding);
		frame_tcp6(&in, .padding = padding, EXT({EXT_HOP}));
		lab_expect(*state, &in, want_forward6(&in, 1, ROUTER_forward));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(payloads); i++) {
		lab_case(*state, "%d bytes of payload", payloads[i]);
		frame_tcp6(&in, .payload = payloads[i]);
		lab_expect(*state, &in, want_forward6(&in, 1, ROUTER_forward));
	}
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, with_servers6, lab_down)
#define with_tos(test)    cmocka_unit_test_setup_teardown(test, router_tos, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(every_protocol_goes_to_the_owner_of_its_flow),
		with_router(every_word_of_an_address_is_part_of_the_flow),
		with_router(every_hop_limit_above_one_is_decremented),
		with_router(every_class_of_a_client_loses_its_mark_and_nothing_else),
		with_router(a_bounced_packet_follows_its_buckets_history_to_the_end),
		with_tos(in_format_tos_the_class_is_the_mark),
		with_router(a_connected_route_reaches_known_neighbours_only),
		with_router(next_hops_of_one_family_serve_prefixes_of_the_other),
		with_router(of_a_drained_prefix_only_old_connections_live_on),
		with_router(headers_that_contradict_each_other_are_dropped),
		with_router(ports_that_do_not_fit_the_datagram_are_dropped),
		with_router(frames_to_many_and_padding_and_jumbo_frames_are_as_with_ipv4),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
