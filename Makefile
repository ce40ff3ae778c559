# SPDX-License-Identifier: GPL-2.0-only
# make            build/ecmper-loader, build/ecmperctl and the XDP programs inside them
#                 V=1: say every command; WERROR=1: warnings are errors
# make install    into DESTDIR PREFIX (default /usr/local)
# make unit       tests without root; make prog, make net: with root (scripts/check.sh runs all)
# make model      programs against the reference model, for some seconds (tests/model/test_model.c),
#                 and all that can happen to one bucket (tests/model/test_search.c)
# make kernels    Debian's kernels, booted in an emulator: does it work there? (writes docs/kernels.md)
# make toolchains Debian's compilers and libraries, each in a root of its own (writes docs/toolchains.md)
# make check-format, make format: style, by the one version of clang-format that all use
# make bench      cost of a packet and of a change (root)
# make eval       how many connections live (root); scripts/eval/run.sh -h says more

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/ecmper
COMPDIR    ?= $(PREFIX)/share/bash-completion/completions
UNITDIR    ?= $(PREFIX)/lib/systemd/system
UDEVDIR    ?= $(PREFIX)/lib/udev/rules.d
SYSCONFDIR ?= /etc

CC         ?= cc
CLANG      ?= clang
NM         ?= nm
BPFTOOL    ?= $(or $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool 2>/dev/null),bpftool)
LLVM_STRIP ?= llvm-strip
PKGCONFIG  ?= pkg-config
VERSION    := 0.1.0

B          := build
LIBS       := libbpf libmnl jansson
WARN       := -Wall -Wextra -Wshadow $(if $(filter 1,$(WERROR)),-Werror)
# The same bytes from whichever folder.
NO_PATHS   := -ffile-prefix-map=$(CURDIR)=.
CFLAGS     ?= -O2 -g
ALL_CFLAGS  = -std=gnu11 $(WARN) $(CPPFLAGS) $(CFLAGS) $(NO_PATHS) -D_GNU_SOURCE \
              -DECMPER_VERSION='"$(VERSION)"' \
              $(shell $(PKGCONFIG) --cflags $(LIBS)) -MMD -MP
LDLIBS      = $(shell $(PKGCONFIG) --libs $(LIBS)) -lelf -lz
# <asm/types.h> lives in the multiarch folder, which clang does not search for the bpf target
ARCH_INC   := $(patsubst %/asm/types.h,-I%,$(filter %/asm/types.h,$(shell $(CC) -M -include asm/types.h -xc /dev/null)))
BPF_CFLAGS := -g -O2 -fno-strict-aliasing -target bpf -mcpu=v3 $(WARN) $(NO_PATHS) -Ibpf $(ARCH_INC) -MMD -MP

# The rooms of lib/, and what the sources of each see besides their own room and include/: what includes
# or calls anything else does not build. (bpf: flow_hash.h, which both sides compute alike.)
ROOMS       := base words table state edit kernel read
SEES_base   :=
SEES_words  := lib/base
SEES_table  := lib/base
SEES_state  := lib/base bpf
SEES_edit   := lib/base lib/words lib/table lib/state
SEES_kernel := lib/base lib/state lib/edit bpf $(B)
SEES_read   := lib/base lib/state lib/kernel bpf
room         = $(firstword $(subst /, ,$*))
see          = $(addprefix -I,include lib/$(room) $(SEES_$(room)))
# Tests and benchmarks look into all of them.
SEE_ALL     := $(addprefix -I,include bpf $(ROOMS:%=lib/%) $(B))

