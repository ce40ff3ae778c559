// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames that are not addressed to the host that sees them, as a switch floods them or as a device
 * in promiscuous mode takes them: no business of either program.
 */
#include <errno.h>
#include <string.h>
#include "server.h"

#define VRRP_MAC "00:00:5e:00:01:07"
#define NEW_MAC  "02:00:00:00:01:99"

/* Up again, with other MACs that are this host's, too; NULL: none. */
static int up_again(struct lab *lab, const char *dev, const char *const *also, unsigned int count,
		    struct ecmper_error *err)
{
	struct ecmper_net vip;
	struct ecmper_up_options options = {
		.pin = lab->pin, .role = lab->role, .mark = -1, .flight_ms = -1, .dev_count = 1};
	struct ecmper_up_report report;

	assert_int_equal(ecmper_net_parse(VIP "/32", &vip), 0);
	options.vips = &vip;
	options.vip_count = lab->role == ECMPER_SERVER;
	strcpy(options.devs[0], dev);
	for (unsigned int i = 0; i < count; i++)
		mac_parse(also[i], options.also_macs[i]);
	options.also_mac_count = count;
	return ecmper_up(&options, &report, err);
}

static void renew(struct lab *lab, const char *dev, const char *also)
{
	struct ecmper_error err;

	if (up_again(lab, dev, &also, !!also, &err))
		fail_msg("up: %s", err.text);
}

static void expect_taken(struct lab *lab, const char *mac)
{
	struct frame in;

	lab_case(lab, "taken: %s", mac);
	frame_tcp(&in, .to = mac);
	lab_expect(lab, &in, want_forward(&in, 1, ROUTER_forward));
	frame_tcp(&in, .to = mac, .ihl = 6);
	lab_expect(lab, &in, want_forward(&in, 1, ROUTER_forward));
	frame_tcp(&in, .to = mac, .tags = {{ETH_P_8021Q, 7}});
	lab_expect(lab, &in, want_forward(&in, 1, ROUTER_forward));
	frame_tcp6(&in, .to = mac);
	lab_expect(lab, &in, want_forward(&in, 1, ROUTER_forward));
}

static void expect_left_alone(struct lab *lab, const char *mac)
{
	struct frame in;

	lab_case(lab, "left alone: %s", mac);
	frame_tcp(&in, .to = mac);
	lab_expect(lab, &in, want_pass(&in, ROUTER_not_mine));
	frame_tcp(&in, .to = mac, .ihl = 6, .tos = DSCP_MARK(1, 0), .from = server_mac(1));
	lab_expect(lab, &in, want_pass(&in, ROUTER_not_mine));
	frame_tcp6(&in, .to = mac, .tags = {{ETH_P_8021Q, 7}});
	lab_expect(lab, &in, want_pass(&in, ROUTER_not_mine));
	/* Headers are not looked at. */
	frame_tcp(&in, .to = mac, .ihl = 4);
	lab_expect(lab, &in, want_pass(&in, ROUTER_not_mine));
}

static void only_the_devices_own_mac_is_the_routers(void **state)
{
	uint8_t bytes[6];
	char mac[ECMPER_MAC_STRLEN];

	lab_edit(*state, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(1), server_addr(1));
	expect_taken(*state, INGRESS_MAC);
	for (int bit = 1; bit < 48; bit++) {
		mac_parse(INGRESS_MAC, bytes);
		bytes[bit / 8] ^= 1 << bit % 8;
		if (!(bytes[0] & 1))
			expect_left_alone(*state, ecmper_mac_format(bytes, mac));
	}
	expect_left_alone(*state, "00:00:00:00:00:00");
}

static void all_devices_that_it_is_on_are_its_own(void **state)
{
	struct lab *lab = *state;

	lab_edit(lab, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(1), server_addr(1));
	expect_left_alone(lab, way_out_mac(1));
	renew(lab, way_out(1), NULL);
	/* By whatever device: what comes in by a bond has the index of one of its NICs. */
	expect_taken(lab, INGRESS_MAC);
	expect_taken(lab, way_out_mac(1));
	expect_left_alone(lab, way_out_mac(2));
}

static void also_macs_stay_until_others_are_said(void **state)
{
	lab_edit(*state, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(1), server_addr(1));
	expect_left_alone(*state, VRRP_MAC);
	renew(*state, "in0", VRRP_MAC);
	expect_taken(*state, INGRESS_MAC);
	expect_taken(*state, VRRP_MAC);
	renew(*state, way_out(1), NULL);
	expect_taken(*state, VRRP_MAC);
	renew(*state, "in0", FOREIGN_MAC);
	expect_left_alone(*state, VRRP_MAC);
	expect_taken(*state, FOREIGN_MAC);
	expect_taken(*state, INGRESS_MAC);
	expect_taken(*state, way_out_mac(1));
}

