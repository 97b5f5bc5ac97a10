# Process DNA. `make help` lists the targets.

PREFIX ?= /usr/local
DESTDIR ?=
# Build folder; the sanitizer and fuzz variants live below it.
B ?= build
FUZZ_SECONDS ?= 10
# Of the e2e tests, which mostly wait: two for each processor.
E2E_WORKERS ?= $(shell expr 2 \* $$(nproc))
PYTHON ?= /usr/bin/python3
MAN_PAGES := $(wildcard docs/man/*.[1-8])

CFLAGS ?= -O2 -g
# Set to a list for -fsanitize= (the asan and fuzz targets do it).
SAN ?=
WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
       -Wmissing-prototypes -Wformat=2 -Wvla
WERROR ?=

COLLECTD_CPPFLAGS = -I/usr/include/collectd -I/usr/include/collectd/core \
                    -I/usr/include/collectd/core/daemon -DHAVE_CONFIG_H
PKG_CFLAGS := $(shell pkg-config --cflags libssl libpq libconfuse \
                libevent_core netsnmp-agent libarchive jansson 2>/dev/null)
CRYPTO_LIBS := $(shell pkg-config --libs libcrypto 2>/dev/null)
TLS_LIBS := $(shell pkg-config --libs libssl 2>/dev/null)
PQ_LIBS := $(shell pkg-config --libs libpq 2>/dev/null)
CONFUSE_LIBS := $(shell pkg-config --libs libconfuse 2>/dev/null)
EVENT_LIBS := $(shell pkg-config --libs libevent_core 2>/dev/null)
ARCHIVE_LIBS := $(shell pkg-config --libs libarchive 2>/dev/null)
JANSSON_LIBS := $(shell pkg-config --libs jansson 2>/dev/null)
SNMP_LIBS := -lnetsnmp
# Not all that `net-snmp-config --agent-libs` lists: snmpd's own modules, and
# what they need, are not for a subagent.
AGENT_LIBS := -lnetsnmpagent $(SNMP_LIBS)

# librpm is for hosts with rpm and for their packages: left out where it is not
# found, or with RPM=no. From 4.16 on it has a backend that only reads the old
# databases. What runs on hosts loads it by its soname when it needs it.
RPM ?= $(shell pkg-config --exists 'rpm >= 4.16' 2>/dev/null && echo yes || echo no)
ifeq ($(RPM),yes)
RPM_CFLAGS := $(shell pkg-config --cflags rpm)
RPM_LIBS := $(shell pkg-config --libs rpm)
RPM_SONAME := $(shell objdump -p "$$($(CC) -print-file-name=librpm.so)" | \
                sed -n 's/^ *SONAME *//p')
RPM_CPPFLAGS = $(RPM_CFLAGS) -DPDNA_RPM_SONAME=$(RPM_SONAME)
RPM_LEFT_OUT = %/rpm_without.c %/manifest_rpm_without.c
else
RPM_LIBS =
RPM_CPPFLAGS = -DPDNA_WITHOUT_RPM
RPM_LEFT_OUT = %/rpm_lib.c %/rpm_query.c %/rpm_package.c %/rpm_header.c \
               %/rpm_keyring.c %/manifest_rpm.c %/fuzz_manifest_rpm.c
endif

ALL_CPPFLAGS = -D_GNU_SOURCE -I. $(if $(SAN),-DPDNA_SANITIZED) $(PKG_CFLAGS) \
               $(RPM_CPPFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=gnu17 -fPIC -fvisibility=hidden -fno-common \
             -fstack-protector-strong $(WARN) $(WERROR) $(CFLAGS) \
             $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer \
               -fno-sanitize-recover=all)
ALL_LDFLAGS = -Wl,--as-needed -Wl,-z,relro,-z,now $(LDFLAGS) \
              $(if $(SAN),-fsanitize=$(SAN))

ifeq ($(V),1)
Q =
say = @:
else
Q = @
say = @printf '  %-4s %s\n'
endif

# --- Programs and libraries -------------------------------------------------
PROGRAMS = $(B)/process-dna-correlator $(B)/process-dna-agentx
PLUGIN = $(B)/process_dna.so
LIBRARIES = $(B)/librecord.a $(B)/libscan.a

RECORD_SRC = $(wildcard lib/record/*.c)
SCAN_SRC = $(filter-out $(RPM_LEFT_OUT),$(wildcard lib/scan/*.c))
PLUGIN_SRC = $(wildcard collectd-plugin/*.c)
CORRELATOR_SRC = $(filter-out $(RPM_LEFT_OUT),$(wildcard correlator/*.c))
AGENTX_SRC = $(wildcard snmp-subagent/*.c)
SQL_FILES = $(sort $(wildcard sql/migrations/*.sql)) \
            $(sort $(wildcard sql/functions/*.sql))
UNIT_TESTS = $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
FUZZERS = $(patsubst tests/fuzz/%.c,$(B)/tests/%,$(filter-out $(RPM_LEFT_OUT),\
            $(wildcard tests/fuzz/fuzz_*.c)))
BENCHES = $(patsubst tests/bench/%.c,$(B)/tests/%,$(wildcard tests/bench/bench_*.c))
HELPERS = $(patsubst tests/e2e/helpers/%.c,$(B)/tests/%,$(wildcard tests/e2e/helpers/*.c))

obj = $(patsubst %.c,$(B)/%.o,$(1))

.PHONY: all
all: $(LIBRARIES) $(PLUGIN) $(PROGRAMS)
ifneq ($(RPM),yes)
all: without-rpm
.PHONY: without-rpm
without-rpm:
	@echo '  rpm  left out: hosts with rpm and .rpm files need librpm-dev 4.16'
endif

$(B)/librecord.a: $(call obj,$(RECORD_SRC))
$(B)/libscan.a: $(call obj,$(SCAN_SRC))
# Archives of the programs without their main, for the tests.
$(B)/libcorrelator.a: $(call obj,$(filter-out correlator/main.c,$(CORRELATOR_SRC))) \
                      $(B)/correlator/sql_files.o
$(B)/libplugin.a: $(call obj,$(PLUGIN_SRC))
$(B)/libagentx.a: $(call obj,$(filter-out snmp-subagent/main.c,$(AGENTX_SRC)))
$(B)/%.a:
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(PLUGIN): $(call obj,$(PLUGIN_SRC)) $(B)/libscan.a $(B)/librecord.a
	$(say) LD $@
	$(Q)$(CC) -shared $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS) -lpthread

$(B)/process-dna-correlator: $(B)/correlator/main.o $(B)/libcorrelator.a $(B)/librecord.a
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(SNMP_LIBS) $(PQ_LIBS) $(CONFUSE_LIBS) \
	  $(EVENT_LIBS) $(ARCHIVE_LIBS) $(JANSSON_LIBS) $(RPM_LIBS) $(TLS_LIBS) \
	  $(CRYPTO_LIBS) -lpthread

$(B)/process-dna-agentx: $(B)/snmp-subagent/main.o $(B)/libagentx.a $(B)/libscan.a $(B)/librecord.a
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(AGENT_LIBS) $(CRYPTO_LIBS) -lpthread

$(B)/collectd-plugin/%.o: ALL_CPPFLAGS += $(COLLECTD_CPPFLAGS)
$(B)/%.o: %.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The SQL travels inside the correlator, so that `migrate` needs no data files.
$(B)/correlator/sql_files.o: $(SQL_FILES) sql/embed.sh
	$(say) SQL $@
	$(Q)mkdir -p $(@D) && sh sql/embed.sh $(SQL_FILES) > $(@:.o=.S) && \
	  $(CC) -c -o $@ $(@:.o=.S)

# --- Tests ------------------------------------------------------------------
TEST_LIBS = $(B)/libplugin.a $(B)/libagentx.a $(B)/libcorrelator.a $(B)/libscan.a $(B)/librecord.a
ALL_LIBS = $(AGENT_LIBS) $(PQ_LIBS) $(CONFUSE_LIBS) $(EVENT_LIBS) $(ARCHIVE_LIBS) $(JANSSON_LIBS) \
           $(RPM_LIBS) $(TLS_LIBS) $(CRYPTO_LIBS) -lpthread

$(B)/tests/test_%.o $(B)/tests/unit/test_%.o: ALL_CPPFLAGS += $(COLLECTD_CPPFLAGS)
$(UNIT_TESTS): $(B)/tests/%: $(B)/tests/unit/%.o $(TEST_LIBS)
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(ALL_LIBS)

$(BENCHES): $(B)/tests/%: $(B)/tests/bench/%.o $(TEST_LIBS)
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS)

$(FUZZERS): $(B)/tests/%: $(B)/tests/fuzz/%.o $(TEST_LIBS)
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(ALL_LIBS)

# The helpers stand in for a host's programs: no sanitizer, and no library that
# a chroot would lack. clock_shift is preloaded into collectd.
$(HELPERS): override SAN :=
$(HELPERS): HELPER_LDFLAGS := -static
$(B)/tests/clock_shift: HELPER_LDFLAGS := -shared
$(HELPERS): $(B)/tests/%: $(B)/tests/e2e/helpers/%.o
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) $(HELPER_LDFLAGS) -o $@ $^ $(LDLIBS)

# --- What is run --------------------------------------------------------------
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
C_FILES = $(shell git ls-files '*.c' '*.h')
SH_FILES = $(shell git ls-files '*.sh' .ci/run)

.PHONY: help
help:
	@echo 'make              build everything into $(B)/'
	@echo 'make deps         install what is missing (apt)'
	@echo 'make demo         the whole system on this machine, in a minute'
	@echo 'make test         every test: unit, sql, e2e, fuzz, sanitizers'
	@echo 'make unit|sql-test|e2e|fuzz|lint|bench'
	@echo 'make install      into $$DESTDIR$$PREFIX, the plugin into collectd'
	@echo 'make uninstall    the reverse'
	@echo 'make clean        remove $(B)/'
	@echo 'Variables: PREFIX DESTDIR FUZZ_SECONDS E2E_WORKERS V=1 RPM=no (build without librpm)'

.PHONY: deps
deps:
	@sh packaging/deps.sh

# The README's two commands. Each sets itself up: what the first make can't
# know before deps has run (pkg-config) is evaluated by the second.
.PHONY: demo test
demo: deps
	@$(MAKE) --no-print-directory -j2 all helpers
	@$(SUDO) $(PYTHON) tests/e2e/demo.py

test: deps
	@$(MAKE) --no-print-directory -j2 all helpers tests
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory sql-test
	@$(MAKE) --no-print-directory fuzz
	@$(MAKE) --no-print-directory asan

.PHONY: tests helpers unit sql-test e2e asan
tests: $(UNIT_TESTS)
helpers: $(HELPERS)

unit: $(UNIT_TESTS)
	@set -e; for t in $(UNIT_TESTS); do echo "== $$t"; $$t; done

sql-test:
	@sh tests/sql/run.sh

e2e: all helpers
	@$(SUDO) env B=$(B) $(PYTHON) -m pytest -q -p no:cacheprovider \
	  --basetemp=$(B)/e2e-tmp -n $(E2E_WORKERS) --dist loadgroup tests/e2e

ASAN = B=build/asan SAN=address,undefined CFLAGS='-O1 -g'
asan:
	@$(MAKE) --no-print-directory -j2 $(ASAN) all helpers tests
	@$(MAKE) --no-print-directory $(ASAN) unit
	@$(MAKE) --no-print-directory $(ASAN) e2e

.PHONY: fuzz fuzz-run
fuzz:
	@$(MAKE) --no-print-directory -j2 B=build/fuzz CC=clang \
	  SAN=fuzzer-no-link,address,undefined CFLAGS='-O1 -g' fuzz-run

fuzz-run: $(FUZZERS)
	@sh tests/fuzz/run.sh $(B) $(FUZZ_SECONDS) $(FUZZERS)

.PHONY: bench
bench: all helpers $(BENCHES)
	@$(SUDO) env B=$(B) $(PYTHON) tests/bench/run.py

.PHONY: lint
lint: lint-format lint-werror lint-tidy lint-cppcheck lint-shell lint-mib lint-man lint-article
.PHONY: lint-format lint-werror lint-tidy lint-cppcheck lint-shell lint-mib lint-man lint-article
lint-format:
	clang-format --dry-run -Werror $(C_FILES)
lint-werror:
	@$(MAKE) --no-print-directory -j2 B=build/werror-gcc CC=gcc WERROR=-Werror \
	  all helpers tests
	@$(MAKE) --no-print-directory -j2 B=build/werror-clang CC=clang \
	  WERROR=-Werror all helpers tests
	@$(MAKE) --no-print-directory -j2 B=build/without-rpm CC=gcc RPM=no \
	  WERROR=-Werror all tests
	build/without-rpm/tests/test_scan_rpm
	build/without-rpm/tests/test_manifest_rpm
lint-tidy:
	@printf '%s\n' $(filter %.c,$(C_FILES)) | xargs -P 2 -n 4 sh -c \
	  'clang-tidy --quiet "$$@" -- -std=gnu17 $(ALL_CPPFLAGS) \
	   $(COLLECTD_CPPFLAGS) 2>/dev/null' sh
lint-cppcheck:
	cppcheck --quiet --std=c11 --enable=warning,performance,portability \
	  --inline-suppr --error-exitcode=1 -j 2 -I. \
	  --suppress=missingIncludeSystem $(filter %.c,$(C_FILES))
lint-shell:
	shellcheck $(SH_FILES)
lint-mib:
	SMIPATH=tests/mibs:snmp-subagent smilint -c /dev/null -s -l 6 \
	  snmp-subagent/PROCESS-DNA-MIB.txt
lint-article:
	sh tests/article.sh
# man says what is wrong with a page, and gives 0.
lint-man:
	@for page in $(MAN_PAGES); do \
	  found=$$(man -l --warnings $$page 2>&1 >/dev/null); \
	  [ -z "$$found" ] || { echo "$$page: $$found"; exit 1; }; done

# --- Installing ---------------------------------------------------------------
COLLECTD_PLUGINDIR ?= $(shell pkg-config --variable=plugindir collectd \
                        2>/dev/null || true)
ifeq ($(strip $(COLLECTD_PLUGINDIR)),)
COLLECTD_PLUGINDIR := /usr/lib/collectd
endif
# Where a page goes: its section is what follows its name's last dot.
man_page = $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(1)))/$(notdir $(1))
INSTALLED = $(DESTDIR)$(PREFIX)/sbin/process-dna-correlator \
  $(DESTDIR)$(COLLECTD_PLUGINDIR)/process_dna.so \
  $(DESTDIR)$(PREFIX)/share/process-dna/process_dna.types.db \
  $(DESTDIR)$(PREFIX)/share/process-dna/correlator.conf \
  $(DESTDIR)$(PREFIX)/share/process-dna/process_dna.conf \
  $(DESTDIR)$(PREFIX)/lib/systemd/system/process-dna-correlator.service \
  $(DESTDIR)$(PREFIX)/share/snmp/mibs/PROCESS-DNA-MIB.txt \
  $(DESTDIR)$(PREFIX)/sbin/process-dna-agentx \
  $(DESTDIR)$(PREFIX)/share/process-dna/process-dna-agentx.conf \
  $(DESTDIR)$(PREFIX)/share/process-dna/snmp_exporter.yml \
  $(DESTDIR)$(PREFIX)/lib/systemd/system/process-dna-agentx.service \
  $(foreach page,$(MAN_PAGES),$(call man_page,$(page)))

.PHONY: install uninstall clean
install: all
	install -D -m 755 $(B)/process-dna-correlator $(DESTDIR)$(PREFIX)/sbin/process-dna-correlator
	install -D -m 644 $(PLUGIN) $(DESTDIR)$(COLLECTD_PLUGINDIR)/process_dna.so
	install -D -m 644 collectd-plugin/process_dna.types.db \
	  $(DESTDIR)$(PREFIX)/share/process-dna/process_dna.types.db
	install -D -m 644 packaging/correlator.conf \
	  $(DESTDIR)$(PREFIX)/share/process-dna/correlator.conf
	install -D -m 644 packaging/process_dna.conf \
	  $(DESTDIR)$(PREFIX)/share/process-dna/process_dna.conf
	install -D -m 755 $(B)/process-dna-agentx $(DESTDIR)$(PREFIX)/sbin/process-dna-agentx
	install -D -m 644 packaging/process-dna-agentx.conf \
	  $(DESTDIR)$(PREFIX)/share/process-dna/process-dna-agentx.conf
	install -D -m 644 packaging/snmp_exporter.yml \
	  $(DESTDIR)$(PREFIX)/share/process-dna/snmp_exporter.yml
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	set -e; for unit in process-dna-correlator process-dna-agentx; do \
	  sed 's|/usr/local/sbin|$(PREFIX)/sbin|' packaging/$$unit.service \
	    > $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit.service; done
	$(foreach page,$(MAN_PAGES),install -D -m 644 $(page) $(call man_page,$(page)) &&) true
	install -D -m 644 snmp-subagent/PROCESS-DNA-MIB.txt \
	  $(DESTDIR)$(PREFIX)/share/snmp/mibs/PROCESS-DNA-MIB.txt
uninstall:
	rm -f $(INSTALLED)
clean:
	rm -rf build

# Not in all of $(B): tests make whole roots there, with folders of such names.
-include $(shell find $(addprefix $(B)/,lib collectd-plugin correlator \
           snmp-subagent tests) -name '*.d' -type f 2>/dev/null)
