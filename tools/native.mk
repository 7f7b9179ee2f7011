# The C side: units, fuzz targets and warnings. Called by the Makefile, from the project's folder:
#
#   make -f tools/native.mk VARIANT=plain|poll|asan|tsan units replay
#   make -f tools/native.mk VARIANT=fuzz FUZZ_SECONDS=60 fuzz
#   make -f tools/native.mk warnings tidy
#
# Each variant has its folder, build/native/<variant>. All of csrc/*.c goes into one archive; a test
# that includes a .c file itself (to reach its static functions) gets no second copy from there.

VARIANT ?= plain
FUZZ_SECONDS ?= 60
UNIT_TIMEOUT ?= 300
OUT := build/native/$(VARIANT)

VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' leadtools_compat/_version.py)
DEFINES := -D_GNU_SOURCE -DLTDIC_VERSION='"$(VERSION)"' -Icsrc -Itests/csrc
BASE := -std=c11 -g -pthread -fno-omit-frame-pointer $(DEFINES)
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wformat=2 -Werror

CC_plain := gcc
FLAGS_plain := -O2 -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
CC_poll := gcc
FLAGS_poll := $(FLAGS_plain) -DLTDIC_POLLER_POLL
CC_asan := gcc
FLAGS_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
CC_tsan := gcc
FLAGS_tsan := -O1 -fsanitize=thread
CC_fuzz := clang
FLAGS_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

UNIT_CC := $(CC_$(VARIANT))
ifeq ($(UNIT_CC),)
$(error unknown VARIANT "$(VARIANT)": plain, poll, asan, tsan or fuzz)
endif
UNIT_CFLAGS := $(BASE) $(FLAGS_$(VARIANT))
UNIT_LIBS := -lssl -lcrypto -lm

export ASAN_OPTIONS := detect_leaks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS := print_stacktrace=1
export TSAN_OPTIONS := suppressions=$(CURDIR)/tools/tsan.supp:halt_on_error=1:second_deadlock_stack=1

SOURCES := $(wildcard csrc/*.c)
IN_TESTS := $(wildcard tests/csrc/*.c)
UNITS := $(filter tests/csrc/test_%,$(IN_TESTS))
FUZZERS := $(filter tests/csrc/fuzz_%,$(IN_TESTS))
# What is left is shared by the tests.
HELPERS := $(filter-out $(UNITS) $(FUZZERS) tests/csrc/replay.c,$(IN_TESTS))

ARCHIVE := $(OUT)/libltdic.a
UNIT_RUNS := $(UNITS:tests/csrc/test_%.c=run-%)
REPLAYS := $(FUZZERS:tests/csrc/fuzz_%.c=replay-%)
FUZZ_RUNS := $(FUZZERS:tests/csrc/fuzz_%.c=fuzz-%)

.PHONY: units replay fuzz warnings tidy $(UNIT_RUNS) $(REPLAYS) $(FUZZ_RUNS)
.SECONDARY:
.DELETE_ON_ERROR:

units: $(UNIT_RUNS)
replay: $(REPLAYS)
fuzz: $(FUZZ_RUNS)

$(UNIT_RUNS): run-%: $(OUT)/test_%
	@tools/run_unit.sh "$(VARIANT)" "$(UNIT_TIMEOUT)" "$<"

# Every input that was ever of use, in one process for each target.
$(REPLAYS): replay-%: $(OUT)/replay_%
	@tools/run_unit.sh "$(VARIANT)" "$(UNIT_TIMEOUT)" "$<" tests/csrc/corpus/$*

$(FUZZ_RUNS): fuzz-%: $(OUT)/fuzz_%
	@mkdir -p $(OUT)/found/$*
	@tools/run_unit.sh "$(VARIANT)" 0 "$<" -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=4096 \
		-artifact_prefix=$(OUT)/ $(OUT)/found/$* tests/csrc/corpus/$*

$(OUT)/%.o: %.c tools/native.mk leadtools_compat/_version.py
	@mkdir -p $(@D)
	@$(UNIT_CC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

$(ARCHIVE): $(SOURCES:%.c=$(OUT)/%.o)
	@rm -f $@
	@ar rcs $@ $^

LINK = @$(UNIT_CC) $(UNIT_CFLAGS) $(filter %.o,$^) $(ARCHIVE) $(UNIT_LIBS) -o $@

$(OUT)/test_%: $(OUT)/tests/csrc/test_%.o $(HELPERS:%.c=$(OUT)/%.o) $(ARCHIVE)
	$(LINK)

$(OUT)/replay_%: $(OUT)/tests/csrc/fuzz_%.o $(OUT)/tests/csrc/replay.o $(ARCHIVE)
	$(LINK)

$(OUT)/fuzz_%: $(OUT)/tests/csrc/fuzz_%.o $(ARCHIVE)
	$(LINK) -fsanitize=fuzzer

-include $(SOURCES:%.c=$(OUT)/%.d) $(IN_TESTS:%.c=$(OUT)/%.d)

# ---- lint --------------------------------------------------------------------------------------

CHECKED := $(SOURCES) $(IN_TESTS) $(wildcard examples/c/*.c benchmarks/programs/*.c)
POLLERS := $(wildcard csrc/*poller*.c)
# Both compilers with the optimiser on: some warnings come only from there.
GCC_CHECKS := $(CHECKED:%=gcc@%)
CLANG_CHECKS := $(CHECKED:%=clang@%)
POLL_CHECKS := $(POLLERS:%=poll@%)
# The slow one: a file is looked at again when it, a header or the rules have changed.
TIDY_CHECKS := $(CHECKED:%=build/native/tidy/%.ok)
.PHONY: $(GCC_CHECKS) $(CLANG_CHECKS) $(POLL_CHECKS)

warnings: $(GCC_CHECKS) $(CLANG_CHECKS) $(POLL_CHECKS)
tidy: $(TIDY_CHECKS)

$(GCC_CHECKS): gcc@%: %
	@gcc $(BASE) -O2 $(WARNINGS) -c $< -o /dev/null
$(CLANG_CHECKS): clang@%: %
	@clang $(BASE) -O2 $(WARNINGS) -c $< -o /dev/null
$(POLL_CHECKS): poll@%: %
	@gcc $(BASE) -O2 -DLTDIC_POLLER_POLL $(WARNINGS) -c $< -o /dev/null
# Silent when all is well; its count of suppressed warnings (system headers) is no news.
$(TIDY_CHECKS): build/native/tidy/%.ok: % $(wildcard csrc/*.h tests/csrc/*.h) .clang-tidy
	@out=$$(clang-tidy --quiet $< -- $(BASE) 2>&1) || \
		{ echo "$$out" | grep -avE "^[0-9]+ warnings? generated"; exit 1; }
	@mkdir -p $(@D) && touch $@
