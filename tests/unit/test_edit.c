// SPDX-License-Identifier: GPL-2.0-only
/*
 * Edits on tables without a kernel: what they do, what they refuse, and that they are atomic:
 * every step is watched with a packet's eyes, and every step is once the last one of a process.
 */
#include "fake_tables.h"
#include "table.h"
#include <arpa/inet.h>

#define BATCH ECMPER_EDIT_BATCH
#define APPLY ECMPER_EDIT_APPLY

static struct ecmper_error err;

static void must(struct fake *fake, const char *text, enum ecmper_edit_mode mode)
{
	if (fake_edit(fake, text, mode, NULL, &err))
		fail_msg("%s: %s", text, err.text);
}

static void must_fail(struct fake *fake, const char *text, const char *message)
{
	struct fake before = *fake;

	assert_true(fake_edit(fake, text, BATCH, NULL, &err) < 0);
	if (!strstr(err.text, message))
		fail_msg("%s: \"%s\" is not in \"%s\"", text, message, err.text);
	/* Nothing that a packet or a reader sees may have changed. */
	assert_memory_equal(before.lpm, fake->lpm, sizeof(before.lpm));
	assert_memory_equal(before.vip, fake->vip, sizeof(before.vip));
	assert_memory_equal(before.vip6, fake->vip6, sizeof(before.vip6));
	for (int i = 0; i < FAKE_NEXT_HOPS; i++)
		assert_int_equal(before.ids[i].is_there, fake->ids[i].is_there);
	assert_int_equal(fake->config.pending, 0);
}

/* ---- a packet's view ---- */

/* The word of the prefix's first address in vip or vip6, 0: it has none. */
static uint64_t slot_of(const struct fake *fake, const struct ecmper_net *net)
{
	uint32_t addr = ecmper_addr_to_ipv4(&net->addr);

	for (int line = 0; line < FAKE_LINES && ecmper_addr_is_ipv4(&net->addr); line++)
		for (int i = 0; i < ECMPER_VIP_SLOTS; i++)
			if (fake->vip[line].slot[i] && fake->vip[line].slot[i] >> 32 == addr)
				return fake->vip[line].slot[i];
	for (int line = 0; line < 2 * FAKE_LINES; line++)
		for (int i = 0; i < ECMPER_VIP6_SLOTS; i++)
			if (fake->vip6[line].slot[i].table &&
			    !ecmper_addr_compare(&fake->vip6[line].slot[i].addr, &net->addr))
				return fake->vip6[line].slot[i].table;
	return 0;
}

/* The tables that a packet to the prefix's first address finds, as in router.bpf.c: current owners
 * by vip or lpm, history always by lpm. False: no route. */
static bool packet_finds(const struct fake *fake, const struct ecmper_net *net,
			 struct ecmper_prefix *current, struct ecmper_prefix *history)
{
	uint32_t slot = slot_of(fake, net), code = slot % (1 << ECMPER_VIP_CODE_BITS);
	int at = fake_find_net(fake, net);

	memset(current, 0, sizeof(*current));
	memset(history, 0, sizeof(*history));
	if (at >= 0)
		*current = *history = fake->lpm[at].value;
	if (slot) {
		current->cur_nh_offset = slot - code;
		current->cur_nh_count = 1U << code % ECMPER_VIP_CODE_STEP;
		current->hash_on = code / ECMPER_VIP_CODE_STEP;
	}
	return slot || at >= 0;
}

/* A prefix's whole table, with next hops by name (a number for each) instead of ids. */
struct picture {
	uint32_t generation, count, prv_count, hash_on;
	uint32_t cur[256], prv[256 * 4];
};

static uint32_t name_of(const struct fake *fake, uint16_t id)
{
	struct ecmper_hop hop = neigh_hop(&fake->neigh[id]);

	return id ? hop_hash(&hop) : 0;
}

static void take_picture(const struct fake *fake, const struct ecmper_prefix *value,
			 struct picture *picture)
{
	memset(picture, 0, sizeof(*picture));
	picture->generation = value->generation;
	picture->count = value->cur_nh_count;
	picture->prv_count = value->prv_nh_count;
	picture->hash_on = value->hash_on;
	assert_true(value->cur_nh_count <= 256 && value->prv_nh_count <= 1024);
	for (uint32_t i = 0; i < value->cur_nh_count; i++)
		picture->cur[i] = name_of(fake, fake->cur_nh[value->cur_nh_offset + i]);
	for (uint32_t i = 0; i < value->prv_nh_count; i++)
		picture->prv[i] = name_of(fake, fake->prv_nh[value->prv_nh_offset + i]);
}

/* ---- agreement of everything with lpm ---- */

static uint32_t count_refs(const struct fake *fake, uint32_t id)
{
	uint32_t refs = 0;

	for (int p = 0; p < FAKE_PREFIXES; p++) {
		const struct ecmper_prefix *value = &fake->lpm[p].value;
		bool is_named = false;

		if (!fake->lpm[p].is_there)
			continue;
		for (uint32_t i = 0; i < value->members_count; i++)
			is_named |= fake->members[value->members_offset + i].nh == id;
		for (uint32_t i = 0; i < value->prv_nh_count; i++)
			is_named |= fake->prv_nh[value->prv_nh_offset + i] == id;
		refs += is_named;
	}
	return refs;
}

static void check_neighs(const struct fake *fake)
{
	for (uint32_t id = 1; id < FAKE_NEXT_HOPS; id++) {
		const struct ecmper_neigh *neigh = &fake->neigh[id];
		const struct ecmper_link *link = neigh_link(neigh);
		struct ecmper_hop hop = neigh_hop(neigh);
		int at = FAKE_FIND(fake->ids, hop, &hop);

		if (!(neigh->flags & ECMPER_NEIGH_USED)) {
			assert_int_equal(count_refs(fake, id), 0);
			assert_false(at >= 0 && fake->ids[at].id == id);
			continue;
		}
		assert_int_equal(neigh->refs, count_refs(fake, id));
		assert_true(neigh->refs || neigh->flags & ECMPER_NEIGH_STATIC);
		assert_true(at >= 0 && fake->ids[at].id == id);
		if (link && fake->ports[link->port])
			assert_int_equal(neigh->dev[1], '0' + fake->ports[link->port]);
		assert_int_equal(!!*hop.dev, ecmper_addr_is_link_local(&hop.addr));
	}
	for (size_t i = 0; i < FAKE_NEXT_HOPS; i++) {
		const struct ecmper_neigh *neigh = &fake->neigh[fake->macs[i].id];

		if (fake->macs[i].is_there)
			assert_true(neigh->refs && neigh_link(neigh) &&
				    !memcmp(neigh_link(neigh)->dst_mac, fake->macs[i].mac.byte, 6));
	}
	for (uint32_t id = 1; id < FAKE_NEXT_HOPS; id++) {
		const struct ecmper_link *link = neigh_link(&fake->neigh[id]);
		struct ecmper_mac mac = {};

		if (!(fake->neigh[id].flags & ECMPER_NEIGH_USED) || !link || !fake->neigh[id].refs)
			continue;
		memcpy(mac.byte, link->dst_mac, 6);
		assert_true(FAKE_FIND(fake->macs, mac, &mac) >= 0);
	}
}

