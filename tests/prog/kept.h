/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instance that is used again by the next case. Most of an `up` is the verifier's work, which
 * takes seconds on an emulated machine, and is the same for every case of a test program.
 */
#ifndef PROG_KEPT_H
#define PROG_KEPT_H

#include "ecmper/ecmper.h"

/* Instead of ecmper_up(): take what was kept when it was made with the same options, else take that
 * down and bring a new one up. */
int kept_up(const struct ecmper_up_options *options, struct ecmper_error *err);
/* Instead of ecmper_down(): off the device, and all maps as they were at first. Of an instance that kept_up() made. */
void kept_down(const char *pin, enum ecmper_role role);

#endif
