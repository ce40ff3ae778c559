// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and a prefix without a server that takes new connections: the old ones live on with
 * the previous owners, new ones find nobody, and what was purged is gone.
 */
#include <netinet/in.h>
#include "harness.h"

/* Unmarked packets of old connections go to a previous owner, which must be able to pass them on. */
static struct want want_old_owner(const struct frame *in, int server, int mark)
{
	struct want want = want_forward(in, server, ROUTER_history);

	frame_set_tos(&want.frame, DSCP_MARK(mark, frame_ip(&want.frame)->tos & 3));
	return want;
}

static void expect_drained(struct lab *lab, int newest, int mark)
{
	static const uint8_t old[] = {ACK, PSH | ACK, FIN | ACK, RST, RST | ACK, SYN | ACK, 0};
	struct frame in;

	frame_tcp(&in, .flags = SYN);
	lab_expect(lab, &in, want_drop(&in, ROUTER_no_server));
	frame_tcp(&in, .flags = SYN | 0xc0); /* asks for ECN */
	lab_expect(lab, &in, want_drop(&in, ROUTER_no_server));
	for (unsigned int i = 0; i < ARRAY_SIZE(old); i++)
		for (int ecn = 0; ecn < 4; ecn++) {
			lab_case(lab, "flags %02x, ECN %d", old[i], ecn);
			frame_tcp(&in, .flags = old[i], .tos = 0x28 | ecn, .payload = i);
			lab_expect(lab, &in, want_old_owner(&in, newest, mark));
		}
}

static void of_a_single_drained_server_only_old_connections_live_on(void **state)
{
	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "add " VIP " via %s weight 0", server_addr(1));
	expect_drained(*state, 1, LAST);
}

static void of_a_single_deleted_server_only_old_connections_live_on(void **state)
{
	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "del " VIP " via %s", server_addr(1));
	expect_drained(*state, 1, LAST);
}

static void old_connections_pass_all_previous_owners_in_turn(void **state)
{
	struct frame in;

	for (int i = 1; i <= 3; i++)
		lab_edit(*state, "add " VIP " via %s\n%s%s", server_addr(i),
			 i > 1 ? "del " VIP " via " : "#", i > 1 ? server_addr(i - 1) : "");
	lab_edit(*state, "del " VIP " via %s", server_addr(3));
	expect_drained(*state, 3, 1);

	frame_tcp(&in, .from = server_mac(3), .tos = DSCP_MARK(2, ECN_CE));
	lab_expect(*state, &in, want_old_owner(&in, 2, 2));
	frame_tcp(&in, .from = server_mac(2), .tos = DSCP_MARK(3, ECN_CE));
	lab_expect(*state, &in, want_old_owner(&in, 1, LAST));
}

static void past_its_end_the_chain_ends_at_the_newest_previous_owner(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(2), server_addr(1));
	lab_edit(*state, "del " VIP " via %s", server_addr(2));
	frame_tcp(&in, .from = server_mac(1), .tos = DSCP_MARK(3, 0));
	want = want_forward(&in, 2, ROUTER_chain_end);
	frame_set_tos(&want.frame, DSCP_MARK(LAST, 0));
	lab_expect(*state, &in, want);
	for (int k = 4; k <= 15; k++) {
		lab_case(*state, "mark %d, which this table did not set", k);
		frame_tcp(&in, .from = server_mac(1), .tos = DSCP_MARK(k, 0));
		want = want_noted(want_old_owner(&in, 2, 1), ROUTER_restarted);
		lab_expect(*state, &in, want);
	}
}

static void a_clients_mark_does_not_choose_among_previous_owners(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "del " VIP " via %s", server_addr(1));
	frame_tcp(&in, .tos = DSCP_MARK(3, ECN_ECT1));
	want = want_old_owner(&in, 1, LAST);
	want.reasons |= BIT(ROUTER_mark_cleared);
	lab_expect(*state, &in, want);
	frame_tcp(&in, .tos = DSCP_MARK(3, ECN_ECT1), .flags = SYN);
	want = want_drop(&in, ROUTER_no_server);
	want.reasons |= BIT(ROUTER_mark_cleared);
	lab_expect(*state, &in, want);
}

static void what_is_no_tcp_connection_finds_nobody(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "del " VIP " via %s", server_addr(1));
	frame_udp(&in, .payload = 100);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
	frame_icmp(&in);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
	/* The flags of TCP stand beyond the end of these. */
	frame_tcp(&in, .total_length = 39, .cut = ETH_HLEN + 39);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
	frame_udp(&in, .fragment = FRAGMENT_AT(1));
	want = want_drop(&in, ROUTER_no_server);
	want.reasons |= BIT(ROUTER_fragment);
	lab_expect(*state, &in, want);
}

