// SPDX-License-Identifier: Apache-2.0

extension Element {
  /// Reads one element from `text`, under the same rules as for a stream; white space around it is ignored.
  ///
  /// - Parameter namespace: the namespace of elements that declare none.
  public static func parse(
    _ text: String, namespace: String = "", limits: Limits = Limits()
  ) throws(StreamParserError) -> Element {
    let parser = StreamParser(limits: limits)
    _ = parser.feed(Array("<text xmlns='\(XMLText.escaped(namespace))'>".utf8))
    let inside = parser.feed(Array(text.utf8))
    for case .failed(let error) in inside { throw error }
    guard inside.count == 1, case .stanza(let element) = inside[0], parser.feed(Array("</text>".utf8)) == [.closed]
    else { throw .notOneElement }
    return element
  }
}