/* The references that `ranges` counts for a range, and those that there are. */
static void check_range(const struct fake *fake, enum region region, uint32_t offset,
			uint32_t items)
{
	uint32_t refs = 0, counted = 0;

	for (int p = 0; p < FAKE_PREFIXES; p++) {
		const struct ecmper_prefix *value = &fake->lpm[p].value;
		uint32_t have[REGIONS][2] = {
			{value->cur_nh_offset, value->cur_nh_count},
			{value->prv_nh_offset, value->prv_nh_count},
			{value->members_offset, value->members_count},
		};

		refs += fake->lpm[p].is_there && have[region][0] == offset &&
			have[region][1] == items;
	}
	for (size_t i = 0; i < sizeof(fake->ranges) / sizeof(*fake->ranges); i++)
		if (fake->ranges[i].is_there && fake->ranges[i].key.region == region &&
		    fake->ranges[i].range.offset == offset) {
			assert_int_equal(fake->ranges[i].key.items, items);
			counted += fake->ranges[i].range.refs;
		}
	assert_int_equal(counted, refs);
}

static void check_ranges(const struct fake *fake)
{
	uint64_t used[FAKE_ALLOC] = {};
	uint32_t total = 0;

	for (size_t i = 0; i < sizeof(fake->ranges) / sizeof(*fake->ranges); i++)
		total += fake->ranges[i].is_there ? fake->ranges[i].range.refs : 0;
	for (int p = 0; p < FAKE_PREFIXES; p++) {
		const struct ecmper_prefix *value = &fake->lpm[p].value;

		if (!fake->lpm[p].is_there)
			continue;
		total -= (value->cur_nh_count > 0) + (value->prv_nh_count > 0) +
			 (value->members_count > 0);
		if (value->cur_nh_count)
			check_range(fake, REGION_CUR_NH, value->cur_nh_offset, value->cur_nh_count);
		if (value->prv_nh_count)
			check_range(fake, REGION_PRV_NH, value->prv_nh_offset, value->prv_nh_count);
		if (value->members_count)
			check_range(fake, REGION_MEMBERS, value->members_offset,
				    value->members_count);
	}
	assert_int_equal(total, 0);

	for (int p = 0; p < FAKE_PREFIXES; p++) {
		const struct ecmper_prefix *value = &fake->lpm[p].value;

		if (!fake->lpm[p].is_there)
			continue;
		range_mark(&fake->config, used, REGION_CUR_NH, value->cur_nh_offset,
			   value->cur_nh_count);
		range_mark(&fake->config, used, REGION_PRV_NH, value->prv_nh_offset,
			   value->prv_nh_count);
		range_mark(&fake->config, used, REGION_MEMBERS, value->members_offset,
			   value->members_count);
	}
	for (int i = 0; i < FAKE_ALLOC; i++) {
		assert_int_equal(fake->alloc[i].used, used[i]);
		assert_int_equal(fake->alloc[i].used & fake->alloc[i].resting, 0);
	}
}

/* A slot says what lpm says. */
static void check_slot(const struct fake *fake, const struct ecmper_net *net, uint64_t slot)
{
	int at = fake_find_net(fake, net);

	if (slot) {
		assert_true(at >= 0 && vip_wants(net, &fake->lpm[at].value));
		assert_true(slot == vip_slot(net, &fake->lpm[at].value));
	}
}

static void check_vip(const struct fake *fake)
{
	uint32_t count = 0;

	for (int line = 0; line < FAKE_LINES; line++)
		for (int i = 0; i < ECMPER_VIP_SLOTS; i++) {
			uint64_t slot = fake->vip[line].slot[i];
			struct ecmper_net net = {.addr = ecmper_addr_from_ipv4(slot >> 32),
						 .len = 32};

			check_slot(fake, &net, slot);
		}
	for (int line = 0; line < 2 * FAKE_LINES; line++)
		for (int i = 0; i < ECMPER_VIP6_SLOTS; i++) {
			const struct ecmper_vip6_slot *slot = &fake->vip6[line].slot[i];
			struct ecmper_net net = {.addr = slot->addr, .len = 128};

			check_slot(fake, &net, slot->table);
		}
	for (int p = 0; p < FAKE_PREFIXES; p++)
		count += fake->lpm[p].is_there;
	assert_int_equal(fake->config.prefix_count, count);
}

static void check(const struct fake *fake)
{
	assert_int_equal(fake->config.pending, 0);
	check_neighs(fake);
	check_ranges(fake);
	check_vip(fake);
}

/* ---- every step of random edits, with a packet's eyes ---- */

#define VIPS  4
#define VIEWS (2 * VIPS) /* for each: the current owners, and all that lpm says */
#define KEEP  200

static const char *const vips[VIPS] = {"10.0.10.0/32", "10.0.10.1/32", "10.1.0.0/16",
				       "fd00:0:10::/128"};

/* What a packet found at some step, and may still be reading, until a grace period. */
static struct glance {
	struct ecmper_prefix value;
	struct picture picture;
} * glances;
static unsigned int glance_count, glance_graces;
static struct picture before[VIEWS], now[VIEWS];
static bool has_switched[VIEWS];

static void find(const struct fake *fake, int view, struct ecmper_prefix *value)
{
	struct ecmper_prefix other;
	struct ecmper_net net;

	assert_int_equal(ecmper_net_parse(vips[view / 2], &net), 0);
	if (view % 2) {
		packet_finds(fake, &net, &other, value);
		return;
	}
	packet_finds(fake, &net, value, &other);
	value->generation = 0;
	value->prv_nh_count = 0;
}

static void take_all(const struct fake *fake, struct picture pictures[VIEWS])
{
	for (int view = 0; view < VIEWS; view++) {
		struct ecmper_prefix value;

		find(fake, view, &value);
		take_picture(fake, &value, &pictures[view]);
	}
}

static void keep_glance(const struct ecmper_prefix *value, const struct picture *picture)
{
	if (glance_count < KEEP && (!glance_count || memcmp(&glances[glance_count - 1].picture,
							    picture, sizeof(*picture))))
		glances[glance_count++] = (struct glance){*value, *picture};
}

