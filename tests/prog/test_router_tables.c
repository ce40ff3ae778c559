// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and its tables as edits make them: which prefix matches, with and without the
 * exact-match lines, and what one prefix's change means for another's history.
 */
#include <arpa/inet.h>
#include "flow_hash.h"
#include "harness.h"

static void expect_server(struct lab *lab, const char *dst, int server)
{
	struct frame in;

	frame_tcp(&in, .dst = dst);
	lab_expect(lab, &in, want_forward(&in, server, ROUTER_forward));
}

static void expect_no_route(struct lab *lab, const char *dst)
{
	struct frame in;

	frame_tcp(&in, .dst = dst);
	lab_expect(lab, &in, want_pass(&in, ROUTER_no_route));
}

static void the_longest_prefix_wins_and_the_next_one_takes_over(void **state)
{
	static const char *const nested[] = {"0.0.0.0/0",   "8.0.0.0/5",    "10.0.0.0/8",
					     "10.0.8.0/22", "10.0.10.0/24", "10.0.10.0/31",
					     "10.0.10.0/32"};
	const int n = ARRAY_SIZE(nested);

	for (int i = n - 1; i >= 0; i -= 2)
		lab_edit(*state, "add %s via %s", nested[i], server_addr(i + 1));
	for (int i = n - 2; i >= 0; i -= 2)
		lab_edit(*state, "add %s via %s", nested[i], server_addr(i + 1));
	for (int i = n - 1; i >= 0; i--) {
		lab_case(*state, "down to %s", nested[i]);
		expect_server(*state, VIP, i + 1);
		lab_edit(*state, "del %s", nested[i]);
	}
	expect_no_route(*state, VIP);
}

static void a_prefix_ends_where_its_length_says(void **state)
{
	lab_edit(*state, "add 10.0.10.64/26 via %s\nadd 10.0.10.128/32 via %s", server_addr(1),
		 server_addr(2));
	expect_no_route(*state, "10.0.10.63");
	expect_server(*state, "10.0.10.64", 1);
	expect_server(*state, "10.0.10.127", 1);
	expect_server(*state, "10.0.10.128", 2);
	expect_no_route(*state, "10.0.10.129");
	expect_no_route(*state, "128.10.0.10");
}

static void a_hashed_prefix_takes_over_from_a_host_inside_it(void **state)
{
	struct frame in;

	lab_edit(*state, "add 10.0.10.0/24 via %s via %s via %s\nadd " VIP " via %s",
		 server_addr(1), server_addr(2), server_addr(3), server_addr(9));
	for (uint16_t port = 1000; port < 1032; port++) {
		frame_tcp(&in, .sport = port);
		lab_send(*state, &in, want_forward(&in, 9, ROUTER_forward));
	}
	lab_edit(*state, "del " VIP);
	for (uint16_t port = 1000; port < 1032; port++) {
		frame_tcp(&in, .sport = port);
		lab_send(*state, &in, want_forward(&in, owner_of(*state, &in), ROUTER_forward));
	}
	lab_settle(*state);
}

static void the_first_and_the_last_address_of_hosts_can_be_a_vip(void **state)
{
	expect_no_route(*state, "0.0.0.0");
	lab_edit(*state, "add 0.0.0.0/32 via %s\nadd 255.255.255.254/32 via %s", server_addr(1),
		 server_addr(2));
	expect_server(*state, "0.0.0.0", 1);
	expect_server(*state, "255.255.255.254", 2);
	expect_no_route(*state, "0.0.0.1");
	lab_edit(*state, "del 0.0.0.0/32");
	expect_no_route(*state, "0.0.0.0");
}

/* Addresses whose host prefixes stand in one line of `vip`. */
static void find_colliding(struct lab *lab, char text[][16], unsigned int n)
{
	uint32_t lines = ecmper_config_get(lab->router)->vip_lines;
	unsigned int found = 0;

	for (uint32_t i = 0; found < n; i++) {
		struct in_addr addr = {.s_addr = htonl(0x0a070000 + i)};

		assert_true(i < 1 << 16);
		if (ecmper_vip_home4(addr.s_addr, ecmper_vip_shift(lines)) / ECMPER_VIP_SLOTS ==
		    5 % lines)
			snprintf(text[found++], sizeof(*text), "%s", inet_ntoa(addr));
	}
}

