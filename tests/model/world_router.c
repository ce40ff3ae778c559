// SPDX-License-Identifier: GPL-2.0-only
/*
 * A router's world: prefixes of both families, servers and neighbours behind devices of all kinds,
 * and a history made by edits. What the edits came to is read with the library's views, as numbers
 * of next hops in buckets; everything else of the model is its own.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../prog/harness.h"
#include "run.h"
#include "world_router.h"

#define NEIGHBOURS        40 /* 1 to 16: IPv4 servers, to 28: IPv6 servers, then clients */
#define SERVERS           28
#define LINK_LOCAL        24 /* of the servers, those from here on are fe80::1 on as many devices */
#define DEVICES           8
#define DEVICE_OF(server) (DEVICES - 1 - (SERVERS - (server))) /* of a link-local one */
#define OTHER_MAC         "00:00:5e:00:01:07" /* of a virtual router, also its own */
#define UNRESOLVED        3                   /* every so many'th server has no MAC at first */

static struct lab *lab;
static struct model_router router;

static const struct {
	const char *name, *mac;
	uint32_t mtu;
} devices[DEVICES] = {
	{"out1", "02:00:00:00:00:01", 1500},  {"out2", "02:00:00:00:00:02", 1500},
	{"out3", "02:00:00:00:00:03", 1500},  {"out4", "02:00:00:00:00:04", 1500},
	{"small", "02:00:00:00:00:05", 600},  {"wide", "02:00:00:00:00:06", 9000},
	{"huge", "02:00:00:00:00:07", 65535}, {"gone", "02:00:00:00:00:08", 1500},
};

/* What was said of each neighbour by `neigh add`. */
static struct neighbour {
	bool is_set;
	uint8_t mac[6];
	uint32_t device;
	uint16_t vlan;
} neighbours[NEIGHBOURS + 1];
static bool is_gone; /* device "gone" */

static const char *const prefixes[] = {
	"10.0.10.0/32",     "10.0.10.1/32",     "10.0.10.0/28",       "10.0.20.0/24",
	"10.0.20.128/25",   "10.0.20.200/32",   "2001:db8:10::1/128", "2001:db8:10::2/128",
	"2001:db8:10::/64", "2001:db8:20::/48", "10.0.0.0/8",         "2001:db8::/32",
	"10.0.1.0/24",      "2001:db8:1::/64",  "0.0.0.0/0",          "::/0",
};
#define PREFIXES        ARRAY_SIZE(prefixes)
#define CONNECTED_FIRST 12 /* of these and the next, the prefix may be connected */
#define CONNECTED_LAST  13

static const char *neighbour_addr(uint32_t i)
{
	static char text[64];

	if (i <= 16)
		snprintf(text, sizeof(text), "10.0.0.%u", i);
	else if (i >= LINK_LOCAL && i <= SERVERS)
		snprintf(text, sizeof(text), "fe80::1%%%s", devices[DEVICE_OF(i)].name);
	else if (i <= SERVERS)
		snprintf(text, sizeof(text), "2001:db8::%x", i);
	else if (i % 2)
		snprintf(text, sizeof(text), "10.0.1.%u", i);
	else
		snprintf(text, sizeof(text), "2001:db8:1::%x", i);
	return text;
}

/* Returns false when the edit is refused, as some are. */
static bool __attribute__((format(printf, 1, 2))) edit(const char *format, ...)
{
	struct ecmper_changes changes = {};
	struct ecmper_error err = {""};
	char lines[4096];
	va_list args;
	FILE *file;
	int ret;

	va_start(args, format);
	vsnprintf(lines, sizeof(lines), format, args);
	va_end(args);
	file = fmemopen(lines, strlen(lines), "r");
	ret = ecmper_changes_read(&changes, file, "edit", false, &err);
	fclose(file);
	ret = ret ?: ecmper_edit(lab->router, &changes, ECMPER_EDIT_BATCH, NULL, &err);
	ecmper_changes_free(&changes);
	if (ret && getenv("MODEL_EDITS"))
		printf("# refused: %s: %s\n", lines, err.text);
	return !ret;
}

