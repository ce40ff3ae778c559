// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a program over packets of random flows, by outer.bpf.c. The wrapper is attached to a device
 * that is down: a program that is attached nowhere would wait for two grace periods at every test
 * run. Time is CPU time of this thread, so other processes cost noise only through the caches.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>
#include "bench.h"
#include "outer.skel.h"

static struct outer_bpf *outer;
static const struct bpf_program *wrappers[BENCH_KINDS];
static int slot_prog;

static void wrap(enum bench_kind kind, struct bpf_program *wrapper)
{
	char name[IF_NAMESIZE];

	bench_shell("ip link add benchouter%u type veth peer name benchouter%up", kind, kind);
	snprintf(name, sizeof(name), "benchouter%u", kind);
	if (!bpf_program__attach_xdp(wrapper, if_nametoindex(name)))
		bench_die("cannot attach a wrapper");
	wrappers[kind] = wrapper;
}

void bench_outer_open(unsigned int ifindex, struct bench_floors *floors)
{
	uint32_t key = 0;

	outer = outer_bpf__open_and_load();
	if (!outer)
		bench_die("cannot load outer.bpf.c");
	wrap(BENCH_IPV4, outer->progs.outer);
	wrap(BENCH_IPV6, outer->progs.outer_ipv6);
	wrap(BENCH_VLAN, outer->progs.outer_vlan);
	wrap(BENCH_ICMP, outer->progs.outer_icmp);
	if (bpf_map_update_elem(bpf_map__fd(outer->maps.tx_port), &key, &ifindex, BPF_ANY))
		bench_die("cannot set the device of the redirect floor");
	*floors = (struct bench_floors){
		.empty = bpf_program__fd(outer->progs.empty),
		.tx = bpf_program__fd(outer->progs.floor_tx),
		.redirect = bpf_program__fd(outer->progs.floor_redirect),
		.read = bpf_program__fd(outer->progs.floor_read),
		.kernel_fib = bpf_program__fd(outer->progs.kernel_fib),
	};
}

void bench_outer_fib(unsigned int ifindex)
{
	outer->bss->fib_ifindex = ifindex;
}

struct bench_flows bench_flows_tcp(uint32_t count)
{
	return (struct bench_flows){
		.mask = count - 1,
		.dst_first = BENCH_VIP_FIRST,
		.dst_count = 1,
		.src_first = 0xac100001, /* 172.16.0.1 */
		.sport_first = 1024,
		.dport = htons(80),
		.ip_word = {htonl(0x45000028), htonl(0x00014000), htonl(0x4006b1e6)},
		.tcp_flags = TH_ACK,
		.dst_mac = {2, 0, 0, 0, 0xff, 1},
		.src_mac = {2, 0, 0, 0, 0xff, 2},
	};
}

static void load_slot(int prog_fd)
{
	uint32_t key = 0;

	if (prog_fd == slot_prog)
		return;
	if (bpf_map_update_elem(bpf_map__fd(outer->maps.slot), &key, &prog_fd, BPF_ANY))
		bench_die("cannot put a program into the wrapper: %s", strerror(errno));
	slot_prog = prog_fd;
}

/* What the wrappers do not write anew for each packet. They write all headers down to the ports. */
static unsigned int template_frame(const struct bench_flows *flows, uint8_t frame[BENCH_FRAME_MAX])
{
	static const unsigned int tcp_at[BENCH_KINDS] = {ETH_HLEN + 20, ETH_HLEN + 40,
							 ETH_HLEN + 4 + 20, BENCH_FRAME_MAX - 20};
	struct tcphdr *tcp = (struct tcphdr *)(frame + tcp_at[flows->kind]);

	memset(frame, 0, BENCH_FRAME_MAX);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->th_flags = flows->tcp_flags;
	return flows->kind == BENCH_IPV4 ? BENCH_FRAME : BENCH_FRAME_MAX;
}

void bench_frame(const struct bench_flows *flows, uint8_t frame[BENCH_FRAME])
{
	struct iphdr *ip = (struct iphdr *)(frame + ETH_HLEN);
	struct tcphdr *tcp = (struct tcphdr *)(ip + 1);
	uint8_t whole[BENCH_FRAME_MAX];

	template_frame(flows, whole);
	memcpy(frame, whole, BENCH_FRAME);
	memcpy(frame, flows->dst_mac, ETH_ALEN);
	memcpy(frame + ETH_ALEN, flows->src_mac, ETH_ALEN);
	frame[12] = ETH_P_IP >> 8;
	memcpy(ip, flows->ip_word, sizeof(flows->ip_word));
	ip->saddr = htonl(flows->src_first);
	ip->daddr = htonl(flows->dst_first);
	tcp->source = htons(flows->sport_first);
	tcp->dest = flows->dport;
}

static double cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

double bench_run(int prog_fd, const struct bench_flows *flows, unsigned int repeat, int action)
{
	uint8_t frame[BENCH_FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = template_frame(flows, frame), .repeat = repeat);
	double start, time;

	load_slot(prog_fd);
	outer->bss->flows = *flows;
	start = cpu_time();
	if (bpf_prog_test_run_opts(bpf_program__fd(wrappers[flows->kind]), &opts))
		bench_die("test run failed: %s", strerror(errno));
	time = cpu_time() - start;
	if ((int)opts.retval != action)
		bench_die("a program answered %u where %d was expected", opts.retval, action);
	return time / repeat;
}

void bench_drop_at(const char *dev)
{
	if (!bpf_program__attach_xdp(outer->progs.drop, if_nametoindex(dev)))
		bench_die("cannot attach a program to %s", dev);
}

double bench_run_live(int prog_fd, const struct bench_flows *flows, unsigned int frames)
{
	uint8_t frame[BENCH_FRAME];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = frames, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	double start;

	bench_frame(flows, frame);
	load_slot(prog_fd);
	outer->bss->flows = *flows;
	start = bench_now();
	if (bpf_prog_test_run_opts(bpf_program__fd(outer->progs.outer), &opts))
		bench_die("test run with live frames failed: %s", strerror(errno));
	return (bench_now() - start) * 1e9 / frames;
}
