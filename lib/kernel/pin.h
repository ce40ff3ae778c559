/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pin folder as a folder: making it on a bpffs, links in it, taking it away.
 */
#ifndef ECMPER_PIN_H
#define ECMPER_PIN_H

#include "ecmper/ecmper.h"

/* A pin on its way to its real name, which it replaces at once. */
#define PIN_NEW "new"

/* Make the folder (and those above it), on a bpffs; mounts one on /sys/fs/bpf where that is
 * empty. Only root may look inside: it holds the hash key. */
int pin_folder_make(const char *path, struct ecmper_error *err);
/* Remove every pin in the folder that is ecmper's, links first. The folder stays. */
int pins_remove(const char *path, struct ecmper_error *err);
/* Is any pin of ecmper's there? Not where pin_folder_make() refuses to work: pins of the same names
 * are others' there. */
bool pins_exist(const char *path);
/* Is there more than an `up` or a `down` leaves that was killed? A version, or a link to a device. */
bool pins_are_finished(const char *path);
void pin_link_path(const char *folder, uint32_t ifindex, char *path, size_t size);
/* The role's folder goes when it is empty, and the instance's when the other role is not in it. */
void folder_remove_empty(const char *pin, const char *folder);
/* Note in the folder which version's programs are attached: this one. */
int pin_version_write(const char *folder, struct ecmper_error *err);
/* Calls back for each pinned link: its fd (closed afterwards), the device it is on (0: gone) and its program. */
int pin_links_each(const char *folder,
		   int (*each)(int fd, const char *path, uint32_t ifindex, uint32_t prog_id,
			       void *arg),
		   void *arg);

#endif
