// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and how flows spread: evenly or by weight whatever in them differs, each always to
 * the server that ecmper_trace names, and elsewhere under another hash key. The key is fixed, so
 * that the numbers are the same in every run.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "harness.h"

#define FLOWS     100000 /* of the random kind; 40000 are enough for the others */
#define OTHER_KEY "0f0e0d0c0b0a09080706050403020100"

/* One flow of a kind, by number. Only addresses and ports differ between frames. */
typedef void flow_maker(struct frame *frame, unsigned int n);

static void set_flow(struct frame *frame, uint32_t client, uint16_t port)
{
	frame_ip(frame)->saddr = htonl(client);
	frame_tcp_header(frame)->source = htons(port);
	frame_set_check(frame);
}

static void random_flow(struct frame *frame, unsigned int n)
{
	static unsigned int seed;

	seed = n ? seed : 1;
	set_flow(frame, rand_r(&seed) * 2654435761u, rand_r(&seed));
}

static void next_port(struct frame *frame, unsigned int n)
{
	set_flow(frame, 0x0a000163 + (n >> 15), 32768 + (n & 32767));
}

static void next_client(struct frame *frame, unsigned int n)
{
	set_flow(frame, 0x0b000000 + n, 40000);
}

static void next_network(struct frame *frame, unsigned int n)
{
	set_flow(frame, n << 8 | 1, 40000);
}

/* The server whose MAC the frame got. */
static int sent_to(const struct frame *out)
{
	return out->data[5];
}

/* Run flows; shares[N] becomes the part of them that went to server N. Some are traced, too. */
static void run_flows(struct lab *lab, flow_maker *make, unsigned int flows,
		      double shares[SERVERS_MAX + 1])
{
	struct frame in, out;

	memset(shares, 0, (SERVERS_MAX + 1) * sizeof(*shares));
	frame_tcp(&in);
	for (unsigned int n = 0; n < flows; n++) {
		make(&in, n);
		assert_int_equal(lab_run(lab, &in, &out), XDP_REDIRECT);
		assert_uint_in_range(sent_to(&out), 1, SERVERS_MAX);
		if (n % 16 == 0 && owner_of(lab, &in) != sent_to(&out))
			fail_msg("flow %u: trace says server %d, the program %d", n,
				 owner_of(lab, &in), sent_to(&out));
		shares[sent_to(&out)] += 1.0 / flows;
	}
	lab_rebase(lab);
}

static void assert_share(double share, double wanted)
{
	if (share < wanted * 0.97 || share > wanted * 1.03)
		fail_msg("%.4f of the flows instead of about %.4f", share, wanted);
}

static void add_servers(struct lab *lab, const char *net, int n)
{
	for (int i = 1; i <= n; i++)
		lab_edit(lab, "add %s via %s", net, server_addr(i));
}

static void random_flows_spread_evenly_over_four_servers_as_trace_says(void **state)
{
	double shares[SERVERS_MAX + 1];

	add_servers(*state, VIP, 4);
	run_flows(*state, random_flow, FLOWS, shares);
	for (int i = 1; i <= 4; i++)
		assert_share(shares[i], 0.25);
}

static void flows_that_differ_in_little_spread_evenly_too(void **state)
{
	static flow_maker *const makers[] = {next_port, next_client, next_network};
	double shares[SERVERS_MAX + 1];

	add_servers(*state, VIP, 4);
	for (unsigned int m = 0; m < ARRAY_SIZE(makers); m++) {
		run_flows(*state, makers[m], 40000, shares);
		for (int i = 1; i <= 4; i++)
			assert_share(shares[i], 0.25);
	}
}

static void weights_are_shares(void **state)
{
	double shares[SERVERS_MAX + 1];

	lab_edit(*state,
		 "add " VIP " via %s weight 1 via %s weight 2 via %s weight 5 via %s weight 0",
		 server_addr(1), server_addr(2), server_addr(3), server_addr(4));
	run_flows(*state, random_flow, 40000, shares);
	assert_share(shares[1], 0.125);
	assert_share(shares[2], 0.25);
	assert_share(shares[3], 0.625);
	assert_true(shares[4] == 0);
}