/* Each view: the old table or one other, whole, and never back. */
static void look(struct fake *fake)
{
	struct picture picture;

	if (fake->graces != glance_graces) {
		glance_graces = fake->graces;
		glance_count = 0;
	}
	for (unsigned int i = 0; i < glance_count; i++) {
		take_picture(fake, &glances[i].value, &picture);
		assert_memory_equal(&picture, &glances[i].picture, sizeof(picture));
	}
	for (int view = 0; view < VIEWS; view++) {
		struct ecmper_prefix value;

		find(fake, view, &value);
		take_picture(fake, &value, &picture);
		if (memcmp(&picture, has_switched[view] ? &now[view] : &before[view],
			   sizeof(picture))) {
			assert_false(has_switched[view]);
			has_switched[view] = true;
			now[view] = picture;
		}
		keep_glance(&value, &picture);
	}
}

#define SERVERS 6
static const char *const servers[SERVERS] = {"10.0.0.1",   "10.0.0.2",   "10.0.0.3",
					     "fe80::1%d1", "fe80::1%d2", "fe80::1%d3"};

/* A link for a server, by its device where it has one. */
static int random_neigh(char *text, size_t size, int number)
{
	return snprintf(text, size, "neigh add %s lladdr 02:00:00:00:0%ld:0%d dev d%ld\n",
			servers[number], random() % 3, number / 2,
			strchr(servers[number], '%') ? number - 2 : 1 + random() % 3);
}

static void random_edit(char *text, size_t size)
{
	const char *vip = vips[random() % VIPS];
	int number = random() % SERVERS;
	const char *server = servers[number];

	switch (random() % 10) {
	case 0: snprintf(text, size, "purge %s\n", server); break;
	case 1: snprintf(text, size, "del %s via %s\n", vip, server); break;
	case 2: snprintf(text, size, "del %s\n", vip); break;
	case 3:
		snprintf(text, size, "add %s hash modulo via %s weight %ld\n", vip, server,
			 random() % 3);
		break;
	case 4: random_neigh(text, size, number); break;
	case 5:
		snprintf(text, size, "add %s buckets 128 via %s\nadd %s buckets 64 via %s\n", vip,
			 server, vips[0], servers[random() % SERVERS]);
		break;
	case 6:
		snprintf(text, size, "add %s buckets 32 hash-on src via %s via fd00::%d\n", vip,
			 server, number + 1);
		break;
	case 7:
		snprintf(text, size, "del %s\nadd %s %s\n", vip, vip,
			 random() % 3 ? "buckets 16 via 10.0.0.1" : "connected");
		break;
	default:
		snprintf(text, size, "add %s buckets %d depth %ld via %s\n", vip,
			 16 << random() % 4, random() % 5, server);
	}
}

static void at_every_step_a_packet_finds_the_old_or_the_new_table_whole(void **state)
{
	struct fake *fake = fake_new();
	unsigned int done = 0;

	(void)state;
	srandom(3);
	glances = calloc(KEEP, sizeof(*glances));
	for (int round = 0; round < 800; round++) {
		char text[256];
		int ret;

		random_edit(text, sizeof(text));
		take_all(fake, before);
		memset(has_switched, 0, sizeof(has_switched));
		fake->observe = look;
		ret = fake_edit(fake, text, BATCH, NULL, &err);
		look(fake);
		fake->observe = NULL;
		for (int view = 0; ret && view < VIEWS; view++)
			assert_false(has_switched[view]);
		done += !ret;
		check(fake);
	}
	assert_true(done > 300);
	assert_true(fake->graces > 3); /* ranges were used again */
	free(glances);
	fake_free(fake);
}

/* ---- ended at every step ---- */

/* What a process that ends at a step leaves is what the maps hold then: a copy of them. */
static struct fake *left, *left_by_next;
static unsigned int ends, steps_to_live;

/* And who comes next may be ended, too, at some step. */
static void end_next(struct fake *fake)
{
	if (!steps_to_live--)
		fake_copy(left_by_next, fake);
}

static void end_here(struct fake *fake)
{
	fake_copy(left, fake);
	fake_copy(left_by_next, fake);
	steps_to_live = random() % 40;
	left->observe = end_next;
	/* Any command makes it whole again, be it one that changes nothing. */
	must(left, "", BATCH);
	check(left);
	must(left_by_next, "", BATCH);
	check(left_by_next);
	ends++;
}

static void ended_at_every_step_the_next_command_finishes(void **state)
{
	struct fake *fake = fake_new();

	(void)state;
	srandom(4);
	left = fake_new();
	left_by_next = fake_new();
	must(fake,
	     "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d1\n"
	     "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev d2\n"
	     "add 10.0.10.0/32 buckets 64 via 10.0.0.1 via 10.0.0.2\n",
	     BATCH);
	for (int round = 0; round < 1000; round++) {
		char text[256];

		random_edit(text, sizeof(text));
		fake->observe = end_here;
		fake_edit(fake, text, BATCH, NULL, &err);
		fake->observe = NULL;
		check(fake);
	}
	assert_true(ends > 5 * 1000);
	fake_free(fake);
	fake_free(left);
	fake_free(left_by_next);
}

/* ---- every operation on a map refused ---- */

/* What a packet to each prefix finds, and nothing that another way of storing it would change. */
static void check_is_one_of(struct picture now_seen[VIEWS], struct picture one[VIEWS],
			    struct picture other[VIEWS])
{
	for (int view = 0; view < VIEWS; view++)
		assert_true(!memcmp(&now_seen[view], &one[view], sizeof(*one)) ||
			    !memcmp(&now_seen[view], &other[view], sizeof(*one)));
}

static void a_refused_operation_leaves_the_old_or_the_new_state(void **state)
{
	struct fake *fake = fake_new(), *copy = fake_new();
	struct picture(*seen)[VIEWS] = calloc(3, sizeof(*seen));
	unsigned int refused = 0, failed = 0;

	(void)state;
	srandom(5);
	for (int round = 0; round < 1500; round++) {
		char text[256];
		int ret;

		random_edit(text, sizeof(text));
		take_all(fake, seen[0]);
		/* What it would be without a refusal. */
		fake_copy(copy, fake);
		ret = fake_edit(copy, text, BATCH, NULL, &err);
		take_all(copy, seen[1]);
		fake->fails_in = 1 + random() % 50;
		if (fake_edit(fake, text, BATCH, NULL, &err)) {
			failed += !ret;
			assert_true(err.text[0]);
		}
		refused += !fake->fails_in;
		fake->fails_in = 0;
		take_all(fake, seen[2]);
		check_is_one_of(seen[2], seen[0], seen[1]);
		if (fake->config.pending)
			must(fake, "", BATCH);
		check(fake);
	}
	assert_true(refused > 150 && failed > 100);
	free(seen);
	fake_free(fake);
	fake_free(copy);
}

