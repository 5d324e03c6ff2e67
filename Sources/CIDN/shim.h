// SPDX-License-Identifier: Apache-2.0
// The profiles of libidn are macros over tables of unknown length; the Swift importer sees neither.
#pragma once
#include <idna.h>
#include <stringprep.h>

static inline int idn_nodeprep(char *text, size_t capacity) {
  return stringprep(text, capacity, 0, stringprep_xmpp_nodeprep);
}
static inline int idn_nameprep(char *text, size_t capacity) { return (stringprep)(text, capacity, 0, stringprep_nameprep); }
static inline int idn_resourceprep(char *text, size_t capacity) {
  return stringprep(text, capacity, 0, stringprep_xmpp_resourceprep);
}
static inline int idn_saslprep(char *text, size_t capacity) { return stringprep(text, capacity, 0, stringprep_saslprep); }
