/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The door to this room: edits of any tables, an instance's or a test's.
 */
#ifndef ECMPER_EDIT_H
#define ECMPER_EDIT_H

#include "tables.h"

/* ecmper_edit() on these tables. Who calls has the lock of an instance's. */
int edit_tables(struct tables *tables, const struct ecmper_changes *changes,
		enum ecmper_edit_mode mode, struct ecmper_report *report, struct ecmper_error *err);

#endif
