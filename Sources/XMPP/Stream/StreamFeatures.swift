// SPDX-License-Identifier: Apache-2.0

public import XML

/// What a server offers on a stream (RFC 6120 §4.3).
public struct StreamFeatures: Hashable, Sendable {
  /// The features, as the server sent them.
  public let elements: [Element]

  /// A list of features.
  public init(_ elements: [Element] = []) { self.elements = elements }

  /// A feature, where it is offered.
  public func feature(_ name: String, _ namespace: String) -> Element? {
    elements.first { $0.matches(name, namespace) }
  }

  /// Whether TLS can be started.
  var offersTLS: Bool { feature("starttls", Namespace.tls) != nil }

  /// The ways to prove who we are.
  var mechanisms: [String] {
    let list = feature("mechanisms", Namespace.sasl)?.children ?? []
    return list.filter { $0.matches("mechanism", Namespace.sasl) }.map(\.text)
  }

  /// The channel bindings that the server knows (XEP-0440); nil where it does not say.
  var channelBindings: [String]? {
    feature("sasl-channel-binding", Namespace.channelBindings)?.children
      .filter { $0.matches("channel-binding", Namespace.channelBindings) }.compactMap { $0.attribute("type") }
  }

  /// Whether a resource can be bound.
  var offersBinding: Bool { feature("bind", Namespace.bind) != nil }

  /// Whether stanzas can be counted, and the session gone on with (XEP-0198).
  var offersManagement: Bool { feature("sm", Namespace.management) != nil }

  /// Whether the server wants to know whether somebody is looking (XEP-0352).
  var offersClientState: Bool { feature("csi", Namespace.clientState) != nil }

  /// Whether the server wants a session to be established, as RFC 3921 had it.
  var demandsSession: Bool {
    feature("session", Namespace.session).map { $0.child("optional", Namespace.session) == nil } ?? false
  }
}
