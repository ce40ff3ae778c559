/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reference model: what the router and the server program make of a frame, written a second
 * time from docs/design.md ("Every kind of packet") and the RFCs, slowly and plainly. It shares
 * the names of the reasons (ecmper_abi.h) with bpf/ and no line of code. It knows the world as
 * structs model_router and model_server, which the worlds of a run fill in.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include "ecmper_abi.h"

#define MODEL_FRAME_MAX 68000
#define MODEL_FRONT     256
#define MODEL_BIT(n)    (1U << (n))

/* A frame as it is given to the program. */
struct model_frame {
	uint32_t length;
	uint32_t readable; /* of it, from the start, what a program can look into */
	uint32_t headroom; /* bytes that can be added in front */
	uint32_t metadata; /* bytes of `front`, from its end, that are the driver's own */
	uint8_t front[MODEL_FRONT];
	uint8_t data[MODEL_FRAME_MAX];
};

/* What is to become of it. */
struct model_outcome {
	uint32_t verdict;  /* XDP_* */
	uint32_t reasons;  /* bits: one outcome, and notes */
	uint32_t reason;   /* the outcome */
	uint32_t bytes;    /* what each of these counts */
	uint32_t next_hop; /* id that counts it, 0: none */
	bool is_unclear;   /* the specification leaves it open: not to be tried */
	uint32_t length;   /* of the frame that comes out; not looked at after a drop */
	uint8_t data[MODEL_FRAME_MAX];
};

/* The MACs that frames to this host have. */
#define MODEL_OWN_MACS_MAX 2
struct model_own {
	uint8_t mac[MODEL_OWN_MACS_MAX][6];
};

/* An address of either family; IPv4 as ::ffff:a.b.c.d. */
struct model_addr {
	uint8_t byte[16];
};

/* ---- model_fragments.c: what the first parts of datagrams said. ---- */

struct model_datagram {
	struct model_addr src, dst;
	uint32_t id;
	uint8_t proto; /* 0 for IPv6 */
	/* its first part: */
	uint8_t first_proto;
	uint8_t ports[4];
	bool is_known;
};

void model_fragments_clear(void);
/* The place of this datagram: known, or to be filled in. */
struct model_datagram *model_fragments_at(const struct model_datagram *key);

/* ---- model_router.c ---- */

struct model_hop {
	bool is_used;
	bool is_resolved;
	bool may_mark;   /* a server of a hashed prefix, or in its history */
	bool has_device; /* the device is there */
	uint8_t dst_mac[6], src_mac[6];
	uint16_t vlan;
	uint32_t mtu;
	struct model_addr addr;
};

struct model_prefix {
	struct model_addr addr;
	uint32_t length; /* of the mapped address: 96 more for IPv4 */
	bool is_ipv6;
	bool is_connected;
	uint32_t hash_on;
	bool is_young; /* it changed less than the flight time ago */
	uint32_t buckets;
	uint32_t rows;
	uint16_t *owners; /* the current ones, then `rows` rows of previous ones, newest first */
};

#define MODEL_HOPS_MAX     128
#define MODEL_PREFIXES_MAX 64

struct model_router {
	bool is_tos; /* format of the mark */
	struct model_own own;
	uint8_t source4[4], source6[16]; /* of ICMP errors; all zeros: none */
	uint64_t key[12];
	struct model_hop hop[MODEL_HOPS_MAX]; /* by id, 0 is none */
	struct model_prefix prefix[MODEL_PREFIXES_MAX];
	uint32_t prefix_count;
};

void model_router_judge(const struct model_router *router, const struct model_frame *frame,
			struct model_outcome *outcome);

/* ---- model_server.c ---- */

enum model_socket_kind {
	MODEL_TCP,           /* connected, in any state */
	MODEL_TCP_TIME_WAIT, /* closed, and still remembered */
	MODEL_TCP_REQUEST,   /* its SYN was answered */
	MODEL_COOKIE,        /* by a cookie, and no socket but the listener knows of it */
	MODEL_LISTENER,
	MODEL_UDP_CONNECTED,
	MODEL_UDP,
};

struct model_socket {
	enum model_socket_kind kind;
	struct model_addr local, peer; /* local: all zeros for any of both families */
	uint16_t local_port, peer_port;
	uint32_t receive_next; /* the next sequence number from the peer */
	uint32_t send_next;    /* the next of its own; of a request: ISN + 1 */
};

struct model_vip {
	struct model_addr addr;
	uint32_t length; /* of the mapped address */
	bool is_ipv6;
};

#define MODEL_SOCKETS_MAX 64
#define MODEL_VIPS_MAX    8

struct model_server {
	bool is_tos;
	struct model_own own;
	struct model_vip vip[MODEL_VIPS_MAX];
	uint32_t vip_count;
	struct model_socket socket[MODEL_SOCKETS_MAX];
	uint32_t socket_count;
};

void model_server_judge(const struct model_server *server, const struct model_frame *frame,
			struct model_outcome *outcome);

#endif
