// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and VLAN tags: a frame comes with none, one or two, of either type, and leaves with
 * its next hop's tag or without one, byte for byte.
 */
#include <netinet/in.h>
#include <string.h>
#include "harness.h"

#define VLAN     77
#define Q        ETH_P_8021Q
#define AD       ETH_P_8021AD
#define PRIORITY 0xb000 /* of a tag: 5, and drop eligible */

/* What a frame may come with. */
static const struct {
	const char *name;
	unsigned int count;
	struct tag tags[2];
} arrivals[] = {
	{"no tag", 0, {}},
	{"802.1Q", 1, {{Q, 5}}},
	{"802.1ad", 1, {{AD, 5}}},
	{"802.1Q with all bits", 1, {{Q, 0xffff}}},
	{"priority only", 1, {{Q, PRIORITY}}},
	{"802.1ad, 802.1Q", 2, {{AD, PRIORITY | 6}, {Q, 0x7000 | 5}}},
	{"802.1Q, 802.1Q", 2, {{Q, 6}, {Q, PRIORITY | 5}}},
	{"802.1Q, 802.1ad", 2, {{Q, 0x2000 | 6}, {AD, 5}}},
	{"802.1ad, 802.1ad", 2, {{AD, 0x4000}, {AD, 0}}},
};

/* Prefixes by server 1, which has no tag, and, one address higher, by server 2, which has. */
static int both_kinds_of_servers(void **state)
{
	router_dscp(state);
	lab_edit(*state,
		 "neigh add %s lladdr %s dev %s vlan %d\nadd " VIP " via %s\nadd 10.0.10.1 via %s\n"
		 "add " VIP6 " via %s\nadd fd00:10::11 via %s",
		 server_addr(2), server_mac(2), way_out(2), VLAN, server_addr(1), server_addr(2),
		 server_addr(1), server_addr(2));
	return 0;
}

static struct headers arriving(unsigned int i, bool is_ipv6)
{
	struct headers headers = HEADERS(), headers6 = HEADERS6();
	struct headers *result = is_ipv6 ? &headers6 : &headers;

	memcpy(result->tags, arrivals[i].tags, sizeof(arrivals[i].tags));
	return *result;
}

static uint16_t outer_priority(unsigned int i)
{
	return arrivals[i].count ? arrivals[i].tags[0].tci & 0xf000 : 0;
}

static void every_kind_of_frame_leaves_without_a_tag(void **state)
{
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(arrivals); i++)
		for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
			struct headers headers = arriving(i, is_ipv6);

			for (uint16_t payload = 0; payload < 1200; payload += 333) {
				lab_case(*state, "%s, IPv6 %d, payload %d", arrivals[i].name,
					 is_ipv6, payload);
				headers.payload = payload;
				frame_build(&in, &headers);
				assert_int_equal(in.l3, ETH_HLEN + 4 * arrivals[i].count);
				lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
			}
		}
}

static void every_kind_of_frame_leaves_with_its_next_hops_tag(void **state)
{
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(arrivals); i++)
		for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
			struct headers headers = arriving(i, is_ipv6);

			headers.dst = is_ipv6 ? "fd00:10::11" : "10.0.10.1";
			for (uint16_t payload = 0; payload < 1200; payload += 333) {
				lab_case(*state, "%s, IPv6 %d, payload %d", arrivals[i].name,
					 is_ipv6, payload);
				headers.payload = payload;
				frame_build(&in, &headers);
				lab_expect(*state, &in,
					   want_tag(want_forward(&in, 2, ROUTER_forward),
						    outer_priority(i) | VLAN));
			}
		}
}

static void every_vlan_and_priority_is_as_it_should_be(void **state)
{
	static const uint16_t vlans[] = {1, 0x0ff, 0x100, 4094};
	struct frame in;

	for (unsigned int v = 0; v < ARRAY_SIZE(vlans); v++) {
		lab_edit(*state, "neigh add %s lladdr %s dev %s vlan %d", server_addr(2),
			 server_mac(2), way_out(2), vlans[v]);
		for (uint32_t priority = 0; priority < 0x10000; priority += 0x1000) {
			lab_case(*state, "VLAN %d, priority %x", vlans[v], priority);
			frame_tcp(&in, .dst = "10.0.10.1", .tags = {{Q, priority | 0xaaa}});
			lab_send(*state, &in,
				 want_tag(want_forward(&in, 2, ROUTER_forward),
					  priority | vlans[v]));
		}
	}
	lab_settle(*state);
	lab_case(*state, "no VLAN any more");
	lab_edit(*state, "neigh add %s lladdr %s dev %s", server_addr(2), server_mac(2),
		 way_out(2));
	lab_expect(*state, &in, want_forward(&in, 2, ROUTER_forward));
}

