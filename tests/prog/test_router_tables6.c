// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and its tables of IPv6 prefixes: which one matches, with and without the exact-match
 * lines; and that tables of the two families do not touch each other.
 */
#include <arpa/inet.h>
#include <string.h>
#include "flow_hash.h"
#include "harness.h"

static void expect_server(struct lab *lab, const char *dst, int server)
{
	struct frame in;

	frame_tcp6(&in, .dst = dst);
	lab_expect(lab, &in, want_forward(&in, server, ROUTER_forward));
}

static void expect_no_route(struct lab *lab, const char *dst)
{
	struct frame in;

	frame_tcp6(&in, .dst = dst);
	lab_expect(lab, &in, want_pass(&in, ROUTER_no_route));
}

static void the_longest_prefix_wins_and_the_next_one_takes_over(void **state)
{
	static const char *const nested[] = {"::/0",          "fd00::/8",        "fd00:10::/32",
					     "fd00:10::/47",  "fd00:10::/64",    "fd00:10::/65",
					     "fd00:10::/120", "fd00:10::10/127", VIP6 "/128"};
	const int n = ARRAY_SIZE(nested);

	for (int i = n - 1; i >= 0; i -= 2)
		lab_edit(*state, "add %s via %s", nested[i], server_addr(i + 1));
	for (int i = n - 2; i >= 0; i -= 2)
		lab_edit(*state, "add %s via %s", nested[i], server_addr(i + 1));
	for (int i = n - 1; i >= 0; i--) {
		lab_case(*state, "down to %s", nested[i]);
		expect_server(*state, VIP6, i + 1);
		lab_edit(*state, "del %s", nested[i]);
	}
	expect_no_route(*state, VIP6);
}

static void a_prefix_ends_where_its_length_says(void **state)
{
	lab_edit(*state, "add fd00:10:0:40::/58 via %s\nadd fd00:10::8000:0/97 via %s",
		 server_addr(1), server_addr(2));
	expect_no_route(*state, "fd00:10:0:3f:ffff:ffff:ffff:ffff");
	expect_server(*state, "fd00:10:0:40::", 1);
	expect_server(*state, "fd00:10:0:7f:ffff:ffff:ffff:ffff", 1);
	expect_no_route(*state, "fd00:10:0:80::");
	expect_no_route(*state, "fd00:10::7fff:ffff");
	expect_server(*state, "fd00:10::8000:0", 2);
	expect_server(*state, "fd00:10::ffff:ffff", 2);
	expect_no_route(*state, "fd00:10::1:0:0");
}

