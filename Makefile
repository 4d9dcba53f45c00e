# kernloom: small filters that watch, score, decide and enforce.
#
#   make deps      install what is missing (root), mount bpffs
#   make           build into build/
#   make check     every test; root for the live ones     (SAN=1: ASan and UBSan)
#   make differ    N random packets through the packet path and its reference
#   make check-kernels   the live test on other kernels, under emulation
#   make fuzz      what reads bytes from outside, on made-up ones  (SECONDS=60 each, TARGET=NAME...)
#   make analyze   every path through the C, as far as gcc sees it
#   make demo      attackers against a server in namespaces, two minutes
#   make bench     timings as TSV
#   make install   DESTDIR= PREFIX=/usr/local

VERSION := 0.1.0
PREFIX  ?= /usr/local
SHARE    = $(PREFIX)/share/kernloom
B       := build

# One name a line; adding a command is adding its line.
PURE := \
	kl-baseline \
	kl-conf \
	kl-dump-pcap \
	kl-fsm \
	kl-graph \
	kl-graph-check \
	kl-graph-record \
	kl-recall \
	kl-rollup \
	kl-score \
	kl-tune
KERN := \
	kl-apply \
	kl-attach \
	kl-dump-flow \
	kl-dump-src \
	kl-dump-total \
	kl-events \
	kl-rule \
	kl-selftest \
	kl-set
