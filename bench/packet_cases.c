// SPDX-License-Identifier: GPL-2.0-only
/*
 * The routers and servers of packet_cost.c. Each world is an instance of its own, all are up
 * at the same time, so that cases alternate within one run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "packet_cases.h"

#define SERVERS     4
#define MANY        1000 /* servers */
#define OWNED_FLOWS 1024 /* connections that the server program finds */

static const uint32_t flow_counts[] = {1, 1 << 10, 1 << 17, 1 << 20};
static const uint32_t prefix_counts[] = {1, 1000, 10000, 100000};

static struct packet_case *add_case(struct packet_cases *cases, const char *name, int prog_fd,
				    uint32_t flows, int action)
{
	struct packet_case *one = &cases->list[cases->count++];

	if (cases->count > ARRAY_SIZE(cases->list))
		bench_die("too many cases");
	*one = (struct packet_case){
		.name = name,
		.prog_fd = prog_fd,
		.action = action,
		.prefixes = 1,
		.servers = SERVERS,
		.packets = flows > 1 << 10 ? 5 * PACKETS : PACKETS,
		.flows = bench_flows_tcp(flows),
	};
	return one;
}

/* What memory costs: the floor with one random line of 1, 16 and 64 MiB. */
static void add_reads(struct packet_cases *cases, int prog_fd)
{
	static const char *const names[] = {"floor redirect + line of 1 MiB",
					    "floor redirect + line of 16 MiB",
					    "floor redirect + line of 64 MiB"};
	static const uint32_t lines[] = {1 << 14, 1 << 18, BENCH_LINES};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		struct packet_case *one = add_case(cases, names[i], prog_fd, 1, XDP_REDIRECT);

		one->flows.lines = lines[i] - 1;
		one->packets = 5 * PACKETS;
	}
}

static bool is_wanted(const char *filter, const char *name)
{
	return !filter || strstr(name, filter);
}

enum tables { TABLES_SHARED, TABLES_OWN };

/*
 * As most sites have it, all prefixes go to the same servers and share a table, unless `tables` says
 * that each has its own: 4 Mi buckets in all then, at most 4096 each.
 */
static int make_router(const char *name, uint32_t first, unsigned int prefixes, unsigned int len,
		       unsigned int servers, enum tables tables)
{
	struct ecmper_up_options options = {.mark = -1, .flight_ms = -1};
	struct bench_routes routes = {.first = first,
				      .count = prefixes,
				      .len = len,
				      .servers = servers,
				      .has_own = tables == TABLES_OWN};
	struct bench_instance *router;

	routes.buckets = servers > SERVERS ? ECMPER_BUCKETS_MAX : 4096;
	while (tables == TABLES_OWN && routes.buckets * prefixes > 4 << 20)
		routes.buckets /= 2;
	if (prefixes > 16384)
		options.max_prefixes = 128 << 10;
	router = bench_up(name, ECMPER_ROUTER, &options);
	bench_routes(router, &routes);
	return router->prog_fd;
}

static struct packet_case *add_prefixes(struct packet_cases *cases, const char *name, int fd,
					uint32_t flows, uint32_t prefixes)
{
	struct packet_case *one = add_case(cases, name, fd, flows, XDP_REDIRECT);

	one->prefixes = prefixes;
	one->flows.dst_count = prefixes;
	if (prefixes > 1)
		one->packets = 5 * PACKETS;
	return one;
}

static void add_plain(struct packet_cases *cases, bool is_long)
{
	static const char *const names[] = {"pfx1", "pfx1k", "pfx10k", "pfx100k"};
	for (unsigned int p = 0; p < ARRAY_SIZE(prefix_counts); p++) {
		int fd = make_router(names[p], BENCH_VIP_FIRST, prefix_counts[p], 32, SERVERS,
				     TABLES_SHARED);

		for (unsigned int f = 0; f < ARRAY_SIZE(flow_counts); f++)
			if (is_long || !p || f == 1 || f == ARRAY_SIZE(flow_counts) - 1)
				add_prefixes(cases, "router plain", fd, flow_counts[f],
					     prefix_counts[p]);
		if (!p)
			bench_drop_at("pfx1p");
	}
}

static void add_own_tables(struct packet_cases *cases)
{
	int fd = make_router("own10k", BENCH_VIP_FIRST, 10000, 32, SERVERS, TABLES_OWN);

	for (unsigned int f = 1; f < ARRAY_SIZE(flow_counts); f += 2)
		add_prefixes(cases, "router plain own tables", fd, flow_counts[f], 10000);
}

