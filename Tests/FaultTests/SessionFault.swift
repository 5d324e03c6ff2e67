// SPDX-License-Identifier: Apache-2.0

import Support

/// Something that happens to an account that is connected, and what comes of it.
struct SessionFault: Sendable {
  /// What comes of it.
  enum Outcome: Sendable {
    /// Nothing: the session goes on.
    case goesOn
    /// The connection is lost for a reason that says one of these, and comes back by itself.
    case comesBack([String])
    /// The connection is lost for good, for a reason that says one of these.
    case ends([String])
  }

  /// An account to which it happens.
  final class Subject {
    let account: OurAccount
    let proxy: FaultProxy
    /// The full JID that it had before.
    let fullJID: String
    /// How many signals there were before.
    let signals: Int
    let bus: RawBus

    init(_ account: OurAccount, _ proxy: FaultProxy, on bus: RawBus) throws {
      self.account = account
      self.proxy = proxy
      self.bus = bus
      fullJID = try account.fullJID()
      signals = bus.received.count
    }

    /// What Status has been since, with its reasons.
    var statuses: [(status: String, reason: String)] {
      bus.received.dropFirst(signals).compactMap { message in
        guard message.member == "PropertiesChanged", message.path == account.path,
          let changed = message.arguments.dropFirst().first, let status = changed["Status"]?.text
        else { return nil }
        return (status, changed["StatusReason"]?.text ?? "")
      }
    }

    /// The contacts of its roster.
    func roster() throws -> [String] {
      var contacts: [String] = []
      while true {
        let options = BusValue.options(["after": .string(contacts.last ?? "")])
        let page = try account.call(.Connection, "ListRoster", [options]).first?.list ?? []
        if page.isEmpty { return contacts }
        contacts += page.map { $0["Contact"]?.text ?? "" }
      }
    }
  }

  let name: String
  let outcome: Outcome
  let isVisible: Bool
  let strike: @Sendable (Scene, Subject) throws -> Void
  /// What must be so afterwards; throws what is wrong.
  let check: @Sendable (Scene, Subject) throws -> Void

  init(
    _ name: String, _ outcome: Outcome, isVisible: Bool = false,
    check: @escaping @Sendable (Scene, Subject) throws -> Void = { _, _ in },
    strike: @escaping @Sendable (Scene, Subject) throws -> Void
  ) {
    self.name = name
    self.outcome = outcome
    self.isVisible = isVisible
    self.strike = strike
    self.check = check
  }

  /// The server says something.
  static func said(
    _ name: String, _ outcome: Outcome, check: @escaping @Sendable (Scene, Subject) throws -> Void = { _, _ in },
    stanzas: Int = 0, _ text: @escaping @Sendable (Subject) -> String
  ) -> SessionFault {
    SessionFault(name, outcome, check: check) { $1.proxy.inject(text($1), stanzas: stanzas) }
  }

  /// The server ends the stream and says why.
  static func streamError(_ condition: String, _ outcome: Outcome) -> SessionFault {
    said("the stream error \(condition)", outcome) { _ in
      "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
    }
  }

  /// The connection is cut, and the server is not what it was when it comes back.
  static func changed(
    _ name: String, _ outcome: Outcome, _ interception: @escaping @Sendable (Scene) -> Interception
  ) -> SessionFault {
    SessionFault(name, outcome) { scene, subject in
      subject.proxy.intercept(interception(scene))
      subject.proxy.cut(.reset)
    }
  }
}