SCHEMAS := $(wildcard schemas/*.tsv)
SQL     := $(wildcard schemas/*.sql)
PAGES   := $(wildcard cmd/*.1 cmd/*.8 pipelines/*.[18] schemas/*.5)
FLAVOURS := $(B)/kl_xdp.skel.h $(B)/kl_xdp_old.skel.h

CC     ?= cc
CLANG  ?= clang
CFLAGS ?= -O2 -g
SANS   := $(if $(SAN),-fsanitize=address -fsanitize=undefined -fno-omit-frame-pointer)
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror $(SANS) -I$(B) -DKL_VERSION='"$(VERSION)"' -MMD -MP $(CFLAGS)
LDLIBS_KERN := -lbpf -lelf -lz

BASE_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard lib/base/*.c))
CORE_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard lib/core/*.c))
CONF_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard lib/conf/*.c))
GRAPH_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard lib/graph/*.c))
KERN_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard lib/kern/*.c))
MODEL_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard lib/model/*.c))
BINS      := $(addprefix $(B)/bin/,$(PURE) $(KERN))
UNITS     := $(patsubst t/unit/%.c,$(B)/unit/%,$(wildcard t/unit/*.c))
BENCHES   := $(patsubst t/bench/%.c,$(B)/bench/%,$(filter-out %.bpf.c,$(wildcard t/bench/*.c)))
HELPERS   := $(patsubst t/%.c,$(B)/t/%,$(filter-out %.bpf.c,$(wildcard t/*.c)))
FUZZERS   := $(patsubst t/fuzz/%.c,$(B)/fuzz/%,$(filter-out t/fuzz/fuzz.c,$(wildcard t/fuzz/*.c)))
SCRIPTS   := pipelines/kliq $(filter-out %.8,$(wildcard pipelines/kliq-*))

# What was built with the other choice of SAN does not fit.
ifneq ($(SAN),$(shell cat $(B)/san 2>/dev/null))
$(shell mkdir -p $(B) && rm -rf $(addprefix $(B)/,bin bench cmd lib unit t *.a) && echo $(SAN) >$(B)/san)
endif

# bpftool and ip live in sbin, which is not on every user's path.
export PATH := $(PATH):/usr/sbin:/sbin

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps check check-kernels differ fuzz fuzzers analyze demo bench install uninstall clean
all: $(BINS) $(B)/bin/kliq

# Five archives: what knows libc only, what reads YAML, what reaches sqlite3(1), what reaches the kernel, and
# the reference the packet path is tested by. The pure filters cannot reach the kernel because nothing on their link line can.
$(B)/libpure.a: $(BASE_OBJS) $(CORE_OBJS) $(if $(SAN),$(B)/t/san/exit.o)
$(B)/libconf.a: $(CONF_OBJS)
$(B)/libgraph.a: $(GRAPH_OBJS)
$(B)/libkern.a: $(KERN_OBJS)
$(B)/libmodel.a: $(MODEL_OBJS)
$(B)/lib%.a:
	@rm -f $@
	ar rcs $@ $^

$(BINS): LDFLAGS += $(if $(SAN),-Xlinker --wrap=exit)
$(B)/bin/kl-dump-pcap: LDLIBS := -lpcap
$(B)/bin/kl-conf: LDLIBS := -lyaml -lsodium
$(B)/bin/kl-graph: LDLIBS := -lyaml
$(B)/bin/kl-conf $(B)/bin/kl-graph: $(B)/libconf.a
$(B)/bin/kl-graph: $(B)/libgraph.a
$(addprefix $(B)/bin/,$(PURE)): $(B)/bin/%: $(B)/cmd/%.o $(B)/libpure.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %libgraph.a,$^) $(filter %libconf.a,$^) $(B)/libpure.a $(LDLIBS) -lm -pthread
$(B)/bin/kl-selftest: MODEL := $(B)/libmodel.a
$(B)/bin/kl-selftest: LDLIBS := -lpcap
$(B)/bin/kl-selftest $(B)/unit/model: $(B)/libmodel.a
$(addprefix $(B)/bin/,$(KERN)): $(B)/bin/%: $(B)/cmd/%.o $(B)/libkern.a $(B)/libpure.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANS) $(LDFLAGS) -o $@ $< $(MODEL) $(B)/libkern.a $(B)/libpure.a $(LDLIBS) $(LDLIBS_KERN) -lm -pthread
$(B)/bin/kliq: pipelines/kliq
	@mkdir -p $(@D)
	ln -sfn ../../pipelines/kliq $@

$(B)/%.o: %.c $(B)/schema.h | $(B)/kliq_sql.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(B)/lib/kern/shield.o: $(FLAVOURS)
$(B)/unit/model: MODEL := $(B)/libmodel.a
$(B)/unit/conf: MODEL := $(B)/libconf.a
$(B)/unit/conf: $(B)/libconf.a
$(B)/unit/%: t/unit/%.c $(B)/libpure.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Wno-unused-parameter -o $@ $< $(MODEL) $(B)/libpure.a -lcmocka -lm -pthread
# Timings: a program that varies the packets, and what drives it.
$(B)/bench_%.bpf.o: t/bench/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<
$(B)/bench/%: t/bench/%.c $(B)/bench_mutate.skel.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< -lbpf -lelf -lz
$(B)/t/differ: t/differ.c $(B)/libmodel.a $(B)/libkern.a $(B)/libpure.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $(filter %.c %.a,$^) $(LDLIBS_KERN) -lm -pthread
$(B)/%.bpf.o: t/%.bpf.c
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<
$(B)/t/send: t/send/frame.c $(B)/send.skel.h
$(B)/t/send: LDLIBS := -lbpf
$(B)/t/day: LDLIBS := -lm
$(B)/t/feed: LDLIBS := -lbpf -lpcap
$(B)/t/clock $(B)/t/stuck: LDLIBS := -fPIC -shared
$(B)/t/%: t/%.c
	@mkdir -p $(@D)
	$(CC) $(filter-out $(SANS),$(ALL_CFLAGS)) -o $@ $(filter %.c,$^) $(LDLIBS)

# Fuzzing: the libraries again, by a compiler that sees which way the input went.
FUZZ_CFLAGS := -std=c11 -D_GNU_SOURCE -Wall -Werror -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-I$(B) -DKL_VERSION='"$(VERSION)"' -MMD -MP
FUZZ_OBJS := $(patsubst %.c,$(B)/fuzz/%.o,$(wildcard lib/base/*.c lib/core/*.c) t/fuzz/fuzz.c)
fuzzers: $(FUZZERS)
$(B)/fuzz/%.o: %.c $(B)/schema.h
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<
$(B)/fuzz/%: t/fuzz/%.c $(FUZZ_OBJS)
	$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -Wl,--wrap=exit,--wrap=read,--wrap=write,--wrap=close,--wrap=calloc,--wrap=free -o $@ $< $(FUZZ_OBJS) -lm -pthread

# Column names, once: from schemas/ into C.
$(B)/schema.h: schemas/schema.awk $(SCHEMAS)
	@mkdir -p $(@D)
	LC_ALL=C awk -f $< $(SCHEMAS) > $@
# The statements of the database, as strings.
$(B)/kliq_sql.h: schemas/sql.awk $(SQL)
	@mkdir -p $(@D)
	LC_ALL=C awk -f $< $(SQL) > $@

# The packet path in two flavours: with fetching atomics (kernel 5.12), and for 5.10.
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -Wall -Werror -I$(B) -I/usr/include/$(shell uname -m)-linux-gnu -MMD -MP
$(B)/kl_xdp.bpf.o: bpf/kl_xdp.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<
$(B)/kl_xdp_old.bpf.o: bpf/kl_xdp.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DKL_OLD_ATOMICS -c -o $@ $<
$(B)/%.skel.h: $(B)/%.bpf.o
	bpftool gen skeleton $< name $* > $@

deps:
	sh .ci/deps
demo: deps
	@$(MAKE) --no-print-directory all
	PATH="$(CURDIR)/$(B)/bin:$$PATH" kliq demo
check: deps
	@$(MAKE) --no-print-directory all $(UNITS) $(HELPERS)
	PATH="$(CURDIR)/$(B)/bin:$$PATH" t/run $(TESTS)
differ: deps
	@$(MAKE) --no-print-directory $(B)/t/differ
	$(B)/t/differ -n $(or $(N),1000000) -s $(or $(SEED),$(shell date +%s))
check-kernels:
	sh .ci/deps kernels
	@$(MAKE) --no-print-directory all $(HELPERS)
	t/vm/run $(SUITES)
fuzz: deps
	@$(MAKE) --no-print-directory fuzzers
	t/fuzz/run -s $(or $(SECONDS),60) $(TARGET)
analyze: $(FLAVOURS) $(B)/schema.h
	@for f in $(wildcard lib/*/*.c cmd/*.c); do \
		$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -fanalyzer -c -o /dev/null $$f || exit 1; done
bench:
	@{ $(MAKE) --no-print-directory deps && $(MAKE) --no-print-directory all $(BENCHES); } >&2
	@PATH="$(CURDIR)/$(B)/bin:$$PATH" t/bench/run $(BENCH)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(addprefix $(DESTDIR)$(SHARE)/,pipelines/profiles schemas)
	install -m755 $(BINS) $(DESTDIR)$(PREFIX)/bin
	install -m755 $(SCRIPTS) $(DESTDIR)$(SHARE)/pipelines
	install -m644 $(wildcard pipelines/*.bash pipelines/*.awk) $(DESTDIR)$(SHARE)/pipelines
	install -m644 pipelines/profiles/*.yaml $(DESTDIR)$(SHARE)/pipelines/profiles
	install -m644 $(SCHEMAS) $(SQL) $(DESTDIR)$(SHARE)/schemas
	ln -sfn ../share/kernloom/pipelines/kliq $(DESTDIR)$(PREFIX)/bin/kliq
	for p in $(PAGES); do d=$(DESTDIR)$(PREFIX)/share/man/man$${p##*.}; \
		install -d $$d && install -m644 $$p $$d || exit 1; done
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(PURE) $(KERN) kliq)
	rm -rf $(DESTDIR)$(SHARE)
	for p in $(PAGES); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${p##*.}/$${p##*/}; done
clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
