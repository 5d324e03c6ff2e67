// SPDX-License-Identifier: Apache-2.0

public import Account
public import Audience
public import EventLoop
public import Logging
public import Store
public import XMPP

/// A gateway joined to one ``Gateway``: a domain whose every address is ours (XEP-0276 §5), on the stream of a component.
///
/// It answers to the same calls as an ``Account``, and sounds the same. Where a call is about one of our addresses, `target`
/// is which, or `from` on whose behalf something is said.
@LoopActor
public final class GatewayAccount {
  /// Makes the stream of a connection; tests pass one without a network.
  public typealias StreamMaker = @LoopActor (ComponentConfiguration) -> any ComponentStanzaStream

  /// What the gateway was given when it was added.
  public let configuration: GatewayConfiguration
  /// Our domain.
  public var jid: BareJID { configuration.component.jid }
  /// Called with each thing that others may want to know.
  public var onEvent: @LoopActor (GatewayEvent) -> Void = { _ in }

  /// Where the connection stands.
  public internal(set) var status = AccountStatus.disconnected
  /// Why it stands there, for a person; empty when there is nothing to say.
  public internal(set) var statusReason = ""
  /// How the stream is protected, while connected.
  public internal(set) var security: Security?
  /// What we say of all our addresses.
  public internal(set) var presence: OwnPresence
  /// Who is wanted to see us. It holds at once: nobody but us decides.
  public internal(set) var wanted: VisibilityWish
  /// Who may know of which of our addresses: policy, rules, requests, sessions, peers, subscriptions.
  public var gateway: Gateway { Gateway(domain: "", nonce: "") }
  /// What cannot be kept, for the property `Degraded`: `no-subscriptions` where others serve the domain, too.
  public var degradations: [String] { configuration.component.isBalanced ? ["no-subscriptions"] : [] }

  /// A gateway that is not connected.
  /// - Parameters:
  ///   - configuration: how to connect, and what to show.
  ///   - nonce: starts the ids of requests; never the same twice, also across restarts.
  ///   - store: what is kept of it.
  ///   - time: the clock.
  ///   - logger: where to write. JIDs at debug level only.
  ///   - makeStream: makes the stream of each connection.
  public init(
    _ configuration: GatewayConfiguration, nonce: String, store: AccountStore, time: any TimeSource, logger: Logger,
    makeStream: @escaping StreamMaker
  ) {
    self.configuration = configuration
    wanted = configuration.visibility
    presence = OwnPresence(priority: 0, capabilities: OwnCapabilities().element)
  }

  // MARK: Questions

  /// The time of day at which `instant` is or was, in microseconds since 1970-01-01 UTC.
  public func microsecondsSinceEpoch(_ instant: Instant) -> UInt64 { 0 }

  /// Whom an address of ours stands for, as one would dial it: `romeo@shakespeare.lit`, `+15551234`; empty for nobody.
  public func callee(of target: BareAddress) -> String { "" }

  /// Why somebody may know of some address of ours; `nil` when it must not of any.
  public func why(_ address: Address) -> Audience.Why? { nil }

  /// Since when a subscriber sees an address, as far as it is known.
  public func visibleSince(_ subscription: GatewaySubscription) -> Instant { Instant(nanoseconds: 0) }

  // MARK: The connection

  /// Connects. Joins a connect that is under way; does nothing when connected; does not wait for the next try where
  /// the connection was lost.
  /// - Throws: ``AccountError`` with the reason.
  public func connect() async throws(AccountError) { throw AccountError(.notSupported, "") }

  /// Connects without anybody waiting for it, and goes on trying where that may help.
  public func connectByItself() {}

  /// Ends all sessions, says goodbye to those who saw us, and closes the stream.
  public func disconnect() async {}

  /// Disconnects for good: whoever still holds the gateway cannot connect it any more.
  public func retire() async {}

  /// Forgets what was kept of the gateway.
  /// - Throws: ``AccountError`` `storageFailed`; then it may still be there.
  public func forget() async throws(AccountError) {}

