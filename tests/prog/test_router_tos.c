// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and marks of format tos, the documents': the whole byte is 0x01, one server was
 * tried, and it is LAST at once.
 */
#include "harness.h"

static int with_history(void **state)
{
	router_tos(state);
	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(2), server_addr(1));
	return 0;
}

static void the_documents_frames_come_out(void **state)
{
	struct frame in;
	struct want want;

	lab_case(*state, "from the client");
	frame_tcp(&in, .ttl = 64, .tos = 0x00);
	want = want_forward(&in, 2, ROUTER_forward);
	assert_int_equal(frame_ip(&want.frame)->ttl, 63);
	lab_expect(*state, &in, want);
	lab_case(*state, "bounced");
	lab_allow_mac(*state, way_out_mac(2));
	frame_tcp(&in, .ttl = 63, .tos = 0x01, .from = server_mac(2), .to = way_out_mac(2));
	want = want_forward(&in, 1, ROUTER_history);
	assert_int_equal(frame_ip(&want.frame)->ttl, 62);
	assert_int_equal(frame_ip(&want.frame)->tos, 0x01);
	lab_expect(*state, &in, want);
}

static void only_one_tos_byte_is_a_mark(void **state)
{
	const char *const macs[] = {CLIENT_MAC, server_mac(1)};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(macs); i++)
		for (int tos = 0; tos < 256; tos++) {
			lab_case(*state, "ToS %02x from %s", tos, macs[i]);
			frame_tcp(&in, .tos = tos, .from = macs[i]);
			if (tos != TOS_MARK)
				lab_send(*state, &in, want_forward(&in, 2, ROUTER_forward));
		}
	lab_settle(*state);
}

static void a_clients_mark_is_cleared(void **state)
{
	struct frame in;
	struct want want;

	frame_tcp(&in, .tos = TOS_MARK);
	want = want_forward(&in, 2, ROUTER_forward);
	want.reasons |= BIT(ROUTER_mark_cleared);
	frame_set_tos(&want.frame, 0);
	lab_expect(*state, &in, want);
}

static void without_a_previous_owner_the_current_one_answers(void **state)
{
	struct frame in;

	lab_edit(*state, "add 10.0.10.1/32 via %s", server_addr(3));
	frame_tcp(&in, .dst = "10.0.10.1", .tos = TOS_MARK, .from = server_mac(3));
	lab_expect(*state, &in, want_forward(&in, 3, ROUTER_chain_end));
}

static void only_the_newest_previous_owner_is_remembered(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(3), server_addr(2));
	frame_tcp(&in, .tos = TOS_MARK, .from = server_mac(3));
	lab_expect(*state, &in, want_forward(&in, 2, ROUTER_history));
}

static void what_the_current_owner_did_not_send_back_begins_anew(void **state)
{
	struct frame in;
	struct want want;

	frame_tcp(&in, .tos = TOS_MARK, .from = server_mac(1));
	want = want_forward(&in, 2, ROUTER_forward);
	want.reasons |= BIT(ROUTER_restarted);
	frame_set_tos(&want.frame, 0);
	lab_expect(*state, &in, want);
}

static void of_a_drained_prefix_old_connections_carry_the_mark(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "del " VIP " via %s", server_addr(2));
	frame_tcp(&in, .tos = 0x28);
	want = want_forward(&in, 2, ROUTER_history);
	frame_set_tos(&want.frame, TOS_MARK);
	lab_expect(*state, &in, want);
	frame_tcp(&in, .tos = 0x28, .flags = SYN);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
}

static void a_larger_depth_than_one_is_refused(void **state)
{
	struct lab *lab = *state;
	char *words[] = {"add", "10.0.10.1/32", "depth", "2", "via", "10.0.0.1"};
	struct ecmper_changes changes = {};
	struct ecmper_error err = {""};

	assert_int_equal(ecmper_changes_add(&changes, 0, ARRAY_SIZE(words), words, &err), 0);
	assert_true(ecmper_edit(lab->router, &changes, ECMPER_EDIT_BATCH, NULL, &err) < 0);
	ecmper_changes_free(&changes);
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, with_history, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(the_documents_frames_come_out),
		with_router(only_one_tos_byte_is_a_mark),
		with_router(a_clients_mark_is_cleared),
		with_router(without_a_previous_owner_the_current_one_answers),
		with_router(only_the_newest_previous_owner_is_remembered),
		with_router(what_the_current_owner_did_not_send_back_begins_anew),
		with_router(of_a_drained_prefix_old_connections_carry_the_mark),
		with_router(a_larger_depth_than_one_is_refused),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
