// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loop of a run: instances, epochs, frames; and the comparison. See run.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "../prog/harness.h"
#include "run.h"

enum { INSTANCE_KIND = 1, EPOCH_KIND, CHANGE_KIND, FRAME_KIND };

#define BLOCK_FRAMES 256 /* between looks at the counters and at the clock */
#define KINDS_MAX    12  /* of differences: then it is enough */

struct run {
	const struct model_role *role;
	const struct run_options *options;
	struct run_result *result;
	struct program *program;
	struct model_frame frames[2]; /* this one and the one before, in turn */
	struct model_outcome expected, got;
	struct tally before, wanted; /* when the block began; what it must have added since */
	double start;
	/* The kinds of differences that were shown: what was expected and what came. */
	struct {
		uint32_t expected, got;
	} kinds[KINDS_MAX];
	unsigned int kind_count;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void make_frame(struct run *run, uint64_t number)
{
	struct random epoch = random_of(run->options->seed, EPOCH_KIND, number / EPOCH_FRAMES);
	struct random random = random_of(run->options->seed, FRAME_KIND, number);

	generate_frame(&random, epoch, run->role->pick, &run->frames[number & 1]);
	mutate_frame(&random, &run->frames[number & 1], &run->frames[~number & 1]);
}

static bool is_same_frame(const struct model_outcome *expected, const struct model_outcome *got)
{
	if (expected->verdict != got->verdict)
		return false;
	return expected->verdict == XDP_DROP ||
	       (expected->length == got->length && !memcmp(expected->data, got->data, got->length));
}

/* Through both. The counters are looked at later. */
static bool try_frame(struct run *run, uint64_t number)
{
	const struct model_frame *frame = &run->frames[number & 1];

	make_frame(run, number);
	run->role->judge(frame, &run->expected);
	if (run->expected.is_unclear)
		return true;
	program_run(run->program, frame, &run->got);
	tally_add(&run->wanted, &run->expected);
	if (run->got.verdict != XDP_DROP && checksum_is_good(frame->data, frame->length) &&
	    !checksum_is_good(run->got.data, run->got.length)) {
		run->result->bad_checksums++;
		return false;
	}
	return is_same_frame(&run->expected, &run->got);
}

/* *added: what the program has counted since the last time. */
static bool is_counted(struct run *run, struct tally *added)
{
	struct tally now;
	bool is_good;

	program_count(run->program, &now);
	*added = now;
	tally_subtract(added, &run->before);
	is_good = !memcmp(added, &run->wanted, sizeof(*added));
	run->before = now;
	memset(&run->wanted, 0, sizeof(run->wanted));
	return is_good;
}

/* The first of its kind, by the reasons that were counted, is the one to be shown. */
static bool is_new_kind(struct run *run)
{
	if (run->kind_count == KINDS_MAX)
		return false;
	for (unsigned int i = 0; i < run->kind_count; i++)
		if (run->kinds[i].expected == run->expected.reasons &&
		    run->kinds[i].got == run->got.reasons)
			return false;
	run->kinds[run->kind_count].expected = run->expected.reasons;
	run->kinds[run->kind_count++].got = run->got.reasons;
	return true;
}

/* One frame, counted by itself. It is shown when the caller says so, or when it differs. */
static void examine_frame(struct run *run, uint64_t number, bool is_shown)
{
	bool is_good = try_frame(run, number);
	struct tally added;

	if (run->expected.is_unclear)
		return;
	is_good &= is_counted(run, &added);
	tally_explain(&added, &run->got);
	if (!is_good)
		run->result->differences++;
	if (is_shown || (!is_good && is_new_kind(run)))
		report_difference(run->role, run->options, number, &run->frames[number & 1],
				  &run->expected, &run->got);
}

static void begin_count(struct run *run)
{
	program_count(run->program, &run->before);
	memset(&run->wanted, 0, sizeof(run->wanted));
}

static void begin_epoch(struct run *run, uint64_t first)
{
	model_fragments_clear();
	program_clear_fragments(run->program);
	begin_count(run);
	run->frames[~first & 1].length = 0;
}

/* Something differs in this block: once more from the start of the epoch, here frame by frame. */
static void examine_block(struct run *run, uint64_t first, uint64_t end)
{
	uint64_t before = run->result->differences, epoch_first = first - first % EPOCH_FRAMES;

	begin_epoch(run, epoch_first);
	for (uint64_t number = epoch_first; number < first; number++)
		try_frame(run, number);
	begin_count(run);
	for (uint64_t number = first; number < end; number++)
		examine_frame(run, number, false);
	if (before != run->result->differences)
		return;
	run->result->differences++;
	printf("# %s, seed %" PRIu64 ": one of the %d frames from %" PRIu64
	       " differed, but not a second time\n",
	       run->role->name, run->options->seed, BLOCK_FRAMES, first);
}

static bool try_block(struct run *run, uint64_t first, uint64_t end)
{
	struct tally added;
	bool is_good = true;

	for (uint64_t number = first; number < end; number++) {
		is_good &= try_frame(run, number);
		for (uint32_t i = 0; i < TALLY_REASONS && !run->expected.is_unclear; i++)
			run->result->by_reason[i] += run->expected.reasons >> i & 1;
	}
	run->result->frames += end - first;
	return is_counted(run, &added) && is_good;
}

static bool is_over(const struct run *run)
{
	return run->result->frames >= run->options->frames || run->kind_count == KINDS_MAX ||
	       now() - run->start > run->options->seconds;
}

/* Returns false at the end of the run. */
static bool run_epoch(struct run *run, uint64_t epoch)
{
	uint64_t first = epoch * EPOCH_FRAMES;

	begin_epoch(run, first);
	for (uint64_t at = first; at < first + EPOCH_FRAMES; at += BLOCK_FRAMES) {
		if (is_over(run))
			return false;
		if (!try_block(run, at, at + BLOCK_FRAMES))
			examine_block(run, at, at + BLOCK_FRAMES);
	}
	return true;
}

/* The one frame that is asked for, after those of its epoch before it. */
static void show_frame(struct run *run, uint64_t epoch)
{
	uint64_t wanted = run->options->frame;

	begin_epoch(run, epoch * EPOCH_FRAMES);
	for (uint64_t number = epoch * EPOCH_FRAMES; number < wanted; number++)
		try_frame(run, number);
	begin_count(run);
	examine_frame(run, wanted, true);
}

static bool run_instance(struct run *run, uint64_t instance)
{
	struct random random = random_of(run->options->seed, INSTANCE_KIND, instance);
	bool is_tos = (run->options->seed + instance) % 3 == 0; /* every third has that mark */
	struct lab *lab = run->role->up(&random, is_tos ? ECMPER_MARK_TOS : ECMPER_MARK_DSCP);
	uint64_t first = instance * INSTANCE_EPOCHS;
	bool goes_on = true;

	run->program = program_open(lab);
	for (uint64_t epoch = first; goes_on && epoch < first + INSTANCE_EPOCHS; epoch++) {
		struct random change = random_of(run->options->seed, CHANGE_KIND, epoch);

		run->role->change(&change);
		if (!run->options->has_frame) {
			goes_on = run_epoch(run, epoch);
		} else if (epoch == run->options->frame / EPOCH_FRAMES) {
			show_frame(run, epoch);
			goes_on = false;
		}
	}
	program_close(run->program);
	run->role->down();
	return goes_on;
}

void run_role(const struct model_role *role, const struct run_options *options,
	      struct run_result *result)
{
	static struct run run;
	uint64_t instance = 0;

	memset(&run, 0, sizeof(run));
	memset(result, 0, sizeof(*result));
	run.role = role;
	run.options = options;
	run.result = result;
	run.start = now();
	if (options->has_frame)
		instance = options->frame / EPOCH_FRAMES / INSTANCE_EPOCHS;
	while (run_instance(&run, instance))
		instance++;
	result->seconds = now() - run.start;
}