  /// The network has changed, or the machine was asleep.
  public func surroundingsChanged() {}

  /// Returns when what was decided is on the disk.
  /// - Throws: ``AccountError`` `storageFailed`.
  public func flushKept() async throws(AccountError) {}

  /// Waits until all that was decided has left.
  /// - Throws: ``AccountError`` when the connection was lost first.
  public func delivered() async throws(AccountError) {}

  // MARK: Decloak

  /// Says what becomes of requests that no rule speaks of.
  /// - Throws: ``AccountError`` `storageFailed`; then nothing is changed.
  public func setPolicy(_ policy: Decloak.Policy, by uid: UInt32? = nil) throws(AccountError) {}

  /// Decides beforehand about a contact, a domain, or addresses of ours, and answers what waits for it.
  /// - Parameter decision: `nil` removes the rule.
  /// - Throws: ``AccountError`` `storageFailed`, or `limitExceeded`; then nothing is changed.
  public func setRule(
    _ decision: RuleDecision?, for subject: RuleSubject, by uid: UInt32? = nil
  ) throws(AccountError) {}

  /// Says yes to a request.
  /// - Parameters:
  ///   - id: the request's.
  ///   - scope: how far the answer reaches: beyond this once it becomes a rule about the asker, for all our addresses.
  ///   - full: whether show and status are sent too.
  ///   - lifetime: seconds that the session lasts; `nil` is one hour.
  ///   - uid: the user who says so; `nil` is the one whose gateway it is.
  /// - Throws: ``AccountError``; then nothing is sent and no rule is made.
  public func approve(
    _ id: String, scope: AnswerScope = .once, full: Bool, lifetime: UInt32?, by uid: UInt32? = nil
  ) throws(AccountError) {}

  /// Says no to a request. The other side learns nothing.
  /// - Throws: ``AccountError``; then it is not answered and no rule is made.
  public func deny(_ id: String, scope: AnswerScope = .once, by uid: UInt32? = nil) throws(AccountError) {}

  /// What was asked and how it was answered, the newest first; as of an account. Each has the address that was asked in
  /// `target`.
  /// - Throws: ``AccountError`` `storageFailed`.
  public func decisions(
    of contact: BareJID?, since: UInt64, after: String?, limit: Int
  ) throws(AccountError) -> [StoredDecision] { [] }

  /// Asks a contact to show itself to one of our addresses, which shows that one first.
  /// - Parameters:
  ///   - contact: whom.
  ///   - from: on whose behalf; an address of ours.
  ///   - reason: what for.
  ///   - wait: how long to wait for the first peer whose capabilities are known; zero returns at once.
  ///   - lifetime: seconds that the session lasts once it has been answered; `nil` is one hour.
  ///   - reveal: that we mean it although we hide from the contact.
  /// - Returns: the id that names the request, and the peers known so far.
  /// - Throws: ``AccountError``.
  public func requestDecloak(
    _ contact: BareJID, from: JID, reason: DecloakReason, wait: Duration, lifetime: UInt32?, reveal: Bool
  ) async throws(AccountError) -> (id: String, peers: [PeerInfo]) { throw AccountError(.notSupported, "") }

  /// Shows one of our addresses to somebody unasked.
  /// - Parameters:
  ///   - jid: a whole account, or one of its resources.
  ///   - from: which address of ours.
  ///   - full: whether show and status are sent too.
  ///   - lifetime: seconds that the session lasts; `nil` is one hour.
  /// - Throws: ``AccountError``.
  public func share(_ jid: JID, from: JID, full: Bool, lifetime: UInt32?) throws(AccountError) {}

  /// Ends the sessions of all our addresses with a contact, or with everybody.
  /// - Parameter contact: `nil` for everybody.
  /// - Returns: how many ended.
  public func revoke(_ contact: BareJID?) -> Int { 0 }

  /// What is known of the capabilities of somebody in a session, without asking.
  public func knownCapabilities(_ address: Address) -> Capabilities { Capabilities() }