static void set_neighbour(struct random *random, uint32_t i)
{
	struct neighbour to = {.is_set = true,
			       .mac = {0x02, 0x03, 0x04, 0x05, i <= 16 ? 6 : 7, i},
			       .device = random_below(random, DEVICES - is_gone)};
	char mac[ECMPER_MAC_STRLEN], line[256];
	int length;

	if (i >= LINK_LOCAL && i <= SERVERS)
		to.device = DEVICE_OF(i);
	if (one_in(random, 8))
		to.mac[5] = random_between(random, 1, NEIGHBOURS); /* maybe another's */
	if (one_in(random, 2))
		to.vlan = one_in(random, 2) ? 7 : random_between(random, 1, 4094);
	length = snprintf(line, sizeof(line), "neigh add %s lladdr %s dev %s", neighbour_addr(i),
			  ecmper_mac_format(to.mac, mac), devices[to.device].name);
	if (to.vlan)
		snprintf(line + length, sizeof(line) - length, " vlan %u", to.vlan);
	if (edit("%s", line))
		neighbours[i] = to;
}

static struct lab *up(struct random *random, int mark)
{
	char key[33];

	for (int i = 0; i < 32; i++)
		key[i] = "0123456789abcdef"[random_below(random, 16)];
	key[32] = '\0';
	namespace_renew();
	lab = router_up(mark, key);
	memset(&router, 0, sizeof(router));
	if (one_in(random, 2)) {
		lab_set_flight(lab, ECMPER_FLIGHT_MS_MAX); /* and nothing said of ICMP errors */
	} else {
		assert_int_equal(inet_pton(AF_INET, OUR_ADDR, router.source4), 1);
		assert_int_equal(inet_pton(AF_INET6, OUR_ADDR6, router.source6), 1);
	}
	mac_parse(INGRESS_MAC, router.own.mac[0]);
	mac_parse(OTHER_MAC, router.own.mac[1]);
	lab_allow_mac(lab, OTHER_MAC);
	memset(neighbours, 0, sizeof(neighbours));
	is_gone = false;
	router.is_tos = mark == ECMPER_MARK_TOS;
	memcpy(router.key, ecmper_config_get(lab->router)->hash_key.word, sizeof(router.key));
	for (int i = WAYS_OUT; i < DEVICES; i++)
		ip_batch("link add %s address %s mtu %u type veth peer %s-end mtu %u\n"
			 "link set %s up\nlink set %s-end up\n",
			 devices[i].name, devices[i].mac, devices[i].mtu, devices[i].name,
			 devices[i].mtu, devices[i].name, devices[i].name);
	for (uint32_t i = 1; i <= SERVERS_MAX; i++) {
		neighbours[i].is_set = true;
		mac_parse(server_mac(i), neighbours[i].mac);
		neighbours[i].device = (i - 1) % WAYS_OUT;
	}
	for (uint32_t i = SERVERS_MAX + 1; i <= NEIGHBOURS; i++)
		if (i % UNRESOLVED)
			set_neighbour(random, i);
	return lab;
}

static void add_servers(struct random *random, char *line, size_t size)
{
	uint32_t first = random_between(random, 1, SERVERS), count = random_between(random, 1, 4);

	for (uint32_t i = 0; i < count; i++) {
		size_t length = strlen(line);
		uint32_t server = (first + i * 3) % SERVERS + 1;

		snprintf(line + length, size - length, " via %s", neighbour_addr(server));
		length = strlen(line);
		if (one_in(random, 4))
			snprintf(line + length, size - length, " weight %u",
				 random_below(random, 4));
	}
}

static void add_or_change(struct random *random, uint32_t prefix, bool is_new)
{
	static const char *const hash_ons[] = {"5tuple", "5tuple", "src", "src-dst"};
	char line[512];
	int length = snprintf(line, sizeof(line), "add %s", prefixes[prefix]);

	if (is_new && one_in(random, 3))
		length += snprintf(line + length, sizeof(line) - length, " hash modulo");
	else if (is_new)
		length += snprintf(line + length, sizeof(line) - length, " buckets %u",
				   16U << random_below(random, one_in(random, 6) ? 9 : 4));
	if (is_new || one_in(random, 6))
		length += snprintf(line + length, sizeof(line) - length, " depth %u",
				   random_below(random, router.is_tos ? 2 : 16));
	if (is_new || one_in(random, 4))
		snprintf(line + length, sizeof(line) - length, " hash-on %s",
			 random_of_array(random, hash_ons));
	add_servers(random, line, sizeof(line));
	edit("%s", line);
}