/* ---- single facts ---- */

static void a_refused_update_undoes_what_was_done(void **state)
{
	const char *setup = "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d1\n"
			    "add 10.0.10.0/32 buckets 64 via 10.0.0.1\n"
			    "add 10.0.10.1/32 buckets 64 via 10.0.0.1\n";
	const char *edit = "neigh add 10.0.0.1 lladdr 02:00:00:00:00:09 dev d2\n"
			   "neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev d2\n"
			   "add 10.0.10.0/32 via 10.0.0.2\nadd 10.0.10.1/32 via 10.0.0.3\n"
			   "add 10.0.10.2/32 buckets 64 via 10.0.0.4\n";

	(void)state;
	for (int successes = 0; successes < 3; successes++) {
		struct fake *fake = fake_new();
		struct picture pictures[2][VIEWS];

		must(fake, setup, BATCH);
		take_all(fake, pictures[0]);
		/* The kernel refuses one update for good; later ones, of the way back, succeed. */
		fake->lpm_set_fails_after = successes;
		assert_int_equal(fake_edit(fake, edit, BATCH, NULL, &err), -ENOMEM);
		take_all(fake, pictures[1]);
		/* What is said must be what a packet finds. */
		if (memcmp(pictures[0], pictures[1], sizeof(pictures[0])))
			assert_non_null(strstr(err.text, successes == 1
								 ? "1 prefix is changed"
								 : "2 prefixes are changed"));
		else
			assert_non_null(strstr(err.text, "nothing was changed"));
		fake->lpm_set_fails_after = -1;
		if (successes) /* the way back was refused, too: lpm and vip must still agree */
			must(fake, "", BATCH);
		check(fake);
		take_all(fake, pictures[1]);
		if (!successes)
			assert_memory_equal(pictures[0], pictures[1], sizeof(pictures[0]));
		assert_int_equal(neigh_link(&fake->neigh[1])->dst_mac[5], 1);
		assert_string_equal(fake->neigh[1].dev, "d1");
		fake_free(fake);
	}
}

static void the_same_again_changes_nothing(void **state)
{
	const char *text = "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d1\n"
			   "add 10.0.10.0/32 buckets 64 via 10.0.0.1 weight 3 via 10.0.0.2\n"
			   "add 10.0.10.1/32 hash modulo via 10.0.0.1 via 10.0.0.2\n"
			   "add 10.2.0.0/24 connected\n";
	struct fake *fake = fake_new();
	struct ecmper_report report;

	(void)state;
	must(fake, text, APPLY);
	for (int i = 0; i < 100; i++) {
		struct fake copy = *fake;

		assert_int_equal(fake_edit(fake, text, APPLY, &report, &err), 0);
		assert_int_equal(report.count, 0);
		assert_int_equal(report.prefixes_changed, 0);
		assert_memory_equal(copy.lpm, fake->lpm, sizeof(copy.lpm));
		assert_memory_equal(copy.neigh, fake->neigh, sizeof(copy.neigh));
		ecmper_report_free(&report);
	}
	fake_free(fake);
}

static void apply_makes_the_state_equal_and_says_how(void **state)
{
	static const char *const lines[] = {
		"neigh del 10.0.0.1",
		"neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev d2",
		"del 10.0.10.0/32 via 10.0.0.1",
		"add 10.0.10.0/32 via 10.0.0.3 weight 5",
		"add 10.0.10.1/32 hash maglev buckets 16 depth 2 via 10.0.0.2 weight 1",
		"del 10.2.0.0/24",
	};
	struct fake *fake = fake_new();
	struct ecmper_report report;

	(void)state;
	must(fake,
	     "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d1\n"
	     "add 10.0.10.0/32 buckets 64 via 10.0.0.1 via 10.0.0.2\n"
	     "add 10.2.0.0/24 connected\n",
	     BATCH);
	assert_int_equal(fake_edit(fake,
				   "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev d2\n"
				   "add 10.0.10.0/32 buckets 64 via 10.0.0.2\n"
				   "add 10.0.10.0/32 via 10.0.0.3 weight 5\n"
				   "add 10.0.10.1/32 buckets 16 depth 2 via 10.0.0.2\n",
				   APPLY, &report, &err),
			 0);
	assert_int_equal(report.count, sizeof(lines) / sizeof(*lines));
	for (unsigned int i = 0; i < report.count; i++)
		assert_string_equal(report.lines[i], lines[i]);
	ecmper_report_free(&report);
	check(fake);
	fake_free(fake);
}

/* A whole state, with what may not be said twice said once. */
static void random_state(char *text, size_t size)
{
	size_t length = 0;

	for (int server = 0; server < SERVERS; server++)
		if (random() % 3)
			length += random_neigh(text + length, size - length, server);
	for (int vip = 0; vip < VIPS; vip++) {
		if (!(random() % 3))
			continue;
		length += snprintf(text + length, size - length, "add %s", vips[vip]);
		if (!(random() % 5)) {
			length += snprintf(text + length, size - length, " connected\n");
			continue;
		}
		length += random() % 3
				  ? snprintf(text + length, size - length, " buckets %d depth %ld",
					     16 << random() % 4, random() % 5)
				  : snprintf(text + length, size - length, " hash modulo");
		if (!(random() % 6))
			length += snprintf(text + length, size - length, " hash-on src");
		for (int server = 0; server < SERVERS; server++)
			if (random() % 2)
				length +=
					snprintf(text + length, size - length, " via %s weight %ld",
						 servers[server], random() % 3);
		length += snprintf(text + length, size - length, "\n");
	}
}

/* The same neighbours, by name: ids may differ. */
static void check_same_neighs(const struct fake *one, const struct fake *other)
{
	for (int i = 0; i < FAKE_NEXT_HOPS; i++) {
		int at = one->ids[i].is_there ? FAKE_FIND(other->ids, hop, &one->ids[i].hop) : -1;
		const struct ecmper_neigh *neigh = &one->neigh[one->ids[i].id], *same;
		const struct ecmper_link *link = neigh_link(neigh), *same_link;

		if (!one->ids[i].is_there)
			continue;
		assert_true(at >= 0);
		same = &other->neigh[other->ids[at].id];
		same_link = neigh_link(same);
		assert_int_equal(neigh->flags, same->flags);
		assert_int_equal(neigh->refs, same->refs);
		assert_int_equal(!link, !same_link);
		if (!link)
			continue;
		assert_memory_equal(link->dst_mac, same_link->dst_mac, 6);
		assert_int_equal(one->ports[link->port], other->ports[same_link->port]);
	}
}

