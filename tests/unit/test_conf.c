// SPDX-License-Identifier: GPL-2.0-only
/*
 * conf.c and grammar.c: what each command means, and the very text that each mistake is answered
 * with. Lines go in as files do; the words of a command line take the same way.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "conf.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int read_text(struct ecmper_changes *changes, const char *text, struct ecmper_error *err)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int code;

	assert_non_null(file);
	code = ecmper_changes_read(changes, file, "FILE", false, err);
	fclose(file);
	return code;
}

/* The one change that a line makes, in a list for the caller to free. */
static const struct ecmper_change *one(struct ecmper_changes *changes, const char *line)
{
	struct ecmper_error err = {""};

	*changes = (struct ecmper_changes){};
	if (read_text(changes, line, &err))
		fail_msg("'%s' was refused: %s", line, err.text);
	assert_int_equal(changes->count, 1);
	return changes->list;
}

static void assert_hop(const struct ecmper_hop *hop, const char *want)
{
	char buf[ECMPER_HOP_STRLEN];

	assert_string_equal(ecmper_hop_format(hop, buf), want);
}

static void assert_net(const struct ecmper_net *net, const char *want)
{
	char buf[ECMPER_NET_STRLEN];

	assert_string_equal(ecmper_net_format(net, buf), want);
}

static void add_without_options_leaves_them_open(void **state)
{
	struct ecmper_changes changes;
	const struct ecmper_change *change = one(&changes, "add 10.0.10.0 via 10.0.0.1\n");

	(void)state;
	assert_int_equal(change->kind, ECMPER_ADD);
	assert_int_equal(change->line, 1);
	assert_net(&change->net, "10.0.10.0/32");
	assert_false(change->connected);
	assert_int_equal(change->hash, ECMPER_HASH_KEEP);
	assert_int_equal(change->buckets, -1);
	assert_int_equal(change->depth, -1);
	assert_int_equal(change->via_count, 1);
	assert_hop(&change->vias[0].hop, "10.0.0.1");
	assert_int_equal(change->vias[0].weight, -1);
	ecmper_changes_free(&changes);
}

static void add_takes_options_in_any_order(void **state)
{
	static const char *const lines[] = {
		"add 10.0.10.0/24 hash maglev buckets 64 depth 3 via 10.0.0.1 weight 7",
		"add 10.0.10.0/24 depth 3 hash maglev buckets 64 via 10.0.0.1 weight 7",
		"add 10.0.10.0/24 buckets 64 depth 3 hash maglev via 10.0.0.1 weight 7",
		"\tadd\t10.0.10.0/24  buckets 64 hash maglev depth 3\fvia 10.0.0.1 weight 7 \r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct ecmper_changes changes;
		const struct ecmper_change *change = one(&changes, lines[i]);

		assert_net(&change->net, "10.0.10.0/24");
		assert_int_equal(change->hash, ECMPER_HASH_MAGLEV);
		assert_int_equal(change->buckets, 64);
		assert_int_equal(change->depth, 3);
		assert_int_equal(change->vias[0].weight, 7);
		ecmper_changes_free(&changes);
	}
}

static void add_keeps_every_server_sorted_by_address(void **state)
{
	static const char line[] = "add 0.0.0.0/0 hash modulo via 10.0.0.3 weight 0 "
				   "via 9.0.0.1 via 10.0.0.2 weight 10000 via 200.0.0.1";
	struct ecmper_changes changes;
	const struct ecmper_change *change = one(&changes, line);

	(void)state;
	assert_int_equal(change->hash, ECMPER_HASH_MODULO);
	assert_int_equal(change->via_count, 4);
	assert_hop(&change->vias[0].hop, "9.0.0.1");
	assert_int_equal(change->vias[0].weight, -1);
	assert_hop(&change->vias[1].hop, "10.0.0.2");
	assert_int_equal(change->vias[1].weight, 10000);
	assert_hop(&change->vias[2].hop, "10.0.0.3");
	assert_int_equal(change->vias[2].weight, 0);
	assert_hop(&change->vias[3].hop, "200.0.0.1");
	ecmper_changes_free(&changes);
}

