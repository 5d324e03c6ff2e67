// SPDX-License-Identifier: Apache-2.0

public import Audience
public import XMPP

/// What an account is given once, when it is added.
public struct AccountConfiguration: Sendable {
  /// How to log in.
  public var client: ClientConfiguration
  /// Who may see us before anything else is said.
  public var visibility: VisibilityWish
  /// How the server is to be made to keep to it; `nil` takes the best that the server announces.
  public var mechanism: Mechanism?
  /// Whether presence of type invisible may be sent to a server that does not announce it (XEP-0018 has no announcement of
  /// its own). What such a server makes of it cannot be known.
  public var trustsUnannounced = false
  /// The priority of our presence (RFC 6121 §4.7.2.3); `nil` is −1, so that we never swallow the messages of a person's
  /// other devices or of the offline store, and 0 while somebody takes messages here.
  public var priority: Int8?
  /// Whether it connects as soon as it is added, and goes on trying.
  public var connectsByItself = false

  /// Describes an account.
  /// - Parameters:
  ///   - client: how to log in. Its resource is used while visible only: a hidden stream always takes a random one,
  ///     since a name that somebody knows can be tested.
  ///   - visibility: who may see us from the first moment.
  ///   - priority: of our presence, −128 to 127; `nil` for what ``priority`` says.
  public init(client: ClientConfiguration, visibility: VisibilityWish = .visible, priority: Int8? = nil) {
    self.client = client
    self.visibility = visibility
    self.priority = priority
  }
}
