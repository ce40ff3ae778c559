// SPDX-License-Identifier: GPL-2.0-only
/*
 * From what is to what shall be. A prefix's new table, history and members are written into
 * ranges where no packet looks; then one value switches to them: the lpm entry, which the kernel
 * replaces atomically, and for a host prefix the 8-byte slot in `vip`. Only then is the old given
 * up, and it rests until a grace period before it is used again. So whatever prefix of the list of
 * operations has been done when the process dies, a packet finds the old or the new table whole.
 * lpm is the truth: recover.c derives the rest from it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "grow.h"
#include "plan.h"

int plan_init(struct plan *plan)
{
	*plan = (struct plan){.seen = calloc(UINT16_MAX + 1, 1)};
	return plan->seen ? 0 : -ENOMEM;
}

void plan_free(struct plan *plan)
{
	for (enum phase phase = 0; phase < PHASES; phase++) {
		for (unsigned int i = 0; i < plan->count[phase]; i++)
			free(plan->ops[phase][i].data);
		free(plan->ops[phase]);
	}
	free(plan->seen);
	free(plan->fills);
	free(plan->last_servers);
	free(plan->last_cur);
}

/* A new operation at the end of a phase, all zero but its kind; NULL: no memory. */
static struct op *append(struct plan *plan, enum phase phase, enum op_kind kind)
{
	struct op *op, *grown = array_grow(plan->ops[phase], plan->count[phase], sizeof(*grown));

	if (!grown)
		return NULL;
	plan->ops[phase] = grown;
	op = &plan->ops[phase][plan->count[phase]++];
	*op = (struct op){.kind = kind};
	return op;
}

struct op *plan_append_range(struct plan *plan, enum phase phase, enum op_kind kind,
			     enum region region, uint32_t offset, uint32_t count, uint64_t hash)
{
	struct op *op = append(plan, phase, kind);

	if (op) {
		op->region = region;
		op->offset = offset;
		op->count = count;
		op->hash = hash;
	}
	return op;
}

static int append_unshare(struct plan *plan, enum region region, uint32_t offset, uint32_t count,
			  uint64_t hash)
{
	return !count || plan_append_range(plan, PHASE_RELEASE, OP_UNSHARE, region, offset, count,
					   hash)
		       ? 0
		       : -ENOMEM;
}

/* Everything that `old` occupies is given up, after the switch. */
static int append_unshare_all(struct plan *plan, const struct tables *tables,
			      const struct ecmper_prefix *old)
{
	return append_unshare(plan, REGION_CUR_NH, old->cur_nh_offset, old->cur_nh_count,
			      old->cur_nh_hash) ?:
	       append_unshare(plan, REGION_PRV_NH, old->prv_nh_offset, old->prv_nh_count,
			      old->prv_nh_hash) ?:
	       append_unshare(plan, REGION_MEMBERS, old->members_offset, old->members_count,
			      members_hash(tables, old));
}

#define SEEN_OLD 1
#define SEEN_NEW 2

static void see_slots(uint8_t *seen, const uint16_t *slots, uint32_t count, uint8_t flag)
{
	uint64_t four;
	uint32_t i = 0;

	while (i < count) {
		/* Most of a history is empty. */
		if (count - i >= 4 && (memcpy(&four, slots + i, sizeof(four)), !four)) {
			i += 4;
			continue;
		}
		seen[slots[i++]] |= flag;
	}
}

/* References that come and go: a prefix refers to its members and to whom its history names. */
static int append_refs(struct plan *plan, const struct tables *tables)
{
	plan->seen[0] = 0;
	for (uint32_t id = 1; id < tables->config->max_next_hops; id++) {
		uint8_t flags = plan->seen[id];
		struct op *op;

		plan->seen[id] = 0;
		if (flags != SEEN_OLD && flags != SEEN_NEW)
			continue;
		op = flags == SEEN_NEW ? append(plan, PHASE_PREPARE, OP_REF)
				       : append(plan, PHASE_RELEASE, OP_UNREF);
		if (!op)
			return -ENOMEM;
		op->offset = id;
	}
	return 0;
}