static void the_fragments_of_an_old_connection_go_to_its_owner(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "del " VIP " via %s", server_addr(1));
	lab_case(*state, "a later one whose first one was not seen");
	frame_tcp(&in, .fragment = FRAGMENT_AT(185));
	want = want_old_owner(&in, 1, LAST);
	want.reasons |= BIT(ROUTER_fragment);
	lab_expect(*state, &in, want);
	lab_case(*state, "the first one");
	frame_tcp(&in, .fragment = MORE_FRAGMENTS, .payload = 64);
	lab_expect(*state, &in, want_old_owner(&in, 1, LAST));
	lab_case(*state, "a later one");
	frame_tcp(&in, .fragment = FRAGMENT_AT(185));
	lab_expect(*state, &in, want_old_owner(&in, 1, LAST));
	lab_case(*state, "of an opening packet");
	frame_tcp(&in, .fragment = MORE_FRAGMENTS, .payload = 64, .flags = SYN);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
}

static void an_icmp_error_about_a_flow_goes_to_its_owner(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct frame in;
	struct want want;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "del " VIP " via %s", server_addr(1));
	for (unsigned int i = 0; i < ARRAY_SIZE(protos); i++) {
		lab_case(*state, "about protocol %d", protos[i]);
		frame_error(&in, .quote = REPLY(.proto = protos[i]));
		want = want_old_owner(&in, 1, LAST);
		want.reasons |= BIT(ROUTER_icmp_error);
		lab_expect(*state, &in, want);
	}
	lab_case(*state, "about nothing that was sent from here");
	frame_error(&in, .quote = REPLY(.src = "10.0.10.1"));
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
}

static void without_any_history_all_packets_find_nobody(void **state)
{
	static const uint8_t marks[] = {0, DSCP_MARK(1, 0), DSCP_MARK(15, 3)};
	struct frame in;

	lab_edit(*state, "add " VIP " via %s weight 0", server_addr(1));
	for (unsigned int i = 0; i < ARRAY_SIZE(marks); i++) {
		lab_case(*state, "ToS %02x", marks[i]);
		struct want want;

		frame_tcp(&in, .from = server_mac(1), .tos = marks[i]);
		want = want_drop(&in, ROUTER_no_server);
		if (marks[i])
			want.reasons |= BIT(ROUTER_restarted);
		lab_expect(*state, &in, want);
	}
}

static void a_returning_server_takes_its_connections_back(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "add " VIP " via %s weight 0", server_addr(1));
	lab_edit(*state, "add " VIP " via %s weight 1", server_addr(1));
	frame_tcp(&in, .flags = SYN);
	lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
	frame_tcp(&in);
	lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
}

static void a_purged_server_gets_nothing_more(void **state)
{
	struct frame in;

	for (int i = 1; i <= 3; i++)
		lab_edit(*state, "add " VIP " via %s\n%s%s", server_addr(i),
			 i > 1 ? "del " VIP " via " : "#", i > 1 ? server_addr(i - 1) : "");
	lab_case(*state, "from the middle of the chain");
	lab_edit(*state, "purge %s", server_addr(2));
	frame_tcp(&in, .from = server_mac(3), .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in, want_old_owner(&in, 1, LAST));
	lab_case(*state, "the current owner");
	lab_edit(*state, "purge %s", server_addr(3));
	frame_tcp(&in);
	lab_expect(*state, &in, want_old_owner(&in, 1, LAST));
	frame_tcp(&in, .flags = SYN);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
	lab_case(*state, "the last one");
	lab_edit(*state, "purge %s", server_addr(1));
	frame_tcp(&in);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(of_a_single_drained_server_only_old_connections_live_on),
		with_router(of_a_single_deleted_server_only_old_connections_live_on),
		with_router(old_connections_pass_all_previous_owners_in_turn),
		with_router(past_its_end_the_chain_ends_at_the_newest_previous_owner),
		with_router(a_clients_mark_does_not_choose_among_previous_owners),
		with_router(what_is_no_tcp_connection_finds_nobody),
		with_router(the_fragments_of_an_old_connection_go_to_its_owner),
		with_router(an_icmp_error_about_a_flow_goes_to_its_owner),
		with_router(without_any_history_all_packets_find_nobody),
		with_router(a_returning_server_takes_its_connections_back),
		with_router(a_purged_server_gets_nothing_more),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
