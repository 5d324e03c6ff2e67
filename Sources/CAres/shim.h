// SPDX-License-Identifier: Apache-2.0
// The statuses are macros in older releases of c-ares and an enumeration in newer ones: here they are numbers.
#pragma once
#include <ares.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>

static const int cares_success = ARES_SUCCESS;
static const int cares_no_data = ARES_ENODATA;
static const int cares_format_error = ARES_EFORMERR;
static const int cares_server_failed = ARES_ESERVFAIL;
static const int cares_not_found = ARES_ENOTFOUND;
static const int cares_not_implemented = ARES_ENOTIMP;
static const int cares_refused = ARES_EREFUSED;
static const int cares_bad_name = ARES_EBADNAME;
static const int cares_bad_response = ARES_EBADRESP;
static const int cares_no_connection = ARES_ECONNREFUSED;
static const int cares_timed_out = ARES_ETIMEOUT;
static const int cares_destroyed = ARES_EDESTRUCTION;

// Of RFC 1035 and RFC 2782: <arpa/nameser.h> has them as enumerations of another type.
static const int cares_class_internet = 1;
static const int cares_type_srv = 33;
static const int cares_stream = SOCK_STREAM;

// How long until c-ares wants to be called again, in microseconds; -1 for never.
static inline int64_t cares_wait(ares_channel channel) {
  struct timeval wait;
  if (!ares_timeout(channel, NULL, &wait)) return -1;
  return (int64_t)wait.tv_sec * 1000000 + wait.tv_usec;
}
