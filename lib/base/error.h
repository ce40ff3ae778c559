/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No failure without a text: where those below may fail without one, a public function clears it at
 * first, and says at its end what was tried if nobody knew better.
 */
#ifndef ECMPER_ERROR_H
#define ECMPER_ERROR_H

#include "ecmper/ecmper.h"

void error_clear(struct ecmper_error *err);
/* Returns code. Does nothing when it is 0, or when there is a text. */
int error_default(struct ecmper_error *err, int code, const char *tried);

#endif