static const struct ecmper_prefix_view *view_of(const struct ecmper_prefix_view *views,
						unsigned int count, uint32_t prefix)
{
	struct ecmper_net net;

	ecmper_net_parse(prefixes[prefix], &net);
	for (unsigned int i = 0; i < count; i++)
		if (!ecmper_net_compare(&views[i].net, &net))
			return &views[i];
	return NULL;
}

/* All of its servers or some of them, or the prefix itself. */
static void take_away(struct random *random, uint32_t prefix, const struct ecmper_prefix_view *view)
{
	char line[1024], hop[ECMPER_HOP_STRLEN];
	int length = snprintf(line, sizeof(line), "del %s", prefixes[prefix]);
	bool is_all = one_in(random, 3);

	if (one_in(random, 8)) {
		edit("%s", line);
		return;
	}
	for (unsigned int i = 0; i < view->server_count; i++)
		if (view->servers[i].weight >= 0 && (is_all || one_in(random, 2)))
			length += snprintf(line + length, sizeof(line) - length, " via %s",
					   ecmper_hop_format(&view->servers[i].hop, hop));
	if (strstr(line, "via"))
		edit("%s", line);
}

static void change_prefix(struct random *random)
{
	uint32_t prefix = random_below(random, PREFIXES);
	struct ecmper_prefix_view *views;
	const struct ecmper_prefix_view *view;
	struct ecmper_error err;
	unsigned int count;

	if (ecmper_prefixes_view(lab->router, NULL, &views, &count, &err))
		fail_msg("%s", err.text);
	view = view_of(views, count, prefix);
	if (!view && prefix >= CONNECTED_FIRST && prefix <= CONNECTED_LAST)
		edit("add %s connected", prefixes[prefix]);
	else if (!view && (prefix < CONNECTED_FIRST || one_in(random, 4)))
		add_or_change(random, prefix, true);
	else if (view && one_in(random, 3))
		take_away(random, prefix, view);
	else if (view)
		add_or_change(random, prefix, false);
	ecmper_prefixes_free(views, count);
}

/* What is known of the neighbour of this name, as the edits and devices have it. */
static void find_hop(const struct ecmper_hop *wanted, struct model_hop *hop)
{
	struct ecmper_hop named;

	for (uint32_t i = 1; i <= NEIGHBOURS; i++) {
		const struct neighbour *neighbour = &neighbours[i];

		ecmper_hop_parse(neighbour_addr(i), &named);
		if (!neighbour->is_set || ecmper_hop_compare(&named, wanted))
			continue;
		hop->is_resolved = true;
		hop->has_device = neighbour->device + is_gone < DEVICES;
		memcpy(hop->dst_mac, neighbour->mac, sizeof(hop->dst_mac));
		mac_parse(devices[neighbour->device].mac, hop->src_mac);
		hop->vlan = neighbour->vlan;
		hop->mtu = devices[neighbour->device].mtu;
	}
}

static void change(struct random *random)
{
	uint32_t times = random_between(random, 1, 10);

	if (!router.prefix_count)
		times = 30;
	while (times--)
		change_prefix(random);
	if (one_in(random, 3))
		set_neighbour(random, random_between(random, 1, NEIGHBOURS));
	if (one_in(random, 6))
		edit("purge %s", neighbour_addr(random_between(random, 1, SERVERS)));
	if (!is_gone && one_in(random, 8)) {
		ip_batch("link del gone\n");
		is_gone = true;
	}
	router_world_read(lab, find_hop, &router);
}

static void down(void)
{
	router_world_free(&router);
	lab_down((void **)&lab);
}

static void pick(struct random *random, struct talk *talk)
{
	router_world_pick(&router, random, talk);
}

static void judge(const struct model_frame *frame, struct model_outcome *outcome)
{
	model_router_judge(&router, frame, outcome);
}

const struct model_role model_router_role = {.name = "router",
					     .role = ECMPER_ROUTER,
					     .up = up,
					     .change = change,
					     .down = down,
					     .pick = pick,
					     .judge = judge,
					     .reasons = ecmper_router_reasons,
					     .reason_count = ROUTER_REASONS};
