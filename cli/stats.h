/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between stats.c (when) and stats_print.c (how).
 */
#ifndef ECMPER_CLI_STATS_H
#define ECMPER_CLI_STATS_H

#include "cli.h"

/* One report: counters and, with the snapshot `before`, rates. */
void stats_print(const struct cli *cli, const struct ecmper_stats *now,
		 const struct ecmper_stats *before);

#endif
