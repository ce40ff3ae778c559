// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is printed of a frame that program and model do not agree about.
 */
#include <inttypes.h>
#include <stdio.h>
#include <linux/bpf.h>
#include "../prog/harness.h"
#include "run.h"

#define BYTES_SHOWN 256

static const char *verdict_name(uint32_t verdict)
{
	static const char *const names[] = {[XDP_ABORTED] = "XDP_ABORTED",
					    [XDP_DROP] = "XDP_DROP",
					    [XDP_PASS] = "XDP_PASS",
					    [XDP_TX] = "XDP_TX",
					    [XDP_REDIRECT] = "XDP_REDIRECT"};

	return verdict < ARRAY_SIZE(names) ? names[verdict] : "an unknown verdict";
}

/* `reference`: bytes that differ from it are shown with a star. */
static void print_bytes(const uint8_t *data, uint32_t length, const uint8_t *reference)
{
	for (uint32_t i = 0; i < length && i < BYTES_SHOWN; i++) {
		if (i % 16 == 0)
			printf("#   %04x ", i);
		printf("%c%02x%s", reference && reference[i] != data[i] ? '*' : ' ', data[i],
		       i % 16 == 15 || i + 1 == length || i + 1 == BYTES_SHOWN ? "\n" : "");
	}
}

static void print_outcome(const char *who, const struct model_role *role,
			  const struct model_outcome *outcome, const uint8_t *reference)
{
	printf("# %s: %s,", who, verdict_name(outcome->verdict));
	for (uint32_t i = 0; i < role->reason_count; i++)
		if (outcome->reasons & MODEL_BIT(i))
			printf(" %s", role->reasons[i].name);
	printf(", %d bytes counted, next hop %u, frame of %u bytes\n", (int)outcome->bytes,
	       outcome->next_hop, outcome->length);
	if (outcome->verdict != XDP_DROP)
		print_bytes(outcome->data, outcome->length, reference);
}

void report_difference(const struct model_role *role, const struct run_options *options,
		       uint64_t number, const struct model_frame *frame,
		       const struct model_outcome *expected, const struct model_outcome *got)
{
	printf("# %s, seed %" PRIu64 ", frame %" PRIu64 ": %u bytes, %u readable, %u in front\n",
	       role->name, options->seed, number, frame->length, frame->readable, frame->headroom);
	print_bytes(frame->data, frame->length, NULL);
	print_outcome("model", role, expected, frame->data);
	print_outcome("program", role, got, expected->data);
	printf("# again: test_model --role %s --seed %" PRIu64 " --frame %" PRIu64 "\n", role->name,
	       options->seed, number);
}
