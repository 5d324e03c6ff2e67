// SPDX-License-Identifier: Apache-2.0

public import XML

/// What was wrong with a stanza (RFC 6120 §8.3).
public struct StanzaError: Error, Hashable, Sendable {
  /// What its sender can do about it.
  public enum Kind: String, Hashable, Sendable {
    /// Prove who it is, then try again.
    case auth
    /// Nothing.
    case cancel
    /// Go on: it was a warning.
    case `continue`
    /// Change it, then try again.
    case modify
    /// Wait, then try again.
    case wait
  }

  /// What is wrong.
  public var condition: Condition
  /// What can be done about it.
  public var type: Kind
  /// What the other end says about it, for people; untrusted.
  public var text: String?
  /// Where ``Condition/gone`` or ``Condition/redirect`` point to; untrusted.
  public var alternative: String?
  /// A condition of the application's own.
  public var application: Element?

  /// Describes an error.
  /// - Parameter type: what can be done about it; what RFC 6120 recommends where nothing is given.
  public init(_ condition: Condition, type: Kind? = nil, text: String? = nil, application: Element? = nil) {
    self.condition = condition
    self.type = type ?? condition.usualType
    self.text = text
    self.application = application
  }

  /// Reads an `<error/>`. What cannot be understood becomes ``Condition/undefinedCondition``: the stanza is an error
  /// all the same.
  public init(_ element: Element) {
    condition = .undefinedCondition
    var isKnown = false
    for child in element.children {
      if child.namespace != Namespace.stanzaErrors {
        application = application ?? child
      } else if child.name == "text" {
        text = text ?? child.text
      } else if !isKnown, let condition = Condition(rawValue: child.name) {
        isKnown = true
        self.condition = condition
        if !child.text.isEmpty { alternative = child.text }
      }
    }
    type = element.attribute("type").flatMap(Kind.init) ?? condition.usualType
  }

  /// The element inside a stanza of the type `error`.
  public var element: Element {
    var children = [Element(condition.rawValue, Namespace.stanzaErrors, text: alternative ?? "")]
    if let text { children.append(Element("text", Namespace.stanzaErrors, text: text)) }
    if let application { children.append(application) }
    return Element("error", Namespace.client, ["type": type.rawValue], children: children)
  }
}
