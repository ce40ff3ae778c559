// SPDX-License-Identifier: GPL-2.0-only
/*
 * Servers -> buckets: shares, order, movement, weights, sizes.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "../range.h"
#include "table.h"

#define BUCKETS 4096

static void make_servers(struct server *servers, unsigned int n)
{
	memset(servers, 0, n * sizeof(*servers));
	for (unsigned int i = 0; i < n; i++) {
		servers[i].hop.addr = ecmper_addr_from_ipv4(htonl(0x0a000001 + i));
		servers[i].id = i + 1;
		servers[i].weight = 1;
	}
}

static unsigned int count_id(const uint16_t *slots, uint32_t count, uint16_t id)
{
	unsigned int found = 0;

	for (uint32_t i = 0; i < count; i++)
		found += slots[i] == id;
	return found;
}

static void equal_servers_have_equal_shares(void **state)
{
	uint16_t slots[BUCKETS];
	struct server servers[64];

	(void)state;
	make_servers(servers, 64);
	for (unsigned int n = 2; n <= 64; n++) {
		unsigned int largest = 0;

		assert_int_equal(table_fill_maglev(slots, BUCKETS, servers, n), 0);
		assert_int_equal(count_id(slots, BUCKETS, 0), 0);
		for (unsigned int i = 1; i <= n; i++)
			if (count_id(slots, BUCKETS, i) > largest)
				largest = count_id(slots, BUCKETS, i);
		assert_true(largest * n <= 1.02 * BUCKETS);
	}
}

static void removing_one_server_moves_little_more_than_its_share(void **state)
{
	uint16_t before[BUCKETS], after[BUCKETS];
	struct server servers[64], rest[64];

	(void)state;
	make_servers(servers, 64);
	for (unsigned int n = 2; n <= 64; n++) {
		table_fill_maglev(before, BUCKETS, servers, n);
		for (unsigned int gone = 0; gone < n; gone++) {
			unsigned int moved = 0;

			memcpy(rest, servers, gone * sizeof(*rest));
			memcpy(rest + gone, servers + gone + 1, (n - gone - 1) * sizeof(*rest));
			table_fill_maglev(after, BUCKETS, rest, n - 1);
			for (unsigned int b = 0; b < BUCKETS; b++)
				moved += before[b] != after[b];
			assert_true(moved <= BUCKETS * (1.0 / n + 0.05));
		}
	}
}

static void shares_follow_weights(void **state)
{
	static const struct {
		unsigned int n;
		uint16_t weight[4];
	} cases[] = {
		{2, {1, 3}}, {3, {1, 2, 5}}, {4, {10, 10, 10, 1}}, {3, {0, 1, 1}}, {2, {7, 7}}};
	uint16_t slots[BUCKETS];
	struct server servers[4];

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		unsigned int n = cases[c].n;

		make_servers(servers, n);
		for (unsigned int i = 0; i < n; i++)
			servers[i].weight = cases[c].weight[i];
		table_fill_maglev(slots, BUCKETS, servers, n);
		for (unsigned int i = 0; i < n; i++) {
			double want =
				(double)BUCKETS * servers[i].weight / servers_weight(servers, n);

			assert_true(abs((int)count_id(slots, BUCKETS, i + 1) - (int)want) <= 2);
		}
	}
}

static void a_table_of_drained_servers_is_empty(void **state)
{
	uint16_t slots[64];
	struct server servers[2];

	(void)state;
	make_servers(servers, 2);
	servers[0].weight = servers[1].weight = 0;
	memset(slots, 1, sizeof(slots));
	table_fill_maglev(slots, 64, servers, 2);
	assert_int_equal(count_id(slots, 64, 0), 64);
	memset(slots, 1, sizeof(slots));
	table_fill_modulo(slots, 64, servers, 2);
	assert_int_equal(count_id(slots, 64, 0), 64);
}

static void every_size_is_filled(void **state)
{
	uint16_t *slots = malloc(ECMPER_BUCKETS_MAX * sizeof(*slots));
	struct server servers[16];

	(void)state;
	make_servers(servers, 16);
	for (uint32_t count = ECMPER_BUCKETS_MIN; count <= ECMPER_BUCKETS_MAX; count *= 2) {
		memset(slots, 0, count * sizeof(*slots));
		table_fill_maglev(slots, count, servers, 16);
		for (unsigned int id = 1; id <= 16; id++)
			assert_int_equal(count_id(slots, count, id), count / 16);
	}
	free(slots);
}

/* The table as it is specified, step by step: what the fast one must equal. */
static uint64_t slow_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static void slow_maglev(uint16_t *slots, uint32_t count, const struct server *servers,
			unsigned int n)
{
	uint32_t left = count, at[64], skip[64];

	memset(slots, 0, count * sizeof(*slots));
	for (unsigned int i = 0; i < n; i++) {
		uint64_t half[2], hash;

		memcpy(half, &servers[i].hop.addr, sizeof(half));
		hash = slow_mix(slow_mix(half[0] + 0x9e3779b97f4a7c15ULL) ^ half[1]);
		at[i] = hash % count;
		skip[i] = (hash >> 32 | 1) % count;
	}
	while (left) {
		for (unsigned int i = 0; i < n && left; i++) {
			while (slots[at[i]])
				at[i] = (at[i] + skip[i]) % count;
			slots[at[i]] = servers[i].id;
			left--;
		}
	}
}