/* Lines of a report, as one text. */
static void join(const struct ecmper_report *report, char *text)
{
	*text = '\0';
	for (unsigned int i = 0; i < report->count; i++)
		text += sprintf(text, "%s\n", report->lines[i]);
}

static void a_report_is_a_batch_that_leads_from_the_old_to_the_new_state(void **state)
{
	struct picture(*seen)[VIEWS] = calloc(2, sizeof(*seen));
	struct fake *fake = fake_new(), *copy = fake_new();
	unsigned int done[2] = {};

	(void)state;
	srandom(6);
	for (int round = 0; round < 3000; round++) {
		enum ecmper_edit_mode mode = random() % 2 ? APPLY : BATCH;
		struct ecmper_report report;
		char text[2048], lines[4096];

		fake_copy(copy, fake);
		if (mode == APPLY) {
			random_state(text, sizeof(text));
		} else {
			random_edit(text, 256);
			for (long more = random() % 3; more; more--)
				random_edit(text + strlen(text), 256);
			if (!(random() % 20)) { /* all anew */
				strcpy(text, "clear\n");
				random_state(text + strlen(text), sizeof(text) - 8);
			}
		}
		if (fake_edit(fake, text, mode, &report, &err))
			continue;
		done[mode] += report.count > 0;
		join(&report, lines);
		ecmper_report_free(&report);
		if (fake_edit(copy, lines, BATCH, NULL, &err))
			fail_msg("%s\n=> %s\n=> %s", text, lines, err.text);
		take_all(fake, seen[0]);
		take_all(copy, seen[1]);
		for (int view = 0; view < VIEWS; view++)
			if (memcmp(&seen[0][view], &seen[1][view], sizeof(**seen)))
				fail_msg("%s\n=> %s", text, lines);
		check_same_neighs(fake, copy);
		check_same_neighs(copy, fake);
		check(copy);
	}
	assert_true(done[BATCH] > 200 && done[APPLY] > 200);
	free(seen);
	fake_free(fake);
	fake_free(copy);
}

static void a_check_reports_and_changes_nothing(void **state)
{
	static const char wanted[] = "neigh add 10.0.0.3 lladdr 02:00:00:00:00:03 dev d1\n"
				     "add 10.0.10.0/32 buckets 64 via 10.0.0.2 via 10.0.0.3\n";
	struct fake *fake = fake_new();
	struct ecmper_report report;
	struct fake *old;

	(void)state;
	must(fake, "add 10.0.10.0/32 buckets 64 via 10.0.0.1 via 10.0.0.2\n", BATCH);
	old = malloc(sizeof(*old));
	assert_non_null(old);
	memcpy(old, fake, sizeof(*old));
	assert_int_equal(fake_edit(fake, wanted, APPLY | ECMPER_EDIT_CHECK, &report, &err), 0);
	assert_int_equal(report.count, 3); /* a neighbour, a server more, one less */
	ecmper_report_free(&report);
	assert_memory_equal(old->lpm, fake->lpm, sizeof(old->lpm));
	assert_memory_equal(old->vip, fake->vip, sizeof(old->vip));
	for (int i = 0; i < FAKE_NEXT_HOPS; i++) {
		assert_int_equal(old->ids[i].is_there, fake->ids[i].is_there);
		/* An id that was taken may rest. */
		assert_int_equal(old->neigh[i].flags & ECMPER_NEIGH_USED,
				 fake->neigh[i].flags & ECMPER_NEIGH_USED);
	}
	assert_int_equal(fake->config.pending, 0);
	/* What would be refused is. */
	assert_true(fake_edit(fake, "add 10.0.10.0/32 buckets 16 via 10.0.0.1\n",
			      APPLY | ECMPER_EDIT_CHECK, NULL, &err) < 0);
	/* And afterwards it can be done. */
	must(fake, wanted, APPLY);
	free(old);
	fake_free(fake);
}

static void a_neighbour_stays_while_history_names_it(void **state)
{
	struct fake *fake = fake_new();
	struct ecmper_hop hop = {.addr = ecmper_addr_from_ipv4(htonl(0x0a000001))};

	(void)state;
	must(fake,
	     "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d1\n"
	     "add 10.0.10.0/32 buckets 16 via 10.0.0.1 via 10.0.0.2\n",
	     BATCH);
	must(fake, "del 10.0.10.0/32 via 10.0.0.1\nneigh del 10.0.0.1\n", BATCH);
	assert_true(FAKE_FIND(fake->ids, hop, &hop) >= 0);
	must(fake, "purge 10.0.0.1\n", BATCH);
	assert_true(FAKE_FIND(fake->ids, hop, &hop) < 0);
	check(fake);
	fake_free(fake);
}

static void a_moved_mac_is_honoured_and_the_old_one_is_not(void **state)
{
	struct fake *fake = fake_new();
	struct ecmper_mac old = {.byte = {2, 0, 0, 0, 0, 1}}, new = {.byte = {2, 0, 0, 0, 0, 9}};

	(void)state;
	must(fake, "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d1\n", BATCH);
	assert_true(FAKE_FIND(fake->macs, mac, &old) < 0); /* not a server yet */
	must(fake, "add 10.0.10.0/32 buckets 16 via 10.0.0.1\n", BATCH);
	assert_true(FAKE_FIND(fake->macs, mac, &old) >= 0);
	must(fake, "neigh add 10.0.0.1 lladdr 02:00:00:00:00:09 dev d1\n", BATCH);
	assert_true(FAKE_FIND(fake->macs, mac, &old) < 0);
	assert_true(FAKE_FIND(fake->macs, mac, &new) >= 0);
	check(fake);
	fake_free(fake);
}

static void a_mac_of_two_next_hops_counts_until_both_lost_it(void **state)
{
	static const char *const hops[] = {"10.0.0.1", "fd00::1"};
	struct ecmper_mac mac = {.byte = {2, 0, 0, 0, 0, 1}};

	(void)state;
	for (int first = 0; first < 2; first++) {
		struct fake *fake = fake_new();
		char text[64];

		must(fake,
		     "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d1\n"
		     "neigh add fd00::1 lladdr 02:00:00:00:00:01 dev d1\n"
		     "add 10.0.10.0/32 buckets 16 via 10.0.0.1 via fd00::1\n",
		     BATCH);
		snprintf(text, sizeof(text), "purge %s\n", hops[first]);
		must(fake, text, BATCH);
		assert_true(FAKE_FIND(fake->macs, mac, &mac) >= 0);
		check(fake);
		snprintf(text, sizeof(text), "neigh add %s lladdr 02:00:00:00:00:02 dev d1\n",
			 hops[!first]);
		must(fake, text, BATCH);
		assert_true(FAKE_FIND(fake->macs, mac, &mac) < 0);
		check(fake);
		fake_free(fake);
	}
}

