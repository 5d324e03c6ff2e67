// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Sees everything that comes out of the program under test, on the wire and on the bus, and compares it with a short
/// model of who may know. Every scenario runs under it.
public final class Witness {
  /// Who may know that our accounts are online. A scenario keeps it true.
  public var model = Model()
  /// The bus of this scenario.
  public let bus: PrivateBus
  /// The server, shared by all scenarios.
  public let server: XMPPServer
  /// The program under test, in scenarios that have one.
  public let daemon: DaemonProcess?
  /// The owner of our accounts on the bus: the present user.
  public let owner: RawBus
  /// Somebody else of this machine, who matches every signal and would overhear if the bus allowed it.
  public let eavesdropper: RawBus
  /// A connection of the owner's that has shown no interest.
  public let bystander: RawBus
  /// Our accounts that go through the program under test.
  public private(set) var accounts: [OurAccount] = []

  private var recorders: [RawClient] = []
  private var fences = 0
  private let users: String
  private var judgedOfEavesdropper = 0
  private var judgedOfBystander = 0

  private nonisolated(unsafe) static var scenarios = 0

  private init(on family: XMPPServer.Family, withDaemon: Bool, logLevel: String?) throws {
    Self.scenarios += 1
    users = "\(Self.scenarios)"
    server = try XMPPServer.shared(family)
    bus = try PrivateBus()
    owner = try bus.connect()
    bystander = try bus.connect()
    eavesdropper = try bus.connectAsStranger()
    for listener in [eavesdropper, bystander] { try listener.callBus("AddMatch", [.string("type='signal'")]) }
    // The bus refuses this, as a system bus must; should it not, everything is recorded and nothing is lost.
    _ = try? eavesdropper.callBus("AddMatch", [.string("eavesdrop='true'")])
    daemon = withDaemon ? try DaemonProcess(on: bus, logLevel: logLevel) : nil
  }

  /// Runs a scenario, and judges what came out at its end. It may block: it has a thread for that.
  /// - Parameters:
  ///   - family: the server that it happens on.
  ///   - withDaemon: start the program under test.
  ///   - logLevel: of that program; nil is its default.
  public static func run(
    on family: XMPPServer.Family = .prosody, withDaemon: Bool = true, logLevel: String? = "debug",
    _ scenario: @escaping @Sendable (Witness) throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(WitnessThread.shared) {
      let witness = try Witness(on: family, withDaemon: withDaemon, logLevel: logLevel)
      defer { witness.end() }
      do {
        try scenario(witness)
        try witness.step("the end") {}
      } catch let refusal as RawBus.Refusal {
        throw WitnessError("refused: \(refusal)\n\(witness.tail)")
      } catch let error as WitnessError {
        throw WitnessError("\(error)\n\(witness.tail)")
      }
    }
  }

  private func end() {
    for recorder in recorders { try? recorder.close() }
    for account in accounts { try? account.probe?.close() }
    _ = try? daemon?.terminate()
  }

  private var tail: String {
    guard let daemon else { return "" }
    return "the program's log ends:\n" + daemon.log.split(separator: "\n").suffix(30).joined(separator: "\n")
  }

  // MARK: People

  /// A user name that no other scenario has.
  public func user(_ role: String) throws -> String {
    let name = "\(role)\(users)"
    try server.addAccount(name, password: "pass-\(name)")
    return name
  }

  /// Logs somebody in, with a raw client whose bytes are judged from now on.
  /// - Parameter user: an account that exists; a new one named for the role when not given.
  public func client(_ role: String, user: String? = nil, resource: String? = nil) throws -> RawClient {
    let name = try user ?? self.user(role)
    let client = try RawClient.login(
      name: role, port: server.clientPort, user: name, password: "pass-\(name)", resource: resource)
    recorders.append(client)
    return client
  }

  /// Connects as the gateway, whose bytes are judged from now on.
  public func component(_ role: String = "gateway") throws -> RawClient {
    let client = try RawClient.component(
      name: role, port: server.componentPort, domain: XMPPServer.componentDomain, secret: XMPPServer.componentSecret)
    recorders.append(client)
    return client
  }

  /// Adds an account of ours to the program under test, not yet connected.
  /// - Parameters:
  ///   - parameters: further ones of AddConnection.
  ///   - server: another one than all share.
  public func account(
    _ role: String, user: String? = nil, parameters: KeyValuePairs<String, BusValue> = [:], on server: XMPPServer? = nil
  ) throws -> OurAccount {
    let name = try user ?? self.user(role)
    let account = try OurAccount(
      role: role, user: name, bus: owner, server: server ?? self.server, parameters: parameters)
    accounts.append(account)
    if model.accounts[account.jid] == nil { model.accounts[account.jid] = Model.Account() }
    return account
  }

