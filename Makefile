# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make demo` and `make test` are all that a newcomer needs; a machine with git
# and make is enough. Each step below says what it does, and is an ordinary
# command that can be given by hand as well (make -n shows it).
#
#   make [QEMU=binary] [QEMU_TREE=configured build tree] [BUILD=folder]
#        [GUEST_KERNEL=6.1|6.12]

BUILD ?= build
QEMU ?= qemu-system-x86_64
QEMU_TREE ?=
GUEST_KERNEL ?=
OPTIONS ?=

SETUP = -Dqemu_binary=$(QEMU) -Dqemu_source=$(QEMU_TREE) \
	-Dguest_kernel=$(GUEST_KERNEL)
SANITIZE = $(SETUP) -Dguest=disabled -Dfuzz=true -Db_lundef=false \
	-Db_sanitize=address,undefined -Doptimization=1

.NOTPARALLEL:
.PHONY: all packages headers build sanitize test suites qemu10 test-qemu10 \
	soak-qemu10 demo soak bench fuzz lint install clean help

all: build

packages:
	@mkdir -p $(BUILD)/log
	@scripts/install-packages $(BUILD)/log/packages.log

# Written anew only when the answer changes: another QEMU, another build,
# other options.
headers: packages
	@scripts/qemu-source --qemu $(QEMU) $(QEMU_TREE:%=--tree %) \
		>$(BUILD)/log/qemu.new
	@echo "options: $(SETUP) $(OPTIONS)" >>$(BUILD)/log/qemu.new
	@cmp -s $(BUILD)/log/qemu.new $(BUILD)/log/qemu || \
		cp $(BUILD)/log/qemu.new $(BUILD)/log/qemu; \
		rm $(BUILD)/log/qemu.new

$(BUILD)/build.ninja: $(BUILD)/log/qemu
	@echo "==> meson setup $(BUILD)"
	@meson setup $(if $(wildcard $@),--reconfigure) $(SETUP) $(OPTIONS) $(BUILD) \
		>$(BUILD)/log/setup.log || { tail -n 20 $(BUILD)/log/setup.log; \
		echo "==> that failed; see $(BUILD)/log/setup.log"; exit 1; }

$(BUILD)/log/qemu: headers

build: headers $(BUILD)/build.ninja
	@echo "==> ninja -C $(BUILD)"
	@ninja -C $(BUILD) || { \
		echo "==> that failed; the first message above says where"; exit 1; }

# All of it once more, under AddressSanitizer and UBSan, and the fuzzer.
sanitize: build
	@if [ ! -f $(BUILD)/sanitize/build.ninja ]; then \
		echo "==> meson setup $(BUILD)/sanitize"; \
		meson setup $(SANITIZE) $(BUILD)/sanitize \
			>$(BUILD)/log/sanitize.log || { \
			tail -n 20 $(BUILD)/log/sanitize.log; exit 1; }; \
	fi
	@echo "==> ninja -C $(BUILD)/sanitize"
	@ninja -C $(BUILD)/sanitize

# Both runs are always made; the closing line counts the cases of both.
test: sanitize
	@rm -f $(BUILD)/meson-logs/testlog.* $(BUILD)/sanitize/meson-logs/testlog.*
	@status=0; \
	echo "==> meson test -C $(BUILD)"; \
	meson test -C $(BUILD) --no-rebuild --print-errorlogs || status=1; \
	echo "==> meson test -C $(BUILD)/sanitize --suite unit" \
		"--suite qtest --suite fuzz"; \
	meson test -C $(BUILD)/sanitize --no-rebuild --print-errorlogs \
		--suite unit --suite qtest --suite fuzz || status=1; \
	echo "==> logs: $(BUILD)/meson-logs/testlog.txt," \
		"$(BUILD)/sanitize/meson-logs/testlog.txt"; \
	scripts/count-tests $(BUILD) $(BUILD)/sanitize && exit $$status

# One build folder, without the checks of the sources.
suites: build
	@rm -f $(BUILD)/meson-logs/testlog.*
	@status=0; \
	echo "==> meson test -C $(BUILD) --no-suite lint"; \
	meson test -C $(BUILD) --no-rebuild --print-errorlogs \
		--no-suite lint || status=1; \
	echo "==> log: $(BUILD)/meson-logs/testlog.txt"; \
	scripts/count-tests $(BUILD) && exit $$status

