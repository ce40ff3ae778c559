/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the XDP programs and user space: map names, keys, values, the mark, the
 * reasons. Both sides include this file and flow_hash.h, and nothing else of each other. A change to any layout
 * below needs a new ECMPER_ABI_VERSION: maps pinned by another version are refused, not guessed at.
 */
#ifndef ECMPER_ABI_H
#define ECMPER_ABI_H

#include <linux/types.h>

#define ECMPER_ABI_VERSION 3

/* Map names: the C symbol in maps.h and the file name in the pin folder are the same word. */
#define ECMPER_MAP_CONFIG      config
#define ECMPER_MAP_LPM         lpm
#define ECMPER_MAP_LPM6        lpm6
#define ECMPER_MAP_VIP         vip
#define ECMPER_MAP_VIP6        vip6
#define ECMPER_MAP_CUR_NH      cur_nh
#define ECMPER_MAP_PRV_NH      prv_nh
#define ECMPER_MAP_MEMBERS     members
#define ECMPER_MAP_ALLOC       alloc
#define ECMPER_MAP_RANGES      ranges
#define ECMPER_MAP_NEIGH       neigh
#define ECMPER_MAP_NEIGH_ID    neigh_id
#define ECMPER_MAP_NEIGH_MAC   neigh_mac
#define ECMPER_MAP_TX_PORTS    tx_ports
#define ECMPER_MAP_OWN_MACS    own_macs  /* router and server, each its own */
#define ECMPER_MAP_FRAGMENTS   fragments /* router and server, each its own */
#define ECMPER_MAP_ICMP_SOURCE icmp_source
#define ECMPER_MAP_ICMP_WORK   icmp_work
#define ECMPER_MAP_COUNTERS    counters
#define ECMPER_MAP_NH_COUNTERS nh_counters
#define ECMPER_MAP_VIPS        vips      /* server */
#define ECMPER_MAP_VIPS6       vips6     /* server */
#define ECMPER_LINK_TX_ERRORS  tx_errors /* not a map: the pinned link of ecmper_tx_errors */

#define ECMPER_STR_(x)         #x
#define ECMPER_STR(x)          ECMPER_STR_(x)

/* An address of either family: IPv6 as it is, IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct ecmper_addr {
	__be32 word[4];
};

/* Of a network device: IF_NAMESIZE, which the programs do not know. */
#define ECMPER_DEV_NAMESIZE 16

/*
 * The name of a next hop, key of neigh_id. A link-local address (fe80::/10) means something only on
 * its link, so the name of the device belongs to it; all others are a name by themselves, and dev
 * is all zeros. Names, never ifindexes: routers and reboots must agree on the tables made from them.
 */
struct ecmper_hop {
	struct ecmper_addr addr;
	char dev[ECMPER_DEV_NAMESIZE]; /* zeros behind its end */
};

/* Key of lpm and of vips: IPv4 prefix. */
struct ecmper_lpm_key {
	__u32 prefixlen;
	__u8 addr[4]; /* bytes, so that a dump reads 10, 0, 10, 0 */
};

/* Key of lpm6 and of vips6: IPv6 prefix. */
struct ecmper_lpm6_key {
	__u32 prefixlen;
	__u8 addr[16];
};

enum ecmper_prefix_flags {
	ECMPER_PREFIX_CONNECTED = 1 << 0, /* the destination itself is the next hop */
	ECMPER_PREFIX_MODULO = 1 << 1,    /* table by modulo instead of Maglev */
};

/* What of a flow chooses its bucket. */
enum ecmper_hash_on {
	ECMPER_HASH_ON_5TUPLE,
	ECMPER_HASH_ON_SRC,     /* a client's flows go together */
	ECMPER_HASH_ON_SRC_DST, /* a client's flows to one address go together */
	ECMPER_HASH_ONS
};

/*
 * All of a prefix's state: the value of lpm. One replacement of this value is one update of the
 * prefix. Offsets and counts are in slots (one next-hop id each).
 * prv_nh holds prv_nh_count / cur_nh_count rows of cur_nh_count slots, newest previous owner
 * first; there are only as many rows as some bucket needs, at most `depth`.
 */
