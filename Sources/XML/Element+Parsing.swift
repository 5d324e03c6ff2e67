// SPDX-License-Identifier: Apache-2.0

extension Element {
  /// Reads one element from `text`, under the same rules as for a stream; white space around it is ignored.
  ///
  /// - Parameter namespace: the namespace of elements that declare none.
  public static func parse(
    _ text: String, namespace: String = "", limits: Limits = Limits()
  ) throws(StreamParserError) -> Element {
    let elements = try parseAll(text, namespace: namespace, limits: limits)
    guard elements.count == 1 else { throw .notOneElement }
    return elements[0]
  }

  /// Reads any number of elements from `text`, one behind the other, as ``parse(_:namespace:limits:)`` does one.
  ///
  /// - Parameter namespace: the namespace of elements that declare none.
  public static func parseAll(
    _ text: String, namespace: String = "", limits: Limits = Limits()
  ) throws(StreamParserError) -> [Element] {
    let parser = StreamParser(limits: limits)
    _ = parser.feed(Array("<text xmlns='\(XMLText.escaped(namespace))'>".utf8))
    var elements: [Element] = []
    for event in parser.feed(Array(text.utf8)) {
      switch event {
      case .stanza(let element): elements.append(element)
      case .failed(let error): throw error
      case .opened, .closed: throw .notOneElement
      }
    }
    guard parser.feed(Array("</text>".utf8)) == [.closed] else { throw .notOneElement }
    return elements
  }
}