# The second QEMU that the module is made for, on a machine that has another.
qemu10: packages
	@scripts/qemu10

# TARGET: what is to be made for that QEMU. The guest's kernel is the second
# one, too, so that this run and that of the machine's own QEMU have seen both.
# Not by $(MAKE): make -n would build.
SUBMAKE := $(MAKE)
WITH_QEMU10 = built=$$(scripts/qemu10) || exit 1; \
	tree=$$(echo "$$built" | sed -n 's/^build: //p'); \
	$(SUBMAKE) --no-print-directory $(TARGET) BUILD=build-10.0 \
		QEMU=$$tree/qemu-system-x86_64 QEMU_TREE=$$tree \
		GUEST_KERNEL=$(or $(GUEST_KERNEL),6.12)

test-qemu10: TARGET = suites
soak-qemu10: TARGET = soak
test-qemu10 soak-qemu10: packages
	@$(WITH_QEMU10)

# For hours: make fuzz SECONDS=3600. What it finds is in $(BUILD)/fuzz.
SECONDS ?= 600
SEED ?= 1
fuzz: sanitize
	@FUZZ_SECONDS=$(SECONDS) FUZZ_SEED=$(SEED) FUZZ_OUT=$(abspath $(BUILD))/fuzz \
		ninja -C $(BUILD)/sanitize fuzz

# The guest tests that take minutes. Longer: make soak TIMES=1000. PLUGS is how
# often a device comes and goes.
TIMES ?= 50
PLUGS ?= $(TIMES)
soak: build
	@tests/guest/usbtest --build $(BUILD) --out $(BUILD)/guest/soak \
		--timeout 86400 --set TIMES=$(TIMES)
	@PLUGS=$(PLUGS) tests/guest/drivers-test $(BUILD)
	@FRAMES=600 SUPER_FRAMES=600 tests/guest/uvc-test $(BUILD)
	@SUPER_RATES="44100 48000 96000" DUPLEX="600:48000:16 60:44100:16 60:96000:16 60:44100:24 60:48000:24 \
		60:96000:24" tests/guest/sound-test $(BUILD)
	@FRAMES=600 SECONDS_EACH=20 TIMES=$(TIMES) tests/guest/together-test $(BUILD)
	@tests/guest/realtime $(BUILD)
	@RUNS=20 tests/guest/fault-test $(BUILD)
	@tests/campaign/page-test $(BUILD)
	@ISOLAB_SOAK=1 meson test -C $(BUILD) --no-rebuild -t 10 fault-plan-test
	@ISOLAB_BUILD=$(BUILD) tests/guest/soak-test

demo: build
	@tests/guest/demo $(BUILD)

# About three minutes; other work on the machine spreads the figures.
bench: build
	@ninja -C $(BUILD) bench

lint: build
	@meson test -C $(BUILD) --no-rebuild --print-errorlogs --suite lint

install: build
	@meson install -C $(BUILD) --no-rebuild

# What was fetched stays in ~/.cache/isolab.
clean:
	rm -rf $(BUILD)

help:
	@echo "make          install what is missing, build the module and launcher"
	@echo "make demo     watch a driver stream over a loose cable; a report"
	@echo "make test     run every test; the last line counts them"
	@echo "make qemu10   get and build Debian 13's QEMU 10.0, into the cache"
	@echo "make test-qemu10  every test with it and Linux 6.12, in build-10.0/"
	@echo "make soak     the long guest tests, TIMES=50; soak-qemu10: with 10.0"
	@echo "make fuzz     throw nonsense at the controller, SECONDS=600"
	@echo "make bench    measure the controller beside qemu-xhci"
	@echo "make lint     only the checks of format, C and licences"
	@echo "make install  install isolab, its QEMU, guest, plans and disc"
	@echo "make clean    remove $(BUILD)/"
	@echo "GUEST_KERNEL=6.12 (or 6.1): the Linux of the guest tests"
	@echo "QEMU=binary   build for another QEMU than the one in PATH"
