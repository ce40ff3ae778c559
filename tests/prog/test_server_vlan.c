// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program and VLAN tags: it looks through two of them, and leaves them as they came,
 * byte for byte, whether the frame is delivered or sent back.
 */
#include <string.h>
#include <unistd.h>
#include "server.h"

#define Q  ETH_P_8021Q
#define AD ETH_P_8021AD

static const struct {
	const char *name;
	struct tag tags[2];
} arrivals[] = {
	{"802.1Q", {{Q, 0xe005}}},
	{"802.1ad", {{AD, 0x1005}}},
	{"802.1Q with all bits", {{Q, 0xffff}}},
	{"802.1ad, 802.1Q", {{AD, 6}, {Q, 0x7005}}},
	{"802.1Q, 802.1Q", {{Q, 6}, {Q, 5}}},
	{"802.1Q, 802.1ad", {{Q, 0}, {AD, 0}}},
};

/* To the server, by one kind of arrival. */
static void build(struct frame *frame, unsigned int i, const struct headers *headers)
{
	struct headers tagged = *headers;

	memcpy(tagged.tags, arrivals[i].tags, sizeof(arrivals[i].tags));
	tagged.to = server_mac(1);
	tagged.from = way_out_mac(1);
	frame_build(frame, &tagged);
}

static void what_is_not_owned_is_sent_back_with_its_tags(void **state)
{
	const struct headers kinds[] = {HEADERS(), HEADERS6(), HEADERS(.proto = 17),
					HEADERS6(EXT({EXT_HOP}, {EXT_AUTH}))};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(arrivals); i++)
		for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++) {
			lab_case(*state, "%s, kind %u", arrivals[i].name, k);
			build(&in, i, &kinds[k]);
			lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
			frame_set_tos(&in, DSCP_MARK(7, 3));
			lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(8, 3)));
			frame_set_tos(&in, DSCP_MARK(LAST, 3));
			lab_expect(*state, &in, want_cleared(&in, SERVER_last, 3));
		}
}

static void what_is_owned_is_delivered_with_its_tags(void **state)
{
	int listener = listen_at(VIP, HTTP), listener6 = listen_at(VIP6, HTTP);
	struct connection it = connection_open(listener, 0), it6 = connection_open(listener6, 0);
	const struct headers kinds[] = {HEADERS(of_connection(it)), HEADERS6(of_connection(it6)),
					HEADERS6(of_connection(it6), EXT({EXT_DEST, .size = 64}))};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(arrivals); i++)
		for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++) {
			lab_case(*state, "%s, kind %u", arrivals[i].name, k);
			build(&in, i, &kinds[k]);
			lab_expect(*state, &in, want_pass(&in, SERVER_owned));
			frame_set_tos(&in, DSCP_MARK(2, 1));
			lab_expect(*state, &in, want_cleared(&in, SERVER_owned, 1));
		}
	connection_close(&it);
	connection_close(&it6);
	close(listener);
	close(listener6);
}

static void behind_tags_headers_are_judged_as_in_front(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
		enum ecmper_server_reason reason;
	} cases[] = {
		{"SYN", HEADERS(.flags = SYN), SERVER_syn},
		{"SYN, IPv6", HEADERS6(.flags = SYN), SERVER_syn},
		{"echo request", HEADERS(.proto = 1), SERVER_other},
		{"echo request, IPv6", HEADERS6(.proto = 58), SERVER_other},
		{"not a VIP", HEADERS(.dst = "10.0.0.1"), SERVER_not_vip},
		{"not a VIP, IPv6", HEADERS6(.dst = "fd00::1"), SERVER_not_vip},
		{"ARP", HEADERS(.ethertype = ETH_P_ARP), SERVER_not_vip},
		{"bad", HEADERS(.version = 6), SERVER_bad_header},
		{"bad, IPv6", HEADERS6(.total_length = 21), SERVER_bad_header},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(arrivals); i++)
		for (unsigned int k = 0; k < ARRAY_SIZE(cases); k++) {
			lab_case(*state, "%s, %s", arrivals[i].name, cases[k].name);
			build(&in, i, &cases[k].headers);
			lab_send(*state, &in, want_pass(&in, cases[k].reason));
		}
	lab_settle(*state);
}

static void multicast_three_tags_and_cut_ones_are_not_for_a_vip(void **state)
{
	struct frame in;

	frame_tcp(&in, .to = "01:00:5e:00:00:01", .tags = {{Q, 1}});
	lab_expect(*state, &in, want_pass(&in, SERVER_not_vip));
	frame_tcp6(&in, .to = "33:33:00:00:00:01", .tags = {{Q, 1}});
	lab_expect(*state, &in, want_pass(&in, SERVER_not_vip));
	frame_tcp(&in, .tags = {{Q, 1}, {Q, 1}, {Q, 1}});
	lab_expect(*state, &in, want_pass(&in, SERVER_not_vip));
	for (uint32_t length = ETH_HLEN; length < ETH_HLEN + 8; length++) {
		lab_case(*state, "%u bytes", length);
		frame_tcp6(&in, .tags = {{AD, 1}, {Q, 1}}, .cut = length);
		lab_expect(*state, &in, want_pass(&in, SERVER_not_vip));
	}
	for (uint32_t length = ETH_HLEN + 8; length < IP6_END + 8; length++) {
		lab_case(*state, "%u bytes", length);
		frame_tcp6(&in, .tags = {{AD, 1}, {Q, 1}}, .cut = length);
		lab_expect(*state, &in, want_pass(&in, SERVER_bad_header));
	}
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, server_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_server(what_is_not_owned_is_sent_back_with_its_tags),
		with_server(what_is_owned_is_delivered_with_its_tags),
		with_server(behind_tags_headers_are_judged_as_in_front),
		with_server(multicast_three_tags_and_cut_ones_are_not_for_a_vip),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