static void the_same_flow_goes_to_the_same_server_again_and_again(void **state)
{
	struct frame in, out;

	add_servers(*state, VIP, 4);
	frame_tcp(&in);
	for (unsigned int flow = 0; flow < 50; flow++) {
		int first = 0;

		set_flow(&in, 0x0a000163, 1000 + flow);
		for (int i = 0; i < 200; i++) {
			assert_int_equal(lab_run(*state, &in, &out), XDP_REDIRECT);
			first = first ?: sent_to(&out);
			assert_int_equal(sent_to(&out), first);
		}
	}
	lab_rebase(*state);
}

/* Flows of which two kinds of frame go to the same server: a quarter when nothing ties them. */
static unsigned int count_same(struct lab *lab, struct frame *a, struct frame *b)
{
	struct frame out_a, out_b;
	unsigned int same = 0;

	for (unsigned int n = 0; n < FLOWS / 10; n++) {
		next_port(a, n);
		next_port(b, n);
		assert_int_equal(lab_run(lab, a, &out_a), XDP_REDIRECT);
		assert_int_equal(lab_run(lab, b, &out_b), XDP_REDIRECT);
		same += sent_to(&out_a) == sent_to(&out_b);
	}
	lab_rebase(lab);
	return same;
}

static void destination_port_and_protocol_are_part_of_the_flow(void **state)
{
	struct frame a, b;

	add_servers(*state, "10.0.10.0/24", 4);
	frame_tcp(&a);
	frame_tcp(&b, .dst = "10.0.10.1");
	assert_uint_in_range(count_same(*state, &a, &b), FLOWS / 40 * 0.9, FLOWS / 40 * 1.1);
	frame_tcp(&b, .dport = HTTP + 1);
	assert_uint_in_range(count_same(*state, &a, &b), FLOWS / 40 * 0.9, FLOWS / 40 * 1.1);
	frame_udp(&b);
	assert_uint_in_range(count_same(*state, &a, &b), FLOWS / 40 * 0.9, FLOWS / 40 * 1.1);
	frame_tcp(&b, .flags = PSH | ACK, .payload = 7, .ttl = 3, .tos = 1);
	assert_int_equal(count_same(*state, &a, &b), FLOWS / 10);
}

static void another_hash_key_sends_flows_elsewhere(void **state)
{
	static uint8_t first[FLOWS / 10];
	unsigned int same = 0;
	struct frame in, out;

	for (int key = 0; key < 2; key++) {
		struct lab *lab = *state;

		if (key) {
			lab_down(state);
			namespace_renew();
			*state = lab = router_up(ECMPER_MARK_DSCP, OTHER_KEY);
		}
		add_servers(lab, VIP, 4);
		frame_tcp(&in);
		for (unsigned int n = 0; n < ARRAY_SIZE(first); n++) {
			next_port(&in, n);
			assert_int_equal(lab_run(lab, &in, &out), XDP_REDIRECT);
			same += key && first[n] == sent_to(&out);
			first[n] = sent_to(&out);
		}
		lab_rebase(lab);
	}
	assert_uint_in_range(same, FLOWS / 40 * 0.9, FLOWS / 40 * 1.1);
}

static void prefixes_with_the_same_servers_add_up_in_their_counters(void **state)
{
	static const char *const vips[] = {"10.0.10.0", "10.0.10.1", "10.0.11.7", "10.0.12.0"};
	struct frame in;

	add_servers(*state, "10.0.10.0/32", 4);
	add_servers(*state, "10.0.10.1/32", 4);
	add_servers(*state, "10.0.11.0/24", 4);
	add_servers(*state, "10.0.12.0/32", 2);
	for (uint16_t port = 1; port <= 1000; port++) {
		frame_tcp(&in, .sport = port, .dst = vips[port % ARRAY_SIZE(vips)],
			  .payload = port);
		lab_send(*state, &in, want_forward(&in, owner_of(*state, &in), ROUTER_forward));
	}
	lab_settle(*state);
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(random_flows_spread_evenly_over_four_servers_as_trace_says),
		with_router(flows_that_differ_in_little_spread_evenly_too),
		with_router(weights_are_shares),
		with_router(the_same_flow_goes_to_the_same_server_again_and_again),
		with_router(destination_port_and_protocol_are_part_of_the_flow),
		with_router(another_hash_key_sends_flows_elsewhere),
		with_router(prefixes_with_the_same_servers_add_up_in_their_counters),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
