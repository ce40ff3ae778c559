// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMP errors that the router makes itself: about what, with what in them, and about what never.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "harness.h"

#define Q  ETH_P_8021Q
#define AD ETH_P_8021AD

static int one_server(void **state)
{
	router_dscp(state);
	lab_edit(*state,
		 "add " VIP " via %s\nadd " VIP6 " via %s\nadd 10.0.0.0/24 connected\n"
		 "add 128.0.0.0/1 via %s\nadd f000::/4 via %s",
		 server_addr(1), server_addr(1), server_addr(1), server_addr(1));
	return 0;
}

/* Each of them with a TTL of 1. */
static void every_kind_of_packet_is_answered(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
		{"TCP", HEADERS(.ttl = 1)},
		{"TTL 0", HEADERS(.ttl = 0)},
		{"a SYN", HEADERS(.ttl = 1, .flags = SYN)},
		{"UDP", HEADERS(.ttl = 1, .proto = IPPROTO_UDP, .dport = 33434)},
		{"UDP with data", HEADERS(.ttl = 1, .proto = IPPROTO_UDP, .payload = 1000)},
		{"an echo request", HEADERS(.ttl = 1, .proto = IPPROTO_ICMP)},
		{"GRE", HEADERS(.ttl = 1, .proto = 47)},
		{"an odd length", HEADERS(.ttl = 1, .payload = 3)},
		{"options", HEADERS(.ttl = 1, .ihl = 15, .payload = 40)},
		{"a tag", HEADERS(.ttl = 1, .tags = {{Q, 0x8005}})},
		{"two tags", HEADERS(.ttl = 1, .tags = {{AD, 7}, {Q, 5}}, .payload = 500)},
		{"padding", HEADERS(.ttl = 1, .padding = 6)},
		{"much padding", HEADERS(.ttl = 1, .padding = 200)},
		{"a first part", HEADERS(.ttl = 1, .fragment = MORE_FRAGMENTS, .payload = 100)},
		{"to a neighbour", HEADERS(.ttl = 1, .dst = "10.0.0.3")},
		{"in several pieces", HEADERS(.ttl = 1, .payload = 8000)},
		{"IPv6: TCP", HEADERS6(.ttl = 1)},
		{"IPv6: hop limit 0", HEADERS6(.ttl = 0)},
		{"IPv6: UDP", HEADERS6(.ttl = 1, .proto = IPPROTO_UDP, .payload = 1001)},
		{"IPv6: an echo request", HEADERS6(.ttl = 1, .proto = IPPROTO_ICMPV6)},
		{"IPv6: extension headers",
		 HEADERS6(.ttl = 1, EXT({EXT_HOP}, {EXT_DEST, .size = 24}))},
		{"IPv6: two tags", HEADERS6(.ttl = 1, .tags = {{AD, 7}, {Q, 5}}, .padding = 3)},
		{"IPv6: in several pieces", HEADERS6(.ttl = 1, .payload = 8000)},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_build(&in, &cases[i].headers);
		lab_expect(*state, &in, want_answer(&in, ROUTER_ttl, 0));
	}
}

/* The sums take every value. */
static void its_checksums_are_right_for_every_id(void **state)
{
	struct frame in;

	for (uint32_t id = 0; id <= UINT16_MAX; id += 3) {
		lab_case(*state, "id %u", id);
		frame_tcp(&in, .ttl = 1, .id = id);
		lab_send(*state, &in, want_answer(&in, ROUTER_ttl, 0));
		frame_tcp6(&in, .ttl = 1, .sport = id);
		lab_send(*state, &in, want_answer(&in, ROUTER_ttl, 0));
	}
	lab_settle(*state);
}

