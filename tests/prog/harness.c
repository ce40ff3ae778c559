// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing a role up and down, running frames, comparing what comes of them, see harness.h.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "harness.h"
#include "kept.h"
#include "own_macs.h"

/* Programs only attach in native mode here because they take fragmented frames. */
#define JUMBO_MTU 9000
#define HASH_KEY  "000102030405060708090a0b0c0d0e0f"

const char *server_addr(int server)
{
	static char text[SERVERS_MAX + 1][16];

	snprintf(text[server], sizeof(*text), "10.0.0.%d", server);
	return text[server];
}

const char *server_addr6(int server)
{
	static char text[SERVERS_MAX + 1][16];

	snprintf(text[server], sizeof(*text), "fd00::%x", server);
	return text[server];
}

const char *server_mac(int server)
{
	static char text[SERVERS_MAX + 1][ECMPER_MAC_STRLEN];

	snprintf(text[server], sizeof(*text), "02:03:04:05:06:%02x", server);
	return text[server];
}

static int way(int server)
{
	return (server - 1) % WAYS_OUT + 1;
}

const char *way_out(int server)
{
	static char text[WAYS_OUT + 1][IF_NAMESIZE];

	snprintf(text[way(server)], sizeof(*text), "out%d", way(server));
	return text[way(server)];
}

const char *way_out_mac(int server)
{
	static char text[WAYS_OUT + 1][ECMPER_MAC_STRLEN];

	snprintf(text[way(server)], sizeof(*text), "02:00:00:00:00:%02x", way(server));
	return text[way(server)];
}

/* Lines that make a device, with its other end. */
static void write_device(char *lines, const char *dev, const char *mac, int mtu)
{
	sprintf(lines + strlen(lines),
		"link add %s address %s mtu %d type veth peer %s-end mtu %d\n"
		"link set %s up\nlink set %s-end up\n",
		dev, mac, mtu, dev, mtu, dev, dev);
}

static int attached_program(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	int fd;

	assert_int_equal(bpf_xdp_query(ifindex, 0, &opts), 0);
	assert_int_not_equal(opts.drv_prog_id, 0); /* native mode */
	fd = bpf_prog_get_fd_by_id(opts.drv_prog_id);
	assert_true(fd >= 0);
	return fd;
}

static void take_program(struct lab *lab)
{
	if (lab->prog_fd > 0)
		close(lab->prog_fd);
	lab->prog_fd = attached_program(lab->ifindex);
}

static struct lab *up(struct ecmper_up_options *options, const char *dev)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct ecmper_error err = {""};

	assert_non_null(lab);
	options->pin = options->pin ?: ECMPER_PIN_DEFAULT;
	strcpy(options->devs[0], dev);
	options->dev_count = 1;
	if (kept_up(options, &err))
		fail_msg("up: %s", err.text);
	lab->role = options->role;
	lab->pin = options->pin;
	strcpy(lab->dev, dev);
	lab->ifindex = if_nametoindex(dev);
	take_program(lab);
	if (ecmper_open(lab->pin, lab->role, &lab->handle, &err))
		fail_msg("open: %s", err.text);
	lab->router = lab->role == ECMPER_ROUTER ? lab->handle : NULL;
	lab_rebase(lab);
	return lab;
}

/* Sizes are small, because every reading of the counters goes through all next hops and ports. */
struct lab *router_up(int mark, const char *hash_key)
{
	struct ecmper_up_options options = {.role = ECMPER_ROUTER,
					    .mark = mark,
					    .has_hash_key = true,
					    .max_prefixes = 1024,
					    .max_next_hops = 64,
					    .max_buckets = 1 << 18,
					    .max_history = 1 << 20,
					    .max_members = 1024,
					    .max_ports = 8,
					    .icmp_rate = ECMPER_ICMP_RATE_MAX};
	char lines[2048] = "";
	struct lab *lab;