static void the_first_and_the_last_address_of_hosts_can_be_a_vip(void **state)
{
	expect_no_route(*state, "::");
	lab_edit(*state, "add ::/128 via %s\nadd feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff via %s",
		 server_addr(1), server_addr(2));
	expect_server(*state, "::", 1);
	expect_server(*state, "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2);
	expect_no_route(*state, "::1");
	lab_edit(*state, "del ::/128");
	expect_no_route(*state, "::");
}

/* Addresses whose host prefixes stand in one line of `vip6`, of which there are twice as many. */
static void find_colliding(struct lab *lab, char text[][40], unsigned int n)
{
	uint32_t lines = ecmper_config_get(lab->router)->vip_lines * 2;
	unsigned int found = 0;

	for (uint32_t i = 0; found < n; i++) {
		struct in6_addr in6 = {.s6_addr = {0xfd, 0, 0, 0x12, [14] = i >> 8, [15] = i}};
		struct ecmper_addr addr;

		assert_true(i < 1 << 16);
		memcpy(&addr, &in6, sizeof(addr));
		if (ecmper_vip_home6(&addr, lines) / ECMPER_VIP6_SLOTS == 5 % lines)
			inet_ntop(AF_INET6, &in6, text[found++], sizeof(*text));
	}
}

static void more_host_prefixes_than_a_line_holds_are_all_forwarded(void **state)
{
	enum { N = ECMPER_VIP6_SLOTS + 4 };
	char vip[N][40];

	find_colliding(*state, vip, N);
	lab_edit(*state, "add fd00::/16 via %s", server_addr(16));
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
	char vip[32][40];

	find_colliding(*state, vip, ARRAY_SIZE(vip));
	for (int i = 0; i < ECMPER_VIP6_SLOTS; i++)
		lab_edit(*state, "add %s via %s", vip[i], server_addr(i + 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(vip); i++) {
		lab_case(*state, "to %s", vip[i]);
		if (i < ECMPER_VIP6_SLOTS)
			expect_server(*state, vip[i], i + 1);
		else
			expect_no_route(*state, vip[i]);
	}
}

/* Of a slot that was used before, only the address is left. */
static void a_deleted_host_prefix_leaves_nothing_in_its_slot(void **state)
{
	lab_edit(*state, "add " VIP6 " via %s", server_addr(1));
	expect_server(*state, VIP6, 1);
	lab_edit(*state, "del " VIP6);
	expect_no_route(*state, VIP6);
	lab_edit(*state, "add fd00:10::/64 via %s", server_addr(2));
	expect_server(*state, VIP6, 2);
	lab_edit(*state, "add " VIP6 " via %s", server_addr(3));
	expect_server(*state, VIP6, 3);
}

static void connected_and_hashed_prefixes_lie_inside_each_other(void **state)
{
	struct frame in;

	servers6_add(*state);
	lab_edit(*state, "add fd00::/16 via %s\nadd fd00::/64 connected\nadd fd00::5 via %s",
		 server_addr(1), server_addr(2));
	frame_tcp6(&in, .dst = server_addr6(4));
	lab_expect(*state, &in, want_forward6(&in, 4, ROUTER_connected));
	expect_server(*state, server_addr6(5), 2);
	expect_server(*state, VIP6, 1);
	lab_edit(*state, "del fd00::5\nadd fd00::5 connected");
	frame_tcp6(&in, .dst = server_addr6(5));
	lab_expect(*state, &in, want_forward6(&in, 5, ROUTER_connected));
	lab_edit(*state, "del fd00::5\nadd fd00::5 via %s", server_addr(3));
	expect_server(*state, server_addr6(5), 3);
}

static void prefixes_of_the_two_families_do_not_meet(void **state)
{
	struct frame in;

	lab_edit(*state, "add 0.0.0.0/0 via %s", server_addr(1));
	expect_no_route(*state, "::ffff:10.0.10.0");
	expect_no_route(*state, "::10.0.10.0");
	expect_no_route(*state, VIP6);
	lab_edit(*state, "clear\nneigh add %s lladdr %s dev %s\nadd ::/0 via %s", server_addr(2),
		 server_mac(2), way_out(2), server_addr(2));
	expect_server(*state, VIP6, 2);
	frame_tcp(&in);
	lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
	/* The bytes of an IPv4 prefix, at the beginning of an IPv6 one. */
	lab_edit(*state, "del ::/0\nadd " VIP " via %s", server_addr(2));
	expect_no_route(*state, "0a00:0a00::");
}

static void a_table_of_every_size_sends_flows_to_their_owners(void **state)
{
	struct frame in;

	for (int buckets = ECMPER_BUCKETS_MIN; buckets <= ECMPER_BUCKETS_MAX; buckets *= 16) {
		lab_edit(*state, "add " VIP6 " buckets %d via %s via %s via %s", buckets,
			 server_addr(1), server_addr(2), server_addr(3));
		for (uint16_t port = 1; port <= 256; port++) {
			lab_case(*state, "%d buckets, port %d", buckets, port);
			frame_tcp6(&in, .sport = port);
			lab_send(*state, &in,
				 want_forward(&in, owner_of(*state, &in), ROUTER_forward));
		}
	}
	lab_settle(*state);
}

static void random_flows_spread_evenly(void **state)
{
	enum { FLOWS = 40000 };
	int counts[5] = {};
	struct frame in, out;

	lab_edit(*state, "add " VIP6 " via %s via %s via %s via %s", server_addr(1), server_addr(2),
		 server_addr(3), server_addr(4));
	frame_tcp6(&in);
	for (uint32_t n = 0; n < FLOWS; n++) {
		frame_ip6(&in)->saddr.s6_addr32[3] = htonl(n / 16);
		frame_tcp_header(&in)->source = htons(32768 + n % 16);
		assert_int_equal(lab_run(*state, &in, &out), XDP_REDIRECT);
		assert_uint_in_range(out.data[5], 1, 4);
		if (n % 16 == 0)
			assert_int_equal(owner_of(*state, &in), out.data[5]);
		counts[out.data[5]]++;
	}
	for (int i = 1; i <= 4; i++)
		assert_uint_in_range(counts[i], FLOWS / 4 * 0.97, FLOWS / 4 * 1.03);
	lab_rebase(*state);
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(the_longest_prefix_wins_and_the_next_one_takes_over),
		with_router(a_prefix_ends_where_its_length_says),
		with_router(the_first_and_the_last_address_of_hosts_can_be_a_vip),
		with_router(more_host_prefixes_than_a_line_holds_are_all_forwarded),
		with_router(addresses_of_one_line_are_told_apart),
		with_router(a_deleted_host_prefix_leaves_nothing_in_its_slot),
		with_router(connected_and_hashed_prefixes_lie_inside_each_other),
		with_router(prefixes_of_the_two_families_do_not_meet),
		with_router(a_table_of_every_size_sends_flows_to_their_owners),
		with_router(random_flows_spread_evenly),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