static void add_with_an_option_needs_no_server(void **state)
{
	static const char *const lines[] = {
		"add 10.0.10.0 depth 4",
		"add 10.0.10.0 hash modulo",
		"add 10.0.10.0 buckets 64",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct ecmper_changes changes;
		const struct ecmper_change *change = one(&changes, lines[i]);

		assert_int_equal(change->via_count, 0);
		assert_false(change->connected);
		ecmper_changes_free(&changes);
	}
}

static void every_other_command_is_understood(void **state)
{
	struct ecmper_changes changes;
	const struct ecmper_change *change;

	(void)state;
	change = one(&changes, "add 10.0.0.0/24 connected");
	assert_int_equal(change->kind, ECMPER_ADD);
	assert_true(change->connected);
	assert_int_equal(change->via_count, 0);
	ecmper_changes_free(&changes);

	change = one(&changes, "del 10.0.10.0");
	assert_int_equal(change->kind, ECMPER_DEL);
	assert_int_equal(change->via_count, 0);
	ecmper_changes_free(&changes);

	change = one(&changes, "del 10.0.10.0/32 via 10.0.0.2 via 10.0.0.1");
	assert_int_equal(change->via_count, 2);
	assert_hop(&change->vias[0].hop, "10.0.0.1");
	ecmper_changes_free(&changes);

	change = one(&changes, "purge 10.0.0.1");
	assert_int_equal(change->kind, ECMPER_PURGE);
	assert_hop(&change->hop, "10.0.0.1");
	ecmper_changes_free(&changes);

	change = one(&changes, "neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev fifteen-letters");
	assert_int_equal(change->kind, ECMPER_NEIGH_ADD);
	assert_hop(&change->hop, "10.0.0.1");
	assert_memory_equal(change->mac, "\x02\x03\x04\x05\x06\x01", 6);
	assert_string_equal(change->dev, "fifteen-letters");
	ecmper_changes_free(&changes);

	change = one(&changes, "neigh del 10.0.0.1");
	assert_int_equal(change->kind, ECMPER_NEIGH_DEL);
	assert_hop(&change->hop, "10.0.0.1");
	ecmper_changes_free(&changes);

	change = one(&changes, "clear");
	assert_int_equal(change->kind, ECMPER_CLEAR);
	ecmper_changes_free(&changes);
}

static void a_link_local_next_hop_goes_with_its_device(void **state)
{
	struct ecmper_changes changes;
	const struct ecmper_change *change;

	(void)state;
	change = one(&changes,
		     "add fd00:0:10:: via fe80::1%eth2 weight 3 via fe80::1%eth1 via fd00::1 "
		     "via febf:ffff::%e");
	assert_int_equal(change->via_count, 4);
	assert_hop(&change->vias[0].hop, "fd00::1");
	assert_hop(&change->vias[1].hop, "fe80::1%eth1");
	assert_hop(&change->vias[2].hop, "fe80::1%eth2");
	assert_int_equal(change->vias[2].weight, 3);
	assert_hop(&change->vias[3].hop, "febf:ffff::%e");
	ecmper_changes_free(&changes);

	change = one(&changes, "del fd00:0:10:: via fe80::1%eth2");
	assert_hop(&change->vias[0].hop, "fe80::1%eth2");
	ecmper_changes_free(&changes);

	change = one(&changes, "purge fe80::1%fifteen-letters");
	assert_hop(&change->hop, "fe80::1%fifteen-letters");
	ecmper_changes_free(&changes);

	change = one(&changes, "neigh add fe80::1%eth1 lladdr 02:03:04:05:06:01 dev eth1 vlan 7");
	assert_hop(&change->hop, "fe80::1%eth1");
	assert_string_equal(change->dev, "eth1");
	assert_int_equal(change->vlan, 7);
	ecmper_changes_free(&changes);

	change = one(&changes, "neigh add fe80::1%eth1 lladdr 02:03:04:05:06:01 vlan 7");
	assert_string_equal(change->dev, "eth1");
	assert_int_equal(change->vlan, 7);
	ecmper_changes_free(&changes);

	change = one(&changes, "neigh add 169.254.0.1 lladdr 02:03:04:05:06:01 dev eth1");
	assert_hop(&change->hop, "169.254.0.1");
	ecmper_changes_free(&changes);
}

/* Whole families, and half of the address space, hold groups and hosts. */
static void prefixes_that_only_contain_groups_are_taken(void **state)
{
	static const char *const lines[] = {"add 0.0.0.0/0 connected", "add 128.0.0.0/1 connected",
					    "add ::/0 connected",      "add fe00::/7 connected",
					    "add fe80::/9 connected",  "del 224.0.0.1"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct ecmper_changes changes;

		one(&changes, lines[i]);
		ecmper_changes_free(&changes);
	}
}

static void buckets_are_a_power_of_two_in_range(void **state)
{
	struct ecmper_changes changes;
	struct ecmper_error err;
	char line[64];

	(void)state;
	for (unsigned int buckets = 0; buckets <= 70000; buckets++) {
		bool ok = buckets >= 16 && buckets <= 65536 && !(buckets & (buckets - 1));

		snprintf(line, sizeof(line), "add 10.0.0.0 buckets %u via 1.0.0.1", buckets);
		changes = (struct ecmper_changes){};
		assert_int_equal(read_text(&changes, line, &err), ok ? 0 : -EINVAL);
		assert_int_equal(changes.count, ok);
		ecmper_changes_free(&changes);
	}
}

#define PREFIX_WANTED  "a prefix (ADDR, or ADDR/LEN without bits set behind LEN)"
#define HOST_WANTED    "the address of a host, like 10.0.0.1 or fe80::1%eth1"
#define MAC_WANTED     "the MAC of a host, like 02:03:04:05:06:01"
#define ANY_WANTED     "'add', 'del', 'purge', 'neigh' or 'clear'"
#define POWER_WANTED   "a power of two from 16 to 65536"
#define HASH_ON_WANTED "'5tuple', 'src' or 'src-dst'"
#define MULTICAST      "multicast: the kernel's to forward, nothing to be spread"
#define ON_LINK        "packets to it stay on their link"
#define NO_DEVICE                                                                                  \
	" is link-local: every link may have a host of that address; say on which device, like "
#define VLAN_WANTED "a VLAN number from 1 to 4094"
#define VIA_WANTED  "'weight' or 'via' (options stand before the first 'via')"

