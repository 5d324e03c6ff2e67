// SPDX-License-Identifier: Apache-2.0
// Debian's libxml2 headers pull in ICU's, which clash with Foundation's copy: leave ICU out.
#pragma once
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
