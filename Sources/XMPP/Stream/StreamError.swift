// SPDX-License-Identifier: Apache-2.0

internal import XML

extension StreamEnd {
  /// What the server says when it ends a stream (RFC 6120 §4.9), and what a person can do about it.
  init(streamError element: Element, configuration: ClientConfiguration) {
    let (condition, place) = Self.condition(in: element)
    let domain = configuration.account.domain
    let explanation =
      switch condition {
      case .conflict:
        "Another program logged in with the resource of this connection and took its place."
      case .hostUnknown, .hostGone:
        "\(configuration.serverName) does not serve \(domain): check the account, or set the parameter server."
      case .seeOtherHost:
        "The server asks us to go to another one: set the parameter server to the one that it names."
          + Self.quote(place)
      default: condition.explanation
      }
    self.init(.streamError(condition), explanation + Self.quote(ofStreamError: element))
  }

  /// The condition that a stream's error names, and what stands in it.
  static func condition(in element: Element) -> (StreamCondition, place: String) {
    for child in element.children where child.namespace == Namespace.streamErrors && child.name != "text" {
      if let condition = StreamCondition(rawValue: child.name) { return (condition, child.text) }
    }
    return (.undefinedCondition, "")
  }

  /// What the server says of its error in words.
  static func quote(ofStreamError element: Element) -> String {
    quote(element.child("text", Namespace.streamErrors)?.text)
  }
}

extension StreamCondition {
  /// What it means to whoever is connected, and what to do, where that is the same for all.
  var explanation: String {
    switch self {
    case .systemShutdown, .reset:
      "The server is being shut down or restarted: try again later."
    case .resourceConstraint, .internalServerError:
      "The server cannot serve us now: try again later."
    case .policyViolation:
      "The server ended the connection over one of its rules: ask its administrator."
    case .connectionTimeout:
      "The server had heard nothing from us for too long and ended the connection."
    case .notAuthorized:
      "The server ended the connection since we are not logged in."
    default:
      "The server ended the connection (\(rawValue))."
    }
  }
}