	assert_int_equal(ecmper_hash_key_parse(hash_key, &options.hash_key), 0);
	assert_int_equal(ecmper_addr_parse(OUR_ADDR, &options.icmp_source[0]), 0);
	assert_int_equal(ecmper_addr_parse(OUR_ADDR6, &options.icmp_source[1]), 0);
	write_device(lines, "in0", INGRESS_MAC, JUMBO_MTU);
	for (int i = 1; i <= WAYS_OUT; i++)
		write_device(lines, way_out(i), way_out_mac(i), WAY_OUT_MTU);
	ip_batch("%s", lines);
	lab = up(&options, "in0");
	lines[0] = '\0';
	for (int i = 1; i <= SERVERS_MAX; i++)
		sprintf(lines + strlen(lines), "neigh add %s lladdr %s dev %s\n", server_addr(i),
			server_mac(i), way_out(i));
	lab_edit(lab, "%s", lines);
	return lab;
}

static void set_mac(struct lab *lab, const char *mac, bool is_only)
{
	struct own_macs macs;
	uint8_t bytes[1][6];
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s%s/own_macs", lab->pin,
		 lab->role == ECMPER_SERVER ? "/server" : "");
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	mac_parse(mac, bytes[0]);
	assert_int_equal(own_macs_open(&macs, fd), 0);
	assert_int_equal(is_only ? own_macs_set(&macs, bytes, 1) : own_macs_allow(&macs, bytes[0]),
			 0);
	assert_int_equal(own_macs_write(&macs), 0);
	close(fd);
}

void lab_allow_mac(struct lab *lab, const char *mac)
{
	set_mac(lab, mac, false);
}

void lab_stand_for(struct lab *lab, const struct frame *frame)
{
	char mac[ECMPER_MAC_STRLEN];

	set_mac(lab, ecmper_mac_format(frame->data, mac), true);
}

void lab_set_flight(struct lab *lab, int ms)
{
	struct ecmper_up_options options = {
		.pin = lab->pin, .role = lab->role, .mark = -1, .flight_ms = ms, .dev_count = 1};
	struct ecmper_up_report report;
	struct ecmper_error err;

	strcpy(options.devs[0], lab->dev);
	if (ecmper_up(&options, &report, &err))
		fail_msg("up: %s", err.text);
	take_program(lab);
}

void lab_edit_lpm(struct lab *lab, const char *net, void (*edit)(struct ecmper_prefix *))
{
	struct ecmper_lpm6_key key = {.prefixlen = 0};
	struct ecmper_prefix value;
	struct ecmper_net parsed;
	bool is_ipv6 = strchr(net, ':');
	char path[256];
	int fd;

	assert_int_equal(ecmper_net_parse(net, &parsed), 0);
	key.prefixlen = parsed.len;
	if (is_ipv6)
		memcpy(key.addr, &parsed.addr, sizeof(key.addr));
	else
		memcpy(key.addr, &parsed.addr.word[3], 4);
	snprintf(path, sizeof(path), "%s/%s", lab->pin, is_ipv6 ? "lpm6" : "lpm");
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
	edit(&value);
	assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_EXIST), 0);
	close(fd);
}

struct lab *other_router_up(const char *dev)
{
	struct ecmper_up_options options = {
		.pin = ECMPER_PIN_DEFAULT "-other", .mark = -1, .max_next_hops = 64};

	return up(&options, dev);
}

/* A server's device has server 1's MAC, and takes what is sent to the router's device, too. */
struct lab *server_up(int mark, const char *const *vips, unsigned int vip_count)
{
	struct ecmper_net nets[8];
	struct ecmper_up_options options = {
		.role = ECMPER_SERVER, .mark = mark, .vips = nets, .vip_count = vip_count};
	char lines[256] = "";
	struct lab *lab;

	assert_uint_in_range(vip_count, 1, ARRAY_SIZE(nets));
	for (unsigned int i = 0; i < vip_count; i++)
		assert_int_equal(ecmper_net_parse(vips[i], &nets[i]), 0);
	write_device(lines, "eth0", server_mac(1), JUMBO_MTU);
	ip_batch("%s", lines);
	lab = up(&options, "eth0");
	lab_allow_mac(lab, INGRESS_MAC);
	return lab;
}

