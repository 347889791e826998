# ngx_http_clockodo_module, for GNU make.  "make help" lists the targets.

ifeq ($(origin CC),default)
CC      := gcc
endif

NGX_BIN ?= $(or $(wildcard /usr/sbin/nginx),nginx)
NGX_SRC ?= /usr/share/nginx/src

MODULE  := build/ngx_http_clockodo_module.so

export CC NGX_BIN NGX_SRC FUZZ_SECONDS FUZZ_SEED


all: $(MODULE)          ## the module for the installed nginx (the default)


# What the build depends on besides files: another compiler or another nginx
# calls for another configure.

build/nginx.id: FORCE
	@mkdir -p build
	@command -v $(NGX_BIN) > /dev/null && test -x $(NGX_SRC)/configure \
	|| { echo >&2 "nginx and its headers ($(NGX_SRC)) are needed," \
	         "on Debian: apt-get install nginx nginx-dev"; \
	     exit 1; }
	@{ echo "$(CC) $(NGX_SRC)"; $(NGX_BIN) -V; } > $@.new 2>&1
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

build/nginx/objs/Makefile: build/nginx.id config tools/configure
	@tools/configure $(NGX_SRC) build/nginx --add-dynamic-module=$(CURDIR)

# nginx's makefile knows what has to be compiled again, and compiles with
# -W -Wall -Werror.  "install" makes a new file: a running nginx keeps the
# one that it has mapped.

$(MODULE): build/nginx/objs/Makefile FORCE
	@$(MAKE) -s --no-print-directory -C build/nginx -f objs/Makefile modules
	@cmp -s build/nginx/objs/$(@F) $@ \
	|| { install -m 644 build/nginx/objs/$(@F) $@ \
	     && echo "$@ is built for $$($(NGX_BIN) -v 2>&1 | sed 's,.*: ,,')"; }


