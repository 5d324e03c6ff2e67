// SPDX-License-Identifier: Apache-2.0
// What libxml2 costs by itself: everything is parsed and nothing is kept.
#include "BenchBaseline.h"

#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/SAX2.h>
#include <libxml/parser.h>

static void started(
    void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
    const xmlChar **namespaces, int attribute_count, int defaulted_count, const xmlChar **attributes) {}

static void ended(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {}

static void text(void *context, const xmlChar *bytes, int length) {}

int baseline_parse_empty(const char *bytes, size_t length, size_t piece) {
  xmlSAXHandler handler = {
      .initialized = XML_SAX2_MAGIC, .startElementNs = started, .endElementNs = ended, .characters = text};
  xmlParserCtxtPtr context = xmlCreatePushParserCtxt(&handler, NULL, NULL, 0, NULL);
  if (!context) return XML_ERR_NO_MEMORY;
  xmlCtxtUseOptions(context, XML_PARSE_NONET | XML_PARSE_NOENT);
  int code = 0;
  for (size_t position = 0; position < length && code == 0; position += piece) {
    size_t rest = length - position;
    code = xmlParseChunk(context, bytes + position, (int)(rest < piece ? rest : piece), 0);
  }
  xmlFreeParserCtxt(context);
  return code;
}
