// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import EventLoop
internal import Gateway
internal import Store
internal import XMPP

/// What a person's account and a gateway can both be asked: the calls on the bus that mean the same at either.
@LoopActor
protocol PresenceClient: AnyObject, Sendable {
  var jid: BareJID { get }
  var status: AccountStatus { get }
  var statusReason: String { get }
  var security: Security? { get }
  var presence: OwnPresence { get }
  var wanted: VisibilityWish { get }

  func microsecondsSinceEpoch(_ instant: Instant) -> UInt64
  func knownCapabilities(_ address: Address) -> Capabilities

  // The connection
  func connect() async throws(AccountError)
  func connectByItself()
  func disconnect() async
  func retire() async
  func forget() async throws(AccountError)
  func surroundingsChanged()
  func flushKept() async throws(AccountError)
  func delivered() async throws(AccountError)

  // Decloak
  func setPolicy(_ policy: Decloak.Policy, by uid: UInt32?) throws(AccountError)
  func setRule(_ decision: RuleDecision?, for subject: RuleSubject, by uid: UInt32?) throws(AccountError)
  func approve(
    _ id: String, scope: AnswerScope, full: Bool, lifetime: UInt32?, by uid: UInt32?
  ) throws(AccountError)
  func deny(_ id: String, scope: AnswerScope, by uid: UInt32?) throws(AccountError)
  func decisions(
    of contact: BareJID?, since: UInt64, after: String?, limit: Int
  ) throws(AccountError) -> [StoredDecision]
  func revoke(_ contact: BareJID?) -> Int

  // Stanzas
  func removeHandler(_ namespaces: [String], for client: String)
  func clientLeft(_ client: String)
  func answerIQ(_ id: String, isError: Bool, payload text: String, from client: String) throws(AccountError)
}

extension Account: PresenceClient {}

extension GatewayAccount: PresenceClient {}
