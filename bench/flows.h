/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which packets outer.bpf.c builds: shared by it and run.c. Flow i has source address
 * src_first + i / 2^BENCH_PORT_BITS, source port sport_first + i % 2^BENCH_PORT_BITS, and always the
 * same of dst_count destinations.
 */
#ifndef BENCH_FLOWS_H
#define BENCH_FLOWS_H

#include <linux/types.h>
#include <stdbool.h>

#define BENCH_FRAME     64
#define BENCH_FRAME_MAX 96 /* of the kinds below */
#define BENCH_PORT_BITS 14

/* What the packets are; each has a wrapper of its own, and an empty case. */
enum bench_kind {
	BENCH_IPV4,
	BENCH_IPV6, /* addresses are the IPv4 ones as the last word of BENCH_SRC6 and BENCH_DST6 */
	BENCH_VLAN, /* IPv4 behind one tag */
	BENCH_ICMP, /* "fragmentation needed" about a TCP segment of the flow, 8 bytes of it */
	BENCH_KINDS
};

#define BENCH_LINES    (1 << 20)  /* of memory, 64 bytes each, that floor_read has */
#define BENCH_SRC6     0xfd000001 /* first word of client addresses */
#define BENCH_DST6     0xfd000002 /* of VIPs */
#define BENCH_VLAN_TCI 0x6007

struct bench_flows {
	__u32 mask;      /* flows - 1; a power of two of them */
	__u32 dst_first; /* addresses and ports in host order, but dport */
	__u32 dst_count;
	__u32 dst_shift; /* destinations are 2^dst_shift apart */
	__u32 src_first;
	__u32 sport_first;
	__u32 dport;      /* network order */
	__u32 ip_word[3]; /* the IP header up to the addresses */
	__u32 lines; /* floor_read: cache lines to choose from, less one; a power of two of them */
	__u32 kind;  /* enum bench_kind */
	__u8 tcp_flags; /* set once, by run.c */
	__u8 dst_mac[8];
	__u8 src_mac[8];
};

#endif