install: $(MODULE)      ## put the module where the installed nginx looks
	@dir=$$($(NGX_BIN) -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p'); \
	test "$$dir" || { echo >&2 "nginx -V shows no --modules-path"; exit 1; }; \
	install -d "$(DESTDIR)$$dir" \
	&& install -m 644 $(MODULE) "$(DESTDIR)$$dir/$(notdir $(MODULE))"


run:                    ## install, build, show it at work (PORT=8080 CHECK=1)
	@tools/install build run
	@$(MAKE) --no-print-directory all
	@exec examples/run


# Unit tests of the pure core.  They say what nginx's tests say, in TAP, so
# that prove counts both.

UNIT_IN := build/unit
UNIT_AS := -O1 -fno-omit-frame-pointer \
           -fsanitize=address,undefined -fno-sanitize-recover=all

UNIT    := $(patsubst t/unit/%.c,$(UNIT_IN)/%,$(wildcard t/unit/test_*.c))
OBJS    := $(patsubst %.c,$(UNIT_IN)/%.o,$(notdir \
               $(wildcard src/core/clockodo_*.c t/unit/guard.c)))

UNIT_CC := $(CC) -g $(UNIT_AS) -W -Wall -Werror -Isrc/core -It/unit

vpath %.c src/core t/unit

$(OBJS): $(UNIT_IN)/%.o: %.c $(wildcard src/core/clockodo_*.h t/unit/*.h) \
                           build/nginx.id
	@mkdir -p $(@D)
	@$(UNIT_CC) -c -o $@ $<

$(UNIT): $(UNIT_IN)/%: %.c $(OBJS)
	@$(UNIT_CC) $(UNIT_WRAP) -o $@ $^ -lcmocka -lcjson -lcrypto

# what fails when it is told to: an allocator, and libcrypto; a function of
# ours as long as it is not made part of another file's

%/test_event: UNIT_WRAP := -fno-lto \
    $(patsubst %,-Xlinker --wrap=%,malloc calloc free clockodo_sha256)

%/test_memory: UNIT_WRAP := $(patsubst %,-Xlinker --wrap=%,malloc calloc \
    realloc free)

%/test_sha256: UNIT_WRAP := $(patsubst %,-Xlinker --wrap=%,SHA256_Init \
    SHA256_Update SHA256_Final EVP_Digest EVP_MD_CTX_new EVP_DigestInit_ex \
    EVP_DigestUpdate EVP_DigestFinal_ex)

TESTS   := $(or $(T),$(UNIT) $(sort $(wildcard t/*.t)))

RUN     := prove --failures --comments --exec tools/t -j $(or $(JOBS),2)
PROVE   := TEST_NGINX_BINARY=$(NGX_BIN) \
           TEST_NGINX_LOAD_MODULES=$(CURDIR)/$(MODULE) $(RUN)

export CMOCKA_MESSAGE_OUTPUT := TAP

unit: build-unit        ## run the unit tests of the pure core
	@$(PROVE) $(UNIT)

test:                   ## install, build, run all tests (T="t/x.t" for some)
	@tools/install build test
	@$(MAKE) --no-print-directory all $(if $(T),,build-unit)
	@$(PROVE) $(TESTS)

# a locale that writes a number with a comma

LOCALE  := build/unit/locale/de_DE.utf8

$(LOCALE):
	@mkdir -p $(@D)
	@localedef -i de_DE -f UTF-8 $(CURDIR)/$@

build-unit: $(UNIT) $(LOCALE)
	@:


# The status page in Chromium, and signatures as applications check them.  What
# npm brings stays below build/.

build/%/node_modules/.package-lock.json: t/%/package.json \
                                         t/%/package-lock.json t/%/.npmrc
	@mkdir -p build/$*
	@cp $^ build/$*
	@cd build/$* && npm ci --loglevel error

.PRECIOUS: build/%/node_modules/.package-lock.json

NODE    := TEST_NGINX_BINARY=$(NGX_BIN) \
           TEST_NGINX_LOAD_MODULES=$(CURDIR)/$(MODULE) node

browser screenshot: export NODE_PATH := $(CURDIR)/build/browser/node_modules
signing: export NODE_PATH := $(CURDIR)/build/signing/node_modules

browser:                ## install, build, test the status page in a browser
	@tools/install build browser
	@$(MAKE) --no-print-directory all \
	    build/browser/node_modules/.package-lock.json
	@$(NODE) --test $(wildcard t/browser/*.test.js)

screenshot:             ## html/clockodo-status*.png, of the page at work
	@tools/install build browser screenshot
	@$(MAKE) --no-print-directory all \
	    build/browser/node_modules/.package-lock.json
	@$(NODE) t/browser/screenshot.js html

signing:                ## install, build, check signatures as an application
	@tools/install build signing
	@$(MAKE) --no-print-directory all \
	    build/signing/node_modules/.package-lock.json
	@$(NODE) --test $(wildcard t/signing/*.test.js)


asan:                   ## all tests, nginx being built with ASan and UBSan
	@tools/install build test
	@$(MAKE) --no-print-directory $(if $(T),build/nginx.id,build-unit)
	@tools/asan $(RUN) $(TESTS)


# valgrind, for what has no value yet: the unit tests without sanitizers, and
# the installed nginx.  Left out are the slowest tests, those that look into nginx
# or find workers by their names, which valgrind hides, and those of programs.

MEMCHECK    := $(patsubst $(UNIT_IN)/%,build/memcheck/%,$(UNIT))
MEMCHECK_NOT = t/config-errors.t t/failed-calls.t t/readme.t \
               t/secret-file.t t/unused.t \
               $(wildcard t/deliver-*.t) t/applications.t \
               $(shell grep -lE -e '->(workers|reload)\b' t/*.t)

$(MEMCHECK): build/memcheck/%: t/unit/%.c t/unit/guard.c \
             $(wildcard src/core/clockodo_*.c src/core/clockodo_*.h)
	@mkdir -p $(@D)
	@$(CC) -g -O1 -W -Wall -Werror -Isrc/core -It/unit $(UNIT_WRAP) -o $@ \
	    $(filter %.c,$^) -lcmocka -lcjson -lcrypto

build-memcheck: $(MEMCHECK) $(LOCALE)
	@:

valgrind:               ## unit tests and most others under memcheck
	@tools/install build test valgrind
	@$(MAKE) --no-print-directory all build-memcheck
	@TEST_NGINX_LOAD_MODULES=$(CURDIR)/$(MODULE) tools/memcheck $(or $(T),\
	    $(MEMCHECK) $(filter-out $(MEMCHECK_NOT),$(sort $(wildcard t/*.t))))


# Fuzzing: t/fuzz/fuzz_NAME.c is a target, t/fuzz/seeds/ has its first inputs.

FUZZ    := $(patsubst t/fuzz/fuzz_%.c,build/fuzz/%,$(wildcard t/fuzz/fuzz_*.c))

FUZZ_CC := clang -g -O1 -W -Wall -Werror -Isrc/core -It/fuzz \
           -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

build/fuzz/strict_nlohmann.o: t/fuzz/strict_nlohmann.cc t/fuzz/strict.h
	@mkdir -p $(@D)
	@$(FUZZ_CC) -std=c++17 -fno-sanitize=undefined -c -o $@ $<

build/fuzz/differential: t/fuzz/strict_jansson.c build/fuzz/strict_nlohmann.o
build/fuzz/differential: FUZZ_LIBS := -ljansson -lstdc++

$(FUZZ): build/fuzz/%: t/fuzz/fuzz_%.c $(wildcard src/core/clockodo_*.c) \
                       $(wildcard src/core/clockodo_*.h t/fuzz/*.h)
	@mkdir -p $(@D)
	@$(FUZZ_CC) -o $@ $(filter-out %.h,$^) -lcjson -lcrypto $(FUZZ_LIBS)

build-fuzz: $(FUZZ)
	@:

fuzz:                   ## fuzz the pure core (FUZZ_SECONDS=60 a target)
	@tools/install build fuzz
	@$(MAKE) --no-print-directory build-fuzz
	@tools/fuzz $(notdir $(or $(T),$(FUZZ)))

fuzz-http:              ## fuzz a running nginx (FUZZ_SECONDS=60 FUZZ_SEED=)
	@tools/install build test
	@$(MAKE) --no-print-directory build/nginx.id
	@tools/asan t/fuzz/http
	@tools/asan t/fuzz/framing


# Where it can be said what is right: for all there is, up to a length.

EXHAUSTIVE    := $(patsubst t/exhaustive/%.c,build/exhaustive/%,\
                     $(wildcard t/exhaustive/exhaustive_*.c))

EXHAUSTIVE_CC := clang -g -O2 -W -Wall -Werror -Isrc/core -It/fuzz \
                 -fsanitize=undefined -fno-sanitize-recover=all

build/exhaustive/exhaustive_time build/exhaustive/exhaustive_id: \
    EXHAUSTIVE_LIBS := -fsanitize=address

build/exhaustive/strict_nlohmann.o: t/fuzz/strict_nlohmann.cc t/fuzz/strict.h
	@mkdir -p $(@D)
	@$(EXHAUSTIVE_CC) -std=c++17 -fno-sanitize=undefined -c -o $@ $<

# two libraries that take memory for each text: without AddressSanitizer

build/exhaustive/exhaustive_scan: t/fuzz/strict_jansson.c \
                                  build/exhaustive/strict_nlohmann.o
build/exhaustive/exhaustive_scan: EXHAUSTIVE_LIBS := -ljansson -lstdc++

$(EXHAUSTIVE): build/exhaustive/%: t/exhaustive/%.c \
                                   $(wildcard src/core/clockodo_*.c) \
                                   $(wildcard src/core/clockodo_*.h t/fuzz/*.h)
	@mkdir -p $(@D)
	@$(EXHAUSTIVE_CC) -o $@ $(filter-out %.h,$^) \
	    -lcmocka -lcjson -lcrypto $(EXHAUSTIVE_LIBS)

build-exhaustive: $(EXHAUSTIVE)
	@:

exhaustive:             ## every date, every short id, every text of 5 bytes
	@tools/install build fuzz exhaustive
	@$(MAKE) --no-print-directory build-exhaustive
	@$(RUN) $(or $(T),$(EXHAUSTIVE))


# what looks into the zone has nginx's headers, as the module has them

build/faults/writing: t/faults/writing.c $(MODULE)
	@mkdir -p $(@D)
	@$(CC) -g -O1 -W -Wall -Werror -Wno-unused-parameter \
	    $(patsubst %,-I%,src $(sort $(dir $(wildcard src/*/*.h)))) $(patsubst \
	    %,-Ibuild/nginx/%,src/core src/event src/event/modules src/os/unix \
	    src/http src/http/modules src/http/v2 objs) -o $@ $<

faults:                 ## workers, application and nginx fail under load
	@tools/install build test valgrind
	@$(MAKE) --no-print-directory all build/faults/writing
	@$(PROVE) -j 1 $(or $(T),$(sort $(wildcard t/faults/*.t)))


failures:               ## each allocation and system call fails once
	@tools/install build test
	@$(MAKE) --no-print-directory build/nginx.id
	@tools/asan --failures $(RUN) -j 1 \
	    $(or $(T),$(sort $(wildcard t/failures/*.t)))


deliver:                ## delivery: kills, failing servers, many events
	@tools/install build test
	@$(MAKE) --no-print-directory all
	@$(PROVE) -j 1 $(or $(T),$(sort $(wildcard t/deliver/*.t)))


# Constant time is a matter of machine code: gcc's and clang's is looked at,
# and that of the module itself.

CT      := $(foreach name,ct ct_sign,$(patsubst %,build/ct/$(name)-%,\
               module gcc clang))
CT_SRC  := $(wildcard src/core/clockodo_*.c)
CT_OBJ  := $(patsubst src/%.c,build/nginx/objs/addon/%.o,$(CT_SRC))
CT_LIBS := -lcjson -lcrypto
CT_FLAGS := -gdwarf-4 -O3 -W -Wall -Werror -Isrc/core

build/ct/%-module: t/ct/%.c $(MODULE)
	@mkdir -p $(@D)
	@$(CC) -g -O2 -W -Wall -Werror -Isrc/core -o $@ $< $(CT_OBJ) $(CT_LIBS)

build/ct/%-gcc: t/ct/%.c $(CT_SRC) $(wildcard src/core/clockodo_*.h)
	@mkdir -p $(@D)
	@gcc $(CT_FLAGS) -o $@ $(filter %.c,$^) $(CT_LIBS)

build/ct/%-clang: t/ct/%.c $(CT_SRC) $(wildcard src/core/clockodo_*.h)
	@mkdir -p $(@D)
	@clang $(CT_FLAGS) -o $@ $(filter %.c,$^) $(CT_LIBS)

build/cost/cost build/cost/cost_dedupe: build/cost/%: t/cost/%.c $(MODULE)
	@mkdir -p $(@D)
	@$(CC) -g -O2 -W -Wall -Werror -Isrc/core -o $@ $< $(CT_OBJ) $(CT_LIBS)

build-ct: $(CT) build/cost/cost build/cost/cost_dedupe
	@:

ct:                     ## tokens and keys, in constant time: by valgrind
	@tools/install build valgrind
	@$(MAKE) --no-print-directory build-ct
	@tools/ct $(CT)

cost:                   ## hostile bodies, many events: instructions, valgrind
	@tools/install build valgrind
	@$(MAKE) --no-print-directory build-ct
	@tools/cost build/cost/cost byte event
	@tools/cost build/cost/cost_dedupe level 'claim and commit among 100 events'


# gcov; what each part is that T names, tools/coverage --help says

coverage:               ## what tests run, by gcov (T="core module")
	@tools/install build test
	@$(MAKE) --no-print-directory build/nginx.id $(LOCALE)
	@tools/coverage $(T)

lint:                   ## style, cppcheck, shellcheck, code against docs
	@tools/install build lint
	@$(MAKE) --no-print-directory all
	@tools/lint

static:                 ## a whole nginx with the module in it, by gcc and clang
	@tools/install build matrix
	@tools/matrix static

matrix:                 ## builds and tests on each release of Debian, in chroots
	@tools/install build test matrix chroot
	@tools/releases

foreign:                ## builds and tests within any nginx's source (NGINX=DIR)
	@tools/install build test foreign
	@tools/foreign "$(NGINX)" $(T)

platforms:              ## builds and tests on others (T="i386 arm64 s390x musl ...")
	@tools/install build test chroot
	@$(MAKE) --no-print-directory build/nginx.id $(LOCALE)
	@tools/platforms $(T)

prove:                  ## bounded proofs of the pure core, in a chroot (T=NAME)
	@tools/install chroot
	@tools/chroot trixie sh -c 'tools/install prove && exec tools/prove $(T)'


bench:                  ## compare with plain nginx, lua and njs (docs/performance.md)
	@tools/install build bench
	@$(MAKE) --no-print-directory all
	@bench/run
	@bench/deliver
	@bench/spool throughput latency

counts:                 ## instructions a request, and whether they are too many
	@tools/install build bench
	@$(MAKE) --no-print-directory all
	@bench/run verdicts counts
	@bench/redis instructions

scale:                  ## many edges, a cluster of Redis, faults (docs/scale.md)
	@tools/install build scale
	@$(MAKE) --no-print-directory all
	@bench/scale controls faults


# What is made for others.  tools/version says which version it is.

VERSION := $(firstword $(shell tools/version))
PAGES   := build/ngx_http_clockodo_module.5 build/clockodo-send-event.1 \
           build/clockodo-deliver.1

$(PAGES): build/%: README.md CHANGELOG.md $(wildcard docs/*.md) \
                  bin/clockodo-send-event bin/clockodo-deliver tools/man
	@mkdir -p build
	@tools/man $* > $@.new
	@mv $@.new $@

man: $(PAGES)           ## the manual, in build/

dist:                   ## a tarball that builds by itself, in build/
	@tools/dist build/ngx_http_clockodo_module-$(VERSION).tar.gz

deb:                    ## Debian's package, in build/deb/
	@tools/install build deb
	@tools/deb

deb-check:              ## build and check it in a chroot (RELEASE=trixie, ...)
	@tools/install chroot
	@tools/chroot $(or $(RELEASE),bookworm) tools/deb-check

debs:                   ## the packages for all releases of Debian, checked
	@tools/install chroot
	@tools/debs $(RELEASE)

container:              ## the image of examples/container, built and tested
	@tools/install container
	@tools/container

install-check:          ## what docs/install.md says, in a chroot
	@tools/install chroot
	@rm -f build/chroot-bookworm/made       # a fresh one: nothing else is there
	@tools/chroot bookworm tools/install-check

release:                ## all that a release needs, but for the tag
	@tools/release

help:                   ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' \
	    Makefile

clean:                  ## remove all that was built
	rm -rf build


FORCE:

.DELETE_ON_ERROR:

.PHONY: all install run unit build-unit test browser screenshot signing asan \
        build-memcheck valgrind build-fuzz fuzz build-exhaustive exhaustive \
        fuzz-http faults failures deliver build-ct ct cost coverage lint \
        static matrix foreign platforms prove bench counts scale man dist deb \
        deb-check debs install-check container release help clean FORCE
