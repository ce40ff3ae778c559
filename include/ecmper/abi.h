/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract with the XDP programs, for who includes ecmper.h: it is kept where they are.
 */
#ifndef ECMPER_INCLUDE_ABI_H
#define ECMPER_INCLUDE_ABI_H

#include "../../bpf/ecmper_abi.h"

#endif