struct ecmper_prefix {
	__u32 cur_nh_offset;
	__u32 cur_nh_count; /* buckets: a power of two; 0 for a connected route */
	__u32 prv_nh_offset;
	__u32 prv_nh_count;
	__u32 members_offset;
	__u32 members_count;
	__u32 generation;
	struct ecmper_addr addr;
	__u8 prefixlen; /* of the family of addr: 0..32 or 0..128 */
	__u8 depth;
	__u8 flags;
	__u8 hash_on;      /* enum ecmper_hash_on */
	__u64 cur_nh_hash; /* of the content of these ranges: their keys in `ranges` */
	__u64 prv_nh_hash;
	__u64 changed_ns; /* when it was last written, CLOCK_MONOTONIC; 0: it is as it was made */
};

/*
 * Exact match in front of lpm, for host prefixes (/32) with servers: eight slots to a cache line,
 * each (address << 32 | cur_nh_offset | code), 0 = empty: all that a packet without a mark
 * needs. The code is hash_on * 17 + log2 of cur_nh_count. A slot is replaced by one 8-byte store. A
 * prefix that finds its line full is simply not here: lpm has every prefix.
 */
#define ECMPER_VIP_SLOTS     8
#define ECMPER_VIP_CODE_BITS 6 /* ranges of cur_nh begin at multiples of 1 << this */
#define ECMPER_VIP_CODE_STEP 17
_Static_assert(ECMPER_HASH_ONS *ECMPER_VIP_CODE_STEP <= 1 << ECMPER_VIP_CODE_BITS,
	       "the largest code must not reach the bits of the offset");
struct ecmper_vip_line {
	__u64 slot[ECMPER_VIP_SLOTS];
};

/*
 * The same in front of lpm6, for /128. `table`: ECMPER_VIP6_USED | cur_nh_offset | code, 0 = empty.
 * An address is written only while its slot is empty, and a reader looks at `table` once more after
 * it has compared the address. There are twice as many lines as of vip.
 */
#define ECMPER_VIP6_SLOTS 4
#define ECMPER_VIP6_USED  (1ULL << 32)
struct ecmper_vip6_line {
	struct ecmper_vip6_slot {
		struct ecmper_addr addr;
		__u64 table;
		__u64 pad;
	} slot[ECMPER_VIP6_SLOTS];
};

/* cur_nh and prv_nh: next-hop ids, many to an element, because an array map's stride is 8 bytes at least. */
#define ECMPER_LINE_SLOTS 32
struct ecmper_nh_line {
	__u16 nh[ECMPER_LINE_SLOTS];
};

/* What a prefix's table was built from. Packets never read it. */
struct ecmper_member {
	__u16 nh;
	__u16 weight; /* 0 = drained */
	__u8 origin;  /* ECMPER_ORIGIN_* */
	__u8 pad[3];
};
enum { ECMPER_ORIGIN_STATIC, ECMPER_ORIGIN_KERNEL };

/* 64 allocation units of one of the arrays above; `resting`: freed, but not yet past a grace period. */
struct ecmper_alloc {
	__u64 used;
	__u64 resting;
};

/* Ranges of cur_nh, prv_nh and members never change, and equal ones are stored once: by content,
 * where it is and how many prefixes refer to it. Packets never read this. */
struct ecmper_range_key {
	__u64 hash;
	__u32 region; /* 0 cur_nh, 1 prv_nh, 2 members */
	__u32 items;
};

struct ecmper_range {
	__u32 offset;
	__u32 refs;
};

/* Where a next hop is: what the router writes into the Ethernet header, and the way out. */
struct ecmper_link {
	__u8 dst_mac[6];
	__u8 src_mac[6];
	__u16 port; /* index into tx_ports */
	__u16 vlan; /* 0 = untagged */
	__u16 mtu;  /* of the device, for the IP packet */
	__u16 pad;
};