static void see_old(struct plan *plan, const struct tables *tables, const struct ecmper_prefix *old)
{
	for (uint32_t i = 0; i < old->members_count; i++)
		plan->seen[tables->members[old->members_offset + i].nh] |= SEEN_OLD;
	see_slots(plan->seen, tables->prv_nh + old->prv_nh_offset, old->prv_nh_count, SEEN_OLD);
}

/* Does the prefix know a purged next hop, as an owner or from its history? */
static bool has_purged(const struct tables *tables, const struct ecmper_prefix *old,
		       const bool *is_purged)
{
	const struct ecmper_member *members = tables->members + old->members_offset;
	const uint16_t *prv = tables->prv_nh + old->prv_nh_offset;

	for (uint32_t i = 0; is_purged && i < old->members_count; i++)
		if (is_purged[members[i].nh])
			return true;
	for (uint32_t i = 0; is_purged && i < old->prv_nh_count; i++)
		if (is_purged[prv[i]])
			return true;
	return false;
}

/* Buckets that have or had an owner must not be thrown together: the table never shrinks then. */
static bool holds_connections(const struct tables *tables, const struct ecmper_prefix *old)
{
	const struct ecmper_member *members = tables->members + old->members_offset;

	for (uint32_t i = 0; i < old->members_count; i++)
		if (members[i].weight)
			return true;
	return old->prv_nh_count;
}

/* The buckets that the wanted table has; 0 when that cannot be. */
static uint32_t wanted_count(const struct tables *tables, const struct wanted *wanted,
			     const struct ecmper_prefix *old)
{
	uint32_t count;

	if (!wanted->is_modulo)
		return wanted->buckets;
	count = table_modulo_count(wanted->servers, wanted->server_count);
	return count && old && holds_connections(tables, old) && count < old->cur_nh_count
		       ? old->cur_nh_count
		       : count;
}

static bool is_same(const struct tables *tables, const struct ecmper_prefix *old,
		    const struct wanted *wanted, uint32_t count)
{
	const struct ecmper_member *members = tables->members + old->members_offset;

	if (wanted->is_connected != !!(old->flags & ECMPER_PREFIX_CONNECTED))
		return false;
	if (wanted->is_connected)
		return true;
	if (wanted->is_modulo != !!(old->flags & ECMPER_PREFIX_MODULO) ||
	    count != old->cur_nh_count || wanted->depth != old->depth ||
	    wanted->hash_on != old->hash_on || wanted->server_count != old->members_count)
		return false;
	for (uint32_t i = 0; i < old->members_count; i++)
		if (members[i].nh != wanted->servers[i].id ||
		    members[i].weight != wanted->servers[i].weight ||
		    members[i].origin != wanted->servers[i].origin)
			return false;
	return true;
}

static unsigned int count_active(const struct wanted *wanted)
{
	unsigned int active = 0;

	for (unsigned int i = 0; i < wanted->server_count; i++)
		active += wanted->servers[i].weight > 0;
	return active;
}

/* Can the wanted table be built at all, and from the old one? */
static int check_wanted(const struct tables *tables, const struct wanted *wanted,
			const struct ecmper_prefix *old, uint32_t count, struct ecmper_error *err)
{
	char net[ECMPER_NET_STRLEN];

	ecmper_net_format(&wanted->net, net);
	if (!count)
		return ecmper_fail(err, -EINVAL,
				   "%s: the weights add up to more than %u, which a modulo table "
				   "cannot hold; use smaller weights or hash maglev",
				   net, ECMPER_BUCKETS_MAX / 4);
	if (count_active(wanted) > count)
		return ecmper_fail(
			err, -EINVAL,
			"%s: %u servers do not fit a table of %u buckets; say buckets %u "
			"or more",
			net, count_active(wanted), count, count * 2);
	if (old && wanted->is_anew)
		return 0;
	if (old && old->cur_nh_count && wanted->hash_on != old->hash_on &&
	    holds_connections(tables, old))
		return ecmper_fail(
			err, -EINVAL,
			"%s is hashed on %s: another hash-on would lose connections; keep it, or "
			"del the prefix and add it again",
			net, ecmper_hash_on_names[old->hash_on]);
	if (old && count < old->cur_nh_count && holds_connections(tables, old))
		return ecmper_fail(
			err, -EINVAL,
			"%s has %u buckets: a table of %u would lose connections; keep the "
			"size, or del the prefix and add it again",
			net, old->cur_nh_count, count);
	return 0;
}

