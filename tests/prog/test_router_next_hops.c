// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and its next hops: with and without a MAC, moving to another MAC or device, losing
 * their device; and connected routes, where the destination is the next hop.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
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
	lab_expect(*state, &in, want_pass(&in, ROUTER_unresolved));
	lab_case(*state, "known without a MAC");
	lab_edit(*state, "add " VIP " via 10.0.0.77");
	lab_expect(*state, &in, want_pass(&in, ROUTER_unresolved));
	lab_case(*state, "TTL 1");
	frame_tcp(&in, .dst = "10.0.0.77", .ttl = 1);
	lab_expect(*state, &in, want_pass(&in, ROUTER_unresolved));
	frame_tcp(&in, .dst = server_addr(1), .ttl = 1);
	lab_expect(*state, &in, want_answer(&in, ROUTER_ttl, 0));
	lab_case(*state, "a neighbour beyond the prefix");
	lab_edit(*state, "neigh add 10.0.1.1 lladdr 02:03:04:05:06:aa dev out1");
	frame_tcp(&in, .dst = "10.0.1.1");
	lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
	lab_case(*state, "forgotten");
	frame_tcp(&in, .dst = server_addr(16));
	lab_edit(*state, "neigh del %s", server_addr(16));
	lab_expect(*state, &in, want_pass(&in, ROUTER_unresolved));
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
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_neigh));
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

#define LINK_LOCALS WAYS_OUT

/* fe80::1 on device out1 to out4: as many servers, with the MACs of servers 1 to 4. */
static const char *link_local(int server)
{
	static char text[LINK_LOCALS + 1][ECMPER_HOP_STRLEN];

	snprintf(text[server], sizeof(*text), "fe80::1%%%s", way_out(server));
	return text[server];
}

static void link_locals_add(struct lab *lab)
{
	for (int i = 1; i <= LINK_LOCALS; i++)
		lab_edit(lab, "neigh add %s lladdr %s", link_local(i), server_mac(i));
}

static struct want want_forward_link_local(const struct frame *in, int server, uint32_t reason)
{
	struct want want = want_forward(in, server, reason);

	want.next_hop = link_local(server);
	return want;
}

/* The server whose device the trace of the frame's flow names. */
static int link_local_owner(struct lab *lab, uint16_t sport)
{
	struct ecmper_flow flow = {.proto = IPPROTO_TCP, .sport = sport, .dport = HTTP};
	struct ecmper_trace trace;
	struct ecmper_error err;

	assert_int_equal(ecmper_addr_parse(CLIENT6, &flow.src), 0);
	assert_int_equal(ecmper_addr_parse(VIP6, &flow.dst), 0);
	if (ecmper_trace(lab->router, &flow, &trace, &err))
		fail_msg("%s", err.text);
	assert_int_equal(trace.hop_count, 1);
	assert_string_equal(trace.hops[0].dev, trace.hops[0].hop.dev);
	assert_int_equal(trace.hops[0].way.way, ECMPER_WAY_UP);
	return trace.hops[0].dev[3] - '0';
}

static void the_same_link_local_address_on_every_device_is_as_many_servers(void **state)
{
	unsigned int sent[LINK_LOCALS + 1] = {};
	struct frame in;

	link_locals_add(*state);
	lab_edit(*state, "add " VIP6 " via %s via %s via %s via %s", link_local(1), link_local(2),
		 link_local(3), link_local(4));
	for (uint16_t sport = 1; sport <= 400; sport++) {
		int server = link_local_owner(*state, sport);

		sent[server]++;
		frame_tcp6(&in, .sport = sport);
		lab_send(*state, &in, want_forward_link_local(&in, server, ROUTER_forward));
	}
	lab_settle(*state);
	for (int i = 1; i <= LINK_LOCALS; i++)
		assert_uint_in_range(sent[i], 60, 140);
}

static void a_bounced_packet_goes_to_the_same_address_on_another_device(void **state)
{
	struct frame in;

	link_locals_add(*state);
	lab_make_chain(*state, VIP6, link_local, LINK_LOCALS);
	/* Server 4 is the owner, 3, 2 and 1 were it before. */
	for (int tried = 1; tried < LINK_LOCALS; tried++) {
		int next = LINK_LOCALS - tried;

		lab_case(*state, "tried %d", tried);
		frame_tcp6(&in, .from = server_mac(next + 1), .tos = DSCP_MARK(tried, 0));
		lab_expect(*state, &in,
			   want_tos(want_forward_link_local(&in, next, ROUTER_history),
				    DSCP_MARK(next > 1 ? tried : LAST, 0)));
	}
	lab_case(*state, "purged on one device only");
	lab_edit(*state, "purge %s", link_local(3));
	frame_tcp6(&in, .from = server_mac(4), .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in,
		   want_tos(want_forward_link_local(&in, 2, ROUTER_history), DSCP_MARK(1, 0)));
}

