# SPDX-License-Identifier: Apache-2.0
# Weft: build, test and install. `make help` lists the targets.

VERSION := 0.1.0
MODE    ?= release
ARCH    ?= native
JOBS    ?= $(shell nproc)
CC      ?= gcc
CLANG   ?= clang
PREFIX  ?= /usr
DESTDIR ?=
B       := build/$(MODE)
Q       := $(if $(V),,@)
say      = @printf '  %-5s %s\n' $(1) $(2)

# ---- flags ------------------------------------------------------------------

PKG        := pkg-config
PLAIN_PKGS := jansson yaml-0.1 sqlite3 libuv openssl libnghttp2 libprotobuf-c
DP_PKGS    := libdpdk libbpf libxdp libnl-3.0 libnl-route-3.0 libuv jansson libpcap libsystemd openssl
DP_INC     := $(patsubst -I%,-isystem %,$(filter -I% -include %.h,$(shell $(PKG) --cflags $(DP_PKGS)))) -include rte_config.h
DP_LIBS     = $(shell $(PKG) --libs $(DP_PKGS)) -lpthread -lm
PLAIN_LIBS  = $(shell $(PKG) --libs $(PLAIN_PKGS)) -lpcap

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wold-style-definition -Wno-unused-parameter -Wno-psabi # vectors wider than ARCH's stay inside of a file
OPT_release := -O3 -g
OPT_debug   := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DWEFT_DEBUG
OPT_coverage := -O1 -g --coverage -fprofile-update=atomic -Wno-maybe-uninitialized # behind its counters gcc guesses wrong
OPT  := $(OPT_$(MODE))
CFLAGS_ALL = -std=gnu11 -D_GNU_SOURCE -I. -I$(B) -fno-strict-aliasing -fno-common -DWEFT_VERSION=\"$(VERSION)\" $(WARN) $(OPT) -MMD -MP $(CFLAGS)
MARCH := -march=$(ARCH)
LDFLAGS_ALL = $(filter -fsanitize% --coverage,$(OPT)) $(LDFLAGS)

# ---- what is built from what --------------------------------------------------

# Plain C (no DPDK include path: a DPDK header does not even compile there).
PLAIN_DIRS := base flows control/net control/rpc control/openflow control/etcd control/tenancy control/store control/agent control/cli
# The switch.
DP_DIRS    := base/dp flows/dp ports ports/vhost ports/xdp overlay/vxlan datapath datapath/ct control/switchd
TEST_DIRS  := tests/lib tests/pktgen tests/simulate tests/differential