static void the_fast_table_is_the_specified_one(void **state)
{
	static uint16_t fast[ECMPER_BUCKETS_MAX], slow[ECMPER_BUCKETS_MAX];
	struct server servers[64];

	(void)state;
	make_servers(servers, 64);
	for (uint32_t count = ECMPER_BUCKETS_MIN; count <= ECMPER_BUCKETS_MAX; count *= 4) {
		for (unsigned int n = 1; n <= 64 && n <= count; n += 7) {
			table_fill_maglev(fast, count, servers, n);
			slow_maglev(slow, count, servers, n);
			assert_memory_equal(fast, slow, count * sizeof(*fast));
		}
	}
}

/* Servers of both families with weights, by their names. */
static unsigned int parse_servers(struct server *servers, const char *const *addrs)
{
	unsigned int n = 0;

	memset(servers, 0, 8 * sizeof(*servers));
	for (; addrs[n]; n++) {
		assert_int_equal(ecmper_hop_parse(addrs[n], &servers[n].hop), 0);
		servers[n].id = n + 1;
		servers[n].weight = n % 3 + 1;
	}
	return n;
}

/* FNV-1a of a table, slot by slot. */
static uint64_t fingerprint(const uint16_t *slots, uint32_t count)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (uint32_t i = 0; i < count; i++)
		hash = (hash ^ slots[i]) * 0x100000001b3ULL;
	return hash;
}

/* Routers of different versions stand beside each other: what was once the table of these servers is
 * so for ever. Each number was taken from the first version that had next hops by address alone. */
static void tables_stay_what_they_have_always_been(void **state)
{
	static const struct {
		const char *addrs[8];
		uint32_t count;
		uint64_t want;
	} cases[] = {
		{{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, 4096, 0xad6f38c8f58d1a2cULL},
		{{"10.0.0.1", "169.254.0.1", "192.0.2.7", "203.0.113.200"},
		 65536,
		 0xfa0c7caf2164c0aeULL},
		{{"2001:db8::1", "fd00::1", "fd00::2"}, 1024, 0xf3f4452028e83af6ULL},
		{{"10.0.0.1", "10.0.0.9", "2001:db8::1", "fd00::77"}, 16, 0xc0babea2e1dcd40aULL},
	};
	static uint16_t slots[ECMPER_BUCKETS_MAX];
	struct server servers[8];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned int n = parse_servers(servers, cases[i].addrs);

		table_fill_maglev(slots, cases[i].count, servers, n);
		if (fingerprint(slots, cases[i].count) != cases[i].want)
			fail_msg("case %zu: %#llx", i,
				 (unsigned long long)fingerprint(slots, cases[i].count));
	}
}

static unsigned int count_equal(const uint16_t *a, const uint16_t *b, uint32_t count)
{
	unsigned int equal = 0;

	for (uint32_t i = 0; i < count; i++)
		equal += a[i] == b[i];
	return equal;
}

/* The same address on three devices is three servers, each with its share at places of its own; and
 * the name decides, not the order of the devices. */
static void the_device_is_part_of_a_link_local_servers_place(void **state)
{
	static const char *const all[] = {"fe80::1%eth1", "fe80::1%eth2", "fe80::1%fifteen-letters",
					  NULL};
	static const char *const other[] = {"fe80::1%eth1", "fe80::1%eth3",
					    "fe80::1%fifteen-letters", NULL};
	static uint16_t slots[BUCKETS], changed[BUCKETS];
	struct server servers[8];
	unsigned int n = parse_servers(servers, all);

	(void)state;
	for (unsigned int i = 0; i < n; i++)
		servers[i].weight = 1;
	table_fill_maglev(slots, BUCKETS, servers, n);
	for (unsigned int id = 1; id <= n; id++)
		assert_uint_in_range(count_id(slots, BUCKETS, id), BUCKETS / 3 - 2,
				     BUCKETS / 3 + 2);
	/* Of all releases to come, too. */
	if (fingerprint(slots, BUCKETS) != 0xdfab978b3a840f86ULL)
		fail_msg("%#llx", (unsigned long long)fingerprint(slots, BUCKETS));

	parse_servers(servers, other);
	for (unsigned int i = 0; i < n; i++)
		servers[i].weight = 1;
	table_fill_maglev(changed, BUCKETS, servers, n);
	/* eth1 and the one with the long name keep most of theirs, eth3 stands elsewhere than eth2. */
	assert_uint_in_range(count_equal(slots, changed, BUCKETS), BUCKETS / 2, BUCKETS * 9 / 10);
}

static void modulo_tables_are_the_documents(void **state)
{
	static const struct {
		unsigned int servers, count;
	} sizes[] = {{1, 1}, {2, 8}, {3, 16}, {4, 16}, {5, 32}, {8, 32}, {9, 64}};
	struct server servers[9];
	uint16_t slots[64];

	(void)state;
	make_servers(servers, 9);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(table_modulo_count(servers, sizes[i].servers), sizes[i].count);
		table_fill_modulo(slots, sizes[i].count, servers, sizes[i].servers);
		for (unsigned int x = 0; x < sizes[i].count; x++)
			assert_int_equal(slots[x], x % sizes[i].servers + 1);
	}
	assert_int_equal(table_modulo_count(servers, 0), 1);
	servers[0].weight = 3;
	servers[1].weight = 1;
	table_fill_modulo(slots, table_modulo_count(servers, 2), servers, 2);
	assert_int_equal(count_id(slots, 16, 1), 12);
	servers[0].weight = ECMPER_WEIGHT_MAX;
	servers[1].weight = ECMPER_WEIGHT_MAX;
	assert_int_equal(table_modulo_count(servers, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_servers_have_equal_shares),
		cmocka_unit_test(removing_one_server_moves_little_more_than_its_share),
		cmocka_unit_test(shares_follow_weights),
		cmocka_unit_test(a_table_of_drained_servers_is_empty),
		cmocka_unit_test(every_size_is_filled),
		cmocka_unit_test(the_fast_table_is_the_specified_one),
		cmocka_unit_test(tables_stay_what_they_have_always_been),
		cmocka_unit_test(the_device_is_part_of_a_link_local_servers_place),
		cmocka_unit_test(modulo_tables_are_the_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
