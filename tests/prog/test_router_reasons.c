// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every reason of ECMPER_ROUTER_REASONS, once, in its plainest form: a reason without a test here
 * does not compile. The other test_router_*.c files have the corners.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>
#include "harness.h"

/* Every bucket is owned by server 2, and was by 1. */
static void make_history(struct lab *lab)
{
	lab_make_chain(lab, VIP, server_addr, 2);
}

static void reason_forward(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s via %s", server_addr(1), server_addr(2));
	frame_tcp(&in);
	lab_expect(*state, &in, want_forward(&in, owner_of(*state, &in), ROUTER_forward));
}

static void reason_history(void **state)
{
	struct frame in;
	struct want want;

	lab_make_chain(*state, VIP, server_addr, 3);
	frame_tcp(&in, .from = server_mac(3), .tos = DSCP_MARK(1, 0));
	want = want_forward(&in, 2, ROUTER_history);
	frame_set_tos(&want.frame, DSCP_MARK(1, 0));
	lab_expect(*state, &in, want);
}

static void reason_chain_end(void **state)
{
	struct frame in;
	struct want want;

	make_history(*state);
	frame_tcp(&in, .from = server_mac(1), .tos = DSCP_MARK(2, 0));
	want = want_forward(&in, 2, ROUTER_chain_end);
	frame_set_tos(&want.frame, DSCP_MARK(LAST, 0));
	lab_expect(*state, &in, want);
}

static void reason_restarted(void **state)
{
	struct frame in;
	struct want want;

	/* Server 1 was not asked last: server 2 has the bucket now. */
	make_history(*state);
	frame_tcp(&in, .from = server_mac(1), .tos = DSCP_MARK(1, ECN_ECT1));
	want = want_forward(&in, 2, ROUTER_forward);
	want.reasons |= BIT(ROUTER_restarted);
	frame_set_tos(&want.frame, ECN_ECT1);
	lab_expect(*state, &in, want);
}

static void reason_connected(void **state)
{
	struct frame in;

	lab_edit(*state, "add 10.0.0.0/24 connected");
	frame_tcp(&in, .dst = server_addr(3));
	lab_expect(*state, &in, want_forward(&in, 3, ROUTER_connected));
}

static void reason_not_ip(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	frame_tcp(&in, .ethertype = ETH_P_ARP);
	lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
}

static void reason_not_unicast(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	frame_tcp(&in, .to = "ff:ff:ff:ff:ff:ff");
	lab_expect(*state, &in, want_pass(&in, ROUTER_not_unicast));
}

static void reason_not_mine(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	frame_tcp(&in, .to = FOREIGN_MAC);
	lab_expect(*state, &in, want_pass(&in, ROUTER_not_mine));
}

static void reason_no_route(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	frame_tcp(&in, .dst = "10.0.10.1");
	lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
}

static void reason_ttl(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	frame_tcp(&in, .ttl = 1);
	lab_expect(*state, &in, want_answer(&in, ROUTER_ttl, 0));
}

static void reason_icmp_never(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	frame_icmp(&in, .icmp_type = 3, .icmp_code = 3, .quote = REPLY(), .ttl = 1);
	lab_expect(*state, &in, want_noted(want_drop(&in, ROUTER_icmp_never), ROUTER_icmp_error));
}

static void reason_icmp_no_source(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	lab_set_flight(*state,
		       0); /* an `up` without --icmp-source, and the device has no address */
	frame_tcp(&in, .ttl = 1);
	lab_expect(*state, &in, want_drop(&in, ROUTER_icmp_no_source));
}

/* One that is due in an hour. */
static void reason_icmp_limit(void **state)
{
	struct ecmper_icmp_work work[64];
	int fd = bpf_obj_get(ECMPER_PIN_DEFAULT "/icmp_work");
	uint32_t zero = 0;
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	assert_true(fd >= 0);
	assert_uint_in_range(libbpf_num_possible_cpus(), 1, ARRAY_SIZE(work));
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, work), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(work); i++)
		work[i].due_ns[0] = UINT64_MAX / 2;
	assert_int_equal(bpf_map_update_elem(fd, &zero, work, BPF_ANY), 0);
	close(fd);
	frame_tcp(&in, .ttl = 1);
	lab_expect(*state, &in, want_drop(&in, ROUTER_icmp_limit));
	/* Path MTU discovery has a bucket of its own. */
	frame_tcp(&in, .payload = WAY_OUT_MTU - 40 + 1);
	lab_expect(*state, &in, want_answer(&in, ROUTER_too_big, WAY_OUT_MTU));
}

