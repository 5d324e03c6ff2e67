// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import Store

/// An account or a gateway as the bus sees it: arguments in, entries out.
///
/// What means the same at both is here and in `ConnectionObject+*.swift`, one file for each interface; the rest is in
/// ``AccountObject`` and ``GatewayObject``.
@LoopActor
protocol ConnectionObject: AnyObject, Sendable, ConnectionServer, DecloakServer, VisibilityServer, StanzasServer {
  associatedtype Client: PresenceClient

  var client: Client { get }
  /// The uid whose it is.
  var owner: UInt32 { get }
  var path: ObjectPath { get }
  var exported: ExportedObject { get }
  var server: ObjectServer { get }

  /// Tells what has changed of Visibility since it was last told.
  func tellVisibility()
  /// Whom a rule may be about here.
  func subject(_ text: String) throws(AccountError) -> RuleSubject
  /// A decision as it is listed.
  func listed(_ decision: StoredDecision) -> Entry
  /// Sets who may see us.
  func set(_ wish: VisibilityWish) async throws
  /// Lets contacts see us; the rest stays as it is.
  func show(_ named: NamedContacts) async throws
  /// Hides us from contacts; the rest stays as it is.
  func hide(_ named: NamedContacts) async throws
}

extension ConnectionObject {
  /// Waits until directed presence has left, so that a reply means that it has.
  func delivered() async throws {
    try await CallLimit.within(
      """
      It is done, but the server has not taken all of the presence for it within \
      \(CallLimit.answer.components.seconds) seconds.
      """
    ) { [client] in try await client.delivered() }
  }

  /// Waits until what was decided is on the disk, and what it sends has left.
  func settled() async throws {
    try await client.flushKept()
    try await delivered()
  }

  /// Carries out a change of who may see us, and answers in time. Also one that failed may have changed what is in force.
  func changing(_ work: @escaping @LoopActor @Sendable () async throws -> Void) async throws {
    defer { tellVisibility() }
    try await CallLimit.within(
      """
      The server has not confirmed it within \(CallLimit.answer.components.seconds) seconds. It is still being tried: \
      Pending tells how long, and CanSee who sees you meanwhile.
      """, work)
  }
}