static void tags_do_not_move_a_flow(void **state)
{
	struct frame in;
	int owner;

	lab_edit(*state, "add " VIP " via %s via %s via %s", server_addr(3), server_addr(4),
		 server_addr(5));
	for (uint16_t port = 1000; port < 1032; port++)
		for (unsigned int i = 0; i < ARRAY_SIZE(arrivals); i++) {
			struct headers headers = arriving(i, false);

			lab_case(*state, "%s, port %d", arrivals[i].name, port);
			frame_tcp(&in, .sport = port);
			owner = owner_of(*state, &in);
			headers.sport = port;
			frame_build(&in, &headers);
			lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
		}
	lab_settle(*state);
}

static void three_tags_are_the_kernels(void **state)
{
	struct frame in;

	frame_tcp(&in, .tags = {{AD, 1}, {Q, 2}, {Q, 3}});
	lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
	frame_tcp6(&in, .tags = {{Q, 1}, {Q, 2}, {AD, 3}});
	lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
	frame_tcp6(&in, .tags = {{Q, 1}, {Q, 2}, {AD, 3}, {Q, 4}}, .cut = ETH_HLEN + 12);
	lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
}

static void what_is_no_ip_behind_tags_is_the_kernels(void **state)
{
	static const uint16_t types[] = {ETH_P_ARP, ETH_P_MPLS_UC, ETH_P_PPP_SES, 0x88cc, 46};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		lab_case(*state, "type %04x", types[i]);
		frame_tcp(&in, .tags = {{Q, 1}}, .ethertype = types[i]);
		lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
		frame_tcp(&in, .tags = {{AD, 1}, {Q, 1}}, .ethertype = types[i]);
		lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
	}
}

static void tags_that_are_cut_off_are_the_kernels(void **state)
{
	struct frame in;

	for (uint32_t length = ETH_HLEN; length < ETH_HLEN + 4; length++) {
		lab_case(*state, "%u bytes", length);
		frame_tcp(&in, .tags = {{Q, 1}}, .cut = length);
		lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
		frame_tcp6(&in, .tags = {{AD, 1}, {Q, 1}}, .cut = length + 4);
		lab_expect(*state, &in, want_pass(&in, ROUTER_not_ip));
	}
}

static void behind_tags_headers_are_judged_as_in_front(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
		enum ecmper_router_reason reason;
	} cases[] = {
		{"no route", HEADERS(.tags = {{Q, 1}}, .dst = "10.9.9.9"), ROUTER_no_route},
		{"multicast", HEADERS(.tags = {{Q, 1}}, .to = "01:00:5e:00:00:01"),
		 ROUTER_not_unicast},
		{"multicast, IPv6", HEADERS6(.tags = {{Q, 1}}, .to = "33:33:00:00:00:01"),
		 ROUTER_not_unicast},
		{"version", HEADERS(.tags = {{Q, 1}}, .version = 6), ROUTER_bad_header},
		{"version of IPv6", HEADERS6(.tags = {{Q, 1}}, .version = 4), ROUTER_bad_header},
		{"longer than the frame", HEADERS(.tags = {{Q, 1}}, .total_length = 41),
		 ROUTER_bad_header},
		{"longer than the frame, IPv6", HEADERS6(.tags = {{Q, 1}}, .total_length = 21),
		 ROUTER_bad_header},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_build(&in, &cases[i].headers);
		lab_expect(*state, &in,
			   cases[i].reason == ROUTER_bad_header ? want_drop(&in, cases[i].reason)
								: want_pass(&in, cases[i].reason));
	}
}

static void a_one_armed_router_sends_out_by_the_device_it_came_from(void **state)
{
	struct lab *lab = *state;
	struct frame in;
	struct want want;

	lab_edit(lab,
		 "neigh add %s lladdr %s dev %s vlan 20\nneigh add %s lladdr %s dev %s\n"
		 "add 10.0.10.2 via %s\nadd fd00:10::12 via %s",
		 server_addr(3), server_mac(3), lab->dev, server_addr(4), server_mac(4), lab->dev,
		 server_addr(3), server_addr(4));
	lab_case(lab, "from one VLAN into another");
	frame_tcp(&in, .dst = "10.0.10.2", .tags = {{Q, PRIORITY | 10}});
	want = want_tag(want_forward(&in, 3, ROUTER_forward), PRIORITY | 20);
	frame_set_macs(&want.frame, server_mac(3), INGRESS_MAC);
	lab_expect(lab, &in, want);
	lab_case(lab, "from a VLAN into none");
	frame_tcp6(&in, .dst = "fd00:10::12", .tags = {{Q, PRIORITY | 10}});
	want = want_forward(&in, 4, ROUTER_forward);
	frame_set_macs(&want.frame, server_mac(4), INGRESS_MAC);
	lab_expect(lab, &in, want);
}

