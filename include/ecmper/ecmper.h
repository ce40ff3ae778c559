/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libecmper: everything that ecmper-loader and ecmperctl do to the pinned maps. The only header of
 * it that loader/ and cli/ see. Functions return 0 or -errno and explain a failure in
 * `struct ecmper_error` (one sentence or two: what was tried, on what, why, what to do next);
 * results go through the last pointer. Nothing here prints, exits or looks at argv.
 *
 * Internal to this project: it is not installed, and changes as the tools need it. Other programs
 * use `ecmperctl -j` and `ecmperctl batch -`. Files are named as they stand in lib/.
 */
#ifndef ECMPER_H
#define ECMPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <net/if.h>
#include "ecmper/abi.h"

#define ECMPER_PIN_DEFAULT     "/sys/fs/bpf/ecmper"
#define ECMPER_PIN_ENV         "ECMPER_PIN"
#define ECMPER_WEIGHT_MAX      10000
#define ECMPER_BUCKETS_MIN     16
#define ECMPER_BUCKETS_MAX     65536
#define ECMPER_BUCKETS_DEFAULT 4096

struct ecmper_error {
	char text[1024];
};

/* Fill err (which may be NULL) like printf and return `code`, for `return ecmper_fail(err, -EINVAL, ...)`. */
int ecmper_fail(struct ecmper_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- base/role.c: "router" and "server". ---- */

#define ECMPER_ROLES (ECMPER_SERVER + 1)
extern const char *const ecmper_role_names[ECMPER_ROLES];
int ecmper_role_parse(const char *word, enum ecmper_role *role);

/* ---- base/addr.c: addresses, next hops, prefixes. Formats return buf. ---- */

#define ECMPER_ADDR_STRLEN 46
#define ECMPER_NET_STRLEN  50
#define ECMPER_MAC_STRLEN  18
#define ECMPER_HOP_STRLEN  (ECMPER_ADDR_STRLEN + ECMPER_DEV_NAMESIZE)
_Static_assert(ECMPER_DEV_NAMESIZE == IF_NAMESIZE, "names of devices are part of the ABI");

/* A prefix: `len` counts in the address's own family (0..32 or 0..128). */
struct ecmper_net {
	struct ecmper_addr addr;
	uint8_t len;
};

bool ecmper_addr_is_ipv4(const struct ecmper_addr *addr);
/* fe80::/10, whose addresses mean something only together with a device. */
bool ecmper_addr_is_link_local(const struct ecmper_addr *addr);
/* The address of an IPv4 (network order) as struct ecmper_addr. */
struct ecmper_addr ecmper_addr_from_ipv4(__be32 addr);
__be32 ecmper_addr_to_ipv4(const struct ecmper_addr *addr);
int ecmper_addr_compare(const struct ecmper_addr *a, const struct ecmper_addr *b);
const char *ecmper_addr_format(const struct ecmper_addr *addr, char buf[ECMPER_ADDR_STRLEN]);
int ecmper_hop_compare(const struct ecmper_hop *a, const struct ecmper_hop *b);
const char *ecmper_hop_format(const struct ecmper_hop *hop, char buf[ECMPER_HOP_STRLEN]);
int ecmper_net_compare(const struct ecmper_net *a, const struct ecmper_net *b);
const char *ecmper_net_format(const struct ecmper_net *net, char buf[ECMPER_NET_STRLEN]);
const char *ecmper_mac_format(const uint8_t mac[6], char buf[ECMPER_MAC_STRLEN]);

/* ---- words/text.c: words to values. Whole words, strict; -EINVAL when the word is not one. ---- */

int ecmper_addr_parse(const char *text, struct ecmper_addr *addr);
/* A device's name, zeros behind its end. */
int ecmper_dev_parse(const char *text, char dev[ECMPER_DEV_NAMESIZE]);
/* "ADDR" or "ADDR%DEV". Which of them the address needs is not looked at. */
int ecmper_hop_parse(const char *text, struct ecmper_hop *hop);
/* "ADDR" (a host) or "ADDR/LEN"; bits behind LEN must be 0. */
int ecmper_net_parse(const char *text, struct ecmper_net *net);
/* Decimal digits only, the whole word, min <= value <= max. */
int ecmper_number_parse(const char *text, unsigned long min, unsigned long max,
			unsigned long *value);
/* "500ms", "1s" or "1" (seconds), as milliseconds. */
int ecmper_duration_parse(const char *text, unsigned long min_ms, unsigned long max_ms,
			  unsigned long *ms);
int ecmper_mac_parse(const char *text, uint8_t mac[6]);
/* 32 hexadecimal digits (128 bits), from which all words of the key are derived. */
int ecmper_hash_key_parse(const char *text, struct ecmper_hash_key *key);

/* ---- words/conf.c: the grammar of ecmperctl's edits, one change a line, as in files and argv. ---- */

enum ecmper_change_kind {
	ECMPER_ADD,
	ECMPER_DEL,
	ECMPER_PURGE,
	ECMPER_NEIGH_ADD,
	ECMPER_NEIGH_DEL,
	ECMPER_CLEAR,
};

enum ecmper_hash { ECMPER_HASH_KEEP, ECMPER_HASH_MAGLEV, ECMPER_HASH_MODULO };

/* One `via HOP [weight W]`. weight -1: not given (1 for a new server, else as it was). */
struct ecmper_via {
	struct ecmper_hop hop;
	int weight;
};

/* One line. Only the fields of its kind are set; -1 and HASH_KEEP mean "not given". */
struct ecmper_change {
	enum ecmper_change_kind kind;
	unsigned int line;     /* where it came from, 0 = command line */
	struct ecmper_net net; /* ADD, DEL */
	struct ecmper_hop hop; /* PURGE, NEIGH_* */
	bool connected;
	enum ecmper_hash hash;
	int buckets;
	int depth;
	int hash_on; /* enum ecmper_hash_on */
	struct ecmper_via *vias;
	unsigned int via_count;
	uint8_t mac[6];        /* NEIGH_ADD */
	char dev[IF_NAMESIZE]; /* NEIGH_ADD */
	int vlan;              /* NEIGH_ADD; 0: none */
};

struct ecmper_changes {
	struct ecmper_change *list;
	unsigned int count;
};

/* The words of `hash-on`. */
extern const char *const ecmper_hash_on_names[ECMPER_HASH_ONS];

/* Append the change that the words of one command make: {"add", "10.0.10.0/32", "via", ...}. */
int ecmper_changes_add(struct ecmper_changes *changes, unsigned int line, int argc,
		       char *const argv[], struct ecmper_error *err);
/* Append every line of a file. `#` starts a comment; empty lines are skipped. With `only_state`,
 * lines must describe a state (`add`, `neigh add`): that is what `apply` reads. Errors name the line. */
int ecmper_changes_read(struct ecmper_changes *changes, FILE *file, const char *file_name,
			bool only_state, struct ecmper_error *err);
void ecmper_changes_free(struct ecmper_changes *changes);

/*
 * ---- kernel/instance.c: an instance is a folder of pinned maps; a handle has one role's open. ----
 *
 * A handle holds no lock and may be kept. Whatever writes maps takes the instance's lock, for its
 * own length. It waits for it for a while (ecmper_patience_set()), and fails then with -EBUSY and
 * a text that names the holder.
 *
 * `down` and `up` make other maps, which a handle does not see: edits and counters fail with
 * -ESTALE then, and nothing was done. Close the handle and open it again. What only looks
 * (read/view.c) sees the last state of the maps that are no more.
 *
 * Threads: a handle may be used by several at once; edits wait for each other, as those of other
 * processes do. Only ecmper_close() and ecmper_patience_set() need it alone. ecmper_up() and
 * ecmper_down(): one at a time in a process.
 * Fork: parent and child may both go on with it, each closes it for itself. Exec: it is gone; all
 * its files are close-on-exec.
 */

#define ECMPER_PATIENCE_DEFAULT 30000 /* ms */

struct ecmper;

/* Is this role up in the instance? */
bool ecmper_is_up(const char *pin, enum ecmper_role role);
/* -ENOENT: the role is not up; -EPROTO: pinned by another ABI version. */
int ecmper_open(const char *pin, enum ecmper_role role, struct ecmper **ecmper,
		struct ecmper_error *err);
void ecmper_close(struct ecmper *ecmper);
/* How long changes wait for the lock; 0: not at all. */
void ecmper_patience_set(struct ecmper *ecmper, unsigned int milliseconds);
const struct ecmper_config *ecmper_config_get(const struct ecmper *ecmper);

/* ---- edit/, by way of kernel/instance.c: changes. ---- */

enum ecmper_edit_mode {
	ECMPER_EDIT_BATCH, /* do the changes, in their order; each prefix switches once */
	ECMPER_EDIT_APPLY, /* make the whole state equal to what the lines describe */
	/* Beside one of them: only find out whether it could be done, and report what it would do. */
	ECMPER_EDIT_CHECK = 1 << 1,
};

/* What an edit did, as lines of the grammar: "add 10.0.10.0/32 via 10.0.0.3 weight 1". */
struct ecmper_report {
	char **lines;
	unsigned int count;
	unsigned int prefixes_changed;
};

/* All or nothing: when one change cannot be made, none is. Takes the lock: -EBUSY, -ESTALE.
 * `report` may be NULL. */
int ecmper_edit(struct ecmper *ecmper, const struct ecmper_changes *changes,
		enum ecmper_edit_mode mode, struct ecmper_report *report, struct ecmper_error *err);
void ecmper_report_free(struct ecmper_report *report);

/* ---- read/view.c: the state. No lock: a prefix is seen as it was before or after a change. ---- */

/* What is known of the way to a next hop: its link in the tables, and the device as it is now. The
 * first that holds. */
enum ecmper_way {
	ECMPER_WAY_UP,
	ECMPER_WAY_NO_MAC,         /* it has no link */
	ECMPER_WAY_DEVICE_GONE,    /* deleted (maybe made again), or of another network namespace */
	ECMPER_WAY_DEVICE_RENAMED, /* that of a link-local name: the name is another device's now */
	ECMPER_WAY_DEVICE_DOWN,    /* set down, or without a carrier */
	ECMPER_WAY_MAC_CHANGED,    /* the device's own */
	ECMPER_WAY_MTU_CHANGED,
};

struct ecmper_way_view {
	enum ecmper_way way;
	char dev[IF_NAMESIZE]; /* the device's name now; of one that is gone, the last one known */
	uint32_t mtu;          /* of the device now */
	uint16_t table_mtu;
};

#define ECMPER_WAY_STRLEN 48
/* "up", "no MAC", "device gone", "mtu 1400, table 1500", ... Returns buf. */
const char *ecmper_way_format(const struct ecmper_way_view *way, char buf[ECMPER_WAY_STRLEN]);

struct ecmper_server_view {
	struct ecmper_hop hop;
	uint32_t id;
	int weight; /* -1: not a member, only in the history */
	uint8_t origin;
	uint32_t buckets; /* it owns now */
	uint32_t history; /* buckets that it owned before, and still remembers */
	struct ecmper_way_view way;
};

struct ecmper_prefix_view {
	struct ecmper_net net;
	struct ecmper_prefix value;         /* as in the map */
	struct ecmper_server_view *servers; /* by name; members first, then history only */
	unsigned int server_count;
};

struct ecmper_neigh_view {
	uint32_t id;
	struct ecmper_hop hop;
	bool is_resolved; /* has a MAC: link is set */
	bool is_static;
	uint32_t refs;
	struct ecmper_link link;
	char dev[IF_NAMESIZE]; /* what to say as `dev`; "" when it never had a link */
	struct ecmper_way_view way;
};

/* One prefix or, with net == NULL, all, in order. -ENOENT when net is not there. */
int ecmper_prefixes_view(struct ecmper *ecmper, const struct ecmper_net *net,
			 struct ecmper_prefix_view **views, unsigned int *count,
			 struct ecmper_error *err);
void ecmper_prefixes_free(struct ecmper_prefix_view *views, unsigned int count);
int ecmper_neighs_view(struct ecmper *ecmper, struct ecmper_neigh_view **views, unsigned int *count,
		       struct ecmper_error *err);
/* The next-hop id in a slot of cur_nh or prv_nh, 0 beyond the end. */
uint16_t ecmper_cur_nh_at(struct ecmper *ecmper, uint32_t slot);
uint16_t ecmper_prv_nh_at(struct ecmper *ecmper, uint32_t slot);
/* The next hop of an id. False for id 0 and for ids that are not in use. */
bool ecmper_nh_hop(const struct ecmper *ecmper, uint32_t id, struct ecmper_hop *hop);

/* The path of one flow: what the router does with its packets. */
struct ecmper_flow {
	uint8_t proto; /* IPPROTO_* */
	struct ecmper_addr src, dst;
	uint16_t sport, dport; /* host order, 0 where the protocol has none */
};

struct ecmper_trace {
	struct ecmper_net net; /* prefix that matches */
	bool is_connected;
	bool has_owner; /* hops[0] is the current owner; else all servers are drained */
	uint32_t hash, bucket, bucket_count;
	unsigned int hop_count; /* current owner first, then the chain; 0 = nobody */
	struct ecmper_neigh_view hops[1 + ECMPER_DEPTH_MAX_DSCP];
};

/* -ENOENT: no prefix matches. */
int ecmper_trace(struct ecmper *ecmper, const struct ecmper_flow *flow, struct ecmper_trace *trace,
		 struct ecmper_error *err);

/* ---- read/stats.c: counters. ---- */

struct ecmper_reason {
	const char *name;
	const char *action; /* "FORWARD", "PASS", "DROP", "TX", "NOTE" */
	const char *text;
};

extern const struct ecmper_reason ecmper_router_reasons[ROUTER_REASONS];
extern const struct ecmper_reason ecmper_server_reasons[SERVER_REASONS];

struct ecmper_port_stats {
	char dev[IF_NAMESIZE];
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, rx_dropped, tx_dropped;
};

/* Packets sent to one next hop; `history`: of these, sent because it was a previous owner. */
struct ecmper_nh_counter {
	uint64_t packets;
	uint64_t bytes;
	uint64_t history_packets;
	uint64_t history_bytes;
};

struct ecmper_nh_stats {
	struct ecmper_hop hop;
	struct ecmper_nh_counter counter; /* all CPUs */
};

/* A snapshot. Counters are [reason][cpu]. */
struct ecmper_stats {
	enum ecmper_role role;
	double time; /* seconds, CLOCK_MONOTONIC */
	unsigned int cpu_count;
	unsigned int reason_count;
	const struct ecmper_reason *reasons;
	struct ecmper_counter *counters;
	struct ecmper_nh_stats *next_hops; /* router only */
	unsigned int next_hop_count;
	struct ecmper_port_stats *ports; /* devices that the program is attached to or sends to */
	unsigned int port_count;
};

/* Of either role. Takes the lock only when an edit is under way, or was during the reading: no
 * counter ever seems to go back. -ESTALE; -EBUSY. */
int ecmper_stats_read(struct ecmper *ecmper, struct ecmper_stats **stats, struct ecmper_error *err);
/* Takes the lock: -ESTALE; -EBUSY. */
int ecmper_stats_reset(struct ecmper *ecmper, struct ecmper_error *err);
void ecmper_stats_free(struct ecmper_stats *stats);

#define ECMPER_VERSION_STRLEN 128

/* kernel/pin.c: the version of ecmper whose programs are attached. -ENOENT: not up, or by a version
 * that did not note it. */
int ecmper_version_read(const char *pin, enum ecmper_role role,
			char version[ECMPER_VERSION_STRLEN]);

/* ---- kernel/xdp.c, kernel/down.c: loading, attaching, detaching. ---- */

enum ecmper_xdp_mode { ECMPER_XDP_AUTO, ECMPER_XDP_NATIVE, ECMPER_XDP_GENERIC };

#define ECMPER_DEVS_MAX      256
#define ECMPER_FLIGHT_MS_MAX 60000

struct ecmper_up_options {
	const char *pin;
	enum ecmper_role role;
	char devs[ECMPER_DEVS_MAX][IF_NAMESIZE];
	unsigned int dev_count;
	bool is_whole; /* other devices of the instance are detached */
	bool is_check; /* only find out whether it could be done */
	/* router: what its whole state shall be, NULL: stays as it is. A new router has it before its
	 * first packet; one that is up gets it in the same step as the programs. */
	const struct ecmper_changes *state;
	enum ecmper_xdp_mode mode;
	int mark; /* enum ecmper_mark_format; -1: as it is, dscp at first */
	/* MACs besides the devices' own that frames to this host are sent to; none: as it is, or, with
	 * is_whole, none */
	uint8_t also_macs[ECMPER_ALSO_MACS_MAX][6];
	unsigned int also_mac_count;
	int flight_ms; /* router: how long a packet may be under way; 0: QUIET is never used;
			* -1: as it is, 1 s at first */
	/* router: where its ICMP errors come from, IPv4 and IPv6; all zeros: an address of the device */
	struct ecmper_addr icmp_source[2];
	uint32_t icmp_rate; /* router: ICMP errors a second and CPU; 0: as it is, 1000 at first */
	bool has_hash_key;
	struct ecmper_hash_key hash_key; /* router; random when not given */
	/* router sizes, 0 = default */
	uint32_t max_prefixes, max_next_hops, max_buckets, max_history, max_members, max_ports;
	uint32_t max_fragments; /* both roles */
	/* server */
	struct ecmper_net *vips;
	unsigned int vip_count;
};

/* words/options.c: set one option by its word ("dev", "mode", "max-buckets", ...), as given after --
 * on the command line or at the start of a line of router.conf. -ENOENT: no such option of that
 * role; -EINVAL: the value is not one. */
int ecmper_option_set(struct ecmper_up_options *options, const char *word, const char *value,
		      struct ecmper_error *err);
/* Is this a word of either role's options? `ecmperctl apply` skips such lines of router.conf. */
bool ecmper_option_is_known(const char *word);
/* All options that stand in a file, which names all devices (is_whole); lines of the grammar of
 * conf.c are skipped. */
int ecmper_options_read(struct ecmper_up_options *options, FILE *file, const char *file_name,
			struct ecmper_error *err);
void ecmper_options_free(struct ecmper_up_options *options);

/* What `up` did on one device. */
struct ecmper_up_port {
	char dev[IF_NAMESIZE];
	bool is_native;
	bool was_attached;
	bool is_detached; /* is_whole did not name it */
};

#define ECMPER_UP_PORTS_MAX (2 * ECMPER_DEVS_MAX)

struct ecmper_up_report {
	bool was_up;       /* the instance existed: programs were replaced without a gap */
	const char *lacks; /* "FEATURE: why" when the kernel cannot do it, else NULL */
	struct ecmper_up_port ports[ECMPER_UP_PORTS_MAX];
	unsigned int port_count;
	struct ecmper_report edit; /* of `state`: to be freed */
};

/*
 * Bring a role up on its devices, or add devices to one that is up and replace the programs in
 * place. Refuses, and changes nothing, when another XDP program is attached to one of the devices,
 * or when the state cannot be had.
 */
int ecmper_up(const struct ecmper_up_options *options, struct ecmper_up_report *report,
	      struct ecmper_error *err);
/* Take a role down: on all devices, and no trace is left; or, with dev, on that one only. Works
 * on instances of any version. -ENOENT when it is not up. */
int ecmper_down(const char *pin, enum ecmper_role role, const char *dev, struct ecmper_error *err);

#endif