enum ecmper_neigh_flags {
	ECMPER_NEIGH_USED = 1 << 0,    /* the id is taken */
	ECMPER_NEIGH_STATIC = 1 << 1,  /* set by `neigh add`: stays without a prefix that uses it */
	ECMPER_NEIGH_RESTING = 1 << 2, /* id freed, but not yet past a grace period */
};

/*
 * A next hop. Id 0 is never used: it means "drop". `live` says which copy of the link is the
 * one to use (1 or 2; 0 = not resolved), so that a new MAC appears by one byte's store. Packets read
 * the first 64 bytes.
 */
struct ecmper_neigh {
	struct ecmper_link link[2];
	__u8 live;
	__u8 flags;
	__u16 pad;
	__u32 refs; /* prefixes whose table, history or members name this next hop */
	struct ecmper_addr addr;
	/* Of the link's device, also when that is gone; of a link-local address always: half its name. */
	char dev[ECMPER_DEV_NAMESIZE];
	__u8 reserved[48]; /* 0 */
};

/* Key of neigh_mac: six bytes of MAC, then zeros. */
struct ecmper_mac {
	__u8 byte[6];
	__u8 pad[2];
};

/*
 * Which frames are addressed to this host: by destination MAC, eight slots to a cache line, 0 = empty.
 * See ecmper_own_mac_slot(). Not by device: what comes in by a bond has the index of one of its NICs.
 */
#define ECMPER_OWN_MAC_SLOTS 8
#define ECMPER_OWN_MAC_LINES 256
struct ecmper_own_mac_line {
	__u64 slot[ECMPER_OWN_MAC_SLOTS];
};

/* One datagram that is sent in parts (RFC 791, 3.2; RFC 8200, 4.5). */
struct ecmper_fragment_key {
	struct ecmper_addr src, dst;
	__u32 id;
	__u32 proto;
};

/* What its first part says of the others. On a server, that there is an entry says all: the first
 * part was bounced. */
struct ecmper_fragment {
	__be32 ports; /* router: the others are hashed by these, too */
	__u8 proto;   /* and by this: an IPv6 fragment may begin with another header */
	__u8 pad[3];
};

/* By ifindex: the addresses that ICMP errors about packets of this device come from; 0: none. */
#define ECMPER_ICMP_SOURCES_MAX 512
struct ecmper_icmp_source {
	__be32 ipv4;
	struct ecmper_addr ipv6;
};

/* Of a CPU: when its next ICMP error is due (up to ECMPER_ICMP_BURST may come before that), and the
 * one that is being made. */
#define ECMPER_ICMP_QUOTE 128 /* bytes of the packet that an error is about; a multiple of four */
struct ecmper_icmp_work {
	__u64 due_ns[2]; /* of Time Exceeded, and of the errors that path MTU discovery needs */
	__u8 front[24];  /* Ethernet header and tags */
	__u8 packet[48 + ECMPER_ICMP_QUOTE];
};
#define ECMPER_ICMP_BURST        50
#define ECMPER_ICMP_RATE_DEFAULT 1000
#define ECMPER_ICMP_RATE_MAX     1000000

struct ecmper_counter {
	__u64 packets;
	__u64 bytes;
};

/*
 * Packets sent to one next hop, by the reasons that forward (the first four). They are counted here
 * and nowhere else, because every count costs; `counters` holds of these reasons only what next
 * hops had counted whose id was given to another one since. User space adds the two up.
 */
#define ECMPER_FORWARDS 4
struct ecmper_nh_reasons {
	struct ecmper_counter reason[ECMPER_FORWARDS];
};

/* Secret of the flow hash, see flow_hash.h. */
struct ecmper_hash_key {
	__u64 word[12];
};

enum ecmper_mark_format { ECMPER_MARK_DSCP, ECMPER_MARK_TOS };
enum ecmper_role { ECMPER_ROUTER, ECMPER_SERVER };

#define ECMPER_ALSO_MACS_MAX 8