static void reason_discovery(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP6 " via %s", server_addr(1));
	frame_icmp6(&in, .ttl = 255, .icmp_type = 135);
	lab_expect(*state, &in, want_pass(&in, ROUTER_discovery));
}

static void reason_unresolved(void **state)
{
	struct frame in;

	lab_edit(*state, "add 10.0.0.0/24 connected");
	frame_tcp(&in, .dst = "10.0.0.77");
	lab_expect(*state, &in, want_pass(&in, ROUTER_unresolved));
}

static void reason_chain_last(void **state)
{
	struct frame in;

	make_history(*state);
	frame_tcp(&in, .from = server_mac(2), .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in,
		   want_noted(want_tos(want_forward(&in, 1, ROUTER_history), DSCP_MARK(LAST, 0)),
			      ROUTER_chain_last));
}

static void reason_no_neigh(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via 10.0.0.200");
	frame_tcp(&in);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_neigh));
}

static void reason_too_big(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	frame_tcp(&in, .payload = WAY_OUT_MTU - 40 + 1);
	lab_expect(*state, &in, want_answer(&in, ROUTER_too_big, WAY_OUT_MTU));
}

static void reason_no_headroom(void **state)
{
	struct lab *lab = *state;
	struct frame in;

	lab_edit(lab, "neigh add %s lladdr %s dev %s vlan 7\nadd " VIP " via %s", server_addr(1),
		 server_mac(1), way_out(1), server_addr(1));
	lab->front = FRONT_MAX;
	frame_tcp(&in, .payload = FRONT_MAX);
	lab_expect(lab, &in, want_drop(&in, ROUTER_no_headroom));
}

static void reason_bad_header(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	frame_tcp(&in, .ihl = 4);
	lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
}

static void reason_no_server(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s weight 0", server_addr(1));
	frame_tcp(&in, .flags = SYN);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
}

static void reason_no_device(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s", server_addr(4));
	ip_batch("link del %s\n", way_out(4));
	frame_tcp(&in);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_device));
}

static void reason_mark_cleared(void **state)
{
	struct frame in;
	struct want want;

	make_history(*state);
	frame_tcp(&in, .tos = DSCP_MARK(1, ECN_CE));
	want = want_forward(&in, 2, ROUTER_forward);
	want.reasons |= BIT(ROUTER_mark_cleared);
	frame_set_tos(&want.frame, ECN_CE);
	lab_expect(*state, &in, want);
}

static void reason_quiet(void **state)
{
	struct frame in;

	lab_set_flight(*state, ECMPER_FLIGHT_MS_MAX);
	make_history(*state);
	frame_tcp(&in, .from = server_mac(2), .tos = DSCP_MARK(1, ECN_CE));
	lab_expect(
		*state, &in,
		want_noted(want_tos(want_forward(&in, 1, ROUTER_history), DSCP_MARK(QUIET, ECN_CE)),
			   ROUTER_quiet));
}

static void reason_fragment(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "add " VIP " via %s via %s", server_addr(1), server_addr(2));
	frame_udp(&in, .fragment = FRAGMENT_AT(185));
	want = want_forward(&in, owner_of(*state, &in), ROUTER_forward);
	want.reasons |= BIT(ROUTER_fragment);
	lab_expect(*state, &in, want);
}

static void reason_icmp_error(void **state)
{
	struct frame in, about;
	struct want want;

	lab_edit(*state, "add " VIP " via %s via %s", server_addr(1), server_addr(2));
	frame_tcp(&about);
	frame_error(&in, .quote = REPLY());
	want = want_forward(&in, owner_of(*state, &about), ROUTER_forward);
	want.reasons |= BIT(ROUTER_icmp_error);
	lab_expect(*state, &in, want);
}

static void reason_tx_error(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	ip_batch("link set %s down\n", way_out(1));
	frame_tcp(&in);
	want = want_forward(&in, 1, ROUTER_forward);
	want.reasons |= BIT(ROUTER_tx_error);
	want.no_bytes = BIT(ROUTER_tx_error);
	lab_send_live(*state, &in, &want);
	lab_settle(*state);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define X(name, action, text) {#name ": " text, reason_##name, router_dscp, lab_down, NULL},
		ECMPER_ROUTER_REASONS(X)
#undef X
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
