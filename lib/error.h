/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No failure without a text: a public function clears it at first, and at its end says what was
 * tried where nobody below knew better. Internal to lib/.
 */
#ifndef ECMPER_ERROR_H
#define ECMPER_ERROR_H

#include "ecmper.h"

void error_clear(struct ecmper_error *err);
/* Returns code. Does nothing when it is 0, or when there is a text. */
int error_default(struct ecmper_error *err, int code, const char *tried);

#endif