static void more_host_prefixes_than_a_line_holds_are_all_forwarded(void **state)
{
	enum { N = ECMPER_VIP_SLOTS + 4 };
	char vip[N][16];

	find_colliding(*state, vip, N);
	lab_edit(*state, "add 10.0.0.0/8 via %s", server_addr(16));
	for (int i = 0; i < N; i++)
		lab_edit(*state, "add %s via %s", vip[i], server_addr(i + 1));
	for (int i = 0; i < N; i++)
		expect_server(*state, vip[i], i + 1);

	lab_case(*state, "one of the line, and one that found no slot, are gone");
	lab_edit(*state, "del %s\ndel %s", vip[2], vip[N - 1]);
	for (int i = 0; i < N; i++)
		expect_server(*state, vip[i], i == 2 || i == N - 1 ? 16 : i + 1);

	lab_case(*state, "changes, of which one moves into the free slot");
	for (int i = 0; i < N; i++)
		if (i != 2 && i != N - 1)
			lab_edit(*state, "add %s via %s\ndel %s via %s", vip[i], server_addr(N - i),
				 vip[i], server_addr(i + 1));
	for (int i = 0; i < N; i++)
		expect_server(*state, vip[i], i == 2 || i == N - 1 ? 16 : N - i);

	lab_case(*state, "all but one are gone");
	for (int i = 0; i < N - 2; i++)
		if (i != 2)
			lab_edit(*state, "del %s", vip[i]);
	for (int i = 0; i < N; i++)
		expect_server(*state, vip[i], i == N - 2 ? N - i : 16);
}

static void addresses_of_one_line_are_told_apart(void **state)
{
	char vip[64][16];

	find_colliding(*state, vip, ARRAY_SIZE(vip));
	for (int i = 0; i < ECMPER_VIP_SLOTS; i++)
		lab_edit(*state, "add %s via %s", vip[i], server_addr(i + 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(vip); i++) {
		lab_case(*state, "to %s", vip[i]);
		if (i < ECMPER_VIP_SLOTS)
			expect_server(*state, vip[i], i + 1);
		else
			expect_no_route(*state, vip[i]);
	}
}

static void connected_and_hashed_prefixes_lie_inside_each_other(void **state)
{
	struct frame in;

	lab_edit(*state,
		 "add 10.0.0.0/16 via %s\nadd 10.0.0.0/24 connected\nadd 10.0.0.5/32 via %s",
		 server_addr(1), server_addr(2));
	frame_tcp(&in, .dst = server_addr(4));
	lab_expect(*state, &in, want_forward(&in, 4, ROUTER_connected));
	expect_server(*state, server_addr(5), 2);
	expect_server(*state, VIP, 1);
	lab_edit(*state, "del 10.0.0.5/32");
	frame_tcp(&in, .dst = server_addr(5));
	lab_expect(*state, &in, want_forward(&in, 5, ROUTER_connected));
	lab_edit(*state, "del 10.0.0.0/24");
	expect_server(*state, server_addr(5), 1);
}

static void a_host_prefix_becomes_a_connected_one_and_back(void **state)
{
	struct frame in;

	lab_edit(*state, "add 10.0.0.5/32 via %s", server_addr(2));
	expect_server(*state, server_addr(5), 2);
	lab_edit(*state, "del 10.0.0.5/32\nadd 10.0.0.5/32 connected");
	frame_tcp(&in, .dst = server_addr(5));
	lab_expect(*state, &in, want_forward(&in, 5, ROUTER_connected));
	lab_edit(*state, "del 10.0.0.5/32\nadd 10.0.0.5/32 via %s", server_addr(3));
	expect_server(*state, server_addr(5), 3);
	lab_edit(*state, "del 10.0.0.5/32");
	expect_no_route(*state, server_addr(5));
}

static void prefixes_that_share_servers_change_alone(void **state)
{
	char dst[16];

	for (int i = 1; i <= 20; i++)
		lab_edit(*state, "add 10.0.10.%d via %s", i, server_addr(1));
	for (int i = 1; i <= 20; i += 2)
		lab_edit(*state, "add 10.0.10.%d via %s\ndel 10.0.10.%d via %s", i, server_addr(2),
			 i, server_addr(1));
	for (int i = 3; i <= 20; i += 3)
		lab_edit(*state, "del 10.0.10.%d", i);
	for (int i = 1; i <= 20; i++) {
		snprintf(dst, sizeof(dst), "10.0.10.%d", i);
		lab_case(*state, "to %s", dst);
		if (i % 3)
			expect_server(*state, dst, i % 2 ? 2 : 1);
		else
			expect_no_route(*state, dst);
	}
}

/* Sent back with this mark by the server that had it last, it goes to this previous owner. */
static void expect_history(struct lab *lab, int server, int mark, int newmark)
{
	struct frame in;
	struct want want;

	frame_tcp(&in);
	frame_tcp(&in, .from = server_mac(chain_of(lab, &in).server[mark - 1]),
		  .tos = DSCP_MARK(mark, 0));
	want = want_forward(&in, server, ROUTER_history);
	frame_set_tos(&want.frame, DSCP_MARK(newmark, 0));
	lab_expect(lab, &in, want);
}

static void history_survives_what_happens_to_other_prefixes(void **state)
{
	static const char *const changes[] = {
		"add 10.0.11.0 via 10.0.0.1 via 10.0.0.2 via 10.0.0.3",
		"del 10.0.11.0 via 10.0.0.1",
		"add 10.0.10.0/24 via 10.0.0.7",
		"purge 10.0.0.7",
		"del 10.0.11.0",
		"add " VIP " via 10.0.0.3 weight 1", /* nothing new */
		"neigh add 10.0.0.9 lladdr 02:03:04:05:06:aa dev out1",
		"add " VIP " depth 5",
	};

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	for (int i = 2; i <= 3; i++)
		lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(i),
			 server_addr(i - 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(changes); i++) {
		lab_case(*state, "after %s", changes[i]);
		lab_edit(*state, "%s", changes[i]);
		expect_history(*state, 2, 1, 1);
		expect_history(*state, 1, 2, LAST);
	}
	lab_case(*state, "a smaller depth forgets the oldest");
	lab_edit(*state, "add " VIP " depth 1");
	expect_history(*state, 2, 1, LAST);
}

static void a_returning_owner_leaves_the_history(void **state)
{
	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(2), server_addr(1));
	lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(3), server_addr(2));
	lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(1), server_addr(3));
	expect_history(*state, 3, 1, 1);
	expect_history(*state, 2, 2, LAST);
	expect_server(*state, VIP, 1);
}

