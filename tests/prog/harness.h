/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One role of ecmper, brought up by the library itself on a device of a fresh namespace, and the
 * way to put it to the test: a whole frame goes through the attached program
 * (BPF_PROG_TEST_RUN), and the whole frame that comes out, the verdict, every reason's and every
 * next hop's counters must be as wanted. The namespace's devices are named in harness.c.
 */
#ifndef PROG_HARNESS_H
#define PROG_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <cmocka.h>
#include "../range.h"
#include "ecmper/ecmper.h"
#include "frame.h"
#include "front.h"
#include "namespace.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))
#define BIT(n)            (1U << (n))

/* Server N is 10.0.0.N with MAC 02:03:04:05:06:N, reached by device out1..out4 in turn. */
#define SERVERS_MAX 16
#define WAYS_OUT    4
#define WAY_OUT_MTU 1500
const char *server_addr(int server);
/* fd00::N: the same server for IPv6, once servers6_add() made it known. */
const char *server_addr6(int server);
const char *server_mac(int server);
/* The router's device towards a server, and its MAC. */
const char *way_out(int server);
const char *way_out_mac(int server);

#define WANTED_HOPS_MAX 40

struct lab {
	enum ecmper_role role;
	const char *pin;
	char dev[IF_NAMESIZE];
	uint32_t ifindex;
	int prog_fd;
	struct ecmper *handle;
	struct ecmper *router; /* the same of a router, else NULL */
	char label[128];       /* which case of a table is being tried */
	uint32_t
		front; /* bytes in front of the frame that are taken: of a longer frame, up to FRONT_MAX */
	/* Counters at the last time they were as wanted, and what must have been added since. */
	struct ecmper_stats *before;
	bool is_unsettled; /* something was sent since */
	struct ecmper_counter wanted[32];
	struct {
		struct ecmper_hop hop;
		struct ecmper_nh_counter counter;
	} wanted_hops[WANTED_HOPS_MAX];
	unsigned int wanted_hop_count;
};

/* Test setups and their teardown: *state is the lab. Servers 1 to 16 are known neighbours. */
int router_dscp(void **state);
int router_tos(void **state);
int lab_down(void **state);
/* What the setups are made of. `hash_key`: 32 digits. */
struct lab *router_up(int mark, const char *hash_key);
struct lab *server_up(int mark, const char *const *vips, unsigned int vip_count);
/* Frames to this MAC are the host's, too. */
void lab_allow_mac(struct lab *lab, const char *mac);
/* The device is the one that this frame is addressed to, from here on: it stands for several. */
void lab_stand_for(struct lab *lab, const struct frame *frame);
/* Another flight time. At first it is 0: chains end with LAST however young the table is. */
void lab_set_flight(struct lab *lab, int ms);
/* A prefix's value in lpm or lpm6 as `edit` makes it, and nothing else of a change. */
void lab_edit_lpm(struct lab *lab, const char *net, void (*edit)(struct ecmper_prefix *));
/* A second router of its own, on another device of the namespace. */
struct lab *other_router_up(const char *dev);

/* Lines of the grammar of ecmperctl. They must be right. */
void lab_edit(struct lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Shown when something is not as wanted, until the next call. */
void lab_case(struct lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Every bucket of the prefix has had these servers (by addr()) from 1 to n, one after the other. */
void lab_make_chain(struct lab *lab, const char *net, const char *(*addr)(int server), int n);
/* All servers' IPv6 addresses are known neighbours, too. */
void servers6_add(struct lab *lab);
/* The servers of the frame's bucket, by ecmper_trace: current owner (0: none), then the chain. */
struct chain {
	int server[2 + ECMPER_DEPTH_MAX_DSCP];
	unsigned int length;
};
struct chain chain_of(struct lab *lab, const struct frame *frame);
int owner_of(struct lab *lab, const struct frame *frame);

/* What a frame becomes. */
struct want {
	uint32_t verdict;
	uint32_t reasons;     /* a bit each: counted once */
	uint32_t no_bytes;    /* of these, those that count packets only */
	const char *next_hop; /* counted for it, NULL: for none */
	bool by_history;
	struct frame frame; /* not looked at after a drop */
};

/* Of the router: TTL one less (but not of what a server sent back), no tags, MACs of the server and of the way out. ROUTER_history counts so. */
struct want want_forward(const struct frame *in, int server, uint32_t reason);
/* The same, counted for the server's IPv6 address. */
struct want want_forward6(const struct frame *in, int server, uint32_t reason);
/* With a note counted besides. */
struct want want_noted(struct want want, uint32_t note);
/* With another ToS byte or traffic class. */
struct want want_tos(struct want want, uint8_t tos);
/* With this one tag, 802.1Q. */
struct want want_tag(struct want want, uint16_t tci);
/* Of both: as it came, to the kernel. */
struct want want_pass(const struct frame *in, uint32_t reason);
struct want want_drop(const struct frame *in, uint32_t reason);
/* Of the router: back to where it came from, as an ICMP error about it: Time Exceeded, or with `mtu`
 * Fragmentation Needed or Packet Too Big. */
struct want want_answer(const struct frame *in, uint32_t reason, int mtu);

/*
 * Through the program; the counters are added up until lab_settle() compares them. lab_expect() is
 * both: this one frame and nothing else. `want` is a struct want, often made on the spot.
 */
#define lab_send(lab, in, what)                                                                    \
	do {                                                                                       \
		const struct want what_ = (what);                                                  \
		lab_send_at(lab, in, &what_, __FILE__, __LINE__);                                  \
	} while (0)
#define lab_settle(lab) lab_settle_at(lab, __FILE__, __LINE__)
#define lab_expect(lab, in, what)                                                                  \
	do {                                                                                       \
		lab_send(lab, in, what);                                                           \
		lab_settle(lab);                                                                   \
	} while (0)
void lab_send_at(struct lab *lab, const struct frame *in, const struct want *want, const char *file,
		 int line);
void lab_settle_at(struct lab *lab, const char *file, int line);
/* Frames like `in` with every value in the IP id must come out like `what` with the same id: so
 * that the checksum takes every value. */
#define lab_expect_all_ids(lab, in, what) lab_expect_all_ids_at(lab, in, what, __FILE__, __LINE__)
void lab_expect_all_ids_at(struct lab *lab, struct frame *in, struct want want, const char *file,
			   int line);
/* Only through the program, with nothing wanted. Returns the verdict. */
uint32_t lab_run(struct lab *lab, const struct frame *in, struct frame *out);
/* Like lab_send(), but the frame really goes where the program sends it. */
void lab_send_live(struct lab *lab, const struct frame *in, const struct want *want);
/* Take the counters as they are: other frames than the test's own came by. */
void lab_rebase(struct lab *lab);
/* The same for next hops only, which may have come and gone: reasons must be as they were. */
void lab_rebase_hops(struct lab *lab);

#endif