  /// Makes `contact` see the presence of `account`, or be seen by it, or both, through raw clients that leave again.
  public func subscribe(_ contact: String, to account: String, both: Bool = false) throws {
    let owner = try RawClient.login(
      name: account, port: server.clientPort, user: account, password: "pass-\(account)", resource: "roster")
    let other = try RawClient.login(
      name: contact, port: server.clientPort, user: contact, password: "pass-\(contact)", resource: "roster")
    func ask(_ asker: RawClient, _ asked: RawClient) throws {
      for client in [asker, asked] { try client.iq("get", to: nil, "<query xmlns='jabber:iq:roster'/>") }
      try asked.send("<presence/>")
      try asked.ping()
      try asker.send("<presence to='\(asked.bare)' type='subscribe'/>")
      try asked.expect("the subscription request") { $0["type"] == "subscribe" }
      try asked.send("<presence to='\(asker.bare)' type='subscribed'/>")
      try asked.ping()
      try asker.ping()
      try asked.send("<presence type='unavailable'/>")
      try asked.ping()
    }
    try ask(other, owner)
    if both { try ask(owner, other) }
    try owner.close()
    try other.close()
    model.accounts["\(account)@localhost", default: Model.Account()].subscribers.insert("\(contact)@localhost")
  }

  // MARK: Fences and judgement

  /// When this returns, everything that was sent before has been through the server, the program and the server again,
  /// and what came of it has been received.
  public func fence() throws {
    for recorder in recorders where !recorder.isClosed { try recorder.ping() }
    for _ in 0..<2 {
      for account in accounts { try account.fence() }
      if daemon?.process.isRunning == true {
        try owner.call(DaemonProcess.busName, "/", "org.freedesktop.DBus.Peer", "Ping")
      }
    }
    for recorder in recorders where !recorder.isClosed { try recorder.ping() }
    guard !owner.isClosed else { return }
    fences += 1
    let nonce = BusValue.string("fence \(fences)")
    try owner.emit("/", "org.nightcloak.Tests", "Fence", [nonce])
    for listener in [eavesdropper, bystander] {
      try listener.expect("the fence") { $0.member == "Fence" && $0.arguments == [nonce] }
    }
    try owner.ping()
  }

  /// When this returns, `recorder` has received what the program answers to all that it sent before: a quick fence, for
  /// one recorder alone.
  func fence(for recorder: RawClient) throws {
    try recorder.ping()
    for account in accounts { try account.fence() }
    try recorder.ping()
  }

  /// Does a step of the story, waits until all of its consequences have come, and judges them.
  ///
  /// What comes during a step is allowed if the model before or after it allows it.
  @discardableResult
  public func step<Result>(_ text: String, _ body: () throws -> Result) throws -> Result {
    let earlier = model
    do {
      let result = try body()
      try fence()
      try judge(earlier: earlier)
      return result
    } catch let error as WitnessError {
      throw WitnessError("\(text): \(error)")
    } catch let refusal as RawBus.Refusal {
      throw WitnessError("\(text): refused: \(refusal)")
    }
  }

  /// Checks that nothing came to a recorder since its mark, up to a fence.
  public func forbid(_ what: String, at recorder: RawClient, where matches: (Node) -> Bool = { _ in true }) throws {
    try fence()
    let forbidden = recorder.unexpected.filter { !recorder.isOwn($0.node) && matches($0.node) }
    guard forbidden.isEmpty else {
      throw WitnessError("leak: \(recorder.name) got \(what):\n  \(forbidden.map(\.raw).joined(separator: "\n  "))")
    }
  }

  private func judge(earlier: Model) throws {
    var objections: [String] = []
    for recorder in recorders {
      for stanza in recorder.received[recorder.judged...] where !isServersOwnWord(stanza.node) {
        let objection =
          model.objection(to: stanza.node, at: recorder.jid, asked: recorder.sent, earlier: earlier)
          ?? resourceShown(in: stanza.raw, to: recorder, earlier: earlier)
        if let objection { objections.append("\(recorder.name) got \(stanza.raw)\n    \(objection)") }
      }
      recorder.judged = recorder.received.count
    }
    objections += overheard(by: eavesdropper, "another user", from: &judgedOfEavesdropper)
    objections += overheard(by: bystander, "a client without interest", from: &judgedOfBystander)
    guard objections.isEmpty else { throw WitnessError("leak: " + objections.joined(separator: "\nleak: ")) }
  }

  /// A resource that nobody was shown is in no byte that they get, unless they knew it from elsewhere.
  private func resourceShown(in raw: String, to recorder: RawClient, earlier: Model) -> String? {
    for account in accounts {
      guard let full = account.lastFullJID, let slash = full.firstIndex(of: "/") else { continue }
      let resource = String(full[full.index(after: slash)...])
      let known = model.mayKnow(recorder.jid, about: account.jid) || earlier.mayKnow(recorder.jid, about: account.jid)
      if !known, raw.contains(resource), !recorder.sent.contains(resource) {
        return "it names the resource of \(account.jid), which \(recorder.jid) was never shown"
      }
    }
    return nil
  }

  /// Signals that are not the bus's own or a fence are for those who asked to have them.
  private func overheard(by listener: RawBus, _ who: String, from judged: inout Int) -> [String] {
    defer { judged = listener.received.count }
    return listener.received[judged...].filter {
      $0.sender != "org.freedesktop.DBus" && $0.interface != "org.nightcloak.Tests"
    }.map { "\(who) overheard \($0)" }
  }
}
