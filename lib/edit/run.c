// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doing a plan, operation by operation, and undoing it when the kernel refuses one (only maps
 * behind system calls can: out of memory).
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "plan.h"

/* lpm allocates for every replacement, with GFP_ATOMIC: a failure now may succeed a moment later. */
#define LPM_TRIES 5

/* A write that took longer than this is written again, with the later time. */
#define LPM_WRITE_NS 1000000

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now); /* as bpf_ktime_get_ns() of the router program */
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/*
 * Replace a prefix, which remembers when: packets that are on their way since before must not be
 * answered for (choose.h). So it is the time of the write that counts, as nearly as a process can
 * tell, not that of the plan. A new prefix has no packets on their way.
 */
static int lpm_set(struct tables *tables, const struct ecmper_net *net,
		   const struct ecmper_prefix *value, bool is_new)
{
	struct ecmper_prefix stamped = *value;
	bool is_written = false;
	int ret = -ENOMEM;

	for (int i = 0; i < LPM_TRIES; i++) {
		stamped.changed_ns = is_new ? 0 : now_ns();
		ret = tables->ops->lpm_set(tables->arg, net, &stamped);
		if (ret && ret != -ENOMEM)
			break;
		is_written |= !ret;
		if (!ret && (is_new || now_ns() - stamped.changed_ns < LPM_WRITE_NS))
			break;
	}
	return is_written ? 0 : ret;
}

static int lpm_switch(struct tables *tables, const struct op *op)
{
	int ret = lpm_set(tables, &op->net, &op->value, !op->before.generation);

	if (!ret && !op->before.generation)
		tables->config->prefix_count++;
	return ret;
}

static int lpm_delete(struct tables *tables, const struct ecmper_net *net)
{
	int ret = tables->ops->lpm_delete(tables->arg, net);

	if (!ret)
		tables->config->prefix_count--;
	return ret;
}

/* Do one operation. Can only fail (-ENOMEM and the like) for maps behind system calls. */
static int do_step(struct tables *tables, const struct op *op)
{
	if (tables->ops->on_step)
		tables->ops->on_step(tables->arg);
	switch (op->kind) {
	case OP_FILL:
		memcpy(region_data(tables, op->region, op->offset), op->data,
		       op->count * region_item(op->region));
		return range_ref(tables, op->region, op->offset, op->count, op->hash, 1);
	case OP_SHARE: return range_ref(tables, op->region, op->offset, op->count, op->hash, 1);
	case OP_REF: return neigh_ref(tables, op->offset, 1);
	case OP_LPM_SET: return lpm_switch(tables, op);
	case OP_VIP_SET: vip_set(tables, &op->net, &op->value); return 0;
	case OP_VIP_CLEAR: vip_clear(tables, &op->net); return 0;
	case OP_LPM_DELETE: return lpm_delete(tables, &op->net);
	case OP_UNSHARE: return range_ref(tables, op->region, op->offset, op->count, op->hash, -1);
	case OP_UNREF: return neigh_ref(tables, op->offset, -1);
	}
	return -EINVAL;
}

static int undo_lpm_delete(struct tables *tables, const struct op *op)
{
	int ret = lpm_set(tables, &op->net, &op->before, false);

	if (!ret)
		tables->config->prefix_count++;
	return ret;
}

/* The opposite of a step of PHASE_PREPARE or PHASE_SWITCH. */
static int undo_step(struct tables *tables, const struct op *op)
{
	switch (op->kind) {
	case OP_FILL:
	case OP_SHARE: return range_ref(tables, op->region, op->offset, op->count, op->hash, -1);
	case OP_REF: return neigh_ref(tables, op->offset, -1);
	case OP_LPM_SET:
		return op->before.generation ? lpm_set(tables, &op->net, &op->before, false)
					     : lpm_delete(tables, &op->net);
	case OP_VIP_SET:
		if (op->before.generation && vip_wants(&op->net, &op->before))
			vip_set(tables, &op->net, &op->before);
		else
			vip_clear(tables, &op->net);
		return 0;
	case OP_VIP_CLEAR: vip_set(tables, &op->net, &op->before); return 0;
	case OP_LPM_DELETE: return undo_lpm_delete(tables, op);
	default: return 0;
	}
}

/* Ranges that were taken for operations from `first` on, which are not going to be done. */
static void give_back(const struct plan *plan, struct tables *tables, unsigned int first)
{
	for (unsigned int i = first; i < plan->count[PHASE_PREPARE]; i++) {
		const struct op *op = &plan->ops[PHASE_PREPARE][i];

		if (op->kind == OP_FILL)
			range_give_back(tables, op->region, op->offset, op->count);
	}
}

void plan_cancel(const struct plan *plan, struct tables *tables)
{
	give_back(plan, tables, 0);
}

/* Operation i of the phase was refused: undo those before it. Returns how many prefixes keep what
 * was new, because the kernel refuses the way back, too. What else is not undone, nobody sees, and
 * recover.c looks after it. */
static unsigned int undo(const struct plan *plan, struct tables *tables, enum phase phase,
			 unsigned int i)
{
	unsigned int left = 0;

	if (phase == PHASE_PREPARE)
		give_back(plan, tables, i);
	for (;;) {
		while (i)
			if (undo_step(tables, &plan->ops[phase][--i]))
				left += phase == PHASE_SWITCH;
		if (phase == PHASE_PREPARE)
			return left;
		phase--;
		i = plan->count[phase];
	}
}

static int refused(unsigned int left, int code, struct ecmper_error *err)
{
	if (!left)
		return ecmper_fail(err, code,
				   "the kernel refused an update of the maps: %s; nothing was "
				   "changed, try again",
				   strerror(-code));
	return ecmper_fail(err, code,
			   "the kernel refused an update of the maps: %s; and it refused to undo "
			   "what was done before: %u %s changed (`ecmperctl show` says what holds "
			   "now), try again",
			   strerror(-code), left, left == 1 ? "prefix is" : "prefixes are");
}

int plan_run(const struct plan *plan, struct tables *tables, bool *is_tidy,
	     struct ecmper_error *err)
{
	*is_tidy = true;
	for (enum phase phase = 0; phase < PHASES; phase++) {
		for (unsigned int i = 0; i < plan->count[phase]; i++) {
			int ret = do_step(tables, &plan->ops[phase][i]);

			*is_tidy &= !ret;
			if (!ret || phase == PHASE_RELEASE)
				continue;
			return refused(undo(plan, tables, phase, i), ret, err);
		}
	}
	return 0;
}
