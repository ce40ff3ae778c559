// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router on real devices: frames that it forwards arrive, whole, at the other end of the next
 * hop's device and nowhere else; what it leaves to the kernel and what it drops goes nowhere.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <unistd.h>
#include "harness.h"
#include "stub.skel.h"

static int taps[WAYS_OUT + 1]; /* at the other ends of out1.., [0] of in0 */

/* A veth only takes redirected frames when its other end runs an XDP program, too. */
static void pass_at(const char *dev)
{
	struct stub_bpf *stub = stub_bpf__open_and_load();

	assert_non_null(stub);
	assert_int_equal(
		bpf_xdp_attach(if_nametoindex(dev), bpf_program__fd(stub->progs.lab_stub), 0, NULL),
		0);
	stub_bpf__destroy(stub);
}

static int with_taps(void **state)
{
	char dev[IF_NAMESIZE];

	router_dscp(state);
	for (int i = 1; i <= WAYS_OUT; i++) {
		snprintf(dev, sizeof(dev), "%s-end", way_out(i));
		pass_at(dev);
		taps[i] = tap_open(dev);
	}
	taps[0] = tap_open("in0-end");
	for (int i = 1; i <= WAYS_OUT; i++)
		lab_edit(*state, "add 10.0.10.%d via %s", i, server_addr(i));
	lab_edit(*state, "add " VIP " via %s via %s\nadd 10.0.10.9 via 10.0.0.200", server_addr(1),
		 server_addr(2));
	return 0;
}

static int without_taps(void **state)
{
	for (int i = 0; i <= WAYS_OUT; i++)
		close(taps[i]);
	return lab_down(state);
}

static void expect_arrival(const struct want *want, int server)
{
	struct frame got;

	tap_receive(taps[server], &got);
	assert_int_equal(got.length, want->frame.length);
	assert_memory_equal(got.data, want->frame.data, got.length);
	for (int i = 1; i <= WAYS_OUT; i++)
		assert_true(tap_is_silent(taps[i]));
}

static void a_frame_leaves_by_its_next_hops_device(void **state)
{
	struct frame in;
	struct want want;
	char dst[16];

	for (int i = 1; i <= WAYS_OUT; i++) {
		snprintf(dst, sizeof(dst), "10.0.10.%d", i);
		lab_case(*state, "to %s", dst);
		frame_tcp(&in, .dst = dst, .payload = 100 * i);
		want = want_forward(&in, i, ROUTER_forward);
		lab_send_live(*state, &in, &want);
		expect_arrival(&want, i);
	}
	lab_settle(*state);
}

static void a_frame_from_the_wire_is_forwarded(void **state)
{
	struct frame in;
	struct want want;

	frame_tcp(&in, .dst = "10.0.10.3", .tos = DSCP_MARK(7, ECN_CE));
	want = want_forward(&in, 3, ROUTER_forward);
	frame_set_tos(&want.frame, ECN_CE);
	tap_send(taps[0], &in);
	expect_arrival(&want, 3);
	lab_rebase(*state);
}

static void what_is_not_forwarded_does_not_leave(void **state)
{
	const struct {
		const char *name;
		struct headers headers;
		enum ecmper_router_reason reason;
	} cases[] = {
		{"TTL 1", HEADERS(.ttl = 1), ROUTER_ttl},
		{"no route", HEADERS(.dst = "10.0.11.0"), ROUTER_no_route},
		{"no MAC", HEADERS(.dst = "10.0.10.9"), ROUTER_no_neigh},
		{"bad", HEADERS(.version = 5), ROUTER_bad_header},
		{"larger than its MTU", HEADERS(.dst = "10.0.10.1", .payload = 1461),
		 ROUTER_too_big},
	};
	struct frame in;
	struct want want;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_build(&in, &cases[i].headers);
		want = want_pass(&in, cases[i].reason);
		lab_send_live(*state, &in, &want);
		for (int t = 1; t <= WAYS_OUT; t++)
			assert_true(tap_is_silent(taps[t]));
		lab_settle(*state);
	}
}

static void a_next_hop_that_moved_is_reached_by_its_new_device(void **state)
{
	struct frame in;
	struct want want;

	lab_edit(*state, "neigh add %s lladdr %s dev %s", server_addr(1), server_mac(1),
		 way_out(4));
	frame_tcp(&in, .dst = "10.0.10.1");
	want = want_forward(&in, 1, ROUTER_forward);
	frame_set_macs(&want.frame, server_mac(1), way_out_mac(4));
	lab_send_live(*state, &in, &want);
	expect_arrival(&want, 4);
	lab_settle(*state);
}

static void a_deleted_device_that_comes_back_is_used_after_neigh_add(void **state)
{
	struct frame in;

	frame_tcp(&in, .dst = "10.0.10.4");
	ip_batch("link del %s\n", way_out(4));
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_device));
	ip_batch("link add %s address %s type veth peer back\nlink set %s up\nlink set back up\n",
		 way_out(4), way_out_mac(4), way_out(4));
	lab_edit(*state, "neigh add %s lladdr %s dev %s", server_addr(4), server_mac(4),
		 way_out(4));
	lab_expect(*state, &in, want_forward(&in, 4, ROUTER_forward));
	pass_at("back");
	close(taps[4]);
	taps[4] = tap_open("back");
	struct want want = want_forward(&in, 4, ROUTER_forward);

	lab_send_live(*state, &in, &want);
	expect_arrival(&want, 4);
	lab_settle(*state);
}

static struct want want_tx_error(const struct frame *in, int server)
{
	struct want want = want_forward(in, server, ROUTER_forward);

	want.reasons |= BIT(ROUTER_tx_error);
	want.no_bytes = BIT(ROUTER_tx_error);
	return want;
}

static void a_packet_that_the_device_does_not_take_is_noted(void **state)
{
	struct frame in;
	struct want want;

	/* The router still knows the MTU of before, and the kernel leaves room for a VLAN tag. */
	lab_case(*state, "larger than the MTU that it got meanwhile");
	ip_batch("link set %s mtu 1400\n", way_out(1));
	frame_tcp(&in, .dst = "10.0.10.1", .payload = 1400 - 40 + 5);
	want = want_tx_error(&in, 1);
	lab_send_live(*state, &in, &want);
	lab_settle(*state);
	lab_case(*state, "down");
	ip_batch("link set %s down\n", way_out(2));
	frame_tcp(&in, .dst = "10.0.10.2");
	want = want_tx_error(&in, 2);
	lab_send_live(*state, &in, &want);
	lab_settle(*state);
	lab_case(*state, "as large as its MTU");
	frame_tcp(&in, .dst = "10.0.10.1", .payload = 1400 - 40);
	want = want_forward(&in, 1, ROUTER_forward);
	lab_send_live(*state, &in, &want);
	expect_arrival(&want, 1);
	lab_settle(*state);
}

static void of_two_routers_each_notes_its_own_failures(void **state)
{
	struct lab *other;
	struct frame in;
	struct want want;

	ip_batch("link add in1 type veth peer in1-end\n");
	other = other_router_up("in1");
	lab_allow_mac(other, INGRESS_MAC);
	lab_edit(other, "neigh add %s lladdr %s dev %s\nadd " VIP " via %s", server_addr(1),
		 server_mac(1), way_out(1), server_addr(1));
	ip_batch("link set %s down\n", way_out(1));
	frame_tcp(&in);
	want = want_tx_error(&in, 1);
	lab_send_live(other, &in, &want);
	lab_settle(other);
	lab_settle(*state);
	frame_tcp(&in, .dst = "10.0.10.1");
	want = want_tx_error(&in, 1);
	lab_send_live(*state, &in, &want);
	lab_settle(*state);
	lab_settle(other);
	lab_down((void **)&other);
}

#define with_devices(test) cmocka_unit_test_setup_teardown(test, with_taps, without_taps)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_devices(a_frame_leaves_by_its_next_hops_device),
		with_devices(a_frame_from_the_wire_is_forwarded),
		with_devices(what_is_not_forwarded_does_not_leave),
		with_devices(a_next_hop_that_moved_is_reached_by_its_new_device),
		with_devices(a_packet_that_the_device_does_not_take_is_noted),
		with_devices(of_two_routers_each_notes_its_own_failures),
		with_devices(a_deleted_device_that_comes_back_is_used_after_neigh_add),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
