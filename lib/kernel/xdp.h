/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading a role's programs and attaching them to devices.
 */
#ifndef ECMPER_XDP_H
#define ECMPER_XDP_H

#include "device.h"
#include "ecmper/ecmper.h"

/* A program that is loaded, with its maps. */
struct loaded {
	struct ecmper_config config;
	int prog_fd;
	int own_macs_fd;
	int icmp_source_fd; /* router */
	const char *lacks;  /* what this kernel cannot do, and why; NULL: nothing */
	void *skeleton;
	void (*destroy)(void *skeleton);
};

/* load.c: load the role's program, with the maps that are pinned in `folder` when `is_up`, else
 * with new ones. Nothing that packets or others can see changes. */
int role_load(const struct ecmper_up_options *options, const char *folder, bool is_up,
	      struct loaded *loaded, struct ecmper_error *err);
/* Pin the new maps in the folder, with the config in them. */
int role_pin(const struct ecmper_up_options *options, const char *folder, struct loaded *loaded,
	     struct ecmper_error *err);
/* What the programs need besides: the VIPs become those given, failed redirects are counted. Nothing is
 * changed when that fails. */
int role_finish(const struct ecmper_up_options *options, const char *folder,
		const struct loaded *loaded, struct ecmper_error *err);
/* What `up` changes of the config. */
int role_tell(const struct ecmper_up_options *options, const struct loaded *loaded,
	      struct ecmper_error *err);
void role_unload(struct loaded *loaded);
/* The pinned config of a role. -ENOENT; -EPROTO: of another version. */
int role_config_read(const char *folder, struct ecmper_config *config, struct ecmper_error *err);

/* attach.c */

/* Refuse when another XDP program than those linked in `folder` is on the device. */
int xdp_check_free(const struct device *device, const char *folder, struct ecmper_error *err);
/* Put the program on the device by a new pinned link. *was_attached: our link is there already, and
 * nothing was done; *is_native: how. */
int xdp_attach(const struct device *device, const char *folder, int prog_fd,
	       enum ecmper_xdp_mode mode, bool *is_native, bool *was_attached,
	       struct ecmper_error *err);

/* Take the program off the device. -ENOENT: our link is not there. */
int xdp_detach(const struct device *device, const char *folder, struct ecmper_error *err);
/* Is this program on the device of that index in this network namespace? */
bool xdp_is_on(uint32_t ifindex, uint32_t prog_id);

#endif