MAINS := control/switchd/main.c control/cli/weft.c control/cli/ofctl.c control/agent/main.c tests/pktgen/main.c tests/simulate/main.c
BPF_SRC := $(wildcard ports/xdp/*.bpf.c)
SKEL := $(BPF_SRC:%.bpf.c=$(B)/%.skel.h)
PROTO := $(B)/control/etcd/etcd.pb-c

srcs = $(filter-out $(MAINS) %.bpf.c %_test.c,$(wildcard $(addsuffix /*.c,$(1))))
PLAIN_OBJ := $(patsubst %.c,$(B)/%.o,$(call srcs,$(PLAIN_DIRS)))
DP_OBJ    := $(patsubst %.c,$(B)/%.o,$(call srcs,$(DP_DIRS)))
TEST_OBJ  := $(patsubst %.c,$(B)/%.o,$(call srcs,$(TEST_DIRS)))
PLAIN_LIB := $(B)/libweft-plain.a
DP_LIB    := $(B)/libweft-dp.a
TEST_LIB  := $(B)/libweft-test.a

BIN := $(addprefix $(B)/,weftd weft weft-ofctl weft-agent weft-pktgen weft-simulate)

UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*_test.c))
DIFF := $(patsubst tests/differential/%.c,$(B)/tests/differential/%,$(wildcard tests/differential/*_test.c))
BENCH := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*_bench.c))
FUZZ := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

.PHONY: all debug check check-tests unit demo deps bench simulate fuzz soak lint format layers coverage install clean help test-programs fuzz-build
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

all: $(BIN) $(PLAIN_LIB) $(DP_LIB) $(TEST_LIB) ## build the release programs into build/release
debug: ## build everything with ASan and UBSan into build/debug
	$(MAKE) -j$(JOBS) MODE=debug all test-programs

test-programs: $(UNIT) $(DIFF) $(BENCH)

# ---- rules ------------------------------------------------------------------

# Another ARCH, compiler or flag makes everything anew: half of one and half of the other would run here and nowhere else.
FLAGS := $(CC) $(ARCH) $(CFLAGS) $(LDFLAGS)
STAMP := $(B)/flags
ifneq ($(file <$(STAMP)),$(FLAGS))
$(shell mkdir -p $(B))
$(file >$(STAMP),$(FLAGS))
endif

$(PLAIN_OBJ) $(B)/control/cli/weft.o $(B)/control/cli/ofctl.o $(B)/control/agent/main.o: $(B)/%.o: %.c $(STAMP) | $(PROTO).h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(MARCH) -c $< -o $@

$(DP_OBJ) $(B)/control/switchd/main.o: $(B)/%.o: %.c $(STAMP) | $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(DP_INC) $(MARCH) -c $< -o $@

$(B)/tests/%.o: tests/%.c $(STAMP) | $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(DP_INC) $(MARCH) -c $< -o $@

$(PROTO).c $(PROTO).h &: control/etcd/etcd.proto
	@mkdir -p $(@D)
	$(call say,PROTO,$@)
	$(Q)protoc-c --c_out=$(B) $<
$(PROTO).o: $(PROTO).c $(STAMP)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(MARCH) -c $< -o $@

$(B)/%.bpf.o: %.bpf.c
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) -target bpf -O2 -g -Wall -Werror -I. -I/usr/include/$(shell gcc -print-multiarch) -c $< -o $@

$(B)/%.skel.h: $(B)/%.bpf.o
	{ echo '/* NOLINTBEGIN: generated */'; /usr/sbin/bpftool gen skeleton $< name $(notdir $*); echo '/* NOLINTEND */'; } > $@

# A directory changes when a file comes or goes: nothing of a file that went stays in an archive.
$(PLAIN_LIB): $(PLAIN_OBJ) $(PROTO).o $(PLAIN_DIRS)
$(DP_LIB): $(DP_OBJ) $(DP_DIRS)
$(TEST_LIB): $(TEST_OBJ) $(TEST_DIRS)
%.a:
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $(filter %.o,$^)

LINK_DP = $(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(DP_LIBS)
LINK_PLAIN = $(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(PLAIN_LIBS)

$(B)/weftd: $(B)/control/switchd/main.o $(DP_LIB) $(PLAIN_LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK_DP)
$(B)/weft: $(B)/control/cli/weft.o $(PLAIN_LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK_PLAIN)
$(B)/weft-ofctl: $(B)/control/cli/ofctl.o $(PLAIN_LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK_PLAIN)
$(B)/weft-agent: $(B)/control/agent/main.o $(PLAIN_LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK_PLAIN)
$(B)/weft-simulate: $(B)/tests/simulate/main.o $(TEST_LIB) $(PLAIN_LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK_PLAIN)
$(B)/weft-pktgen: $(B)/tests/pktgen/main.o $(TEST_LIB) $(DP_LIB) $(PLAIN_LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK_DP)
$(UNIT) $(DIFF) $(BENCH): %: %.o $(TEST_LIB) $(DP_LIB) $(PLAIN_LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK_DP) $(PLAIN_LIBS) -lcriterion

# Fuzz targets are built by clang in one go, with every source instrumented that they reach.
FUZZ_DIRS := base flows control/net control/openflow control/cli base/dp ports ports/vhost overlay/vxlan datapath datapath/ct tests/lib
FUZZ_SRC := $(call srcs,$(FUZZ_DIRS))
FUZZ_OBJ := $(patsubst %.c,build/fuzz/%.o,$(FUZZ_SRC))
FUZZ_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I. -I$(B) -fno-strict-aliasing -O1 -g -Wall -Werror -Wno-unknown-warning-option \
	-Wno-address-of-packed-member -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -DWEFT_DEBUG -DWEFT_VERSION=\"$(VERSION)\" -MMD -MP
build/fuzz/%.o: %.c | $(SKEL) $(PROTO).h
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) $(DP_INC) -march=$(ARCH) -c $< -o $@
build/fuzz/libweft.a: $(FUZZ_OBJ) $(FUZZ_DIRS)
$(FUZZ): build/fuzz/%: build/fuzz/tests/fuzz/%.o build/fuzz/libweft.a
	$(call say,LINK,$@)
	$(Q)$(CLANG) -fsanitize=address,undefined,fuzzer -o $@ $< -Wl,--start-group build/fuzz/libweft.a -Wl,--end-group $(DP_LIBS)

-include $(shell find build -name '*.d' 2>/dev/null)
.SECONDARY:

# ---- work -------------------------------------------------------------------

deps: ## install the Debian packages that building and testing need
	@.ci/deps

check: deps ## install what is missing, build, run every test
	$(MAKE) -j$(JOBS) all test-programs fuzz-build
	$(MAKE) layers
	tests/run all

unit: ## run the unit tests of this MODE only
	$(MAKE) -j$(JOBS) all test-programs
	tests/run unit

demo: deps ## two hosts, two tenants, four real guests, one fabric
	$(MAKE) -j$(JOBS) all
	tests/demo/demo

bench: all test-programs ## run the benchmarks, Weft beside testpmd and Open vSwitch
	tests/run bench
	@cat $(B)/bench/table.md

simulate: all ## a thousand agents against one etcd: how soon all follow a change
	tests/simulate/simulate

fuzz-build: $(FUZZ)
fuzz: $(FUZZ) ## build the fuzz targets and run each for FUZZ_SECONDS (60)
	tests/run fuzz

soak: all test-programs ## churn under traffic for SOAK_SECONDS (600): nothing may leak
	tests/run soak

lint: ## clang-tidy over every C file, shellcheck over every script
	@tests/lint

format: ## reformat every C file in place
	git ls-files '*.c' '*.h' | xargs -r clang-format -i

layers: ## check that includes follow the layer table
	@tests/layers

coverage: ## unit and differential tests with gcov; report in build/coverage
	$(MAKE) MODE=coverage all test-programs
	MODE=coverage DIFF_PACKETS=200000 ISOLATION_PACKETS=200000 ISOLATION_EVERY=10 tests/run unit differential
	gcovr -r . build/coverage --exclude tests --txt build/coverage/report.txt --print-summary

install: all ## install programs, unit file and README under DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)/lib/systemd/system $(DESTDIR)/etc/weft
	install -m 0755 $(B)/weftd $(B)/weft-agent $(DESTDIR)$(PREFIX)/sbin/
	install -m 0755 $(B)/weft $(B)/weft-ofctl $(B)/weft-pktgen vmm-glue/weft-vm $(DESTDIR)$(PREFIX)/bin/
	install -m 0755 control/etcd/weft-etcd-roles $(DESTDIR)$(PREFIX)/sbin/
	install -d $(DESTDIR)$(PREFIX)/share/weft/vmm-glue/guest
	install -m 0755 vmm-glue/vm-talk $(DESTDIR)$(PREFIX)/share/weft/vmm-glue/
	install -m 0755 vmm-glue/guest/build vmm-glue/guest/init $(DESTDIR)$(PREFIX)/share/weft/vmm-glue/guest/
	install -m 0644 vmm-glue/guest/stream.c vmm-glue/guest/dhcpcd.conf $(DESTDIR)$(PREFIX)/share/weft/vmm-glue/guest/
	for unit in control/switchd/weftd.service control/agent/weft-agent.service; do \
		sed 's|/usr/|$(PREFIX)/|g' $$unit >$(DESTDIR)/lib/systemd/system/$${unit##*/}; done
	install -m 0644 control/switchd/weftd.conf $(DESTDIR)/etc/weft/
	install -d $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 0644 control/cli/weft-ofctl.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 0644 control/cli/weft-ofctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/weft-ofctl
	install -m 0644 control/cli/weft.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/weft
	install -d $(DESTDIR)$(PREFIX)/share/doc/weft
	install -m 0644 README.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/weft/

clean: ## remove what was built (the guest image stays in build/guest)
	rm -rf build/release build/debug build/coverage build/fuzz

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile
