// SPDX-License-Identifier: Apache-2.0

internal import XML

/// What a server says on its streams that fits in no ``Element``.
enum ServerHeader {
  /// The header that answers a client's (RFC 6120 §4.7).
  /// - Parameter to: what the client says that it is.
  static func text(from domain: String, to client: BareJID?, id: String) -> String {
    let to = client.map { " to='\(XMLText.escaped($0.description))'" } ?? ""
    return start(Namespace.client, from: domain, id: id) + "\(to) version='1.0' xml:lang='en'>"
  }

  /// The header that answers a component's (XEP-0114).
  static func text(toComponent domain: String, id: String) -> String {
    start(Namespace.component, from: domain, id: id) + ">"
  }

  private static func start(_ namespace: String, from domain: String, id: String) -> String {
    "<?xml version='1.0'?><stream:stream xmlns='\(namespace)' xmlns:stream='\(Namespace.stream)' "
      + "from='\(XMLText.escaped(domain))' id='\(XMLText.escaped(id))'"
  }

  /// What is offered.
  static func features(_ features: [Element]) -> String {
    "<stream:features>\(features.map { $0.serialized(within: Namespace.client) }.joined())</stream:features>"
  }

  /// What is said before the end of a stream that ends over something.
  static func error(_ condition: StreamCondition) -> String {
    let element = Element(condition.rawValue, Namespace.streamErrors)
    return "<stream:error>\(element.serialized(within: Namespace.client))</stream:error>"
  }

  /// The end of a stream, naming a condition where there is one.
  static func end(_ condition: StreamCondition?) -> String {
    (condition.map(error) ?? "") + StreamHeader.end
  }
}