/* Each line, and what the user is told. */
static const struct {
	const char *line, *error;
} mistakes[] = {
	{"ad 10.0.0.0", "expected " ANY_WANTED ", not 'ad'"},
	{"ADD 10.0.0.0 connected", "expected " ANY_WANTED ", not 'ADD'"},
	{"addx", "expected " ANY_WANTED ", not 'addx'"},
	{"add", "'add' must be followed by " PREFIX_WANTED},
	{"add 10.0.0.1/24 via 10.0.0.1", "expected " PREFIX_WANTED ", not '10.0.0.1/24'"},
	{"add 10.0.0.0/33 via 10.0.0.1", "expected " PREFIX_WANTED ", not '10.0.0.0/33'"},
	{"add via 10.0.0.1", "expected " PREFIX_WANTED ", not 'via'"},
	{"add ::ffff:10.0.0.1 connected", "expected " PREFIX_WANTED ", not '::ffff:10.0.0.1'"},
	{"add 224.0.0.1 via 10.0.0.1", "'224.0.0.1' is " MULTICAST},
	{"add 239.255.0.0/16 connected", "'239.255.0.0/16' is " MULTICAST},
	{"add ff02::1 via 10.0.0.1", "'ff02::1' is " MULTICAST},
	{"add ff00::/8 connected", "'ff00::/8' is " MULTICAST},
	{"add fe80::/10 connected", "'fe80::/10' is link-local: " ON_LINK},
	{"add fe80::1/128 via 10.0.0.1", "'fe80::1/128' is link-local: " ON_LINK},
	{"add 255.255.255.255 via 10.0.0.1", "'255.255.255.255' is broadcast: " ON_LINK},
	{"add fd00::1%eth1 via 10.0.0.1", "expected " PREFIX_WANTED ", not 'fd00::1%eth1'"},
	{"add 10.0.0.0",
	 "'10.0.0.0' must be followed by 'via', 'connected', 'hash', 'buckets', 'hash-on' or 'depth'"},
	{"add 10.0.0.0 10.0.0.1",
	 "expected 'via', 'connected', 'hash', 'buckets', 'hash-on' or 'depth', not '10.0.0.1'"},
	{"add 10.0.0.0 weight 1",
	 "expected 'via', 'connected', 'hash', 'buckets', 'hash-on' or 'depth', not 'weight'"},
	{"add 10.0.0.0 depth 4 connected",
	 "expected 'via', 'hash', 'buckets', 'hash-on' or 'depth', not 'connected'"},
	{"add 10.0.0.0 connected via 10.0.0.1", "expected nothing after 'connected', not 'via'"},
	{"add 10.0.0.0 connected connected", "expected nothing after 'connected', not 'connected'"},
	{"add 10.0.0.0 hash", "'hash' must be followed by 'maglev' or 'modulo'"},
	{"add 10.0.0.0 hash sha1 via 10.0.0.1", "expected 'maglev' or 'modulo', not 'sha1'"},
	{"add 10.0.0.0 hash maglev hash modulo via 10.0.0.1", "'hash' is given twice"},
	{"add 10.0.0.0 buckets", "'buckets' must be followed by " POWER_WANTED},
	{"add 10.0.0.0 buckets 0 via 10.0.0.1", "expected " POWER_WANTED ", not '0'"},
	{"add 10.0.0.0 buckets 48 via 10.0.0.1", "expected " POWER_WANTED ", not '48'"},
	{"add 10.0.0.0 buckets 64x via 10.0.0.1", "expected " POWER_WANTED ", not '64x'"},
	{"add 10.0.0.0 buckets -64 via 10.0.0.1", "expected " POWER_WANTED ", not '-64'"},
	{"add 10.0.0.0 buckets 131072 via 10.0.0.1", "expected " POWER_WANTED ", not '131072'"},
	{"add 10.0.0.0 buckets 64 buckets 64 via 10.0.0.1", "'buckets' is given twice"},
	{"add 10.0.0.0 hash modulo buckets 64 via 10.0.0.1",
	 "'buckets' does not go with 'hash modulo': "
	 "that table's size follows from the number of servers"},
	{"add 10.0.0.0 buckets 64 hash modulo via 10.0.0.1",
	 "'buckets' does not go with 'hash modulo': "
	 "that table's size follows from the number of servers"},
	{"add 10.0.0.0 depth via 10.0.0.1", "expected a number from 0 to 15, not 'via'"},
	{"add 10.0.0.0 depth 16 via 10.0.0.1", "expected a number from 0 to 15, not '16'"},
	{"add 10.0.0.0 depth 1 depth 1 via 10.0.0.1", "'depth' is given twice"},
	{"add 10.0.0.0 via", "'via' must be followed by " HOST_WANTED},
	{"add 10.0.0.0 via via", "expected " HOST_WANTED ", not 'via'"},
	{"add 10.0.0.0 via 10.0.0.1/32", "expected " HOST_WANTED ", not '10.0.0.1/32'"},
	{"add 10.0.0.0 via 0.0.0.0", "expected " HOST_WANTED ", not '0.0.0.0'"},
	{"add 10.0.0.0 via 224.0.0.1", "expected " HOST_WANTED ", not '224.0.0.1'"},
	{"add 10.0.0.0 via 255.255.255.255", "expected " HOST_WANTED ", not '255.255.255.255'"},
	{"add 10.0.0.0 via ff02::1", "expected " HOST_WANTED ", not 'ff02::1'"},
	{"add 10.0.0.0 via ::", "expected " HOST_WANTED ", not '::'"},
	{"add 10.0.0.0 via fe80::1", "'fe80::1'" NO_DEVICE "fe80::1%eth1"},
	{"add 10.0.0.0 via febf::9 weight 3", "'febf::9'" NO_DEVICE "febf::9%eth1"},
	{"add 10.0.0.0 via fe80::1%", "expected " HOST_WANTED ", not 'fe80::1%'"},
	{"add 10.0.0.0 via fe80::1%eth1%eth2", "expected " HOST_WANTED ", not 'fe80::1%eth1%eth2'"},
	{"add 10.0.0.0 via fe80::1%sixteen-letters-",
	 "expected " HOST_WANTED ", not 'fe80::1%sixteen-letters-'"},
	{"add 10.0.0.0 via ff02::1%eth1", "expected " HOST_WANTED ", not 'ff02::1%eth1'"},
	{"add 10.0.0.0 via fe80::1%eth1 via fe80::1%eth2 via fe80::1%eth1",
	 "'via fe80::1%eth1' is given twice"},
	{"add 10.0.0.0 via fec0::1%eth1",
	 "'fec0::1' is not link-local: it means the same host on every device, so none belongs to "
	 "its name; say just fec0::1"},
	{"del 10.0.0.0 via 10.0.0.1%eth1",
	 "'10.0.0.1' is not link-local: it means the same host on every device, so none belongs to "
	 "its name; say just 10.0.0.1"},
	{"purge fe80::1", "'fe80::1'" NO_DEVICE "fe80::1%eth1"},
	{"neigh del fe80::1", "'fe80::1'" NO_DEVICE "fe80::1%eth1"},
	{"neigh add fe80::1 lladdr 02:03:04:05:06:01 dev eth1",
	 "'fe80::1'" NO_DEVICE "fe80::1%eth1"},
	{"neigh add fe80::1%eth1 lladdr 02:03:04:05:06:01 dev eth2",
	 "'dev eth2' contradicts fe80::1%eth1: leave it out, or say the same device twice"},
	{"neigh add fe80::1%eth1 lladdr 02:03:04:05:06:01 eth1",
	 "expected 'vlan' or nothing after the device, not 'eth1'"},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth%d",
	 "expected the name of a device, like eth0, not 'eth%d'"},
	{"add fd00::1/64 via fd00::1", "expected " PREFIX_WANTED ", not 'fd00::1/64'"},
	{"add fd00::/129 via fd00::1", "expected " PREFIX_WANTED ", not 'fd00::/129'"},
	{"add ::ffff:10.0.0.1/128 via fd00::1",
	 "expected " PREFIX_WANTED ", not '::ffff:10.0.0.1/128'"},
	{"add 10.0.0.0 hash-on", "'hash-on' must be followed by " HASH_ON_WANTED},
	{"add 10.0.0.0 hash-on port via 10.0.0.1", "expected " HASH_ON_WANTED ", not 'port'"},
	{"add 10.0.0.0 hash-on src hash-on src via 10.0.0.1", "'hash-on' is given twice"},
	{"add 10.0.0.0 via 10.0.0.1 weight",
	 "'weight' must be followed by a number from 0 to 10000"},
	{"add 10.0.0.0 via 10.0.0.1 weight 10001",
	 "expected a number from 0 to 10000, not '10001'"},
	{"add 10.0.0.0 via 10.0.0.1 weight -1", "expected a number from 0 to 10000, not '-1'"},
	{"add 10.0.0.0 via 10.0.0.1 weight 1.5", "expected a number from 0 to 10000, not '1.5'"},
	{"add 10.0.0.0 via 10.0.0.1 weight 1 weight 2", "'weight' is given twice"},
	{"add 10.0.0.0 via 10.0.0.1 depth 3", "expected " VIA_WANTED ", not 'depth'"},
	{"add 10.0.0.0 via 10.0.0.1 10.0.0.2", "expected " VIA_WANTED ", not '10.0.0.2'"},
	{"add 10.0.0.0 via 10.0.0.1 connected", "expected " VIA_WANTED ", not 'connected'"},
	{"add 10.0.0.0 via 10.0.0.1 via 10.0.0.2 via 10.0.0.1", "'via 10.0.0.1' is given twice"},
	{"add 10.0.0.0 via 10.0.0.1 weight 1 via 10.0.0.1 weight 2",
	 "'via 10.0.0.1' is given twice"},
	{"del", "'del' must be followed by " PREFIX_WANTED},
	{"del all", "expected " PREFIX_WANTED ", not 'all'"},
	{"del 10.0.0.0 10.0.0.1", "expected 'via' or nothing more, not '10.0.0.1'"},
	{"del 10.0.0.0 via 10.0.0.1 weight 1", "expected 'via' or nothing more, not 'weight'"},
	{"del 10.0.0.0 via 10.0.0.1 via 10.0.0.1", "'via 10.0.0.1' is given twice"},
	{"purge", "'purge' must be followed by " HOST_WANTED},
	{"purge 10.0.0.0/24", "expected " HOST_WANTED ", not '10.0.0.0/24'"},
	{"purge 10.0.0.1 10.0.0.2", "expected nothing after the address, not '10.0.0.2'"},
	{"neigh", "'neigh' must be followed by 'add' or 'del'"},
	{"neigh show", "expected 'add' or 'del', not 'show'"},
	{"neigh add", "'add' must be followed by " HOST_WANTED},
	{"neigh add 10.0.0.1", "'10.0.0.1' must be followed by 'lladdr'"},
	{"neigh add 10.0.0.1 dev eth0", "expected 'lladdr', not 'dev'"},
	{"neigh add 10.0.0.1 lladdr", "'lladdr' must be followed by " MAC_WANTED},
	{"neigh add 10.0.0.1 lladdr 2:3:4:5:6:1 dev eth0",
	 "expected " MAC_WANTED ", not '2:3:4:5:6:1'"},
	{"neigh add 10.0.0.1 lladdr ff:ff:ff:ff:ff:ff dev eth0",
	 "expected " MAC_WANTED ", not 'ff:ff:ff:ff:ff:ff'"},
	{"neigh add 10.0.0.1 lladdr 01:00:5e:00:00:01 dev eth0",
	 "expected " MAC_WANTED ", not '01:00:5e:00:00:01'"},
	{"neigh add 10.0.0.1 lladdr 00:00:00:00:00:00 dev eth0",
	 "expected " MAC_WANTED ", not '00:00:00:00:00:00'"},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01",
	 "'02:03:04:05:06:01' must be followed by 'dev'"},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev",
	 "'dev' must be followed by the name of a device, like eth0"},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev sixteen-letters-",
	 "expected the name of a device, like eth0, not 'sixteen-letters-'"},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev ../x",
	 "expected the name of a device, like eth0, not '../x'"},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev ..",
	 "expected the name of a device, like eth0, not '..'"},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth0 mtu 3",
	 "expected 'vlan' or nothing after the device, not 'mtu'"},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth0 vlan",
	 "'vlan' must be followed by " VLAN_WANTED},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth0 vlan 0",
	 "expected " VLAN_WANTED ", not '0'"},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth0 vlan 4095",
	 "expected " VLAN_WANTED ", not '4095'"},
	{"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth0 vlan 3 x",
	 "expected nothing after the VLAN, not 'x'"},
	{"neigh del", "'del' must be followed by " HOST_WANTED},
	{"neigh del 10.0.0.1 dev eth0", "expected nothing after the address, not 'dev'"},
	{"clear all", "expected nothing after 'clear', not 'all'"},
	{"add 10.0.0.0 via aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg",
	 "expected " HOST_WANTED
	 ", not 'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff'"},
	{"add \033[2J", "expected " PREFIX_WANTED ", not '?[2J'"},
};

static void mistakes_are_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		struct ecmper_changes changes = {};
		struct ecmper_error err = {""};
		char want[512];

		snprintf(want, sizeof(want), "FILE:1: %s", mistakes[i].error);
		assert_int_equal(read_text(&changes, mistakes[i].line, &err), -EINVAL);
		assert_string_equal(err.text, want);
		assert_int_equal(changes.count, 0);
		ecmper_changes_free(&changes);
	}
}

static void a_change_is_written_as_the_line_that_it_was(void **state)
{
	static const char *const lines[] = {
		"add 10.0.10.0/32 connected",
		"add 10.0.10.0/32 hash modulo via 10.0.0.1",
		"add fd00::/64 hash maglev buckets 64 depth 0 hash-on 5tuple via 10.0.0.1 weight 0 "
		"via fd00::1",
		"add 10.0.0.0/8 depth 3",
		"del 10.0.10.0/32",
		"del 10.0.10.0/32 via 10.0.0.1 via 10.0.0.2",
		"purge 10.0.0.1",
		"neigh add fd00::1 lladdr 02:03:04:05:06:01 dev eth0",
		"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth0 vlan 4094",
		"neigh del 10.0.0.1",
		"clear",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct ecmper_changes changes;
		char *line = change_format(one(&changes, lines[i]));

		assert_string_equal(line, lines[i]);
		free(line);
		ecmper_changes_free(&changes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_without_options_leaves_them_open),
		cmocka_unit_test(add_takes_options_in_any_order),
		cmocka_unit_test(add_keeps_every_server_sorted_by_address),
		cmocka_unit_test(add_with_an_option_needs_no_server),
		cmocka_unit_test(every_other_command_is_understood),
		cmocka_unit_test(a_link_local_next_hop_goes_with_its_device),
		cmocka_unit_test(prefixes_that_only_contain_groups_are_taken),
		cmocka_unit_test(buckets_are_a_power_of_two_in_range),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(a_change_is_written_as_the_line_that_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