static void some_packets_are_never_answered(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
		bool is_about_flow;
	} cases[] = {
		{"an error", HEADERS(.proto = 1, .icmp_type = 3), true},
		{"an error about nothing", HEADERS(.proto = 1, .icmp_type = 11)},
		{"a redirect", HEADERS(.proto = 1, .icmp_type = 5)},
		{"a later part", HEADERS(.fragment = FRAGMENT_AT(8))},
		{"from nobody", HEADERS(.src = "0.0.0.0")},
		{"from the sender itself", HEADERS(.src = "127.0.0.1")},
		{"from a group", HEADERS(.src = "224.0.0.5")},
		{"from everybody", HEADERS(.src = "255.255.255.255")},
		{"to a group", HEADERS(.dst = "224.0.0.5")},
		{"IPv6: an error", HEADERS6(.proto = 58, .icmp_type = 1), true},
		{"IPv6: an unknown error", HEADERS6(.proto = 58, .icmp_type = 100)},
		{"IPv6: a later part", HEADERS6(EXT({EXT_FRAGMENT, .fragment = FRAGMENT_AT(8)}))},
		{"IPv6: from nobody", HEADERS6(.src = "::")},
		{"IPv6: from the sender itself", HEADERS6(.src = "::1")},
		{"IPv6: from a group", HEADERS6(.src = "ff02::1")},
		{"IPv6: to a group", HEADERS6(.dst = "ff0e::5")},
	};
	const struct headers *quotes[] = {REPLY(), REPLY6()};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct headers headers = cases[i].headers;
		struct want want;

		lab_case(*state, "%s", cases[i].name);
		headers.ttl = 1;
		if (cases[i].is_about_flow)
			headers.quote = quotes[headers.is_ipv6];
		frame_build(&in, &headers);
		want = want_drop(&in, ROUTER_icmp_never);
		if (cases[i].is_about_flow)
			want = want_noted(want, ROUTER_icmp_error);
		if (in.is_later_part)
			want = want_noted(want, ROUTER_fragment);
		lab_expect(*state, &in, want);
	}
}

/* From its MAC there is no way to the client. */
static void what_a_server_sent_back_is_not_answered(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(2), server_addr(1));
	lab_case(*state, "its TTL was judged when it came first");
	frame_tcp(&in, .ttl = 1, .from = server_mac(2), .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in, want_tos(want_forward(&in, 1, ROUTER_history), DSCP_MARK(LAST, 0)));
	lab_case(*state, "too large");
	frame_tcp(&in, .payload = WAY_OUT_MTU, .from = server_mac(2), .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in, want_drop(&in, ROUTER_icmp_never));
	lab_case(*state, "what begins anew pays again");
	frame_tcp(&in, .ttl = 1, .from = server_mac(1), .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in, want_noted(want_drop(&in, ROUTER_icmp_never), ROUTER_restarted));
}

static void discovery_is_the_kernels_for_every_address(void **state)
{
	static const char *const dsts[] = {VIP6, "2001:db8::1"};
	struct frame in;

	for (unsigned int d = 0; d < ARRAY_SIZE(dsts); d++)
		for (int type = 128; type < 256; type++) {
			lab_case(*state, "type %d to %s", type, dsts[d]);
			frame_icmp6(&in, .dst = dsts[d], .icmp_type = type, .ttl = 255);
			if ((type >= 130 && type <= 137) || type == 143)
				lab_expect(*state, &in, want_pass(&in, ROUTER_discovery));
			else
				lab_expect(*state, &in,
					   d ? want_pass(&in, ROUTER_no_route)
					     : want_forward(&in, 1, ROUTER_forward));
		}
	lab_case(*state, "the numbers mean something else in ICMP");
	frame_icmp(&in, .icmp_type = 135);
	lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
}

static void up_too(const struct lab *lab, const char *dev, const char *source)
{
	struct ecmper_up_options options = {
		.pin = lab->pin, .role = lab->role, .mark = -1, .flight_ms = -1, .dev_count = 1};
	struct ecmper_up_report report;
	struct ecmper_error err;

	strcpy(options.devs[0], dev);
	if (source)
		assert_int_equal(ecmper_addr_parse(source, &options.icmp_source[0]), 0);
	if (ecmper_up(&options, &report, &err))
		fail_msg("up: %s", err.text);
}

/* A bond's NICs have indices of their own, which nobody named. Here it is that of lo. */
static void what_comes_in_by_a_device_that_nobody_named_is_answered_too(void **state)
{
	struct lab *lab = *state;
	struct frame in;
	struct want want;

	lab->ifindex = 0;
	frame_tcp(&in, .ttl = 1);
	lab_expect(lab, &in, want_answer(&in, ROUTER_ttl, 0));
	lab_case(lab, "after an up of a device without an address");
	up_too(lab, way_out(1), NULL);
	lab_expect(lab, &in, want_answer(&in, ROUTER_ttl, 0));
	lab_case(lab, "after an up that says another source");
	up_too(lab, way_out(1), "10.0.1.101");
	want = want_answer(&in, ROUTER_ttl, 0);
	frame_ip(&want.frame)->saddr = inet_addr("10.0.1.101");
	frame_set_check(&want.frame);
	lab_expect(lab, &in, want);
}

#define with_one(test) cmocka_unit_test_setup_teardown(test, one_server, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_one(every_kind_of_packet_is_answered),
		with_one(its_checksums_are_right_for_every_id),
		with_one(some_packets_are_never_answered),
		with_one(what_a_server_sent_back_is_not_answered),
		with_one(what_comes_in_by_a_device_that_nobody_named_is_answered_too),
		with_one(discovery_is_the_kernels_for_every_address),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