static void the_port_of_a_device_that_is_gone_is_not_given_to_another(void **state)
{
	struct fake *fake = fake_new();

	(void)state;
	must(fake, "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d1\n", BATCH);
	assert_int_equal(fake->ports[0], 1);
	fake->ports[0] = 0; /* what the kernel does when d1 goes */
	must(fake, "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev d2\n", BATCH);
	assert_int_equal(fake->ports[0], 0);
	assert_int_equal(fake->ports[1], 2);
	must(fake, "neigh del 10.0.0.1\nneigh add 10.0.0.3 lladdr 02:00:00:00:00:03 dev d3\n",
	     BATCH);
	must(fake, "neigh add 10.0.0.4 lladdr 02:00:00:00:00:04 dev d4\n", BATCH);
	assert_int_equal(fake->ports[0], 4);
	check(fake);
	fake_free(fake);
}

static void what_does_not_fit_is_refused_with_the_option_that_helps(void **state)
{
	struct fake *fake = fake_new();
	char text[8192] = "";

	(void)state;
	must(fake, "add 10.0.10.0/32 buckets 4096 via 10.0.0.1\n", BATCH);
	must_fail(fake, "add 10.0.10.1/32 buckets 8192 via 10.0.0.1\n", "--max-buckets");
	for (int i = 1; i < FAKE_NEXT_HOPS + 1; i++)
		sprintf(text + strlen(text), "add 10.0.10.0/32 via 10.0.1.%d\n", i);
	must_fail(fake, text, "--max-next-hops");
	text[0] = '\0';
	for (int i = 0; i < FAKE_PREFIXES; i++)
		sprintf(text + strlen(text), "add 10.3.%d.0/24 connected\n", i);
	must_fail(fake, text, "--max-prefixes");
	text[0] = '\0';
	for (int i = 1; i <= FAKE_PORTS + 1; i++)
		sprintf(text + strlen(text),
			"neigh add 10.0.0.%d lladdr 02:00:00:00:00:0%d dev d%d\n", i, i, i);
	must_fail(fake, text, "--max-ports");
	check(fake);
	fake_free(fake);
}

static void the_port_of_a_device_that_nobody_names_is_used_again(void **state)
{
	struct fake *fake = fake_new();
	unsigned int graces = 0;

	(void)state;
	for (int i = 1; i <= 9; i++) {
		char text[80];

		sprintf(text, "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d%d\n", i);
		if (i == FAKE_PORTS + 1)
			graces = fake->graces;
		must(fake, text, BATCH);
		assert_int_equal(fake->ports[neigh_link(&fake->neigh[1])->port], i);
	}
	/* Packets that were on their way by the old device are waited for. */
	assert_true(fake->graces >= graces + 9 - FAKE_PORTS);
	check(fake);
	fake_free(fake);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct fake *fake = fake_new();

	(void)state;
	must(fake, "add 10.0.10.0/32 buckets 64 via 10.0.0.1\nadd 10.2.0.0/24 connected\n", BATCH);
	must_fail(fake, "del 10.0.10.9/32\n", "no such prefix");
	must_fail(fake, "del 10.0.10.0/32 via 10.0.0.9\n", "10.0.0.9 is not among its servers");
	must_fail(fake, "purge 10.0.0.9\n", "no such server");
	must_fail(fake, "neigh del 10.0.0.9\n", "no such neighbour");
	must_fail(fake, "neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth7\n", "no such device");
	must_fail(fake, "neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev lo\n",
		  "lo: is the loopback device");
	must_fail(fake, "neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev tunnel\n",
		  "tunnel: is no Ethernet device");
	must_fail(fake, "neigh add fe80::9%alias1 lladdr 02:00:00:00:00:09\n",
		  "alias1: is only another name");
	must_fail(fake, "del 10.0.10.0/32 via fe80::9%d1\n", "fe80::9%d1 is not among its servers");
	must_fail(fake, "purge fe80::9%d1\n", "fe80::9%d1: no such server");
	must_fail(fake, "neigh del fe80::9%d1\n", "fe80::9%d1: no such neighbour");
	must_fail(fake, "add 10.0.10.0/32 connected\n", "has servers");
	must_fail(fake, "add 10.2.0.0/24 via 10.0.0.1\n", "connected route");
	must_fail(fake, "add 10.0.10.0/32 buckets 32 via 10.0.0.1\n", "would lose connections");
	must_fail(fake, "add 10.0.10.1/32 via 10.0.0.1\ndel 10.0.10.9/32\n", "line 2");
	must_fail(fake,
		  "add 10.0.10.3/32 hash modulo via 10.0.0.1 weight 10000 via 10.0.0.2 "
		  "weight 10000\n",
		  "weights");
	fake->config.mark = ECMPER_MARK_TOS;
	must_fail(fake, "add 10.0.10.0/32 depth 2 via 10.0.0.1\n", "--mark dscp");
	must(fake, "add 10.0.10.5/32 buckets 16 via 10.0.0.1\n", BATCH);
	check(fake);
	fake_free(fake);
}

static void an_empty_state_is_refused(void **state)
{
	struct fake *fake = fake_new();

	(void)state;
	must(fake, "add 10.0.10.0/32 buckets 64 via 10.0.0.1\n", BATCH);
	assert_int_equal(fake_edit(fake, "# nothing\n", APPLY, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "ecmperctl clear"));
	must(fake, "clear\n", BATCH);
	assert_int_equal(fake->config.prefix_count, 0);
	check(fake);
	fake_free(fake);
}

static void a_modulo_table_keeps_its_size_while_it_has_connections(void **state)
{
	struct fake *fake = fake_new();

	(void)state;
	must(fake, "add 10.0.10.0/32 hash modulo via 10.0.0.1\n", BATCH);
	assert_int_equal(fake->lpm[0].value.cur_nh_count, 1);
	must(fake, "add 10.0.10.0/32 via 10.0.0.2 via 10.0.0.3\n", BATCH);
	assert_int_equal(fake->lpm[0].value.cur_nh_count, 16);
	must(fake, "del 10.0.10.0/32 via 10.0.0.2 via 10.0.0.3\n", BATCH);
	assert_int_equal(fake->lpm[0].value.cur_nh_count, 16);
	must(fake, "purge 10.0.0.2\npurge 10.0.0.3\n", BATCH);
	must(fake, "purge 10.0.0.1\n", BATCH);
	must(fake, "add 10.0.10.0/32 via 10.0.0.1\n", BATCH);
	assert_int_equal(fake->lpm[0].value.cur_nh_count, 1);
	check(fake);
	fake_free(fake);
}