BPF_OBJ    := $(patsubst bpf/%.bpf.c,$(B)/%.bpf.o,$(wildcard bpf/*.bpf.c))
SKEL       := $(BPF_OBJ:.bpf.o=.skel.h)
LIB_SRC    := $(wildcard $(patsubst %,lib/%/*.c,$(ROOMS)))
LIB_OBJ    := $(LIB_SRC:%.c=$(B)/%.o)
LOADER_OBJ := $(patsubst loader/%.c,$(B)/loader/%.o,$(wildcard loader/*.c))
CLI_OBJ    := $(patsubst cli/%.c,$(B)/cli/%.o,$(wildcard cli/*.c))

UNIT_TESTS := $(patsubst tests/unit/test_%.c,$(B)/unit/test_%,$(wildcard tests/unit/test_*.c))
PROG_TESTS := $(patsubst tests/prog/test_%.c,$(B)/prog/test_%,$(wildcard tests/prog/test_*.c))
SEARCH_OBJ := $(patsubst tests/model/%.c,$(B)/model/%.o,$(wildcard tests/model/search*.c) tests/model/test_search.c)
MODEL_OBJ  := $(filter-out $(SEARCH_OBJ),$(patsubst tests/model/%.c,$(B)/model/%.o,$(wildcard tests/model/*.c))) \
              $(patsubst tests/prog/%.c,$(B)/model/prog_%.o,$(filter-out tests/prog/test_% %.bpf.c,$(wildcard tests/prog/*.c)))
NET_TOOLS  := $(patsubst tests/net/%.c,$(B)/net/%,$(wildcard tests/net/*.c))
BENCHES    := $(addprefix $(B)/bench/,packet_cost change_cost scale)
SANITIZE   := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

ifeq ($(V),1)
Q      :=
say     =
else
Q      := @
# Nothing with make -s.
say     = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@printf '  %-7s %s\n' $(1) $@)
endif

.PHONY: FORCE all clean install uninstall unit prog model net kernels kernels-quick toolchains \
        tools bench eval format check-format tests
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/ecmper-loader $(B)/ecmperctl

$(B)/%.bpf.o: bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(call say,CLANG)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@
$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# Objects that have the version in them are made anew when it changes.
$(B)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@
FORCE:
VERSIONED  := $(B)/lib/kernel/pin.o $(B)/asan/kernel/pin.o $(B)/loader/main.o $(B)/cli/main.o $(B)/cli/output.o
$(VERSIONED): $(B)/version

$(B)/lib/%.o: lib/%.c | $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $(see) -c $< -o $@
$(B)/loader/%.o: loader/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Iinclude -c $< -o $@
$(B)/cli/%.o: cli/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Iinclude -c $< -o $@

$(B)/libecmper.a: $(LIB_OBJ) scripts/check-rooms.sh
	$(call say,AR)
	$(Q)NM=$(NM) SEES='$(foreach room,$(ROOMS),$(room): $(SEES_$(room));)' scripts/check-rooms.sh $(LIB_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)
$(B)/ecmper-loader: $(LOADER_OBJ) $(B)/libecmper.a
	$(call say,CCLD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/ecmperctl: $(CLI_OBJ) $(B)/libecmper.a
	$(call say,CCLD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Unit tests see the library's own sources, built a second time with sanitizers.
$(B)/asan/%.o: lib/%.c | $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $(see) $(SANITIZE) -c $< -o $@
$(B)/unit/test_%: tests/unit/test_%.c $(LIB_SRC:lib/%.c=$(B)/asan/%.o)
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(Q)$(CC) $(ALL_CFLAGS) $(SEE_ALL) $(SANITIZE) -MF $@.d -o $@ $(filter %.c %.o,$^) -lcmocka $(LDLIBS)
# front.bpf.c: a program that stands in front of the one under test.
PROG_SRC   := $(filter-out tests/prog/test_% %.bpf.c,$(wildcard tests/prog/*.c))
$(B)/prog/%.bpf.o: tests/prog/%.bpf.c
	@mkdir -p $(@D)
	$(call say,CLANG)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
$(B)/prog/%.skel.h: $(B)/prog/%.bpf.o
	$(call say,GEN)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@
$(B)/prog/test_%: tests/prog/test_%.c $(PROG_SRC) $(B)/libecmper.a $(B)/prog/front.skel.h
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(Q)$(CC) $(ALL_CFLAGS) $(SEE_ALL) -MF $@.d -o $@ $(filter %.c %.a,$^) -lcmocka $(LDLIBS)
$(B)/model/%.o: tests/model/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $(SEE_ALL) -c $< -o $@
$(B)/model/prog_%.o: tests/prog/%.c | $(B)/prog/front.skel.h
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $(SEE_ALL) -c $< -o $@
$(B)/model/test_model: $(MODEL_OBJ) $(B)/libecmper.a
	$(call say,CCLD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)
$(B)/model/test_search: $(SEARCH_OBJ) $(B)/libecmper.a
	$(call say,CCLD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)
$(B)/net/%: tests/net/%.c
	@mkdir -p $(@D)
	$(call say,CCLD)
	$(Q)$(CC) $(ALL_CFLAGS) -MF $@.d -o $@ $< -lpthread
# bench/: programs of several files, and a BPF program of their own.
$(B)/bench/%.bpf.o: bench/%.bpf.c
	@mkdir -p $(@D)
	$(call say,CLANG)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@
$(B)/bench/%.skel.h: $(B)/bench/%.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@
$(B)/bench/%.o: bench/%.c | $(B)/bench/outer.skel.h $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $(SEE_ALL) -I$(B)/bench -c $< -o $@
$(B)/bench/packet_cost: $(B)/bench/packet_cases.o
$(B)/bench/change_cost: $(B)/bench/watch.o $(B)/bench/nexthop.o $(B)/bench/parts.o
$(BENCHES): $(B)/bench/%: $(B)/bench/%.o $(addprefix $(B)/bench/,world.o run.o sample.o) $(B)/libecmper.a
	$(call say,CCLD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LDLIBS) -lpthread

tests: $(UNIT_TESTS) $(PROG_TESTS) $(B)/model/test_model $(B)/model/test_search $(NET_TOOLS)
unit: $(UNIT_TESTS)
	@scripts/run-tests.sh $(UNIT_TESTS)
prog: $(PROG_TESTS)
	@scripts/run-tests.sh $(PROG_TESTS)
model: $(B)/model/test_model $(B)/model/test_search
	@scripts/run-tests.sh $^
net: all $(NET_TOOLS)
	@BUILD=$(B) scripts/run-tests.sh $(sort $(wildcard tests/net/test_*.sh))
# bullseye's is too old: what it is told is tested.
kernels: all $(PROG_TESTS) $(NET_TOOLS)
	@BUILD=$(B) scripts/kernels.sh --table docs/kernels.md bookworm trixie trixie-backports bullseye
kernels-quick: all $(PROG_TESTS) $(NET_TOOLS)
	@BUILD=$(B) scripts/kernels.sh --quick bookworm trixie

toolchains:
	@BUILD=$(B) scripts/toolchains.sh --table docs/toolchains.md

bench: all $(BENCHES)
	BUILD=$(B) bench/run.sh
tools: $(NET_TOOLS)
eval:
	BUILD=$(B) scripts/eval/run.sh

# Units and rules name the folders of this installation.
FILL_IN    := sed 's|@SBINDIR@|$(SBINDIR)|g; s|@SYSCONFDIR@|$(SYSCONFDIR)|g'
UNITS      := $(notdir $(patsubst %.in,%,$(wildcard systemd/*.service.in)))

# README.md and docs/ stand as they do here, so that their links work.
install: all
	$(Q)install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(UNITDIR)/ecmper-.service.d \
	    $(DESTDIR)$(UDEVDIR) $(DESTDIR)$(COMPDIR) $(DESTDIR)$(DOCDIR)/docs/plots \
	    $(DESTDIR)$(SYSCONFDIR)/ecmper
	$(Q)install -m 755 $(B)/ecmper-loader $(B)/ecmperctl $(DESTDIR)$(SBINDIR)
	$(Q)install -m 644 man/*.8 $(DESTDIR)$(MANDIR)/man8
	$(Q)install -m 644 cli/completion.bash $(DESTDIR)$(COMPDIR)/ecmperctl
	$(Q)ln -sf ecmperctl $(DESTDIR)$(COMPDIR)/ecmper-loader
	$(Q)for unit in $(UNITS); do \
	    $(FILL_IN) systemd/$$unit.in >$(DESTDIR)$(UNITDIR)/$$unit || exit; done
	$(Q)install -m 644 systemd/sandbox.conf $(DESTDIR)$(UNITDIR)/ecmper-.service.d
	$(Q)$(FILL_IN) systemd/ecmper.rules.in >$(DESTDIR)$(UDEVDIR)/90-ecmper.rules
	$(Q)install -m 644 systemd/*.conf.example $(DESTDIR)$(SYSCONFDIR)/ecmper
	$(Q)install -m 644 README.md CONTRIBUTING.md $(DESTDIR)$(DOCDIR)
	$(Q)install -m 644 docs/*.md $(DESTDIR)$(DOCDIR)/docs
	$(Q)install -m 644 docs/plots/*.svg $(DESTDIR)$(DOCDIR)/docs/plots

uninstall:
	$(Q)rm -f $(DESTDIR)$(SBINDIR)/ecmper-loader $(DESTDIR)$(SBINDIR)/ecmperctl \
	    $(addprefix $(DESTDIR)$(MANDIR)/man8/,$(notdir $(wildcard man/*.8))) \
	    $(DESTDIR)$(COMPDIR)/ecmperctl $(DESTDIR)$(COMPDIR)/ecmper-loader \
	    $(addprefix $(DESTDIR)$(UNITDIR)/,$(UNITS)) $(DESTDIR)$(UDEVDIR)/90-ecmper.rules \
	    $(DESTDIR)$(SYSCONFDIR)/ecmper/*.conf.example
	$(Q)rm -rf $(DESTDIR)$(DOCDIR) $(DESTDIR)$(UNITDIR)/ecmper-.service.d

# Versions differ in what they want: one decides, and it is the one that continuous integration has.
FORMAT_VERSION := 14
CLANG_FORMAT ?= $(firstword $(foreach name,clang-format-$(FORMAT_VERSION) clang-format,$(if \
                $(findstring version $(FORMAT_VERSION).,$(shell $(name) --version 2>/dev/null)),$(name))))
NO_FORMAT  := style is checked with clang-format $(FORMAT_VERSION), which is not here (CLANG_FORMAT: its path)

format:
	$(Q)[ "$(CLANG_FORMAT)" ] || { echo "make format: $(NO_FORMAT)" >&2; exit 1; }
	$(Q)$(CLANG_FORMAT) -i $$(git ls-files '*.c' '*.h')
# With CI=true a skip is a failure.
check-format:
	$(Q)if [ "$(CLANG_FORMAT)" ]; then \
	    $(CLANG_FORMAT) --dry-run -Werror $$(git ls-files '*.c' '*.h'); \
	else \
	    echo "skipped: $(NO_FORMAT)"; [ "$$CI" != true ]; \
	fi

clean:
	$(Q)rm -rf $(B)

-include $(wildcard $(B)/*.d $(B)/*/*.d $(B)/*/*/*.d)