static void add_many_servers(struct packet_cases *cases)
{
	int fd = make_router("many", BENCH_VIP_FIRST, 1, 32, MANY, TABLES_SHARED);

	for (unsigned int f = 1; f < ARRAY_SIZE(flow_counts); f += 2)
		add_case(cases, "router plain", fd, flow_counts[f], XDP_REDIRECT)->servers = MANY;
}

/* Every bucket was owned by each server in turn: all chains are four long. */
static void add_history(struct packet_cases *cases)
{
	struct bench_instance *router = bench_up("history", ECMPER_ROUTER, NULL);

	bench_servers(router, 0, SERVERS + 1);
	bench_edit(router, "add " BENCH_VIP " depth 4 via %s\n", bench_server(0));
	for (unsigned int i = 0; i < SERVERS; i++)
		bench_edit(router, "add " BENCH_VIP " via %s\ndel " BENCH_VIP " via %s\n",
			   bench_server(i + 1), bench_server(i));
	for (unsigned int depth = 1; depth <= SERVERS; depth += SERVERS - 1)
		for (unsigned int f = 1; f < ARRAY_SIZE(flow_counts); f += 2) {
			struct packet_case *one;

			one = add_case(cases, depth == 1 ? "router history 1" : "router history 4",
				       router->prog_fd, flow_counts[f], XDP_REDIRECT);
			one->flows.ip_word[0] |= htonl((depth << 4 | 0x0c) << 16);
			memcpy(one->flows.src_mac, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
		}
}

/* 254 neighbours, each its own destination. */
static void add_connected(struct packet_cases *cases)
{
	struct bench_instance *router = bench_up("connected", ECMPER_ROUTER, NULL);

	bench_servers(router, 0, 254);
	bench_edit(router, "add 10.0.0.0/24 connected\n");
	for (unsigned int f = 1; f < ARRAY_SIZE(flow_counts); f += 2) {
		struct packet_case *one = add_case(cases, "router connected", router->prog_fd,
						   flow_counts[f], XDP_REDIRECT);

		one->servers = 254;
		one->flows.dst_first = 0x0a000001;
		one->flows.dst_count = 254;
	}
}

/* Prefixes that are no hosts: the trie decides. */
static void add_lpm(struct packet_cases *cases)
{
	static const char *const names[] = {"net1", "net1k"};

	for (unsigned int p = 0; p < ARRAY_SIZE(names); p++) {
		int fd = make_router(names[p], 0x0b000000, prefix_counts[p], 24, SERVERS,
				     TABLES_SHARED);

		for (unsigned int f = 1; f < ARRAY_SIZE(flow_counts); f += 2) {
			struct packet_case *one = add_case(cases, "router lpm (/24)", fd,
							   flow_counts[f], XDP_REDIRECT);

			one->prefixes = prefix_counts[p];
			one->flows.dst_first = 0x0b000001;
			one->flows.dst_count = prefix_counts[p];
			one->flows.dst_shift = 8;
		}
	}
}

/* Packets of another kind than IPv4, to a prefix of their own family. */
static void add_kind(struct packet_cases *cases, const char *name, enum bench_kind kind,
		     const char *world, unsigned int prefixes, int empty_fd)
{
	struct bench_instance *router = bench_up(world, ECMPER_ROUTER, NULL);
	struct bench_routes routes = {.count = prefixes,
				      .len = 32,
				      .buckets = 4096,
				      .servers = SERVERS,
				      .is_ipv6 = kind == BENCH_IPV6};
	unsigned int empty = cases->count;
	struct packet_case *one = add_case(cases, "empty", empty_fd, 1, XDP_PASS);

	one->flows.kind = kind;
	one->empty = empty;
	bench_routes(router, &routes);
	for (unsigned int i = 0; i < SERVERS && kind == BENCH_VLAN; i++)
		bench_edit(router, "neigh add %s lladdr 02:00:00:00:00:%02x dev %s vlan 9\n",
			   bench_server(i), i, world);
	for (unsigned int f = 0; f < ARRAY_SIZE(flow_counts); f++) {
		one = add_prefixes(cases, name, router->prog_fd, flow_counts[f], prefixes);
		one->flows.kind = kind;
		one->empty = empty;
	}
}

/* The kernel's routing table in its place. */
static void add_kernel(struct packet_cases *cases, int prog_fd)
{
	bench_outer_fib(bench_veth("fib"));
	bench_shell("ip addr add 10.9.0.1/24 dev fib && ip neigh add 10.9.0.2 lladdr "
		    "02:00:00:00:00:01 dev fib && ip route add 198.19.0.0/32 via 10.9.0.2");
	for (unsigned int f = 1; f < ARRAY_SIZE(flow_counts); f += 2) {
		struct packet_case *one =
			add_case(cases, "kernel fib", prog_fd, flow_counts[f], XDP_REDIRECT);

		one->servers = 1;
		one->flows.dst_first = 0xc6130000;
	}
}

static void repair(int fd, int option, int value)
{
	if (setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value)))
		bench_die("cannot make a connection by TCP_REPAIR: %s", strerror(errno));
}