static void a_bounced_frame_with_a_tag_goes_to_the_previous_owner(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(2), server_addr(1));
	frame_tcp(&in, .from = server_mac(2), .tags = {{Q, 0x2000 | VLAN}}, .tos = DSCP_MARK(1, 1));
	lab_expect(*state, &in, want_tos(want_forward(&in, 1, ROUTER_history), DSCP_MARK(LAST, 1)));
	lab_edit(*state, "add " VIP " via %s\ndel " VIP " via %s", server_addr(1), server_addr(2));
	frame_tcp(&in, .from = server_mac(1), .tos = DSCP_MARK(1, 1));
	lab_expect(
		*state, &in,
		want_tag(want_tos(want_forward(&in, 2, ROUTER_history), DSCP_MARK(LAST, 1)), VLAN));
}

static void a_frame_in_several_buffers_gets_and_loses_its_tag(void **state)
{
	static const uint16_t payloads[] = {3400, 3440, 3500, 4000, 8900};
	struct frame in;

	ip_batch("link set %s mtu 9000\n", way_out(1));
	ip_batch("link set %s mtu 9000\n", way_out(2));
	lab_edit(*state, "neigh add %s lladdr %s dev %s\nneigh add %s lladdr %s dev %s vlan %d",
		 server_addr(1), server_mac(1), way_out(1), server_addr(2), server_mac(2),
		 way_out(2), VLAN);
	for (unsigned int i = 0; i < ARRAY_SIZE(payloads); i++) {
		lab_case(*state, "%d bytes of payload", payloads[i]);
		frame_tcp(&in, .tags = {{AD, 1}, {Q, 2}}, .payload = payloads[i]);
		lab_expect(*state, &in, want_forward(&in, 1, ROUTER_forward));
		frame_tcp(&in, .dst = "10.0.10.1", .payload = payloads[i]);
		lab_expect(*state, &in, want_tag(want_forward(&in, 2, ROUTER_forward), VLAN));
	}
}

static void only_a_frame_that_gets_longer_needs_room_in_front(void **state)
{
	struct lab *lab = *state;
	struct frame in;

	for (lab->front = FRONT_MAX - 8; lab->front <= FRONT_MAX; lab->front += 4) {
		lab_case(lab, "%u bytes in front taken", lab->front);
		frame_tcp(&in, .dst = "10.0.10.1", .payload = FRONT_MAX);
		lab_expect(lab, &in,
			   lab->front < FRONT_MAX
				   ? want_tag(want_forward(&in, 2, ROUTER_forward), VLAN)
				   : want_drop(&in, ROUTER_no_headroom));
		frame_tcp(&in, .dst = "10.0.10.1", .tags = {{Q, 5}}, .payload = FRONT_MAX);
		lab_expect(lab, &in, want_tag(want_forward(&in, 2, ROUTER_forward), VLAN));
		frame_tcp(&in, .payload = FRONT_MAX);
		lab_expect(lab, &in, want_forward(&in, 1, ROUTER_forward));
	}
	lab->front = 0;
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, both_kinds_of_servers, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(every_kind_of_frame_leaves_without_a_tag),
		with_router(every_kind_of_frame_leaves_with_its_next_hops_tag),
		with_router(every_vlan_and_priority_is_as_it_should_be),
		with_router(tags_do_not_move_a_flow),
		with_router(three_tags_are_the_kernels),
		with_router(what_is_no_ip_behind_tags_is_the_kernels),
		with_router(tags_that_are_cut_off_are_the_kernels),
		with_router(behind_tags_headers_are_judged_as_in_front),
		with_router(a_one_armed_router_sends_out_by_the_device_it_came_from),
		with_router(a_bounced_frame_with_a_tag_goes_to_the_previous_owner),
		with_router(a_frame_in_several_buffers_gets_and_loses_its_tag),
		with_router(only_a_frame_that_gets_longer_needs_room_in_front),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
