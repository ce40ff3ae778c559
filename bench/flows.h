/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which packets outer.bpf.c builds: shared by it and bench.c. Flow i has source address
 * src_first + i / 2^BENCH_PORT_BITS, source port sport_first + i % 2^BENCH_PORT_BITS, and always the
 * same of dst_count destinations.
 */
#ifndef BENCH_FLOWS_H
#define BENCH_FLOWS_H

#include <linux/types.h>
#include <stdbool.h>

#define BENCH_FRAME     64
#define BENCH_PORT_BITS 14

struct bench_flows {
	__u32 mask;      /* flows - 1; a power of two of them */
	__u32 dst_first; /* addresses and ports in host order, but dport */
	__u32 dst_count;
	__u32 dst_shift; /* destinations are 2^dst_shift apart */
	__u32 src_first;
	__u32 sport_first;
	__u32 dport;      /* network order */
	__u32 ip_word[3]; /* the IP header up to the addresses */
	__u8 tcp_flags;   /* set once, by run.c */
	__u8 dst_mac[8];
	__u8 src_mac[8];
};

#endif