/* One element. Written by the loader; `pending` also by every edit (see lib/edit/edit.c). */
struct ecmper_config {
	__u32 abi_version;
	__u32 role;
	__u32 pending; /* 1 while an edit is under way: left by a killed one, finished by the next */
	__u32 mark;    /* enum ecmper_mark_format */
	__u32 max_prefixes;
	__u32 max_next_hops;
	__u32 max_buckets; /* slots of cur_nh */
	__u32 max_history; /* slots of prv_nh */
	__u32 max_members;
	__u32 max_ports;
	__u32 vip_lines;    /* a power of two */
	__u32 prefix_count; /* kept by edits */
	__u32 tx_ports_id;  /* the kernel's id of map tx_ports */
	__u32 max_fragments;
	__u32 flight_ms; /* how long a packet may be under way; 0: QUIET is never used */
	__u32 also_mac_count;
	__u32 icmp_rate; /* ICMP errors a second and CPU */
	__u32 pad;
	struct ecmper_hash_key hash_key;
	struct ecmper_mac also_macs[ECMPER_ALSO_MACS_MAX]; /* besides those of the devices */
};

/* Depth of history that fits the mark: `tos` has one bit of it, `dscp` four. */
#define ECMPER_DEPTH_MAX_DSCP    15
#define ECMPER_DEPTH_MAX_TOS     1
#define ECMPER_DEPTH_DEFAULT     4

#define ECMPER_FLIGHT_MS_DEFAULT 1000

/*
 * Reasons: what became of a packet. Exactly one outcome is counted for every packet; a note is
 * counted besides it. X(name, action, text): the counter's name, what XDP does, the explanation
 * that `ecmperctl stats` prints. Expected ones first. The man page explains each. The first is
 * what happens to a packet that no stage objects to.
 */
#define ECMPER_ROUTER_REASONS(X)                                                                   \
	X(forward, FORWARD, "sent to the bucket's current owner")                                  \
	X(history, FORWARD, "bounced by a server, sent to a previous owner of the bucket")         \
	X(chain_end, FORWARD,                                                                      \
	  "bounced, no owner left to try: sent to the current owner to answer")                    \
	X(connected, FORWARD, "sent to its destination, which is a known neighbour")               \
	X(not_ip, PASS, "neither IPv4 nor IPv6: to the kernel")                                    \
	X(not_unicast, PASS, "Ethernet broadcast or multicast: to the kernel")                     \
	X(not_mine, PASS, "to another host's MAC: to the kernel")                                  \
	X(no_route, PASS, "no prefix matches: to the kernel")                                      \
	X(discovery, PASS, "IPv6 neighbour, router or listener discovery: to the kernel")          \
	X(unresolved, PASS, "its destination is no known neighbour: to the kernel")                \
	X(ttl, TX, "TTL of 1 or less: answered with Time Exceeded")                                \
	X(too_big, TX, "larger than the next hop's device takes: answered with its MTU")           \
	X(icmp_never, DROP, "TTL or MTU, but no ICMP error may be about this packet: dropped")     \
	X(icmp_no_source, DROP, "TTL or MTU, but the device has no address to answer: dropped")    \
	X(icmp_limit, DROP, "TTL or MTU, but too many ICMP errors were sent: dropped")             \
	X(no_neigh, DROP, "no server that may have it has a known MAC: dropped")                   \
	X(bad_header, DROP, "truncated or contradictory headers: dropped")                         \
	X(no_server, DROP, "the prefix has no server to take this packet: dropped")                \
	X(no_device, DROP, "the next hop's device is gone: dropped")                               \
	X(no_headroom, DROP, "no room in the frame for a VLAN tag or an ICMP error: dropped")      \
	X(mark_cleared, NOTE, "a mark that no server made was cleared")                            \
	X(restarted, NOTE, "bounced while its bucket changed: began anew with the current owner")  \
	X(quiet, NOTE, "the chain ended, maybe too early: only its owner may have the packet")     \
	X(chain_last, NOTE, "of history: sent to the last that the chain remembers, to answer")    \
	X(fragment, NOTE, "a fragment whose first part was not seen was hashed on addresses")      \
	X(icmp_error, NOTE, "an ICMP error was sent after the flow that it is about")              \
	X(tx_error, NOTE, "forwarded, but the device is down or the packet too large: not sent")