static void prefixes_with_the_same_servers_have_one_table(void **state)
{
	struct fake *fake = fake_new();
	const struct ecmper_prefix *first = &fake->lpm[0].value;
	char text[8192] = "";

	(void)state;
	for (int i = 0; i < 20; i++)
		sprintf(text + strlen(text), "add 10.0.10.%d/32 buckets 1024 via 10.0.0.1\n", i);
	must(fake, text, BATCH);
	must(fake, "add 10.0.10.20/32 buckets 1024 via 10.0.0.1\n", BATCH);
	for (int i = 0; i <= 20; i++) {
		assert_int_equal(fake->lpm[i].value.cur_nh_offset, first->cur_nh_offset);
		assert_int_equal(fake->lpm[i].value.members_offset, first->members_offset);
	}
	check(fake);
	must(fake, "add 10.0.10.3/32 via 10.0.0.2\n", BATCH);
	assert_int_not_equal(fake->lpm[3].value.cur_nh_offset, first->cur_nh_offset);
	check(fake);
	must(fake, "del 10.0.10.3/32\ndel 10.0.10.0/32\n", BATCH);
	check(fake);
	fake_free(fake);
}

static void many_host_prefixes_overflow_into_lpm(void **state)
{
	struct fake *fake = fake_new();
	char text[8192] = "";
	int in_vip = 0;

	(void)state;
	fake->config.vip_lines = 1;
	for (int i = 0; i < 24; i++)
		sprintf(text + strlen(text), "add %s%d buckets 16 via 10.0.0.1\n",
			i % 2 ? "fd00::10:" : "10.0.10.", i);
	must(fake, text, BATCH);
	check(fake);
	for (int i = 0; i < 24; i++) {
		struct ecmper_prefix current, history;

		packet_finds(fake, &fake->lpm[i].net, &current, &history);
		assert_int_equal(current.cur_nh_count, 16);
		in_vip += slot_of(fake, &fake->lpm[i].net) != 0;
	}
	assert_uint_in_range(in_vip, ECMPER_VIP_SLOTS + ECMPER_VIP6_SLOTS, 23);
	must(fake,
	     "del 10.0.10.0/32\nadd 10.0.10.22/32 via 10.0.0.2\n"
	     "del fd00::10:1\nadd fd00::10:23 via 10.0.0.2\n",
	     BATCH);
	check(fake);
	fake_free(fake);
}

static void what_is_hashed_stays_while_there_are_connections(void **state)
{
	struct fake *fake = fake_new();
	const struct ecmper_prefix *value = &fake->lpm[0].value;

	(void)state;
	must(fake, "add fd00::10 hash-on src via fd00::1\n", BATCH);
	assert_int_equal(value->hash_on, ECMPER_HASH_ON_SRC);
	must(fake, "add fd00::10 via fd00::2\n", BATCH);
	assert_int_equal(value->hash_on, ECMPER_HASH_ON_SRC);
	must_fail(fake, "add fd00::10 hash-on src-dst\n", "is hashed on src: another hash-on");
	must_fail(fake, "add fd00::10 hash-on 5tuple via fd00::3\n", "del the prefix and add it");
	must(fake, "del fd00::10 via fd00::1 via fd00::2\n", BATCH);
	must_fail(fake, "add fd00::10 hash-on 5tuple\n", "would lose connections");
	must(fake, "del fd00::10\n", BATCH);
	must(fake, "add fd00::10 hash-on src-dst via fd00::1\n", BATCH);
	assert_int_equal(value->hash_on, ECMPER_HASH_ON_SRC_DST);
	/* Said in one batch, it is meant: the history that does not fit is forgotten, at once. */
	must(fake, "del fd00::10\nadd fd00::10 buckets 64 hash-on src via fd00::2\n", BATCH);
	assert_int_equal(value->hash_on, ECMPER_HASH_ON_SRC);
	assert_int_equal(value->cur_nh_count, 64);
	assert_int_equal(value->prv_nh_count, 0);
	must(fake, "clear\nadd fd00::10 buckets 16 via fd00::2\n", BATCH);
	assert_int_equal(value->cur_nh_count, 16);
	check(fake);
	fake_free(fake);
}

static void who_wants_no_text_need_not_take_one(void **state)
{
	struct ecmper_changes changes = {};
	struct fake *fake = fake_new();

	(void)state;
	assert_int_equal(
		ecmper_changes_add(&changes, 0, 3, (char *[]){"del", "10.0.10.0", ""}, NULL),
		-EINVAL);
	assert_int_equal(ecmper_changes_add(&changes, 0, 2, (char *[]){"del", "10.0.10.0"}, NULL),
			 0);
	assert_int_equal(edit_tables(&fake->tables, &changes, BATCH, NULL, NULL), -ENOENT);
	ecmper_changes_free(&changes);
	assert_int_equal(edit_tables(&fake->tables, &changes, APPLY, NULL, NULL), -EINVAL);
	assert_int_equal(edit_tables(&fake->tables, &changes, BATCH, NULL, NULL), 0);
	fake_free(fake);
}

static void a_neighbour_has_a_tag_and_the_mtu_of_its_device(void **state)
{
	struct fake *fake = fake_new();
	const struct ecmper_link *link;

	(void)state;
	must(fake, "neigh add fd00::1 lladdr 02:00:00:00:00:01 dev d1 vlan 7\n", BATCH);
	link = neigh_link(&fake->neigh[1]);
	assert_int_equal(link->vlan, 7);
	assert_int_equal(link->mtu, FAKE_MTU);
	must(fake, "neigh add fd00::1 lladdr 02:00:00:00:00:01 dev d1\n", BATCH);
	assert_int_equal(neigh_link(&fake->neigh[1])->vlan, 0);
	check(fake);
	fake_free(fake);
}

/* The id of a name, 0: it has none. */
static uint32_t id_of(struct fake *fake, const char *name)
{
	struct ecmper_hop hop;
	uint32_t id;

	assert_int_equal(ecmper_hop_parse(name, &hop), 0);
	return neigh_find(&fake->tables, &hop, &id) ? 0 : id;
}

