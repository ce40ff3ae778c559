// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router in the moment between two writes of one change: lpm has the new state, and the slot of
 * the exact match the old one. The state is written into the pinned maps as it stands then.
 */
#include "harness.h"

static void make_connected(struct ecmper_prefix *prefix)
{
	prefix->flags |= ECMPER_PREFIX_CONNECTED;
	prefix->cur_nh_offset = prefix->cur_nh_count = 0;
	prefix->prv_nh_offset = prefix->prv_nh_count = 0;
}

static void forget_history(struct ecmper_prefix *prefix)
{
	prefix->prv_nh_offset = prefix->prv_nh_count = 0;
}

static struct ecmper_prefix other;

static void keep(struct ecmper_prefix *prefix)
{
	other = *prefix;
}

/* The owners are those of the prefix that was kept. */
static void take_owners(struct ecmper_prefix *prefix)
{
	prefix->cur_nh_offset = other.cur_nh_offset;
}

static void build(struct frame *frame, bool is_ipv6, const char *from, uint8_t tos)
{
	if (is_ipv6)
		frame_tcp6(frame, .from = from, .tos = tos);
	else
		frame_tcp(frame, .from = from, .tos = tos);
}

static void a_bounced_packet_of_a_prefix_that_becomes_connected_is_the_kernels(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		lab_make_chain(*state, is_ipv6 ? VIP6 : VIP, server_addr, 3);
		lab_edit_lpm(*state, is_ipv6 ? VIP6 : VIP, make_connected);
		for (int k = 1; k <= 15; k++) {
			lab_case(*state, "IPv6 %d, mark %d", is_ipv6, k);
			build(&in, is_ipv6, server_mac(k <= 3 ? 4 - k : 1), DSCP_MARK(k, 1));
			lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
		}
		lab_case(*state, "IPv6 %d, without a mark", is_ipv6);
		build(&in, is_ipv6, CLIENT_MAC, 0);
		lab_expect(*state, &in, want_forward(&in, 3, ROUTER_forward));
	}
}

static void so_is_an_old_connections_packet_when_all_servers_are_drained(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const char *vip = is_ipv6 ? VIP6 : VIP;

		lab_edit(*state, "add %s via %s", vip, server_addr(1));
		lab_edit(*state, "del %s via %s", vip, server_addr(1));
		lab_edit_lpm(*state, is_ipv6 ? VIP6 : VIP, make_connected);
		lab_case(*state, "IPv6 %d", is_ipv6);
		build(&in, is_ipv6, CLIENT_MAC, 0x28);
		lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
		build(&in, is_ipv6, server_mac(1), DSCP_MARK(2, 1));
		lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
	}
}

static void a_bounced_packet_of_a_prefix_without_history_ends_at_the_current_owner(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		lab_make_chain(*state, is_ipv6 ? VIP6 : VIP, server_addr, 3);
		lab_edit_lpm(*state, is_ipv6 ? VIP6 : VIP, forget_history);
		lab_case(*state, "IPv6 %d", is_ipv6);
		build(&in, is_ipv6, server_mac(3), DSCP_MARK(1, 1));
		lab_expect(*state, &in,
			   want_tos(want_forward(&in, 3, ROUTER_chain_end), DSCP_MARK(LAST, 1)));
		build(&in, is_ipv6, server_mac(2), DSCP_MARK(2, 1));
		lab_expect(*state, &in,
			   want_noted(want_tos(want_forward(&in, 3, ROUTER_forward), 1),
				      ROUTER_restarted));
	}
}

static void when_lpm_has_a_server_again_its_packets_do_not_wait_for_the_exact_match(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const char *vip = is_ipv6 ? VIP6 : VIP,
			   *second = is_ipv6 ? "fd00:10::11" : "10.0.10.1";

		lab_make_chain(*state, vip, server_addr, 2);
		lab_edit(*state, "del %s via %s\nadd %s via %s", vip, server_addr(2), second,
			 server_addr(1));
		lab_edit_lpm(*state, second, keep);
		lab_edit_lpm(*state, vip, take_owners);
		lab_case(*state, "IPv6 %d", is_ipv6);
		build(&in, is_ipv6, CLIENT_MAC, 1);
		lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
		frame_tcp_header(&in)->syn = 1;
		frame_tcp_header(&in)->ack = 0;
		lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
	}
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(a_bounced_packet_of_a_prefix_that_becomes_connected_is_the_kernels),
		with_router(so_is_an_old_connections_packet_when_all_servers_are_drained),
		with_router(a_bounced_packet_of_a_prefix_without_history_ends_at_the_current_owner),
		with_router(
			when_lpm_has_a_server_again_its_packets_do_not_wait_for_the_exact_match),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