/* Connections of the VIP's port 80 with 172.16.0.1:1024.., made without a packet, at the sequence
 * numbers that outer.bpf.c's packets have. They stay open. */
static void connect_owned(unsigned int count)
{
	struct sockaddr_in vip = {.sin_family = AF_INET, .sin_port = htons(80)}, client = vip;
	struct rlimit files = {.rlim_cur = 2 * count, .rlim_max = 2 * count};

	bench_shell("ip addr add " BENCH_VIP " dev lo && ip addr add 172.16.0.1/32 dev lo");
	setrlimit(RLIMIT_NOFILE, &files);
	inet_pton(AF_INET, "198.18.0.0", &vip.sin_addr);
	inet_pton(AF_INET, "172.16.0.1", &client.sin_addr);
	for (unsigned int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		client.sin_port = htons(1024 + i);
		repair(fd, TCP_REPAIR, TCP_REPAIR_ON);
		repair(fd, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
		repair(fd, TCP_QUEUE_SEQ, 1);
		repair(fd, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE);
		repair(fd, TCP_QUEUE_SEQ, 1);
		if (bind(fd, (struct sockaddr *)&vip, sizeof(vip)) ||
		    connect(fd, (struct sockaddr *)&client, sizeof(client)))
			bench_die("cannot connect: %s; is `ulimit -n` above %u?", strerror(errno),
				  2 * count);
		repair(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
	}
}

static void add_server(struct packet_cases *cases)
{
	struct ecmper_net vip;
	struct ecmper_up_options options = {
		.mark = -1, .flight_ms = -1, .vips = &vip, .vip_count = 1};
	struct packet_case *one;
	int fd;

	ecmper_net_parse(BENCH_VIP, &vip);
	fd = bench_up("server", ECMPER_SERVER, &options)->prog_fd;
	connect_owned(OWNED_FLOWS);
	add_case(cases, "server owned", fd, 1, XDP_PASS);
	add_case(cases, "server owned", fd, OWNED_FLOWS, XDP_PASS);
	for (unsigned int f = 1; f < ARRAY_SIZE(flow_counts); f += 2) {
		one = add_case(cases, "server not owned", fd, flow_counts[f], XDP_TX);
		one->flows.src_first += 1 << 16;
	}
	one = add_case(cases, "server last", fd, 1 << 20, XDP_PASS);
	one->flows.src_first += 1 << 16;
	one->flows.ip_word[0] |= htonl(0x0c << 16);
	one = add_case(cases, "server syn", fd, 1 << 20, XDP_PASS);
	one->flows.tcp_flags = TH_SYN;
	for (unsigned int i = cases->count - 6; i < cases->count; i++)
		cases->list[i].servers = 1;
}

void packet_cases_make(struct packet_cases *cases, bool is_long, const char *filter)
{
	struct bench_floors floors;

	bench_netns();
	bench_outer_open(bench_veth("floor"), &floors);
	bench_drop_at("floorp");
	add_case(cases, "empty", floors.empty, 1, XDP_PASS);
	add_case(cases, "floor XDP_TX", floors.tx, 1, XDP_TX);
	add_case(cases, "floor redirect", floors.redirect, 1, XDP_REDIRECT);
	if (is_wanted(filter, "floor redirect + line"))
		add_reads(cases, floors.read);
	if (is_wanted(filter, "router plain")) {
		add_plain(cases, is_long);
		add_own_tables(cases);
		add_many_servers(cases);
	}
	if (is_wanted(filter, "router history"))
		add_history(cases);
	if (is_wanted(filter, "router connected"))
		add_connected(cases);
	if (is_wanted(filter, "router lpm"))
		add_lpm(cases);
	if (is_wanted(filter, "router ipv6")) {
		add_kind(cases, "router ipv6", BENCH_IPV6, "ipv6", 1, floors.empty);
		add_kind(cases, "router ipv6", BENCH_IPV6, "ipv6k", 10000, floors.empty);
	}
	if (is_wanted(filter, "router vlan"))
		add_kind(cases, "router vlan", BENCH_VLAN, "vlan", 1, floors.empty);
	if (is_wanted(filter, "router icmp error"))
		add_kind(cases, "router icmp error", BENCH_ICMP, "icmp", 1, floors.empty);
	if (is_wanted(filter, "kernel fib"))
		add_kernel(cases, floors.kernel_fib);
	if (is_wanted(filter, "server"))
		add_server(cases);
}
