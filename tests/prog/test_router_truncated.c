// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and frames that end early: of every kind of frame, every length from the Ethernet
 * header on, once with the lengths that the frame had when it was whole and once with lengths that
 * fit. Each is forwarded, left to the kernel or dropped for the right reason.
 */
#include <netinet/in.h>
#include <string.h>
#include "harness.h"

static int one_server(void **state)
{
	router_dscp(state);
	lab_edit(*state, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(1), server_addr(1));
	return 0;
}

/* A kind of frame, and what of it is needed to tell its flow, from the end of its IP header on. */
static const struct {
	const char *name;
	unsigned int needed;
	struct headers headers;
} kinds[] = {
	{"TCP", 4, HEADERS()},
	{"TCP, two tags", 4, HEADERS(.tags = {{ETH_P_8021AD, 1}, {ETH_P_8021Q, 2}})},
	{"ICMP, a tag", 0, HEADERS(.proto = 1, .tags = {{ETH_P_8021Q, 2}})},
	{"UDP over IPv6", 4, HEADERS6(.proto = 17)},
	{"TCP over IPv6, two tags", 4, HEADERS6(.tags = {{ETH_P_8021AD, 1}, {ETH_P_8021Q, 2}})},
	{"ESP over IPv6, a tag", 0,
	 HEADERS6(.proto = IPPROTO_ESP, .payload = 30, .tags = {{ETH_P_8021Q, 2}})},
	{"TCP behind extension headers, a tag", 8 + 16 + 24 + 8 + 4,
	 HEADERS6(EXT({EXT_HOP}, {EXT_AUTH}, {EXT_DEST, .size = 24}, {EXT_FRAGMENT}),
		  .tags = {{ETH_P_8021Q, 2}})},
	{"an extension header and no more", 24,
	 HEADERS6(EXT({EXT_DEST, .size = 24}), .proto = NO_NEXT, .payload = 20)},
};

static uint32_t l3_of(const struct headers *headers)
{
	uint32_t tags = 0;

	while (headers->tags[tags].type)
		tags++;
	return ETH_HLEN + 4 * tags;
}

static void of_what_is_shorter_than_it_says_nothing_is_forwarded(void **state)
{
	struct frame in, whole;

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct headers headers = kinds[i].headers;
		uint32_t l3 = l3_of(&headers);

		frame_build(&whole, &headers);
		for (uint32_t length = ETH_HLEN; length <= whole.length; length++) {
			lab_case(*state, "%s, %u bytes", kinds[i].name, length);
			headers.cut = length;
			frame_build(&in, &headers);
			lab_send(*state, &in,
				 length < l3             ? want_pass(&in, ROUTER_not_ip)
				 : length < whole.length ? want_drop(&in, ROUTER_bad_header)
							 : want_forward(&in, 1, ROUTER_forward));
		}
	}
	lab_settle(*state);
}

static void what_says_how_long_it_is_is_forwarded_once_its_flow_is_there(void **state)
{
	struct frame in, whole;

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct headers headers = kinds[i].headers;
		uint32_t l3 = l3_of(&headers), header = headers.is_ipv6 ? IP6_LENGTH : IP_LENGTH;

		frame_build(&whole, &headers);
		for (uint32_t length = l3 + header; length <= whole.length; length++) {
			lab_case(*state, "%s, %u bytes", kinds[i].name, length);
			headers.cut = length;
			headers.total_length = length - l3 - (headers.is_ipv6 ? header : 0);
			frame_build(&in, &headers);
			lab_send(*state, &in,
				 length < l3 + header + kinds[i].needed
					 ? want_drop(&in, ROUTER_bad_header)
					 : want_forward(&in, 1, ROUTER_forward));
		}
	}
	lab_settle(*state);
}

static void padding_is_never_a_part_of_the_flow(void **state)
{
	struct frame in, whole;

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct headers headers = kinds[i].headers;
		uint32_t l3 = l3_of(&headers), header = headers.is_ipv6 ? IP6_LENGTH : IP_LENGTH;

		frame_build(&whole, &headers);
		for (uint32_t length = l3 + header; length <= whole.length; length++) {
			lab_case(*state, "%s, %u bytes of all", kinds[i].name, length);
			headers.total_length = length - l3 - (headers.is_ipv6 ? header : 0);
			frame_build(&in, &headers);
			in.counted = length;
			lab_send(*state, &in,
				 length < l3 + header + kinds[i].needed
					 ? want_drop(&in, ROUTER_bad_header)
					 : want_forward(&in, 1, ROUTER_forward));
		}
	}
	lab_settle(*state);
}

#define with_one(test) cmocka_unit_test_setup_teardown(test, one_server, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_one(of_what_is_shorter_than_it_says_nothing_is_forwarded),
		with_one(what_says_how_long_it_is_is_forwarded_once_its_flow_is_there),
		with_one(padding_is_never_a_part_of_the_flow),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