static void packets_to_a_link_local_address_stay_on_their_link(void **state)
{
	struct frame in;

	link_locals_add(*state);
	lab_edit(*state, "add ::/0 connected\nneigh add fd00::1 lladdr %s dev %s", server_mac(1),
		 way_out(1));
	frame_tcp6(&in, .dst = "fe80::1");
	lab_expect(*state, &in, want_pass(&in, ROUTER_unresolved));
	lab_case(*state, "a global address");
	frame_tcp6(&in, .dst = "fd00::1");
	lab_expect(*state, &in, want_forward6(&in, 1, ROUTER_connected));
}

/* What people are told of a neighbour, by the view of all. */
static void expect_way(struct lab *lab, const char *name, const char *dev, const char *want)
{
	char hop[ECMPER_HOP_STRLEN], way[ECMPER_WAY_STRLEN];
	struct ecmper_neigh_view *views;
	struct ecmper_error err;
	unsigned int count, found = 0;

	if (ecmper_neighs_view(lab->router, &views, &count, &err))
		fail_msg("%s", err.text);
	for (unsigned int i = 0; i < count; i++) {
		if (strcmp(ecmper_hop_format(&views[i].hop, hop), name))
			continue;
		assert_string_equal(ecmper_way_format(&views[i].way, way), want);
		assert_string_equal(views[i].dev, dev);
		found++;
	}
	free(views);
	assert_int_equal(found, 1);
}

static void the_state_of_a_next_hop_tells_what_became_of_its_device(void **state)
{
	link_locals_add(*state);
	for (int i = 1; i <= LINK_LOCALS; i++) {
		expect_way(*state, server_addr(i), way_out(i), "up");
		expect_way(*state, link_local(i), way_out(i), "up");
	}
	ip_batch("link set out1-end down\n");
	expect_way(*state, server_addr(1), "out1", "device down");
	expect_way(*state, link_local(1), "out1", "device down");
	expect_way(*state, server_addr(2), "out2", "up");
	ip_batch("link set out1-end up\nlink set out1 down\n");
	expect_way(*state, server_addr(1), "out1", "device down");
	ip_batch("link set out1 up\n");
	expect_way(*state, server_addr(1), "out1", "up");

	ip_batch("link set out1 mtu 1400\n");
	expect_way(*state, server_addr(1), "out1", "mtu 1400, table 1500");
	ip_batch("link set out1 address 02:00:00:00:00:77\n");
	expect_way(*state, server_addr(1), "out1", "mac changed");
	lab_edit(*state, "neigh add %s lladdr %s dev out1", server_addr(1), server_mac(1));
	expect_way(*state, server_addr(1), "out1", "up");
	expect_way(*state, link_local(1), "out1", "mac changed");

	ip_batch("link set out2 down\nlink set out2 name other2\nlink set other2 up\n");
	expect_way(*state, server_addr(2), "other2", "up");
	expect_way(*state, link_local(2), "out2", "device renamed other2");

	ip_batch("link del out3\n");
	expect_way(*state, server_addr(3), "out3", "device gone");
	expect_way(*state, link_local(3), "out3", "device gone");
	ip_batch("link add out3 address 02:00:00:00:00:03 type veth peer out3-end\n"
		 "link set out3 up\nlink set out3-end up\n");
	expect_way(*state, link_local(3), "out3", "device gone");
	lab_edit(*state, "neigh add %s lladdr %s", link_local(3), server_mac(3));
	expect_way(*state, link_local(3), "out3", "up");
	expect_way(*state, server_addr(3), "out3", "device gone");

	lab_edit(*state, "add " VIP " via 10.0.0.200 via fe80::2%%out1");
	expect_way(*state, "10.0.0.200", "", "no MAC");
	expect_way(*state, "fe80::2%out1", "out1", "no MAC");
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
		with_router(the_same_link_local_address_on_every_device_is_as_many_servers),
		with_router(a_bounced_packet_goes_to_the_same_address_on_another_device),
		with_router(packets_to_a_link_local_address_stay_on_their_link),
		with_router(the_state_of_a_next_hop_tells_what_became_of_its_device),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
