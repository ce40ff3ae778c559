// SPDX-License-Identifier: GPL-2.0-only
/*
 * `ecmperctl trace`: the path of one flow, from the prefix to the MACs. The words become a flow
 * here; the choice itself is the library's, by the same hash as the router's.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "cli.h"

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

static int parse_proto(const char *word, uint8_t *proto)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = {{"tcp", IPPROTO_TCP},
		     {"udp", IPPROTO_UDP},
		     {"icmp", IPPROTO_ICMP},
		     {"icmp6", IPPROTO_ICMPV6}};
	unsigned long number;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(word, names[i].name))
			continue;
		*proto = names[i].number;
		return 0;
	}
	if (ecmper_number_parse(word, 0, 255, &number))
		return -EINVAL;
	*proto = number;
	return 0;
}

/* ADDR:PORT, [ADDR]:PORT for IPv6; ADDR where the protocol has no ports. */
static int parse_end(const char *word, bool with_port, struct ecmper_addr *addr, uint16_t *port)
{
	const char *colon = with_port ? strrchr(word, ':') : strchr(word, '\0');
	bool is_bracketed = with_port && *word == '[' && colon > word && colon[-1] == ']';
	const char *start = word + is_bracketed, *end = colon - is_bracketed;
	char text[ECMPER_ADDR_STRLEN];
	unsigned long number = 0;

	if (!colon || (size_t)(end - start) >= sizeof(text))
		return -EINVAL;
	memcpy(text, start, end - start);
	text[end - start] = '\0';
	if (ecmper_addr_parse(text, addr) ||
	    (with_port && is_bracketed == ecmper_addr_is_ipv4(addr)))
		return -EINVAL;
	if (with_port && ecmper_number_parse(colon + 1, 0, UINT16_MAX, &number))
		return -EINVAL;
	*port = number;
	return 0;
}

static enum status parse_flow(const struct cli *cli, char **argv, struct ecmper_flow *flow)
{
	const char *bad = NULL;
	bool with_ports;

	if (parse_proto(argv[1], &flow->proto))
		return usage(cli, "expected tcp, udp, icmp or a number up to 255, not '%s'",
			     argv[1]);
	with_ports = has_ports(flow->proto);
	if (parse_end(argv[2], with_ports, &flow->src, &flow->sport))
		bad = argv[2];
	else if (parse_end(argv[3], with_ports, &flow->dst, &flow->dport))
		bad = argv[3];
	if (bad)
		return usage(cli, "expected %s, not '%s'",
			     with_ports ? "ADDR:PORT or [IPV6ADDR]:PORT" : "ADDR without a port",
			     bad);
	if (ecmper_addr_is_ipv4(&flow->src) != ecmper_addr_is_ipv4(&flow->dst))
		return usage(cli, "source and destination are of different families");
	return STATUS_DONE;
}

static void hops_table(const struct ecmper_trace *trace, struct table *table)
{
	static const char *const titles[] = {">place", "role",  "address", "mac", "src_mac",
					     "dev",    ">vlan", "state",   NULL};
	char text[ECMPER_HOP_STRLEN], mac[ECMPER_MAC_STRLEN], way[ECMPER_WAY_STRLEN];

	table_begin(table, titles);
	for (unsigned int i = 0; i < trace->hop_count; i++) {
		const struct ecmper_neigh_view *hop = &trace->hops[i];

		table_cell(table, "%u", i + !trace->has_owner);
		table_cell(table, "%s", !i && trace->has_owner ? "current" : "previous");
		table_cell(table, "%s", ecmper_hop_format(&hop->hop, text));
		table_cell(table, "%s", mac_text(hop, hop->link.dst_mac, mac));
		table_cell(table, "%s", mac_text(hop, hop->link.src_mac, mac));
		table_cell(table, "%s", *hop->dev ? hop->dev : "-");
		table_cell(table, "%u", hop->link.vlan);
		table_cell(table, "%s", ecmper_way_format(&hop->way, way));
	}
}

static void print_text(const struct ecmper_trace *trace, struct table *table)
{
	char net[ECMPER_NET_STRLEN];

	printf("prefix  %s%s\n", ecmper_net_format(&trace->net, net),
	       trace->is_connected ? " connected" : "");
	if (!trace->is_connected)
		printf("hash    0x%08x\nbucket  %u of %u\n", trace->hash, trace->bucket,
		       trace->bucket_count);
	if (!trace->hop_count)
		puts(trace->is_connected ? "no neighbour of that address: to the kernel"
					 : "no server: dropped");
	else if (!trace->has_owner)
		puts("all servers are drained: new connections are dropped, others go on");
	table_print(table, "  ");
}

static void print_json(const struct ecmper_trace *trace, struct table *table)
{
	json_t *result = json_checked(json_object());
	char net[ECMPER_NET_STRLEN];

	json_object_set_new(result, "prefix", json_string(ecmper_net_format(&trace->net, net)));
	json_object_set_new(result, "connected", json_boolean(trace->is_connected));
	if (!trace->is_connected) {
		json_object_set_new(result, "hash", json_integer(trace->hash));
		json_object_set_new(result, "bucket", json_integer(trace->bucket));
		json_object_set_new(result, "buckets", json_integer(trace->bucket_count));
	}
	json_object_set_new(result, "hops", table_json(table));
	json_print(result);
}

enum status command_trace(const struct cli *cli, int argc, char **argv)
{
	struct ecmper_flow flow = {};
	struct ecmper_trace trace;
	struct ecmper_error err;
	struct ecmper *ecmper;
	enum status status;
	struct table table;
	int code;

	if (argc != 4)
		return usage(cli, "expected a protocol, a source and a destination");
	status = parse_flow(cli, argv, &flow);
	if (status)
		return status;
	if (ecmper_open(cli->pin, ECMPER_ROUTER, &ecmper, &err))
		return fail("%s", err.text);
	code = ecmper_trace(ecmper, &flow, &trace, &err);
	ecmper_close(ecmper);
	if (code)
		return fail("%s", err.text);
	hops_table(&trace, &table);
	if (cli->json)
		print_json(&trace, &table);
	else
		print_text(&trace, &table);
	return STATUS_DONE;
}
