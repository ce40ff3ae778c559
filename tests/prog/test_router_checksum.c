// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and the IP header checksum, which it updates by increments: against the sum computed
 * anew, for every value of a word of the header, so that every carry happens.
 */
#include <arpa/inet.h>
#include "harness.h"

/* All buckets: server 3 now, 2 before, 1 before that. */
static int with_history(void **state)
{
	router_dscp(state);
	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	for (int i = 2; i <= 3; i++)
		lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(i),
			 server_addr(i - 1));
	return 0;
}

static void it_is_right_after_the_ttl_for_every_id(void **state)
{
	static const uint8_t ttls[] = {2, 64, 255};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(ttls); i++) {
		frame_tcp(&in, .ttl = ttls[i]);
		lab_expect_all_ids(*state, &in, want_forward(&in, 3, ROUTER_forward));
	}
}

static void it_is_right_after_a_mark_is_cleared_for_every_id(void **state)
{
	struct frame in;
	struct want want;

	frame_tcp(&in, .tos = DSCP_MARK(15, ECN_CE));
	want = want_forward(&in, 3, ROUTER_forward);
	want.reasons |= BIT(ROUTER_mark_cleared);
	frame_set_tos(&want.frame, ECN_CE);
	lab_expect_all_ids(*state, &in, want);
}

static void it_is_right_after_a_mark_is_made_last_for_every_id(void **state)
{
	struct frame in;
	struct want want;

	frame_tcp(&in, .from = server_mac(2), .tos = DSCP_MARK(2, ECN_ECT1));
	want = want_forward(&in, 1, ROUTER_history);
	frame_set_tos(&want.frame, DSCP_MARK(LAST, ECN_ECT1));
	lab_expect_all_ids(*state, &in, want);
}

static void it_is_right_after_an_old_connection_is_marked_for_every_id(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "del " VIP " via %s", server_addr(3));
	frame_tcp(&in, .tos = 0xfa);
	want = want_forward(&in, 3, ROUTER_history);
	frame_set_tos(&want.frame, DSCP_MARK(1, 0xfa & 3));
	lab_expect_all_ids(*state, &in, want);
}

static void it_covers_options(void **state)
{
	struct frame in;

	frame_tcp(&in, .ihl = 15);
	lab_expect_all_ids(*state, &in, want_forward(&in, 3, ROUTER_forward));
}

/* A sum that was wrong must not become right on the way, nor the other way round. */
static void try_all_checks(struct lab *lab, struct frame *in)
{
	struct frame out;
	int good = 0;

	for (uint32_t check = 0; check <= UINT16_MAX; check++) {
		bool was_good;

		frame_ip(in)->check = htons(check);
		was_good = frame_has_good_check(in);
		assert_int_equal(lab_run(lab, in, &out), XDP_REDIRECT);
		if (frame_has_good_check(&out) != was_good)
			fail_msg("%s checksum %04x became %s checksum %04x",
				 was_good ? "good" : "bad", check, was_good ? "bad" : "good",
				 ntohs(frame_ip(&out)->check));
		good += was_good;
	}
	/* Ones' complement has two zeros, so that 0000 may also be written as ffff. */
	assert_uint_in_range(good, 1, 2);
	lab_rebase(lab);
}

/* The id with which the frame's checksum is this. */
static void set_id_for_check(struct frame *frame, uint16_t check)
{
	uint32_t id;

	for (id = 0; id <= UINT16_MAX; id++) {
		frame_ip(frame)->id = htons(id);
		frame_set_check(frame);
		if (ntohs(frame_ip(frame)->check) == check)
			return;
	}
	fail_msg("no id gives the checksum %04x", check);
}

static void a_wrong_one_stays_wrong_and_a_right_one_right(void **state)
{
	static const uint16_t checks[] = {0x0000, 0xfffe, 0x1234};
	static const uint8_t marks[] = {0, DSCP_MARK(1, 0), DSCP_MARK(15, 3)};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(checks); i++)
		for (unsigned int m = 0; m < ARRAY_SIZE(marks); m++) {
			frame_tcp(&in, .tos = marks[m]);
			set_id_for_check(&in, checks[i]);
			try_all_checks(*state, &in);
		}
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, with_history, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(it_is_right_after_the_ttl_for_every_id),
		with_router(it_is_right_after_a_mark_is_cleared_for_every_id),
		with_router(it_is_right_after_a_mark_is_made_last_for_every_id),
		with_router(it_is_right_after_an_old_connection_is_marked_for_every_id),
		with_router(it_covers_options),
		with_router(a_wrong_one_stays_wrong_and_a_right_one_right),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
