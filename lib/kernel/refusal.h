/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why the kernel did not take the programs, in words that lead on.
 */
#ifndef ECMPER_REFUSAL_H
#define ECMPER_REFUSAL_H

#include "ecmper/ecmper.h"

struct bpf_object;

/* From now on, what libbpf and the verifier complain of is kept for the message, and not printed. */
void refusal_listen(void);
/* Returns `code`, with a message: rights, memory, version, the verifier's words, or just its text.
 * `object` (may be NULL) was to be loaded; for a server or a router. */
int refusal_explain(int code, enum ecmper_role role, const struct bpf_object *object,
		    struct ecmper_error *err);
/* Does the kernel tell of its own types? The server program reads them. */
bool kernel_has_btf(void);

/* Of a verifier's log, the complaint and the instruction that it is about, in one line. Empty when
 * the log holds none. */
void verifier_words(const char *log, char *text, size_t size);

#endif
