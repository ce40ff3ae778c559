// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and what may stand in a header: which frames are forwarded, which are the kernel's,
 * which are dropped, and that what is not forwarded is not touched.
 */
#include <netinet/in.h>
#include "harness.h"

static int one_server(void **state)
{
	router_dscp(state);
	lab_edit(*state, "add " VIP " via %s", server_addr(1));
	return 0;
}

static void headers_that_contradict_each_other_are_dropped(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
		{"ihl 0", HEADERS(.ihl = 0)},
		{"ihl 1", HEADERS(.ihl = 1)},
		{"ihl 4", HEADERS(.ihl = 4)},
		{"version 0", HEADERS(.version = 0)},
		{"version 5", HEADERS(.version = 5)},
		{"version 6", HEADERS(.version = 6)},
		{"version 15", HEADERS(.version = 15)},
		{"total length 0", HEADERS(.total_length = 0)},
		{"total length 19", HEADERS(.total_length = 19)},
		{"total length 20 with ihl 6", HEADERS(.ihl = 6, .total_length = 20)},
		{"total length 59 with ihl 15", HEADERS(.ihl = 15, .total_length = 59)},
		{"bad as well as TTL 0", HEADERS(.ihl = 4, .ttl = 0)},
		{"bad as well as without a route", HEADERS(.ihl = 4, .dst = "10.9.9.9")},
		{"bad as well as a fragment", HEADERS(.ihl = 4, .fragment = MORE_FRAGMENTS)},
		{"bad as well as marked", HEADERS(.version = 5, .tos = DSCP_MARK(1, 0))},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_build(&in, &cases[i].headers);
		lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
	}
}

static void ports_that_do_not_fit_the_datagram_are_dropped(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(protos); i++)
		for (int length = IP_LENGTH; length < IP_LENGTH + 4; length++) {
			lab_case(*state, "protocol %d, total length %d", protos[i], length);
			frame_make(&in, .proto = protos[i], .total_length = length);
			in.counted = ETH_HLEN + length;
			lab_send(*state, &in, want_drop(&in, ROUTER_bad_header));
		}
	lab_settle(*state);
}

static void frames_that_end_within_the_header_are_dropped(void **state)
{
	struct frame in;

	for (uint32_t length = ETH_HLEN; length < IP_END; length++) {
		lab_case(*state, "%u bytes", length);
		frame_tcp(&in, .cut = length);
		lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
	}
}

static void frames_that_end_before_the_ports_are_dropped(void **state)
{
	struct frame in;

	for (uint32_t length = IP_END; length < IP_END + 4; length++) {
		lab_case(*state, "%u bytes", length);
		frame_tcp(&in, .cut = length, .total_length = length - ETH_HLEN);
		lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
		lab_case(*state, "%u bytes behind 40 bytes of options", length);
		frame_udp(&in, .ihl = 15, .cut = length + 40,
			  .total_length = length + 40 - ETH_HLEN);
		lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
	}
}

static void frames_that_are_shorter_than_they_say_are_dropped(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
		{"within IP options",
		 HEADERS(.ihl = 15, .proto = IPPROTO_ICMP, .cut = IP_END + 39)},
		{"within a fragment's IP options",
		 HEADERS(.ihl = 15, .fragment = FRAGMENT_AT(8), .cut = IP_END + 39)},
		{"before the ports", HEADERS(.cut = IP_END + 3)},
		{"within the TCP header", HEADERS(.cut = IP_END + 19)},
		{"by one byte", HEADERS(.payload = 100, .cut = IP_END + 20 + 99)},
		{"total length 65535", HEADERS(.total_length = 65535)},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_build(&in, &cases[i].headers);
		lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
	}
}

static void the_smallest_good_datagrams_are_forwarded(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
		{"ports and no more", HEADERS(.cut = IP_END + 4, .total_length = IP_LENGTH + 4)},
		{"a header and no more",
		 HEADERS(.proto = IPPROTO_ICMP, .cut = IP_END, .total_length = IP_LENGTH)},
		{"a header with options and no more",
		 HEADERS(.proto = IPPROTO_GRE, .ihl = 15, .cut = IP_END + 40, .total_length = 60)},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_build(&in, &cases[i].headers);
		lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
	}
}

