/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading a role's programs and attaching them to devices. Internal to lib/.
 */
#ifndef ECMPER_XDP_H
#define ECMPER_XDP_H

#include "device.h"
#include "ecmper.h"

/* A program that is loaded, with its maps. */
struct loaded {
	struct ecmper_config config;
	int prog_fd;
	int own_macs_fd;
	int icmp_source_fd; /* router */
	void *skeleton;
	void (*destroy)(void *skeleton);
};

/* load.c: load the role's program. The maps are those pinned in `folder` when `is_up`, else new
 * ones, which are pinned there; `config` goes into them. Server: its VIPs are made those given. */
int role_load(const struct ecmper_up_options *options, const char *folder, bool is_up,
	      struct loaded *loaded, struct ecmper_error *err);
/* After the programs are attached: what `up` leaves out goes (VIPs), what it changes counts. */
int role_finish(const struct ecmper_up_options *options, const struct loaded *loaded);
void role_unload(struct loaded *loaded);
/* The pinned config of a role. -ENOENT; -EPROTO: of another version. */
int role_config_read(const char *folder, struct ecmper_config *config, struct ecmper_error *err);

/* attach.c */

/* Refuse when another XDP program than those linked in `folder` is on the device. */
int xdp_check_free(const struct device *device, const char *folder, struct ecmper_error *err);
/* Put the program on the device, in place of ours when it is there, else by a new pinned link. */
int xdp_attach(const struct device *device, const char *folder, int prog_fd,
	       enum ecmper_xdp_mode mode, bool *is_native, bool *was_attached,
	       struct ecmper_error *err);

#endif
