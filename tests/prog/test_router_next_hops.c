// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and its next hops: with and without a MAC, moving to another MAC or device, losing
 * their device; and connected routes, where the destination is the next hop.
 */
#include "harness.h"

static void a_connected_route_reaches_known_neighbours_only(void **state)
{
	struct frame in;

	lab_edit(*state, "add 10.0.0.0/24 connected");
	for (int i = 1; i <= SERVERS_MAX; i++) {
		frame_tcp(&in, .dst = server_addr(i), .sport = i);
		lab_expect(*state, &in, want_forward(&in, i, ROUTER_connected));
	}
	lab_case(*state, "unknown");
	frame_tcp(&in, .dst = "10.0.0.77");
	lab_expect(*state, &in, want_pass(&in, ROUTER_no_neigh));
	lab_case(*state, "known without a MAC");
	lab_edit(*state, "add " VIP " via 10.0.0.77");
	lab_expect(*state, &in, want_pass(&in, ROUTER_no_neigh));
	lab_case(*state, "TTL 1");
	frame_tcp(&in, .dst = server_addr(1), .ttl = 1);
	lab_expect(*state, &in, want_pass(&in, ROUTER_ttl));
	lab_case(*state, "a neighbour beyond the prefix");
	lab_edit(*state, "neigh add 10.0.1.1 lladdr 02:03:04:05:06:aa dev out1");
	frame_tcp(&in, .dst = "10.0.1.1");
	lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
	lab_case(*state, "forgotten");
	frame_tcp(&in, .dst = server_addr(16));
	lab_edit(*state, "neigh del %s", server_addr(16));
	lab_expect(*state, &in, want_pass(&in, ROUTER_no_neigh));
}

static void a_next_hop_moves_to_another_mac_and_device(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	for (int i = 2; i <= 9; i++) {
		lab_edit(*state, "neigh add %s lladdr %s dev %s", server_addr(1), server_mac(i),
			 way_out(i));
		frame_tcp(&in);
		want = want_forward(&in, i, ROUTER_forward);
		want.next_hop = server_addr(1);
		lab_expect(*state, &in, want);
	}
}

static void a_next_hop_without_a_mac_gets_packets_once_it_has_one(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "add " VIP " via 10.0.0.200");
	frame_tcp(&in);
	lab_expect(*state, &in, want_pass(&in, ROUTER_no_neigh));
	lab_edit(*state, "neigh add 10.0.0.200 lladdr %s dev %s", server_mac(3), way_out(3));
	want = want_forward(&in, 3, ROUTER_forward);
	want.next_hop = "10.0.0.200";
	lab_expect(*state, &in, want);
}

static void only_the_next_hops_whose_device_is_gone_are_unreachable(void **state)
{
	struct frame in;

	lab_edit(*state, "add 10.0.10.0/24 connected");
	for (int i = 1; i <= 8; i++)
		lab_edit(*state, "add 10.0.10.%d via %s", i, server_addr(i));
	ip_batch("link del %s\n", way_out(2));
	for (int i = 1; i <= 8; i++) {
		char dst[16];

		snprintf(dst, sizeof(dst), "10.0.10.%d", i);
		lab_case(*state, "to %s", dst);
		frame_tcp(&in, .dst = dst);
		lab_expect(*state, &in,
			   i % WAYS_OUT == 2 ? want_drop(&in, ROUTER_no_device)
					     : want_forward(&in, i, ROUTER_forward));
	}
}

/* lab_edit() sees to it that no edit changes what the reasons have counted. */
static void what_was_counted_outlives_the_next_hop(void **state)
{
	uint32_t ids = ecmper_config_get(((struct lab *)*state)->router)->max_next_hops;
	struct frame in;
	struct want want;

	for (uint32_t i = 0; i < 2 * ids; i++) {
		char addr[ECMPER_ADDR_STRLEN];

		snprintf(addr, sizeof(addr), "10.0.3.%u", i);
		lab_case(*state, "next hop %s", addr);
		lab_edit(*state, "neigh add %s lladdr %s dev %s\nadd " VIP " via %s", addr,
			 server_mac(1), way_out(1), addr);
		frame_tcp(&in);
		want = want_forward(&in, 1, ROUTER_forward);
		want.next_hop = addr;
		for (uint32_t n = 0; n <= i % 3; n++)
			lab_send(*state, &in, want);
		lab_edit(*state, "del " VIP "\nneigh del %s", addr);
	}
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(a_connected_route_reaches_known_neighbours_only),
		with_router(a_next_hop_moves_to_another_mac_and_device),
		with_router(a_next_hop_without_a_mac_gets_packets_once_it_has_one),
		with_router(only_the_next_hops_whose_device_is_gone_are_unreachable),
		with_router(what_was_counted_outlives_the_next_hop),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