static void other_ether_types_go_to_the_kernel(void **state)
{
	static const uint16_t types[] = {
		ETH_P_ARP,     ETH_P_8021Q,   ETH_P_8021AD, ETH_P_LOOP,
		ETH_P_MPLS_UC, ETH_P_PPP_SES, ETH_P_LLDP,   46 /* a length: 802.3 */};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		lab_case(*state, "type %04x", types[i]);
		frame_tcp(&in, .ethertype = types[i], .cut = 60);
		lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
		frame_tcp(&in, .ethertype = types[i], .cut = ETH_HLEN);
		lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
		frame_tcp(&in, .ethertype = types[i], .to = "ff:ff:ff:ff:ff:ff");
		lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
	}
}

static void frames_to_many_go_to_the_kernel(void **state)
{
	static const char *const macs[] = {"ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01",
					   "01:80:c2:00:00:00", "03:00:00:00:00:00"};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(macs); i++) {
		lab_case(*state, "to %s", macs[i]);
		frame_tcp(&in, .to = macs[i], .tos = DSCP_MARK(1, 0), .ttl = 1);
		lab_expect(*state, &in, want_pass(&in, ROUTER_not_unicast));
	}
}

static void every_ttl_above_one_is_decremented(void **state)
{
	struct frame in;

	for (int ttl = 0; ttl < 256; ttl++) {
		lab_case(*state, "TTL %d", ttl);
		frame_tcp(&in, .ttl = ttl);
		lab_send(*state, &in,
			 ttl <= 1 ? want_answer(&in, ROUTER_ttl, 0)
				  : want_forward(&in, 1, ROUTER_forward));
	}
	lab_settle(*state);
}

static void a_route_is_looked_for_before_the_ttl_is_judged(void **state)
{
	struct frame in;

	frame_tcp(&in, .ttl = 1, .dst = "10.9.9.9");
	lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
	frame_tcp(&in, .ttl = 1, .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in, want_noted(want_answer(&in, ROUTER_ttl, 0), ROUTER_mark_cleared));
	lab_edit(*state, "add " VIP " via %s weight 0", server_addr(1));
	frame_tcp(&in, .ttl = 1);
	lab_expect(*state, &in, want_answer(&in, ROUTER_ttl, 0));
	frame_tcp(&in, .ttl = 1, .flags = SYN);
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
}

static void padding_is_kept_but_not_counted(void **state)
{
	struct frame in;

	for (uint16_t padding = 0; padding < 64; padding += 6) {
		lab_case(*state, "%d bytes of padding", padding);
		frame_tcp(&in, .padding = padding);
		lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
	}
}

static void a_jumbo_frame_comes_through_whole(void **state)
{
	static const uint16_t payloads[] = {1460, 3400, 3500, 4000, 8960};
	struct frame in;

	ip_batch("link set %s mtu 9000\n", way_out(1));
	lab_edit(*state, "neigh add %s lladdr %s dev %s", server_addr(1), server_mac(1),
		 way_out(1));
	for (unsigned int i = 0; i < ARRAY_SIZE(payloads); i++) {
		lab_case(*state, "%d bytes of payload", payloads[i]);
		frame_tcp(&in, .payload = payloads[i], .flags = PSH | ACK);
		lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
	}
}

/* Of a long frame, only the beginning is readable. */
static void what_says_no_length_counts_with_all_of_the_frame(void **state)
{
	struct frame in;

	frame_tcp(&in, .payload = 6000, .ethertype = ETH_P_ARP);
	in.counted = in.length;
	lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
	frame_tcp(&in, .payload = 6000, .to = "01:00:5e:00:00:01");
	lab_expect(*state, &in, want_pass(&in, ROUTER_not_unicast));
	frame_tcp(&in, .payload = 6000, .version = 7);
	lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
}

#define with_one(test) cmocka_unit_test_setup_teardown(test, one_server, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_one(headers_that_contradict_each_other_are_dropped),
		with_one(ports_that_do_not_fit_the_datagram_are_dropped),
		with_one(frames_that_end_within_the_header_are_dropped),
		with_one(frames_that_end_before_the_ports_are_dropped),
		with_one(frames_that_are_shorter_than_they_say_are_dropped),
		with_one(the_smallest_good_datagrams_are_forwarded),
		with_one(other_ether_types_go_to_the_kernel),
		with_one(frames_to_many_go_to_the_kernel),
		with_one(every_ttl_above_one_is_decremented),
		with_one(a_route_is_looked_for_before_the_ttl_is_judged),
		with_one(padding_is_kept_but_not_counted),
		with_one(a_jumbo_frame_comes_through_whole),
		with_one(what_says_no_length_counts_with_all_of_the_frame),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
