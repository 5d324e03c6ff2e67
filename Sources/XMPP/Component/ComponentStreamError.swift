// SPDX-License-Identifier: Apache-2.0

internal import XML

extension StreamEnd {
  /// What the server says when it ends a component's stream (RFC 6120 §4.9, XEP-0114), and what a person can do about it.
  /// - Parameter isIn: whether it had let us in.
  init(streamError element: Element, configuration: ComponentConfiguration, isIn: Bool) {
    let (condition, place) = Self.condition(in: element)
    let (server, domain) = (configuration.serverName, configuration.domain)
    let words = Self.quote(ofStreamError: element)
    var isFinal: Bool?
    let explanation: String
    switch condition {
    // Some say so of a domain that they do not know, too.
    case .notAuthorized where !isIn:
      self.init(
        .authentication,
        "\(server) does not let us in as \(domain): check the password, and that the server knows the component."
          + words)
      return
    case .conflict:
      // Whoever has the domain may go, and it may be a connection of ours that the server does not know to be dead.
      isFinal = false
      explanation =
        isIn
        ? "Another program connected as \(domain) and took its place." : "Another program is connected as \(domain)."
    case .policyViolation:
      // What broke the rule was a stanza that will not be sent again; a domain must not be gone for good over it.
      isFinal = isIn ? false : nil
      explanation = condition.explanation
    case .hostUnknown, .hostGone:
      explanation =
        "\(server) knows no component \(domain): check its configuration, and the parameters server and port."
    case .invalidNamespace where !isIn:
      explanation = "\(server) takes no components on that port: check the parameters server and port."
    case .seeOtherHost:
      explanation =
        "The server asks us to go to another one: set the parameter server to the one that it names."
        + Self.quote(place)
    default: explanation = condition.explanation
    }
    self.init(.streamError(condition), explanation + words, isFinal: isFinal)
  }
}
