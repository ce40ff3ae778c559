// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and packets that are larger than the next hop's device takes: the IP packet counts,
 * by its own length, and the sender of what is too big is told the MTU.
 */
#include <netinet/in.h>
#include "harness.h"

static int one_server(void **state)
{
	router_dscp(state);
	lab_edit(*state, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(1), server_addr(1));
	return 0;
}

/* An IP packet of this length. */
static void build(struct frame *frame, bool is_ipv6, uint16_t length, struct tag tag)
{
	if (is_ipv6)
		frame_tcp6(frame, .tags = {tag}, .payload = length - IP6_LENGTH - 20);
	else
		frame_tcp(frame, .tags = {tag}, .payload = length - IP_LENGTH - 20);
}

static void expect_limit(struct lab *lab, int server, uint16_t mtu)
{
	static const struct tag tags[] = {{0, 0}, {ETH_P_8021Q, 5}};
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
		for (unsigned int i = 0; i < ARRAY_SIZE(tags); i++) {
			lab_case(lab, "MTU %d, IPv6 %d, %u tags", mtu, is_ipv6, i);
			build(&in, is_ipv6, mtu, tags[i]);
			lab_expect(lab, &in, want_forward(&in, server, ROUTER_forward));
			build(&in, is_ipv6, mtu + 1, tags[i]);
			lab_expect(lab, &in, want_answer(&in, ROUTER_too_big, mtu));
		}
}

static void a_packet_may_be_as_large_as_the_mtu(void **state)
{
	expect_limit(*state, 1, WAY_OUT_MTU);
}

static void the_mtu_is_that_of_the_last_neigh_add(void **state)
{
	static const uint16_t mtus[] = {1280, 1400, 2000, 8999, 1281};

	for (unsigned int i = 0; i < ARRAY_SIZE(mtus); i++) {
		ip_batch("link set %s mtu %d\n", way_out(1), mtus[i]);
		if (i)
			expect_limit(*state, 1, mtus[i - 1]);
		lab_edit(*state, "neigh add %s lladdr %s dev %s", server_addr(1), server_mac(1),
			 way_out(1));
		expect_limit(*state, 1, mtus[i]);
	}
}

static void the_tag_that_a_next_hop_wants_is_not_counted(void **state)
{
	struct frame in;

	lab_edit(*state, "neigh add %s lladdr %s dev %s vlan 9", server_addr(1), server_mac(1),
		 way_out(1));
	build(&in, false, WAY_OUT_MTU, (struct tag){0, 0});
	lab_expect(*state, &in, want_tag(want_forward(&in, 1, ROUTER_forward), 9));
	build(&in, true, WAY_OUT_MTU + 1, (struct tag){0, 0});
	lab_expect(*state, &in, want_answer(&in, ROUTER_too_big, WAY_OUT_MTU));
}

static void padding_is_not_counted(void **state)
{
	struct frame in;

	frame_tcp(&in, .payload = WAY_OUT_MTU - 40, .padding = 20);
	lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
	frame_tcp6(&in, .payload = WAY_OUT_MTU - 60, .padding = 20);
	lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
}

static void every_next_hop_has_its_own_mtu(void **state)
{
	ip_batch("link set %s mtu 1300\n", way_out(2));
	lab_edit(*state,
		 "neigh add %s lladdr %s dev %s\nadd " VIP " via %s\ndel " VIP " via %s\n"
		 "add " VIP6 " via %s\ndel " VIP6 " via %s",
		 server_addr(2), server_mac(2), way_out(2), server_addr(2), server_addr(1),
		 server_addr(2), server_addr(1));
	expect_limit(*state, 2, 1300);
}

static void the_answer_quotes_what_came(void **state)
{
	struct frame in;

	for (int tos = 0; tos < 256; tos++) {
		struct want want;

		lab_case(*state, "ToS %02x of a client", tos);
		frame_tcp(&in, .tos = tos, .payload = WAY_OUT_MTU);
		want = want_answer(&in, ROUTER_too_big, WAY_OUT_MTU);
		lab_send(*state, &in,
			 IS_DSCP_MARK(tos) ? want_noted(want, ROUTER_mark_cleared) : want);
		frame_tcp6(&in, .tos = tos, .payload = WAY_OUT_MTU);
		want = want_answer(&in, ROUTER_too_big, WAY_OUT_MTU);
		lab_send(*state, &in,
			 IS_DSCP_MARK(tos) ? want_noted(want, ROUTER_mark_cleared) : want);
	}
	lab_settle(*state);
}

/* Linux and others take the answer, and send in parts themselves: XDP cannot. */
static void what_may_be_cut_is_answered_too(void **state)
{
	struct frame in;

	frame_udp(&in, .fragment = 0, .payload = WAY_OUT_MTU);
	lab_expect(*state, &in, want_answer(&in, ROUTER_too_big, WAY_OUT_MTU));
	lab_case(*state, "a first part");
	frame_udp(&in, .fragment = MORE_FRAGMENTS, .payload = WAY_OUT_MTU);
	lab_expect(*state, &in, want_answer(&in, ROUTER_too_big, WAY_OUT_MTU));
	lab_case(*state, "a later part");
	frame_udp(&in, .fragment = FRAGMENT_AT(200), .payload = WAY_OUT_MTU);
	lab_expect(*state, &in, want_drop(&in, ROUTER_icmp_never));
}

static void to_a_neighbour_a_mark_is_only_a_dscp(void **state)
{
	struct frame in;

	lab_edit(*state, "add 10.0.0.0/24 connected");
	frame_tcp(&in, .dst = server_addr(3), .tos = DSCP_MARK(3, 1), .payload = WAY_OUT_MTU - 40);
	lab_expect(*state, &in, want_forward(&in, 3, ROUTER_connected));
	frame_tcp(&in, .dst = server_addr(3), .tos = DSCP_MARK(3, 1), .payload = WAY_OUT_MTU);
	lab_expect(*state, &in, want_answer(&in, ROUTER_too_big, WAY_OUT_MTU));
}

#define with_one(test) cmocka_unit_test_setup_teardown(test, one_server, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_one(a_packet_may_be_as_large_as_the_mtu),
		with_one(the_mtu_is_that_of_the_last_neigh_add),
		with_one(the_tag_that_a_next_hop_wants_is_not_counted),
		with_one(padding_is_not_counted),
		with_one(every_next_hop_has_its_own_mtu),
		with_one(the_answer_quotes_what_came),
		with_one(what_may_be_cut_is_answered_too),
		with_one(to_a_neighbour_a_mark_is_only_a_dscp),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
