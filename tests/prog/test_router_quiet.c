// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router just after a change: where a chain ends while packets may be on their way that the
 * change has overtaken, they go as QUIET, and as LAST once the flight time is over. When a prefix
 * changed is written into the map where a test needs another time.
 */
#include <time.h>
#include "harness.h"

#define FLIGHT_MS ECMPER_FLIGHT_MS_MAX
#define SECOND    1000000000ull

static uint64_t age_ns, changed_ns;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static void make_older(struct ecmper_prefix *prefix)
{
	prefix->changed_ns = now_ns() - age_ns;
}

static void make_new(struct ecmper_prefix *prefix)
{
	prefix->changed_ns = 0;
}

static void read_changed(struct ecmper_prefix *prefix)
{
	changed_ns = prefix->changed_ns;
}

static int with_flight_time(void **state)
{
	int ret = router_dscp(state);

	lab_set_flight(*state, FLIGHT_MS);
	return ret;
}

/* With its mark, and noted when that is QUIET. */
static struct want want_end(const struct frame *in, int server, uint32_t reason, int mark)
{
	struct want want =
		want_tos(want_forward(in, server, reason), DSCP_MARK(mark, frame_get_tos(in) & 3));

	return mark == QUIET ? want_noted(want, ROUTER_quiet) : want;
}

/* Of a chain of servers 3, 2, 1: where the history ends, and past its end. */
static void expect_ends(struct lab *lab, bool is_ipv6, int mark)
{
	const char *from[] = {server_mac(3), server_mac(2), server_mac(1)};
	struct frame in;

	for (int tried = 1; tried <= 3; tried++) {
		const uint8_t tos = DSCP_MARK(tried, tried & 3);

		lab_case(lab, "IPv6 %d, tried %d, wanted mark %d", is_ipv6, tried, mark);
		if (is_ipv6)
			frame_tcp6(&in, .from = from[tried - 1], .tos = tos);
		else
			frame_tcp(&in, .from = from[tried - 1], .tos = tos);
		if (tried == 1)
			lab_expect(lab, &in,
				   want_tos(want_forward(&in, 2, ROUTER_history), DSCP_MARK(1, 1)));
		else if (tried == 2)
			lab_expect(lab, &in, want_end(&in, 1, ROUTER_history, mark));
		else
			lab_expect(lab, &in, want_end(&in, 3, ROUTER_chain_end, mark));
	}
}

static void a_chain_ends_with_quiet_until_the_flight_time_is_over(void **state)
{
	static const struct {
		uint64_t age;
		int mark;
	} cases[] = {
		{0, QUIET},
		{SECOND * FLIGHT_MS / 1000 / 2, QUIET},
		{SECOND * FLIGHT_MS / 1000 - 10 * SECOND, QUIET},
		{SECOND * FLIGHT_MS / 1000, LAST},
		{2 * SECOND * FLIGHT_MS / 1000, LAST},
	};

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const char *vip = is_ipv6 ? VIP6 : VIP;

		lab_make_chain(*state, vip, server_addr, 3);
		expect_ends(*state, is_ipv6, QUIET);
		for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
			age_ns = cases[i].age;
			lab_edit_lpm(*state, vip, make_older);
			expect_ends(*state, is_ipv6, cases[i].mark);
		}
		/* By a clock that is ahead. */
		age_ns = -3600 * SECOND;
		lab_edit_lpm(*state, vip, make_older);
		expect_ends(*state, is_ipv6, QUIET);
		lab_edit_lpm(*state, vip, make_new);
		expect_ends(*state, is_ipv6, LAST);
	}
}

static void what_is_drained_ends_so_too(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "del " VIP " via %s", server_addr(1));
	frame_tcp(&in, .tos = ECN_CE);
	lab_expect(*state, &in, want_end(&in, 1, ROUTER_history, QUIET));
	frame_tcp(&in, .from = server_mac(1), .tos = DSCP_MARK(2, 1));
	lab_expect(*state, &in, want_end(&in, 1, ROUTER_chain_end, QUIET));
	age_ns = SECOND * FLIGHT_MS / 1000;
	lab_edit_lpm(*state, VIP, make_older);
	frame_tcp(&in, .tos = ECN_CE);
	lab_expect(*state, &in, want_end(&in, 1, ROUTER_history, LAST));
}

static void a_new_prefix_has_no_packets_on_their_way(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit_lpm(*state, VIP, read_changed);
	assert_int_equal(changed_ns, 0);
	frame_tcp(&in, .from = server_mac(1), .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in, want_end(&in, 1, ROUTER_chain_end, LAST));
}

static void a_prefix_remembers_when_it_was_changed_last_and_only_that(void **state)
{
	uint64_t before, first;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	before = now_ns();
	lab_edit(*state, "add " VIP " via %s", server_addr(2));
	lab_edit_lpm(*state, VIP, read_changed);
	assert_true(changed_ns >= before && changed_ns <= now_ns());
	first = changed_ns;
	lab_edit(*state, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(2), server_addr(1));
	lab_edit_lpm(*state, VIP, read_changed);
	assert_true(changed_ns == first);
}

static void a_flight_time_of_0_knows_no_quiet(void **state)
{
	lab_set_flight(*state, 0);
	lab_make_chain(*state, VIP, server_addr, 3);
	expect_ends(*state, false, LAST);
}

static int with_tos_and_flight_time(void **state)
{
	int ret = router_tos(state);

	lab_set_flight(*state, FLIGHT_MS);
	return ret;
}

static void the_format_tos_has_no_room_for_it(void **state)
{
	struct frame in;

	lab_make_chain(*state, VIP, server_addr, 2);
	frame_tcp(&in, .from = server_mac(2), .tos = TOS_MARK);
	lab_expect(*state, &in, want_tos(want_forward(&in, 1, ROUTER_history), TOS_MARK));
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, with_flight_time, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(a_chain_ends_with_quiet_until_the_flight_time_is_over),
		with_router(what_is_drained_ends_so_too),
		with_router(a_new_prefix_has_no_packets_on_their_way),
		with_router(a_prefix_remembers_when_it_was_changed_last_and_only_that),
		with_router(a_flight_time_of_0_knows_no_quiet),
		cmocka_unit_test_setup_teardown(the_format_tos_has_no_room_for_it,
						with_tos_and_flight_time, lab_down),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
