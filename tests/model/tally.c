// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters as the model would have them, to be compared with the program's: see run.h.
 */
#include <string.h>
#include "run.h"

static void count(struct ecmper_counter *counter, uint32_t bytes)
{
	counter->packets++;
	counter->bytes += bytes;
}

void tally_add(struct tally *tally, const struct model_outcome *outcome)
{
	for (uint32_t i = 0; i < TALLY_REASONS; i++)
		if ((outcome->reasons & MODEL_BIT(i)) &&
		    (i != outcome->reason || !outcome->next_hop))
			count(&tally->reasons[i], outcome->bytes);
	if (outcome->next_hop)
		count(&tally->hops[outcome->next_hop][outcome->reason], outcome->bytes);
}

void tally_subtract(struct tally *tally, const struct tally *other)
{
	struct ecmper_counter *counter = (struct ecmper_counter *)tally;
	const struct ecmper_counter *less = (const struct ecmper_counter *)other;

	for (uint32_t i = 0; i < sizeof(*tally) / sizeof(*counter); i++) {
		counter[i].packets -= less[i].packets;
		counter[i].bytes -= less[i].bytes;
	}
}

static void explain(const struct ecmper_counter *counter, uint32_t reason,
		    struct model_outcome *outcome)
{
	bool is_first = !outcome->reasons;

	if (!counter->packets && !counter->bytes)
		return;
	outcome->reasons |= MODEL_BIT(reason);
	if (counter->packets != 1 || (!is_first && outcome->bytes != counter->bytes))
		outcome->bytes = UINT32_MAX; /* counted more than once, or differently */
	else
		outcome->bytes = counter->bytes;
}

void tally_explain(const struct tally *tally, struct model_outcome *outcome)
{
	outcome->reasons = outcome->bytes = outcome->next_hop = 0;
	for (uint32_t i = 0; i < TALLY_REASONS; i++)
		explain(&tally->reasons[i], i, outcome);
	for (uint32_t id = 0; id < MODEL_HOPS_MAX; id++)
		for (uint32_t i = 0; i < ECMPER_FORWARDS; i++) {
			if (tally->hops[id][i].packets)
				outcome->next_hop = id;
			explain(&tally->hops[id][i], i, outcome);
		}
}