static void an_up_follows_a_device_that_got_another_mac(void **state)
{
	struct lab *lab = *state;

	lab_edit(lab, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(1), server_addr(1));
	ip_batch("link set in0 address " NEW_MAC "\n");
	expect_left_alone(lab, NEW_MAC);
	renew(lab, "in0", NULL);
	expect_taken(lab, NEW_MAC);
	expect_left_alone(lab, INGRESS_MAC);
	/* Also one that names another device. */
	ip_batch("link set in0 address " INGRESS_MAC "\n");
	renew(lab, way_out(1), NULL);
	expect_taken(lab, INGRESS_MAC);
	expect_left_alone(lab, NEW_MAC);
}

static void a_device_that_is_gone_takes_its_mac_along(void **state)
{
	struct lab *lab = *state;

	lab_edit(lab, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(2), server_addr(2));
	renew(lab, way_out(1), NULL);
	ip_batch("link del %s\n", way_out(1));
	renew(lab, "in0", NULL);
	expect_left_alone(lab, way_out_mac(1));
}

static void an_up_that_fails_leaves_the_macs_as_they_were(void **state)
{
	static const char *const also[] = {VRRP_MAC};
	struct lab *lab = *state;
	struct ecmper_error err;

	lab_edit(lab, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(1), server_addr(1));
	ip_batch("link set in0 mtu 1500\nlink add busy type veth peer name busy-end\n");
	assert_int_not_equal(up_again(lab, "no-such", also, 1, &err), 0);
	expect_left_alone(lab, VRRP_MAC);
	expect_taken(lab, INGRESS_MAC);
}

/* The same last byte, and so the same line of the map. */
static void as_many_as_there_is_room_for_can_all_be_replaced(void **state)
{
	static const char *const some[] = {
		"02:0a:00:00:01:05", "02:0a:00:00:02:05", "02:0a:00:00:03:05", "02:0a:00:00:04:05",
		"02:0a:00:00:05:05", "02:0a:00:00:06:05", "02:0a:00:00:07:05", "02:0a:00:00:08:05"};
	static const char *const others[] = {
		"02:0b:00:00:01:05", "02:0b:00:00:02:05", "02:0b:00:00:03:05", "02:0b:00:00:04:05",
		"02:0b:00:00:05:05", "02:0b:00:00:06:05", "02:0b:00:00:07:05", "02:0b:00:00:08:05"};
	struct lab *lab = *state;
	struct ecmper_error err;

	lab_edit(lab, "add " VIP " via %s\nadd " VIP6 " via %s", server_addr(1), server_addr(1));
	assert_int_equal(up_again(lab, "in0", some, ARRAY_SIZE(some), &err), 0);
	assert_int_equal(up_again(lab, "in0", others, ARRAY_SIZE(others), &err), 0);
	expect_taken(lab, INGRESS_MAC);
	for (unsigned int i = 0; i < ARRAY_SIZE(some); i++) {
		expect_left_alone(lab, some[i]);
		expect_taken(lab, others[i]);
	}
	ip_batch("link add ninth address 02:0c:00:00:00:05 type veth peer ninth-end\n");
	assert_int_equal(up_again(lab, "ninth", NULL, 0, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "map own_macs has room for 8 MACs that end in the same"));
	expect_taken(lab, others[0]);
	assert_int_equal(up_again(lab, "ninth", some, 1, &err), 0);
}

static void a_server_does_not_bounce_what_is_anothers(void **state)
{
	struct frame in;

	renew(*state, "eth0", NULL); /* and no more the MAC that the set-up took */
	for (int tos = 0; tos < 256; tos++) {
		lab_case(*state, "ToS %02x", tos);
		frame_tcp(&in, .to = server_mac(2), .tos = tos);
		lab_send(*state, &in, want_pass(&in, SERVER_not_mine));
		frame_tcp6(&in, .to = server_mac(2), .tos = tos);
		lab_send(*state, &in, want_pass(&in, SERVER_not_mine));
	}
	lab_settle(*state);
	frame_udp(&in, .to = server_mac(2), .dport = 9);
	lab_expect(*state, &in, want_pass(&in, SERVER_not_mine));
	frame_to_server(&in);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	renew(*state, "eth0", VRRP_MAC);
	frame_tcp(&in, .to = VRRP_MAC);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)
#define with_server(test) cmocka_unit_test_setup_teardown(test, server_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(only_the_devices_own_mac_is_the_routers),
		with_router(all_devices_that_it_is_on_are_its_own),
		with_router(also_macs_stay_until_others_are_said),
		with_router(an_up_follows_a_device_that_got_another_mac),
		with_router(a_device_that_is_gone_takes_its_mac_along),
		with_router(an_up_that_fails_leaves_the_macs_as_they_were),
		with_router(as_many_as_there_is_room_for_can_all_be_replaced),
		with_server(a_server_does_not_bounce_what_is_anothers),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