static int router_setup(void **state, int mark)
{
	namespace_renew();
	*state = router_up(mark, HASH_KEY);
	return 0;
}

int router_dscp(void **state)
{
	return router_setup(state, ECMPER_MARK_DSCP);
}

int router_tos(void **state)
{
	return router_setup(state, ECMPER_MARK_TOS);
}

int lab_down(void **state)
{
	struct lab *lab = *state;

	ecmper_close(lab->handle);
	close(lab->prog_fd);
	kept_down(lab->pin, lab->role);
	ecmper_stats_free(lab->before);
	free(lab);
	return 0;
}

void lab_edit(struct lab *lab, const char *format, ...)
{
	struct ecmper_changes changes = {};
	struct ecmper_error err = {""};
	char *lines = NULL;
	va_list args;
	FILE *file;
	int length, ret;

	if (lab->is_unsettled)
		lab_settle(lab);
	va_start(args, format);
	length = vasprintf(&lines, format, args);
	va_end(args);
	assert_true(length > 0);
	file = fmemopen(lines, length, "r");
	assert_non_null(file);
	ret = ecmper_changes_read(&changes, file, "edit", false, &err);
	fclose(file);
	ret = ret ?: ecmper_edit(lab->router, &changes, ECMPER_EDIT_BATCH, NULL, &err);
	ecmper_changes_free(&changes);
	if (ret)
		fail_msg("%s: %s", lines, err.text);
	free(lines);
	lab_rebase_hops(lab); /* one that is used again counts from 0 */
}

void lab_case(struct lab *lab, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(lab->label, sizeof(lab->label), format, args);
	va_end(args);
}

void lab_make_chain(struct lab *lab, const char *net, const char *(*addr)(int server), int n)
{
	lab_edit(lab, "add %s via %s", net, addr(1));
	for (int i = 2; i <= n; i++)
		lab_edit(lab, "add %s via %s\ndel %s via %s", net, addr(i), net, addr(i - 1));
}

void servers6_add(struct lab *lab)
{
	char lines[2048] = "";

	for (int i = 1; i <= SERVERS_MAX; i++)
		sprintf(lines + strlen(lines), "neigh add %s lladdr %s dev %s\n", server_addr6(i),
			server_mac(i), way_out(i));
	lab_edit(lab, "%s", lines);
}

struct chain chain_of(struct lab *lab, const struct frame *frame)
{
	const uint8_t *l3 = frame->data + frame->l3;
	const __be16 *port = (const __be16 *)(frame->data + frame->l4);
	struct ecmper_flow flow = {.proto = frame->proto};
	struct ecmper_trace trace;
	struct chain chain = {};
	struct ecmper_error err;

	if (frame_is_ipv6(frame)) {
		memcpy(&flow.src, l3 + offsetof(struct ipv6hdr, saddr), sizeof(flow.src));
		memcpy(&flow.dst, l3 + offsetof(struct ipv6hdr, daddr), sizeof(flow.dst));
	} else {
		flow.src = ecmper_addr_from_ipv4(((const struct iphdr *)l3)->saddr);
		flow.dst = ecmper_addr_from_ipv4(((const struct iphdr *)l3)->daddr);
	}
	if ((flow.proto == IPPROTO_TCP || flow.proto == IPPROTO_UDP) && !frame->is_later_part) {
		flow.sport = ntohs(port[0]);
		flow.dport = ntohs(port[1]);
	}
	if (ecmper_trace(lab->router, &flow, &trace, &err))
		fail_msg("%s", err.text);
	chain.length = trace.has_owner ? 0 : 1;
	for (unsigned int i = 0; i < trace.hop_count; i++)
		chain.server[chain.length++] =
			ntohl(trace.hops[i].hop.addr.word[3]) & 0xff; /* of either family */
	return chain;
}

int owner_of(struct lab *lab, const struct frame *frame)
{
	return chain_of(lab, frame).server[0];
}