  // MARK: Visibility

  /// Sets who may see any of our addresses. It holds, and all goodbyes have been sent, when it returns.
  /// - Throws: ``AccountError`` `storageFailed`, `limitExceeded`, or `invalidArgument` for groups.
  public func setVisibility(_ new: VisibilityWish) async throws(AccountError) {}

  /// Lets contacts see us; the rest stays as it is.
  /// - Throws: ``AccountError``.
  public func showTo(_ contacts: [BareJID]) async throws(AccountError) {}

  /// Hides us from contacts; the rest stays as it is. Sessions with them end.
  /// - Throws: ``AccountError``.
  public func hideFrom(_ contacts: [BareJID]) async throws(AccountError) {}

  /// Says what we are doing, to those who see all of it.
  public func setPresence(show: Presence.Show?, status text: String) {}

  // MARK: Subscriptions

  /// Lets somebody who asked see an address for good.
  /// - Parameter target: `nil` for all that it asks for.
  /// - Throws: ``AccountError``: `invalidArgument` where no such request waits, `wouldReveal`, `limitExceeded`,
  ///   `storageFailed`; then nothing is changed.
  public func authorizeSubscription(
    _ contact: BareJID, target: BareAddress?, reveal: Bool
  ) throws(AccountError) {}

  /// Does not let somebody who asked see an address. The other side learns nothing.
  /// - Throws: ``AccountError`` `invalidArgument` where no such request waits.
  public func denySubscription(_ contact: BareJID, target: BareAddress?) throws(AccountError) {}

  /// Takes subscriptions back.
  /// - Parameter target: `nil` for all that the contact has.
  /// - Returns: how many there were.
  /// - Throws: ``AccountError`` `storageFailed`.
  @discardableResult
  public func cancelSubscription(_ contact: BareJID, target: BareAddress?) throws(AccountError) -> Int { 0 }

  // MARK: Stanzas

  /// Lets a program handle protocols, as at an account.
  /// - Parameters:
  ///   - namespaces: of the protocols; `jabber:client` stands for what people write to each other.
  ///   - takesMessages: whether it is given all messages that no other handles.
  ///   - wantsWhole: whether it is handed whole stanzas: only those say which of our addresses is meant.
  ///   - client: names the program.
  /// - Throws: ``AccountError``.
  public func addHandler(
    _ namespaces: [String], takesMessages: Bool, wantsWhole: Bool, for client: String
  ) throws(AccountError) {}

  /// A program handles these no longer; nothing any more where none is named.
  public func removeHandler(_ namespaces: [String], for client: String) {}

  /// A program is gone. What it was asked is answered as what nobody handles.
  public func clientLeft(_ client: String) {}

  /// Asks somebody on behalf of one of our addresses, and returns what the answer carries.
  /// - Parameters:
  ///   - type: get or set.
  ///   - to: whom.
  ///   - from: an address of ours, with or without a resource.
  ///   - payload: XML, one element.
  ///   - reveal: that we mean it although it tells somebody outside that the address is there.
  ///   - limit: how long to wait.
  /// - Returns: XML; empty where the answer carries nothing.
  /// - Throws: ``AccountError``; an answer that is an error is `serverRefused`.
  public func sendIQ(
    _ type: IQ.Kind, to: JID, from: JID, payload text: String, reveal: Bool, limit: Duration
  ) async throws(AccountError) -> String { throw AccountError(.notSupported, "") }

  /// Answers a question that was handed to a program.
  /// - Throws: ``AccountError``.
  public func answerIQ(_ id: String, isError: Bool, payload text: String, from client: String) throws(AccountError) {}

  /// Sends a message on behalf of one of our addresses.
  /// - Returns: the message's id.
  /// - Throws: ``AccountError``.
  public func sendMessage(
    _ type: Message.Kind, to: JID, from: JID, payload text: String, reveal: Bool, from client: String
  ) throws(AccountError) -> String { throw AccountError(.notSupported, "") }
}