static bool is_last_table(const struct plan *plan, const struct wanted *wanted, uint32_t count)
{
	if (!plan->last_cur || plan->last_count != count ||
	    plan->last_server_count != wanted->server_count)
		return false;
	for (unsigned int i = 0; i < wanted->server_count; i++)
		if (plan->last_servers[i].id != wanted->servers[i].id ||
		    plan->last_servers[i].weight != wanted->servers[i].weight)
			return false;
	return true;
}

/* The table of the wanted servers, in plan->last_cur. Many prefixes of a batch have the same. */
static int compute_table(struct plan *plan, const struct wanted *wanted, uint32_t count)
{
	size_t size = wanted->server_count * sizeof(*plan->last_servers);

	if (!wanted->is_modulo && is_last_table(plan, wanted, count))
		return 0;
	free(plan->last_cur);
	free(plan->last_servers);
	plan->last_cur = malloc(count * sizeof(*plan->last_cur));
	plan->last_servers = malloc(size + 1);
	if (!plan->last_cur || !plan->last_servers)
		return -ENOMEM;
	if (size)
		memcpy(plan->last_servers, wanted->servers, size);
	plan->last_server_count = wanted->server_count;
	plan->last_count = wanted->is_modulo ? 0 : count;
	if (!wanted->is_modulo)
		return table_fill_maglev(plan->last_cur, count, wanted->servers,
					 wanted->server_count);
	table_fill_modulo(plan->last_cur, count, wanted->servers, wanted->server_count);
	return 0;
}

static int plan_cur(struct plan *plan, struct tables *tables, struct ecmper_prefix *value,
		    struct ecmper_error *err)
{
	size_t size = value->cur_nh_count * sizeof(uint16_t);
	void *cur = malloc(size);

	if (!cur)
		return -ENOMEM;
	memcpy(cur, plan->last_cur, size);
	return plan_range(plan, tables, REGION_CUR_NH, cur, value->cur_nh_count,
			  &value->cur_nh_offset, &value->cur_nh_hash, err);
}

static int plan_prv(struct plan *plan, struct tables *tables, const struct ecmper_prefix *old,
		    const bool *is_purged, struct ecmper_prefix *value, struct ecmper_error *err)
{
	struct history before = {};
	uint16_t *prv;
	uint32_t rows;

	/* A table may only shrink when it has nothing to carry over. */
	if (old && old->cur_nh_count && old->cur_nh_count <= value->cur_nh_count &&
	    old->hash_on == value->hash_on)
		before = (struct history){.cur = tables->cur_nh + old->cur_nh_offset,
					  .prv = tables->prv_nh + old->prv_nh_offset,
					  .count = old->cur_nh_count,
					  .rows = old->prv_nh_count / old->cur_nh_count};
	prv = malloc((size_t)(before.rows + 1) * value->cur_nh_count * sizeof(*prv));
	if (!prv)
		return -ENOMEM;
	rows = history_build(&before, plan->last_cur, value->cur_nh_count, value->depth, is_purged,
			     prv);
	value->prv_nh_count = rows * value->cur_nh_count;
	if (!rows) {
		free(prv);
		return 0;
	}
	see_slots(plan->seen, prv, value->prv_nh_count, SEEN_NEW);
	return plan_range(plan, tables, REGION_PRV_NH, prv, value->prv_nh_count,
			  &value->prv_nh_offset, &value->prv_nh_hash, err);
}

static int plan_members(struct plan *plan, struct tables *tables, const struct wanted *wanted,
			struct ecmper_prefix *value, struct ecmper_error *err)
{
	struct ecmper_member *members;

