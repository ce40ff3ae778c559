// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loaded program as a function: frame in; verdict, frame and counters out. The program is the
 * one that hangs on the instance's quiet device, because the kernel runs an attached one without
 * waiting. See run.h.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../prog/harness.h"
#include "run.h"

#define CPUS_MAX 64

struct program {
	const struct lab *lab;
	unsigned int cpus;
	int counters_fd, hops_fd, fragments_fd; /* hops_fd: router only, else -1 */
};

static int open_map(const struct lab *lab, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s%s/%s", lab->pin,
		 lab->role == ECMPER_SERVER ? "/server" : "", name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		fail_msg("cannot open %s: %s", path, strerror(errno));
	return fd;
}

struct program *program_open(const struct lab *lab)
{
	struct program *program = calloc(1, sizeof(*program));

	assert_non_null(program);
	program->lab = lab;
	program->cpus = libbpf_num_possible_cpus();
	assert_uint_in_range(program->cpus, 1, CPUS_MAX);
	program->counters_fd = open_map(lab, ECMPER_STR(ECMPER_MAP_COUNTERS));
	program->fragments_fd = open_map(lab, ECMPER_STR(ECMPER_MAP_FRAGMENTS));
	program->hops_fd =
		lab->role == ECMPER_ROUTER ? open_map(lab, ECMPER_STR(ECMPER_MAP_NH_COUNTERS)) : -1;
	return program;
}

void program_close(struct program *program)
{
	close(program->counters_fd);
	close(program->fragments_fd);
	if (program->hops_fd >= 0)
		close(program->hops_fd);
	free(program);
}

void program_clear_fragments(struct program *program)
{
	struct ecmper_fragment_key key;

	while (!bpf_map_get_next_key(program->fragments_fd, NULL, &key))
		bpf_map_delete_elem(program->fragments_fd, &key);
}

/* A per-CPU array with `width` counters to an element: the sums of all CPUs. */
static void add_up(struct program *program, int fd, uint32_t width, uint32_t elements,
		   struct ecmper_counter *sum)
{
	static struct ecmper_counter values[MODEL_HOPS_MAX * ECMPER_FORWARDS * CPUS_MAX];
	uint32_t keys[MODEL_HOPS_MAX], last, count = elements;

	if (bpf_map_lookup_batch(fd, NULL, &last, keys, values, &count, NULL) && errno != ENOENT)
		fail_msg("cannot read counters: %s", strerror(errno));
	memset(sum, 0, elements * width * sizeof(*sum));
	for (uint32_t i = 0; i < count * program->cpus * width; i++) {
		struct ecmper_counter *to =
			&sum[keys[i / width / program->cpus] * width + i % width];

		to->packets += values[i].packets;
		to->bytes += values[i].bytes;
	}
}

void program_count(struct program *program, struct tally *tally)
{
	add_up(program, program->counters_fd, 1, TALLY_REASONS, tally->reasons);
	if (program->hops_fd >= 0)
		add_up(program, program->hops_fd, ECMPER_FORWARDS, MODEL_HOPS_MAX, tally->hops[0]);
	else
		memset(tally->hops, 0, sizeof(tally->hops));
}

void program_run(struct program *program, const struct model_frame *frame,
		 struct model_outcome *outcome)
{
	static uint8_t out[MODEL_FRONT + MODEL_FRAME_MAX + 64];
	struct xdp_md ctx = {.data = frame->metadata,
			     .data_end = frame->metadata + frame->readable,
			     .ingress_ifindex = program->lab->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data - frame->metadata,
		    .data_size_in = frame->metadata + frame->length, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx),
		    .repeat = 1);

	if (bpf_prog_test_run_opts(program->lab->prog_fd, &opts))
		fail_msg("cannot run the program with %u bytes, %u readable, %u metadata: %s",
			 frame->length, frame->readable, frame->metadata, strerror(errno));
	outcome->verdict = opts.retval;
	outcome->length = opts.data_size_out - frame->metadata;
	memcpy(outcome->data, out + frame->metadata, outcome->length);
}