static void a_table_of_every_size_sends_flows_to_their_owners(void **state)
{
	struct frame in;

	for (int buckets = ECMPER_BUCKETS_MIN; buckets <= ECMPER_BUCKETS_MAX; buckets *= 4) {
		lab_edit(*state, "add " VIP " buckets %d via %s via %s via %s", buckets,
			 server_addr(1), server_addr(2), server_addr(3));
		for (uint16_t port = 1; port <= 256; port++) {
			lab_case(*state, "%d buckets, port %d", buckets, port);
			frame_tcp(&in, .sport = port);
			lab_send(*state, &in,
				 want_forward(&in, owner_of(*state, &in), ROUTER_forward));
		}
	}
	lab_settle(*state);
}

static void a_growing_modulo_table_keeps_the_history_of_its_buckets(void **state)
{
	struct frame in;
	struct want want;
	int moved = 0;

	lab_edit(*state, "add " VIP " hash modulo via %s", server_addr(1));
	lab_edit(*state, "add " VIP " via %s via %s via %s", server_addr(2), server_addr(3),
		 server_addr(4));
	for (uint16_t port = 1; port <= 256; port++) {
		int owner;

		lab_case(*state, "port %d", port);
		frame_tcp(&in, .sport = port);
		owner = owner_of(*state, &in);
		lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
		frame_tcp(&in, .sport = port, .from = server_mac(owner), .tos = DSCP_MARK(1, 0));
		want = owner == 1 ? want_forward(&in, 1, ROUTER_chain_end)
				  : want_forward(&in, 1, ROUTER_history);
		frame_set_tos(&want.frame, DSCP_MARK(LAST, 0));
		lab_send(*state, &in, want);
		moved += owner != 1;
	}
	lab_settle(*state);
	assert_uint_in_range(moved, 256 / 2, 255);
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(the_longest_prefix_wins_and_the_next_one_takes_over),
		with_router(a_prefix_ends_where_its_length_says),
		with_router(a_hashed_prefix_takes_over_from_a_host_inside_it),
		with_router(the_first_and_the_last_address_of_hosts_can_be_a_vip),
		with_router(more_host_prefixes_than_a_line_holds_are_all_forwarded),
		with_router(addresses_of_one_line_are_told_apart),
		with_router(connected_and_hashed_prefixes_lie_inside_each_other),
		with_router(a_host_prefix_becomes_a_connected_one_and_back),
		with_router(prefixes_that_share_servers_change_alone),
		with_router(history_survives_what_happens_to_other_prefixes),
		with_router(a_returning_owner_leaves_the_history),
		with_router(a_table_of_every_size_sends_flows_to_their_owners),
		with_router(a_growing_modulo_table_keeps_the_history_of_its_buckets),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