	value->members_count = wanted->server_count;
	if (!wanted->server_count)
		return 0;
	members = calloc(wanted->server_count, sizeof(*members));
	if (!members)
		return -ENOMEM;
	for (unsigned int i = 0; i < wanted->server_count; i++) {
		members[i].nh = wanted->servers[i].id;
		members[i].weight = wanted->servers[i].weight;
		members[i].origin = wanted->servers[i].origin;
		plan->seen[wanted->servers[i].id] |= SEEN_NEW;
	}
	return plan_range(plan, tables, REGION_MEMBERS, members, value->members_count,
			  &value->members_offset, NULL, err);
}

/* One step that packets see. */
static int append_switch(struct plan *plan, enum op_kind kind, const struct ecmper_net *net,
			 const struct ecmper_prefix *old, const struct ecmper_prefix *value)
{
	struct op *op = append(plan, PHASE_SWITCH, kind);

	if (!op)
		return -ENOMEM;
	op->net = *net;
	if (old)
		op->before = *old;
	if (value)
		op->value = *value;
	return 0;
}

/* lpm first: it is the truth. A prefix that leaves `vip` must do so before its ranges rest. */
static int append_switches(struct plan *plan, const struct ecmper_net *net,
			   const struct ecmper_prefix *old, const struct ecmper_prefix *value)
{
	int ret = append_switch(plan, OP_LPM_SET, net, old, value);

	if (!ret && vip_wants(net, value))
		return append_switch(plan, OP_VIP_SET, net, old, value);
	if (!ret && old && vip_wants(net, old))
		return append_switch(plan, OP_VIP_CLEAR, net, old, NULL);
	return ret;
}

static int plan_delete(struct plan *plan, struct tables *tables, const struct ecmper_net *net,
		       const struct ecmper_prefix *old)
{
	int ret = vip_wants(net, old) ? append_switch(plan, OP_VIP_CLEAR, net, old, NULL) : 0;

	ret = ret ?: append_switch(plan, OP_LPM_DELETE, net, old, NULL);
	if (ret)
		return ret;
	see_old(plan, tables, old);
	plan->prefixes_changed++;
	return append_refs(plan, tables) ?: append_unshare_all(plan, tables, old);
}

int plan_prefix(struct plan *plan, struct tables *tables, const struct ecmper_net *net,
		const struct ecmper_prefix *old, const struct wanted *wanted, const bool *is_purged,
		struct ecmper_error *err)
{
	struct ecmper_prefix value = {.addr = net->addr, .prefixlen = net->len, .generation = 1};
	uint32_t count;
	int ret;

	ret = old ? tables_touch_prefix(tables, old) : 0;
	if (ret)
		return ret;
	if (!wanted)
		return old ? plan_delete(plan, tables, net, old) : 0;
	if (old && !has_purged(tables, old, is_purged))
		is_purged = NULL;
	count = wanted->is_connected ? 0 : wanted_count(tables, wanted, old);
	if (old && !is_purged && is_same(tables, old, wanted, count))
		return 0;
	if (old)
		value.generation = old->generation + 1 ?: 1;
	if (wanted->is_connected) {
		value.flags = ECMPER_PREFIX_CONNECTED;
	} else {
		ret = check_wanted(tables, wanted, old, count, err);
		if (ret)
			return ret;
		value.cur_nh_count = count;
		value.depth = wanted->depth;
		value.hash_on = wanted->hash_on;
		value.flags = wanted->is_modulo ? ECMPER_PREFIX_MODULO : 0;
		ret = compute_table(plan, wanted, count) ?:
		      plan_cur(plan, tables, &value, err) ?:
		      plan_prv(plan, tables, old, is_purged, &value, err) ?:
		      plan_members(plan, tables, wanted, &value, err);
		if (ret)
			return ret;
	}
	if (old)
		see_old(plan, tables, old);
	plan->prefixes_changed++;
	return append_switches(plan, net, old, &value) ?:
	       append_refs(plan, tables) ?: (old ? append_unshare_all(plan, tables, old) : 0);
}
