/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes in front of a frame that a program can take at a test run: Linux leaves 256, and keeps 40 for
 * itself. Shared with front.bpf.c.
 */
#ifndef PROG_FRONT_H
#define PROG_FRONT_H

#define FRONT_MAX 216

#endif
