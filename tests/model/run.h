/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run: instances of a role, in each of them epochs between which the world changes, in each of
 * them frames, which go through the program and the model. Everything comes from the seed and from
 * the numbers of instance, epoch and frame, so that one frame can be tried again without those of
 * earlier epochs.
 */
#ifndef MODEL_RUN_H
#define MODEL_RUN_H

#include "generate.h"
#include "model.h"
#include "random.h"

#define EPOCH_FRAMES    16384 /* with fewer datagrams than the programs remember */
#define INSTANCE_EPOCHS 24

/* What a role brings along. */
struct model_role {
	const char *name;
	enum ecmper_role role;
	/* A new instance, in a namespace of its own: what the frames are given to. */
	struct lab *(*up)(struct random *random, int mark);
	void (*change)(struct random *random);
	void (*down)(void);
	talk_pick *pick;
	void (*judge)(const struct model_frame *frame, struct model_outcome *outcome);
	const struct ecmper_reason *reasons;
	uint32_t reason_count;
};

extern const struct model_role model_router_role, model_server_role;

struct run_options {
	uint64_t seed, frames;
	double seconds; /* the run ends after these or after `frames` */
	bool has_frame; /* try only this one (and what its epoch has before it) */
	uint64_t frame;
};

struct run_result {
	uint64_t frames, differences, bad_checksums;
	double seconds;
	uint64_t by_reason[32]; /* how often the model said so */
};

void run_role(const struct model_role *role, const struct run_options *options,
	      struct run_result *result);

/* ---- program.c: the loaded program. ---- */

struct program;

/* Of an instance that is up. */
struct program *program_open(const struct lab *lab);
void program_close(struct program *program);
/* Forget the first parts of datagrams. */
void program_clear_fragments(struct program *program);
/* Verdict and bytes that come out; the rest of the outcome is for tallies to tell. */
void program_run(struct program *program, const struct model_frame *frame,
		 struct model_outcome *outcome);

/* What was counted: by reasons, but what was forwarded by next hop and reason. */
#define TALLY_REASONS 32
struct tally {
	struct ecmper_counter reasons[TALLY_REASONS];
	struct ecmper_counter hops[MODEL_HOPS_MAX][ECMPER_FORWARDS];
};

/* All that the program has counted. */
void program_count(struct program *program, struct tally *tally);

/* ---- checksum.c ---- */

/* Of the IPv4 header in a frame, as a receiver sees it; true where there is none. */
bool checksum_is_good(const uint8_t *data, uint32_t length);

/* ---- tally.c ---- */

void tally_add(struct tally *tally, const struct model_outcome *outcome);
void tally_subtract(struct tally *tally, const struct tally *other);
/* The reasons, bytes and next hop of the one frame that was counted. */
void tally_explain(const struct tally *tally, struct model_outcome *outcome);

/* ---- report.c ---- */

void report_difference(const struct model_role *role, const struct run_options *options,
		       uint64_t number, const struct model_frame *frame,
		       const struct model_outcome *expected, const struct model_outcome *got);

#endif
