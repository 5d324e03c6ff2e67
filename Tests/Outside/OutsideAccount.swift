// SPDX-License-Identifier: Apache-2.0

import Support

/// Our account in the hands of the program, driven over D-Bus alone, whose program and connection may break.
final class OutsideAccount {
  let jid: String
  let owner: RawBus
  /// The program's way to the server.
  let proxy: FaultProxy
  /// The full JID at the last look; "" when not connected.
  private(set) var fullJID = ""
  /// All resources that it has had.
  private(set) var resources: Set<String> = []

  private let user: String
  private let bus: PrivateBus
  private let server: XMPPServer
  private let mechanism: String?
  private let logLevel: String?
  private let state: TemporaryDirectory
  private var daemon: DaemonProcess
  private var path = ""
  // A second resource of the same person, never available: it is always inside, so its questions are answered.
  private var second: RawClient?

  init(_ user: String, _ server: XMPPServer, mechanism: String?, logLevel: String?) throws {
    self.user = user
    self.server = server
    self.mechanism = mechanism
    self.logLevel = logLevel
    jid = "\(user)@localhost"
    bus = try PrivateBus()
    owner = try bus.connect()
    proxy = try FaultProxy(to: server.clientPort)
    state = try TemporaryDirectory()
    daemon = try DaemonProcess(on: bus, logLevel: logLevel, stateDirectory: state.file("state"))
    try takeInterest()
  }

  var log: String { daemon.log }

  func end() {
    second?.abort()
    _ = try? daemon.terminate()
    proxy.stop()
  }

  // MARK: The bus

  private func takeInterest() throws {
    try owner.call(
      DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
      [.strings(["*"])])
  }

  /// Adds the account; what is known of it is kept.
  /// - Parameter visibility: what holds before the first presence; nil for what was stored.
  func add(visibility: String?) throws {
    var parameters: [(String, BusValue)] = [
      ("password", .string("pass-\(user)")), ("server", .string("127.0.0.1")), ("port", .uint16(proxy.port)),
      ("ca-file", .string(server.certificate)),
    ]
    if let visibility { parameters.append(("visibility", .string(visibility))) }
    if let mechanism { parameters.append(("mechanism", .string(mechanism))) }
    func add(_ parameters: [(String, BusValue)]) throws -> [BusValue] {
      try owner.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddConnection",
        [.string(jid), .array("{sv}", parameters.map { .entry(.string($0.0), .variant($0.1)) })])
    }
    do {
      path = try add(parameters).first?.text ?? ""
    } catch let refusal as RawBus.Refusal
      where refusal.isNotBuilt && refusal.text.contains("mechanism") && mechanism == "directed"
    {
      // Where no other mechanism is built either, this one need not be asked for.
      path = try add(parameters.filter { $0.0 != "mechanism" }).first?.text ?? ""
    }
  }

  func begin(
    _ interface: OurAccount.Interface, _ member: String, _ arguments: [BusValue] = []
  ) throws -> RawBus.Pending {
    try owner.begin(DaemonProcess.busName, path, name(interface), member, arguments)
  }

  @discardableResult
  func call(_ interface: OurAccount.Interface, _ member: String, _ arguments: [BusValue] = []) throws -> [BusValue] {
    try owner.finish(begin(interface, member, arguments))
  }

  func get(_ interface: OurAccount.Interface, _ property: String) throws -> BusValue {
    try owner.call(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "Get",
      [.string(name(interface)), .string(property)]
    ).first ?? .string("")
  }

  func set(_ interface: OurAccount.Interface, _ property: String, _ value: BusValue) throws {
    try owner.call(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "Set",
      [.string(name(interface)), .string(property), .variant(value)])
  }

  /// All properties of an interface.
  func all(_ interface: OurAccount.Interface) throws -> BusValue {
    try owner.call(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "GetAll", [.string(name(interface))]
    ).first ?? .options()
  }

  private func name(_ interface: OurAccount.Interface) -> String { "org.nightcloak.Presence1.\(interface.rawValue)" }

  /// Learns the present full JID.
  func look() throws {
    fullJID = try get(.Connection, "Jid").text
    if let slash = fullJID.firstIndex(of: "/") { resources.insert(String(fullJID[fullJID.index(after: slash)...])) }
  }

  /// The values of `Status` that were told since `mark` signals.
  func statuses(since mark: Int) -> [String] {
    owner.received.dropFirst(mark).compactMap {
      $0.member == "PropertiesChanged" && $0.path == path ? $0.arguments[1]["Status"]?.text : nil
    }
  }

  // MARK: The second device

  /// The second device, logged in.
  func device() throws -> RawClient {
    if let second, !second.isClosed { return second }
    let new = try RawClient.login(
      name: "the second device", port: server.clientPort, user: user, password: "pass-\(user)", resource: "second")
    second = new
    return new
  }

  func deviceWasLeft() {
    second?.receiveRest(within: .seconds(5))
    second = nil
  }

  /// Through the server to the program and back: what it sent before has left when this returns.
  func fence() throws {
    try look()
    let deadline = Deadline(.seconds(10))
    while !fullJID.isEmpty {
      let answer = try device().iq("get", to: fullJID, "<ping xmlns='urn:xmpp:ping'/>")
      if answer["type"] == "result" { break }
      guard !deadline.hasPassed else { throw WitnessError("\(fullJID) does not answer: \(answer.canonical)") }
      try look()
    }
    _ = second?.takeAll()
    try owner.call(DaemonProcess.busName, "/", "org.freedesktop.DBus.Peer", "Ping")
  }

  // MARK: The process

  /// Kills the program and starts it again on what it has written down.
  func killAndStart() throws {
    try daemon.process.end(with: 9, within: .seconds(5))
    daemon = try DaemonProcess(on: bus, logLevel: logLevel, stateDirectory: state.file("state"))
    try takeInterest()
    try add(visibility: nil)
  }
}

extension RawBus.Refusal {
  /// What is not built is refused.
  var isNotBuilt: Bool { name == "org.freedesktop.DBus.Error.NotSupported" }
  /// The error's own name, where it is one of ours.
  var ours: String { String(name.split(separator: ".").last ?? "") }
}
