# SPDX-License-Identifier: Apache-2.0
# What each target does: make help

PREFIX ?= /usr/local
DESTDIR ?=

# Where the system bus looks for policies: below /usr, and in /etc for all that was installed elsewhere.
BUS_POLICIES = $(if $(filter /usr,$(PREFIX)),/usr/share/dbus-1/system.d,/etc/dbus-1/system.d)

RELEASE = swift build -c release --static-swift-stdlib
TO = $(DESTDIR)$(PREFIX)
FILL_IN = sed -e 's|@PREFIX@|$(PREFIX)|g'

.PHONY: help setup build demo test faults endurance visibility gateway lint bench install clean

help:
	@echo 'make setup     install what is missing from Debian (done by the others when needed)'
	@echo 'make build     release build; the programs are in .build/release'
	@echo 'make demo      calls between strangers, and a person whom one of three sees; SERVER=prosody'
	@echo 'make test      all tests, and once more without the Doorkeeper, expecting leaks'
	@echo 'make faults    cut connections at each byte, and every fault on each server'
	@echo 'make endurance an hour of cuts: CUTS=500 MINUTES=60, SERVER=ejabberd, SEED=1'
	@echo 'make visibility  10,000 random steps, seen from outside: STEPS=10000 SERVER=ejabberd MECHANISM=directed SEED=1'
	@echo 'make gateway   the same for a gateway and those who ask for its addresses: STEPS=10000 SERVER=ejabberd SEED=1'
	@echo 'make lint      format, warnings, imports, bans'
	@echo 'make bench     figures, each beside what it is measured against'
	@echo 'make install   to $$DESTDIR$$PREFIX (default /usr/local), after make build; README.md tells what follows'
	@echo 'make clean     remove what was built'

setup:
	@.ci/setup

# Needs no XMPP server.
build:
	@.ci/setup build
	$(RELEASE)

# On our own server unless SERVER names another: prosody, ejabberd, jabberd2.
demo: $(if $(SERVER),setup) build
	@SERVER='$(SERVER)' .build/release/nightcloak-demo

test: setup
	@.ci/test

faults: setup
	swift build --build-tests
	FAULTS=all NIGHTCLOAKD='$(CURDIR)/.build/debug/nightcloakd' swift test --skip-build --disable-xctest --filter FaultTests

endurance: setup
	swift build --product nightcloakd
	swift build --product Endurance
	@NIGHTCLOAKD='$(CURDIR)/.build/debug/nightcloakd' .build/debug/Endurance

visibility: setup
	swift build --product nightcloakd
	swift build --product VisibilityDriver
	@NIGHTCLOAKD='$(CURDIR)/.build/debug/nightcloakd' .build/debug/VisibilityDriver

gateway: setup
	swift build --product nightcloakd
	swift build --product VisibilityDriver
	@NIGHTCLOAKD='$(CURDIR)/.build/debug/nightcloakd' .build/debug/VisibilityDriver gateway

lint: setup
	@.ci/lint

bench: setup build
	@.build/release/nightcloak-bench

# No prerequisite on build: `sudo make install` must not compile as root.
install:
	@test -x .build/release/nightcloakd || { echo 'nothing built yet: run make build first' >&2; exit 1; }
	install -D -m 755 .build/release/nightcloakd '$(TO)/libexec/nightcloakd'
	install -D -m 755 .build/release/nightcloak-loopback '$(TO)/bin/nightcloak-loopback'
	install -d '$(TO)/share/dbus-1/interfaces' '$(TO)/share/dbus-1/system-services' '$(TO)/share/dbus-1/services'
	install -d '$(TO)/lib/systemd/system' '$(TO)/lib/sysusers.d' '$(TO)/share/man/man1' '$(TO)/share/man/man8' '$(DESTDIR)$(BUS_POLICIES)'
	install -m 644 dbus-interfaces/*.xml '$(TO)/share/dbus-1/interfaces/'
	install -m 644 data/org.nightcloak.Presence1.conf '$(DESTDIR)$(BUS_POLICIES)/'
	install -D -m 644 data/nightcloakd.bash '$(TO)/share/bash-completion/completions/nightcloakd'
	install -D -m 644 data/nightcloak-loopback.bash '$(TO)/share/bash-completion/completions/nightcloak-loopback'
	install -m 644 data/nightcloak.sysusers '$(TO)/lib/sysusers.d/nightcloak.conf'
	$(FILL_IN) data/system.service.in >'$(TO)/share/dbus-1/system-services/org.nightcloak.Presence1.service'
	$(FILL_IN) data/session.service.in >'$(TO)/share/dbus-1/services/org.nightcloak.Presence1.service'
	$(FILL_IN) data/nightcloakd.service.in >'$(TO)/lib/systemd/system/nightcloakd.service'
	$(FILL_IN) data/nightcloakd.8.in >'$(TO)/share/man/man8/nightcloakd.8'
	$(FILL_IN) data/nightcloak-loopback.1.in >'$(TO)/share/man/man1/nightcloak-loopback.1'

clean:
	rm -rf .build .build-*