static void the_same_link_local_address_on_two_devices_is_two_next_hops(void **state)
{
	static const char *const lines[] = {
		"neigh add fe80::1%d2 lladdr 02:00:00:00:00:03 dev d2",
		"del fd00::10/128 via fe80::1%d1",
		"add fd00::10/128 via fe80::1%d2 weight 5",
	};
	struct fake *fake = fake_new();
	struct ecmper_report report;

	(void)state;
	must(fake,
	     "neigh add fe80::1%d1 lladdr 02:00:00:00:00:01\n"
	     "neigh add fe80::1%d2 lladdr 02:00:00:00:00:02 dev d2\n"
	     "add fd00::10 buckets 64 via fe80::1%d1 via fe80::1%d2 via fe80::1%d3\n",
	     BATCH);
	assert_int_equal(neigh_link(&fake->neigh[id_of(fake, "fe80::1%d1")])->dst_mac[5], 1);
	assert_int_equal(neigh_link(&fake->neigh[id_of(fake, "fe80::1%d2")])->dst_mac[5], 2);
	assert_null(neigh_link(&fake->neigh[id_of(fake, "fe80::1%d3")]));
	assert_int_equal(fake->lpm[0].value.members_count, 3);
	check(fake);

	/* Each goes its own way. */
	assert_int_equal(
		fake_edit(fake,
			  "neigh add fe80::1%d1 lladdr 02:00:00:00:00:01 dev d1\n"
			  "neigh add fe80::1%d2 lladdr 02:00:00:00:00:03 dev d2\n"
			  "add fd00::10 buckets 64 via fe80::1%d2 weight 5 via fe80::1%d3\n",
			  APPLY, &report, &err),
		0);
	assert_int_equal(report.count, sizeof(lines) / sizeof(*lines));
	for (unsigned int i = 0; i < report.count; i++)
		assert_string_equal(report.lines[i], lines[i]);
	ecmper_report_free(&report);
	check(fake);
	must(fake, "purge fe80::1%d2\nneigh del fe80::1%d2\n", BATCH);
	assert_int_equal(id_of(fake, "fe80::1%d2"), 0);
	assert_int_not_equal(id_of(fake, "fe80::1%d1"), 0); /* in the history */
	assert_int_not_equal(id_of(fake, "fe80::1%d3"), 0);
	check(fake);
	fake_free(fake);
}

static void a_next_hop_knows_its_device_by_name(void **state)
{
	struct fake *fake = fake_new();
	static const char state_lines[] = "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d1\n"
					  "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev d2\n"
					  "add 10.0.10.0/32 buckets 64 via 10.0.0.1\n";
	struct ecmper_report report;

	(void)state;
	must(fake, state_lines, BATCH);
	assert_string_equal(fake->neigh[1].dev, "d1");
	must(fake, "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev alias2\n", BATCH);
	assert_string_equal(fake->neigh[1].dev, "d2");
	must(fake, state_lines, BATCH);

	/* The state of a router that has lost a device is not refused because of it ... */
	fake->gone = '1';
	fake->ports[neigh_link(&fake->neigh[1])->port] = 0;
	assert_int_equal(fake_edit(fake, state_lines, APPLY, &report, &err), 0);
	assert_int_equal(report.count, 0);
	ecmper_report_free(&report);
	assert_string_equal(fake->neigh[1].dev, "d1");
	assert_non_null(neigh_link(&fake->neigh[1]));
	/* ... but what is new must be possible, and a neighbour that is said by itself is meant. */
	assert_int_equal(fake_edit(fake, "neigh add 10.0.0.1 lladdr 02:00:00:00:00:09 dev d1\n",
				   APPLY, NULL, &err),
			 -ENODEV);
	assert_int_equal(fake_edit(fake, "neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev d1\n",
				   APPLY, NULL, &err),
			 -ENODEV);
	must_fail(fake, "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev d1\n", "no such device");

	/* Made again under its name, it is the way out again. */
	fake->gone = 0;
	must(fake, state_lines, APPLY);
	assert_int_equal(fake->ports[neigh_link(&fake->neigh[1])->port], 1);
	check(fake);
	fake_free(fake);
}

/* Ids are found without looking at all of them: what is free below the last one taken is not lost. */
static void every_id_is_used_again(void **state)
{
	struct fake *fake = fake_new();
	char text[128];

	(void)state;
	for (int round = 0; round < 10 * FAKE_NEXT_HOPS; round++) {
		snprintf(text, sizeof(text),
			 "neigh add 10.0.1.%d lladdr 02:00:00:00:00:01 dev d1\n", round);
		if (round >= FAKE_NEXT_HOPS / 2)
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
				 "neigh del 10.0.1.%d\n", round - FAKE_NEXT_HOPS / 2);
		must(fake, text, BATCH);
		check(fake);
	}
	fake_free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_every_step_a_packet_finds_the_old_or_the_new_table_whole),
		cmocka_unit_test(ended_at_every_step_the_next_command_finishes),
		cmocka_unit_test(a_refused_operation_leaves_the_old_or_the_new_state),
		cmocka_unit_test(a_refused_update_undoes_what_was_done),
		cmocka_unit_test(the_same_again_changes_nothing),
		cmocka_unit_test(apply_makes_the_state_equal_and_says_how),
		cmocka_unit_test(a_report_is_a_batch_that_leads_from_the_old_to_the_new_state),
		cmocka_unit_test(a_check_reports_and_changes_nothing),
		cmocka_unit_test(a_neighbour_stays_while_history_names_it),
		cmocka_unit_test(a_moved_mac_is_honoured_and_the_old_one_is_not),
		cmocka_unit_test(a_mac_of_two_next_hops_counts_until_both_lost_it),
		cmocka_unit_test(the_port_of_a_device_that_is_gone_is_not_given_to_another),
		cmocka_unit_test(what_does_not_fit_is_refused_with_the_option_that_helps),
		cmocka_unit_test(the_port_of_a_device_that_nobody_names_is_used_again),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(an_empty_state_is_refused),
		cmocka_unit_test(a_modulo_table_keeps_its_size_while_it_has_connections),
		cmocka_unit_test(prefixes_with_the_same_servers_have_one_table),
		cmocka_unit_test(many_host_prefixes_overflow_into_lpm),
		cmocka_unit_test(what_is_hashed_stays_while_there_are_connections),
		cmocka_unit_test(a_neighbour_has_a_tag_and_the_mtu_of_its_device),
		cmocka_unit_test(who_wants_no_text_need_not_take_one),
		cmocka_unit_test(the_same_link_local_address_on_two_devices_is_two_next_hops),
		cmocka_unit_test(a_next_hop_knows_its_device_by_name),
		cmocka_unit_test(every_id_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
