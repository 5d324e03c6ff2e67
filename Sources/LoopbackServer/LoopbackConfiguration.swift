// SPDX-License-Identifier: Apache-2.0

public import XMPP

/// What an embedded server is to be: its domain, where it listens, who lives there, and which extensions it knows.
///
/// It keeps everything in memory and forgets it when it stops. It is made for tests and for trying things out, not for
/// production: there is no traffic between servers, and nothing is stored.
public struct LoopbackConfiguration: Sendable {
  /// The domain of its accounts.
  public var domain = "localhost"
  /// The numeric address that it listens at. One that others can reach needs ``isOpenToOthers`` as well.
  public var host = "127.0.0.1"
  /// Whether ``host`` may be an address that is not this machine's own.
  public var isOpenToOthers = false
  /// The port, for clients and components; 0 for any that is free.
  public var port: UInt16 = 0
  /// Its accounts.
  public var users: [LoopbackUser] = []
  /// Its components.
  public var components: [LoopbackComponent] = []
  /// Which extensions it knows.
  public var features = LoopbackFeatures()
  /// What its clients may make it hold.
  public var limits = LoopbackLimits()
  /// The ways to log in.
  public var mechanisms: [SASLMechanism] = SASLMechanism.allCases.filter { $0 != .external }
  /// Whether STARTTLS is offered, with a certificate of the server's own making.
  public var offersTLS = true
  /// Whether nobody gets in without TLS. Does not concern components, which know no TLS.
  public var requiresTLS = true
  /// Whether a password may be said in the clear (SASL PLAIN without TLS).
  public var allowsPlainInTheClear = false
  /// For how long a session is kept when its connection is lost (XEP-0198 §5); nil for no stream management.
  public var resumptionTime: Duration? = .seconds(300)
  /// How many stanzas the recorder keeps before it forgets the oldest; 0 for no recorder.
  public var recordedStanzas = 65_536

  /// A server on loopback without accounts.
  public init() {}
}

/// An account of the embedded server.
public struct LoopbackUser: Sendable {
  /// Its address, in the server's domain.
  public var jid: BareJID
  /// Its password. Accounts that share one are made faster.
  public var password: String
  /// Its contacts. The other end of a subscription must be given to the other account.
  public var roster: [LoopbackContact]

  /// Describes an account.
  public init(_ jid: BareJID, password: String, roster: [LoopbackContact] = []) {
    self.jid = jid
    self.password = password
    self.roster = roster
  }
}

extension LoopbackUser: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The address alone: the password must not get into a log.
  public var description: String { jid.description }
  /// As ``description``.
  public var debugDescription: String { description }
  /// Nothing: a dump would show the password.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// A contact in an account's roster.
public struct LoopbackContact: Sendable, Hashable {
  /// Its address.
  public var jid: BareJID
  /// What the account calls it.
  public var name: String?
  /// The groups that it is in.
  public var groups: [String]
  /// Who sees whom.
  public var subscription: Subscription

  /// Describes a contact.
  public init(_ jid: BareJID, name: String? = nil, groups: [String] = [], subscription: Subscription = .both) {
    self.jid = jid
    self.name = name
    self.groups = groups
    self.subscription = subscription
  }
}

/// Who of two sees the other's presence (RFC 6121 §2.1.2.5).
public enum Subscription: String, Sendable, Hashable, CaseIterable {
  /// Neither.
  case none
  /// The account sees the contact.
  case to
  /// The contact sees the account.
  case from
  /// Both.
  case both

  /// Whether the contact sees the account.
  public var hasFrom: Bool { self == .from || self == .both }
  /// Whether the account sees the contact.
  public var hasTo: Bool { self == .to || self == .both }

  init(to: Bool, from: Bool) {
    self =
      switch (to, from) {
      case (true, true): .both
      case (true, false): .to
      case (false, true): .from
      case (false, false): .none
      }
  }
}

/// A component that may log in (XEP-0114).
public struct LoopbackComponent: Sendable {
  /// Its domain.
  public var domain: String
  /// What it must know.
  public var secret: String

  /// Describes a component.
  public init(domain: String, secret: String) {
    self.domain = domain
    self.secret = secret
  }
}
