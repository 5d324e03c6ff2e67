// SPDX-License-Identifier: Apache-2.0
// What the Swift importer cannot see of libdbus-1: type codes are character macros.
#pragma once
#include <dbus/dbus.h>
