// SPDX-License-Identifier: Apache-2.0

import XML

/// A streamHeader as a server sends it.
let streamHeader = """
  <?xml version='1.0' encoding='UTF-8'?><stream:stream xmlns='jabber:client' \
  xmlns:stream='http://etherx.jabber.org/streams' id='++TR84Sm6A3hnt3Q065SnAbbk3Y=' from='im.example.com' \
  version='1.0' xml:lang='de'>
  """

extension StreamParser {
  func feed(_ text: String) -> [Event] { feed(Array(text.utf8)) }
}

extension [StreamParser.Event] {
  /// The stanzas among the events.
  var stanzas: [XML.Element] { compactMap { if case .stanza(let element) = $0 { element } else { nil } } }
  /// The failure among the events.
  var failure: StreamParserError? { compactMap { if case .failed(let error) = $0 { error } else { nil } }.first }
}

/// A parser that has read ``streamHeader``.
func openedParser(limits: Limits = Limits()) -> StreamParser {
  let parser = StreamParser(limits: limits)
  _ = parser.feed(streamHeader)
  return parser
}

/// A small generator with a seed: the same sequence in every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    var mixed = state ^ (state >> 33)
    mixed = mixed &* 0xff51_afd7_ed55_8ccd
    return mixed ^ (mixed >> 33)
  }
}
