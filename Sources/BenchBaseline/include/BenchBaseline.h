// SPDX-License-Identifier: Apache-2.0
// What our programs are measured against: the same work done by plain C on the same libraries.
#pragma once
#include <stddef.h>

/// Serves one string property on the bus at `address` under `name` until the bus goes away.
/// Returns 0 then, and 1 when the bus cannot be had.
int baseline_serve_property(
    const char *address, const char *name, const char *path, const char *interface, const char *property,
    const char *value);

/// Parses `length` bytes of a stream in pieces of `piece` bytes with callbacks that do nothing.
/// Returns libxml2's error code, 0 for none.
int baseline_parse_empty(const char *bytes, size_t length, size_t piece);