#define ECMPER_SERVER_REASONS(X)                                                                   \
	X(bounce, TX, "not owned here: marked and sent back to the router")                        \
	X(owned, PASS, "a socket of this server owns the connection: delivered")                   \
	X(syn, PASS, "opens a connection: delivered")                                              \
	X(cookie, PASS, "completes a connection by a valid SYN cookie: delivered")                 \
	X(last, PASS, "not owned, no server left to try: delivered, the kernel answers RST")       \
	X(not_mine, PASS, "to another host's MAC: to the kernel")                                  \
	X(not_vip, PASS, "not to one of the VIPs: delivered")                                      \
	X(udp, PASS, "UDP to a VIP, and a socket takes it: delivered")                             \
	X(other, PASS, "to a VIP, of a protocol without connections: delivered")                   \
	X(fragment, PASS, "to a VIP, a later fragment: delivered")                                 \
	X(bad_header, PASS, "truncated or contradictory headers: to the kernel, which judges")     \
	X(raced, DROP, "not owned, its chain ended just after a change: dropped, TCP sends again") \
	X(mark_cleared, NOTE, "a mark was cleared on delivery")

enum ecmper_router_reason {
#define X(name, action, text) ROUTER_##name,
	ECMPER_ROUTER_REASONS(X)
#undef X
		ROUTER_REASONS
};
_Static_assert(ROUTER_connected + 1 == ECMPER_FORWARDS, "the reasons that forward come first");

enum ecmper_server_reason {
#define X(name, action, text) SERVER_##name,
	ECMPER_SERVER_REASONS(X)
#undef X
		SERVER_REASONS
};

#define ECMPER_ASSERT_SIZE(type, size)                                                             \
	_Static_assert(sizeof(struct type) == (size), "struct " #type " is part of the ABI")
ECMPER_ASSERT_SIZE(ecmper_addr, 16);
ECMPER_ASSERT_SIZE(ecmper_hop, 32);
ECMPER_ASSERT_SIZE(ecmper_lpm_key, 8);
ECMPER_ASSERT_SIZE(ecmper_lpm6_key, 20);
ECMPER_ASSERT_SIZE(ecmper_prefix, 72);
ECMPER_ASSERT_SIZE(ecmper_vip_line, 64);
ECMPER_ASSERT_SIZE(ecmper_vip6_line, 128);
ECMPER_ASSERT_SIZE(ecmper_nh_line, 64);
ECMPER_ASSERT_SIZE(ecmper_member, 8);
ECMPER_ASSERT_SIZE(ecmper_alloc, 16);
ECMPER_ASSERT_SIZE(ecmper_range_key, 16);
ECMPER_ASSERT_SIZE(ecmper_range, 8);
ECMPER_ASSERT_SIZE(ecmper_link, 20);
ECMPER_ASSERT_SIZE(ecmper_neigh, 128);
ECMPER_ASSERT_SIZE(ecmper_mac, 8);
ECMPER_ASSERT_SIZE(ecmper_own_mac_line, 64);
ECMPER_ASSERT_SIZE(ecmper_fragment_key, 40);
ECMPER_ASSERT_SIZE(ecmper_fragment, 8);
ECMPER_ASSERT_SIZE(ecmper_icmp_source, 20);
ECMPER_ASSERT_SIZE(ecmper_icmp_work, 216);
ECMPER_ASSERT_SIZE(ecmper_counter, 16);
ECMPER_ASSERT_SIZE(ecmper_nh_reasons, 64);
ECMPER_ASSERT_SIZE(ecmper_hash_key, 96);
ECMPER_ASSERT_SIZE(ecmper_config, 232);

#endif
