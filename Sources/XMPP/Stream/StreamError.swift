// SPDX-License-Identifier: Apache-2.0

internal import XML

extension StreamEnd {
  /// What the server says when it ends a stream (RFC 6120 §4.9), and what a person can do about it.
  init(streamError element: Element, configuration: ClientConfiguration) {
    var condition = StreamCondition.undefinedCondition
    var place = ""
    for child in element.children where child.namespace == Namespace.streamErrors && child.name != "text" {
      guard let known = StreamCondition(rawValue: child.name) else { continue }
      condition = known
      place = child.text
      break
    }
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
        "The server ended the connection (\(condition.rawValue))."
      }
    self.init(.streamError(condition), explanation + Self.quote(element.child("text", Namespace.streamErrors)?.text))
  }
}
