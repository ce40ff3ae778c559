// SPDX-License-Identifier: GPL-2.0-only
/*
 * Servers without a MAC: connections go on to the next of the chain, nobody answers in the place of
 * whoever has none, and new connections wait for it.
 */
#include <netinet/in.h>
#include "harness.h"

/* Not known to the router. */
#define STRANGER  "10.0.0.200"
#define STRANGER2 "10.0.0.201"

/* Every bucket goes through these owners, the last one is the current one. */
static void make_owners(struct lab *lab, const char *const *addrs, int count)
{
	lab_edit(lab, "add " VIP " via %s", addrs[0]);
	for (int i = 1; i < count; i++)
		lab_edit(lab, "add " VIP " via %s\ndel " VIP " via %s", addrs[i], addrs[i - 1]);
}

static struct want want_history(const struct frame *in, int server, int mark)
{
	return want_tos(want_forward(in, server, ROUTER_history),
			DSCP_MARK(mark, frame_get_tos(in) & 3));
}

static struct want want_quiet(const struct frame *in, int server)
{
	return want_noted(want_history(in, server, QUIET), ROUTER_quiet);
}

static void a_bounced_packet_goes_on_to_the_next_that_has_one(void **state)
{
	const char *const owners[] = {server_addr(1), server_addr(2), STRANGER, STRANGER2,
				      server_addr(3)};
	struct frame in;

	make_owners(*state, owners, ARRAY_SIZE(owners));
	frame_tcp(&in, .from = server_mac(3), .tos = DSCP_MARK(1, ECN_CE));
	lab_expect(*state, &in, want_history(&in, 2, 3));
	lab_case(*state, "who was passed over counts as tried");
	frame_tcp(&in, .from = server_mac(2), .tos = DSCP_MARK(4, ECN_CE));
	lab_expect(*state, &in, want_quiet(&in, 1));
	lab_case(*state, "all have one");
	lab_edit(*state, "neigh add " STRANGER " lladdr 02:03:04:05:07:01 dev out1\n"
			 "neigh add " STRANGER2 " lladdr 02:03:04:05:07:02 dev out1");
	lab_expect(*state, &in, want_history(&in, 1, LAST));
}

static void nobody_answers_in_its_place(void **state)
{
	const char *const owners[] = {STRANGER, server_addr(2), server_addr(3)};
	struct frame in;

	make_owners(*state, owners, ARRAY_SIZE(owners));
	frame_tcp(&in, .from = server_mac(3), .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in, want_history(&in, 2, 1));
	frame_tcp(&in, .from = server_mac(2), .tos = DSCP_MARK(2, 0));
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_neigh));
}

static void a_connection_of_a_previous_owner_lives_while_the_current_one_has_none(void **state)
{
	const char *const owners[] = {server_addr(1), server_addr(2), STRANGER};
	struct frame in;

	make_owners(*state, owners, ARRAY_SIZE(owners));
	frame_tcp(&in, .tos = ECN_CE);
	lab_expect(*state, &in, want_history(&in, 2, 1));
	frame_tcp(&in, .from = server_mac(2), .tos = DSCP_MARK(2, ECN_CE));
	lab_expect(*state, &in, want_quiet(&in, 1));
	lab_case(*state, "with two VLAN tags, by the stages");
	frame_tcp(&in, .tags = {{ETH_P_8021AD, 1}, {ETH_P_8021Q, 2}});
	lab_expect(*state, &in, want_history(&in, 2, 1));
	lab_case(*state, "it has one");
	lab_edit(*state, "neigh add " STRANGER " lladdr 02:03:04:05:07:01 dev out1");
	frame_tcp(&in);
	lab_expect(*state, &in, ({
		struct want want = want_forward(&in, 1, ROUTER_forward);

		frame_set_macs(&want.frame, "02:03:04:05:07:01", way_out_mac(1));
		want.next_hop = STRANGER;
		want;
	}));
}

static void new_connections_wait_for_the_current_owner(void **state)
{
	const char *const owners[] = {server_addr(1), STRANGER};
	struct frame in;

	make_owners(*state, owners, ARRAY_SIZE(owners));
	frame_tcp(&in, .flags = SYN);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_neigh));
	frame_udp(&in);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_neigh));
	frame_icmp(&in);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_neigh));
}

/* Its mark cannot say that nobody may answer. */
static void in_format_tos_the_packet_waits_too(void **state)
{
	const char *const owners[] = {server_addr(1), STRANGER};
	struct frame in;

	make_owners(*state, owners, ARRAY_SIZE(owners));
	frame_tcp(&in);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_neigh));
}

#define with_dscp(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_dscp(a_bounced_packet_goes_on_to_the_next_that_has_one),
		with_dscp(nobody_answers_in_its_place),
		with_dscp(a_connection_of_a_previous_owner_lives_while_the_current_one_has_none),
		with_dscp(new_connections_wait_for_the_current_owner),
		cmocka_unit_test_setup_teardown(in_format_tos_the_packet_waits_too, router_tos,
						lab_down),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
